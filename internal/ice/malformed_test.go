package ice

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// node10 is the start of a reference to instance 1 with one batch.
func node10(slices ...string) []byte {
	return []byte("\xff\xff\xff\xff\x01\x01\x00\x00\x00" + strings.Join(slices, ""))
}

const (
	nodeID    = "\x00\x0c::demo::Node"
	nodeSlice = nodeID + "\x09\x00\x00\x00\x00\x00\x00\x00\x00" // name "", next nil
	lastSlice = "\x00\x0d::Ice::Object\x05\x00\x00\x00\x00"
)

func TestMalformed10(t *testing.T) {
	d := parse(t, shapes)
	good := node10(nodeSlice, lastSlice, "\x00")
	if _, err := d.DecodeParams(fieldsOf(d, "node"), encapsulate(Encoding10, good)); err != nil {
		t.Fatalf("what must be right is not: %v", err)
	}
	rows := map[string][]byte{
		"empty":              {},
		"positive reference": []byte("\x01\x00\x00\x00\x00"),
		"smallest reference": []byte("\x00\x00\x00\x80\x00"),
		"instance missing":   []byte("\xff\xff\xff\xff\x00"),
		"no end of batches":  node10(nodeSlice, lastSlice),
		"no last slice":      node10(nodeSlice, "\x00"),
		"instance 0":         []byte("\xff\xff\xff\xff\x01\x00\x00\x00\x00" + nodeSlice + lastSlice + "\x00"),
		"instance twice":     node10(nodeSlice, lastSlice, "\x01\x01\x00\x00\x00"+nodeSlice+lastSlice, "\x00"),
		"slice too short":    node10(nodeID+"\x03\x00\x00\x00", lastSlice, "\x00"),
		"slice too long":     node10(nodeID+"\xff\x00\x00\x00", lastSlice, "\x00"),
		"negative slice":     node10(nodeID+"\xff\xff\xff\xff", lastSlice, "\x00"),
		"type index 0":       node10("\x01\x00", lastSlice, "\x00"),
		"type index unknown": node10("\x01\x05", lastSlice, "\x00"),
		"type id too long":   node10("\x00\xf0x", lastSlice, "\x00"),
		"slice twice":        node10(nodeSlice, nodeSlice, lastSlice, "\x00"),
		"wrong class":        node10("\x00\x0d::demo::Empty\x04\x00\x00\x00", lastSlice, "\x00"),
		"two bytes too many": append(good[:len(good):len(good)], 0, 0),
		"batch too large":    []byte("\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x00\x00\x00"),
	}
	for name, body := range rows {
		_, err := d.DecodeParams(fieldsOf(d, "node"), encapsulate(Encoding10, body))
		var pe *ProtocolError
		if !errors.As(err, &pe) {
			t.Errorf("%s: got %v, want a protocol error", name, err)
		}
	}
	// One byte too many is what old peers send.
	if _, err := d.DecodeParams(fieldsOf(d, "node"), encapsulate(Encoding10, append(good, 0))); err != nil {
		t.Errorf("one byte too many: %v", err)
	}
}

func TestMalformed11(t *testing.T) {
	d := parse(t, shapes)
	id := "\x0c::demo::Node"
	rows := map[string]string{
		"nothing":                 "",
		"reference to nothing":    "\x02",
		"no type":                 "\x01\x20\x00\x00",
		"unknown type, compact":   "\x01\x21\x0a::demo::No",
		"type index 1 of 0":       "\x01\x22\x01\x00\x00",
		"no last slice":           "\x01\x01" + id + "\x00\x00\x20\x00",
		"leaf ends early":         "\x01\x21\x0c::demo::Leaf\x00\x00\x00\x00\x00",
		"slice length 3":          "\x01\x31" + id + "\x03\x00\x00\x00",
		"slice length too large":  "\x01\x31" + id + "\xff\x00\x00\x00",
		"table without a length":  "\x01\x29" + id + "\x00\x00\x00",
		"table too large":         "\x01\x39" + id + "\x06\x00\x00\x00\x00\x01\xff\xff\xff\xff\x7f",
		"reference out of table":  "\x01\x39" + id + "\x06\x00\x00\x00\x00\x02\x01\x02",
		"optional without an end": "\x01\x25" + id + "\x00\x00\x08",
		"byte too many":           "\x00\x00",
	}
	for name, body := range rows {
		_, err := d.DecodeParamsExact(fieldsOf(d, "node"), encapsulate(Encoding11, []byte(body)))
		var pe *ProtocolError
		if !errors.As(err, &pe) {
			t.Errorf("%s: got %v, want a protocol error", name, err)
		}
	}
	// A table whose only entry is the instance itself.
	self := "\x01\x39" + id + "\x06\x00\x00\x00\x00\x01\x01\x02"
	got, err := d.DecodeParamsExact(fieldsOf(d, "node"), encapsulate(Encoding11, []byte(self)))
	if err != nil || got[0].(*Object).Get("next") != got[0] {
		t.Errorf("got %v (%v), want an instance that refers to itself", got, err)
	}
}

