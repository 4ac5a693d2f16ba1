package ice

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

const shapes = `
module demo {
  enum Small { A, B = 127 };
  enum Middle { C, D = 300 };
  enum Large { E, F = 70000 };
  struct Key { long user; long group; };
  sequence<byte> Bytes; sequence<bool> Bools; sequence<int> Ints; sequence<long> Longs;
  sequence<short> Shorts; sequence<float> Floats; sequence<double> Doubles; sequence<string> Strings;
  sequence<Small> Smalls; sequence<Bytes> BytesSeq; sequence<Object> Objects;
  dictionary<Key, string> Table;
  class Node { string name; Node next; };
  class Leaf extends Node { int weight; Table table; };
  class Empty { };
  class Old { int first; };
  interface Any;
  exception Trouble { string reason; };
  exception Deep extends Trouble { int depth; Node node; };
  struct All {
    bool b; byte y; short s; int i; long l; float f; double d; string t;
    Small e1; Middle e2; Large e3; Key k;
    Bytes bs; Bools bo; Ints is; Longs ls; Shorts ss; Floats fs; Doubles ds; Strings ts;
    Smalls es; BytesSeq bb; Table tab; Any* p;
  };
  class Tagged { optional(1) int one; string name; optional(40) string far; };
  interface Service {
    void all(All a);
    void node(Node n);
    void objects(Objects o);
    idempotent string tagged(out optional(2) bool two, out optional(1) int one);
    void taggedIn(Tagged t);
  };
};`

var encodings = []Encoding{Encoding10, Encoding11}

// fieldsOf returns the parameters of an operation of the demo service.
func fieldsOf(d *Definitions, op string) []Field {
	return d.Interface("::demo::Service").Operation(op).In
}

func TestAllTypesThere(t *testing.T) {
	d := parse(t, shapes)
	all := d.NewRecord("::demo::All")
	key := d.NewRecord("::demo::Key").Set("user", int64(-1)).Set("group", int64(math.MaxInt64))
	values := []any{
		true, byte(200), int16(-2), int32(math.MinInt32), int64(math.MinInt64), float32(1.5), -2.25, "é\x00",
		int32(127), int32(300), int32(70000), key,
		[]byte{1, 2}, []bool{true, false}, []int32{-1}, []int64{5}, []any{int16(3)}, []any{float32(0.5)}, []float64{math.Inf(1)}, []string{"", "x"},
		[]any{int32(0), int32(127)}, []any{[]byte{9}, []byte{}}, Dict{{key, "value"}},
		&Proxy{Identity: Identity{"n", "c"}, Protocol: Encoding10, Encoding: Encoding10, AdapterID: "a"},
	}
	copy(all.Values, values)
	for _, enc := range encodings {
		data, err := d.EncodeParams(enc, fieldsOf(d, "all"), []any{all})
		if err != nil {
			t.Fatal(err)
		}
		back, err := d.DecodeParams(fieldsOf(d, "all"), data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back[0], all) {
			t.Errorf("%s: got %+v, want %+v", enc, back[0], all)
		}
		if v, ok := back[0].(*Record).Get("tab").(Dict).Get(key); !ok || v != "value" {
			t.Errorf("%s: got %v under the key", enc, v)
		}
	}
}

func TestZeroValuesThere(t *testing.T) {
	d := parse(t, shapes)
	for _, enc := range encodings {
		all := d.NewRecord("::demo::All")
		data, err := d.EncodeParams(enc, fieldsOf(d, "all"), []any{all})
		if err != nil {
			t.Fatal(err)
		}
		back, err := d.DecodeParams(fieldsOf(d, "all"), data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back[0], all) {
			t.Errorf("%s: got %+v, want %+v", enc, back[0], all)
		}
	}
}

func TestEncodeRefusesWrongValues(t *testing.T) {
	d := parse(t, shapes)
	other := parse(t, shapes)
	node, objects := fieldsOf(d, "node"), fieldsOf(d, "objects")
	rows := []struct {
		fields []Field
		value  any
		want   string
	}{
		{node, "text", "no value of class"},
		{node, d.New("::demo::Empty"), "is no ::demo::Node"},
		{node, other.New("::demo::Node"), "is no ::demo::Node"},
		{node, &Object{}, "without a class"},
		{node, d.New("::demo::Node").Set("name", 3), "int is no value of string"},
		{objects, []any{1}, "no value of class"},
		{objects, []string{}, "no value of sequence"},
		{fieldsOf(d, "all"), d.NewRecord("::demo::Key"), "no ::demo::All"},
		{fieldsOf(d, "all"), d.NewRecord("::demo::All").Set("e1", int32(5)), "5 is no value of ::demo::Small"},
		{fieldsOf(d, "all"), d.NewRecord("::demo::All").Set("p", &Proxy{}), "without a name"},
	}
	for _, r := range rows {
		for _, enc := range encodings {
			if _, err := d.EncodeParams(enc, r.fields, []any{r.value}); err == nil || !strings.Contains(err.Error(), r.want) {
				t.Errorf("%s: %v: got %v, want %q", enc, r.value, err, r.want)
			}
		}
	}
	if _, err := d.EncodeParams(Encoding10, node, nil); err == nil {
		t.Error("too few values were encoded")
	}
	if _, err := d.EncodeParams(Encoding{1, 2}, nil, nil); err == nil {
		t.Error("an unknown encoding was used")
	}
}

