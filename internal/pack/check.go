package pack

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// checker finds what would make a document unreadable.
type checker struct {
	seen   map[ID]bool
	images map[ID]*Image
	err    error
}

// check reports the first contradiction in a document and its manifest.
func check(d *Document, m *Manifest) error {
	c := &checker{
		seen:   make(map[ID]bool, len(d.Images)+len(d.ROIs)+len(d.Annotations)),
		images: make(map[ID]*Image, len(d.Images)),
	}
	c.ids(d)
	c.leftOut(d)
	c.references(d)
	c.folders(d)
	c.files(d)
	c.manifest(m)
	return c.err
}

func (c *checker) fail(class error, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", class, fmt.Sprintf(format, args...))
	}
}

// id notes an object and checks that it is the only one of that id.
func (c *checker) id(id ID, kind string) {
	switch {
	case kind == KindROI && strings.IndexByte(string(id), ':') > 0:
	case !strings.HasPrefix(string(id), kind+":") || len(id) == len(kind)+1:
		c.fail(ErrInvalid, "%q is no id of a %s", clip(string(id)), kind)
	}
	if !clean(string(id)) || strings.IndexFunc(string(id), unicode.IsSpace) >= 0 {
		c.fail(ErrInvalid, "white space or control characters in the id %q", clip(string(id)))
	}
	if c.seen[id] {
		c.fail(ErrInvalid, "%s twice", id)
	}
	c.seen[id] = true
}

func (c *checker) ids(d *Document) {
	for i := range d.Users {
		c.id(d.Users[i].ID, KindUser)
	}
	for i := range d.Groups {
		c.id(d.Groups[i].ID, KindGroup)
	}
	for i := range d.Projects {
		c.id(d.Projects[i].ID, KindProject)
	}
	for i := range d.Datasets {
		c.id(d.Datasets[i].ID, KindDataset)
	}
	for i := range d.Folders {
		c.id(d.Folders[i].ID, KindFolder)
	}
	for i := range d.Screens {
		c.id(d.Screens[i].ID, KindScreen)
		for j := range d.Screens[i].Reagents {
			c.id(d.Screens[i].Reagents[j].ID, KindReagent)
		}
	}
	for i := range d.Reagents {
		c.id(d.Reagents[i].ID, KindReagent)
		if s := d.Reagents[i].Screen; s != "" && !validText(s) {
			c.fail(ErrInvalid, "%s is of the screen %q", d.Reagents[i].ID, clip(string(s)))
		}
	}
	for i := range d.Plates {
		c.plateIDs(&d.Plates[i])
	}
	c.instruments(d)
	for i := range d.Images {
		im := &d.Images[i]
		c.id(im.ID, KindImage)
		c.images[im.ID] = im
		c.pixels(im)
	}
	for i := range d.Filesets {
		c.id(d.Filesets[i].ID, KindFileset)
	}
	for i := range d.ROIs {
		c.id(d.ROIs[i].ID, KindROI)
		for j := range d.ROIs[i].Shapes {
			s := &d.ROIs[i].Shapes[j]
			c.id(s.ID, KindShape)
			if !slices.Contains(shapeKinds, s.Kind) {
				c.fail(ErrInvalid, "%s is of no known kind", s.ID)
			}
			c.units(s.ID, lengthUnits, s.StrokeWidth, s.FontSize)
		}
	}
	for i := range d.Annotations {
		a := &d.Annotations[i]
		c.id(a.ID, KindAnnotation)
		if !slices.Contains(annotationKinds, a.Kind) {
			c.fail(ErrInvalid, "%s is of no known kind", a.ID)
		}
	}
}

