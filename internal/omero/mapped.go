package omero

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"omerods/internal/ice"
)

// The structs of acquisition metadata name the member of the model that each
// of their fields stands for in a tag `model:"name"`. What kind of member that
// is the definitions tell. A struct may have fields for members of several
// subclasses: of one class, those that it lacks are passed over.

// member is a field of a struct as a member of a model class.
type member struct {
	field    []int // as reflect counts
	name     string
	kind     memberKind
	target   string // the class of the quantity, enumeration or object; that of a scalar, such as RDouble
	required bool   // the server refuses null
}

type memberKind int

const (
	scalarMember   memberKind = iota
	wordMember                // the value of an enumeration
	quantityMember            // a number with a unit
	idMember                  // the id of the object itself, or of one that it names; read only
	pairsMember               // a list of pairs, which a query of its own reads
)

type mappingKey struct {
	class string
	t     reflect.Type
}

// members lists the fields of a struct type that the class has.
func (c *Client) members(class string, t reflect.Type) []member {
	key := mappingKey{class, t}
	if m, ok := c.mappings.Load(key); ok {
		return m.([]member)
	}
	var list []member
	model := c.defs.Class(modelClass(class))
	for _, f := range reflect.VisibleFields(t) {
		tag, ok := f.Tag.Lookup("model")
		if !ok || model == nil {
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		i := model.FieldIndex(name)
		if i < 0 {
			continue
		}
		m := member{field: f.Index, name: name, required: option == "required"}
		if f.Type == reflect.TypeFor[[]Pair]() {
			m.kind = pairsMember
			list = append(list, m)
			continue
		}
		target := model.AllFields()[i].Type.Class
		m.target = target.ID[strings.LastIndexByte(target.ID, ':')+1:]
		switch {
		case name == "id":
			m.kind = idMember
		case target.FieldIndex("val") >= 0:
			m.kind = scalarMember
		case target.FieldIndex("unit") >= 0:
			m.kind = quantityMember
		case f.Type.Kind() == reflect.String:
			m.kind = wordMember
		default:
			m.kind = idMember
		}
		list = append(list, m)
	}
	c.mappings.Store(key, list)
	return list
}

// mappedQuery asks for objects of a class, which it calls o.
type mappedQuery struct {
	class string
	lead  string // columns that come before those of the object, at least one
	from  string // up to the alias o
	where string
	order string // total
	// counted is the class under which an extent counts the rows, "" for none.
	counted string
}

// mapped runs a query for a selection and hands over each object with
// the columns before it.
func mapped[T any](ctx context.Context, c *Client, q mappedQuery, s Selection, each func(lead row, v T)) error {
	members := slices.DeleteFunc(slices.Clone(c.members(q.class, reflect.TypeFor[T]())), func(m member) bool { return m.kind == pairsMember })
	columns, joins := q.lead, ""
	lead := strings.Count(q.lead, ",") + 1
	for i, m := range members {
		columns += ", "
		switch {
		case m.name == "id":
			columns += "o.id"
		case m.kind == idMember:
			columns += "o." + m.name + ".id"
		case m.kind == wordMember:
			columns += fmt.Sprintf("e%d.value", i)
			joins += fmt.Sprintf(" left outer join o.%s e%d", m.name, i)
		default:
			columns += "o." + m.name
		}
	}
	rows, err := c.rowsOf(ctx, "select "+columns+" from "+q.from+joins+" where "+q.where+" order by "+q.order, s, q.counted)
	if err != nil {
		return fmt.Errorf("%s: %w", q.class, err)
	}
	for _, r := range rows {
		var v T
		for i, m := range members {
			r.into(lead+i, reflect.ValueOf(&v).Elem().FieldByIndex(m.field))
		}
		each(r[:lead], v)
	}
	return nil
}

// into sets a field to the value of a column; null leaves it alone.
func (r row) into(i int, field reflect.Value) {
	var v any
	switch field.Interface().(type) {
	case int64:
		v = r.id(i)
	case string:
		v = r.str(i)
	case time.Time:
		v = r.time(i)
	case *string:
		v = r.strOrNil(i)
	case *int:
		v = r.numOrNil(i)
	case *float64:
		v = r.f64OrNil(i)
	case *bool:
		v = r.boolOrNil(i)
	case *Quantity:
		v = r.quantity(i)
	default:
		return
	}
	field.Set(reflect.ValueOf(v))
}

// fill sets the members of a new object.
func (c *Client) fill(o *ice.Object, class string, v any) error {
	fields := reflect.Indirect(reflect.ValueOf(v))
	for _, m := range c.members(class, fields.Type()) {
		if m.kind == idMember {
			continue
		}
		x, err := c.memberValue(m, fields.FieldByIndex(m.field))
		if err != nil {
			return fmt.Errorf("%s of %s: %w", m.name, class, err)
		}
		o.Set(m.name, x)
	}
	return nil
}

// memberValue is a field as the wire has it, nil for none.
func (c *Client) memberValue(m member, field reflect.Value) (any, error) {
	switch v := field.Interface().(type) {
	case string:
		if v == "" && m.required {
			v = "Other"
		}
		if v == "" {
			return nil, nil
		}
		return c.enumeration(m.target, v), nil
	case time.Time:
		if v.IsZero() {
			return nil, nil
		}
		return c.rtime(v), nil
	case *Quantity:
		return c.quantity(m.target, v)
	case []Pair:
		return c.pairs(v), nil
	case *string:
		if v != nil {
			return c.rstring(*v), nil
		}
	case *int:
		if v != nil {
			return c.rint(*v), nil
		}
	case *float64:
		if v != nil {
			return c.rdouble(*v), nil
		}
	case *bool:
		if v != nil {
			return c.rbool(*v), nil
		}
	default:
		return nil, failure(Unsupported, "save", "a "+field.Type().String())
	}
	return nil, nil
}
