package pack

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	omeNamespace = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
	omeSchema    = "http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd"
	xsiNamespace = "http://www.w3.org/2001/XMLSchema-instance"
	// partNamespace is that of the elements of the omerods/pack part.
	partNamespace = "urn:omerods:pack"
)

// Encode writes doc and the list of the pack's other files as a transfer.xml.
// Equal arguments give equal bytes. A nil manifest is written as none.
//
// It refuses, with ErrInvalid, documents that nothing could read: an id twice,
// a reference to an object that is not there, an image without a file, a
// fileset whose images are not all listed; and with ErrUnsafePath paths that
// are not relative and clean. What only omero-cli-transfer would stumble over
// is found by Problems.
func Encode(w io.Writer, doc *Document, m *Manifest) error {
	if err := check(doc, m); err != nil {
		return fmt.Errorf("encode %s: %w", TransferXML, err)
	}
	e := newEncoder(w, doc, m)
	e.x.w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	e.x.start("OME")
	e.x.attr("xmlns", omeNamespace)
	e.x.attr("xmlns:xsi", xsiNamespace)
	e.x.attr("xsi:schemaLocation", omeNamespace+" "+omeSchema)
	e.x.optional("Creator", strings.TrimSpace(doc.Origin.Software+" "+doc.Origin.Version))
	e.containers()
	e.folders()
	e.experiments()
	e.plates()
	e.screens()
	e.people()
	e.instruments()
	for i := range doc.Images {
		e.image(&doc.Images[i], i)
	}
	e.annotations()
	for i := range doc.ROIs {
		e.roi(&doc.ROIs[i])
	}
	e.x.end()
	e.x.w.WriteByte('\n')
	if err := e.x.flush(); err != nil {
		return fmt.Errorf("encode %s: %w", TransferXML, err)
	}
	return nil
}

// encoder holds what is known of the document before its first byte is
// written.
type encoder struct {
	x   *xmlWriter
	doc *Document
	m   *Manifest

	users    map[ID]*User
	groups   map[ID]*Group
	filesets map[ID]*Fileset
	images   map[ID]*Image
	reagents map[ID]bool // those that have an OME element
	notes    map[ID]*Annotation
	rois     map[ID]*ROI

	// refs are the annotations that OME elements may refer to.
	refs map[ID][]ID
	// placed are the annotations listed among the OME elements; the others stand
	// in the omerods/pack part.
	placed map[ID]bool
	// record is the number of the first of our own annotations: two for each
	// image, two for each plate, one for each file annotation, one for the part.
	record int64
}

func newEncoder(w io.Writer, doc *Document, m *Manifest) *encoder {
	e := &encoder{
		x: newXMLWriter(w), doc: doc, m: m,
		users:    byID(doc.Users, func(u *User) ID { return u.ID }),
		groups:   byID(doc.Groups, func(g *Group) ID { return g.ID }),
		filesets: byID(doc.Filesets, func(f *Fileset) ID { return f.ID }),
		images:   byID(doc.Images, func(im *Image) ID { return im.ID }),
		notes:    byID(doc.Annotations, func(a *Annotation) ID { return a.ID }),
		rois:     byID(doc.ROIs, func(r *ROI) ID { return r.ID }),
		reagents: make(map[ID]bool),
		refs:     make(map[ID][]ID),
		placed:   make(map[ID]bool, len(doc.Annotations)),
	}
	for i := range doc.Screens {
		for j := range doc.Screens[i].Reagents {
			e.reagents[doc.Screens[i].Reagents[j].ID] = true
		}
	}
	e.link()
	e.record = e.freeNumbers()
	return e
}

func byID[T any](list []T, id func(*T) ID) map[ID]*T {
	m := make(map[ID]*T, len(list))
	for i := range list {
		m[id(&list[i])] = &list[i]
	}
	return m
}

// link decides which annotations the OME elements show. The kinds that
// "omero transfer unpack" cannot create stop it, or make it forget the others,
// when an object refers to them; those it can create it creates even when
// nothing refers to them, so these stay out of its sight.
func (e *encoder) link() {
	shown := e.shown()
	seen := make(map[Link]bool, len(e.doc.Links))
	for _, l := range e.doc.Links {
		a := e.notes[l.To]
		pair := Link{From: l.From, To: l.To}
		if !restorable(a.Kind) || a.Null || !shown[l.From] || seen[pair] {
			continue
		}
		seen[pair] = true
		e.refs[l.From] = append(e.refs[l.From], l.To)
		e.placed[l.To] = true
	}
	for i := range e.doc.Annotations {
		a := &e.doc.Annotations[i]
		if !restorable(a.Kind) && !a.Null && !ownNamespace(a.Namespace) {
			e.placed[a.ID] = true
		}
	}
}

