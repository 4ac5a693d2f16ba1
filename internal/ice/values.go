package ice

import (
	"bytes"
	"fmt"
	"slices"
)

// Pair is an entry of a dictionary.
type Pair struct{ Key, Value any }

// Dict is a dictionary value. The entries keep the order of the wire.
type Dict []Pair

// Get returns the value under a key.
func (d Dict) Get(key any) (any, bool) {
	for _, p := range d {
		if sameKey(p.Key, key) {
			return p.Value, true
		}
	}
	return nil, false
}

// sameKey compares dictionary keys: built-in types, enums, and structs of them.
func sameKey(a, b any) bool {
	switch x := a.(type) {
	case *Record:
		y, ok := b.(*Record)
		return ok && x.Struct == y.Struct && slices.EqualFunc(x.Values, y.Values, sameKey)
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case bool, byte, int16, int32, int64, float32, float64, string:
		return a == b
	}
	return false
}

// Object is an instance of a class. Two references to the same instance are
// the same pointer, also after decoding; graphs may have cycles.
type Object struct {
	Class  *Class // nil when not even one of its classes is known
	Values []any  // parallel to Class.AllFields()

	// Unknown holds the type ids the sender gave that are not defined here,
	// most derived first. What these slices held is lost.
	Unknown []string

	// Mismatch is set when a slice of a known class was longer or shorter on
	// the wire than its definition: the sender's definition is another one.
	// Fields that were not there have their zero value.
	Mismatch bool
}

// New returns an instance of the class with all fields at their zero value.
func (c *Class) New() *Object {
	o := &Object{Class: c, Values: slices.Clone(c.zero)}
	for _, i := range c.fresh {
		o.Values[i] = c.all[i].Type.Zero()
	}
	return o
}

// Get returns the value of a field. It panics when the class has no such
// field.
func (o *Object) Get(field string) any { return o.Values[o.at(field)] }

// Has reports whether the class of the object has the field.
func (o *Object) Has(field string) bool { return o.Class != nil && o.Class.FieldIndex(field) >= 0 }

// Set sets a field and returns the object. It panics when the class has no
// such field.
func (o *Object) Set(field string, v any) *Object {
	o.Values[o.at(field)] = v
	return o
}

// IsA reports whether the object is an instance of the class or of one derived
// from it.
func (o *Object) IsA(id string) bool { return o.Class.IsA(id) }

func (o *Object) at(field string) int {
	if o.Class == nil {
		panic(fmt.Sprintf("ice: field %s of an object of unknown class", field))
	}
	i := o.Class.FieldIndex(field)
	if i < 0 {
		panic(fmt.Sprintf("ice: %s has no field %s", o.Class.ID, field))
	}
	return i
}

// Record is a value of a struct.
type Record struct {
	Struct *Struct
	Values []any // parallel to Struct.Fields
}

// New returns a value of the struct with all fields at their zero value.
func (s *Struct) New() *Record {
	r := &Record{Struct: s, Values: make([]any, len(s.Fields))}
	for i, f := range s.Fields {
		r.Values[i] = f.Type.Zero()
	}
	return r
}

// Get returns the value of a field. It panics when the struct has no such
// field.
func (r *Record) Get(field string) any { return r.Values[r.at(field)] }

// Set sets a field and returns the record. It panics when the struct has no
// such field.
func (r *Record) Set(field string, v any) *Record {
	r.Values[r.at(field)] = v
	return r
}

func (r *Record) at(field string) int {
	i, ok := r.Struct.index[field]
	if !ok {
		panic(fmt.Sprintf("ice: %s has no field %s", r.Struct.ID, field))
	}
	return i
}

// Zero returns the zero value of the type: false, 0, "", an empty sequence or
// dictionary, a struct of zero values, or nil for classes and proxies.
func (t *Type) Zero() any {
	switch t.Kind {
	case KindBool:
		return false
	case KindByte:
		return byte(0)
	case KindShort:
		return int16(0)
	case KindInt, KindEnum:
		return int32(0)
	case KindLong:
		return int64(0)
	case KindFloat:
		return float32(0)
	case KindDouble:
		return float64(0)
	case KindString:
		return ""
	case KindSequence:
		return t.zeroSequence()
	case KindDictionary:
		return Dict{}
	case KindStruct:
		return t.Struct.New()
	}
	return nil
}

func (t *Type) zeroSequence() any {
	switch t.Elem.Kind {
	case KindBool:
		return []bool{}
	case KindByte:
		return []byte{}
	case KindInt:
		return []int32{}
	case KindLong:
		return []int64{}
	case KindDouble:
		return []float64{}
	case KindString:
		return []string{}
	}
	return []any{}
}
