package hql

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"omerods/internal/sandbox/store"
)

func keys(bs []bound) string {
	parts := make([]string, len(bs))
	for i, b := range bs {
		parts[i] = b.key()
	}
	return "(" + strings.Join(parts, ",") + ")"
}

// arithmetic is + - * / % of numbers.
type arithmetic struct {
	op   string
	l, r bound
	t    valueType
}

func (n *arithmetic) typ() valueType    { return n.t }
func (n *arithmetic) key() string       { return n.op + keys(n.children()) }
func (n *arithmetic) children() []bound { return []bound{n.l, n.r} }

func (n *arithmetic) eval(x *exec) any {
	a, b := n.l.eval(x), n.r.eval(x)
	if a == nil || b == nil {
		return nil
	}
	i, aInt := plain(a).(int64)
	j, bInt := plain(b).(int64)
	if aInt && bInt {
		return n.integers(x, i, j)
	}
	f, g := number(a), number(b)
	switch n.op {
	case "+":
		return f + g
	case "-":
		return f - g
	case "*":
		return f * g
	}
	if g == 0 {
		return x.fail(errorf("division by zero"))
	}
	if n.op == "%" {
		return math.Mod(f, g)
	}
	return f / g
}

func (n *arithmetic) integers(x *exec, i, j int64) any {
	var k int64
	switch n.op {
	case "+":
		k = i + j
	case "-":
		k = i - j
	case "*":
		k = i * j
	default:
		if j == 0 {
			return x.fail(errorf("division by zero"))
		}
		if k = i / j; n.op == "%" {
			k = i % j
		}
	}
	if n.t.kind != intType {
		return k
	}
	if k < math.MinInt32 || k > math.MaxInt32 {
		return x.fail(errorf("integer out of range"))
	}
	return int32(k)
}

func number(v any) float64 {
	switch n := plain(v).(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return math.NaN()
}

// function is a call of a built-in function.
type function struct {
	name string
	call func(args []any) any
	args []bound
	t    valueType
}

func (n *function) typ() valueType    { return n.t }
func (n *function) key() string       { return n.name + keys(n.args) }
func (n *function) children() []bound { return n.args }
func (n *function) eval(x *exec) any {
	args := make([]any, len(n.args))
	for i, a := range n.args {
		args[i] = a.eval(x)
	}
	return n.call(args)
}

// sizeOf counts the elements of a collection.
type sizeOf struct {
	v    *variable
	prop *store.Property
}

func (n *sizeOf) typ() valueType      { return valueType{kind: intType} }
func (n *sizeOf) key() string         { return fmt.Sprintf("size:%d.%s", n.v.slot, n.prop.Name) }
func (n *sizeOf) children() []bound   { return nil }
func (n *sizeOf) variable() *variable { return n.v }
func (n *sizeOf) eval(x *exec) any {
	r := x.row(n.v)
	if r == nil {
		return nil
	}
	if n.prop.Kind == store.KindNamedValues {
		list, _ := r.Value(n.prop).([]store.NamedValue)
		return int32(len(list))
	}
	return int32(len(x.tx.RefIDs(n.prop.Inverse, r.ID)))
}

// caseNode is case when; then holds one more than when for an else.
type caseNode struct {
	when, then []bound
	t          valueType
}

func (n *caseNode) typ() valueType    { return n.t }
func (n *caseNode) key() string       { return "case" + keys(n.children()) }
func (n *caseNode) children() []bound { return append(n.when[:len(n.when):len(n.when)], n.then...) }
func (n *caseNode) eval(x *exec) any {
	for i, w := range n.when {
		if w.eval(x) == true {
			return widen(n.then[i].eval(x), n.t)
		}
	}
	if len(n.then) > len(n.when) {
		return widen(n.then[len(n.when)].eval(x), n.t)
	}
	return nil
}

// widen gives a number the type that its expression was found to have.
func widen(v any, t valueType) any {
	switch n := v.(type) {
	case int32:
		if t.kind == longType {
			return int64(n)
		}
		if t.kind == doubleType {
			return float64(n)
		}
	case int64:
		if t.kind == doubleType {
			return float64(n)
		}
	}
	return v
}

// castNode is cast(x as type).
type castNode struct {
	x  bound
	to kind
}

func (n *castNode) typ() valueType    { return valueType{kind: n.to} }
func (n *castNode) key() string       { return fmt.Sprintf("cast%d(%s)", n.to, n.x.key()) }
func (n *castNode) children() []bound { return []bound{n.x} }
func (n *castNode) eval(x *exec) any {
	v := n.x.eval(x)
	if v == nil {
		return nil
	}
	text := textOf(v)
	switch n.to {
	case stringType:
		return text
	case boolType:
		b, err := strconv.ParseBool(text)
		if err == nil {
			return b
		}
	case doubleType:
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err == nil {
			return f
		}
	default:
		if f, ok := v.(float64); ok {
			text = strconv.FormatFloat(math.RoundToEven(f), 'f', 0, 64)
		}
		if b, ok := v.(bool); ok {
			text = strconv.FormatInt(plain(b).(int64), 10)
		}
		bits := map[kind]int{intType: 32, longType: 64}[n.to]
		i, err := strconv.ParseInt(strings.TrimSpace(text), 10, bits)
		if err == nil && n.to == intType {
			return int32(i)
		}
		if err == nil {
			return i
		}
	}
	return x.fail(errorf("invalid input for type %s: %s", kindNames[n.to], text))
}

// textOf is a value as the database writes it.
func textOf(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
