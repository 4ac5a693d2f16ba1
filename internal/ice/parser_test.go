package ice

import (
	"slices"
	"strings"
	"testing"
)

// parse reads one Slice file that must be right.
func parse(t testing.TB, src string) *Definitions {
	t.Helper()
	d, err := ParseSlice(map[string][]byte{"test.ice": []byte(src)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDefinitions(t *testing.T) {
	d := parse(t, `
#ifndef X // a comment
#include <other.ice>
[["java:package:x"]]
/* several
   lines */
module demo {
  module inner { class Deep; };
  interface Later;
  enum Colour { RED, GREEN = 7, BLUE };
  struct Point { long x; \double y; };
  exception Root { string reason; };
  exception Leaf extends Root { demo::Colour colour; };
  ["protected"] class Base { inner::Deep deep; Point where; };
  class Derived extends Base { ["meta"] sequenceOf all; };
  sequence<Base> sequenceOf;
  dictionary<Point, Later*> places;
  interface A { void first(); };
  interface B extends A { idempotent int second(int a, out string b, out optional(3) bool c) throws Leaf; };
  interface C extends A, ::demo::B {
    ["amd", "nonmutating"] idempotent Object* third(["cpp:x"] Object any);
    ["format:sliced"] Base fourth();
  };
  module inner { class Deep { Object any; }; };
};
#endif`)
	if c := d.Class("::demo::inner::Deep"); c == nil || len(c.Fields) != 1 {
		t.Errorf("got %+v, want Deep with one field", c)
	}
	if op := d.Interface("::demo::C").Operation("fourth"); op == nil || !op.Sliced {
		t.Errorf("got %+v, want fourth in the sliced format", op)
	}
}

func TestParsedShapes(t *testing.T) {
	d := parse(t, `
module demo {
  interface Later;
  enum Colour { RED, GREEN = 7, BLUE };
  struct Point { long x; double y; };
  exception Root { string reason; };
  exception Leaf extends Root { demo::Colour colour; };
  class Base { Point where; };
  sequence<Base> Bases;
  class Derived extends Base { Bases all; };
  dictionary<Point, Later*> Places;
  interface A { void first(); };
  interface B extends A { idempotent int second(int a, out string b, out optional(3) bool c) throws Leaf; };
  interface C extends A, ::demo::B { ["nonmutating"] idempotent Object* third(Object any); };
};`)
	if got := d.Enum("::demo::Colour").Values["BLUE"]; got != 8 {
		t.Errorf("BLUE is %d, want 8", got)
	}
	c := d.Class("::demo::Derived")
	if got := c.AllFields(); len(got) != 2 || got[0].Name != "where" || got[1].Name != "all" {
		t.Errorf("got fields %v, want where, all", got)
	}
	if !c.IsA("::demo::Base") || !c.IsA("::Ice::Object") || c.IsA("::demo::Root") {
		t.Error("IsA of Derived is wrong")
	}
	i := d.Interface("::demo::C")
	want := []string{"::Ice::Object", "::demo::A", "::demo::B", "::demo::C"}
	if !slices.Equal(i.IDs(), want) {
		t.Errorf("got ids %v, want %v", i.IDs(), want)
	}
	second := i.Operation("second")
	if second == nil || second.Mode != Idempotent || len(second.Results()) != 3 {
		t.Fatalf("got second %+v", second)
	}
	if r := second.Results(); r[0].Name != "b" || !r[1].Optional || r[1].Tag != 3 || r[2].Name != "returnValue" {
		t.Errorf("got results %+v", r)
	}
	if !second.Throwable(d.Exception("::demo::Leaf")) || second.Throwable(d.Exception("::demo::Root")) {
		t.Error("second throws Leaf and nothing else")
	}
	if third := i.Operation("third"); third.Mode != Nonmutating || third.Return.Kind != KindProxy {
		t.Errorf("got third %+v", third)
	}
	if i.Operation("fourth") != nil {
		t.Error("an operation that is not there was found")
	}
	o := d.New("::demo::Derived")
	other := d.New("::demo::Derived")
	o.Get("where").(*Record).Set("x", int64(1))
	if other.Get("where").(*Record).Get("x") != int64(0) {
		t.Error("two objects share a struct")
	}
	if d.Interface("::demo::Later") == nil {
		t.Error("an announced interface is missing")
	}
}

func TestParseErrors(t *testing.T) {
	rows := []struct{ src, want string }{
		{`module m { class A { Missing x; }; };`, "Missing is not defined"},
		{`module m { class A extends B { }; };`, "B is not defined"},
		{`module m { class A { int x; int x; }; };`, "two fields x"},
		{`module m { class A { int x; }; class B extends A { int x; }; };`, "two fields x"},
		{`module m { class A { }; class A { }; };`, "already defined"},
		{`module m { class A; };`, "announced but not defined"},
		{`module m { class A extends A { }; };`, "cycle"},
		{`module m { interface A extends B { }; interface B extends A { }; };`, "cycle"},
		{`module m { struct S { S s; }; };`, "contain each other"},
		{`module m { sequence<T> T; };`, "contain each other"},
		{`module m { struct S { }; };`, "no members"},
		{`module m { enum E { }; };`, "no enumerators"},
		{`module m { enum E { A, A }; };`, "bad enumerator"},
		{`module m { interface I { void f(); void f(); }; };`, "two operations f"},
		{`module m { interface I { void f(int a int b); }; };`, `"," expected`},
		{`module m { interface I { void f() throws X; }; };`, "X is not defined"},
		{`module m { dictionary<int> D; };`, "element types"},
		{`module m { class C { optional(1) C c; }; };`, "cannot be optional"},
		{`module m { local class C { }; };`, "local"},
		{`module m { class C { int x; };`, `not ""`},
		{`module m::n { };`, "no plain name"},
		{`module m { /* `, "comment without an end"},
		{`module m { ["x };`, "text without an end"},
		{`module m { ? };`, "unexpected character"},
		{strings.Repeat("module m {", 40), "nested too deeply"},
	}
	for _, r := range rows {
		_, err := ParseSlice(map[string][]byte{"f": []byte(r.src)})
		if err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: got %v, want %q", r.src, err, r.want)
		}
	}
}
