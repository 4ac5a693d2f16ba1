package ice

import (
	"encoding/binary"
	"math"
)

// reference writes what stands at the place of a class: in encoding 1.0 a
// number, the instance follows at the end; in encoding 1.1 the instance
// itself, or its number when it was begun before.
func (e *encoder) reference(static *Class, o *Object) {
	if o == nil {
		if e.enc == Encoding10 {
			e.int(0)
		} else {
			e.size(0)
		}
		return
	}
	if o.Class == nil || len(o.Values) != len(o.Class.all) {
		e.fail("an object without a class or with missing values")
		return
	}
	if !o.Class.isA(static) {
		e.fail("%s is no %s", o.Class.ID, static.ID)
		return
	}
	switch {
	case e.enc == Encoding10:
		id, seen := e.ids[o]
		if !seen {
			id = e.register(o, 1)
			e.pending = append(e.pending, o)
		}
		e.int(-id)
	case e.indirect != nil:
		i, seen := e.indirect.index[o]
		if !seen {
			e.indirect.objects = append(e.indirect.objects, o)
			i = len(e.indirect.objects)
			e.indirect.index[o] = i
		}
		e.size(i)
	default:
		e.inline(o)
	}
}

// register gives an object the next number, the first one being first.
func (e *encoder) register(o *Object, first int32) int32 {
	if e.ids == nil {
		e.ids = make(map[*Object]int32)
	}
	id := int32(len(e.ids)) + first
	e.ids[o] = id
	return id
}

// pendingInstances writes the instances that were referred to, batch by batch,
// and the empty batch that ends an encapsulation of encoding 1.0.
func (e *encoder) pendingInstances() {
	for len(e.pending) > 0 && e.err == nil {
		batch := e.pending
		e.pending = nil
		e.size(len(batch))
		for _, o := range batch {
			e.int(e.ids[o])
			for c := o.Class; c != nil; c = c.Base {
				e.typeID10(c.ID)
				start := e.beginLength()
				e.fields(c.Fields, o.Values[c.firstOwn():len(c.all)])
				e.endLength(start)
			}
			e.typeID10(objectID)
			e.int(5)
			e.size(0) // the facet table of old
		}
	}
	e.size(0)
}

func (e *encoder) typeID10(id string) {
	if n, seen := e.typeIDs[id]; seen {
		e.bool(true)
		e.size(int(n))
		return
	}
	e.rememberTypeID(id)
	e.bool(false)
	e.string(id)
}

func (e *encoder) rememberTypeID(id string) {
	if e.typeIDs == nil {
		e.typeIDs = make(map[string]int32)
	}
	e.typeIDs[id] = int32(len(e.typeIDs)) + 1
}

// beginLength leaves room for a length that counts itself.
func (e *encoder) beginLength() int {
	e.int(0)
	return len(e.buf) - 4
}

func (e *encoder) endLength(start int) {
	if n := len(e.buf) - start; n <= math.MaxInt32 {
		binary.LittleEndian.PutUint32(e.buf[start:], uint32(n))
	} else {
		e.fail("a slice is too long")
	}
}

// inline writes an instance in encoding 1.1.
func (e *encoder) inline(o *Object) {
	if id, seen := e.ids[o]; seen {
		e.size(int(id))
		return
	}
	e.register(o, 2)
	e.size(1)
	if e.depth++; e.depth > maxClassDepth {
		e.fail("class graph deeper than %d", maxClassDepth)
		return
	}
	outer := e.indirect
	for c := o.Class; c != nil && e.err == nil; c = c.Base {
		e.slice11(c, o, c == o.Class)
	}
	e.indirect = outer
	e.depth--
}

func (e *encoder) slice11(c *Class, o *Object, first bool) {
	at := len(e.buf)
	flags := byte(0)
	e.buf = append(e.buf, 0)
	if first || e.sliced {
		if n, seen := e.typeIDs[c.ID]; seen {
			flags |= flagTypeIndex
			e.size(int(n))
		} else {
			flags |= flagTypeString
			e.rememberTypeID(c.ID)
			e.string(c.ID)
		}
	}
	if c.Base == nil {
		flags |= flagLast
	}
	flags |= e.members11(c.Fields, o.Values[c.firstOwn():len(c.all)])
	e.buf[at] = flags
}

// members11 writes what follows the type id of a slice in encoding 1.1, and
// returns the flags that describe it.
func (e *encoder) members11(fields []Field, values []any) (flags byte) {
	if !e.sliced {
		if e.fields(fields, values) {
			e.buf = append(e.buf, optionalEnd)
			flags |= flagOptionals
		}
		return flags
	}
	table := &indirection{index: make(map[*Object]int)}
	e.indirect = table
	start := e.beginLength()
	if e.fields(fields, values) {
		e.buf = append(e.buf, optionalEnd)
		flags |= flagOptionals
	}
	e.endLength(start)
	flags |= flagLength
	e.indirect = nil
	if len(table.objects) > 0 {
		flags |= flagIndirection
		e.size(len(table.objects))
		for _, o := range table.objects {
			e.inline(o)
		}
	}
	return flags
}

// exception writes a user exception.
func (e *encoder) exception(ex *Exception, values []any) {
	if e.enc == Encoding10 {
		e.bool(ex.usesClasses)
	}
	for x := ex; x != nil && e.err == nil; x = x.Base {
		own := values[x.firstOwn():len(x.all)]
		if e.enc == Encoding10 {
			e.string(x.ID)
			start := e.beginLength()
			e.fields(x.Fields, own)
			e.endLength(start)
			continue
		}
		at := len(e.buf)
		e.buf = append(e.buf, 0)
		e.string(x.ID)
		flags := e.members11(x.Fields, own)
		if x.Base == nil {
			flags |= flagLast
		}
		e.buf[at] = flags
	}
	if e.enc == Encoding10 && ex.usesClasses {
		e.pendingInstances()
	}
}

// Formats of optional values in encoding 1.1.
const (
	optionalF1    = 0
	optionalF2    = 1
	optionalF4    = 2
	optionalF8    = 3
	optionalSize  = 4
	optionalVSize = 5
	optionalFSize = 6
	optionalClass = 7
)

func optionalFormat(k Kind) byte {
	switch k {
	case KindBool, KindByte:
		return optionalF1
	case KindShort:
		return optionalF2
	case KindInt, KindFloat:
		return optionalF4
	case KindLong, KindDouble:
		return optionalF8
	case KindEnum:
		return optionalSize
	}
	return optionalVSize // string
}

// maxShortTag is the largest tag that fits into the byte of the format; the
// one above it says that the tag follows.
const maxShortTag = 29

func (e *encoder) optional(tag int32, t *Type, v any) {
	format := optionalFormat(t.Kind)
	if tag <= maxShortTag {
		e.buf = append(e.buf, byte(tag)<<3|format)
	} else {
		e.buf = append(e.buf, (maxShortTag+1)<<3|format)
		e.size(int(tag))
	}
	e.value(t, v)
}
