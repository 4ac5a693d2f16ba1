package blitz

import (
	"context"
	"strings"

	"omerods/internal/ice"
	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/store"
)

var queryMethods = Methods{
	"projection":     projection,
	"findByQuery":    findByQuery,
	"findAllByQuery": findAllByQuery,
	"get": func(_ context.Context, c *Call) ([]any, error) {
		return c.row(func(tx *store.Tx, who *Caller) (*store.Row, error) {
			class, id, err := c.classAndID()
			if err != nil {
				return nil, err
			}
			row := tx.Get(class, id)
			if row == nil || !who.CanRead(tx, row) {
				return nil, Fail(Validation, "Cannot find object: no row with the given identifier exists: [%s#%d]", class.Java, id)
			}
			return row, nil
		})
	},
	"find": func(_ context.Context, c *Call) ([]any, error) {
		return c.row(func(tx *store.Tx, who *Caller) (*store.Row, error) {
			class, id, err := c.classAndID()
			if err != nil {
				return nil, err
			}
			if row := tx.Get(class, id); row != nil && who.CanRead(tx, row) {
				return row, nil
			}
			return nil, nil
		})
	},
	"findAll":         findAll,
	"findByString":    findByString,
	"findAllByString": findByString,
	"refresh": func(_ context.Context, c *Call) ([]any, error) {
		return c.row(func(tx *store.Tx, who *Caller) (*store.Row, error) {
			o := Arg[*ice.Object](c, 0)
			class := c.Server.classOf(o)
			if class == nil {
				return nil, Fail(APIUsage, "no object to refresh")
			}
			id, _ := unbox(o.Get("id")).(int64)
			row := tx.Get(class, id)
			if row == nil || !who.CanRead(tx, row) {
				return nil, Fail(Validation, "no row with the given identifier exists: [%s#%d]", class.Java, id)
			}
			return row, nil
		})
	},
}

// class returns the model class that an argument names: by its simple name,
// by that of the Java entity, or by that of the class a client has for it.
func (c *Call) class(name string) (*store.Class, error) {
	m := c.Server.store.Model()
	simple := strings.TrimPrefix(strings.TrimPrefix(name, "::omero::model::"), "omero.model.")
	if class := m.Class(simple); class != nil {
		return class, nil
	}
	if class := m.Class(strings.TrimSuffix(simple, "I")); class != nil {
		return class, nil
	}
	return nil, Fail(APIUsage, "no class %q in the model", name)
}

func (c *Call) classAndID() (*store.Class, int64, error) {
	class, err := c.class(Arg[string](c, 0))
	return class, Arg[int64](c, 1), err
}

// options reads ::omero::sys::Parameters, which may be nil.
func (c *Call) options(v any) (hql.Options, error) {
	o := hql.Options{Params: make(map[string]any), Limit: -1}
	p, _ := v.(*ice.Object)
	if p == nil {
		return o, nil
	}
	params, _ := p.Get("map").(ice.Dict)
	for _, e := range params {
		value, err := c.Server.param(e.Value)
		if err != nil {
			return o, err
		}
		o.Params[e.Key.(string)] = value
	}
	if f, _ := p.Get("theFilter").(*ice.Object); f != nil {
		o.Offset, o.Limit = page(f)
	}
	return o, nil
}

// page reads offset and limit of a Filter; an absent limit is -1.
func page(f *ice.Object) (offset, limit int) {
	limit = -1
	if n, ok := unbox(f.Get("offset")).(int32); ok && n > 0 {
		offset = int(n)
	}
	if n, ok := unbox(f.Get("limit")).(int32); ok && n >= 0 {
		limit = int(n)
	}
	return offset, limit
}

// query runs the HQL of the first argument with the parameters of the second
// and hands the result on within the same transaction.
func (c *Call) query(ctx context.Context, then func(g *graph, r *hql.Result) error) error {
	o, err := c.options(c.Args[1])
	if err != nil {
		return err
	}
	return c.View(func(tx *store.Tx, who *Caller) error {
		o.Visible = who.Visible(tx)
		r, err := hql.Run(ctx, tx, Arg[string](c, 0), o)
		if err != nil {
			return err
		}
		g := c.Server.newGraph(tx, who)
		g.loaded, g.fetched = r.Loaded, r.Fetched
		return then(g, r)
	})
}

