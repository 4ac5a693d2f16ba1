package wild

import (
	"math"
	"slices"
	"strings"

	"omerods/internal/sandbox/store"
)

// fill returns random values for the members of a class that are text, numbers
// and the like, and for those that name enumerations. About one in three stays
// null, required ones never. What the class has beyond that is set by fixed,
// which wins; "-" there leaves a member alone.
func (m *maker) fill(class string, fixed store.Values) store.Values {
	v := store.Values{}
	for _, p := range m.t.Store.Model().Class(class).Stored() {
		if f, ok := fixed[p.Name]; ok {
			if f != "-" {
				v[p.Name] = f
			}
			continue
		}
		if !p.Required && !always[p.Name] && m.chance(3) {
			continue
		}
		if x := m.value(p); x != nil {
			v[p.Name] = x
		}
	}
	return v
}

// always are members that no client leaves out, though the database would let
// it: an annotation's value, and where a shape is.
var always = map[string]bool{
	"longValue": true, "doubleValue": true, "boolValue": true, "timeValue": true, "termValue": true,
	"x": true, "y": true, "x1": true, "y1": true, "x2": true, "y2": true, "width": true, "height": true, "radiusX": true, "radiusY": true,
}

func (m *maker) value(p *store.Property) any {
	switch p.Kind {
	case store.KindString:
		return m.text()
	case store.KindInt:
		return int32(pick(m, []int{0, 1, 2, 7, 255, 65536, -1, math.MaxInt32, math.MinInt32}))
	case store.KindLong:
		return pick(m, []int64{0, 1, -1, 42, math.MaxInt32 + 1, math.MaxInt64, math.MinInt64})
	case store.KindDouble:
		return m.number()
	case store.KindBool:
		return m.chance(2)
	case store.KindTime:
		return m.time()
	case store.KindQuantity:
		return store.Quantity{Value: m.number(), Unit: m.unit(p)}
	case store.KindNamedValues:
		return m.pairs()
	case store.KindToOne:
		if p.Target.Enum {
			return m.enum(p.Target.Name)
		}
	}
	return nil
}

// number is a number that a measurement may have come to.
func (m *maker) number() float64 {
	if m.chance(2) {
		return math.Round(m.r.Float64()*1e4) / 16
	}
	return pick(m, []float64{0, 1, -1, 0.1, 1.0 / 3, math.Pi, 1e-9, 1e21, -273.15, 5e-324, math.MaxFloat64, 123456789.123456789, 4294967296})
}

func (m *maker) time() store.Time {
	return pick(m, []store.Time{0, 1, -1, 999, 1717236000123, 951782400000, -2208988800000, 4102444800000, 1e12})
}

func (m *maker) unit(p *store.Property) int32 {
	units := make([]string, 0, len(p.Enum.Values))
	for name := range p.Enum.Values {
		units = append(units, name)
	}
	slices.Sort(units)
	return p.Enum.Values[pick(m, units)]
}

// enum is a value of an enumeration.
func (m *maker) enum(class string) any {
	var ids []int64
	m.t.Store.Each(class, func(r *store.Row) bool { ids = append(ids, r.ID); return true })
	if len(ids) == 0 {
		return nil
	}
	return pick(m, ids)
}

// pairs are key-value pairs; keys come twice, and empty.
func (m *maker) pairs() []store.NamedValue {
	out := []store.NamedValue{}
	for range m.r.IntN(6) {
		out = append(out, store.NamedValue{Name: pick(m, []string{"key", "key", m.text()}), Value: m.text()})
	}
	return out
}

// name is a text for members that hold a name, "" included.
func (m *maker) name() string { return m.text() }

// points are the corners of a polygon as clients write them.
func (m *maker) points() string {
	var out []string
	for range 1 + m.r.IntN(6) {
		out = append(out, pick(m, []string{"1,2", "10.5,20.25", "-3,4", "0,0", "1e3,2e-3"}))
	}
	return strings.Join(out, pick(m, []string{" ", ", "}))
}
