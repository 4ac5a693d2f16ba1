package omero

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"omerods/internal/ice"
)

// ChannelChange says what becomes of a channel; what is nil stays.
type ChannelChange struct {
	Name        *string
	Color       *int32 // RGBA, red in the top byte
	LookupTable *string
}

// ChangeChannels changes channels, by their ids, all of them or none. Names
// belong to what channels of several images may share, and change for all of
// these. How an image looks is up to its rendering settings.
func (c *Client) ChangeChannels(ctx context.Context, changes map[int64]ChannelChange) error {
	if len(changes) == 0 {
		return nil
	}
	for try := 1; ; try++ {
		err := c.changeChannels(ctx, changes)
		if err == nil {
			return nil
		}
		if !errors.Is(err, Conflict) || try >= conflictTries {
			return fmt.Errorf("channels: %w", err)
		}
	}
}

func (c *Client) changeChannels(ctx context.Context, changes map[int64]ChannelChange) error {
	ids := make([]int64, 0, len(changes))
	for id := range changes {
		ids = append(ids, id)
	}
	if len(ids) > batchIDs {
		return failure(Invalid, "change", fmt.Sprintf("%d channels at once", len(ids)))
	}
	slices.Sort(ids)
	var save []any // one batch: the function below is not called at the same time
	shared := make(map[*ice.Object]bool)
	err := c.eachLoaded(ctx, `select c from Channel c join fetch c.logicalChannel where c.id in (:ids)`, ids, func(id int64, o *ice.Object) error {
		lc := get[*ice.Object](o, "logicalChannel")
		if lc == nil || lc.Class == nil || lc.Mismatch || o.Mismatch {
			return failure(Unsupported, "load", "Channel has another form on this server")
		}
		ch := changes[id]
		if ch.Name != nil {
			lc.Set("name", c.optional(*ch.Name))
		}
		if ch.Color != nil {
			for i, field := range []string{"red", "green", "blue", "alpha"} {
				o.Set(field, c.rint(int(uint32(*ch.Color)>>(24-8*i)&255)))
			}
		}
		if ch.LookupTable != nil {
			o.Set("lookupTable", c.optional(*ch.LookupTable))
		}
		save = append(save, unloaded(o))
		if !shared[lc] {
			shared[lc] = true
			save = append(save, unloaded(lc))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n := len(save) - len(shared); n != len(ids) {
		return failure(NotFound, "load", fmt.Sprintf("%d of %d channels", len(ids)-n, len(ids)))
	}
	_, err = c.call(ctx, updateService, "saveArray", save)
	return err
}