func projection(ctx context.Context, c *Call) (out []any, err error) {
	err = c.query(ctx, func(g *graph, r *hql.Result) error {
		rows := make([]any, len(r.Rows))
		for i, row := range r.Rows {
			cells := make([]any, len(row))
			for j, v := range row {
				if b, ok := v.([]byte); ok {
					return Fail(Internal, "cannot convert %d bytes of column %d to an RType", len(b), j)
				}
				cells[j] = g.project(v)
			}
			rows[i] = cells
		}
		out = []any{rows}
		return nil
	})
	return out, err
}

// entities runs a query that must select one entity.
func (c *Call) entities(ctx context.Context, then func(g *graph, rows []*store.Row) error) error {
	return c.query(ctx, func(g *graph, r *hql.Result) error {
		rows := make([]*store.Row, 0, len(r.Rows))
		for _, row := range r.Rows {
			if len(row) != 1 {
				return Fail(APIUsage, "Query named:\n\t%s\nreturns %d columns and not an object", Arg[string](c, 0), len(row))
			}
			entity, ok := row[0].(*store.Row)
			if !ok && row[0] != nil {
				return Fail(APIUsage, "Query named:\n\t%s\nreturns a %T and not an object", Arg[string](c, 0), row[0])
			}
			if entity != nil {
				rows = append(rows, entity)
			}
		}
		return then(g, rows)
	})
}

func findAllByQuery(ctx context.Context, c *Call) (out []any, err error) {
	err = c.entities(ctx, func(g *graph, rows []*store.Row) error {
		out = []any{g.list(rows)}
		return nil
	})
	return out, err
}

func findByQuery(ctx context.Context, c *Call) (out []any, err error) {
	err = c.entities(ctx, func(g *graph, rows []*store.Row) error {
		for _, r := range rows {
			if r != rows[0] {
				return Fail(APIUsage, "Query named:\n\t%s\nhas returned more than one object; use findAllByQuery", Arg[string](c, 0))
			}
		}
		if out = []any{nil}; len(rows) > 0 {
			out[0] = g.object(rows[0])
		}
		return nil
	})
	return out, err
}

func findAll(_ context.Context, c *Call) ([]any, error) {
	class, err := c.class(Arg[string](c, 0))
	if err != nil {
		return nil, err
	}
	return c.rows(func(tx *store.Tx, who *Caller) ([]*store.Row, error) {
		return c.matching(tx, who, class, c.Args[1], func(*store.Row) bool { return true }), nil
	})
}

// matching returns the page of the visible objects of a class that match.
func (c *Call) matching(tx *store.Tx, who *Caller, class *store.Class, filter any, match func(*store.Row) bool) []*store.Row {
	offset, limit := 0, -1
	if f, _ := filter.(*ice.Object); f != nil {
		offset, limit = page(f)
	}
	var rows []*store.Row
	for r := range tx.Rows(class) {
		if limit >= 0 && len(rows) == limit {
			break
		}
		if !who.CanRead(tx, r) || !match(r) {
			continue
		}
		if offset > 0 {
			offset--
			continue
		}
		rows = append(rows, r)
	}
	return rows
}

// findByString finds objects by a text property: one that equals it, or all
// that match it as a pattern.
func findByString(_ context.Context, c *Call) ([]any, error) {
	class, err := c.class(Arg[string](c, 0))
	if err != nil {
		return nil, err
	}
	field, value := Arg[string](c, 1), Arg[string](c, 2)
	p := class.Property(field)
	if p == nil || p.Kind != store.KindString {
		return nil, Fail(QueryError, "could not resolve property: %s of: %s", field, class.Java)
	}
	if c.Operation == "findAllByString" {
		fold := func(s string) string { return s }
		if !Arg[bool](c, 3) {
			fold = strings.ToLower
		}
		return c.rows(func(tx *store.Tx, who *Caller) ([]*store.Row, error) {
			return c.matching(tx, who, class, c.Args[4], func(r *store.Row) bool {
				s, ok := r.Value(p).(string)
				return ok && strings.Contains(fold(s), fold(value))
			}), nil
		})
	}
	return c.row(func(tx *store.Tx, who *Caller) (*store.Row, error) {
		rows := c.matching(tx, who, class, nil, func(r *store.Row) bool { return r.Value(p) == value })
		switch len(rows) {
		case 0:
			return nil, nil
		case 1:
			return rows[0], nil
		}
		return nil, Fail(APIUsage, "more than one %s has %s %q", class.Name, field, value)
	})
}
