package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/store"
)

// load runs a query of this package that selects one entity and hands its
// rows on with the graph that they belong to. The services with ready-made
// queries are built on it.
func (c *Call) load(ctx context.Context, query string, params map[string]any, then func(g *graph, rows []*store.Row) error) error {
	return c.View(func(tx *store.Tx, who *Caller) error {
		r, err := hql.Run(ctx, tx, query, hql.Options{Params: params, Limit: -1, Visible: who.Visible(tx)})
		if err != nil {
			return err
		}
		g := c.Server.newGraph(tx, who)
		g.loaded, g.fetched = r.Loaded, r.Fetched
		rows := make([]*store.Row, 0, len(r.Rows))
		for _, row := range r.Rows {
			if e, ok := row[0].(*store.Row); ok {
				rows = append(rows, e)
			}
		}
		return then(g, rows)
	})
}

// loadList answers with the entities of a query.
func (c *Call) loadList(ctx context.Context, query string, params map[string]any) (out []any, err error) {
	err = c.load(ctx, query, params, func(g *graph, rows []*store.Row) error {
		out = []any{g.list(rows)}
		return nil
	})
	return out, err
}

// loadOne answers with the only entity of a query, nil when there is none.
func (c *Call) loadOne(ctx context.Context, query string, params map[string]any) (out []any, err error) {
	err = c.load(ctx, query, params, func(g *graph, rows []*store.Row) error {
		if out = []any{nil}; len(rows) > 0 {
			out[0] = g.object(rows[0])
		}
		return nil
	})
	return out, err
}

// idList turns ids into a list parameter; none become an id that no object
// has, as an empty list is no valid parameter.
func idList(ids []int64) []any {
	if len(ids) == 0 {
		return []any{store.None}
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}

// filter returns the conditions on owner and group in ::omero::sys::Parameters
// for an alias.
func filter(v any, alias string, params map[string]any) string {
	p, _ := v.(*ice.Object)
	if p == nil {
		return ""
	}
	f, _ := p.Get("theFilter").(*ice.Object)
	if f == nil {
		return ""
	}
	where := ""
	if id, ok := unbox(f.Get("ownerId")).(int64); ok && id >= 0 {
		where += " and " + alias + ".details.owner.id = :filterOwner"
		params["filterOwner"] = id
	}
	if id, ok := unbox(f.Get("groupId")).(int64); ok && id >= 0 {
		where += " and " + alias + ".details.group.id = :filterGroup"
		params["filterGroup"] = id
	}
	return where
}

// option reads a flag of ::omero::sys::Parameters.
func option(v any, name string) bool {
	p, _ := v.(*ice.Object)
	if p == nil {
		return false
	}
	o, _ := p.Get("theOptions").(*ice.Object)
	return o != nil && unbox(o.Get(name)) == true
}
