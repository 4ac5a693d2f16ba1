package blitz

import (
	"context"
	"fmt"
	"image"

	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// defaultQuality is the JPEG quality of a rendered picture, of at most 1.
const defaultQuality float32 = 0.85

// engine is a RenderingEngine: it draws sections of one image with settings
// that the client may change, and keep.
type engine struct {
	srv   *Server
	files *repository.Managed

	id      int64              // of the pixels
	px      *repository.Pixels // nil before lookupPixels
	look    *look              // nil before lookupRenderingDef or loadRenderingDef
	loaded  bool
	quality float32
	actor   store.Actor
}

// Method implements Servant.
func (e *engine) Method(operation string) Method {
	if fn := engineFirst[operation]; fn != nil {
		return func(ctx context.Context, c *Call) ([]any, error) { return fn(e, ctx, c) }
	}
	fn := engineMethods[operation]
	if fn == nil {
		fn = channelMethod(operation)
	}
	if fn == nil {
		return nil
	}
	return func(ctx context.Context, c *Call) ([]any, error) {
		if !e.loaded {
			return nil, Fail(APIUsage, "RenderingEngine not ready: call lookupPixels, lookupRenderingDef and load first")
		}
		return fn(e, ctx, c)
	}
}

type engineMethod func(e *engine, ctx context.Context, c *Call) ([]any, error)

// engineFirst are the operations that get an engine ready.
var engineFirst = map[string]engineMethod{
	"lookupPixels":       (*engine).lookupPixels,
	"lookupRenderingDef": (*engine).lookupDef,
	"loadRenderingDef":   (*engine).loadDef,
	"load": func(e *engine, _ context.Context, _ *Call) ([]any, error) {
		if e.px == nil || e.look == nil {
			return nil, Fail(APIUsage, "RenderingEngine not ready: no pixels or no settings")
		}
		e.loaded = true
		return nil, nil
	},
	"resetDefaultSettings": (*engine).reset,
	"getRenderingDefId": func(e *engine, _ context.Context, _ *Call) ([]any, error) {
		if e.look == nil {
			return nil, Fail(APIUsage, "RenderingEngine not ready: no settings")
		}
		return []any{e.look.id}, nil
	},
}

var engineMethods = map[string]engineMethod{
	"render":                     (*engine).render,
	"renderAsPackedInt":          (*engine).renderPacked,
	"renderCompressed":           (*engine).renderCompressed,
	"renderProjectedAsPackedInt": (*engine).projectPacked,
	"renderProjectedCompressed":  (*engine).projectCompressed,
	"updateSettings":             (*engine).updateSettings,
	"saveCurrentSettings":        (*engine).saveCurrent,
	"saveAsNewSettings":          (*engine).saveNew,
	"setModel": func(e *engine, _ context.Context, c *Call) ([]any, error) {
		return nil, c.View(func(tx *store.Tx, _ *Caller) error {
			name := enumValue(tx, c.Args[0])
			if tx.Enum("RenderingModel", name) == store.None {
				return Fail(APIUsage, "no rendering model %q", name)
			}
			e.look.paint.Greyscale = name == greyscale
			return nil
		})
	},
	"getModel": func(e *engine, _ context.Context, c *Call) ([]any, error) {
		return c.enum("RenderingModel", e.look.model())
	},
	"getAvailableModels": func(_ *engine, ctx context.Context, c *Call) ([]any, error) {
		return c.loadList(ctx, "select m from RenderingModel m order by m.id", nil)
	},
	"getAvailableFamilies": func(_ *engine, ctx context.Context, c *Call) ([]any, error) {
		return c.loadList(ctx, "select f from Family f order by f.id", nil)
	},
	"getPixels": func(e *engine, ctx context.Context, c *Call) ([]any, error) {
		return c.loadOne(ctx, "select distinct"+describedPixels[len("select"):], map[string]any{"id": e.id})
	},
	"getQuantumDef": func(e *engine, _ context.Context, _ *Call) ([]any, error) {
		p := &e.look.paint
		return []any{e.srv.defs.New("::omero::model::QuantumDef").Set("loaded", true).Set("cdStart", e.srv.RInt(int32(p.First))).
			Set("cdEnd", e.srv.RInt(int32(p.Last))).Set("bitResolution", e.srv.RInt(e.look.bits))}, nil
	},
	"setQuantumStrategy": func(e *engine, _ context.Context, c *Call) ([]any, error) {
		e.look.bits = Arg[int32](c, 0)
		return nil, nil
	},
	"setCodomainInterval": func(e *engine, _ context.Context, c *Call) ([]any, error) {
		first, last := Arg[int32](c, 0), Arg[int32](c, 1)
		if first < 0 || last > 255 || first > last {
			return nil, Fail(APIUsage, "shades from %d to %d", first, last)
		}
		e.look.paint.First, e.look.paint.Last = int(first), int(last)
		return nil, nil
	},
	"getDefaultZ": func(e *engine, _ context.Context, _ *Call) ([]any, error) { return []any{e.look.z}, nil },
	"getDefaultT": func(e *engine, _ context.Context, _ *Call) ([]any, error) { return []any{e.look.t}, nil },
	"setDefaultZ": func(e *engine, _ context.Context, c *Call) ([]any, error) {
		e.look.z = Arg[int32](c, 0)
		return nil, e.inside(e.look.z, 0)
	},
	"setDefaultT": func(e *engine, _ context.Context, c *Call) ([]any, error) {
		e.look.t = Arg[int32](c, 0)
		return nil, e.inside(0, e.look.t)
	},
	"setCompressionLevel": func(e *engine, _ context.Context, c *Call) ([]any, error) {
		q := Arg[float32](c, 0)
		if !(q > 0 && q <= 1) {
			return nil, Fail(APIUsage, "compression level %v", q)
		}
		e.quality = q
		return nil, nil
	},
	"getCompressionLevel": func(e *engine, _ context.Context, _ *Call) ([]any, error) { return []any{e.quality}, nil },
	"isPixelsTypeSigned":  pixelsAbout("isSigned"), "requiresPixelsPyramid": pixelsAbout("requiresPixelsPyramid"),
	"getResolutionLevels": pixelsAbout("getResolutionLevels"), "getResolutionLevel": pixelsAbout("getResolutionLevel"),
	"getResolutionDescriptions": pixelsAbout("getResolutionDescriptions"), "setResolutionLevel": pixelsAbout("setResolutionLevel"),
	"getTileSize": pixelsAbout("getTileSize"),
}

// pixelsAbout is an operation that a RawPixelsStore has as well.
func pixelsAbout(operation string) engineMethod {
	return func(e *engine, _ context.Context, c *Call) ([]any, error) {
		return (&rawPixels{srv: e.srv, id: e.id, px: e.px}).about(operation)(c)
	}
}

// enum answers with an enumeration object.
func (c *Call) enum(class, value string) ([]any, error) {
	return c.row(func(tx *store.Tx, _ *Caller) (*store.Row, error) {
		return tx.Get(tx.Model().Class(class), tx.Enum(class, value)), nil
	})
}

func (e *engine) lookupPixels(_ context.Context, c *Call) ([]any, error) {
	id := Arg[int64](c, 0)
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row, err := readablePixels(tx, who, id)
		if err != nil {
			return err
		}
		e.actor = who.Actor()
		e.actor.Group = row.Group
		return nil
	})
	if err != nil {
		return nil, err
	}
	px, err := e.files.OpenPixels(id)
	if err != nil {
		return nil, diskError(err)
	}
	e.id, e.px, e.look, e.loaded, e.quality = id, px, nil, false, defaultQuality
	return nil, nil
}

