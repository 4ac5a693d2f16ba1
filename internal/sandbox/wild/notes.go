package wild

import (
	"fmt"
	"slices"

	"omerods/internal/sandbox/store"
)

// noteKinds are all classes of annotations that can be made.
func (m *maker) noteKinds() (kinds []string) {
	annotation := m.t.Store.Model().Class("Annotation")
	for _, c := range m.t.Store.Model().Classes() {
		if c.IsA(annotation) && !c.Abstract {
			kinds = append(kinds, c.Name)
		}
	}
	slices.Sort(kinds)
	return kinds
}

var namespaces = []string{
	"openmicroscopy.org/omero/client/mapAnnotation", "openmicroscopy.org/omero/insight/rating", "openmicroscopy.org/omero/insight/tagset",
	"example.org/x", "openmicroscopy.org/cli/transfer", "http://example.org/?a=1&b=<2>", "example.org/figure", "",
}

// note makes an annotation of a kind.
func (m *maker) note(who store.Actor, kind string) (*store.Row, error) {
	fixed := store.Values{"ns": pick(m, namespaces), "textValue": m.long(), "file": "-"}
	switch {
	case m.chance(3):
		fixed["ns"] = "-"
	case m.chance(3):
		fixed["ns"] = "x " + m.text() // never one of ours
	}
	switch kind {
	case "XmlAnnotation":
		fixed["textValue"] = pick(m, []string{"<a b='1'>x</a>", "<a xmlns='urn:x'><b/></a>", "not <well formed", "<OME/>", m.text()})
	case "TagAnnotation":
		if len(m.tags) > 0 && m.chance(3) {
			return pick(m, m.tags), nil
		}
		fixed["textValue"] = m.tagText()
	case "FileAnnotation":
		data := make([]byte, m.r.IntN(2000))
		for i := range data {
			data[i] = byte(m.r.IntN(256))
		}
		name := m.text()
		if name == "" || name == "." || name == ".." {
			name = "unnamed"
		}
		file, err := m.t.Files.AddFile(who, name, pick(m, []string{"./", "/home/ada/", "x " + m.text()}), pick(m, []string{"text/plain", "", m.text()}), data)
		if err != nil {
			return nil, err
		}
		fixed["file"] = file
	}
	c := m.t.Store.Model().Class(kind)
	for name := range fixed {
		if p := c.Property(name); p == nil || !p.Stored() {
			delete(fixed, name)
		}
	}
	row, err := m.createAs(who, kind, m.fill(kind, fixed))
	if err != nil {
		return nil, err
	}
	if kind == "TagAnnotation" {
		m.tags = append(m.tags, row)
	} else {
		m.notes = append(m.notes, row)
	}
	return row, nil
}

// tagText is the text of a tag, which no other study on the server has: a load
// uses the tags again that are there.
func (m *maker) tagText() string { return fmt.Sprintf("%s %d.%d", m.long(), m.Seed, len(m.tags)) }

// linked tells whether an annotation is on an object already, by whomever.
func (m *maker) linked(class string, parent, child *store.Row) bool {
	return slices.ContainsFunc(m.t.Store.Collection(parent.Class.Root.Name, parent.ID, "annotationLinks"), func(l *store.Row) bool { return l.Ref("child") == child.ID })
}

// annotate puts a new or used annotation on an object.
func (m *maker) annotate(who store.Actor, object *store.Row, kind string) error {
	note, err := m.note(who, kind)
	if err != nil {
		return err
	}
	class := object.Class.Root.Name + "AnnotationLink"
	if object.ID == note.ID && object.Class.Root == note.Class.Root || m.linked(class, object, note) {
		return nil
	}
	_, err = m.createAs(who, class, store.Values{"parent": object, "child": note})
	return err
}

// makeNotes puts annotations on containers, images and regions, tags into sets.
func (m *maker) makeNotes() error {
	kinds := m.noteKinds()
	objects := slices.Concat(m.containers, m.images, m.rois)
	for _, o := range objects {
		for range m.r.IntN(4) {
			if err := m.annotate(m.actor, o, pick(m, kinds)); err != nil {
				return err
			}
		}
	}
	// A set of tags, perhaps in a set itself, and notes on notes.
	if len(m.tags) > 0 {
		set, err := m.create("TagAnnotation", store.Values{"textValue": m.tagText(), "ns": namespaces[2]})
		if err != nil {
			return err
		}
		for _, tag := range m.tags {
			if m.chance(2) {
				if err := m.link("AnnotationAnnotationLink", set, tag); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// makeMoreNotes puts annotations on everything else that can carry them.
func (m *maker) makeMoreNotes() error {
	objects := slices.Concat(m.shapes, m.notes)
	for _, image := range m.images {
		if set := image.Ref("fileset"); set != store.None {
			objects = append(objects, m.t.Store.Get("Fileset", set))
			for _, e := range m.t.Store.Collection("Fileset", set, "usedFiles") {
				objects = append(objects, m.t.Store.Get("OriginalFile", e.Ref("originalFile")))
			}
		}
		if i := m.t.Store.Get("Image", image.ID).Ref("instrument"); i != store.None {
			objects = append(objects, m.t.Store.Get("Instrument", i))
			for _, part := range []string{"detector", "objective", "lightSource", "filter", "dichroic"} {
				objects = append(objects, m.t.Store.Collection("Instrument", i, part)...)
			}
		}
	}
	return m.annotateSome(objects)
}

// makePartNotes puts annotations on channels and planes.
func (m *maker) makePartNotes() error {
	var objects []*store.Row
	for _, image := range m.images {
		pixels := m.pixels(image).ID
		objects = append(objects, m.t.Store.Collection("Pixels", pixels, "channels")...)
		objects = append(objects, m.t.Store.Collection("Pixels", pixels, "planeInfo")...)
	}
	return m.annotateSome(objects)
}

// annotateSome puts an annotation on about each third object.
func (m *maker) annotateSome(objects []*store.Row) error {
	kinds := m.noteKinds()
	for _, o := range objects {
		if m.chance(3) {
			if err := m.annotate(m.actor, o, pick(m, kinds)); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeOthers is what another member of the group says of the images, with
// annotations of their own and of the first's.
func (m *maker) makeOthers() error {
	if !m.shared {
		return nil
	}
	kinds := m.noteKinds()
	for _, o := range slices.Concat(m.images, m.containers) {
		if m.chance(2) {
			continue
		}
		if err := m.annotate(m.other, o, pick(m, kinds)); err != nil {
			return err
		}
		if len(m.tags) > 0 && m.chance(2) {
			// The first's tag, linked once more by the other.
			tag := pick(m, m.tags)
			class := o.Class.Root.Name + "AnnotationLink"
			if !m.linked(class, o, tag) {
				if _, err := m.createAs(m.other, class, store.Values{"parent": o, "child": tag}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
