package hql

import "fmt"

// subquery is a nested select. Its children are the outer variables it reads,
// so that the planner evaluates it when those are bound.
type subquery struct {
	*plan
	free []*variable
}

func (n *subquery) children() []bound {
	out := make([]bound, len(n.free))
	for i, v := range n.free {
		out[i] = &varValue{v}
	}
	return out
}

// key differs for each subquery: none is taken for another.
func (n *subquery) key() string { return fmt.Sprintf("sub:%p", n.plan) }

// column returns the values of the single column. What a subquery without
// outer variables gives is computed once.
func (n *subquery) column(x *exec) []any {
	if len(n.free) == 0 {
		if values, ok := x.cache[n.plan]; ok {
			return values
		}
	}
	var values []any
	x.run(n.plan, 0, -1, func(row []any) bool {
		values = append(values, row[0])
		return x.err == nil
	})
	if len(n.free) == 0 {
		x.cache[n.plan] = values
	}
	return values
}

// ids returns the values of a column without outer variables as a set, nil
// when they are not all numbers.
func (n *subquery) ids(x *exec) map[int64]bool {
	if len(n.free) > 0 {
		return nil
	}
	set, ok := x.sets[n.plan]
	if !ok {
		set = make(map[int64]bool)
		for _, v := range n.column(x) {
			id, ok := v.(int64)
			if !ok {
				set = nil
				break
			}
			set[id] = true
		}
		x.sets[n.plan] = set
	}
	return set
}

type exists struct{ *subquery }

func (n *exists) typ() valueType { return truth }
func (n *exists) key() string    { return "exists " + n.subquery.key() }
func (n *exists) eval(x *exec) any {
	found := false
	x.run(n.plan, 0, 1, func([]any) bool {
		found = true
		return false
	})
	return found
}

// inSub is x in (select ...).
type inSub struct {
	x   bound
	sub *subquery
}

func (n *inSub) typ() valueType    { return truth }
func (n *inSub) key() string       { return n.x.key() + " in " + n.sub.key() }
func (n *inSub) children() []bound { return append(n.sub.children(), n.x) }
func (n *inSub) eval(x *exec) any {
	v := n.x.eval(x)
	if v == nil {
		return nil
	}
	if id, ok := v.(int64); ok {
		if set := n.sub.ids(x); set != nil {
			return set[id]
		}
	}
	var found any = false
	for _, w := range n.sub.column(x) {
		switch compareOp("=", v, w) {
		case true:
			return true
		case nil:
			found = nil
		}
	}
	return found
}

// quantifier is `x op all (select ...)` or any.
type quantifier struct {
	op  string
	x   bound
	sub *subquery
	all bool
}

func (n *quantifier) typ() valueType    { return truth }
func (n *quantifier) key() string       { return n.op + n.x.key() + n.sub.key() }
func (n *quantifier) children() []bound { return append(n.sub.children(), n.x) }
func (n *quantifier) eval(x *exec) any {
	v := n.x.eval(x)
	var result any = n.all
	for _, w := range n.sub.column(x) {
		switch compareOp(n.op, v, w) {
		case !n.all:
			return !n.all
		case nil:
			result = nil
		}
	}
	return result
}

// scalarSub is a subquery used as a value; no row is null.
type scalarSub struct{ *subquery }

func (n *scalarSub) typ() valueType { return n.items[0].x.typ() }
func (n *scalarSub) eval(x *exec) any {
	values := n.column(x)
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	return x.fail(errorf("more than one row returned by a subquery used as an expression"))
}
