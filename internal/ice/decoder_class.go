package ice

import "strings"

// reference reads what stands at the place of a class.
func (d *decoder) reference(class *Class) *Object {
	var o *Object
	switch {
	case d.enc == Encoding10:
		n := d.int()
		if n > 0 {
			d.fail("reference %d", n)
		}
		if n >= 0 || d.err != nil {
			return nil
		}
		if n == -n {
			d.fail("reference out of range")
			return nil
		}
		o = d.slot(-n)
		if d.unread*instanceBytes > len(d.buf)-d.pos {
			d.fail("more references than instances can follow")
			return nil
		}
	case d.sliced:
		n := d.rawSize()
		if n == 0 || d.err != nil {
			return nil
		}
		if n > len(d.indirect) {
			d.fail("reference %d into a table of %d", n, len(d.indirect))
			return nil
		}
		if o = d.indirect[n-1]; o == nil {
			return nil
		}
	default:
		if o = d.inline(); o == nil {
			return nil
		}
	}
	d.typed(o, class)
	return o
}

// instanceBytes is the least an instance takes in encoding 1.0: its number and
// the slice of ::Ice::Object.
const instanceBytes = 4 + 2 + 4 + 1

// pendingInstances reads the batches of instances that end an encapsulation of
// encoding 1.0.
func (d *decoder) pendingInstances() {
	for d.err == nil {
		n := d.size(instanceBytes)
		if n == 0 {
			return
		}
		for range n {
			d.instance10()
			if d.err != nil {
				return
			}
		}
	}
}

func (d *decoder) instance10() {
	id := d.int()
	if id <= 0 {
		d.fail("instance %d", id)
		return
	}
	o := d.slot(id)
	if o.read() {
		d.fail("instance %d came twice", id)
		return
	}
	d.unread--
	for next := (*Class)(nil); d.err == nil; {
		t := d.typeID10()
		length := int(d.int())
		if d.err != nil {
			return
		}
		if length < 4 || length-4 > d.end-d.pos {
			d.fail("slice of %d bytes", length)
			return
		}
		if t.id == objectID {
			d.bytes(length - 4)
			d.endChain(o, next)
			return
		}
		next = d.classSlice(o, t, next, d.pos+length-4, nil)
	}
}

// classSlice reads a slice of o whose end is known and returns the class that
// should come next. A slice that is not defined here, or not part of the
// chain, is skipped.
func (d *decoder) classSlice(o *Object, t typeID, next *Class, end int, optionals *bool) *Class {
	switch {
	case t.class == nil:
		o.Unknown = append(o.Unknown, t.id)
		d.pos = end
		return next
	case o.Class == nil:
		d.setClass(o, t.class)
	case next == nil || !next.isA(t.class):
		d.fail("slice of %s in an instance of %s", t.id, o.Class.ID)
		return nil
	case next != t.class:
		d.wrongShape(o, len(d.checks))
	}
	c := t.class
	first := c.firstOwn()
	d.members(o, c.Fields, o.Values[first:first+len(c.Fields)], end, optionals)
	return c.Base
}

// members reads the members of a slice that ends at a known place. What is
// missing keeps its zero value, what is left over is skipped.
func (d *decoder) members(o *Object, fields []Field, values []any, end int, optionals *bool) {
	outer, since := d.end, len(d.checks)
	d.end = end
	for i := range fields {
		if fields[i].Optional {
			continue
		}
		if d.pos == end && d.err == nil {
			d.wrongShape(o, since)
			break
		}
		v := d.value(fields[i].Type)
		if d.err != nil {
			if d.exact {
				return
			}
			d.err = nil
			d.pos = end
			d.wrongShape(o, since)
			break
		}
		values[i] = v
	}
	if optionals != nil && *optionals && d.pos < end && d.err == nil {
		d.optionals(fields, values, true)
	}
	if d.pos < end && d.err == nil {
		d.wrongShape(o, since)
	}
	d.pos, d.end = end, outer
}

// wrongShape notes that o was written from another definition of its class.
func (d *decoder) wrongShape(o *Object, since int) {
	if d.exact {
		d.fail("a class has another shape")
		return
	}
	d.mismatch(o, since)
}

// endChain ends an instance. The next class is the one whose slice did not
// come.
func (d *decoder) endChain(o *Object, next *Class) {
	if o.Class == nil {
		// Ice's readers keep such an instance in the sliced format alone.
		if d.exact && d.enc == Encoding10 {
			d.fail("no class of an instance is known: %s", strings.Join(o.Unknown, ", "))
		}
		o.Values = []any{}
	} else if next != nil {
		d.wrongShape(o, len(d.checks))
	}
}

// typeID10 reads a type id of encoding 1.0.
func (d *decoder) typeID10() typeID {
	if d.bool() {
		return d.typeIndex()
	}
	return d.newTypeID()
}

