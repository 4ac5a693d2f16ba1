package graph

import (
	"omerods/internal/sandbox/store"
)

// outward are the relations that lead from an object to others that it does
// not consist of. Where both ends are in the graph for other reasons, the
// relation is compared all the same.
var outward = map[string]bool{
	// to what an object is in
	"Dataset.projectLinks": true, "Image.datasetLinks": true, "Plate.screenLinks": true, "Image.wellSamples": true,
	"Reagent.screen": true,
	// from a folder to what else it holds
	"Folder.childFolders": true, "Folder.imageLinks": true, "Folder.roiLinks": true,
	// to others that use the same thing
	"LogicalChannel.channels": true, "OriginalFile.filesetEntries": true, "OriginalFile.pixelsFileMaps": true,
	"Reagent.wellLinks": true, "MicrobeamManipulation.lightSourceSettings": true,
	"Mask.pixels": true, "Pixels.relatedTo": true,
}

type key struct {
	root *store.Class
	id   int64
}

type reader struct {
	model   *store.Model
	tx      *store.Tx
	options Options
	nodes   map[key]*Node
	todo    []*Node
	graph   *Graph
}

// reach takes an object into the graph, and the relations that it declares
// unless it is limited. An object may be reached both ways.
func (r *reader) reach(row *store.Row, limited bool) *Node {
	k := key{row.Class.Root, row.ID}
	n := r.nodes[k]
	switch {
	case n == nil:
		n = &Node{Class: row.Class, row: row, limited: limited, Fields: map[string]string{}}
		r.nodes[k] = n
		r.graph.Nodes = append(r.graph.Nodes, n)
		r.todo = append(r.todo, n)
	case n.limited && !limited:
		n.limited = false
		r.todo = append(r.todo, n)
	}
	return n
}

// hidden reports whether an object stays out, itself or as a link to one that
// does.
func (r *reader) hidden(row *store.Row) bool {
	if r.options.Hide == nil {
		return false
	}
	if r.options.Hide(row) {
		return true
	}
	if !row.Class.Link {
		return false
	}
	for _, end := range []string{"parent", "child"} {
		p := row.Class.Property(end)
		if target := r.target(row, p); target != nil && r.options.Hide(target) {
			return true
		}
	}
	return false
}

func (r *reader) target(row *store.Row, p *store.Property) *store.Row {
	if p == nil || p.Kind != store.KindToOne {
		return nil
	}
	id, ok := row.Value(p).(int64)
	if !ok {
		return nil
	}
	return r.tx.Get(p.Target, id)
}

func (r *reader) cut(row *store.Row, field string) bool {
	return r.options.Cut != nil && r.options.Cut(row, field)
}

// expand reaches everything that an object consists of.
func (r *reader) expand(n *Node) {
	annotation := r.model.Class("Annotation")
	if n.Class.IsA(annotation) {
		r.sets(n)
	}
	if n.limited {
		return
	}
	for _, p := range members(n.Class) {
		if outward[p.String()] || r.cut(n.row, p.Name) {
			continue
		}
		switch p.Kind {
		case store.KindToOne:
			if t := r.target(n.row, p); t != nil && !t.Class.Global && !r.hidden(t) {
				r.reach(t, false)
			}
		case store.KindToMany:
			for _, row := range r.tx.Collection(p, n.row.ID) {
				if row.Class.Global || r.hidden(row) {
					continue
				}
				// The other images of a file come with it, but what is said of
				// them belongs to where they are.
				r.reach(row, p.String() == "Fileset.images")
			}
		}
	}
	if n.row.External != store.None {
		if t := r.tx.Get(r.model.Class("ExternalInfo"), n.row.External); t != nil {
			r.reach(t, false)
		}
	}
}

// tagSet is the namespace that makes a set of a tag.
const tagSet = "openmicroscopy.org/omero/insight/tagset"

// sets reaches the tag sets that a tag is in, but not the other tags in them:
// no collection of the model leads from a tag to its sets.
func (r *reader) sets(n *Node) {
	links := r.model.Class("AnnotationAnnotationLink")
	for _, id := range r.tx.RefIDs(links.Property("child"), n.row.ID) {
		link := r.tx.Get(links, id)
		if link == nil || r.hidden(link) {
			continue
		}
		if set := r.target(link, links.Property("parent")); set != nil && set.Class.Name == "TagAnnotation" && set.Text("ns") == tagSet {
			r.reach(link, true)
			r.reach(set, true)
		}
	}
}

// members are the properties that a class declares or inherits.
func members(c *store.Class) []*store.Property { return c.All() }
