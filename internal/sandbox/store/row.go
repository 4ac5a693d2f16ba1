package store

// Time is a point in time in milliseconds since 1970 UTC.
type Time int64

// Quantity is a number with a unit; the unit counts in the enumeration of the
// property (UnitsLength ...).
type Quantity struct {
	Value float64
	Unit  int32
}

// NamedValue is an entry of a list of key-value pairs.
type NamedValue struct{ Name, Value string }

// None stands for the absent id in the detail fields of a row.
const None int64 = -1

// Row is a stored object. Rows that came out of a transaction must not be
// changed; Clone gives a copy to change and Put back.
type Row struct {
	Class   *Class
	ID      int64
	Version int32
	Values  []any // parallel to Class.Stored(); nil is null

	// The details. Objects of global classes have None in all of them.
	Owner, Group     int64
	Created, Updated int64 // ids of events
	External         int64 // id of the ExternalInfo, or None
	Perm             int64 // permission bits; those of a group count for all in it

	// Position is the place in the ordered collection the object belongs to.
	// Inserting an object with None puts it behind the others.
	Position int32
}

// NewRow returns a row of a class with every property null.
func NewRow(c *Class) *Row {
	return &Row{
		Class: c, ID: None, Values: make([]any, len(c.stored)),
		Owner: None, Group: None, Created: None, Updated: None, External: None, Perm: DefaultPerm, Position: int32(None),
	}
}

// DefaultPerm are the permission bits of rows for which nobody chose others:
// rw---- in OMERO's notation.
const DefaultPerm int64 = -120

// Clone returns a copy that may be changed.
func (r *Row) Clone() *Row {
	c := *r
	c.Values = append([]any(nil), r.Values...)
	return &c
}

// Value returns the value of a property; null and properties of other classes
// give nil.
func (r *Row) Value(p *Property) any {
	if p.get == nil {
		return nil
	}
	return p.get(r)
}

// Get returns the value of the property of that name; nil when it is null or
// there is no such property.
func (r *Row) Get(name string) any {
	p := r.Class.props[name]
	if p == nil {
		return nil
	}
	return r.Value(p)
}

// Text returns a text property, "" when it is null.
func (r *Row) Text(name string) string {
	s, _ := r.Get(name).(string)
	return s
}

// Ref returns the target id of an association, None when it is null.
func (r *Row) Ref(name string) int64 {
	if id, ok := r.Get(name).(int64); ok {
		return id
	}
	return None
}

// SetValue stores a value of the Go type that Kind documents. Only rows that
// are not yet in the store may be changed.
func (r *Row) SetValue(p *Property, v any) { r.Values[p.slot] = v }
