package hql

import (
	"slices"
	"strings"

	"omerods/internal/sandbox/store"
)

// predicate binds an expression that must be a truth value.
func (s *scope) predicate(x expr) (bound, error) {
	b, err := s.bind(x)
	if err != nil {
		return nil, err
	}
	if k := b.typ().kind; k != boolType && k != anyType {
		return nil, errorf("not a condition, but a %s: %s near line %d, column %d", b.typ(), x.tok(), x.tok().line, x.tok().col)
	}
	return b, nil
}

func (s *scope) bind(x expr) (bound, error) {
	switch x := x.(type) {
	case *pathExpr:
		return s.path(x)
	case *litExpr:
		t, err := typeOf(x.value)
		return &constant{x.value, t}, err
	case *paramExpr:
		return s.param(x)
	case *binExpr:
		return s.binary(x)
	case *notExpr:
		b, err := s.predicate(x.x)
		return &not{b}, err
	case *negExpr:
		b, err := s.bind(x.x)
		if err != nil {
			return nil, err
		}
		if !b.typ().numeric() {
			return nil, noOperator(x.at, "-", b.typ())
		}
		return &arithmetic{"-", &constant{int32(0), valueType{kind: intType}}, b, b.typ()}, nil
	case *likeExpr:
		return s.like(x)
	case *nullExpr:
		b, err := s.bind(x.x)
		return &isNull{b}, err
	case *emptyExpr:
		v, p, err := s.collection(x.path)
		return &logic{"=", []bound{&sizeOf{v, p}, &constant{int32(0), valueType{kind: intType}}}}, err
	case *memberExpr:
		return s.member(x)
	case *betweenExpr:
		return s.between(x)
	case *inExpr:
		return s.in(x)
	case *existsExpr:
		p, err := s.sub(x.sub)
		return &exists{p}, err
	case *subExpr:
		return s.scalar(x)
	case *callExpr:
		return s.call(x)
	case *caseExpr:
		return s.caseWhen(x)
	case *castExpr:
		return s.cast(x)
	}
	return nil, unexpected(x.tok())
}

func noOperator(at token, op string, types ...valueType) error {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return errorf("operator does not exist: %s (%s) near line %d, column %d", op, strings.Join(names, ", "), at.line, at.col)
}

func (s *scope) param(x *paramExpr) (bound, error) {
	v, ok := s.b.params[x.name]
	if !ok {
		return nil, errorf("not all named parameters have been set: [%s]", x.name)
	}
	if _, list := v.([]any); list {
		return nil, errorf("a list is only possible after in: :%s near line %d, column %d", x.name, x.at.line, x.at.col)
	}
	t, err := typeOf(v)
	if err != nil {
		return nil, errorf("parameter %s: %v", x.name, err)
	}
	return &constant{v, t}, nil
}

func (s *scope) pair(l, r expr) (bound, bound, error) {
	a, err := s.bind(l)
	if err != nil {
		return nil, nil, err
	}
	b, err := s.bind(r)
	return a, b, err
}

func (s *scope) binary(x *binExpr) (bound, error) {
	switch x.op {
	case "and", "or":
		a, err := s.predicate(x.l)
		if err != nil {
			return nil, err
		}
		b, err := s.predicate(x.r)
		return &logic{x.op, []bound{a, b}}, err
	}
	if sub, ok := x.r.(*subExpr); ok && sub.quantifier != "" && comparisons[x.op] != "" {
		return s.quantified(x, sub)
	}
	a, b, err := s.pair(x.l, x.r)
	if err != nil {
		return nil, err
	}
	switch x.op {
	case "||":
		return s.concat(x.at, []bound{a, b})
	case "+", "-", "*", "/", "%":
		t, ok := common(a.typ(), b.typ())
		if !ok || !t.numeric() {
			return nil, noOperator(x.at, x.op, a.typ(), b.typ())
		}
		return &arithmetic{x.op, a, b, t}, nil
	}
	return s.compare(x.at, x.op, a, b)
}

func (s *scope) compare(at token, op string, a, b bound) (bound, error) {
	if !comparableTypes(a.typ(), b.typ()) {
		return nil, noOperator(at, op, a.typ(), b.typ())
	}
	classes := a.typ().kind == classType || b.typ().kind == classType
	if classes && op != "=" && op != "<>" {
		return nil, noOperator(at, op, a.typ(), b.typ())
	}
	if a.typ().kind == unitType || b.typ().kind == unitType {
		return &logic{op, []bound{&unitName{a}, &unitName{b}}}, nil
	}
	return &logic{op, []bound{a, b}}, nil
}

