package hql

import (
	"slices"
	"sort"
	"strings"

	"omerods/internal/sandbox/store"
)

// output turns the bindings that survived the conditions into rows: groups
// them, sorts them, drops duplicates, cuts the page out.
type output struct {
	x      *exec
	p      *plan
	offset int
	limit  int
	emit   func([]any) bool

	groups map[string]*group
	inTurn []*group
	rows   []sortable
	seen   map[string]bool
	passed int  // rows handed on or skipped
	full   bool // nobody wants more
}

// group is a set of bindings with the same values of group by.
type group struct {
	slots []any // of its first binding
	sums  []accumulator
}

type sortable struct {
	row  []any
	keys []any
}

// row takes the current binding; false ends the loop.
func (o *output) row() bool {
	if o.p == o.x.top {
		o.fetch()
	}
	if o.p.grouped() {
		o.collect()
		return true
	}
	o.produce()
	return !o.full
}

func (o *output) collect() {
	var key strings.Builder
	for _, g := range o.p.group {
		key.WriteString(keyOf(g.eval(o.x)))
		key.WriteByte('|')
	}
	g := o.groups[key.String()]
	if g == nil {
		g = o.newGroup(key.String())
		g.slots = slices.Clone(o.x.slots)
	}
	for i, a := range o.p.scope.aggregates {
		if a.arg == nil {
			g.sums[i].count++
		} else {
			g.sums[i].add(a.arg.eval(o.x))
		}
	}
}

func (o *output) newGroup(key string) *group {
	g := &group{sums: make([]accumulator, len(o.p.scope.aggregates))}
	for i, a := range o.p.scope.aggregates {
		g.sums[i].of = a
	}
	if o.groups == nil {
		o.groups = make(map[string]*group)
	}
	o.groups[key] = g
	o.inTurn = append(o.inTurn, g)
	return g
}

// finish computes what needs all bindings.
func (o *output) finish() {
	if o.x.err != nil {
		return
	}
	if o.p.grouped() {
		o.finishGroups()
	}
	if len(o.p.order) > 0 {
		sort.SliceStable(o.rows, func(i, j int) bool { return o.less(o.rows[i].keys, o.rows[j].keys) })
		for _, r := range o.rows {
			if !o.pass(r.row) {
				return
			}
		}
	}
}

func (o *output) finishGroups() {
	if len(o.p.group) == 0 && len(o.inTurn) == 0 {
		g := o.newGroup("") // an aggregate over nothing is one row
		g.slots = slices.Clone(o.x.slots)
		for _, st := range o.p.steps {
			g.slots[st.v.slot] = nil
		}
	}
	slots, sums := o.x.slots, o.x.aggregates
	for _, g := range o.inTurn {
		o.x.slots, o.x.aggregates = g.slots, make(map[*aggregate]any)
		for k, v := range sums { // a subquery may name aggregates around it
			o.x.aggregates[k] = v
		}
		for i := range g.sums {
			o.x.aggregates[g.sums[i].of] = g.sums[i].value()
		}
		if o.p.having == nil || o.p.having.eval(o.x) == true {
			o.produce()
		}
		if o.full || o.x.err != nil {
			break
		}
	}
	o.x.slots, o.x.aggregates = slots, sums
}

// produce makes a row of the select clause.
func (o *output) produce() {
	row := make([]any, len(o.p.items))
	for i := range o.p.items {
		row[i] = o.p.items[i].value(o.x)
	}
	if o.x.err != nil {
		return
	}
	if o.p.unique {
		var key strings.Builder
		for _, v := range row {
			key.WriteString(keyOf(v))
			key.WriteByte('|')
		}
		if o.seen[key.String()] {
			return
		}
		if o.seen == nil {
			o.seen = make(map[string]bool)
		}
		o.seen[key.String()] = true
	}
	if len(o.p.order) == 0 {
		o.full = !o.pass(row)
		return
	}
	s := sortable{row: row, keys: make([]any, len(o.p.order))}
	for i, by := range o.p.order {
		s.keys[i] = by.x.eval(o.x)
	}
	o.rows = append(o.rows, s)
}

// pass hands a row on when it is in the page; false means that none after it
// is wanted.
func (o *output) pass(row []any) bool {
	o.passed++
	if o.passed <= o.offset {
		return true
	}
	if o.limit >= 0 && o.passed > o.offset+o.limit {
		return false
	}
	return o.emit(row) && (o.limit < 0 || o.passed < o.offset+o.limit)
}

// less sorts null behind all values, and before them in descending order.
func (o *output) less(a, b []any) bool {
	for i, by := range o.p.order {
		c := 0
		switch {
		case a[i] == nil && b[i] == nil:
		case a[i] == nil:
			c = 1
		case b[i] == nil:
			c = -1
		default:
			c = compareValues(a[i], b[i])
		}
		if by.desc {
			c = -c
		}
		if c != 0 {
			return c < 0
		}
	}
	return false
}

func (c *column) value(x *exec) any {
	switch {
	case c.isMap:
		out := make([]MapEntry, len(c.entries))
		for i := range c.entries {
			out[i] = MapEntry{c.entries[i].alias, c.entries[i].value(x)}
		}
		return out
	case c.isList:
		out := make([]any, len(c.entries))
		for i := range c.entries {
			out[i] = c.entries[i].value(x)
		}
		return out
	}
	return c.x.eval(x)
}

// fetch notes what the fetch joins of the current binding loaded.
func (o *output) fetch() {
	for _, v := range o.p.scope.vars {
		if !v.fetch {
			continue
		}
		owner, target := o.x.row(v.source), o.x.row(v)
		if target != nil {
			o.x.result.Loaded[target] = true
		}
		if owner == nil || v.kind != toManySource {
			continue
		}
		f := Fetch{owner, v.prop}
		have := o.x.result.Fetched[f]
		if target != nil && !slices.Contains(have, target) {
			have = append(have, target)
		}
		if have == nil {
			have = []*store.Row{}
		}
		o.x.result.Fetched[f] = have
	}
}
