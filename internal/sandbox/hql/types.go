package hql

import (
	"fmt"

	"omerods/internal/sandbox/store"
)

type kind int

const (
	anyType kind = iota // null
	boolType
	intType
	longType
	doubleType
	stringType
	timeType
	bytesType
	stringsType
	entityType
	quantityType
	unitType
	permissionsType
	classType
	elementType // an entry of a list of named values
)

var kindNames = [...]string{
	"null", "boolean", "integer", "long", "double", "string", "timestamp", "bytes", "text array",
	"entity", "quantity", "unit", "permissions", "class", "element",
}

// valueType is the static type of an expression.
type valueType struct {
	kind  kind
	class *store.Class    // of an entity
	prop  *store.Property // of a quantity or unit
}

func (t valueType) String() string {
	if t.kind == entityType {
		return t.class.Name
	}
	return kindNames[t.kind]
}

func (t valueType) numeric() bool {
	return t.kind == intType || t.kind == longType || t.kind == doubleType
}

var storedKinds = map[store.Kind]kind{
	store.KindString: stringType, store.KindInt: intType, store.KindLong: longType,
	store.KindDouble: doubleType, store.KindBool: boolType, store.KindTime: timeType,
	store.KindBytes: bytesType, store.KindStrings: stringsType, store.KindQuantity: quantityType,
	store.KindPermissions: permissionsType, store.KindToOne: entityType,
}

func propertyType(p *store.Property) valueType {
	return valueType{kind: storedKinds[p.Kind], class: p.Target, prop: p}
}

// typeOf is the type of a parameter or literal.
func typeOf(v any) (valueType, error) {
	switch x := v.(type) {
	case nil:
		return valueType{}, nil
	case bool:
		return valueType{kind: boolType}, nil
	case int32:
		return valueType{kind: intType}, nil
	case int64:
		return valueType{kind: longType}, nil
	case float64:
		return valueType{kind: doubleType}, nil
	case string:
		return valueType{kind: stringType}, nil
	case store.Time:
		return valueType{kind: timeType}, nil
	case Ref:
		return valueType{kind: entityType, class: x.Class}, nil
	}
	return valueType{}, fmt.Errorf("a parameter cannot be a %T", v)
}

// comparable reports whether the database has an operator between the types.
// An entity stands for its id.
func comparableTypes(a, b valueType) bool {
	switch {
	case a.kind == anyType || b.kind == anyType:
		return true
	case a.numeric() && b.numeric():
		return true
	case a.kind == entityType && b.kind == entityType:
		return a.class.Root == b.class.Root
	case a.kind == entityType:
		return b.kind == longType || b.kind == intType
	case b.kind == entityType:
		return a.kind == longType || a.kind == intType
	case a.kind == unitType || b.kind == unitType:
		return (a.kind == unitType || a.kind == stringType) && (b.kind == unitType || b.kind == stringType)
	case a.kind == quantityType, a.kind == permissionsType, a.kind == elementType, a.kind == stringsType:
		return false
	}
	return a.kind == b.kind
}

// common is the type of an expression that may be either of two.
func common(a, b valueType) (valueType, bool) {
	switch {
	case a.kind == anyType:
		return b, true
	case b.kind == anyType:
		return a, true
	case a.numeric() && b.numeric():
		return valueType{kind: max(a.kind, b.kind)}, true
	case a.kind == entityType && b.kind == entityType && a.class.Root == b.class.Root:
		return valueType{kind: entityType, class: a.class.Root}, true
	}
	return a, a.kind == b.kind
}

// Ref is an entity as a parameter.
type Ref struct {
	Class *store.Class
	ID    int64
}

// compareValues orders two non-null values of comparable types.
func compareValues(a, b any) int {
	a, b = plain(a), plain(b)
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return order(x, y)
		}
		if y, ok := b.(float64); ok {
			return order(float64(x), y)
		}
	case float64:
		if y, ok := b.(float64); ok {
			return order(x, y)
		}
		if y, ok := b.(int64); ok {
			return order(x, float64(y))
		}
	case string:
		if y, ok := b.(string); ok {
			return order(x, y)
		}
	}
	// Classes and bytes have no order that a query can ask for; they are equal
	// or not.
	if keyOf(a) == keyOf(b) {
		return 0
	}
	return order(keyOf(a), keyOf(b))
}

func order[T int64 | float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	// NaN equals itself and is greater than every number, as in PostgreSQL.
	switch aNaN, bNaN := a != a, b != b; {
	case aNaN && bNaN:
		return 0
	case aNaN:
		return 1
	}
	return -1
}

// plain reduces a value to int64, float64, string, or what it is.
func plain(v any) any {
	switch x := v.(type) {
	case int32:
		return int64(x)
	case store.Time:
		return int64(x)
	case bool:
		if x {
			return int64(1)
		}
		return int64(0)
	case *store.Row:
		return x.ID
	case Ref:
		return x.ID
	}
	return v
}

// keyOf is a text that is the same for equal values, for grouping and
// distinct.
func keyOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "n"
	case *store.Row:
		return fmt.Sprintf("r%s/%d", x.Class.Root.Name, x.ID)
	case int64:
		return fmt.Sprintf("i%d", x)
	case int32:
		return fmt.Sprintf("i%d", x)
	case string:
		return fmt.Sprintf("s%d:%s", len(x), x)
	case *store.Class:
		return "c" + x.Name
	case []MapEntry:
		s := "m"
		for _, e := range x {
			s += keyOf(e.Value)
		}
		return s
	}
	return fmt.Sprintf("%T:%v", v, v)
}
