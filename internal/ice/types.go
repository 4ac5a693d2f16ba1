package ice

// Kind is the sort of a Slice type.
type Kind int

// The kinds of Slice types.
const (
	KindBool Kind = iota
	KindByte
	KindShort
	KindInt
	KindLong
	KindFloat
	KindDouble
	KindString
	KindEnum
	KindSequence
	KindDictionary
	KindStruct
	KindClass
	KindProxy
)

var kindNames = [...]string{
	"bool", "byte", "short", "int", "long", "float", "double", "string",
	"enum", "sequence", "dictionary", "struct", "class", "proxy",
}

// String returns the Slice word for the kind.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// Type is a Slice type. The pointers that do not belong to its kind are nil.
type Type struct {
	Kind      Kind
	Name      string     // the Slice word of a built-in type, else the type id
	Elem      *Type      // of a sequence, value of a dictionary
	Key       *Type      // of a dictionary
	Class     *Class     // nil for the root class ::Ice::Object
	Struct    *Struct    // of a struct
	Enum      *Enum      // of an enum
	Interface *Interface // of a proxy; nil for Object*

	minBytes    int  // smallest number of bytes a value takes on the wire
	usesClasses bool // a class stands somewhere in the type
	measured    bool
}

// UsesClasses reports whether a class type stands anywhere in t. In encoding
// 1.0 an encapsulation with such a type ends with the class instances.
func (t *Type) UsesClasses() bool { return t.usesClasses }

// Field is a data member, a parameter or a return value.
type Field struct {
	Name string
	Type *Type

	// Optional fields are written after the required ones, under their tag,
	// and only in encoding 1.1. The value of an absent one is nil.
	Optional bool
	Tag      int32
}

// Class is a Slice class, passed by value and able to form graphs.
type Class struct {
	ID     string
	Base   *Class  // nil when the class derives from ::Ice::Object
	Fields []Field // its own, in the order of the wire

	all   []Field
	index map[string]int
	depth int   // number of bases
	zero  []any // of all fields
	fresh []int // fields whose zero value must not be shared
}

// AllFields returns the fields of the class and its bases, root class first.
// The caller must not change the result.
func (c *Class) AllFields() []Field { return c.all }

// FieldIndex returns the place of a field in AllFields, or -1.
func (c *Class) FieldIndex(name string) int {
	if i, ok := c.index[name]; ok {
		return i
	}
	return -1
}

// IsA reports whether id names the class, one of its bases or ::Ice::Object.
func (c *Class) IsA(id string) bool {
	for ; c != nil; c = c.Base {
		if c.ID == id {
			return true
		}
	}
	return id == objectID
}

// isA is IsA for a known class; nil stands for ::Ice::Object.
func (c *Class) isA(base *Class) bool {
	if base == nil {
		return true
	}
	for c != nil && c.depth > base.depth {
		c = c.Base
	}
	return c == base
}

// firstOwn is the place of the first own field in AllFields.
func (c *Class) firstOwn() int { return len(c.all) - len(c.Fields) }

// Struct is a Slice struct.
type Struct struct {
	ID     string
	Fields []Field

	index map[string]int
}

// Enum is a Slice enumeration.
type Enum struct {
	ID     string
	Values map[string]int32

	names map[int32]string
	max   int32
}

// Name returns the enumerator of a value, or "".
func (e *Enum) Name(value int32) string { return e.names[value] }

// Exception is a Slice user exception.
type Exception struct {
	ID     string
	Base   *Exception
	Fields []Field // its own

	all         []Field
	index       map[string]int
	usesClasses bool
}

// AllFields returns the fields of the exception and its bases, root first.
func (e *Exception) AllFields() []Field { return e.all }

// IsA reports whether id names the exception or one of its bases.
func (e *Exception) IsA(id string) bool {
	for ; e != nil; e = e.Base {
		if e.ID == id {
			return true
		}
	}
	return false
}

func (e *Exception) firstOwn() int { return len(e.all) - len(e.Fields) }

// Mode is how often an operation may be executed for one call.
type Mode byte

// The operation modes. Nonmutating is the historic form of Idempotent: a
// server accepts it for every idempotent operation.
const (
	Normal      Mode = 0
	Nonmutating Mode = 1
	Idempotent  Mode = 2
)

// Operation is an operation of a Slice interface.
type Operation struct {
	Name      string
	Mode      Mode // the mode to send
	In        []Field
	Out       []Field // declared out parameters, in declaration order
	Return    *Type   // nil for void
	Throws    []*Exception
	Sliced    bool // results and exceptions use the sliced format of encoding 1.1
	Interface *Interface

	results []Field
}

// Results returns what a call gives back: the out parameters and then, when
// the operation is not void, the return value under the name "returnValue".
func (o *Operation) Results() []Field { return o.results }

// Throwable reports whether the operation declares e or a base of it.
func (o *Operation) Throwable(e *Exception) bool {
	for _, t := range o.Throws {
		if e.IsA(t.ID) {
			return true
		}
	}
	return false
}
