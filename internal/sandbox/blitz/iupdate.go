package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/store"
)

var updateMethods = Methods{
	"saveObject": func(_ context.Context, c *Call) ([]any, error) {
		return nil, c.save([]any{c.Args[0]}, nil)
	},
	"saveArray":      saveArray,
	"saveCollection": saveArray,
	"saveAndReturnObject": func(_ context.Context, c *Call) (out []any, err error) {
		err = c.save([]any{c.Args[0]}, func(g *graph, rows []*store.Row) { out = g.list(rows) })
		return out, err
	},
	"saveAndReturnArray": func(_ context.Context, c *Call) (out []any, err error) {
		err = c.save(Arg[[]any](c, 0), func(g *graph, rows []*store.Row) { out = []any{g.list(rows)} })
		return out, err
	},
	"saveAndReturnIds": func(_ context.Context, c *Call) (out []any, err error) {
		err = c.save(Arg[[]any](c, 0), func(_ *graph, rows []*store.Row) {
			ids := make([]int64, len(rows))
			for i, r := range rows {
				ids[i] = r.ID
			}
			out = []any{ids}
		})
		return out, err
	},
	"deleteObject": deleteObject,
	"indexObject":  ignore, // nothing searches the full text
}

func saveArray(_ context.Context, c *Call) ([]any, error) {
	return nil, c.save(Arg[[]any](c, 0), nil)
}

// save stores a graph in one transaction; then gets the rows of the roots.
func (c *Call) save(roots []any, then func(g *graph, rows []*store.Row)) error {
	return c.Update(func(tx *store.Tx, who *Caller) error {
		rows, sv, err := c.SaveGraph(tx, who, roots)
		if err != nil || then == nil {
			return err
		}
		g := c.Server.newGraph(tx, who)
		for _, r := range sv.touched {
			g.loaded[r] = true
		}
		for _, c := range sv.collected {
			if owner := tx.Get(c.owner.root, c.owner.id); owner != nil {
				elements := slices.DeleteFunc(tx.Collection(c.p, owner.ID), func(r *store.Row) bool { return !who.CanRead(tx, r) })
				g.fetched[hql.Fetch{Owner: owner, Property: c.p}] = elements
			}
		}
		then(g, rows)
		return nil
	})
}

// deleteObject removes one object, which nothing may refer to.
func deleteObject(_ context.Context, c *Call) ([]any, error) {
	o := Arg[*ice.Object](c, 0)
	class := c.Server.classOf(o)
	if class == nil {
		return nil, Fail(APIUsage, "no object to delete")
	}
	id, ok := unbox(o.Get("id")).(int64)
	if !ok {
		return nil, Fail(APIUsage, "the object has no id")
	}
	var gone *store.Row
	err := c.Update(func(tx *store.Tx, who *Caller) error {
		gone = tx.Get(class, id)
		if gone == nil || !who.CanRead(tx, gone) {
			return Fail(Validation, "no row with the given identifier exists: [%s#%d]", class.Java, id)
		}
		if !who.Rights(tx, gone).Delete {
			return Fail(SecurityViolation, "deleting %s:Id_%d not permitted", class.Name, id)
		}
		tx.As(who.Actor()).Delete(gone)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return nil, c.Server.removeFiles([]*store.Row{gone})
}

// saveRequest is the request ::omero::api::Save.
func saveRequest(_ context.Context, c *Call, req *ice.Object, _ *Task) (rsp *ice.Object, err error) {
	err = c.save([]any{req.Get("obj")}, func(g *graph, rows []*store.Row) {
		rsp = c.Server.defs.New("::omero::api::SaveRsp").Set("obj", g.object(rows[0]))
	})
	return rsp, err
}
