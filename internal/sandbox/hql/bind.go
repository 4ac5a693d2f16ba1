package hql

import (
	"fmt"
	"strings"

	"omerods/internal/sandbox/store"
)

type sourceKind int

const (
	rootSource   sourceKind = iota // every object of a class
	toOneSource                    // the target of an association
	toManySource                   // the elements of a collection
	valueSource                    // the entries of a list of named values
)

// variable is something a query ranges over: an alias, or the target of a path
// that became a join.
type variable struct {
	name   string
	slot   int
	kind   sourceKind
	class  *store.Class    // nil for named values
	source *variable       // nil for roots
	prop   *store.Property // of source
	outer  bool
	fetch  bool
	hidden bool
	with   bound
	scope  *scope
}

// scope holds the variables of one select. A subquery's scope sees those
// around it.
type scope struct {
	b          *binder
	parent     *scope
	vars       []*variable
	byName     map[string]*variable
	components map[string]component
	implicit   map[string]*variable
	free       []*variable // variables of outer scopes that are used inside
	aggregates []*aggregate
	// noAggregates names the clause being bound when it must not hold any.
	noAggregates string
	noJoins      bool // in a with clause
}

type binder struct {
	model  *store.Model
	params map[string]any
	slots  int
}

func (b *binder) newScope(parent *scope) *scope {
	return &scope{b: b, parent: parent, byName: make(map[string]*variable), components: make(map[string]component), implicit: make(map[string]*variable)}
}

func (s *scope) add(v *variable) (*variable, error) {
	v.slot, v.scope = s.b.slots, s
	s.b.slots++
	s.vars = append(s.vars, v)
	if v.name != "" {
		if s.defined(v.name) {
			return nil, errorf("duplicate definition of alias '%s'", v.name)
		}
		s.byName[v.name] = v
	}
	return v, nil
}

// component is an alias of a quantity, which lies in the table of its owner:
// joining it joins nothing.
type component struct {
	v    *variable
	prop *store.Property
}

func (s *scope) defined(name string) bool {
	_, quantity := s.components[name]
	return quantity || s.byName[name] != nil
}

// lookup finds an alias here or further out.
func (s *scope) lookup(name string) *variable {
	for at := s; at != nil; at = at.parent {
		v := at.byName[name]
		if v == nil {
			continue
		}
		for in := s; in != at; in = in.parent {
			in.free = append(in.free, v)
		}
		return v
	}
	return nil
}

// bindQuery resolves a select and plans it.
func (b *binder) bindQuery(q *query, parent *scope) (*plan, error) {
	s := b.newScope(parent)
	for _, f := range q.from {
		if err := s.bindFrom(f); err != nil {
			return nil, err
		}
	}
	p := &plan{scope: s, distinct: q.distinct}
	var err error
	s.noAggregates = "where"
	if q.where != nil {
		if p.where, err = s.predicate(q.where); err != nil {
			return nil, err
		}
	}
	s.noAggregates = "group by"
	for _, x := range q.group {
		g, err := s.bind(x)
		if err != nil {
			return nil, err
		}
		p.group = append(p.group, g)
	}
	s.noAggregates = ""
	if err := s.bindSelect(q, p); err != nil {
		return nil, err
	}
	if q.having != nil {
		if p.having, err = s.predicate(q.having); err != nil {
			return nil, err
		}
	}
	for _, o := range q.order {
		x, err := s.bindOrder(o.x, p)
		if err != nil {
			return nil, err
		}
		p.order = append(p.order, ordering{x, o.desc})
	}
	if err := p.verify(); err != nil {
		return nil, err
	}
	p.arrange()
	return p, nil
}

func (s *scope) bindFrom(f fromItem) error {
	if f.join {
		return s.bindJoin(f)
	}
	name := strings.Join(f.path.parts, ".")
	if s.parent != nil && len(f.path.parts) > 1 {
		if v := s.lookup(f.path.parts[0]); v != nil {
			return s.bindCollectionRoot(f)
		}
	}
	c := s.b.model.Class(name)
	if c == nil {
		return errorf("%s is not mapped", name)
	}
	_, err := s.add(&variable{name: f.alias, kind: rootSource, class: c})
	return err
}

