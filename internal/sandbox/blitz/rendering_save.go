package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// maySettle checks that the caller may have settings for pixels.
func maySettle(tx *store.Tx, who *Caller, pixels *store.Row) error {
	if !who.Rights(tx, pixels).Annotate {
		return Fail(SecurityViolation, "rendering settings of Pixels:Id_%d not permitted", pixels.ID)
	}
	return nil
}

// keep stores settings for their user: in place of the user's own, or as new
// ones. It returns their id.
func (l *look) keep(tx *store.Tx, who *Caller, pixels *store.Row, always bool) (int64, error) {
	if err := maySettle(tx, who, pixels); err != nil {
		return 0, err
	}
	actor := who.Actor()
	actor.Group = pixels.Group
	author := tx.As(actor)
	if def := ownSettings(tx, pixels, actor.User); def != nil && !always {
		return def.ID, l.update(author, def)
	}
	return l.create(author, pixels)
}

// save stores the engine's settings and goes on with them.
func (e *engine) save(c *Call, always bool) (id int64, err error) {
	err = c.Update(func(tx *store.Tx, who *Caller) error {
		pixels, err := e.pixelsRow(tx, who)
		if err != nil {
			return err
		}
		id, err = e.look.keep(tx, who, pixels, always)
		return err
	})
	if err == nil {
		e.look.id = id
	}
	return id, err
}

func (e *engine) saveCurrent(_ context.Context, c *Call) ([]any, error) {
	_, err := e.save(c, false)
	return nil, err
}

func (e *engine) saveNew(_ context.Context, c *Call) ([]any, error) { return one(e.save(c, true)) }

// updateSettings takes over what a client has changed.
func (e *engine) updateSettings(_ context.Context, c *Call) ([]any, error) {
	o := Arg[*ice.Object](c, 0)
	if o == nil {
		return nil, Fail(APIUsage, "no settings")
	}
	return nil, c.View(func(tx *store.Tx, _ *Caller) error {
		e.look.take(tx, o)
		return nil
	})
}

// reset goes back to what new pixels are shown with, and stores that when
// asked to.
func (e *engine) reset(_ context.Context, c *Call) ([]any, error) {
	var fresh *look
	err := c.View(func(tx *store.Tx, who *Caller) error {
		pixels, err := e.pixelsRow(tx, who)
		if err == nil {
			fresh, err = defaultLook(tx, pixels, e.px)
		}
		return err
	})
	if err != nil {
		return nil, diskError(err)
	}
	if e.look != nil {
		fresh.id, fresh.owner = e.look.id, e.look.owner
	}
	e.look = fresh
	if !Arg[bool](c, 0) {
		return []any{store.None}, nil
	}
	return one(e.save(c, false))
}

// settings is the service IRenderingSettings.
type settings struct {
	srv   *Server
	files *repository.Managed
}

// Method implements Servant.
func (s settings) Method(operation string) Method {
	switch operation {
	case "getRenderingSettings":
		return func(ctx context.Context, c *Call) ([]any, error) {
			return c.loadOne(ctx, renderingDefs+" where r.pixels.id = :id and r.details.owner.id = :owner order by r.id desc",
				map[string]any{"id": Arg[int64](c, 0), "owner": c.Session.User})
		}
	case "resetDefaultsInImage", "resetDefaultsForPixels", "resetDefaultsInDataset", "resetDefaultsInSet":
		return s.resetMany
	case "applySettingsToSet":
		return func(ctx context.Context, c *Call) ([]any, error) {
			yes, no, err := s.apply(ctx, c, Arg[int64](c, 0), Arg[string](c, 1), Arg[[]int64](c, 2))
			return one(ice.Dict{{Key: true, Value: yes}, {Key: false, Value: no}}, err)
		}
	case "applySettingsToImages":
		return func(ctx context.Context, c *Call) ([]any, error) {
			yes, no, err := s.apply(ctx, c, Arg[int64](c, 0), "Image", Arg[[]int64](c, 1))
			return one(ice.Dict{{Key: true, Value: yes}, {Key: false, Value: no}}, err)
		}
	case "applySettingsToImage", "applySettingsToPixels":
		return func(ctx context.Context, c *Call) ([]any, error) {
			class := map[string]string{"applySettingsToImage": "Image", "applySettingsToPixels": "Pixels"}[operation]
			yes, _, err := s.apply(ctx, c, Arg[int64](c, 0), class, []int64{Arg[int64](c, 1)})
			return one(len(yes) == 1, err)
		}
	}
	return nil
}

