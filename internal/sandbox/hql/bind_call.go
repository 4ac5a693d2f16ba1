package hql

import (
	"omerods/internal/sandbox/store"
)

var aggregateNames = map[string]bool{"count": true, "sum": true, "min": true, "max": true, "avg": true}

// call binds a function or an aggregate.
func (s *scope) call(x *callExpr) (bound, error) {
	if aggregateNames[x.name] {
		return s.aggregate(x)
	}
	if x.star || x.distinct {
		return nil, errorf("unexpected token: %s near line %d, column %d", x.at, x.at.line, x.at.col)
	}
	switch x.name {
	case "size", "index", "minindex", "maxindex", "elements", "indices":
		return s.collectionCall(x)
	}
	args := make([]bound, len(x.args))
	for i, a := range x.args {
		b, err := s.bind(a)
		if err != nil {
			return nil, err
		}
		args[i] = b
	}
	switch x.name {
	case "type":
		return s.classOf(x, args)
	case "concat":
		return s.concat(x.at, args)
	case "coalesce", "nullif":
		return s.choice(x, args)
	}
	f, ok := functions[x.name]
	if !ok {
		return nil, errorf("no such function: %s near line %d, column %d", x.name, x.at.line, x.at.col)
	}
	if len(args) < len(f.required) || len(args) > len(f.required)+len(f.optional) {
		return nil, errorf("wrong number of arguments: %s near line %d, column %d", x.name, x.at.line, x.at.col)
	}
	for i, a := range args {
		want := append(f.required[:len(f.required):len(f.required)], f.optional...)[i]
		if k := a.typ().kind; k != anyType && !want(a.typ()) {
			return nil, noOperator(x.at, x.name, a.typ())
		}
	}
	t := valueType{kind: f.result}
	if f.result == anyType && len(args) > 0 {
		t = args[0].typ()
	}
	return &function{x.name, f.call, args, t}, nil
}

// classOf binds type(x), another way to write x.class.
func (s *scope) classOf(x *callExpr, args []bound) (bound, error) {
	if len(args) == 1 {
		switch n := args[0].(type) {
		case *varValue:
			if n.v.class != nil {
				return &classValue{n.v}, nil
			}
		case *classValue: // type(x.class) is the same, to Hibernate as well
			return n, nil
		case *refValue:
			if n.entity {
				v, err := s.join(n.v, n.prop)
				return &classValue{v}, err
			}
		}
	}
	return nil, errorf("type needs an entity near line %d, column %d", x.at.line, x.at.col)
}

// collectionCall binds the functions of collections.
func (s *scope) collectionCall(x *callExpr) (bound, error) {
	bad := errorf("%s cannot be used like this near line %d, column %d", x.name, x.at.line, x.at.col)
	if len(x.args) != 1 {
		return nil, bad
	}
	path, ok := x.args[0].(*pathExpr)
	if !ok {
		return nil, bad
	}
	switch x.name {
	case "index", "minindex", "maxindex":
		v := s.lookup(path.parts[0])
		if v == nil || len(path.parts) != 1 {
			return nil, errorf("undefined alias: %s near line %d, column %d", path.at, path.at.line, path.at.col)
		}
		if v.kind != valueSource && (v.kind != toManySource || !v.prop.Ordered) {
			return nil, errorf("index: %s is no element of an ordered collection near line %d, column %d", path.at, path.at.line, path.at.col)
		}
		if x.name == "index" {
			return &indexValue{v}, nil
		}
		return s.addAggregate(x, &aggregate{name: x.name[:3], arg: &indexValue{v}, t: valueType{kind: intType}})
	case "size":
		v, p, err := s.collection(path)
		return &sizeOf{v, p}, err
	}
	return nil, bad
}

func (s *scope) concat(at token, args []bound) (bound, error) {
	if len(args) < 2 {
		return nil, errorf("wrong number of arguments: concat near line %d, column %d", at.line, at.col)
	}
	for _, a := range args {
		switch a.typ().kind {
		case stringType, anyType, intType, longType, doubleType, boolType:
		default:
			return nil, noOperator(at, "||", a.typ())
		}
	}
	return &function{"concat", concatenate, args, valueType{kind: stringType}}, nil
}