// bindCollectionRoot makes a root of a collection of an outer alias, as in
// `exists (from p.datasetLinks l)`.
func (s *scope) bindCollectionRoot(f fromItem) error {
	owner, prop, err := s.collection(f.path)
	if err != nil {
		return err
	}
	if prop.Kind != store.KindToMany {
		return errorf("%s is not mapped", strings.Join(f.path.parts, "."))
	}
	_, err = s.add(&variable{name: f.alias, kind: toManySource, class: prop.Target, source: owner, prop: prop})
	return err
}

func (s *scope) bindJoin(f fromItem) error {
	owner, prop, err := s.association(f.path)
	if err != nil {
		return err
	}
	v := &variable{name: f.alias, source: owner, prop: prop, class: prop.Target, outer: f.outer, fetch: f.fetch}
	switch prop.Kind {
	case store.KindToOne:
		v.kind = toOneSource
	case store.KindToMany:
		v.kind = toManySource
	case store.KindNamedValues:
		v.kind, v.class = valueSource, nil
	case store.KindQuantity:
		if f.alias != "" && s.defined(f.alias) {
			return errorf("duplicate definition of alias '%s'", f.alias)
		}
		if f.with != nil {
			return errorf("with-clause on a component: %s", f.with.tok())
		}
		s.components[f.alias] = component{owner, prop}
		return nil
	default:
		return errorf("outer or full join must be followed by path expression to an association: %s is none", strings.Join(f.path.parts, "."))
	}
	if _, err := s.add(v); err != nil {
		return err
	}
	if f.with == nil {
		return nil
	}
	if f.fetch {
		return errorf("with-clause not allowed on fetched associations; use filters: %s", f.with.tok())
	}
	s.noAggregates, s.noJoins = "with", true
	defer func() { s.noAggregates, s.noJoins = "", false }()
	v.with, err = s.predicate(f.with)
	return err
}

// join returns the hidden variable for the target of an association, which an
// earlier path may have made.
func (s *scope) join(owner *variable, p *store.Property) (*variable, error) {
	if s.noJoins {
		return nil, errorf("with-clause expressions cannot go through an association: %s", p.Name)
	}
	key := fmt.Sprintf("%d.%s", owner.slot, p)
	if v := s.implicit[key]; v != nil {
		return v, nil
	}
	v, err := s.add(&variable{kind: toOneSource, class: p.Target, source: owner, prop: p, hidden: true})
	if err == nil {
		s.implicit[key] = v
	}
	return v, err
}

func (s *scope) bindSelect(q *query, p *plan) error {
	if len(q.items) == 0 {
		for _, v := range s.vars {
			if !v.hidden && !v.fetch {
				p.items = append(p.items, column{x: &varValue{v}})
			}
		}
		return nil
	}
	for _, item := range q.items {
		c, err := s.bindItem(item)
		if err != nil {
			return err
		}
		p.items = append(p.items, c)
	}
	return nil
}

func (s *scope) bindItem(item selectItem) (column, error) {
	c := column{alias: item.alias, isMap: item.isMap, isList: item.isList}
	if item.x == nil {
		for i, e := range item.entries {
			entry, err := s.bindItem(e)
			if err != nil {
				return c, err
			}
			if entry.alias == "" {
				entry.alias = fmt.Sprint(i)
			}
			c.entries = append(c.entries, entry)
		}
		return c, nil
	}
	x, err := s.bind(item.x)
	if err != nil {
		return c, err
	}
	// An association in the select clause is its target, not its key.
	if r, ok := x.(*refValue); ok && r.entity {
		v, err := s.join(r.v, r.prop)
		if err != nil {
			return c, err
		}
		x = &varValue{v}
	}
	c.x = x
	return c, nil
}

// bindOrder also knows the aliases of the select clause.
func (s *scope) bindOrder(x expr, p *plan) (bound, error) {
	if path, ok := x.(*pathExpr); ok && len(path.parts) == 1 && s.byName[path.parts[0]] == nil {
		for _, c := range p.items {
			if c.alias == path.parts[0] && c.x != nil {
				return c.x, nil
			}
		}
	}
	return s.bind(x)
}