// chain returns a list of nodes that ends where it began.
func chain(d *Definitions, n int) *Object {
	first := d.New("::demo::Leaf").Set("name", "first").Set("weight", int32(7))
	last := first
	for range n - 1 {
		next := d.New("::demo::Node").Set("name", "next")
		last.Set("next", next)
		last = next
	}
	last.Set("next", first)
	return first
}

func TestCycles(t *testing.T) {
	d := parse(t, shapes)
	encoders := map[string]func(Encoding, []Field, []any) ([]byte, error){
		"compact": d.EncodeParams, "sliced": d.EncodeParamsSliced,
	}
	for name, encode := range encoders {
		for _, enc := range encodings {
			data, err := encode(enc, fieldsOf(d, "node"), []any{chain(d, 50)})
			if err != nil {
				t.Fatal(err)
			}
			back, err := d.DecodeParamsExact(fieldsOf(d, "node"), data)
			if err != nil {
				t.Fatalf("%s %s: %v", enc, name, err)
			}
			first := back[0].(*Object)
			if !first.IsA("::demo::Leaf") || first.Get("weight") != int32(7) {
				t.Errorf("%s %s: got %+v", enc, name, first)
			}
			last := first
			for range 50 {
				last = last.Get("next").(*Object)
			}
			if last != first {
				t.Errorf("%s %s: the list does not end where it began", enc, name)
			}
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	d := parse(t, shapes)
	deep := chain(d, maxClassDepth+1)
	if _, err := d.EncodeParams(Encoding10, fieldsOf(d, "node"), []any{deep}); err != nil {
		t.Errorf("encoding 1.0 has no depth: %v", err)
	}
	if _, err := d.EncodeParams(Encoding11, fieldsOf(d, "node"), []any{deep}); err == nil {
		t.Error("a graph was written that no peer accepts")
	}
	// name "" and a new instance behind it, ever deeper.
	body := []byte{1, 0x21, 12}
	body = append(body, "::demo::Node"...)
	for range 2 * maxClassDepth {
		body = append(body, 0, 1, 0x22, 1)
	}
	_, err := d.DecodeParams(fieldsOf(d, "node"), encapsulate(Encoding11, body))
	if err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("got %v, want an error about the depth", err)
	}
}

// encapsulate puts a header in front of a content.
func encapsulate(enc Encoding, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(body)+encapsulationHeader))
	return append(append(b, enc.Major, enc.Minor), body...)
}

func TestShapeMismatch(t *testing.T) {
	old := parse(t, shapes)
	longer := parse(t, strings.Replace(shapes, "class Node { string name; Node next; };",
		"class Node { string name; Node next; Node more; long extra; };", 1))
	shorter := parse(t, strings.Replace(shapes, "class Node { string name; Node next; };", "class Node { string name; };", 1))
	another := parse(t, strings.Replace(shapes, "class Node { string name; Node next; };", "class Node { int number; int other; };", 1))

	for _, sliced := range []bool{false, true} {
		enc := Encoding10
		if sliced {
			enc = Encoding11
		}
		for name, from := range map[string]*Definitions{"longer": longer, "shorter": shorter, "another": another} {
			o := from.New("::demo::Leaf").Set("weight", int32(3))
			if o.Has("name") {
				o.Set("name", "x")
			} else {
				o.Set("number", int32(-5)).Set("other", int32(-70))
			}
			data, err := from.EncodeParamsSliced(enc, fieldsOf(from, "node"), []any{o})
			if err != nil {
				t.Fatal(err)
			}
			back, err := old.DecodeParams(fieldsOf(old, "node"), data)
			if err != nil {
				t.Errorf("%s %s: %v", enc, name, err)
				continue
			}
			got := back[0].(*Object)
			if !got.Mismatch || got.Get("weight") != int32(3) || got.Get("next") != nil {
				t.Errorf("%s %s: got %+v, want a mismatch with weight 3", enc, name, got)
			}
			if o.Has("name") && got.Get("name") != "x" {
				t.Errorf("%s %s: got name %v, want x", enc, name, got.Get("name"))
			}
			if _, err := old.DecodeParamsExact(fieldsOf(old, "node"), data); err == nil {
				t.Errorf("%s %s: an exact reader accepts it", enc, name)
			}
		}
	}
}

