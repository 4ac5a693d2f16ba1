package store

import (
	"fmt"
	"sort"
	"strings"

	"omerods/internal/ice"
)

// Kind is the sort of a property.
type Kind int

// The kinds of properties, with the Go type of their values.
const (
	KindString      Kind = iota // string
	KindInt                     // int32
	KindLong                    // int64
	KindDouble                  // float64
	KindBool                    // bool
	KindTime                    // Time
	KindBytes                   // []byte
	KindStrings                 // []string
	KindQuantity                // Quantity
	KindNamedValues             // []NamedValue
	KindToOne                   // int64, the id of the target
	KindToMany                  // not stored; derived from the inverse
	KindDetails                 // not stored; a component of other properties
	KindPermissions             // int64, the permission bits
)

// Model is the set of classes.
type Model struct {
	Definitions *ice.Definitions
	classes     map[string]*Class
	sorted      []*Class
	referring   map[*Class][]*Property // by root class of the target
}

// Class is a model class.
type Class struct {
	Name      string // simple name: Image
	Java      string // qualified name of the entity: ome.model.core.Image
	Base      *Class // nil below IObject
	Root      *Class // topmost class; its table holds all subclasses
	Slice     *ice.Class
	Abstract  bool
	Global    bool // belongs to no owner and no group
	Immutable bool // has no version
	Enum      bool // an enumeration
	Link      bool // joins a parent and a child

	props   map[string]*Property // also the inherited ones
	own     []*Property
	stored  []*Property // parallel to Row.Values
	details map[string]*Property
	subs    []*Class    // direct subclasses
	ordered []*Property // ordered collections that hold the class
}

// Property is a member of a class.
type Property struct {
	Name     string
	Class    *Class // the class that declares it; nil for parts of Details
	Kind     Kind
	Required bool
	Target   *Class    // of to-one and to-many
	Inverse  *Property // of to-many: the to-one in Target that names this side
	Ordered  bool      // of to-many: elements have a position
	Unit     string    // of quantities: the class, such as Length
	Enum     *ice.Enum // of quantities: the enumeration of their units

	slot int // index into Row.Values, -1 when not there
	get  func(*Row) any
}

// ID, Version and Details are properties of every class.
var (
	idProp      = &Property{Name: "id", Kind: KindLong, slot: -1, get: func(r *Row) any { return r.ID }}
	versionProp = &Property{Name: "version", Kind: KindInt, slot: -1, get: func(r *Row) any { return r.Version }}
	detailsProp = &Property{Name: "details", Kind: KindDetails, slot: -1, get: func(*Row) any { return nil }}
)

// Class returns the class of that simple or Java name, nil when there is none.
func (m *Model) Class(name string) *Class {
	if c := m.classes[name]; c != nil {
		return c
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		if c := m.classes[name[i+1:]]; c != nil && c.Java == name {
			return c
		}
	}
	return nil
}

// Classes returns all classes, sorted by name.
func (m *Model) Classes() []*Class { return m.sorted }

// IsA reports whether c is base or derives from it.
func (c *Class) IsA(base *Class) bool {
	for ; c != nil; c = c.Base {
		if c == base {
			return true
		}
	}
	return false
}

// OwnerInOrder returns the ordered collection without which an object of the
// class cannot be, nil when there is none.
func (c *Class) OwnerInOrder() *Property {
	for ; c != nil; c = c.Base {
		for _, p := range c.ordered {
			if p.Inverse.Required {
				return p
			}
		}
	}
	return nil
}

// Property returns the member of that name, nil when there is none. It finds
// inherited members, id, version and details.
func (c *Class) Property(name string) *Property { return c.props[name] }

// Detail returns the part of Details of that name: owner, group,
// creationEvent, updateEvent, externalInfo, permissions. Global classes have
// only the last two, immutable ones no updateEvent.
func (c *Class) Detail(name string) *Property { return c.details[name] }

// SubclassProperty returns a member that only subclasses of c declare. Rows of
// other classes have null there. Where several subclasses have a member of the
// name and kind, the result reads each one's own; it has no index.
func (c *Class) SubclassProperty(name string) *Property {
	found := c.declaredBelow(name, nil)
	if len(found) == 0 {
		return nil
	}
	first := found[0]
	for _, p := range found[1:] {
		if p.Kind != first.Kind {
			return first
		}
	}
	if len(found) == 1 {
		return first
	}
	shared := *first
	shared.Class, shared.slot = nil, -1
	shared.get = func(r *Row) any { return r.Get(name) }
	return &shared
}