// pixelsRow is the row of the engine's pixels.
func (e *engine) pixelsRow(tx *store.Tx, who *Caller) (*store.Row, error) {
	if e.px == nil {
		return nil, Fail(APIUsage, "RenderingEngine not ready: lookupPixels must be called first")
	}
	return readablePixels(tx, who, e.id)
}

// lookupDef takes the caller's settings of the pixels, or else those of the
// owner. It tells whether there are any.
func (e *engine) lookupDef(_ context.Context, c *Call) ([]any, error) {
	found := false
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row, err := e.pixelsRow(tx, who)
		if err != nil {
			return err
		}
		def := ownSettings(tx, row, who.Owner)
		if def == nil {
			def = ownSettings(tx, row, row.Owner)
		}
		if found = def != nil; found {
			e.look = readLook(tx, def)
		}
		return nil
	})
	return one(found, err)
}

// ownSettings are a user's newest settings of pixels, nil for none.
func ownSettings(tx *store.Tx, pixels *store.Row, user int64) (def *store.Row) {
	for _, d := range tx.Collection(pixels.Class.Property("settings"), pixels.ID) {
		if d.Owner == user {
			def = d
		}
	}
	return def
}

func (e *engine) loadDef(_ context.Context, c *Call) ([]any, error) {
	id := Arg[int64](c, 0)
	return nil, c.View(func(tx *store.Tx, who *Caller) error {
		if _, err := e.pixelsRow(tx, who); err != nil {
			return err
		}
		def := tx.Get(tx.Model().Class("RenderingDef"), id)
		if def == nil || !who.CanRead(tx, def) || def.Ref("pixels") != e.id {
			return Fail(Validation, "no rendering settings %d of these pixels", id)
		}
		e.look = readLook(tx, def)
		return nil
	})
}

