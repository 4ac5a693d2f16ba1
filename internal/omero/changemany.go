package omero

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"omerods/internal/ice"
)

// changeObjects is how many objects one request changes at most.
const changeObjects = 500

// changeMany loads objects by their ids, lets set change fields of each, and
// saves them, many with one request. What they hold is sent as not loaded and
// stays as it is. An object that is gone is an error. When it fails, those of
// earlier requests have been changed.
func (c *Client) changeMany(ctx context.Context, kind Kind, ids []int64, set func(id int64, o *ice.Object)) error {
	for part := range slices.Chunk(unique(ids), changeObjects) {
		for try := 1; ; try++ {
			objects, err := c.loadMany(ctx, kind, part)
			if err != nil {
				return err
			}
			list := make([]any, 0, len(objects))
			for _, id := range slices.Sorted(maps.Keys(objects)) {
				set(id, objects[id])
				list = append(list, objects[id])
			}
			_, err = c.call(ctx, updateService, "saveArray", list)
			if err == nil {
				break
			}
			if !errors.Is(err, Conflict) || try >= conflictTries {
				return err
			}
		}
	}
	return nil
}

// loadMany returns objects by their ids, with their collections not loaded.
func (c *Client) loadMany(ctx context.Context, kind Kind, ids []int64) (map[int64]*ice.Object, error) {
	res, err := c.call(queryContext(ctx), queryService, "findAllByQuery",
		`select o from `+string(kind)+` o where o.id in (:ids) order by o.id`, c.parameters(params{"ids": ids}, 0, 0))
	list, err := result[[]any]("findAllByQuery", res, err)
	if err != nil {
		return nil, err
	}
	objects := make(map[int64]*ice.Object, len(list))
	for _, v := range list {
		o, ok := v.(*ice.Object)
		if !ok || o == nil || o.Class == nil || o.Mismatch {
			return nil, failure(Unsupported, "load", string(kind)+" has another form on this server")
		}
		if id, ok := plain(o.Get("id")).(int64); ok {
			objects[id] = unloaded(o)
		}
	}
	for _, id := range ids {
		if objects[id] == nil {
			return nil, failure(NotFound, "load", fmt.Sprintf("no %s %d", kind, id))
		}
	}
	return objects, nil
}

// change is changeMany for objects that say themselves what they become.
func change[T any](ctx context.Context, c *Client, kind Kind, list []T, id func(T) int64, set func(*ice.Object, T)) error {
	byID := make(map[int64]T, len(list))
	ids := make([]int64, len(list))
	for i, v := range list {
		ids[i] = id(v)
		byID[ids[i]] = v
	}
	err := c.changeMany(ctx, kind, ids, func(id int64, o *ice.Object) { set(o, byID[id]) })
	if err != nil {
		return fmt.Errorf("change %d of %s: %w", len(list), kind, err)
	}
	return nil
}

// ChangePlates gives existing plates all fields of their own that are listed.
func (c *Client) ChangePlates(ctx context.Context, plates []Plate) error {
	return change(ctx, c, KindPlate, plates, func(p Plate) int64 { return p.ID }, c.setPlate)
}

// ChangeRuns gives existing runs their names, descriptions, times and numbers
// of fields.
func (c *Client) ChangeRuns(ctx context.Context, runs []Run) error {
	return change(ctx, c, KindRun, runs, func(r Run) int64 { return r.ID }, c.setRun)
}

// ChangeWells gives existing wells everything but their places and fields.
func (c *Client) ChangeWells(ctx context.Context, wells []Well) error {
	return change(ctx, c, KindWell, wells, func(w Well) int64 { return w.ID }, c.setWell)
}

// ChangeFields gives existing fields their positions and times.
func (c *Client) ChangeFields(ctx context.Context, fields []Field) error {
	return change(ctx, c, kindField, fields, func(f Field) int64 { return f.ID }, c.setField)
}

// kindField is the class of fields.
const kindField Kind = "WellSample"