func (s *scope) like(x *likeExpr) (bound, error) {
	a, b, err := s.pair(x.x, x.pattern)
	if err != nil {
		return nil, err
	}
	n := &like{x: a, pattern: b}
	for _, y := range []bound{a, b} {
		if k := y.typ().kind; k != stringType && k != anyType {
			return nil, noOperator(x.at, "like", a.typ(), b.typ())
		}
	}
	if x.escape != nil {
		lit, ok := x.escape.(*litExpr)
		text, isText := "", false
		if ok {
			text, isText = lit.value.(string)
		}
		if !isText || len([]rune(text)) != 1 {
			return nil, errorf("escape must be one character: %s near line %d, column %d", x.escape.tok(), x.at.line, x.at.col)
		}
		n.escape = []rune(text)[0]
	} else {
		n.escape = '\\'
	}
	return n, nil
}

func (s *scope) between(x *betweenExpr) (bound, error) {
	v, lo, err := s.pair(x.x, x.lo)
	if err != nil {
		return nil, err
	}
	hi, err := s.bind(x.hi)
	if err != nil {
		return nil, err
	}
	from, err := s.compare(x.at, ">=", v, lo)
	if err != nil {
		return nil, err
	}
	to, err := s.compare(x.at, "<=", v, hi)
	return &logic{"and", []bound{from, to}}, err
}

func (s *scope) in(x *inExpr) (bound, error) {
	a, err := s.bind(x.x)
	if err != nil {
		return nil, err
	}
	if x.sub != nil {
		p, err := s.subColumn(x.sub)
		if err != nil {
			return nil, err
		}
		if !comparableTypes(a.typ(), p.items[0].x.typ()) {
			return nil, noOperator(x.at, "in", a.typ(), p.items[0].x.typ())
		}
		return &inSub{a, p}, nil
	}
	n := &inList{x: a}
	for _, item := range x.list {
		if param, ok := item.(*paramExpr); ok {
			if list, ok := s.b.params[param.name].([]any); ok {
				if len(list) == 0 {
					return nil, errorf("unexpected end of subtree: the list :%s is empty near line %d, column %d", param.name, x.at.line, x.at.col)
				}
				for _, v := range list {
					t, err := typeOf(v)
					if err != nil {
						return nil, errorf("parameter %s: %v", param.name, err)
					}
					n.list = append(n.list, &constant{v, t})
				}
				continue
			}
		}
		b, err := s.bind(item)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, b)
	}
	for _, b := range n.list {
		if !comparableTypes(a.typ(), b.typ()) {
			return nil, noOperator(x.at, "in", a.typ(), b.typ())
		}
	}
	n.prepare()
	return n, nil
}

// member is true when an entity is an element of a collection.
func (s *scope) member(x *memberExpr) (bound, error) {
	a, err := s.bind(x.x)
	if err != nil {
		return nil, err
	}
	v, p, err := s.collection(x.path)
	if err != nil {
		return nil, err
	}
	if p.Kind != store.KindToMany || !comparableTypes(a.typ(), valueType{kind: entityType, class: p.Target}) {
		return nil, noOperator(x.at, "member of", a.typ(), propertyType(p))
	}
	return &memberOf{a, v, p}, nil
}

// sub binds a nested select.
func (s *scope) sub(q *query) (*subquery, error) {
	p, err := s.b.bindQuery(q, s)
	if err != nil {
		return nil, err
	}
	n := &subquery{plan: p}
	for _, v := range p.scope.free {
		if !slices.Contains(n.free, v) {
			n.free = append(n.free, v)
		}
	}
	return n, nil
}

// subColumn binds a nested select of exactly one column.
func (s *scope) subColumn(q *query) (*subquery, error) {
	n, err := s.sub(q)
	if err != nil {
		return nil, err
	}
	if len(n.items) != 1 || n.items[0].x == nil {
		return nil, errorf("a subquery must return one column near line %d, column %d", q.start.line, q.start.col)
	}
	return n, nil
}

func (s *scope) scalar(x *subExpr) (bound, error) {
	p, err := s.subColumn(x.sub)
	if err != nil {
		return nil, err
	}
	if x.quantifier != "" {
		return nil, errorf("unexpected token: %s near line %d, column %d", x.quantifier, x.at.line, x.at.col)
	}
	return &scalarSub{p}, nil
}

// quantified is a comparison with all or any rows of a subquery.
func (s *scope) quantified(x *binExpr, sub *subExpr) (bound, error) {
	a, err := s.bind(x.l)
	if err != nil {
		return nil, err
	}
	p, err := s.subColumn(sub.sub)
	if err != nil {
		return nil, err
	}
	if !comparableTypes(a.typ(), p.items[0].x.typ()) {
		return nil, noOperator(x.at, x.op, a.typ(), p.items[0].x.typ())
	}
	return &quantifier{x.op, a, p, sub.quantifier == "all"}, nil
}
