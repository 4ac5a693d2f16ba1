package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// defaultThumbnail is the size of a thumbnail for which the client names none,
// in pixels.
const defaultThumbnail = 48

// middle, as a section, is the one in the middle of a stack.
const middle = -1

// thumbnails is a ThumbnailStore. Thumbnails are drawn when they are asked
// for.
type thumbnails struct {
	srv   *Server
	files *repository.Managed

	pixels int64 // store.None before setPixelsId
	set    bool
	def    int64 // id of the rendering settings, store.None for none
	actor  store.Actor
}

// Method implements Servant.
func (t *thumbnails) Method(operation string) Method {
	switch operation {
	case "setPixelsId":
		return t.setPixels
	case "isInProgress":
		return func(context.Context, *Call) ([]any, error) { return []any{false}, nil }
	case "setRenderingDefId":
		return t.setDef
	case "getRenderingDefId":
		return t.ready(func(*Call) ([]any, error) { return []any{t.def}, nil })
	case "getThumbnail", "getThumbnailDirect", "getThumbnailWithoutDefault":
		return t.ready(func(c *Call) ([]any, error) { return one(t.exact(c, t.pixels, middle, 0, c.Args[0], c.Args[1])) })
	case "getThumbnailByLongestSide", "getThumbnailByLongestSideDirect":
		return t.ready(func(c *Call) ([]any, error) { return one(t.longest(c, t.pixels, middle, 0, c.Args[0])) })
	case "getThumbnailForSectionDirect":
		return t.ready(func(c *Call) ([]any, error) {
			return one(t.exact(c, t.pixels, Arg[int32](c, 0), Arg[int32](c, 1), c.Args[2], c.Args[3]))
		})
	case "getThumbnailForSectionByLongestSideDirect":
		return t.ready(func(c *Call) ([]any, error) {
			return one(t.longest(c, t.pixels, Arg[int32](c, 0), Arg[int32](c, 1), c.Args[2]))
		})
	case "getThumbnailSet":
		return func(_ context.Context, c *Call) ([]any, error) {
			return t.many(c, 2, func(id int64) ([]byte, error) { return t.exact(c, id, middle, 0, c.Args[0], c.Args[1]) })
		}
	case "getThumbnailByLongestSideSet":
		return func(_ context.Context, c *Call) ([]any, error) {
			return t.many(c, 1, func(id int64) ([]byte, error) { return t.longest(c, id, middle, 0, c.Args[0]) })
		}
	case "createThumbnails", "createThumbnail":
		return t.ready(func(*Call) ([]any, error) { return nil, nil })
	case "createThumbnailsByLongestSideSet":
		return ignore
	case "thumbnailExists":
		return t.ready(t.exists)
	case "resetDefaults":
		return t.ready(t.reset)
	}
	return nil
}

// ready guards an operation that needs pixels.
func (t *thumbnails) ready(fn func(c *Call) ([]any, error)) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		if !t.set {
			return nil, Fail(APIUsage, "setPixelsId must be called first")
		}
		return fn(c)
	}
}

// readablePixels finds pixels that the caller can see.
func readablePixels(tx *store.Tx, who *Caller, id int64) (*store.Row, error) {
	row := tx.Get(tx.Model().Class("Pixels"), id)
	if row == nil || !who.CanRead(tx, row) {
		return nil, Fail(Validation, "no pixels %d", id)
	}
	return row, nil
}

// setPixels chooses the pixels and tells whether they have rendering settings.
func (t *thumbnails) setPixels(_ context.Context, c *Call) ([]any, error) {
	id := Arg[int64](c, 0)
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row, err := readablePixels(tx, who, id)
		if err != nil {
			return err
		}
		t.pixels, t.set, t.actor = id, true, who.Actor()
		t.actor.Group = row.Group
		t.def = settingsOf(tx, row, who.Owner)
		return nil
	})
	return one(err == nil && t.def != store.None, err)
}

// settingsOf returns the rendering settings of pixels: those of a user, of the
// pixels' owner, or any.
func settingsOf(tx *store.Tx, pixels *store.Row, user int64) int64 {
	for _, owner := range []int64{user, pixels.Owner} {
		if d := ownSettings(tx, pixels, owner); d != nil {
			return d.ID
		}
	}
	if defs := tx.Collection(pixels.Class.Property("settings"), pixels.ID); len(defs) > 0 {
		return defs[0].ID
	}
	return store.None
}

