//go:build peer

package omeropy

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// definitions are what definitions.py prints.
type definitions struct {
	Classes    map[string]classDefinition
	Structs    map[string][][2]string
	Enums      map[string]map[string]int32
	Exceptions map[string]classDefinition
	Interfaces map[string]struct {
		Bases      []string
		Operations map[string]operationDefinition
	}
}

type classDefinition struct {
	Base   *string
	Fields [][2]string
}

type operationDefinition struct {
	Mode    string
	Sliced  bool
	In, Out []string
	Return  *string
	Throws  []string
}

// TestDefinitions compares each of our Slice definitions with the one that
// omero-py was generated from: the same members in the same order, the same
// parameters, modes and exceptions. A difference would put wrong bytes on the
// wire.
func TestDefinitions(t *testing.T) {
	var theirs definitions
	// It listens while omero-py is loaded, and needs a process where it is not.
	path, err := filepath.Abs("definitions.py")
	if err != nil {
		t.Fatal(err)
	}
	text := newPerson(t, "ada").must("python", path)
	if err := json.Unmarshal([]byte(text), &theirs); err != nil {
		t.Fatal(err)
	}
	ours := slice.Definitions()
	for _, c := range ours.Classes() {
		theirClass, ok := theirs.Classes[c.ID]
		if !ok {
			t.Errorf("omero-py has no class %s", c.ID)
			continue
		}
		base := "::Ice::Object"
		if c.Base != nil {
			base = c.Base.ID
		}
		same(t, c.ID+" base", base, deref(theirClass.Base, "::Ice::Object"))
		same(t, c.ID, spellFields(c.Fields), theirClass.Fields)
	}
	for _, e := range ours.Exceptions() {
		theirException, ok := theirs.Exceptions[e.ID]
		if !ok {
			t.Errorf("omero-py has no exception %s", e.ID)
			continue
		}
		base := ""
		if e.Base != nil {
			base = e.Base.ID
		}
		same(t, e.ID+" base", base, deref(theirException.Base, ""))
		same(t, e.ID, spellFields(e.Fields), theirException.Fields)
	}
	operations := 0
	for _, i := range ours.Interfaces() {
		their, ok := theirs.Interfaces[i.ID]
		if !ok {
			t.Errorf("omero-py has no interface %s", i.ID)
			continue
		}
		for _, b := range i.Bases {
			if !slices.Contains(their.Bases, b.ID) {
				t.Errorf("%s: got base %s, want one of %v", i.ID, b.ID, their.Bases)
			}
		}
		for _, op := range i.Operations {
			operations++
			theirOp, ok := their.Operations[op.Name]
			if !ok {
				t.Errorf("omero-py has no %s.%s", i.ID, op.Name)
				continue
			}
			same(t, i.ID+"."+op.Name, spellOperation(op), theirOp)
		}
	}
	compareTypes(t, ours, theirs)
	if operations < 300 || len(ours.Classes()) < 170 {
		t.Errorf("only %d operations and %d classes were compared", operations, len(ours.Classes()))
	}
}

// compareTypes compares the structs and enumerations that stand in members and
// parameters.
func compareTypes(t *testing.T, ours *ice.Definitions, theirs definitions) {
	for _, id := range slices.Sorted(maps.Keys(theirs.Structs)) {
		if s := ours.Struct(id); s != nil {
			same(t, id, spellFields(s.Fields), theirs.Structs[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(theirs.Enums)) {
		if e := ours.Enum(id); e != nil {
			same(t, id, e.Values, theirs.Enums[id])
		}
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	// Texts make differences readable, and nil the same as empty.
	if g, w := spell(got), spell(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func spell(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(b), "null", "[]")
}

func deref(s *string, none string) string {
	if s == nil {
		return none
	}
	return *s
}

func spellFields(fields []ice.Field) [][2]string {
	out := make([][2]string, len(fields))
	for i, f := range fields {
		out[i] = [2]string{strings.TrimLeft(f.Name, "_"), spellType(f.Type)}
	}
	return out
}

func spellOperation(op *ice.Operation) operationDefinition {
	d := operationDefinition{Mode: [...]string{"Normal", "Nonmutating", "Idempotent"}[op.Mode], Sliced: op.Sliced,
		In: spellTypes(op.In), Out: spellTypes(op.Out)}
	if op.Return != nil {
		r := spellType(op.Return)
		d.Return = &r
	}
	for _, e := range op.Throws {
		d.Throws = append(d.Throws, e.ID)
	}
	slices.Sort(d.Throws)
	return d
}

// spellTypes leaves optional parameters out: Ice 3.6 does not have the only one
// that there is.
func spellTypes(fields []ice.Field) []string {
	var out []string
	for _, f := range fields {
		if f.Optional {
			continue
		}
		out = append(out, spellType(f.Type))
	}
	return out
}

// spellType says what a type is on the wire, as definitions.py does.
func spellType(t *ice.Type) string {
	switch t.Kind {
	case ice.KindSequence:
		return "seq<" + spellType(t.Elem) + ">"
	case ice.KindDictionary:
		return fmt.Sprintf("dict<%s,%s>", spellType(t.Key), spellType(t.Elem))
	case ice.KindEnum:
		return t.Enum.ID
	case ice.KindStruct:
		return t.Struct.ID
	case ice.KindClass:
		if t.Class == nil {
			return "::Ice::Object"
		}
		return t.Class.ID
	case ice.KindProxy:
		if t.Interface == nil {
			return "::Ice::Object*"
		}
		return t.Interface.ID + "*"
	}
	return t.Name
}
