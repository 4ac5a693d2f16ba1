package hql

import (
	"fmt"

	"omerods/internal/sandbox/store"
)

// bound is an expression whose names are resolved.
type bound interface {
	typ() valueType
	// eval gives the value for the current rows; nil is null.
	eval(x *exec) any
	// key is the same text for the same expression.
	key() string
	children() []bound
}

// leaf is a bound expression that reads a variable.
type leaf interface {
	bound
	variable() *variable
}

// walk visits an expression and all below it.
func walk(b bound, fn func(bound)) {
	if b == nil {
		return
	}
	fn(b)
	for _, c := range b.children() {
		walk(c, fn)
	}
}

type constant struct {
	value any
	t     valueType
}

func (c *constant) typ() valueType    { return c.t }
func (c *constant) eval(*exec) any    { return c.value }
func (c *constant) key() string       { return "const:" + keyOf(c.value) }
func (c *constant) children() []bound { return nil }

// varValue is an alias itself: an entity, or an entry of named values.
type varValue struct{ v *variable }

func (n *varValue) typ() valueType {
	if n.v.class == nil {
		return valueType{kind: elementType}
	}
	return valueType{kind: entityType, class: n.v.class}
}
func (n *varValue) eval(x *exec) any    { return x.slots[n.v.slot] }
func (n *varValue) key() string         { return fmt.Sprintf("var:%d", n.v.slot) }
func (n *varValue) children() []bound   { return nil }
func (n *varValue) variable() *variable { return n.v }

// row returns the row of a variable, nil after an outer join without match.
func (x *exec) row(v *variable) *store.Row {
	r, _ := x.slots[v.slot].(*store.Row)
	return r
}

// propValue is a plain property of a variable.
type propValue struct {
	v    *variable
	prop *store.Property
	t    valueType
}

func (n *propValue) typ() valueType { return n.t }
func (n *propValue) eval(x *exec) any {
	r := x.row(n.v)
	if r == nil {
		return nil
	}
	v := r.Value(n.prop)
	if q, ok := v.(store.Quantity); ok {
		return quantity(n.prop, q)
	}
	return v
}
func (n *propValue) key() string         { return fmt.Sprintf("prop:%d.%s", n.v.slot, n.prop.Name) }
func (n *propValue) children() []bound   { return nil }
func (n *propValue) variable() *variable { return n.v }

// refValue is an association as the foreign key column it is stored in.
type refValue struct {
	v      *variable
	prop   *store.Property
	entity bool // written without .id
}

func (n *refValue) typ() valueType {
	if n.entity {
		return valueType{kind: entityType, class: n.prop.Target}
	}
	return valueType{kind: longType}
}
func (n *refValue) eval(x *exec) any {
	if r := x.row(n.v); r != nil {
		return r.Value(n.prop)
	}
	return nil
}
func (n *refValue) key() string         { return fmt.Sprintf("ref:%d.%s", n.v.slot, n.prop.Name) }
func (n *refValue) children() []bound   { return nil }
func (n *refValue) variable() *variable { return n.v }

// elementPart is the name or the value of an entry of named values.
type elementPart struct {
	v    *variable
	part string
}

// element is what a valueSource puts into its slot.
type element struct {
	store.NamedValue
	index int32
}

func (n *elementPart) typ() valueType { return valueType{kind: stringType} }
func (n *elementPart) eval(x *exec) any {
	e, ok := x.slots[n.v.slot].(element)
	switch {
	case !ok:
		return nil
	case n.part == "name":
		return e.Name
	}
	return e.Value
}
func (n *elementPart) key() string         { return fmt.Sprintf("elem:%d.%s", n.v.slot, n.part) }
func (n *elementPart) children() []bound   { return nil }
func (n *elementPart) variable() *variable { return n.v }

// indexValue is the position of an element in its ordered collection.
type indexValue struct{ v *variable }

func (n *indexValue) typ() valueType { return valueType{kind: intType} }
func (n *indexValue) eval(x *exec) any {
	switch e := x.slots[n.v.slot].(type) {
	case element:
		return e.index
	case *store.Row:
		return e.Position
	}
	return nil
}
func (n *indexValue) key() string         { return fmt.Sprintf("index:%d", n.v.slot) }
func (n *indexValue) children() []bound   { return nil }
func (n *indexValue) variable() *variable { return n.v }

// classValue is the class of an entity.
type classValue struct{ v *variable }

func (n *classValue) typ() valueType { return valueType{kind: classType} }
func (n *classValue) eval(x *exec) any {
	if r := x.row(n.v); r != nil {
		return r.Class
	}
	return nil
}
func (n *classValue) key() string         { return fmt.Sprintf("class:%d", n.v.slot) }
func (n *classValue) children() []bound   { return nil }
func (n *classValue) variable() *variable { return n.v }

// quantityPart is the number or the unit of a quantity.
type quantityPart struct {
	v    *variable
	prop *store.Property
	unit bool
}

func (n *quantityPart) typ() valueType {
	if n.unit {
		return valueType{kind: unitType, prop: n.prop}
	}
	return valueType{kind: doubleType}
}
func (n *quantityPart) eval(x *exec) any {
	r := x.row(n.v)
	if r == nil {
		return nil
	}
	q, ok := r.Value(n.prop).(store.Quantity)
	switch {
	case !ok:
		return nil
	case n.unit:
		return n.prop.Enum.Name(q.Unit)
	}
	return q.Value
}
func (n *quantityPart) key() string {
	return fmt.Sprintf("quantity:%d.%s.%t", n.v.slot, n.prop.Name, n.unit)
}
func (n *quantityPart) children() []bound   { return nil }
func (n *quantityPart) variable() *variable { return n.v }

// permissionsValue is details.permissions.
type permissionsValue struct {
	v    *variable
	prop *store.Property
}

func (n *permissionsValue) typ() valueType { return valueType{kind: permissionsType} }
func (n *permissionsValue) eval(x *exec) any {
	if r := x.row(n.v); r != nil {
		return Permissions{r}
	}
	return nil
}
func (n *permissionsValue) key() string         { return fmt.Sprintf("permissions:%d", n.v.slot) }
func (n *permissionsValue) children() []bound   { return nil }
func (n *permissionsValue) variable() *variable { return n.v }
