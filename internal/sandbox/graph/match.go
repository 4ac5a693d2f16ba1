package graph

import (
	"fmt"
	"slices"
)

// match makes two nodes partners and compares what they say themselves.
func (c *comparison) match(a, b *Node, path string) {
	c.pair[a], c.taken[b] = b, a
	c.queue = append(c.queue, pairing{a, b, path})
	differs := func(field, x, y string) {
		c.found = append(c.found, Difference{Path: path, Class: a.Class.Name, Field: field, A: x, B: y})
	}
	if a.Class.Name != b.Class.Name {
		differs("*", a.Class.Name, b.Class.Name)
		return
	}
	fields := map[string]bool{}
	for f := range a.Fields {
		fields[f] = true
	}
	for f := range b.Fields {
		fields[f] = true
	}
	for _, f := range sorted(fields) {
		if x, y := a.Fields[f], b.Fields[f]; x != y && !c.skips(a.Class, f) {
			differs(f, or(x, "nothing"), or(y, "nothing"))
		}
	}
}

func or(s, empty string) string {
	if s == "" {
		return empty
	}
	return s
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// around finds partners for what two partners are connected with.
func (c *comparison) around(p pairing) {
	type ends struct{ a, b []edge }
	groups := map[string]*ends{}
	group := func(label string) *ends {
		if groups[label] == nil {
			groups[label] = &ends{}
		}
		return groups[label]
	}
	for _, e := range c.edges[p.a] {
		g := group(e.label)
		g.a = append(g.a, e)
	}
	for _, e := range c.edges[p.b] {
		g := group(e.label)
		g.b = append(g.b, e)
	}
	for _, label := range sorted(groups) {
		c.group(p, label, groups[label].a, groups[label].b)
	}
}

// group pairs the ends of associations of one name: those that are partners
// already, then those that look the same as far around as possible, then those
// in the same place, then the rest.
func (c *comparison) group(p pairing, label string, as, bs []edge) {
	join := func(same func(a, b edge) bool, then func(a, b edge)) {
		for i := 0; i < len(as); i++ {
			j := slices.IndexFunc(bs, func(b edge) bool { return same(as[i], b) })
			if j < 0 {
				continue
			}
			a, b := as[i], bs[j]
			as, bs = slices.Delete(slices.Clone(as), i, i+1), slices.Delete(slices.Clone(bs), j, j+1)
			i--
			if a.place != b.place {
				c.found = append(c.found, Difference{Path: p.path + "/" + a.to.Name(), Class: p.a.Class.Name, Field: a.field,
					A: fmt.Sprintf("place %d", a.place), B: fmt.Sprintf("place %d", b.place)})
			}
			then(a, b)
		}
	}
	met := func(edge, edge) {}
	meet := func(a, b edge) { c.match(a.to, b.to, p.path+"/"+a.to.Name()) }
	free := func(a, b edge) bool { return c.pair[a.to] == nil && c.taken[b.to] == nil }
	join(func(a, b edge) bool { return c.pair[a.to] == b.to && b.to != nil }, met)
	for round := len(c.colours[p.a]) - 1; round >= 0; round-- {
		join(func(a, b edge) bool { return free(a, b) && c.colours[a.to][round] == c.colours[b.to][round] }, meet)
	}
	join(func(a, b edge) bool {
		return free(a, b) && a.to.Class.Name == b.to.Class.Name && a.to.Name() == b.to.Name()
	}, meet)
	join(func(a, b edge) bool { return free(a, b) && a.to.Class.Name == b.to.Class.Name && a.place == b.place }, meet)
	join(func(a, b edge) bool { return free(a, b) && a.to.Class.Name == b.to.Class.Name }, meet)
	for _, a := range as {
		c.lone(p, label, a, a.to.Name(), "nothing")
	}
	for _, b := range bs {
		c.lone(p, label, b, "nothing", b.to.Name())
	}
}

// lone records an association that only one graph has: what it leads to is
// missing in the other, or is connected with something else there.
func (c *comparison) lone(p pairing, label string, e edge, a, b string) {
	d := Difference{Path: p.path + " " + label, Class: e.to.Class.Name, Field: "*", A: a, B: b}
	if c.pair[e.to] != nil || c.taken[e.to] != nil {
		d.Class, d.Field = p.a.Class.Name, e.field
	}
	c.found = append(c.found, d)
}
