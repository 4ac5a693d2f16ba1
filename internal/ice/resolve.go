package ice

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// ParseSlice reads Slice files. All files are taken together: each may use
// what another defines, whatever it includes; preprocessor lines are ignored.
// The keys of files are names for error messages.
//
// The language is that of Ice 3.6 without local types, constants, operations
// of classes, and optional values of other than built-in types and enums.
func ParseSlice(files map[string][]byte) (*Definitions, error) {
	r := &resolver{defs: &Definitions{
		classes:    make(map[string]*Class),
		structs:    make(map[string]*Struct),
		enums:      make(map[string]*Enum),
		exceptions: make(map[string]*Exception),
		interfaces: make(map[string]*Interface),
		types:      make(map[string]*Type),
	}, known: make(map[string]*declaration)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		decls, err := parseFile(name, files[name])
		if err != nil {
			return nil, err
		}
		r.decls = append(r.decls, decls...)
	}
	for _, step := range []func(*declaration) error{r.announce, r.complete, r.link} {
		for _, d := range r.decls {
			if err := step(d); err != nil {
				return nil, fmt.Errorf("%s: %w", d.where, err)
			}
		}
	}
	return r.defs, r.finish()
}

// resolver turns declarations into definitions.
type resolver struct {
	defs  *Definitions
	decls []*declaration
	known map[string]*declaration
}

// announce creates the definition of d, still empty, so that others can point
// to it.
func (r *resolver) announce(d *declaration) error {
	if d.forward {
		return nil
	}
	if other := r.known[d.id]; other != nil {
		return fmt.Errorf("%s is already defined at %s", d.id, other.where)
	}
	r.known[d.id] = d
	t := &Type{Name: d.id}
	switch d.word {
	case "class":
		t.Kind, t.Class = KindClass, &Class{ID: d.id}
		r.defs.classes[d.id] = t.Class
	case "struct":
		t.Kind, t.Struct = KindStruct, &Struct{ID: d.id}
		r.defs.structs[d.id] = t.Struct
	case "enum":
		t.Kind, t.Enum = KindEnum, &Enum{ID: d.id}
		r.defs.enums[d.id] = t.Enum
	case "exception":
		r.defs.exceptions[d.id] = &Exception{ID: d.id}
		return nil
	case "interface":
		r.defs.interfaces[d.id] = &Interface{ID: d.id}
		return nil
	case "sequence":
		t.Kind = KindSequence
	case "dictionary":
		t.Kind = KindDictionary
	}
	r.defs.types[d.id] = t
	return nil
}

// complete gives an interface that is only announced, never defined, an empty
// definition: proxies to it can be passed on, but not called.
func (r *resolver) complete(d *declaration) error {
	if !d.forward || r.known[d.id] != nil {
		return nil
	}
	if d.word != "interface" {
		return fmt.Errorf("%s is announced but not defined", d.id)
	}
	return r.announce(&declaration{word: d.word, id: d.id, where: d.where})
}

// link fills in what d refers to.
func (r *resolver) link(d *declaration) (err error) {
	if d.forward {
		return nil
	}
	defs := r.defs
	switch d.word {
	case "class":
		c := defs.classes[d.id]
		if c.Fields, err = r.members(d, d.fields); err != nil {
			return err
		}
		for _, b := range d.bases {
			if c.Base, err = find(d.scope, b, defs.classes); err != nil {
				return err
			}
		}
	case "exception":
		e := defs.exceptions[d.id]
		if e.Fields, err = r.members(d, d.fields); err != nil {
			return err
		}
		for _, b := range d.bases {
			if e.Base, err = find(d.scope, b, defs.exceptions); err != nil {
				return err
			}
		}
	case "struct":
		s := defs.structs[d.id]
		if s.Fields, err = r.members(d, d.fields); err != nil {
			return err
		}
		s.index, err = indexFields(s.Fields)
	case "enum":
		err = linkEnum(defs.enums[d.id], d)
	case "interface":
		err = r.linkInterface(defs.interfaces[d.id], d)
	case "sequence", "dictionary":
		t := defs.types[d.id]
		if t.Elem, err = r.typeOf(d.scope, d.elem); err != nil {
			return err
		}
		if d.word == "dictionary" {
			t.Key, err = r.typeOf(d.scope, d.key)
		}
	}
	return err
}