func (s *scope) choice(x *callExpr, args []bound) (bound, error) {
	if len(args) == 0 || x.name == "nullif" && len(args) != 2 {
		return nil, errorf("wrong number of arguments: %s near line %d, column %d", x.name, x.at.line, x.at.col)
	}
	t := args[0].typ()
	for _, a := range args[1:] {
		var ok bool
		if t, ok = common(t, a.typ()); !ok {
			return nil, noOperator(x.at, x.name, args[0].typ(), a.typ())
		}
	}
	if x.name == "coalesce" {
		return &function{"coalesce", coalesce, args, t}, nil
	}
	return &function{"nullif", nullif, args, args[0].typ()}, nil
}

func (s *scope) aggregate(x *callExpr) (bound, error) {
	a := &aggregate{name: x.name, distinct: x.distinct}
	if x.star {
		if x.name != "count" {
			return nil, errorf("unexpected token: * near line %d, column %d", x.at.line, x.at.col)
		}
	} else {
		if len(x.args) != 1 {
			return nil, errorf("wrong number of arguments: %s near line %d, column %d", x.name, x.at.line, x.at.col)
		}
		outside := s.noAggregates
		s.noAggregates = "an aggregate"
		arg, err := s.aggregateArgument(x.args[0])
		s.noAggregates = outside
		if err != nil {
			return nil, err
		}
		a.arg = arg
	}
	switch x.name {
	case "count":
		a.t = valueType{kind: longType}
	case "avg":
		a.t = valueType{kind: doubleType}
	default:
		a.t = a.arg.typ()
		if x.name == "sum" && a.t.kind == intType {
			a.t.kind = longType
		}
	}
	if k := a.typ().kind; x.name != "count" && (k == boolType || k == entityType || k == quantityType) ||
		(x.name == "sum" || x.name == "avg") && a.arg.typ().kind != anyType && !a.arg.typ().numeric() {
		return nil, noOperator(x.at, x.name, a.arg.typ())
	}
	return s.addAggregate(x, a)
}

func (s *scope) addAggregate(x *callExpr, a *aggregate) (bound, error) {
	if s.noAggregates != "" {
		return nil, errorf("aggregate functions are not allowed in %s: %s near line %d, column %d", s.noAggregates, x.name, x.at.line, x.at.col)
	}
	s.aggregates = append(s.aggregates, a)
	return a, nil
}

// aggregateArgument also takes a collection path, as in count(p.datasetLinks),
// by joining it.
func (s *scope) aggregateArgument(x expr) (bound, error) {
	if path, ok := x.(*pathExpr); ok && len(path.parts) > 1 {
		if v, p, err := s.collection(path); err == nil && p.Kind == store.KindToMany {
			elem, err := s.add(&variable{kind: toManySource, class: p.Target, source: v, prop: p, hidden: true})
			return &varValue{elem}, err
		}
	}
	return s.bind(x)
}

func (s *scope) caseWhen(x *caseExpr) (bound, error) {
	n := &caseNode{}
	var operand bound
	var err error
	if x.operand != nil {
		if operand, err = s.bind(x.operand); err != nil {
			return nil, err
		}
	}
	for i := range x.when {
		var cond bound
		if operand == nil {
			cond, err = s.predicate(x.when[i])
		} else if cond, err = s.bind(x.when[i]); err == nil {
			cond, err = s.compare(x.at, "=", operand, cond)
		}
		if err != nil {
			return nil, err
		}
		n.when = append(n.when, cond)
	}
	for _, y := range append(x.then[:len(x.then):len(x.then)], x.other) {
		if y == nil {
			continue
		}
		b, err := s.bind(y)
		if err != nil {
			return nil, err
		}
		t, ok := common(n.t, b.typ())
		if !ok {
			return nil, noOperator(x.at, "case", n.t, b.typ())
		}
		n.t, n.then = t, append(n.then, b)
	}
	return n, nil
}

func (s *scope) cast(x *castExpr) (bound, error) {
	b, err := s.bind(x.x)
	if err != nil {
		return nil, err
	}
	to, ok := map[string]kind{
		"string": stringType, "text": stringType, "integer": intType, "int": intType,
		"long": longType, "double": doubleType, "float": doubleType, "boolean": boolType,
	}[x.to]
	if !ok {
		return nil, errorf("could not resolve requested type for cast: %s near line %d, column %d", x.to, x.at.line, x.at.col)
	}
	switch b.typ().kind {
	case anyType, boolType, intType, longType, doubleType, stringType:
		return &castNode{b, to}, nil
	}
	return nil, noOperator(x.at, "cast", b.typ())
}
