package imaging

import (
	"encoding/xml"
	"strings"
)

// Annotation is an annotation that the file itself brings along.
type Annotation struct {
	Kind        string // as OME-XML calls it: TagAnnotation, MapAnnotation, XMLAnnotation ...
	NS          string
	Description string
	Value       string      // of all kinds but MapAnnotation
	Pairs       [][2]string // of a MapAnnotation, in order
	Annotations []string    // ids of those on the annotation itself
}

// omeAnnotation is any child of StructuredAnnotations.
type omeAnnotation struct {
	XMLName        xml.Name
	ID             string   `xml:"ID,attr"`
	NS             string   `xml:"Namespace,attr"`
	Description    string   `xml:"Description"`
	AnnotationRefs []omeRef `xml:"AnnotationRef"`
	Value          struct {
		Text  string `xml:",chardata"`
		Inner string `xml:",innerxml"`
		Pairs []struct {
			Key   string `xml:"K,attr"`
			Value string `xml:",chardata"`
		} `xml:"M"`
	} `xml:"Value"`
}

// annotation turns an element into ours; ok is false for the kinds whose
// content is not in the document.
func (a *omeAnnotation) annotation() (out Annotation, ok bool) {
	out = Annotation{Kind: a.XMLName.Local, NS: a.NS, Description: strings.TrimSpace(a.Description), Annotations: ids(a.AnnotationRefs)}
	switch out.Kind {
	case "MapAnnotation":
		for _, p := range a.Value.Pairs {
			out.Pairs = append(out.Pairs, [2]string{p.Key, p.Value})
		}
	case "XMLAnnotation":
		out.Value = strings.TrimSpace(a.Value.Inner)
	case "CommentAnnotation", "TagAnnotation":
		out.Value = a.Value.Text
	case "LongAnnotation", "DoubleAnnotation", "BooleanAnnotation", "TimestampAnnotation", "TermAnnotation":
		out.Value = strings.TrimSpace(a.Value.Text)
	default:
		return out, false
	}
	return out, true
}
