package ice

import (
	"context"
	"fmt"
	"math"
)

// Cells say what stands for an instance of a class in a row.
type Cells struct {
	// Member is for an instance of a class that has one member in all, of a
	// built-in type. It gets the class and the member.
	Member func(c *Class, member any) any
	// Object is for every other instance.
	Object func(o *Object) any
}

// CallRows is Session.Call for an operation whose only result are rows: a
// sequence of sequences of class instances. Where the encoding is 1.0, most
// instances are never made, which takes a fraction of the memory.
func CallRows[R ~[]any](ctx context.Context, s *Session, p *Proxy, op *Operation, args []any, context map[string]string, cells Cells) ([]R, error) {
	reply, err := s.request(ctx, p, op, args, context)
	if err != nil {
		return nil, err
	}
	if reply.Status != StatusOK {
		_, err := s.defs.DecodeReply(op, reply)
		return nil, err
	}
	rows, objects, err := DecodeRows[R](s.defs, op.results, reply.Params, cells)
	if err != nil {
		return nil, fmt.Errorf("result of %s: %w", op.Name, err)
	}
	if !objects {
		reply.Release()
	}
	return rows, nil
}

// DecodeRows decodes an encapsulation of rows, the only one of the fields. It
// reports whether Cells.Object was asked, to which objects may share the memory
// of data.
func DecodeRows[R ~[]any](d *Definitions, fields []Field, data []byte, cells Cells) (rows []R, objects bool, err error) {
	if len(fields) != 1 || !fields[0].Type.rows() {
		return nil, false, fmt.Errorf("decode: no rows")
	}
	dec, err := newDecoder(d, data, false)
	if err != nil {
		return nil, false, err
	}
	if dec.enc != Encoding10 {
		return anyRows[R](d, fields, data, cells)
	}
	n, refs := dec.references()
	rows = make([]R, n)
	dec.readCells(len(refs))
	if err := dec.finish(); err != nil {
		return nil, false, err
	}
	class := fields[0].Type.Elem.Elem.Class
	dec.pos = encapsulationHeader
	dec.rawSize()
	var block []any
	for i := range rows {
		k := dec.rowOf()
		dec.bytes(4 * k)
		if k > len(block) {
			block = make([]any, max(k, cellBlock))
		}
		rows[i], block = block[:k:k], block[k:]
		for j := range rows[i] {
			var object bool
			if rows[i][j], object = dec.cell(refs[j], class, cells); object {
				objects = true
			}
		}
		refs = refs[k:]
	}
	return rows, objects, dec.err
}

// cellBlock is how many cells are allocated at once.
const cellBlock = 1024

// rows reports whether a type is a sequence of sequences of a class.
func (t *Type) rows() bool {
	return t.Kind == KindSequence && t.Elem.Kind == KindSequence && t.Elem.Elem.Kind == KindClass
}

// anyRows is DecodeRows with the instances in between.
func anyRows[R ~[]any](d *Definitions, fields []Field, data []byte, cells Cells) (rows []R, objects bool, err error) {
	values, err := d.DecodeParams(fields, data)
	if err != nil {
		return nil, false, err
	}
	list, _ := values[0].([]any)
	rows = make([]R, len(list))
	for i, row := range list {
		in, _ := row.([]any)
		rows[i] = make(R, len(in))
		for j, v := range in {
			switch o, _ := v.(*Object); {
			case o == nil:
			case o.Class.member() != nil && len(o.Values) == 1:
				rows[i][j] = cells.Member(o.Class, o.Values[0])
			default:
				rows[i][j], objects = cells.Object(o), true
			}
		}
	}
	return rows, objects, nil
}

// member is the only field of the class when that is of a built-in type.
func (c *Class) member() *Field {
	if c == nil || len(c.all) != 1 || c.all[0].Optional || c.all[0].Type.Kind > KindString {
		return nil
	}
	return &c.all[0]
}

// members are the instances that were read without an Object for them, by
// number. The class is nil where there is none.
type members struct {
	class []*Class
	value []any
}

// references reads the rows, which hold the numbers of the instances.
func (d *decoder) references() (rows int, refs []int32) {
	rows = d.size(1)
	start, total := d.pos, 0
	for range rows {
		k := d.rowOf()
		d.bytes(4 * k)
		total += k
		if d.err != nil {
			return 0, nil
		}
	}
	d.pos = start
	refs = make([]int32, 0, total)
	for range rows {
		for range d.rowOf() {
			n := d.int()
			if n > 0 || n == math.MinInt32 {
				d.fail("reference %d", n)
				return 0, nil
			}
			refs = append(refs, -n)
		}
	}
	return rows, refs
}

// rowOf reads the length of a row, whose cells take four bytes each.
func (d *decoder) rowOf() int { return d.size(4) }

// readCells reads the batches of instances that follow.
func (d *decoder) readCells(refs int) {
	if d.err != nil {
		return
	}
	// Numbers are given in order; those beyond what can follow become objects.
	n := min(refs, (d.end-d.pos)/instanceBytes) + 1
	d.cells = members{make([]*Class, n), make([]any, n)}
	for d.err == nil {
		n := d.size(instanceBytes)
		if n == 0 {
			return
		}
		for range n {
			if !d.readMember() {
				d.instance10()
			}
			if d.err != nil {
				return
			}
		}
	}
}

// readMember reads an instance that has only one member and exactly the shape
// of its class. Otherwise it leaves everything as it was and returns false.
func (d *decoder) readMember() bool {
	pos, types := d.pos, len(d.types)
	id := d.int()
	if id > 0 && int(id) < len(d.cells.class) && d.cells.class[id] == nil && d.seen(id) == nil {
		if c, v, ok := d.memberOf(); ok && d.err == nil {
			d.cells.class[id], d.cells.value[id] = c, v
			return true
		}
	}
	d.pos, d.types, d.err = pos, d.types[:types], nil
	return false
}

// memberOf reads the slices of an instance.
func (d *decoder) memberOf() (c *Class, v any, ok bool) {
	for next := (*Class)(nil); d.err == nil; next = next.Base {
		t := d.typeID10()
		length := int(d.int()) // its own four bytes included
		end := d.pos + length - 4
		switch {
		case d.err != nil || end < d.pos || end > d.end:
			return nil, nil, false
		case t.id == objectID:
			d.pos = end
			return c, v, c != nil && next == nil
		case c == nil:
			if t.class.member() == nil {
				return nil, nil, false
			}
			c, next = t.class, t.class
		case t.class == nil || t.class != next:
			return nil, nil, false
		}
		if len(next.Fields) > 0 {
			v = d.value(next.Fields[0].Type)
		}
		if d.pos != end {
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// cell returns what stands for an instance, and whether it was an object.
func (d *decoder) cell(id int32, class *Class, cells Cells) (v any, object bool) {
	if id == 0 || d.err != nil {
		return nil, false
	}
	if int(id) < len(d.cells.class) && d.cells.class[id] != nil {
		c := d.cells.class[id]
		if !c.isA(class) {
			d.fail("%s where %s is expected", c.ID, class.ID)
			return nil, false
		}
		return cells.Member(c, d.cells.value[id]), false
	}
	o := d.seen(id)
	if o == nil || !o.fits(class) {
		d.fail("reference to an instance that is missing or of the wrong class")
		return nil, false
	}
	if o.Class.member() != nil && len(o.Values) == 1 {
		return cells.Member(o.Class, o.Values[0]), false
	}
	return cells.Object(o), true
}
