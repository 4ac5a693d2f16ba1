package hql

import (
	"context"
	"slices"
	"sort"

	"omerods/internal/sandbox/store"
)

// Options are what a query runs with.
type Options struct {
	// Params are the named parameters: bool, int32, int64, float64, string,
	// store.Time, Ref, nil, or []any of these for a list.
	Params map[string]any
	Offset int
	Limit  int // below 0: no limit
	// Visible tells which objects exist for the caller; nil means all. Targets
	// of associations are not asked for.
	Visible func(*store.Row) bool
}

// Run parses, binds and evaluates a query. Its errors are *Error, or that of
// the context.
func Run(ctx context.Context, tx *store.Tx, text string, o Options) (*Result, error) {
	x, err := run(ctx, tx, text, o)
	if e, ok := err.(*Error); ok {
		return nil, &Error{e.Message, text}
	}
	if err != nil {
		return nil, err
	}
	return x.result, nil
}

func run(ctx context.Context, tx *store.Tx, text string, o Options) (*exec, error) {
	q, err := parse(text)
	if err != nil {
		return nil, err
	}
	b := &binder{model: tx.Model(), params: o.Params}
	p, err := b.bindQuery(q, nil)
	if err != nil {
		return nil, err
	}
	x := &exec{
		ctx: ctx, tx: tx, visible: o.Visible, slots: make([]any, b.slots), cache: make(map[*plan][]any), sets: make(map[*plan]map[int64]bool),
		result: &Result{Loaded: make(map[*store.Row]bool), Fetched: make(map[Fetch][]*store.Row)}, top: p,
	}
	x.run(p, o.Offset, o.Limit, func(row []any) bool {
		x.result.Rows = append(x.result.Rows, row)
		for _, v := range row {
			x.load(v)
		}
		return true
	})
	return x, x.err
}

// exec is the state of one evaluation.
type exec struct {
	ctx        context.Context // of the call that Run is; ends with it
	tx         *store.Tx
	visible    func(*store.Row) bool
	slots      []any
	aggregates map[*aggregate]any
	cache      map[*plan][]any
	sets       map[*plan]map[int64]bool
	result     *Result
	top        *plan
	steps      int // objects looked at
	err        error
}

// fail records the first error; the loops end soon after it.
func (x *exec) fail(err error) any {
	if x.err == nil {
		x.err = err
	}
	return nil
}

// load notes the entities within a result value.
func (x *exec) load(v any) {
	switch v := v.(type) {
	case *store.Row:
		x.result.Loaded[v] = true
	case []MapEntry:
		for _, e := range v {
			x.load(e.Value)
		}
	case []any:
		for _, e := range v {
			x.load(e)
		}
	}
}

// run evaluates a plan and hands its rows on until emit returns false.
func (x *exec) run(p *plan, offset, limit int, emit func([]any) bool) {
	out := &output{x: x, p: p, offset: offset, limit: limit, emit: emit}
	for _, c := range p.always {
		if c.eval(x) != true {
			out.finish()
			return
		}
	}
	x.loop(p, 0, out.row)
	out.finish()
}

// loop binds the variables from step i on, one after the other.
func (x *exec) loop(p *plan, i int, emit func() bool) bool {
	if x.steps++; x.steps%4096 == 0 && x.ctx.Err() != nil {
		x.fail(x.ctx.Err())
	}
	if x.err != nil {
		return false
	}
	if i == len(p.steps) {
		return emit()
	}
	st := &p.steps[i]
	matched := false
	try := func(v any) bool {
		x.slots[st.v.slot] = v
		if st.v.with != nil && v != nil && st.v.with.eval(x) != true {
			return true
		}
		matched = true
		for _, f := range st.filters {
			if f.eval(x) != true {
				return x.err == nil
			}
		}
		return x.loop(p, i+1, emit)
	}
	if !x.candidates(st, try) {
		return false
	}
	if st.v.outer && !matched {
		return try(nil)
	}
	return true
}

// candidates calls try for each value of a step's variable.
func (x *exec) candidates(st *step, try func(any) bool) bool {
	v := st.v
	if v.kind == rootSource {
		return x.roots(st, try)
	}
	owner := x.row(v.source)
	if owner == nil {
		return true
	}
	switch v.kind {
	case toOneSource:
		id, ok := owner.Value(v.prop).(int64)
		if !ok {
			return true
		}
		if r := x.tx.Get(v.class, id); r != nil {
			return try(r)
		}
	case toManySource:
		for _, r := range x.tx.Collection(v.prop, owner.ID) {
			if (x.visible == nil || x.visible(r)) && !try(r) {
				return false
			}
		}
	case valueSource:
		list, _ := owner.Value(v.prop).([]store.NamedValue)
		for i, nv := range list {
			if !try(element{nv, int32(i)}) {
				return false
			}
		}
	}
	return true
}

// roots goes over the objects of a class, found by the cheapest index.
func (x *exec) roots(st *step, try func(any) bool) bool {
	class := st.v.class
	ids, indexed := x.lookup(st.access, class)
	if !indexed {
		for r := range x.tx.Rows(class) {
			if x.steps++; x.steps%4096 == 0 && x.ctx.Err() != nil {
				x.fail(x.ctx.Err())
			}
			if x.err != nil || (x.visible == nil || x.visible(r)) && !try(r) {
				return false
			}
		}
		return true
	}
	for _, id := range ids {
		r := x.tx.Get(class, id)
		if r != nil && (x.visible == nil || x.visible(r)) && !try(r) {
			return false
		}
	}
	return true
}

// lookup takes, of the possible accesses, the one with the fewest candidates.
// Chains of associations are only followed when nothing else is there.
func (x *exec) lookup(list []access, class *store.Class) (ids []int64, ok bool) {
	for _, direct := range []bool{true, false} {
		for i := range list {
			a := &list[i]
			if direct != (len(a.chain) == 0) {
				continue
			}
			if found := x.find(a); !ok || len(found) < len(ids) {
				ids, ok = found, true
			}
		}
		if ok {
			return ids, true
		}
	}
	return nil, false
}

func (x *exec) find(a *access) []int64 {
	var keys []any
	if a.sub != nil {
		keys = a.sub.column(x)
	}
	for _, k := range a.keys {
		keys = append(keys, k.eval(x))
	}
	var ids []int64
	for _, key := range keys {
		switch k := plain(key).(type) {
		case int64:
			if a.last == nil {
				ids = append(ids, k)
			} else {
				ids = join(ids, x.tx.RefIDs(a.last, k), len(keys))
			}
		case string:
			if a.last != nil {
				found, _ := x.tx.TextIDs(a.last, k)
				ids = join(ids, found, len(keys))
			}
		}
	}
	for _, p := range slices.Backward(a.chain) {
		ids = unique(ids, len(keys))
		var up []int64
		for _, id := range ids {
			up = append(up, x.tx.RefIDs(p, id)...)
		}
		ids = up
	}
	return unique(ids, len(keys)+len(a.chain))
}

// join avoids copying the index when there is only one key.
func join(ids, found []int64, keys int) []int64 {
	if keys == 1 {
		return found
	}
	return append(ids, found...)
}

func unique(ids []int64, sources int) []int64 {
	if sources == 1 {
		return ids
	}
	ids = slices.Clone(ids)
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return slices.Compact(ids)
}
