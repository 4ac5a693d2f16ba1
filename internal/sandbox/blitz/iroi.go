package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

const roisWithShapes = "select distinct r from Roi r join fetch r.details.owner left outer join fetch r.shapes s left outer join fetch s.transform"

var roiMethods = Methods{
	"findByRoi": func(ctx context.Context, c *Call) ([]any, error) {
		return c.rois(ctx, c.Args[1], roisWithShapes+" where r.id = :id", map[string]any{"id": Arg[int64](c, 0)})
	},
	"findByImage": func(ctx context.Context, c *Call) ([]any, error) {
		return c.rois(ctx, c.Args[1], roisWithShapes+" where r.image.id = :id", map[string]any{"id": Arg[int64](c, 0)})
	},
	"findByPlane": func(ctx context.Context, c *Call) ([]any, error) {
		const plane = " where r.image.id = :id and (s.theZ is null or s.theZ = :z) and (s.theT is null or s.theT = :t)"
		return c.rois(ctx, c.Args[3], roisWithShapes+plane, map[string]any{"id": Arg[int64](c, 0), "z": Arg[int32](c, 1), "t": Arg[int32](c, 2)})
	},
}

// rois answers with regions, restricted to an owner and a group.
func (c *Call) rois(ctx context.Context, opts any, query string, params map[string]any) (out []any, err error) {
	if o, _ := opts.(*ice.Object); o != nil {
		if id, ok := unbox(o.Get("userId")).(int64); ok {
			query, params["owner"] = query+" and r.details.owner.id = :owner", id
		}
		if id, ok := unbox(o.Get("groupId")).(int64); ok {
			query, params["group"] = query+" and r.details.group.id = :group", id
		}
	}
	err = c.load(ctx, query+" order by r.id", params, func(g *graph, rows []*store.Row) error {
		out = []any{c.Server.defs.New("::omero::api::RoiResult").Set("opts", opts).Set("rois", g.list(rows))}
		return nil
	})
	return out, err
}
