package graph

import (
	"fmt"
	"reflect"
	"time"

	"omerods/internal/sandbox/store"
)

// OfValue makes a graph of a Go value, to compare it as objects of the server
// are compared. Structs that have a field ID of the type of id are its objects;
// other values of that type refer to them. A time counts as a field, a list
// without such objects as one in order.
func OfValue(v any, id reflect.Type) *Graph {
	b := &values{id: id, graph: &Graph{}, byID: map[string]*Node{}, classes: map[string]*store.Class{}}
	b.graph.Root = b.node("Document")
	b.walk(b.graph.Root, "", reflect.ValueOf(v))
	for _, r := range b.later {
		to := b.byID[r.id]
		if to == nil {
			r.from.Fields[r.field] = "an object elsewhere"
			continue
		}
		b.join(r.from, r.field, to)
	}
	return b.graph
}

type values struct {
	id      reflect.Type
	graph   *Graph
	byID    map[string]*Node
	classes map[string]*store.Class
	later   []reference
}

type reference struct {
	from      *Node
	field, id string
}

func (b *values) node(class string) *Node {
	if b.classes[class] == nil {
		b.classes[class] = &store.Class{Name: class}
	}
	n := &Node{Class: b.classes[class], Fields: map[string]string{}}
	b.graph.Nodes = append(b.graph.Nodes, n)
	return n
}

func (b *values) join(from *Node, field string, to *Node) {
	property := from.Class.Name + "." + field
	from.Refs = append(from.Refs, Ref{Property: property, Place: -1, Node: to})
	to.back = append(to.back, Ref{Property: property, Place: -1, Node: from})
}

func (b *values) walk(n *Node, field string, v reflect.Value) {
	switch {
	case v.Type() == b.id:
		if v.String() != "" {
			b.later = append(b.later, reference{n, field, v.String()})
		}
		return
	case v.Type() == reflect.TypeFor[time.Time]():
		n.Fields[field] = v.Interface().(time.Time).UTC().String()
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			b.walk(n, field, v.Elem())
		}
	case reflect.Struct:
		if f, ok := v.Type().FieldByName("ID"); ok && f.Type == b.id {
			child := b.node(v.Type().Name())
			b.byID[v.FieldByName("ID").String()] = child
			b.join(n, field, child)
			n, field = child, ""
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Type == b.id && f.Name == "ID" || !f.IsExported() {
				continue
			}
			name := f.Name
			if field != "" {
				name = field + "." + f.Name
			}
			b.walk(n, name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			n.Fields[field] = fmt.Sprintf("%x", v.Bytes())
			return
		}
		for i := range v.Len() {
			e := v.Index(i)
			name := field
			if e.Type() != b.id && e.Kind() == reflect.Struct {
				if f, ok := e.Type().FieldByName("ID"); !ok || f.Type != b.id {
					// An object without an id, in no order that means anything.
					child := b.node(e.Type().Name())
					b.join(n, field, child)
					b.walk(child, "", e)
					continue
				}
			} else if e.Type() != b.id {
				name = fmt.Sprintf("%s[%d]", field, i)
			}
			b.walk(n, name, e)
		}
	default:
		if !v.IsZero() {
			n.Fields[field] = fmt.Sprint(v.Interface())
		}
	}
}
