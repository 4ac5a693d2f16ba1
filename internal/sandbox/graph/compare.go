package graph

import (
	"fmt"
	"slices"
	"strings"

	"omerods/internal/sandbox/store"
)

// Pattern names fields that a comparison passes over: Class.field, where the
// class stands for its subclasses too and * for every class or for an object
// as a whole, with its associations.
type Pattern string

// ParsePattern reads a pattern and holds it against the model.
func ParsePattern(m *store.Model, s string) (Pattern, error) {
	class, field, ok := strings.Cut(s, ".")
	if !ok {
		return "", fmt.Errorf("pattern %q is not Class.field", s)
	}
	c := m.Class(class)
	if class != "*" && c == nil {
		return "", fmt.Errorf("pattern %q: no class %s", s, class)
	}
	if field != "*" && field != "version" && !strings.HasPrefix(field, "details.") && (c == nil || c.Property(field) == nil) {
		return "", fmt.Errorf("pattern %q: %s has no %s", s, class, field)
	}
	return Pattern(s), nil
}

// Matches reports whether the pattern is for a field of a class.
func (p Pattern) Matches(c *store.Class, field string) bool {
	class, f, _ := strings.Cut(string(p), ".")
	if f != field {
		return false
	}
	if class == "*" {
		return true
	}
	for ; c != nil; c = c.Base {
		if c.Name == class {
			return true
		}
	}
	return false
}

// Difference is one thing in which two graphs differ.
type Difference struct {
	Path  string // of the object, from the root
	Class string
	Field string // or association, or "*" for an object that only one has
	A, B  string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: %s.%s: %.300s, then %.300s", d.Path, d.Class, d.Field, d.A, d.B)
}

// Compare returns in what two graphs differ, apart from what the patterns
// name. Ids count for nothing, nor does the order in collections that have
// none. Two graphs are taken to be equal when each object of one has one in
// the other that looks the same with all that is around it.
func Compare(a, b *Graph, ignore []Pattern) []Difference {
	c := &comparison{
		ignore: ignore, ignored: map[memo]bool{}, names: map[string]int{},
		edges: map[*Node][]edge{}, colours: map[*Node][]int{}, pair: map[*Node]*Node{}, taken: map[*Node]*Node{},
	}
	x, y := c.view(a), c.view(b)
	c.colour(append(x[:len(x):len(x)], y...))
	if c.equal(x, y) {
		return nil
	}
	c.match(a.Root, b.Root, a.Root.Class.Name)
	for len(c.queue) > 0 {
		p := c.queue[0]
		c.queue = c.queue[1:]
		c.around(p)
	}
	if len(c.found) == 0 {
		c.found = append(c.found, Difference{Path: a.Root.Name(), Class: a.Root.Class.Name, Field: "*", A: "is connected otherwise", B: "in a way that has no name"})
	}
	return c.found
}

type memo struct {
	class *store.Class
	field string
}

type comparison struct {
	ignore  []Pattern
	ignored map[memo]bool
	names   map[string]int // colours by what they stand for
	edges   map[*Node][]edge
	colours map[*Node][]int // by round
	pair    map[*Node]*Node // nodes of the first graph to those of the second
	taken   map[*Node]*Node // and back
	queue   []pairing
	found   []Difference
}

type pairing struct {
	a, b *Node
	path string
}

func (c *comparison) skips(class *store.Class, field string) bool {
	k := memo{class, field}
	skip, known := c.ignored[k]
	if !known {
		skip = slices.ContainsFunc(c.ignore, func(p Pattern) bool { return p.Matches(class, field) })
		c.ignored[k] = skip
	}
	return skip
}

// edge is an association as one of its ends sees it.
type edge struct {
	label string // the property, with ^ from the other end
	field string
	place int
	to    *Node
}

// view returns the nodes that count: those that can be reached from the root
// by associations that count.
func (c *comparison) view(g *Graph) []*Node {
	for _, n := range g.Nodes {
		if c.skips(n.Class, "*") {
			continue
		}
		for _, r := range n.Refs {
			c.edge(n, r, n.Class, "")
		}
		for _, r := range n.back {
			c.edge(n, r, r.Node.Class, "^")
		}
	}
	nodes, reached := []*Node{g.Root}, map[*Node]bool{g.Root: true}
	for i := 0; i < len(nodes); i++ {
		for _, e := range c.edges[nodes[i]] {
			if !reached[e.to] {
				reached[e.to] = true
				nodes = append(nodes, e.to)
			}
		}
	}
	return nodes
}

func (c *comparison) edge(n *Node, r Ref, owner *store.Class, mark string) {
	_, field, _ := strings.Cut(r.Property, ".")
	if !c.skips(r.Node.Class, "*") && !c.skips(owner, field) {
		c.edges[n] = append(c.edges[n], edge{label: mark + r.Property, field: field, place: r.Place, to: r.Node})
	}
}

func (c *comparison) number(what string) int {
	n, ok := c.names[what]
	if !ok {
		n = len(c.names)
		c.names[what] = n
	}
	return n
}

// colour gives equal nodes of both graphs equal numbers: first by what they
// say themselves, then, round by round, by what they are connected with.
func (c *comparison) colour(nodes []*Node) {
	for _, n := range nodes {
		var fields []string
		for f, v := range n.Fields {
			if !c.skips(n.Class, f) {
				fields = append(fields, f+"="+v)
			}
		}
		slices.Sort(fields)
		c.colours[n] = []int{c.number(n.Class.Name + "\x00" + strings.Join(fields, "\x00"))}
	}
	next := make([]int, len(nodes))
	for before := 0; ; {
		kinds := map[int]bool{}
		for i, n := range nodes {
			var around []string
			for _, e := range c.edges[n] {
				around = append(around, fmt.Sprintf("%s %d %d", e.label, e.place, last(c.colours[e.to])))
			}
			slices.Sort(around)
			next[i] = c.number(fmt.Sprintf("%d\x00%s", last(c.colours[n]), strings.Join(around, "\x00")))
			kinds[next[i]] = true
		}
		for i, n := range nodes {
			c.colours[n] = append(c.colours[n], next[i])
		}
		if len(kinds) == before {
			return
		}
		before = len(kinds)
	}
}

// equal reports whether both graphs have the same colours, each as often.
func (c *comparison) equal(x, y []*Node) bool {
	count := map[int]int{}
	for _, n := range x {
		count[last(c.colours[n])]++
	}
	for _, n := range y {
		count[last(c.colours[n])]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func last(list []int) int { return list[len(list)-1] }
