package hql

import "fmt"

// aggregate is a call such as count(distinct x); its value is that of the
// current group.
type aggregate struct {
	name     string
	distinct bool
	arg      bound // nil for count(*)
	t        valueType
}

func (n *aggregate) typ() valueType { return n.t }
func (n *aggregate) key() string {
	if n.arg == nil {
		return "count(*)"
	}
	return fmt.Sprintf("%s(%t %s)", n.name, n.distinct, n.arg.key())
}
func (n *aggregate) children() []bound {
	if n.arg == nil {
		return nil
	}
	return []bound{n.arg}
}
func (n *aggregate) eval(x *exec) any { return x.aggregates[n] }

// accumulator collects the values of one aggregate in one group.
type accumulator struct {
	of    *aggregate
	seen  map[string]bool // of distinct
	count int64
	ints  int64
	float float64
	best  any
}

func (a *accumulator) add(v any) {
	if v == nil {
		return
	}
	if a.of.distinct {
		if a.seen == nil {
			a.seen = make(map[string]bool)
		}
		if k := keyOf(v); a.seen[k] {
			return
		} else {
			a.seen[k] = true
		}
	}
	a.count++
	switch a.of.name {
	case "sum", "avg":
		if i, ok := plain(v).(int64); ok {
			a.ints += i
		}
		a.float += number(v)
	case "min":
		if a.best == nil || compareValues(v, a.best) < 0 {
			a.best = v
		}
	case "max":
		if a.best == nil || compareValues(v, a.best) > 0 {
			a.best = v
		}
	}
}

func (a *accumulator) value() any {
	switch {
	case a.of.name == "count":
		return a.count
	case a.count == 0:
		return nil
	case a.of.name == "sum" && a.of.t.kind == longType:
		return a.ints
	case a.of.name == "sum":
		return a.float
	case a.of.name == "avg":
		return a.float / float64(a.count)
	}
	return a.best
}