func TestMalformedEncapsulations(t *testing.T) {
	d := parse(t, shapes)
	rows := map[string][]byte{
		"nil":           nil,
		"short":         {6, 0, 0, 0, 1},
		"size too big":  {7, 0, 0, 0, 1, 0},
		"size too low":  {5, 0, 0, 0, 1, 0},
		"encoding 1.2":  {6, 0, 0, 0, 1, 2},
		"encoding 2.0":  {6, 0, 0, 0, 2, 0},
		"negative size": {0xff, 0xff, 0xff, 0xff, 1, 0},
	}
	for name, data := range rows {
		var pe *ProtocolError
		if _, err := d.DecodeParams(nil, data); !errors.As(err, &pe) {
			t.Errorf("%s: got %v, want a protocol error", name, err)
		}
		if _, err := d.DecodeException(data); !errors.As(err, &pe) {
			t.Errorf("%s: exception: got %v, want a protocol error", name, err)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	ok := Request{ID: 1, Identity: Identity{"n", ""}, Operation: "o", Params: EmptyEncapsulation(Encoding10)}
	msg, err := ok.Encode()
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, b byte) []byte {
		c := append([]byte(nil), msg...)
		c[at] = b
		return c
	}
	rows := map[string][]byte{
		"magic":                change(0, 'i'),
		"protocol 2":           change(4, 2),
		"protocol encoding 2":  change(6, 2),
		"type 5":               change(8, 5),
		"compression 3":        change(9, 3),
		"size 13":              append(append([]byte(nil), msg[:10]...), 13, 0, 0, 0),
		"size negative":        append(append([]byte(nil), msg[:10]...), 0xff, 0xff, 0xff, 0xff),
		"size above the limit": append(append([]byte(nil), msg[:10]...), 1, 0, 1, 0),
		"request id":           change(17, 0xff),
		"name too long":        change(18, 200),
		"two facets":           change(21, 2),
		"mode 3":               change(24, 3),
		"context too large":    change(25, 100),
		"params too long":      change(26, 7),
		"params too short":     change(26, 5),
	}
	for name, m := range rows {
		_, err := ReadMessage(strings.NewReader(string(m)), 1<<16)
		var pe *ProtocolError
		if !errors.As(err, &pe) {
			t.Errorf("%s: got %v, want a protocol error", name, err)
		}
	}
}

// TestPromisedSizes checks that memory follows what came, not what a peer says
// is going to come.
func TestPromisedSizes(t *testing.T) {
	d := parse(t, shapes)
	huge := "\xff\xff\xff\xff\x7f"
	bodies := []string{huge, huge + strings.Repeat("\x00", 1000)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, body := range bodies {
		for id, typ := range d.types {
			if typ.Kind != KindSequence && typ.Kind != KindDictionary {
				continue
			}
			for _, enc := range encodings {
				fields := []Field{{Name: "x", Type: typ}}
				if _, err := d.DecodeParams(fields, encapsulate(enc, []byte(body))); err == nil {
					t.Errorf("%s: %d bytes hold 2 billion elements", id, len(body))
				}
			}
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("used %d bytes for nothing", used)
	}
}
