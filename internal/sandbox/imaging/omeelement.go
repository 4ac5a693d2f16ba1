package imaging

import (
	"encoding/xml"
	"slices"
	"strings"
)

// Element is an element of OME-XML as it stands in the document: what the
// model calls by nearly the same names is not described a second time here.
type Element struct {
	XMLName  xml.Name
	List     []xml.Attr `xml:",any,attr"`
	Children []Element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

// Name returns the name without its namespace.
func (e *Element) Name() string { return e.XMLName.Local }

// Attr returns an attribute, "" when there is none.
func (e *Element) Attr(name string) string {
	for _, a := range e.List {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// Child returns the first child of that name, nil when there is none.
func (e *Element) Child(name string) *Element {
	for i := range e.Children {
		if e.Children[i].Name() == name {
			return &e.Children[i]
		}
	}
	return nil
}

// Refs returns the ids that children of that name refer to, in order.
func (e *Element) Refs(name string) (ids []string) {
	for i := range e.Children {
		if e.Children[i].Name() == name {
			ids = append(ids, e.Children[i].Attr("ID"))
		}
	}
	return ids
}

// Taking says how a series was taken. Elements that the document lacks are nil.
type Taking struct {
	Instrument, Experiment        string   // ids
	Objective, Environment, Stage *Element // ObjectiveSettings, ImagingEnvironment, StageLabel
	Pixels                        *Element // its attributes only
	Planes                        []Element
}

// taking returns what the document says of how the image was taken.
func (im *omeImage) taking() Taking {
	return Taking{
		Instrument: im.InstrumentRef.ID, Experiment: im.ExperimentRef.ID,
		Objective: im.Objective, Environment: im.Environment, Stage: im.Stage,
		Pixels: moreOf(im.Pixels.More), Planes: im.Pixels.Planes,
	}
}

// moreOf keeps the attributes that nothing else has read, nil when there are
// none.
func moreOf(list []xml.Attr) *Element {
	list = slices.DeleteFunc(list, func(a xml.Attr) bool { return a.Name.Local == "ID" })
	if len(list) == 0 {
		return nil
	}
	return &Element{List: list}
}

// ids returns those of references.
func ids(refs []omeRef) (out []string) {
	for _, r := range refs {
		out = append(out, strings.TrimSpace(r.ID))
	}
	return out
}
