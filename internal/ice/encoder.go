package ice

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// encoder writes one encapsulation. The first error stays; what is written
// after it is thrown away.
type encoder struct {
	buf    []byte
	enc    Encoding
	sliced bool
	err    error

	ids     map[*Object]int32 // class instances by their number on the wire
	typeIDs map[string]int32
	pending []*Object // encoding 1.0: to be written in the next batch
	depth   int       // encoding 1.1: instances around the current one

	// indirect collects the references of the current slice in the sliced
	// format; nil elsewhere.
	indirect *indirection
}

type indirection struct {
	objects []*Object
	index   map[*Object]int
}

func newEncoder(enc Encoding, sliced bool, capacity int) (*encoder, error) {
	if !enc.supported() {
		return nil, fmt.Errorf("encoding %s is not supported", enc)
	}
	e := &encoder{enc: enc, sliced: sliced, buf: make([]byte, encapsulationHeader, capacity)}
	e.buf[4], e.buf[5] = enc.Major, enc.Minor
	return e, nil
}

// encapsulation sets the size and returns what was written.
func (e *encoder) encapsulation() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	if len(e.buf) > math.MaxInt32 {
		return nil, ErrTooLarge
	}
	binary.LittleEndian.PutUint32(e.buf, uint32(len(e.buf)))
	return e.buf, nil
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("encode: "+format, args...)
	}
}

// fields writes the required fields and then, in encoding 1.1, the optional
// ones in the order of their tags.
func (e *encoder) fields(fields []Field, values []any) (optionals bool) {
	var later []int
	for i, f := range fields {
		if f.Optional {
			if values[i] != nil {
				later = append(later, i)
			}
			continue
		}
		e.value(f.Type, values[i])
		if e.err != nil {
			e.err = fmt.Errorf("%s: %w", f.Name, e.err)
			return false
		}
	}
	if e.enc == Encoding10 {
		return false
	}
	slices.SortFunc(later, func(a, b int) int { return int(fields[a].Tag - fields[b].Tag) })
	for _, i := range later {
		e.optional(fields[i].Tag, fields[i].Type, values[i])
	}
	return len(later) > 0
}

// value writes a value of a type.
func (e *encoder) value(t *Type, v any) {
	if e.err != nil {
		return
	}
	ok := true
	switch t.Kind {
	case KindBool:
		var x bool
		if x, ok = v.(bool); ok {
			e.bool(x)
		}
	case KindByte:
		var x byte
		if x, ok = v.(byte); ok {
			e.buf = append(e.buf, x)
		}
	case KindShort:
		var x int16
		if x, ok = v.(int16); ok {
			e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(x))
		}
	case KindInt:
		var x int32
		if x, ok = v.(int32); ok {
			e.int(x)
		}
	case KindLong:
		var x int64
		if x, ok = v.(int64); ok {
			e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(x))
		}
	case KindFloat:
		var x float32
		if x, ok = v.(float32); ok {
			e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(x))
		}
	case KindDouble:
		var x float64
		if x, ok = v.(float64); ok {
			e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(x))
		}
	case KindString:
		var x string
		if x, ok = v.(string); ok {
			e.string(x)
		}
	case KindEnum:
		var x int32
		if x, ok = v.(int32); ok {
			e.enum(t.Enum, x)
		}
	case KindSequence:
		ok = e.sequence(t, v)
	case KindDictionary:
		ok = e.dictionary(t, v)
	case KindStruct:
		var x *Record
		if x, ok = v.(*Record); ok && x != nil {
			e.record(t.Struct, x)
		}
		ok = ok && x != nil
	case KindClass:
		var x *Object
		if x, ok = v.(*Object); ok || v == nil {
			e.reference(t.Class, x)
			ok = true
		}
	case KindProxy:
		var x *Proxy
		if x, ok = v.(*Proxy); ok || v == nil {
			e.proxy(x)
			ok = true
		}
	}
	if !ok {
		e.fail("%T is no value of %s %s", v, t.Kind, t.Name)
	}
}

func (e *encoder) bool(x bool) {
	b := byte(0)
	if x {
		b = 1
	}
	e.buf = append(e.buf, b)
}

func (e *encoder) int(x int32) { e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(x)) }

func (e *encoder) size(n int) {
	switch {
	case n < 255:
		e.buf = append(e.buf, byte(n))
	case n <= math.MaxInt32:
		e.buf = append(e.buf, 255)
		e.int(int32(n))
	default:
		e.fail("%d elements are too many", n)
	}
}

func (e *encoder) string(s string) {
	e.size(len(s))
	e.buf = append(e.buf, s...)
}

func (e *encoder) enum(t *Enum, v int32) {
	if _, ok := t.names[v]; !ok {
		e.fail("%d is no value of %s", v, t.ID)
		return
	}
	switch {
	case e.enc == Encoding11:
		e.size(int(v))
	case t.max <= math.MaxInt8:
		e.buf = append(e.buf, byte(v))
	case t.max <= math.MaxInt16:
		e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(v))
	default:
		e.int(v)
	}
}

func (e *encoder) record(s *Struct, r *Record) {
	if r.Struct != s || len(r.Values) != len(s.Fields) {
		e.fail("a record that is no %s", s.ID)
		return
	}
	e.fields(s.Fields, r.Values)
}

func (e *encoder) dictionary(t *Type, v any) bool {
	d, ok := v.(Dict)
	if !ok && v != nil {
		return false
	}
	e.size(len(d))
	for _, p := range d {
		e.value(t.Key, p.Key)
		e.value(t.Elem, p.Value)
	}
	return true
}

// sequence writes a sequence; nil stands for an empty one.
func (e *encoder) sequence(t *Type, v any) bool {
	if v == nil {
		e.size(0)
		return true
	}
	switch x := v.(type) {
	case []byte:
		e.size(len(x))
		e.buf = append(e.buf, x...)
		return t.Elem.Kind == KindByte
	case []bool:
		e.size(len(x))
		for _, b := range x {
			e.bool(b)
		}
		return t.Elem.Kind == KindBool
	case []int32:
		e.size(len(x))
		for _, n := range x {
			e.int(n)
		}
		return t.Elem.Kind == KindInt
	case []int64:
		e.size(len(x))
		for _, n := range x {
			e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(n))
		}
		return t.Elem.Kind == KindLong
	case []float64:
		e.size(len(x))
		for _, n := range x {
			e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(n))
		}
		return t.Elem.Kind == KindDouble
	case []string:
		e.size(len(x))
		for _, s := range x {
			e.string(s)
		}
		return t.Elem.Kind == KindString
	case []any:
		e.size(len(x))
		for _, item := range x {
			e.value(t.Elem, item)
		}
		return true
	}
	return false
}