func (c *Class) declaredBelow(name string, found []*Property) []*Property {
	for _, s := range c.subs {
		for _, p := range s.own {
			if p.Name == name {
				found = append(found, p)
			}
		}
		found = s.declaredBelow(name, found)
	}
	return found
}

// Subclasses returns the direct subclasses.
func (c *Class) Subclasses() []*Class { return c.subs }

// Stored returns the properties that rows of the class have a value for,
// parallel to Row.Values.
func (c *Class) Stored() []*Property { return c.stored }

// Own returns the properties that the class itself declares.
func (c *Class) Own() []*Property { return c.own }

// All returns every declared property, those of the root class first.
func (c *Class) All() []*Property {
	if c.Base == nil {
		return c.own
	}
	return append(c.Base.All()[:len(c.Base.All()):len(c.Base.All())], c.own...)
}

// Stored reports whether rows carry a value for the property, in contrast to
// collections and parts of Details.
func (p *Property) Stored() bool { return p.slot >= 0 }

func (p *Property) String() string {
	if p.Class == nil {
		return p.Name
	}
	return p.Class.Name + "." + p.Name
}

// NewModel builds the model from the classes that derive from IObject.
func NewModel(defs *ice.Definitions) (*Model, error) {
	m := &Model{Definitions: defs, classes: make(map[string]*Class), referring: make(map[*Class][]*Property)}
	for _, s := range defs.Classes() {
		if s.ID != iObjectID && s.IsA(iObjectID) && strings.HasPrefix(s.ID, modelPrefix) {
			name := s.ID[len(modelPrefix):]
			if name == "Link" {
				continue // base of nothing that is stored
			}
			m.classes[name] = &Class{Name: name, Slice: s}
		}
	}
	for _, c := range m.classes {
		m.sorted = append(m.sorted, c)
	}
	sort.Slice(m.sorted, func(i, j int) bool { return m.sorted[i].Name < m.sorted[j].Name })
	for _, c := range m.sorted {
		if b := c.Slice.Base; b != nil && b.ID != iObjectID {
			if c.Base = m.classes[b.ID[len(modelPrefix):]]; c.Base != nil {
				c.Base.subs = append(c.Base.subs, c)
			}
		}
	}
	facts := parseSchema()
	for _, c := range m.sorted {
		if err := m.declare(c, facts); err != nil {
			return nil, err
		}
	}
	for _, c := range m.sorted {
		m.inherit(c)
	}
	for _, c := range m.sorted {
		if err := m.invert(c); err != nil {
			return nil, err
		}
	}
	for _, c := range m.sorted {
		for _, p := range c.own {
			if p.Kind == KindToOne {
				m.referring[p.Target.Root] = append(m.referring[p.Target.Root], p)
			}
		}
	}
	return m, nil
}

const (
	modelPrefix = "::omero::model::"
	iObjectID   = modelPrefix + "IObject"
)

type classFacts struct {
	pkg      string
	flags    string
	required map[string]bool
}

func parseSchema() map[string]classFacts {
	facts := make(map[string]classFacts)
	for line := range strings.Lines(schema) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		required := make(map[string]bool)
		for _, name := range f[3:] {
			required[name] = true
		}
		facts[f[1]] = classFacts{pkg: f[0], flags: f[2], required: required}
	}
	return facts
}

// declare fills in what the class itself says.
func (m *Model) declare(c *Class, facts map[string]classFacts) error {
	f, ok := facts[c.Name]
	if !ok {
		return fmt.Errorf("model class %s is unknown to the schema", c.Name)
	}
	c.Java = "ome.model." + f.pkg + "." + c.Name
	c.Global = strings.Contains(f.flags, "g")
	c.Abstract = strings.Contains(f.flags, "a")
	c.Enum = f.pkg == "enums"
	c.Immutable = c.Slice.FieldIndex("version") < 0
	c.Root = c
	for c.Root.Base != nil {
		c.Root = c.Root.Base
	}
	for _, field := range c.Slice.Fields {
		p := m.property(c, field)
		if p == nil {
			continue
		}
		p.Required = f.required[p.Name]
		c.own = append(c.own, p)
		delete(f.required, p.Name)
	}
	for name := range f.required {
		return fmt.Errorf("required member %s.%s does not exist", c.Name, name)
	}
	return nil
}
