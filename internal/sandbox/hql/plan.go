package hql

import (
	"slices"

	"omerods/internal/sandbox/store"
)

// plan is a select ready to run.
type plan struct {
	scope    *scope
	items    []column
	distinct bool
	where    bound
	group    []bound
	having   bound
	order    []ordering

	unique bool // rows count once
	steps  []step
	// always are conditions that read no variable of the plan.
	always []bound
}

// column is an item of the select clause.
type column struct {
	alias         string
	x             bound
	entries       []column
	isMap, isList bool
}

type ordering struct {
	x    bound
	desc bool
}

// step binds one variable and checks the conditions that this completes.
type step struct {
	v       *variable
	access  []access // ways to find candidates of a root by index
	filters []bound
}

// access is a condition that names the candidates of a root: the id or an
// indexed text at the end of a chain of associations equals one of keys.
type access struct {
	chain []*store.Property // from the root on
	last  *store.Property   // to-one or text; nil for the id of the chain's end
	class *store.Class      // of the chain's end
	keys  []bound           // evaluated before the root is bound
	sub   *subquery         // or a subquery that gives them
}

// single reports whether equal rows count once. Hibernate also drops what a
// fetched collection repeats, before it cuts out a page.
func (p *plan) single() bool {
	return p.distinct || slices.ContainsFunc(p.scope.vars, func(v *variable) bool { return v.fetch && v.kind != toOneSource })
}

func (p *plan) grouped() bool { return len(p.group) > 0 || len(p.scope.aggregates) > 0 }

// arrange puts the variables into an order in which each can be found from
// those before it, preferring roots that an index finds, and hangs each
// condition where its last variable is bound.
func (p *plan) arrange() {
	p.unique = p.single()
	conditions := conjuncts(p.where, nil)
	placed := make(map[*variable]bool)
	var heads []*variable
	for _, v := range p.scope.vars {
		if v.source == nil || v.source.scope != p.scope {
			heads = append(heads, v)
		}
	}
	for len(heads) > 0 {
		best := 0
		var found []access
		for i, v := range heads {
			if found = p.accesses(v, conditions, placed); len(found) > 0 {
				best = i
				break
			}
		}
		head := heads[best]
		heads = slices.Delete(heads, best, best+1)
		p.place(head, found, placed)
		for _, v := range p.scope.vars { // explicit joins, in the order written
			if !v.hidden && !placed[v] && v.source != nil && placed[v.source] && v.source.scope == p.scope {
				p.place(v, nil, placed)
			}
		}
	}
	for _, c := range conditions {
		at := -1
		for i := range p.steps {
			if reads(c, p.steps[i].v) {
				at = i
			}
		}
		if at < 0 {
			p.always = append(p.always, c)
		} else {
			p.steps[at].filters = append(p.steps[at].filters, c)
		}
	}
}

// place appends a variable and the hidden joins that start from it.
func (p *plan) place(v *variable, found []access, placed map[*variable]bool) {
	placed[v] = true
	p.steps = append(p.steps, step{v: v, access: found})
	for _, h := range p.scope.vars {
		if h.hidden && h.source == v && !placed[h] {
			p.place(h, nil, placed)
		}
	}
}

// reads reports whether an expression needs a variable to be bound.
func reads(b bound, v *variable) bool {
	found := false
	walk(b, func(n bound) {
		if l, ok := n.(leaf); ok && l.variable() == v {
			found = true
		}
	})
	return found
}

func conjuncts(b bound, out []bound) []bound {
	if b == nil {
		return out
	}
	if l, ok := b.(*logic); ok && l.op == "and" {
		return conjuncts(l.args[1], conjuncts(l.args[0], out))
	}
	return append(out, b)
}

// accesses finds the conditions by which an index gives the candidates for a
// root, when the variables in placed are bound.
func (p *plan) accesses(v *variable, conditions []bound, placed map[*variable]bool) []access {
	if v.kind != rootSource {
		return nil
	}
	var out []access
	add := func(x bound, keys []bound, sub *subquery) {
		a, ok := p.accessOf(v, x)
		if !ok {
			return
		}
		a.keys, a.sub = keys, sub
		ready := true
		check := func(n bound) {
			if l, ok := n.(leaf); ok && l.variable().scope == p.scope && !placed[l.variable()] {
				ready = false
			}
		}
		for _, k := range keys {
			walk(k, check)
		}
		if sub != nil {
			for _, n := range sub.children() {
				walk(n, check)
			}
		}
		if ready {
			out = append(out, a)
		}
	}
	for _, c := range conditions {
		switch c := c.(type) {
		case *logic:
			if c.op == "=" {
				add(c.args[0], c.args[1:2], nil)
				add(c.args[1], c.args[0:1], nil)
			}
		case *inList:
			add(c.x, c.list, nil)
		case *inSub:
			add(c.x, nil, c.sub)
		}
	}
	return out
}

// accessOf tells whether an expression is an indexed column of v or of
// something that inner to-one joins lead to from v.
func (p *plan) accessOf(v *variable, x bound) (access, bool) {
	var at *variable
	var last *store.Property
	switch n := x.(type) {
	case *varValue:
		at = n.v
	case *propValue:
		at = n.v
		if n.prop.Name != "id" {
			last = n.prop
		}
	case *refValue:
		at, last = n.v, n.prop
	default:
		return access{}, false
	}
	if at.class == nil || last != nil && (last.Class == nil || last.Kind != store.KindToOne && last.Kind != store.KindString) {
		return access{}, false
	}
	if last != nil && last.Kind == store.KindString && !store.Indexed(last) {
		return access{}, false
	}
	a := access{last: last, class: at.class}
	for at != v {
		if at.kind != toOneSource || at.outer || at.prop.Class == nil || at.source == nil {
			return access{}, false
		}
		a.chain = append(a.chain, at.prop)
		at = at.source
	}
	slices.Reverse(a.chain)
	// The id of the chain's end is the foreign key of its last association.
	if n := len(a.chain); a.last == nil && n > 0 {
		a.last, a.chain = a.chain[n-1], a.chain[:n-1]
	}
	return a, true
}