func (d *decoder) typeIndex() typeID {
	n := d.rawSize()
	if n < 1 || n > len(d.types) {
		d.fail("type index %d of %d", n, len(d.types))
		return typeID{}
	}
	return d.types[n-1]
}

// newTypeID reads a type id as a string, which gives it the next index.
func (d *decoder) newTypeID() typeID {
	b := d.bytes(d.size(1))
	t := typeID{}
	if c := d.defs.classes[string(b)]; c != nil {
		t.id, t.class = c.ID, c
	} else if string(b) == objectID {
		t.id = objectID
	} else {
		t.id = string(b)
	}
	d.types = append(d.types, t)
	return t
}

// inline reads an instance, or the number of one, in encoding 1.1.
func (d *decoder) inline() *Object {
	n := d.rawSize()
	switch {
	case n == 0 || d.err != nil:
		return nil
	case n == 1:
		return d.instance11()
	case n-2 >= len(d.dense):
		d.fail("reference %d of %d", n, len(d.dense)+1)
		return nil
	}
	return d.dense[n-2]
}

func (d *decoder) instance11() *Object {
	if d.depth++; d.depth > maxClassDepth {
		d.fail("class graph deeper than %d", maxClassDepth)
		return nil
	}
	o := d.newObject()
	d.dense = append(d.dense, o)
	table, sliced := d.indirect, d.sliced
	var next *Class
	for first := true; d.err == nil; first = false {
		flags := d.byte()
		next = d.slice11(o, flags, next, first)
		if flags&flagLast != 0 {
			break
		}
	}
	d.indirect, d.sliced = table, sliced
	d.depth--
	if d.err == nil {
		d.endChain(o, next)
	}
	return o
}

// slice11 reads a slice of an instance in encoding 1.1, without its flags, and
// returns the class that should come next.
func (d *decoder) slice11(o *Object, flags byte, next *Class, first bool) *Class {
	var t typeID
	switch flags & flagTypeCompact {
	case 0:
		if first || next == nil {
			d.fail("slice without a type")
			return nil
		}
		t = typeID{next.ID, next}
	case flagTypeString:
		t = d.newTypeID()
	case flagTypeIndex:
		t = d.typeIndex()
	case flagTypeCompact:
		d.rawSize()
		t.id = "compact id"
	}
	if d.err != nil {
		return nil
	}
	hasOptionals := flags&flagOptionals != 0
	if flags&flagLength != 0 {
		return d.sizedSlice11(o, t, flags, next)
	}
	if flags&flagIndirection != 0 {
		d.fail("indirection table of a slice without a length")
		return nil
	}
	switch {
	case t.class == nil:
		d.fail("class %s is not known here and cannot be skipped", t.id)
		return nil
	case o.Class == nil:
		d.setClass(o, t.class)
	case next != t.class:
		d.fail("slice of %s in an instance of %s", t.id, o.Class.ID)
		return nil
	}
	d.indirect, d.sliced = nil, false
	own := o.Values[t.class.firstOwn():len(t.class.all)]
	d.fields(t.class.Fields, own)
	if hasOptionals {
		d.optionals(t.class.Fields, own, true)
	}
	if flags&flagLast != 0 && t.class.Base != nil {
		d.fail("instance of %s ends early", o.Class.ID)
	}
	return t.class.Base
}

// sizedSlice11 reads a slice of the sliced format. The table of the instances
// that its members refer to stands behind it and is read first.
func (d *decoder) sizedSlice11(o *Object, t typeID, flags byte, next *Class) *Class {
	start, after := d.sliceTable(flags)
	if d.err != nil {
		return nil
	}
	hasOptionals := flags&flagOptionals != 0
	end := start.end
	d.pos = start.pos
	next = d.classSlice(o, t, next, end, &hasOptionals)
	d.pos = after
	return next
}

// span is a range of the message.
type span struct{ pos, end int }

// sliceTable reads the length of a slice and the indirection table that
// follows it. It returns where the members are, and the place after the table.
// References are then looked up in the table.
func (d *decoder) sliceTable(flags byte) (members span, after int) {
	length := int(d.int())
	if d.err == nil && (length < 4 || length-4 > d.end-d.pos) {
		d.fail("slice of %d bytes", length)
	}
	if d.err != nil {
		return span{}, 0
	}
	members = span{d.pos, d.pos + length - 4}
	d.pos = members.end
	var table []*Object
	if flags&flagIndirection != 0 {
		d.indirect, d.sliced = nil, false
		n := d.size(1)
		table = make([]*Object, 0, n)
		for range n {
			if d.err != nil {
				return span{}, 0
			}
			table = append(table, d.inline())
		}
	}
	d.indirect, d.sliced = table, true
	return members, d.pos
}