// setDef chooses rendering settings of the pixels.
func (t *thumbnails) setDef(_ context.Context, c *Call) ([]any, error) {
	id := Arg[int64](c, 0)
	return nil, c.View(func(tx *store.Tx, who *Caller) error {
		row := tx.Get(tx.Model().Class("RenderingDef"), id)
		if row == nil || !who.CanRead(tx, row) || !t.set || row.Ref("pixels") != t.pixels {
			return Fail(Validation, "no rendering settings %d of these pixels", id)
		}
		t.def = id
		return nil
	})
}

// side reads a length in pixels.
func side(v any) (int, bool) {
	n, ok := unbox(v).(int32)
	if !ok {
		return defaultThumbnail, false
	}
	return int(n), true
}

// exact renders a thumbnail of that very size.
func (t *thumbnails) exact(c *Call, id int64, z, ti int32, x, y any) ([]byte, error) {
	w, _ := side(x)
	h, _ := side(y)
	px, err := t.files.OpenPixels(id)
	if err != nil {
		return nil, diskError(err)
	}
	return t.render(c, px, id, z, ti, w, h)
}

// longest renders a thumbnail by its longest side.
func (t *thumbnails) longest(c *Call, id int64, z, ti int32, size any) ([]byte, error) {
	n, _ := side(size)
	px, err := t.files.OpenPixels(id)
	if err != nil {
		return nil, diskError(err)
	}
	if n < 1 {
		return nil, Fail(APIUsage, "a thumbnail of %d pixels", n)
	}
	s := px.Series()
	w, h := imaging.ThumbnailSize(s.SizeX, s.SizeY, n)
	return t.render(c, px, id, z, ti, w, h)
}

// render draws with the settings that were chosen for the pixels, or with those
// that the caller or their owner has for them.
func (t *thumbnails) render(c *Call, px *repository.Pixels, id int64, z, ti int32, w, h int) ([]byte, error) {
	var set *imaging.Rendering
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row, err := readablePixels(tx, who, id)
		if err != nil {
			return err
		}
		chosen := settingsOf(tx, row, who.Owner)
		if id == t.pixels && t.def != store.None {
			chosen = t.def
		}
		if def := tx.Get(tx.Model().Class("RenderingDef"), chosen); def != nil && chosen != store.None {
			set = &readLook(tx, def).paint
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b, err := px.Thumbnail(int(z), int(ti), w, h, set)
	if err != nil {
		return nil, Fail(APIUsage, "%v", err)
	}
	return b, nil
}

// many renders thumbnails of several pixels; those that cannot be seen or
// rendered are not in the result.
func (t *thumbnails) many(c *Call, arg int, draw func(id int64) ([]byte, error)) ([]any, error) {
	out := ice.Dict{}
	for _, id := range Arg[[]int64](c, arg) {
		err := c.View(func(tx *store.Tx, who *Caller) error {
			_, err := readablePixels(tx, who, id)
			return err
		})
		if err != nil {
			continue
		}
		if b, err := draw(id); err == nil {
			out = append(out, ice.Pair{Key: id, Value: b})
		}
	}
	return []any{out}, nil
}

// exists tells whether a thumbnail of that size is recorded.
func (t *thumbnails) exists(c *Call) ([]any, error) {
	w, _ := side(c.Args[0])
	h, _ := side(c.Args[1])
	found := false
	err := c.View(func(tx *store.Tx, _ *Caller) error {
		for _, r := range tx.Collection(tx.Model().Class("Pixels").Property("thumbnails"), t.pixels) {
			x, _ := r.Get("sizeX").(int32)
			y, _ := r.Get("sizeY").(int32)
			found = found || int(x) == w && int(y) == h
		}
		return nil
	})
	return one(found, err)
}

// reset makes rendering settings for pixels that have none.
func (t *thumbnails) reset(c *Call) ([]any, error) {
	if t.def != store.None {
		return nil, nil
	}
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row, err := readablePixels(tx, who, t.pixels)
		if err == nil && !who.Rights(tx, row).Annotate {
			err = Fail(SecurityViolation, "rendering settings of Pixels:Id_%d not permitted", t.pixels)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	px, err := t.files.OpenPixels(t.pixels)
	if err != nil {
		return nil, diskError(err)
	}
	if err := px.AddRendering(t.actor); err != nil {
		return nil, diskError(err)
	}
	return nil, c.View(func(tx *store.Tx, who *Caller) error {
		if row := tx.Get(tx.Model().Class("Pixels"), t.pixels); row != nil {
			t.def = settingsOf(tx, row, who.Owner)
		}
		return nil
	})
}