// pixelsBelow finds the pixels of images, of what holds images, or the ones
// named.
func (s settings) pixelsBelow(ctx context.Context, c *Call, class string, ids []int64) ([]int64, error) {
	if class == "Pixels" {
		return ids, nil
	}
	sub := *c
	sub.Args = []any{class, ids, nil}
	images, err := imagesIn(ctx, &sub)
	if err != nil {
		return nil, err
	}
	var out []int64
	err = c.View(func(tx *store.Tx, _ *Caller) error {
		for _, v := range images[0].([]any) {
			id, _ := unbox(v.(*ice.Object).Get("id")).(int64)
			for _, p := range tx.Collection(tx.Model().Class("Image").Property("pixels"), id) {
				out = append(out, p.ID)
			}
		}
		return nil
	})
	return out, err
}

// resetMany gives pixels the settings of new ones and returns the ids of their
// images.
func (s settings) resetMany(ctx context.Context, c *Call) ([]any, error) {
	class, ids := "", []int64(nil)
	switch c.Operation {
	case "resetDefaultsInSet":
		class, ids = Arg[string](c, 0), Arg[[]int64](c, 1)
	case "resetDefaultsInImage":
		class, ids = "Image", []int64{Arg[int64](c, 0)}
	case "resetDefaultsInDataset":
		class, ids = "Dataset", []int64{Arg[int64](c, 0)}
	default:
		class, ids = "Pixels", []int64{Arg[int64](c, 0)}
	}
	pixels, err := s.pixelsBelow(ctx, c, class, ids)
	if err != nil {
		return nil, err
	}
	images := []int64{}
	for _, id := range pixels {
		px, err := s.files.OpenPixels(id)
		if err != nil {
			continue // it has no pixels to look at
		}
		err = c.Update(func(tx *store.Tx, who *Caller) error {
			row, err := readablePixels(tx, who, id)
			if err != nil {
				return err
			}
			l, err := defaultLook(tx, row, px)
			if err != nil {
				return diskError(err)
			}
			images = append(images, row.Ref("image"))
			_, err = l.keep(tx, who, row, false)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if c.Operation == "resetDefaultsInImage" || c.Operation == "resetDefaultsForPixels" {
		return nil, nil
	}
	return []any{images}, nil
}

// apply copies the settings of some pixels, or of an image, to others of the
// same make. It returns the ids of the images that have them now, and of the
// others.
func (s settings) apply(ctx context.Context, c *Call, from int64, class string, ids []int64) (yes, no []int64, err error) {
	pixels, err := s.pixelsBelow(ctx, c, class, ids)
	if err != nil {
		return nil, nil, err
	}
	yes, no = []int64{}, []int64{}
	err = c.Update(func(tx *store.Tx, who *Caller) error {
		source, err := readablePixels(tx, who, from)
		if err != nil {
			return err
		}
		def := ownSettings(tx, source, who.Owner)
		if def == nil {
			if def = ownSettings(tx, source, source.Owner); def == nil {
				return Fail(APIUsage, "pixels %d have no rendering settings", from)
			}
		}
		for _, id := range pixels {
			row, err := readablePixels(tx, who, id)
			if err != nil {
				return err
			}
			l := readLook(tx, def)
			if !alike(source, row) || maySettle(tx, who, row) != nil {
				no = append(no, row.Ref("image"))
				continue
			}
			l.z, l.t = clamp(l.z, row.Get("sizeZ")), clamp(l.t, row.Get("sizeT"))
			if _, err := l.keep(tx, who, row, false); err != nil {
				return err
			}
			yes = append(yes, row.Ref("image"))
		}
		return nil
	})
	return yes, no, err
}

// alike reports whether the settings of pixels fit others: as many channels of
// the same type.
func alike(a, b *store.Row) bool {
	return a.Get("sizeC") == b.Get("sizeC") && a.Ref("pixelsType") == b.Ref("pixelsType")
}

func clamp(n int32, size any) int32 {
	top, _ := size.(int32)
	return max(0, min(n, top-1))
}
