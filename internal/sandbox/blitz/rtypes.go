package blitz

import (
	"strings"

	"omerods/internal/ice"
	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/store"
)

// The RTypes, made of Go values. Each has one member, val.

func (s *Server) rtype(class string, v any) *ice.Object {
	return s.defs.New("::omero::"+class).Set("val", v)
}

// RLong returns an ::omero::RLong.
func (s *Server) RLong(v int64) *ice.Object { return s.rtype("RLong", v) }

// RInt returns an ::omero::RInt.
func (s *Server) RInt(v int32) *ice.Object { return s.rtype("RInt", v) }

// RString returns an ::omero::RString.
func (s *Server) RString(v string) *ice.Object { return s.rtype("RString", v) }

// RBool returns an ::omero::RBool.
func (s *Server) RBool(v bool) *ice.Object { return s.rtype("RBool", v) }

// RDouble returns an ::omero::RDouble.
func (s *Server) RDouble(v float64) *ice.Object { return s.rtype("RDouble", v) }

// RTime returns an ::omero::RTime.
func (s *Server) RTime(v store.Time) *ice.Object { return s.rtype("RTime", int64(v)) }

// scalar returns the RType of a stored value, nil for null.
func (s *Server) scalar(v any) any {
	switch x := v.(type) {
	case string:
		return s.RString(x)
	case int32:
		return s.RInt(x)
	case int64:
		return s.RLong(x)
	case float64:
		return s.RDouble(x)
	case bool:
		return s.RBool(x)
	case store.Time:
		return s.RTime(x)
	}
	return nil
}

// unbox returns the Go value in an RType, nil for a nil one.
func unbox(v any) any {
	o, ok := v.(*ice.Object)
	if !ok || o == nil || !o.Has("val") {
		return nil
	}
	val := o.Get("val")
	if o.IsA("::omero::RTime") {
		t, _ := val.(int64)
		return store.Time(t)
	}
	return val
}

// param turns a query parameter into what package hql takes.
func (s *Server) param(v any) (any, error) {
	o, ok := v.(*ice.Object)
	if !ok || o == nil {
		return nil, nil
	}
	switch val := unbox(o).(type) {
	case float32:
		return float64(val), nil
	case []any:
		list := make([]any, len(val))
		for i, e := range val {
			p, err := s.param(e)
			if err != nil {
				return nil, err
			}
			list[i] = p
		}
		return list, nil
	case *ice.Object:
		if val == nil {
			return nil, nil
		}
		c := s.classOf(val)
		id, ok := unbox(val.Get("id")).(int64)
		if c == nil || !ok {
			return nil, Fail(APIUsage, "a parameter is an object without an id")
		}
		return hql.Ref{Class: c, ID: id}, nil
	case ice.Dict:
		return nil, Fail(APIUsage, "a map cannot be a parameter of a query")
	default:
		return val, nil
	}
}

// classOf returns the class of a model object, nil for anything else.
func (s *Server) classOf(o *ice.Object) *store.Class {
	if o == nil || o.Class == nil {
		return nil
	}
	c := s.store.Model().Class(shortName(o.Class.ID))
	if c == nil || c.Slice != o.Class {
		return nil
	}
	return c
}

// project turns a value of a query result into an RType.
func (g *graph) project(v any) any {
	s := g.s
	switch x := v.(type) {
	case nil:
		return nil
	case *store.Row:
		return s.rtype("RObject", g.object(x))
	case *store.Class:
		return s.RString(x.Java)
	case hql.Quantity:
		return s.rtype("RMap", ice.Dict{
			{Key: "value", Value: s.RDouble(x.Value)}, {Key: "unit", Value: s.RString(x.Unit)}, {Key: "symbol", Value: s.RString(x.Symbol)},
		})
	case hql.Permissions:
		return g.permissionsMap(x.Of)
	case []hql.MapEntry:
		d := make(ice.Dict, len(x))
		for i, e := range x {
			value := e.Value
			if row, ok := value.(*store.Row); ok && strings.HasSuffix(e.Key, "_details_permissions") {
				value = hql.Permissions{Of: row}
			}
			d[i] = ice.Pair{Key: e.Key, Value: g.project(value)}
		}
		return s.rtype("RMap", d)
	case []any:
		list := make([]any, len(x))
		for i, e := range x {
			list[i] = g.project(e)
		}
		return s.rtype("RList", list)
	case []string:
		list := make([]any, len(x))
		for i, e := range x {
			list[i] = s.RString(e)
		}
		return s.rtype("RArray", list)
	}
	return s.scalar(v)
}

// permissionsMap is what a projection gives for the permissions of an object.
func (g *graph) permissionsMap(r *store.Row) any {
	s, rights := g.s, g.who.Rights(g.tx, r)
	return s.rtype("RMap", ice.Dict{
		{Key: "perm", Value: s.RString(FormatPermissions(groupPermissions(g.tx, r)))},
		{Key: "canAnnotate", Value: s.RBool(rights.Annotate)},
		{Key: "canDelete", Value: s.RBool(rights.Delete)},
		{Key: "canEdit", Value: s.RBool(rights.Edit)},
		{Key: "canLink", Value: s.RBool(rights.Link)},
		{Key: "canChgrp", Value: s.RBool(rights.Chgrp)},
		{Key: "canChown", Value: s.RBool(rights.Chown)},
	})
}
