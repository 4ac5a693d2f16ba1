package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

const (
	describedPixels = "select p from Pixels p join fetch p.image left outer join fetch p.pixelsType left outer join fetch p.dimensionOrder " +
		"left outer join fetch p.channels c left outer join fetch c.logicalChannel lc left outer join fetch c.statsInfo " +
		"left outer join fetch lc.photometricInterpretation left outer join fetch lc.illumination left outer join fetch lc.mode " +
		"left outer join fetch lc.contrastMethod where p.id = :id"
	renderingDefs = "select distinct r from RenderingDef r join fetch r.details.owner left outer join fetch r.quantization left outer join fetch r.model " +
		"left outer join fetch r.waveRendering w left outer join fetch w.family left outer join fetch w.spatialDomainEnhancement"
)

var pixelsMethods = Methods{
	"retrievePixDescription": func(ctx context.Context, c *Call) ([]any, error) {
		return c.loadOne(ctx, "select distinct"+describedPixels[len("select"):], map[string]any{"id": Arg[int64](c, 0)})
	},
	"loadRndSettings": func(ctx context.Context, c *Call) ([]any, error) {
		return c.loadOne(ctx, renderingDefs+" where r.id = :id", map[string]any{"id": Arg[int64](c, 0)})
	},
	"retrieveRndSettings": func(ctx context.Context, c *Call) ([]any, error) {
		return c.loadOne(ctx, renderingDefs+" where r.pixels.id = :id and r.details.owner.id = :owner order by r.id desc",
			map[string]any{"id": Arg[int64](c, 0), "owner": c.Session.User})
	},
	"retrieveRndSettingsFor": func(ctx context.Context, c *Call) ([]any, error) {
		return c.loadOne(ctx, renderingDefs+" where r.pixels.id = :id and r.details.owner.id = :owner order by r.id desc",
			map[string]any{"id": Arg[int64](c, 0), "owner": Arg[int64](c, 1)})
	},
	"retrieveAllRndSettings": func(ctx context.Context, c *Call) ([]any, error) {
		query, params := renderingDefs+" where r.pixels.id = :id", map[string]any{"id": Arg[int64](c, 0)}
		if owner := Arg[int64](c, 1); owner >= 0 {
			query, params["owner"] = query+" and r.details.owner.id = :owner", owner
		}
		return c.loadList(ctx, query+" order by r.id", params)
	},
	"saveRndSettings": func(_ context.Context, c *Call) ([]any, error) {
		return nil, c.save([]any{c.Args[0]}, nil)
	},
	"getBitDepth":        bitDepth,
	"getEnumeration":     getEnumeration,
	"getAllEnumerations": allEnumerations,
}

func bitDepth(_ context.Context, c *Call) (out []any, err error) {
	o := Arg[*ice.Object](c, 0)
	class := c.Server.classOf(o)
	if class == nil || class.Name != "PixelsType" {
		return nil, Fail(APIUsage, "no pixels type")
	}
	value, _ := unbox(o.Get("value")).(string)
	err = c.View(func(tx *store.Tx, _ *Caller) error {
		id, ok := unbox(o.Get("id")).(int64)
		if !ok {
			id = tx.Enum("PixelsType", value)
		}
		row := tx.Get(class, id)
		if row == nil {
			return Fail(APIUsage, "no such pixels type")
		}
		bits, _ := row.Get("bitSize").(int32)
		out = []any{bits}
		return nil
	})
	return out, err
}
