package blitz

import (
	"context"
	"maps"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// originalMetadata works on ::omero::cmd::OriginalMetadataRequest: it tells what
// the files of an image say beyond the model.
func originalMetadata(files *repository.Managed) RequestFunc {
	return func(_ context.Context, c *Call, req *ice.Object, _ *Task) (*ice.Object, error) {
		id, _ := req.Get("imageId").(int64)
		fileset := store.None
		err := c.inAllGroups().View(func(tx *store.Tx, who *Caller) error {
			row := tx.Get(tx.Model().Class("Image"), id)
			if row == nil || !who.CanRead(tx, row) {
				return Fail(Validation, "no image %d", id)
			}
			fileset = row.Ref("fileset")
			return nil
		})
		if err != nil {
			return nil, err
		}
		global := ice.Dict{}
		rsp := c.Server.defs.New("::omero::cmd::OriginalMetadataResponse").Set("seriesMetadata", ice.Dict{})
		if fileset != store.None {
			set, err := files.Images(fileset)
			if err != nil {
				return nil, diskError(err)
			}
			for _, key := range slices.Sorted(maps.Keys(set.Metadata)) {
				global = append(global, ice.Pair{Key: key, Value: c.Server.RString(set.Metadata[key])})
			}
			rsp.Set("filesetId", c.Server.RLong(fileset))
		}
		return rsp.Set("globalMetadata", global), nil
	}
}
