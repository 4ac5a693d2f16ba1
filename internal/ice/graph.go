package ice

import "slices"

// graph is the state of a decoder that has to do with class instances. They
// are created when they are first referred to, so that references need not be
// patched later, and checked at the end.
type graph struct {
	dense  []*Object         // instances by number, for the numbers in use
	sparse map[int32]*Object // those with numbers far from the rest

	unread int // instances mentioned that have not come

	types  []typeID // type ids by index, the first is 1
	checks []check
	loose  []*Object // instances of another shape, whose references may be wrong
	depth  int       // encoding 1.1: instances around the current one

	// indirect is the table that the references of the current slice point
	// into, in the sliced format; nil elsewhere.
	indirect []*Object
	sliced   bool // references go through indirect

	cells members // instances that are no objects yet

	objects []Object // free ones, allocated in blocks
	values  []any
}

// typeID is a type id of the message. The class is nil for those that are not
// defined here.
type typeID struct {
	id    string
	class *Class
}

// check is a reference whose instance was not yet read.
type check struct {
	object *Object
	class  *Class
}

const (
	objectBlock = 64
	valueBlock  = 256
)

// newObject returns a free object, without class and values.
func (g *graph) newObject() *Object {
	if len(g.objects) == 0 {
		g.objects = make([]Object, objectBlock)
	}
	o := &g.objects[0]
	g.objects = g.objects[1:]
	return o
}

// setClass makes o an instance of the class with zero values.
func (g *graph) setClass(o *Object, c *Class) {
	n := len(c.zero)
	if n > len(g.values) || g.values == nil { // Values must not be nil
		g.values = make([]any, max(valueBlock, n))
	}
	o.Class, o.Values = c, g.values[:n:n]
	g.values = g.values[n:]
	copy(o.Values, c.zero)
	for _, i := range c.fresh {
		o.Values[i] = c.all[i].Type.Zero()
	}
}

// read reports whether the instance itself has come, not only a reference.
func (o *Object) read() bool { return o.Values != nil }

// slot returns the instance of a number of encoding 1.0, a new one when it was
// not mentioned before.
func (g *graph) slot(id int32) *Object {
	i := int(id)
	old := len(g.dense)
	// Numbers are given in order, so that a gap is small. A peer that leaves
	// large ones must not make the table large.
	if i >= old && i > 2*old+objectBlock {
		o := g.sparse[id]
		if o == nil {
			if g.sparse == nil {
				g.sparse = make(map[int32]*Object)
			}
			o = g.fresh(id)
			g.sparse[id] = o
		}
		return o
	}
	if i >= old {
		g.dense = slices.Grow(g.dense, i+1-old)[:i+1]
		for k := old; k <= i && len(g.sparse) > 0; k++ {
			if o := g.sparse[int32(k)]; o != nil {
				g.dense[k] = o
				delete(g.sparse, int32(k))
			}
		}
	}
	if g.dense[i] == nil {
		g.dense[i] = g.fresh(id)
	}
	return g.dense[i]
}

// seen returns the instance of a number, nil when it was not mentioned.
func (g *graph) seen(id int32) *Object {
	if int(id) < len(g.dense) && g.dense[id] != nil {
		return g.dense[id]
	}
	return g.sparse[id]
}

// fresh returns an object for a number: one that is going to be read, or that
// was read already as a cell.
func (g *graph) fresh(id int32) *Object {
	o := g.newObject()
	if int(id) < len(g.cells.class) && g.cells.class[id] != nil {
		g.setClass(o, g.cells.class[id])
		o.Values[0] = g.cells.value[id]
	} else {
		g.unread++
	}
	return o
}

// typed requires that o, which stands where the class is declared, is an
// instance of it, now or as soon as it is known.
func (d *decoder) typed(o *Object, class *Class) {
	if o.Class == nil {
		d.checks = append(d.checks, check{o, class})
	} else if !o.Class.isA(class) {
		d.fail("%s where %s is expected", o.Class.ID, class.ID)
	}
}

// fits reports whether o was read and may stand where the class is declared.
func (o *Object) fits(class *Class) bool {
	if o.Class == nil {
		return o.read() && class == nil
	}
	return o.Class.isA(class)
}

// checkReferences looks at the references whose instances were not known when
// they were read.
func (d *decoder) checkReferences() {
	for _, c := range d.checks {
		if !c.object.fits(c.class) {
			d.fail("reference to an instance that is missing or of the wrong class")
			return
		}
	}
	for _, o := range d.loose {
		for i, f := range o.Class.all {
			o.Values[i] = tidy(f.Type, o.Values[i])
		}
	}
}

// tidy replaces the references in a value of uncertain shape that do not fit
// by nil.
func tidy(t *Type, v any) any {
	if !t.usesClasses {
		return v
	}
	switch x := v.(type) {
	case *Object:
		if !x.fits(t.Class) {
			return nil
		}
	case []any:
		for i := range x {
			x[i] = tidy(t.Elem, x[i])
		}
	case Dict:
		for i := range x {
			x[i].Value = tidy(t.Elem, x[i].Value)
		}
	case *Record:
		for i, f := range x.Struct.Fields {
			x.Values[i] = tidy(f.Type, x.Values[i])
		}
	}
	return v
}

// mismatch marks o as read from another definition. References that were
// taken from it since the given check are no longer required to fit.
func (d *decoder) mismatch(o *Object, since int) {
	d.checks = d.checks[:since]
	if !o.Mismatch {
		o.Mismatch = true
		d.loose = append(d.loose, o)
	}
}
