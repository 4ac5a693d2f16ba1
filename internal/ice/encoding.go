package ice

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Encoding is a version of the Ice encoding. Each encapsulation names its own.
type Encoding struct{ Major, Minor byte }

// The encodings of the Ice protocol 1.0. In Encoding10 a reader can skip the
// parts of a class that it does not know; in the compact format of Encoding11
// it cannot.
var (
	Encoding10 = Encoding{1, 0}
	Encoding11 = Encoding{1, 1}
)

func (e Encoding) String() string { return fmt.Sprintf("%d.%d", e.Major, e.Minor) }

func (e Encoding) supported() bool { return e == Encoding10 || e == Encoding11 }

const (
	encapsulationHeader = 6
	maxClassDepth       = 100 // of class instances inlined in encoding 1.1
)

// Slice flags of encoding 1.1.
const (
	flagTypeString  = 0x01
	flagTypeIndex   = 0x02
	flagTypeCompact = 0x03 // also the mask of the kinds
	flagOptionals   = 0x04
	flagIndirection = 0x08
	flagLength      = 0x10
	flagLast        = 0x20

	optionalEnd = 0xff
)

// EncapsulationEncoding returns the encoding of an encapsulation.
func EncapsulationEncoding(data []byte) (Encoding, error) {
	if len(data) < encapsulationHeader {
		return Encoding{}, &ProtocolError{Text: "encapsulation too short"}
	}
	if n := int32(binary.LittleEndian.Uint32(data)); int64(n) != int64(len(data)) {
		return Encoding{}, &ProtocolError{Text: fmt.Sprintf("encapsulation of %d bytes says %d", len(data), n)}
	}
	return Encoding{data[4], data[5]}, nil
}

// EmptyEncapsulation returns the encapsulation of no values.
func EmptyEncapsulation(enc Encoding) []byte {
	return []byte{encapsulationHeader, 0, 0, 0, enc.Major, enc.Minor}
}

// EncodeParams encodes one value for each field and returns the whole
// encapsulation, its header included. In encoding 1.1 class instances take the
// compact format.
func (d *Definitions) EncodeParams(enc Encoding, fields []Field, values []any) ([]byte, error) {
	return encodeParams(enc, false, fields, values)
}

// EncodeParamsSliced is EncodeParams with the sliced format of encoding 1.1.
func (d *Definitions) EncodeParamsSliced(enc Encoding, fields []Field, values []any) ([]byte, error) {
	return encodeParams(enc, true, fields, values)
}

// EncodeParts is EncodeParams in two parts: where the last of the values is a
// large byte sequence that ends the encapsulation, its bytes are rest, which
// shares their memory; elsewhere rest is nil.
func (d *Definitions) EncodeParts(enc Encoding, fields []Field, values []any) (head, rest []byte, err error) {
	if n := len(values); n > 0 && n == len(fields) {
		rest, _ = values[n-1].([]byte)
	}
	plain := func(f Field) bool { return !f.Optional && !f.Type.usesClasses }
	if len(rest) < joinBytes || fields[len(fields)-1].Type.Kind != KindSequence || !all(fields, plain) {
		head, err = encodeParams(enc, false, fields, values)
		return head, nil, err
	}
	last := len(fields) - 1
	if fields[last].Type.Elem.Kind != KindByte {
		return nil, nil, fmt.Errorf("encode: %T is no value of %s", rest, fields[last].Type.Name)
	}
	if head, err = encodeParams(enc, false, fields[:last], values[:last]); err != nil {
		return nil, nil, err
	}
	e := &encoder{buf: head}
	e.size(len(rest))
	if len(e.buf)+len(rest) > math.MaxInt32 {
		return nil, nil, ErrTooLarge
	}
	binary.LittleEndian.PutUint32(e.buf, uint32(len(e.buf)+len(rest)))
	return e.buf, rest, e.err
}

func all(fields []Field, is func(Field) bool) bool {
	return !slices.ContainsFunc(fields, func(f Field) bool { return !is(f) })
}

func encodeParams(enc Encoding, sliced bool, fields []Field, values []any) ([]byte, error) {
	if len(fields) != len(values) {
		return nil, fmt.Errorf("encode: %d values for %d parameters", len(values), len(fields))
	}
	e, err := newEncoder(enc, sliced, sizeHint(values))
	if err != nil {
		return nil, err
	}
	e.fields(fields, values)
	if enc == Encoding10 {
		for _, f := range fields {
			if f.Type.usesClasses {
				e.pendingInstances()
				break
			}
		}
	}
	return e.encapsulation()
}

// sizeHint guesses the size of an encapsulation from large byte sequences, so
// that a chunk of a file is copied once.
func sizeHint(values []any) int {
	n := 128
	for _, v := range values {
		if b, ok := v.([]byte); ok {
			n += len(b) + 8
		}
	}
	return n
}

// DecodeParams decodes an encapsulation into one value for each field. Byte
// sequences share the memory of data.
//
// A class slice whose length is given may be longer or shorter than the
// definition; see Object.Mismatch.
func (d *Definitions) DecodeParams(fields []Field, data []byte) ([]any, error) {
	return d.decodeParams(fields, data, false)
}

// DecodeParamsExact is DecodeParams for a reader that demands the exact shape
// of each class that it knows, as Ice servers do.
func (d *Definitions) DecodeParamsExact(fields []Field, data []byte) ([]any, error) {
	return d.decodeParams(fields, data, true)
}

func (d *Definitions) decodeParams(fields []Field, data []byte, exact bool) ([]any, error) {
	dec, err := newDecoder(d, data, exact)
	if err != nil {
		return nil, err
	}
	values := make([]any, len(fields))
	dec.fields(fields, values)
	if dec.enc == Encoding10 {
		for _, f := range fields {
			if f.Type.usesClasses {
				dec.pendingInstances()
				break
			}
		}
	} else {
		dec.optionals(fields, values, false)
	}
	return values, dec.finish()
}

// EncodeException encodes a user exception with its values, parallel to
// AllFields, as an encapsulation. Sliced chooses the format in encoding 1.1.
func (d *Definitions) EncodeException(enc Encoding, sliced bool, ex *Exception, values []any) ([]byte, error) {
	if len(values) != len(ex.all) {
		return nil, fmt.Errorf("encode %s: %d values for %d fields", ex.ID, len(values), len(ex.all))
	}
	e, err := newEncoder(enc, sliced, 256)
	if err != nil {
		return nil, err
	}
	e.exception(ex, values)
	return e.encapsulation()
}

// DecodeException decodes the encapsulation of a user exception.
func (d *Definitions) DecodeException(data []byte) (*UserException, error) {
	dec, err := newDecoder(d, data, false)
	if err != nil {
		return nil, err
	}
	ex := dec.exception()
	if err := dec.finish(); err != nil {
		return nil, err
	}
	return ex, nil
}