func TestUnknownClasses(t *testing.T) {
	d := parse(t, shapes)
	more := parse(t, shapes+`module demo { class Stranger { Object any; }; class Twig extends Leaf { Node twin; }; };`)
	node := more.New("::demo::Node").Set("name", "kept")
	twig := more.New("::demo::Twig").Set("name", "twig").Set("twin", node).Set("next", node)
	stranger := more.New("::demo::Stranger").Set("any", more.New("::demo::Stranger"))
	for _, enc := range encodings {
		data, err := more.EncodeParamsSliced(enc, fieldsOf(more, "objects"), []any{[]any{stranger, twig}})
		if err != nil {
			t.Fatal(err)
		}
		back, err := d.DecodeParams(fieldsOf(d, "objects"), data)
		if err != nil {
			t.Fatalf("%s: %v", enc, err)
		}
		// A server of Ice knows what to do with the stranger in one format only.
		if _, err := d.DecodeParamsExact(fieldsOf(d, "objects"), data); (err == nil) != (enc == Encoding11) {
			t.Errorf("%s: an exact reader says %v", enc, err)
		}
		list := back[0].([]any)
		s, w := list[0].(*Object), list[1].(*Object)
		if s.Class != nil || len(s.Unknown) != 1 || s.Unknown[0] != "::demo::Stranger" || s.Has("any") {
			t.Errorf("%s: got stranger %+v", enc, s)
		}
		if !w.IsA("::demo::Leaf") || w.Get("next").(*Object).Get("name") != "kept" || w.Mismatch {
			t.Errorf("%s: got twig %+v", enc, w)
		}
		// A stranger is no node.
		data, err = more.EncodeParamsSliced(enc, fieldsOf(more, "objects"), []any{[]any{stranger}})
		if err != nil {
			t.Fatal(err)
		}
		wrong := []Field{{Name: "n", Type: &Type{Kind: KindSequence, Elem: fieldsOf(d, "node")[0].Type, minBytes: 1, usesClasses: true}}}
		var pe *ProtocolError
		if _, err := d.DecodeParams(wrong, data); !errors.As(err, &pe) {
			t.Errorf("%s: got %v, want a protocol error", enc, err)
		}
	}
}

func TestOptionals(t *testing.T) {
	d := parse(t, shapes)
	op := d.Interface("::demo::Service").Operation("tagged")
	for _, row := range [][]any{{nil, nil, "r"}, {true, nil, "r"}, {nil, int32(5), "r"}, {false, int32(-5), "r"}} {
		data, err := d.EncodeParams(Encoding11, op.Results(), row)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.DecodeParams(op.Results(), data)
		if err != nil || !reflect.DeepEqual(got, row) {
			t.Errorf("got %v (%v), want %v", got, err, row)
		}
		// A reader that knows none of them skips them all.
		if got, err := d.DecodeParams(op.Results()[2:], data); err != nil || got[0] != "r" {
			t.Errorf("skipping: got %v (%v)", got, err)
		}
	}
	o := d.New("::demo::Tagged").Set("name", "n").Set("far", "away")
	for _, encode := range []func(Encoding, []Field, []any) ([]byte, error){d.EncodeParams, d.EncodeParamsSliced} {
		data, err := encode(Encoding11, fieldsOf(d, "taggedIn"), []any{o})
		if err != nil {
			t.Fatal(err)
		}
		back, err := d.DecodeParamsExact(fieldsOf(d, "taggedIn"), data)
		if err != nil {
			t.Fatal(err)
		}
		got := back[0].(*Object)
		if got.Get("far") != "away" || got.Get("one") != nil || got.Get("name") != "n" {
			t.Errorf("got %+v", got)
		}
	}
}

func TestExceptionsOfUnknownTypes(t *testing.T) {
	d := parse(t, shapes)
	more := parse(t, shapes+`module demo { exception Deeper extends Deep { string text; Node other; }; exception Alien { int x; }; };`)
	deeper := more.Exception("::demo::Deeper")
	node := more.New("::demo::Node").Set("name", "n")
	values := []any{"why", int32(4), node, "text", node}
	for _, enc := range encodings {
		data, err := more.EncodeException(enc, true, deeper, values)
		if err != nil {
			t.Fatal(err)
		}
		ex, err := d.DecodeException(data)
		if err != nil {
			t.Fatalf("%s: %v", enc, err)
		}
		if len(ex.IDs) != 3 || ex.IDs[0] != "::demo::Deeper" || ex.Exception.ID != "::demo::Deep" ||
			!ex.IsA("::demo::Deeper") || !ex.IsA("::demo::Trouble") || ex.IsA("::demo::Alien") {
			t.Errorf("%s: got %+v", enc, ex)
		}
		if ex.Get("depth") != int32(4) || ex.Get("node").(*Object).Get("name") != "n" || ex.Get("text") != nil {
			t.Errorf("%s: got values %v", enc, ex.Values)
		}
		if !strings.Contains(ex.Error(), "why") {
			t.Errorf("%s: got text %q", enc, ex.Error())
		}
		data, err = more.EncodeException(enc, true, more.Exception("::demo::Alien"), []any{int32(1)})
		if err != nil {
			t.Fatal(err)
		}
		if ex, err = d.DecodeException(data); err != nil || ex.Exception != nil || ex.IDs[0] != "::demo::Alien" {
			t.Errorf("%s: got %+v (%v), want an exception without a type", enc, ex, err)
		}
	}
}
