package omero

import (
	"time"

	"omerods/internal/ice"
)

// value makes an ::omero::RType of a class with its one member.
func (c *Client) value(class string, v any) *ice.Object {
	return c.defs.New("::omero::"+class).Set("val", v)
}

func (c *Client) rlong(v int64) *ice.Object     { return c.value("RLong", v) }
func (c *Client) rint(v int) *ice.Object        { return c.value("RInt", int32(v)) }
func (c *Client) rstring(v string) *ice.Object  { return c.value("RString", v) }
func (c *Client) rbool(v bool) *ice.Object      { return c.value("RBool", v) }
func (c *Client) rdouble(v float64) *ice.Object { return c.value("RDouble", v) }

func (c *Client) rtime(t time.Time) *ice.Object { return c.value("RTime", t.UnixMilli()) }

func (c *Client) rstrings(list []string) *ice.Object {
	vals := make([]any, len(list))
	for i, v := range list {
		vals[i] = c.rstring(v)
	}
	return c.value("RList", vals)
}

func (c *Client) rlongs(ids []int64) *ice.Object {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = c.rlong(id)
	}
	return c.value("RList", list)
}

// optional returns an RString, or null for an empty text.
func (c *Client) optional(s string) any {
	if s == "" {
		return nil
	}
	return c.rstring(s)
}

// optionalInt returns an RInt, or null.
func (c *Client) optionalInt(v *int) any {
	if v == nil {
		return nil
	}
	return c.rint(*v)
}

// optionalTime returns an RTime, or null for the zero time.
func (c *Client) optionalTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return c.rtime(t)
}

// param makes the RType of a query parameter.
func (c *Client) param(v any) any {
	switch v := v.(type) {
	case int64:
		return c.rlong(v)
	case int:
		return c.rint(v)
	case string:
		return c.rstring(v)
	case bool:
		return c.rbool(v)
	case float64:
		return c.rdouble(v)
	case time.Time:
		return c.rtime(v)
	case []int64:
		return c.rlongs(v)
	case []string:
		return c.rstrings(v)
	}
	return nil
}

// plain turns an RType into a Go value: bool, int64, float64, string,
// time.Time, []any, map[string]any, or *ice.Object for an object of the model.
// Null is nil.
func plain(v any) any {
	o, ok := v.(*ice.Object)
	if !ok || o == nil || !o.Has("val") {
		return nil
	}
	return plainMember(o.Class, o.Get("val"))
}

// plainCells make the cells of rows as plain does.
var plainCells = ice.Cells{
	Member: func(c *ice.Class, v any) any {
		if c.FieldIndex("val") < 0 {
			return nil
		}
		return plainMember(c, v)
	},
	Object: func(o *ice.Object) any { return plain(o) },
}

// plainMember turns the member of an RType into a Go value.
func plainMember(c *ice.Class, v any) any {
	switch val := v.(type) {
	case int32:
		return int64(val)
	case float32:
		return float64(val)
	case int64:
		if c.IsA("::omero::RTime") {
			return time.UnixMilli(val).UTC()
		}
		return v
	case []any:
		list := make([]any, len(val))
		for i, e := range val {
			list[i] = plain(e)
		}
		return list
	case ice.Dict:
		m := make(map[string]any, len(val))
		for _, p := range val {
			if k, ok := p.Key.(string); ok {
				m[k] = plain(p.Value)
			}
		}
		return m
	default:
		return v
	}
}

// row is one row of an answer in plain values. Its methods take null, and a
// column of another type, as the zero value.
type row []any

func (r row) at(i int) any {
	if i < 0 || i >= len(r) {
		return nil
	}
	return r[i]
}

func (r row) id(i int) int64    { v, _ := r.at(i).(int64); return v }
func (r row) num(i int) int     { return int(r.id(i)) }
func (r row) str(i int) string  { v, _ := r.at(i).(string); return v }
func (r row) yes(i int) bool    { v, _ := r.at(i).(bool); return v }
func (r row) f64(i int) float64 { v, _ := r.at(i).(float64); return v }

func (r row) time(i int) time.Time { v, _ := r.at(i).(time.Time); return v }

func (r row) numOrNil(i int) *int {
	v, ok := r.at(i).(int64)
	if !ok {
		return nil
	}
	n := int(v)
	return &n
}

func (r row) color(i int) *int32 {
	v, ok := r.at(i).(int64)
	if !ok {
		return nil
	}
	n := int32(v)
	return &n
}

func (r row) strOrNil(i int) *string {
	v, ok := r.at(i).(string)
	if !ok {
		return nil
	}
	return &v
}

func (r row) boolOrNil(i int) *bool {
	v, ok := r.at(i).(bool)
	if !ok {
		return nil
	}
	return &v
}

func (r row) f64OrNil(i int) *float64 {
	v, ok := r.at(i).(float64)
	if !ok {
		return nil
	}
	return &v
}

// quantity reads a quantity, which a projection returns as a map. Unknown
// units give nil.
func (r row) quantity(i int) *Quantity {
	m, ok := r.at(i).(map[string]any)
	if !ok {
		return nil
	}
	v, ok := m["value"].(float64)
	name, _ := m["unit"].(string)
	symbol := symbolOf[name]
	if !ok || symbol == "" {
		return nil
	}
	return &Quantity{Value: v, Unit: symbol}
}
