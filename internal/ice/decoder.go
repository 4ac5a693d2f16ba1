package ice

import (
	"encoding/binary"
	"fmt"
	"math"
)

// decoder reads one encapsulation, or the body of a message. The first error
// stays; every read after it returns a zero value.
type decoder struct {
	defs  *Definitions
	buf   []byte
	pos   int
	end   int // what is readable now: the end of the encapsulation or slice
	enc   Encoding
	exact bool
	err   error

	graph // the class instances
}

// newDecoder starts reading an encapsulation.
func newDecoder(defs *Definitions, data []byte, exact bool) (*decoder, error) {
	enc, err := EncapsulationEncoding(data)
	if err != nil {
		return nil, err
	}
	if !enc.supported() {
		return nil, &ProtocolError{Text: fmt.Sprintf("encoding %s is not supported", enc)}
	}
	return &decoder{defs: defs, buf: data, pos: encapsulationHeader, end: len(data), enc: enc, exact: exact}, nil
}

// finish checks that nothing is left and that all references fit.
func (d *decoder) finish() error {
	left := d.end - d.pos
	// Old peers of encoding 1.0 leave one byte too many.
	if d.err == nil && (left > 1 || left == 1 && d.enc != Encoding10) {
		d.fail("%d bytes too many", left)
	}
	if d.err == nil {
		d.checkReferences()
	}
	return d.err
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = &ProtocolError{Text: fmt.Sprintf(format, args...)}
	}
}

// bytes returns the next n bytes, which share the memory of the message.
func (d *decoder) bytes(n int) []byte {
	if d.err != nil {
		return nil
	}
	if n < 0 || n > d.end-d.pos {
		d.fail("%d bytes wanted, %d left", n, d.end-d.pos)
		return nil
	}
	b := d.buf[d.pos : d.pos+n : d.pos+n]
	d.pos += n
	return b
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) bool() bool { return d.byte() != 0 }

