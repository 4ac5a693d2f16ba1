package hql

import (
	"strings"

	"omerods/internal/sandbox/store"
)

// start finds the variable that a path begins with and how many of its parts
// that took. A query over one class without an alias may name its properties
// alone.
func (s *scope) start(x *pathExpr) (*variable, int) {
	if v := s.lookup(x.parts[0]); v != nil {
		return v, 1
	}
	var only *variable
	for _, v := range s.vars {
		if v.kind != rootSource {
			continue
		}
		if only != nil || v.name != "" {
			return nil, 0
		}
		only = v
	}
	if only != nil && (only.class.Property(x.parts[0]) != nil || x.parts[0] == "class") {
		return only, 0
	}
	return nil, 0
}

func unresolved(x *pathExpr, part, owner string) error {
	return errorf("could not resolve property: %s of: %s [%s] near line %d, column %d", part, owner, strings.Join(x.parts, "."), x.at.line, x.at.col)
}

// path binds a dotted name: a property, a class name or a constant.
func (s *scope) path(x *pathExpr) (bound, error) {
	if c, ok := s.components[x.parts[0]]; ok {
		return s.inQuantity(c.v, c.prop, x, 1)
	}
	v, n := s.start(x)
	if v == nil {
		return s.constantPath(x)
	}
	return s.walk(v, x, n)
}

// inQuantity binds a quantity, or the part of it that a path names from number
// i on.
func (s *scope) inQuantity(v *variable, p *store.Property, x *pathExpr, i int) (bound, error) {
	switch rest := x.parts[i:]; {
	case len(rest) == 0:
		return &propValue{v, p, propertyType(p)}, nil
	case len(rest) == 1 && rest[0] == "value":
		return &quantityPart{v: v, prop: p}, nil
	case len(rest) == 1 && rest[0] == "unit":
		return &quantityPart{v: v, prop: p, unit: true}, nil
	default:
		return nil, unresolved(x, rest[0], p.String())
	}
}

func (s *scope) constantPath(x *pathExpr) (bound, error) {
	name := strings.Join(x.parts, ".")
	if c := s.b.model.Class(name); c != nil {
		return &constant{c, valueType{kind: classType}}, nil
	}
	if strings.HasPrefix(name, "ome.model.enums.") && len(x.parts) > 4 {
		return &constant{x.parts[len(x.parts)-1], valueType{kind: stringType}}, nil
	}
	return nil, errorf("undefined alias or unknown name: %s near line %d, column %d", name, x.at.line, x.at.col)
}

// walk follows the parts of a path from number i on.
func (s *scope) walk(v *variable, x *pathExpr, i int) (bound, error) {
	v, p, i, err := s.descend(v, x, i)
	if err != nil {
		return nil, err
	}
	if p == nil { // the variable itself, or a pseudo property of it
		return s.onVariable(v, x, i)
	}
	rest := x.parts[i:]
	switch p.Kind {
	case store.KindToMany, store.KindNamedValues:
		return nil, errorf("illegal attempt to dereference collection %s [%s]", p.Name, strings.Join(x.parts, "."))
	case store.KindToOne:
		if len(rest) == 1 && rest[0] == "id" {
			return &refValue{v: v, prop: p}, nil
		}
		return &refValue{v: v, prop: p, entity: true}, nil
	case store.KindQuantity:
		return s.inQuantity(v, p, x, i)
	case store.KindPermissions:
		if len(rest) == 1 && rest[0] == "perm1" {
			return &propValue{v, p, valueType{kind: longType}}, nil
		}
		if len(rest) == 0 {
			return &permissionsValue{v, p}, nil
		}
	}
	if len(rest) > 0 {
		return nil, unresolved(x, rest[0], p.String())
	}
	return &propValue{v, p, propertyType(p)}, nil
}

func (s *scope) onVariable(v *variable, x *pathExpr, i int) (bound, error) {
	switch rest := x.parts[i:]; {
	case len(rest) == 0:
		return &varValue{v}, nil
	case v.class == nil && len(rest) == 1 && (rest[0] == "name" || rest[0] == "value"):
		return &elementPart{v, rest[0]}, nil
	case v.class != nil && len(rest) == 1 && rest[0] == "class":
		return &classValue{v}, nil
	case v.class == nil:
		return nil, unresolved(x, rest[0], "NamedValue")
	default:
		return nil, unresolved(x, rest[0], v.class.Java)
	}
}

// descend goes through the associations of a path. It returns the variable and
// its property that the path ends in and the number of parts used; the parts
// left are inside the property, or the id of its target. The property is nil
// when the path names the variable itself or a pseudo property.
func (s *scope) descend(v *variable, x *pathExpr, i int) (*variable, *store.Property, int, error) {
	for i < len(x.parts) {
		if v.class == nil || x.parts[i] == "class" {
			return v, nil, i, nil
		}
		p, n, err := s.property(v.class, x, i)
		if err != nil {
			return nil, nil, 0, err
		}
		i = n
		last := i == len(x.parts)
		if p.Kind != store.KindToOne || last || i == len(x.parts)-1 && x.parts[i] == "id" {
			return v, p, i, nil
		}
		if v, err = s.join(v, p); err != nil {
			return nil, nil, 0, err
		}
	}
	return v, nil, i, nil
}

// property resolves one step, which takes two parts within details.
func (s *scope) property(c *store.Class, x *pathExpr, i int) (*store.Property, int, error) {
	name := x.parts[i]
	p := c.Property(name)
	if p == nil {
		p = c.SubclassProperty(name)
	}
	if p == nil {
		return nil, 0, unresolved(x, name, c.Java)
	}
	if p.Kind != store.KindDetails {
		return p, i + 1, nil
	}
	if i+1 == len(x.parts) {
		return nil, 0, errorf("details is a component, name one of its members [%s]", strings.Join(x.parts, "."))
	}
	if p = c.Detail(x.parts[i+1]); p == nil {
		return nil, 0, unresolved(x, x.parts[i+1], c.Java+".details")
	}
	return p, i + 2, nil
}

// association resolves a path that must end in something to join.
func (s *scope) association(x *pathExpr) (*variable, *store.Property, error) {
	v := s.lookup(x.parts[0])
	if v == nil {
		return nil, nil, errorf("undefined alias: %s near line %d, column %d", x.parts[0], x.at.line, x.at.col)
	}
	v, p, n, err := s.descend(v, x, 1)
	if err != nil {
		return nil, nil, err
	}
	if p == nil || n != len(x.parts) {
		return nil, nil, errorf("path expected for join: %s near line %d, column %d", strings.Join(x.parts, "."), x.at.line, x.at.col)
	}
	return v, p, nil
}

// collection resolves a path that must end in a collection.
func (s *scope) collection(x *pathExpr) (*variable, *store.Property, error) {
	v, n := s.start(x)
	if v == nil {
		return nil, nil, errorf("undefined alias: %s near line %d, column %d", x.parts[0], x.at.line, x.at.col)
	}
	v, p, i, err := s.descend(v, x, n)
	if err != nil {
		return nil, nil, err
	}
	if p == nil || i != len(x.parts) || p.Kind != store.KindToMany && p.Kind != store.KindNamedValues {
		return nil, nil, errorf("not a collection: %s near line %d, column %d", strings.Join(x.parts, "."), x.at.line, x.at.col)
	}
	return v, p, nil
}
