//go:build peer

package ice_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"omerods/internal/ice"
)

// describe does what graphs.py does: each instance once, in the order of a
// walk, with what it refers to.
func describe(root any) []string {
	var found []*ice.Object
	number := func(v any) string {
		o, _ := v.(*ice.Object)
		switch {
		case o == nil:
			return "nil"
		case o.Class == nil:
			return strings.Join(o.Unknown, " ")
		case !o.IsA("::peer::Node"):
			return o.Class.ID
		}
		if i := slices.Index(found, o); i >= 0 {
			return fmt.Sprint(i)
		}
		found = append(found, o)
		return fmt.Sprint(len(found) - 1)
	}
	number(root)
	lines := []string{}
	for len(lines) < len(found) {
		n := found[len(lines)]
		line := fmt.Sprintf("%s %s next=%s", n.Class.ID, n.Get("name"), number(n.Get("next")))
		var children, named []string
		for _, c := range n.Get("children").([]any) {
			children = append(children, number(c))
		}
		entries := slices.Clone(n.Get("named").(ice.Dict))
		slices.SortFunc(entries, func(a, b ice.Pair) int { return cmp.Compare(a.Key.(string), b.Key.(string)) })
		for _, p := range entries {
			named = append(named, p.Key.(string)+":"+number(p.Value))
		}
		line += fmt.Sprintf(" children=[%s] named={%s}", strings.Join(children, " "), strings.Join(named, " "))
		if n.IsA("::peer::Leaf") {
			line += fmt.Sprintf(" weight=%g", n.Get("weight"))
		}
		if n.IsA("::peer::Flower") {
			hue := allDefs().Enum("::peer::Color").Name(n.Get("hue").(int32))
			line += fmt.Sprintf(" hue=%s other=%s", hue, number(n.Get("other")))
		}
		lines = append(lines, line)
	}
	return lines
}

func node(d *ice.Definitions, class, name string) *ice.Object {
	return d.New("::peer::"+class).Set("name", name)
}

// build returns a graph with a cycle, shared instances, nil and one's own
// self, as graphs.py does.
func build(d *ice.Definitions) *ice.Object {
	a, b, c := node(d, "Flower", "a"), node(d, "Leaf", "b"), node(d, "Node", "c")
	fourth := node(d, "Flower", "d").Set("next", c).Set("other", c)
	a.Set("next", b).Set("children", []any{b, c, b, nil, a}).Set("weight", 1.5).Set("hue", int32(2)).
		Set("other", d.New("::peer::Nothing"))
	b.Set("next", a).Set("weight", -0.25).Set("children", []any{fourth})
	c.Set("named", ice.Dict{{Key: "a", Value: a}, {Key: "c", Value: c}, {Key: "none", Value: nil}})
	return a
}

// hide returns an instance whose class only the server knows.
func hide(deep bool) *ice.Object {
	d := allDefs()
	seen := node(d, "Node", "seen")
	var riddle any
	if deep {
		riddle = d.New("::peer::Riddle").Set("question", "what is it?").Set("answer", seen)
	}
	flower := node(d, "Flower", "flower").Set("next", seen).Set("weight", 1.0).Set("hue", int32(1)).Set("other", riddle)
	hidden := node(d, "Hidden", "hidden").Set("next", flower).Set("children", []any{seen}).Set("weight", 2.5).
		Set("riddle", riddle).Set("seen", seen).Set("secret", "not for you")
	seen.Set("next", hidden)
	return hidden
}
