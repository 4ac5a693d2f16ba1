package tables

import (
	"bytes"
	"encoding/binary"
)

// Classes of types.
const (
	classFixed     = 0
	classFloat     = 1
	classTime      = 2
	classString    = 3
	classBits      = 4
	classOpaque    = 5
	classCompound  = 6
	classReference = 7
	classEnum      = 8
	classVariable  = 9
	classArray     = 10
)

// datatype is the form of an element.
type datatype struct {
	class   int
	size    int // bytes
	order   binary.ByteOrder
	members []member // of a compound
}

// member is a field of a compound.
type member struct {
	name   string
	offset int
	kind   *datatype
}

func (t *datatype) member(name string) *member {
	for i := range t.members {
		if t.members[i].name == name {
			return &t.members[i]
		}
	}
	return nil
}

// mostNested is how deep types may lie in each other.
const mostNested = 8

// parseType reads a type and returns what is behind it.
func parseType(b []byte, depth int) (*datatype, []byte, error) {
	if len(b) < 8 || depth > mostNested {
		return nil, nil, format("a type cut off")
	}
	version, bits := int(b[0]>>4), b[1:4]
	t := &datatype{class: int(b[0] & 15), size: int(le.Uint32(b[4:])), order: binary.LittleEndian}
	if bits[0]&1 != 0 {
		t.order = binary.BigEndian
	}
	if t.size < 0 || t.size > mostBytes {
		return nil, nil, format("a type of %d bytes", t.size)
	}
	b = b[8:]
	skip := 0
	var err error
	switch t.class {
	case classFixed, classBits:
		skip = 4
	case classFloat:
		skip = 12
	case classTime:
		skip = 2
	case classString, classReference:
	case classOpaque:
		skip = int(bits[0])
	case classCompound:
		return t.compound(b, version, int(bits[0])|int(bits[1])<<8, depth)
	case classEnum:
		b, err = enum(b, version, int(bits[0])|int(bits[1])<<8, depth)
	case classVariable:
		_, b, err = parseType(b, depth+1)
	case classArray:
		if len(b) < 4 {
			return nil, nil, format("a type cut off")
		}
		n := int(b[0])
		head := 1 + 4*n
		if version < 3 {
			head = 4 + 8*n
		}
		if head > len(b) {
			return nil, nil, format("a type cut off")
		}
		_, b, err = parseType(b[head:], depth+1)
	default:
		return nil, nil, format("a type of class %d", t.class)
	}
	if err != nil {
		return nil, nil, err
	}
	if skip > len(b) {
		return nil, nil, format("a type cut off")
	}
	return t, b[skip:], nil
}

// compound reads the members of a compound.
func (t *datatype) compound(b []byte, version, count, depth int) (*datatype, []byte, error) {
	for range count {
		name, rest, err := typeName(b, version)
		if err != nil {
			return nil, nil, err
		}
		m := member{name: name}
		width := 4
		if version >= 3 {
			width = bytesFor(t.size)
		}
		skip := width
		if version == 1 {
			skip = 4 + 28 // dimensions of what was an array once
		}
		if len(rest) < skip {
			return nil, nil, format("a type cut off")
		}
		m.offset = int(number(rest[:width]))
		if version == 1 && rest[4] != 0 {
			return nil, nil, format("the column %s is an array of an old kind", name)
		}
		if m.kind, b, err = parseType(rest[skip:], depth+1); err != nil {
			return nil, nil, err
		}
		if m.offset < 0 || m.offset > t.size-m.kind.size {
			return nil, nil, format("the column %s is outside of its row", name)
		}
		t.members = append(t.members, m)
	}
	return t, b, nil
}

// bytesFor is how many bytes offsets in so many bytes need.
func bytesFor(size int) int {
	n := 1
	for size >>= 8; size > 0; size >>= 8 {
		n++
	}
	return n
}

// typeName reads the name of a member; before version 3 zeros fill it up to a
// multiple of eight bytes.
func typeName(b []byte, version int) (string, []byte, error) {
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return "", nil, format("a type cut off")
	}
	end := n + 1
	if version < 3 {
		end = (n/8 + 1) * 8
	}
	if end > len(b) {
		return "", nil, format("a type cut off")
	}
	return string(b[:n]), b[end:], nil
}

// enum passes over the base type, the names and the values of an enumeration.
func enum(b []byte, version, count, depth int) ([]byte, error) {
	base, b, err := parseType(b, depth+1)
	if err != nil {
		return nil, err
	}
	for range count {
		if _, b, err = typeName(b, version); err != nil {
			return nil, err
		}
	}
	if len(b) < count*base.size {
		return nil, format("a type cut off")
	}
	return b[count*base.size:], nil
}
