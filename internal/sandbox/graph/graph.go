// Package graph writes down what the sandbox's OMERO server holds of an object
// and compares two such writings, for tests of what a save and a load keep.
//
// It knows no class: everything that the model declares is followed and
// compared, but for the few relations that lead out of an object and are
// listed in scope.go. So a class or a member that nobody thought of counts.
package graph

import (
	"fmt"
	"strings"

	"omerods/internal/sandbox/store"
)

// Graph is an object with everything that belongs to it.
type Graph struct {
	Root  *Node
	Nodes []*Node // in the order in which they were reached
}

// Node is an object of the graph, without its id.
type Node struct {
	Class  *store.Class
	Fields map[string]string // the values that are not null, and keys of what is named but not followed
	Refs   []Ref             // associations to other nodes of the graph

	row     *store.Row
	limited bool // only the object itself belongs to the graph
	back    []Ref
}

// Ref is one association between two nodes. Place counts in collections that
// have an order; in others it is -1.
type Ref struct {
	Property string // as the class declares it: DatasetImageLink.parent
	Place    int
	Node     *Node
}

// Name describes a node to a person.
func (n *Node) Name() string {
	for _, f := range []string{"name", "textValue", "termValue", "clientPath", "ns"} {
		if v := n.Fields[f]; v != "" {
			return fmt.Sprintf("%s %.60s", n.Class.Name, v)
		}
	}
	return n.Class.Name
}

// Each calls fn for the objects of a class and its subclasses, for all objects
// when class is empty.
func (g *Graph) Each(class string, fn func(*store.Row)) {
	for _, n := range g.Nodes {
		for c := n.Class; c != nil; c = c.Base {
			if class == "" || c.Name == class {
				fn(n.row)
				break
			}
		}
	}
}

// Options change what belongs to a graph.
type Options struct {
	// Hide leaves an object out, with its links. Nil hides none.
	Hide func(*store.Row) bool
	// Cut leaves a member of an object out. Nil cuts none.
	Cut func(row *store.Row, field string) bool
}

// Own hides what omerods keeps in OMERO for itself, which is no part of what
// people have there.
func Own(row *store.Row) bool {
	p := row.Class.Property("ns")
	if p == nil {
		return false
	}
	ns, _ := row.Value(p).(string)
	return strings.HasPrefix(ns, "omerods/")
}

// Read writes down the object of a class with that id.
func Read(s *store.Store, class string, id int64, o Options) (*Graph, error) {
	r := &reader{model: s.Model(), options: o, nodes: map[key]*Node{}, graph: &Graph{}}
	err := s.View(func(tx *store.Tx) error {
		r.tx = tx
		c := r.model.Class(class)
		if c == nil {
			return fmt.Errorf("no class %s", class)
		}
		row := tx.Get(c, id)
		if row == nil {
			return fmt.Errorf("no %s %d", class, id)
		}
		r.graph.Root = r.reach(row, false)
		for len(r.todo) > 0 {
			n := r.todo[0]
			r.todo = r.todo[1:]
			r.expand(n)
		}
		for _, n := range r.graph.Nodes {
			r.describe(n)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("graph of %s %d: %w", class, id, err)
	}
	return r.graph, nil
}