func (d *decoder) short() int16 {
	if b := d.bytes(2); b != nil {
		return int16(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (d *decoder) int() int32 {
	if b := d.bytes(4); b != nil {
		return int32(binary.LittleEndian.Uint32(b))
	}
	return 0
}

func (d *decoder) long() int64 {
	if b := d.bytes(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// rawSize reads a number in the form of a size.
func (d *decoder) rawSize() int {
	n := int(d.byte())
	if n == 255 {
		n = int(d.int())
		if n < 0 {
			d.fail("negative size")
			return 0
		}
	}
	return n
}

// size reads the number of elements that follow. Each takes at least
// elementBytes, so that a size that the message cannot hold is refused before
// memory is set aside for it.
func (d *decoder) size(elementBytes int) int {
	n := d.rawSize()
	if n > (d.end-d.pos)/elementBytes {
		d.fail("%d elements do not fit into %d bytes", n, d.end-d.pos)
		return 0
	}
	return n
}

func (d *decoder) string() string { return string(d.bytes(d.size(1))) }

// fields reads the required fields; optional ones become nil.
func (d *decoder) fields(fields []Field, values []any) {
	for i := range fields {
		if d.err != nil {
			return
		}
		if fields[i].Optional {
			values[i] = nil
			continue
		}
		values[i] = d.value(fields[i].Type)
	}
}

// Values of empty collections, shared so that many of them take no memory.
var (
	emptyBytes   any = []byte{}
	emptyBools   any = []bool{}
	emptyInts    any = []int32{}
	emptyLongs   any = []int64{}
	emptyDoubles any = []float64{}
	emptyStrings any = []string{}
	emptyList    any = []any{}
	emptyDict    any = Dict{}
)

func (d *decoder) value(t *Type) any {
	switch t.Kind {
	case KindBool:
		return d.bool()
	case KindByte:
		return d.byte()
	case KindShort:
		return d.short()
	case KindInt:
		return d.int()
	case KindLong:
		return d.long()
	case KindFloat:
		return math.Float32frombits(uint32(d.int()))
	case KindDouble:
		return math.Float64frombits(uint64(d.long()))
	case KindString:
		return d.string()
	case KindEnum:
		return d.enum(t.Enum)
	case KindSequence:
		return d.sequence(t.Elem)
	case KindDictionary:
		return d.dictionary(t)
	case KindStruct:
		r := &Record{Struct: t.Struct, Values: make([]any, len(t.Struct.Fields))}
		d.fields(t.Struct.Fields, r.Values)
		return r
	case KindClass:
		// An untyped nil, not a nil *Object, stands for no instance.
		if o := d.reference(t.Class); o != nil {
			return o
		}
	case KindProxy:
		if p := d.proxy(); p != nil {
			return p
		}
	}
	return nil
}

func (d *decoder) enum(e *Enum) int32 {
	var v int32
	switch {
	case d.enc == Encoding11:
		v = int32(d.rawSize())
	case e.max <= math.MaxInt8:
		v = int32(d.byte())
	case e.max <= math.MaxInt16:
		v = int32(d.short())
	default:
		v = d.int()
	}
	if v < 0 || v > e.max {
		d.fail("%d is no value of %s", v, e.ID)
		return 0
	}
	return v
}

func (d *decoder) dictionary(t *Type) any {
	n := d.size(t.Key.minBytes + t.Elem.minBytes)
	if n == 0 {
		return emptyDict
	}
	dict := make(Dict, n)
	for i := range dict {
		if d.err != nil {
			return emptyDict
		}
		dict[i] = Pair{d.value(t.Key), d.value(t.Elem)}
	}
	return dict
}

func (d *decoder) sequence(elem *Type) any {
	n := d.size(elem.minBytes)
	switch elem.Kind {
	case KindByte:
		if n == 0 {
			return emptyBytes
		}
		return d.bytes(n)
	case KindBool:
		return collect(n, emptyBools, d.bool)
	case KindInt:
		return collect(n, emptyInts, d.int)
	case KindLong:
		return collect(n, emptyLongs, d.long)
	case KindDouble:
		return collect(n, emptyDoubles, func() float64 { return math.Float64frombits(uint64(d.long())) })
	case KindString:
		return collect(n, emptyStrings, d.string)
	}
	if n == 0 {
		return emptyList
	}
	list := make([]any, n)
	for i := range list {
		if d.err != nil {
			return emptyList
		}
		list[i] = d.value(elem)
	}
	return list
}

func collect[T any](n int, empty any, read func() T) any {
	if n == 0 {
		return empty
	}
	all := make([]T, n)
	for i := range all {
		all[i] = read()
	}
	return all
}

// optionals reads the optional fields that are there, in encoding 1.1: to the
// end of the encapsulation, or inside a slice to the end marker. Those with
// unknown tags are skipped.
func (d *decoder) optionals(fields []Field, values []any, inSlice bool) {
	for d.err == nil && (inSlice || d.pos < d.end) {
		head := d.byte()
		if inSlice && head == optionalEnd {
			return
		}
		tag, format := int(head>>3), head&7
		if tag == maxShortTag+1 {
			tag = d.rawSize()
		}
		known := false
		for i := range fields {
			f := &fields[i]
			if f.Optional && int(f.Tag) == tag && optionalFormat(f.Type.Kind) == format {
				values[i] = d.value(f.Type)
				known = true
				break
			}
		}
		if !known {
			d.skipOptional(format)
		}
	}
}

func (d *decoder) skipOptional(format byte) {
	switch format {
	case optionalF1, optionalF2, optionalF4, optionalF8:
		d.bytes(1 << format)
	case optionalSize:
		d.rawSize()
	case optionalVSize:
		d.bytes(d.rawSize())
	case optionalFSize:
		d.bytes(int(d.int()))
	case optionalClass:
		d.reference(nil)
	}
}