func (c *checker) plateIDs(p *Plate) {
	c.id(p.ID, KindPlate)
	c.units(p.ID, lengthUnits, p.OriginX, p.OriginY)
	for i := range p.Wells {
		w := &p.Wells[i]
		c.id(w.ID, KindWell)
		if w.Row < 0 || w.Column < 0 || w.Row > math.MaxInt32 || w.Column > math.MaxInt32 {
			c.fail(ErrInvalid, "%s is outside of its plate", w.ID)
		}
		for j := range w.Samples {
			c.id(w.Samples[j].ID, KindWellSample)
			c.units(w.ID, lengthUnits, w.Samples[j].X, w.Samples[j].Y)
		}
	}
	for i := range p.Runs {
		c.id(p.Runs[i].ID, KindRun)
	}
}

func (c *checker) pixels(im *Image) {
	if s := im.Stage; s != nil {
		c.units(im.ID, lengthUnits, s.X, s.Y, s.Z)
	}
	if im.Environment != nil {
		c.fieldUnits(im.ID, im.Environment)
	}
	p := im.Pixels
	if p == nil {
		return
	}
	c.units(im.ID, lengthUnits, p.PhysicalX, p.PhysicalY, p.PhysicalZ)
	c.units(im.ID, timeUnits, p.TimeIncrement)
	c.planes(im)
	for i := range p.Channels {
		ch := &p.Channels[i]
		c.id(ch.ID, KindChannel)
		if ch.Detector != nil {
			c.fieldUnits(ch.ID, ch.Detector)
		}
		if ch.Light != nil {
			c.fieldUnits(ch.ID, ch.Light)
		}
		if ch.LightPath != nil && ch.LightPath.ID != "" && !c.seen[ch.LightPath.ID] { // channels may share one
			c.id(ch.LightPath.ID, KindLightPath)
		}
		c.units(im.ID, lengthUnits, ch.Excitation, ch.Emission, ch.Pinhole)
	}
}

func (c *checker) units(of ID, known []string, qs ...*Quantity) {
	for _, q := range qs {
		if q != nil && !slices.Contains(known, q.Unit) {
			c.fail(ErrInvalid, "%s has the unknown unit %q", of, clip(q.Unit))
		}
	}
}

func (c *checker) refers(from ID, kind string, to []ID) {
	for _, id := range to {
		if id.Kind() != kind && kind != KindROI || !c.seen[id] {
			c.fail(ErrInvalid, "%s refers to %q, which is no %s of the document", from, clip(string(id)), kind)
		}
	}
}

func (c *checker) references(d *Document) {
	for i := range d.Projects {
		c.refers(d.Projects[i].ID, KindDataset, d.Projects[i].Datasets)
	}
	for i := range d.Datasets {
		c.refers(d.Datasets[i].ID, KindImage, d.Datasets[i].Images)
	}
	for i := range d.Screens {
		c.refers(d.Screens[i].ID, KindPlate, d.Screens[i].Plates)
	}
	for i := range d.Plates {
		for j := range d.Plates[i].Wells {
			w := &d.Plates[i].Wells[j]
			c.refers(w.ID, KindReagent, w.Reagents)
			for k := range w.Samples {
				if im := w.Samples[k].Image; im != "" {
					c.refers(w.Samples[k].ID, KindImage, []ID{im})
				}
			}
		}
		for j := range d.Plates[i].Runs {
			c.refers(d.Plates[i].Runs[j].ID, KindWellSample, d.Plates[i].Runs[j].Samples)
		}
	}
	c.parts(d)
	for i := range d.Images {
		c.taking(&d.Images[i])
		c.refers(d.Images[i].ID, KindROI, d.Images[i].ROIs)
	}
	for i := range d.Links {
		c.refers(d.Links[i].From, KindAnnotation, []ID{d.Links[i].To})
		if !validText(d.Links[i].From) {
			c.fail(ErrInvalid, "a link from the id %q", clip(string(d.Links[i].From)))
		}
	}
}

// validText reports whether an id can stand in an XML attribute of ids.
func validText(id ID) bool {
	return id != "" && clean(string(id)) && strings.IndexFunc(string(id), unicode.IsSpace) < 0
}