// inside checks the place of a section.
func (e *engine) inside(z, t int32) error {
	s := e.px.Series()
	if z < 0 || int(z) >= s.SizeZ || t < 0 || int(t) >= s.SizeT {
		return Fail(APIUsage, "z=%d t=%d is outside the pixels", z, t)
	}
	return nil
}

// draw paints the section or the part of it that a PlaneDef names.
func (e *engine) draw(def *ice.Object) (*image.RGBA, error) {
	if def == nil {
		return nil, Fail(APIUsage, "no plane")
	}
	z, _ := def.Get("z").(int32)
	t, _ := def.Get("t").(int32)
	if n, _ := def.Get("slice").(int32); n != 0 {
		return nil, Fail(APIUsage, "only sections in XY are rendered")
	}
	if err := e.inside(z, t); err != nil {
		return nil, err
	}
	s := e.px.Series()
	region := image.Rect(0, 0, s.SizeX, s.SizeY)
	if r, _ := def.Get("region").(*ice.Object); r != nil {
		n := func(name string) int { v, _ := r.Get(name).(int32); return int(v) }
		region = region.Intersect(image.Rect(n("x"), n("y"), n("x")+n("width"), n("y")+n("height")))
	}
	stride, _ := def.Get("stride").(int32)
	img, err := s.Paint(&e.look.paint, region, int(max(stride, 0))+1, func(c int) ([]byte, error) { return e.px.Plane(int(z), c, int(t)) })
	if err != nil {
		return nil, Fail(APIUsage, "%v", err)
	}
	return img, nil
}

// project paints a projection of a stack.
func (e *engine) project(c *Call) (*image.RGBA, error) {
	how, t, step, start, end := Arg[int32](c, 0), Arg[int32](c, 1), Arg[int32](c, 2), Arg[int32](c, 3), Arg[int32](c, 4)
	if err := e.inside(start, t); err != nil {
		return nil, err
	}
	if err := e.inside(end, t); err != nil || end < start || step < 1 {
		return nil, Fail(APIUsage, "projection of sections %d to %d by %d", start, end, step)
	}
	s := e.px.Series()
	img, err := s.Paint(&e.look.paint, image.Rect(0, 0, s.SizeX, s.SizeY), 1, func(ch int) ([]byte, error) {
		var planes [][]byte
		for z := start; z <= end; z += step {
			b, err := e.px.Plane(int(z), ch, int(t))
			if err != nil {
				return nil, err
			}
			planes = append(planes, b)
		}
		return s.Project(imaging.Projection(how), planes), nil
	})
	if err != nil {
		return nil, Fail(APIUsage, "%v", err)
	}
	return img, nil
}

// packed is a picture as ints of alpha, red, green and blue.
func packed(img *image.RGBA, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	out := make([]int32, 0, len(img.Pix)/4)
	for i := 0; i < len(img.Pix); i += 4 {
		p := img.Pix[i : i+4]
		out = append(out, int32(uint32(p[3])<<24|uint32(p[0])<<16|uint32(p[1])<<8|uint32(p[2])))
	}
	return []any{out}, nil
}

func (e *engine) compressed(img *image.RGBA, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	b, err := imaging.JPEG(img, max(1, int(100*e.quality)))
	if err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	return []any{b}, nil
}

func (e *engine) renderPacked(_ context.Context, c *Call) ([]any, error) {
	return packed(e.draw(Arg[*ice.Object](c, 0)))
}

func (e *engine) renderCompressed(_ context.Context, c *Call) ([]any, error) {
	return e.compressed(e.draw(Arg[*ice.Object](c, 0)))
}

func (e *engine) projectPacked(_ context.Context, c *Call) ([]any, error) {
	return packed(e.project(c))
}

func (e *engine) projectCompressed(_ context.Context, c *Call) ([]any, error) {
	return e.compressed(e.project(c))
}

// render gives red, green and blue apart.
func (e *engine) render(_ context.Context, c *Call) ([]any, error) {
	img, err := e.draw(Arg[*ice.Object](c, 0))
	if err != nil {
		return nil, err
	}
	bands := make([]any, 3)
	for b := range bands {
		band := make([]byte, 0, len(img.Pix)/4)
		for i := b; i < len(img.Pix); i += 4 {
			band = append(band, img.Pix[i])
		}
		bands[b] = band
	}
	return []any{e.srv.defs.New("::omero::romio::RGBBuffer").Set("bands", bands).
		Set("sizeX1", int32(img.Rect.Dx())).Set("sizeX2", int32(img.Rect.Dy()))}, nil
}
