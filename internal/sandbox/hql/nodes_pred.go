package hql

import (
	"fmt"
	"slices"

	"omerods/internal/sandbox/store"
)

var truth = valueType{kind: boolType}

// logic is and, or and the comparisons, three-valued.
type logic struct {
	op   string
	args []bound
}

func (n *logic) typ() valueType    { return truth }
func (n *logic) key() string       { return n.op + keys(n.args) }
func (n *logic) children() []bound { return n.args }
func (n *logic) eval(x *exec) any {
	a := n.args[0].eval(x)
	switch n.op {
	case "and", "or":
		decides := n.op == "or"
		if a == decides {
			return decides
		}
		b := n.args[1].eval(x)
		if b == decides {
			return decides
		}
		if a == nil || b == nil {
			return nil
		}
		return !decides
	}
	b := n.args[1].eval(x)
	return compareOp(n.op, a, b)
}

func compareOp(op string, a, b any) any {
	if a == nil || b == nil {
		return nil
	}
	c := compareValues(a, b)
	switch op {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

type not struct{ x bound }

func (n *not) typ() valueType    { return truth }
func (n *not) key() string       { return "not" + keys(n.children()) }
func (n *not) children() []bound { return []bound{n.x} }
func (n *not) eval(x *exec) any {
	if b, ok := n.x.eval(x).(bool); ok {
		return !b
	}
	return nil
}

type isNull struct{ x bound }

func (n *isNull) typ() valueType    { return truth }
func (n *isNull) key() string       { return "null" + keys(n.children()) }
func (n *isNull) children() []bound { return []bound{n.x} }
func (n *isNull) eval(x *exec) any  { return n.x.eval(x) == nil }

// unitName turns the symbol of a unit into its name.
type unitName struct{ x bound }

func (n *unitName) typ() valueType    { return valueType{kind: unitType} }
func (n *unitName) key() string       { return "unit" + keys(n.children()) }
func (n *unitName) children() []bound { return []bound{n.x} }
func (n *unitName) eval(x *exec) any {
	v := n.x.eval(x)
	if s, ok := v.(string); ok {
		if symbol := Symbol(s); symbol != "" {
			return symbol
		}
	}
	return v
}

type like struct {
	x, pattern bound
	escape     rune
}

func (n *like) typ() valueType    { return truth }
func (n *like) key() string       { return fmt.Sprintf("like%c%s", n.escape, keys(n.children())) }
func (n *like) children() []bound { return []bound{n.x, n.pattern} }
func (n *like) eval(x *exec) any {
	s, ok := n.x.eval(x).(string)
	p, ok2 := n.pattern.eval(x).(string)
	if !ok || !ok2 {
		return nil
	}
	return matchLike([]rune(s), []rune(p), n.escape)
}

// matchLike matches % and _ in time proportional to the product of the
// lengths.
func matchLike(s, p []rune, escape rune) bool {
	i, j := 0, 0
	starAt, resume := -1, 0
	for {
		if j < len(p) && p[j] == '%' {
			starAt, resume = j, i
			j++
			continue
		}
		if i == len(s) && j == len(p) {
			return true
		}
		if i < len(s) && j < len(p) {
			width, matches := 1, p[j] == '_' || p[j] == s[i]
			if p[j] == escape && j+1 < len(p) {
				width, matches = 2, p[j+1] == s[i]
			}
			if matches {
				i, j = i+1, j+width
				continue
			}
		}
		if starAt < 0 || resume >= len(s) {
			return false
		}
		resume++
		i, j = resume, starAt+1
	}
}

// inList is x in (a, b, ...). Lists of constants are looked up in a set.
type inList struct {
	x    bound
	list []bound
	set  map[any]bool // by plain value; nil when the list is not constant
}

// prepare builds the set for lists of constants.
func (n *inList) prepare() {
	set := make(map[any]bool, len(n.list))
	for _, b := range n.list {
		c, ok := b.(*constant)
		if !ok {
			return
		}
		switch v := plain(c.value).(type) {
		case int64, string, *store.Class:
			set[v] = true
		default:
			return // doubles compare with integers, null with nothing
		}
	}
	n.set = set
}

func (n *inList) typ() valueType    { return truth }
func (n *inList) key() string       { return "in" + keys(n.children()) }
func (n *inList) children() []bound { return append([]bound{n.x}, n.list...) }
func (n *inList) eval(x *exec) any {
	v := n.x.eval(x)
	if v == nil {
		return nil
	}
	if n.set != nil {
		switch p := plain(v).(type) {
		case int64, string, *store.Class:
			return n.set[p]
		}
	}
	var found any = false
	for _, b := range n.list {
		switch compareOp("=", v, b.eval(x)) {
		case true:
			return true
		case nil:
			found = nil
		}
	}
	return found
}

// memberOf is `x member of v.collection`.
type memberOf struct {
	x    bound
	v    *variable
	prop *store.Property
}

func (n *memberOf) typ() valueType { return truth }
func (n *memberOf) key() string {
	return fmt.Sprintf("member:%d.%s%s", n.v.slot, n.prop.Name, keys(n.children()))
}
func (n *memberOf) children() []bound   { return []bound{n.x} }
func (n *memberOf) variable() *variable { return n.v }
func (n *memberOf) eval(x *exec) any {
	r, v := x.row(n.v), n.x.eval(x)
	if r == nil || v == nil {
		return nil
	}
	id, _ := plain(v).(int64)
	_, found := slices.BinarySearch(x.tx.RefIDs(n.prop.Inverse, r.ID), id)
	return found
}