func linkEnum(e *Enum, d *declaration) error {
	if len(d.values) == 0 {
		return fmt.Errorf("%s has no enumerators", d.id)
	}
	e.Values, e.names = make(map[string]int32), make(map[int32]string)
	for _, v := range d.values {
		if _, twice := e.Values[v.name]; twice || v.value < 0 {
			return fmt.Errorf("bad enumerator %s", v.name)
		}
		e.Values[v.name], e.names[v.value] = v.value, v.name
		e.max = max(e.max, v.value)
	}
	return nil
}

func (r *resolver) linkInterface(i *Interface, d *declaration) error {
	i.ops = make(map[string]*Operation)
	for _, b := range d.bases {
		base, err := find(d.scope, b, r.defs.interfaces)
		if err != nil {
			return err
		}
		i.Bases = append(i.Bases, base)
	}
	for _, raw := range d.ops {
		op, err := r.operation(d, raw)
		if err != nil {
			return fmt.Errorf("operation %s: %w", raw.name, err)
		}
		op.Interface = i
		i.Operations = append(i.Operations, op)
		i.ops[op.Name] = op
	}
	return nil
}

func (r *resolver) operation(d *declaration, raw operation) (*Operation, error) {
	op := &Operation{Name: raw.name, Sliced: slices.Contains(raw.meta, "format:sliced")}
	if raw.idempotent {
		op.Mode = Idempotent
		if slices.Contains(raw.meta, "nonmutating") {
			op.Mode = Nonmutating
		}
	}
	var err error
	if op.In, err = r.members(d, raw.in); err != nil {
		return nil, err
	}
	if op.Out, err = r.members(d, raw.out); err != nil {
		return nil, err
	}
	op.results = slices.Clone(op.Out)
	if raw.result != "" {
		if op.Return, err = r.typeOf(d.scope, raw.result); err != nil {
			return nil, err
		}
		op.results = append(op.results, Field{Name: returnField, Type: op.Return})
	}
	for _, name := range raw.throws {
		e, err := find(d.scope, name, r.defs.exceptions)
		if err != nil {
			return nil, err
		}
		op.Throws = append(op.Throws, e)
	}
	return op, nil
}

func (r *resolver) members(d *declaration, raw []member) ([]Field, error) {
	fields := make([]Field, 0, len(raw))
	for _, m := range raw {
		t, err := r.typeOf(d.scope, m.typ)
		if err != nil {
			return nil, err
		}
		if m.optional && (d.word == "struct" || t.Kind > KindEnum || m.tag < 0) {
			return nil, fmt.Errorf("%s cannot be optional", m.name)
		}
		fields = append(fields, Field{Name: m.name, Type: t, Optional: m.optional, Tag: m.tag})
	}
	return fields, nil
}

// typeOf finds the type that a name stands for in a module.
func (r *resolver) typeOf(scope, name string) (*Type, error) {
	if base, ok := strings.CutSuffix(name, "*"); ok {
		if base == "Object" || base == objectID {
			return &Type{Kind: KindProxy, Name: objectID}, nil
		}
		i, err := find(scope, base, r.defs.interfaces)
		if err != nil {
			return nil, err
		}
		return &Type{Kind: KindProxy, Name: i.ID, Interface: i}, nil
	}
	if name == "Object" || name == objectID {
		return &Type{Kind: KindClass, Name: objectID}, nil
	}
	for k, t := range builtin {
		if name == t.Name {
			return builtin[k], nil
		}
	}
	return find(scope, name, r.defs.types)
}

// find looks a name up in a module and then in the modules around it.
func find[T any](scope, name string, in map[string]*T) (*T, error) {
	if strings.HasPrefix(name, "::") {
		scope, name = "", name[2:]
	}
	for {
		if v, ok := in[scope+"::"+name]; ok {
			return v, nil
		}
		cut := strings.LastIndex(scope, "::")
		if cut < 0 {
			return nil, fmt.Errorf("%s is not defined", name)
		}
		scope = scope[:cut]
	}
}

// indexFields maps the names of fields to their places.
func indexFields(fields []Field) (map[string]int, error) {
	m := make(map[string]int, len(fields))
	for i, f := range fields {
		if _, twice := m[f.Name]; twice {
			return nil, fmt.Errorf("two fields %s", f.Name)
		}
		m[f.Name] = i
	}
	return m, nil
}

// interfaceIDs collects the type ids of i and its bases.
func interfaceIDs(i *Interface, into map[string]bool) []string {
	var visit func(*Interface)
	visit = func(i *Interface) {
		if !into[i.ID] {
			into[i.ID] = true
			for _, b := range i.Bases {
				visit(b)
			}
		}
	}
	visit(i)
	into[objectID] = true
	ids := slices.Collect(maps.Keys(into))
	sort.Strings(ids)
	return ids
}
