package ice

import (
	"fmt"
	"sort"
)

// objectID is the type id of the root of all classes and interfaces.
const objectID = "::Ice::Object"

// Interface is a Slice interface.
type Interface struct {
	ID         string
	Bases      []*Interface
	Operations []*Operation // its own

	ops map[string]*Operation
	ids []string
}

// Operation returns the operation of that name of the interface or of one of
// its bases, nil when there is none. The operations of ::Ice::Object are part
// of every interface.
func (i *Interface) Operation(name string) *Operation {
	if op, ok := i.ops[name]; ok {
		return op
	}
	for _, b := range i.Bases {
		if op := b.Operation(name); op != nil {
			return op
		}
	}
	return objectOperations[name]
}

// IDs returns the type ids of the interface and all its bases, sorted,
// ::Ice::Object among them. The caller must not change the result.
func (i *Interface) IDs() []string { return i.ids }

// IsA reports whether id names the interface, one of its bases or
// ::Ice::Object.
func (i *Interface) IsA(id string) bool {
	n := sort.SearchStrings(i.ids, id)
	return n < len(i.ids) && i.ids[n] == id
}

// objectOperations are what every Ice object answers. Ice sends them with the
// historic mode.
var objectOperations = func() map[string]*Operation {
	root := &Interface{ID: objectID, ids: []string{objectID}}
	ids := &Type{Kind: KindSequence, Name: "::Ice::StringSeq", Elem: builtin[KindString], minBytes: 1, measured: true}
	ops := []*Operation{
		{Name: "ice_ping"},
		{Name: "ice_isA", In: []Field{{Name: "id", Type: builtin[KindString]}}, Return: builtin[KindBool]},
		{Name: "ice_ids", Return: ids},
		{Name: "ice_id", Return: builtin[KindString]},
	}
	m := make(map[string]*Operation)
	for _, op := range ops {
		op.Mode = Nonmutating
		op.Interface = root
		if op.Return != nil {
			op.results = []Field{{Name: returnField, Type: op.Return}}
		}
		m[op.Name] = op
	}
	root.ops = m
	return m
}()

const returnField = "returnValue"

// builtin holds the types that need no definition, by kind.
var builtin = func() map[Kind]*Type {
	sizes := map[Kind]int{
		KindBool: 1, KindByte: 1, KindShort: 2, KindInt: 4, KindLong: 8,
		KindFloat: 4, KindDouble: 8, KindString: 1,
	}
	m := make(map[Kind]*Type)
	for k, n := range sizes {
		m[k] = &Type{Kind: k, Name: k.String(), minBytes: n, measured: true}
	}
	return m
}()

// Definitions is a set of Slice definitions. It does not change after
// ParseSlice and may be used by many goroutines.
type Definitions struct {
	classes    map[string]*Class
	structs    map[string]*Struct
	enums      map[string]*Enum
	exceptions map[string]*Exception
	interfaces map[string]*Interface
	types      map[string]*Type // named sequences and dictionaries
}

// Class returns the class with a type id such as "::demo::Shape", or nil.
func (d *Definitions) Class(id string) *Class { return d.classes[id] }

// Struct returns the struct with that type id, or nil.
func (d *Definitions) Struct(id string) *Struct { return d.structs[id] }

// Enum returns the enumeration with that type id, or nil.
func (d *Definitions) Enum(id string) *Enum { return d.enums[id] }

// Exception returns the exception with that type id, or nil.
func (d *Definitions) Exception(id string) *Exception { return d.exceptions[id] }

// Interface returns the interface with that type id, or nil.
func (d *Definitions) Interface(id string) *Interface { return d.interfaces[id] }

// Classes returns all classes, sorted by type id.
func (d *Definitions) Classes() []*Class {
	return sortedByID(d.classes, func(c *Class) string { return c.ID })
}

// Interfaces returns all interfaces, sorted by type id.
func (d *Definitions) Interfaces() []*Interface {
	return sortedByID(d.interfaces, func(i *Interface) string { return i.ID })
}

// Exceptions returns all exceptions, sorted by type id.
func (d *Definitions) Exceptions() []*Exception {
	return sortedByID(d.exceptions, func(e *Exception) string { return e.ID })
}

func sortedByID[T any](m map[string]T, id func(T) string) []T {
	all := make([]T, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	sort.Slice(all, func(i, j int) bool { return id(all[i]) < id(all[j]) })
	return all
}

// New returns an instance of a class with all fields at their zero value. It
// panics when there is no such class.
func (d *Definitions) New(classID string) *Object {
	c := d.classes[classID]
	if c == nil {
		panic(fmt.Sprintf("ice: no class %s", classID))
	}
	return c.New()
}

// NewRecord returns a value of a struct with all fields at their zero value.
// It panics when there is no such struct.
func (d *Definitions) NewRecord(structID string) *Record {
	s := d.structs[structID]
	if s == nil {
		panic(fmt.Sprintf("ice: no struct %s", structID))
	}
	return s.New()
}