// restorable kinds are those that omero-cli-transfer reads.
func restorable(k AnnotationKind) bool {
	switch k {
	case MapAnnotation, TagAnnotation, CommentAnnotation, LongAnnotation, TimestampAnnotation, FileAnnotation:
		return true
	}
	return false
}

// shown finds the objects whose OME element is written and has place for
// references to annotations.
func (e *encoder) shown() map[ID]bool {
	d, shown := e.doc, make(map[ID]bool, len(e.doc.Images)+len(e.doc.ROIs))
	for i := range d.Projects {
		shown[d.Projects[i].ID] = true
	}
	for i := range d.Datasets {
		shown[d.Datasets[i].ID] = true
	}
	for i := range d.Folders {
		shown[d.Folders[i].ID] = true
	}
	for i := range d.Screens {
		shown[d.Screens[i].ID] = true
		for j := range d.Screens[i].Reagents {
			shown[d.Screens[i].Reagents[j].ID] = true
		}
	}
	for i := range d.Plates {
		shown[d.Plates[i].ID] = true
		for j := range d.Plates[i].Wells {
			shown[d.Plates[i].Wells[j].ID] = true
		}
		for j := range d.Plates[i].Runs {
			shown[d.Plates[i].Runs[j].ID] = true
		}
	}
	for i := range d.Images {
		shown[d.Images[i].ID] = true
	}
	for i := range d.ROIs {
		shown[d.ROIs[i].ID] = drawable(&d.ROIs[i])
	}
	return shown
}

// ownNamespace reports namespaces that readers take for records of a pack.
func ownNamespace(ns string) bool {
	return strings.HasPrefix(ns, TransferNamespace) || strings.HasPrefix(ns, "omerods/") || strings.HasPrefix(ns, KindAnnotation+":")
}

// freeNumbers finds numbers for our own annotations that none of the document
// has. No server comes near the first.
func (e *encoder) freeNumbers() int64 {
	const first = 9_000_000_000_000_000_001
	count := int64(2*len(e.doc.Images) + 2*len(e.doc.Plates) + len(e.doc.Annotations) + 1)
	var taken []int64
	for i := range e.doc.Annotations {
		if n, ok := e.doc.Annotations[i].ID.Number(); ok && n >= first {
			taken = append(taken, n)
		}
	}
	slices.Sort(taken)
	start := int64(first)
	for _, n := range taken {
		if n >= start && n-start < count {
			start = n + 1
		}
	}
	return start
}

func (e *encoder) imageRecord(i int) ID { return NewID(KindAnnotation, e.record+2*int64(i)) }

func (e *encoder) plateRecord(i int) ID {
	return NewID(KindAnnotation, e.record+2*int64(len(e.doc.Images)+i))
}

func (e *encoder) fileRecord(i int) ID {
	return NewID(KindAnnotation, e.record+2*int64(len(e.doc.Images)+len(e.doc.Plates))+int64(i))
}

// nextID is the id after one of our own.
func nextID(id ID) ID {
	n, _ := id.Number()
	return NewID(id.Kind(), n+1)
}

// refList writes one reference element for each id.
func (e *encoder) refList(element string, ids []ID) {
	for _, id := range ids {
		e.ref(element, id)
	}
}

func (e *encoder) ref(element string, id ID) {
	e.x.start(element)
	e.x.attr("ID", string(id))
	e.x.end()
}

// owner refers to an object's owner, and its group, as far as the document
// has them.
func (e *encoder) owner(id ID) {
	if e.users[id] != nil {
		e.ref("ExperimenterRef", id)
	}
}

func (e *encoder) group(id ID) {
	if e.groups[id] != nil {
		e.ref("ExperimenterGroupRef", id)
	}
}

// name writes a name that is never empty, as readers rename objects to it.
func (e *encoder) name(name string, id ID) {
	if name == "" {
		name = string(id)
	}
	e.x.attr("Name", name)
}
