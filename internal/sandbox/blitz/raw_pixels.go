package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// rawPixels is a RawPixelsStore: the samples of one Pixels at a time,
// big-endian. Offsets count bytes over all planes, Z varying fastest, then C,
// then T.
type rawPixels struct {
	srv   *Server
	files *repository.Managed

	id       int64
	px       *repository.Pixels // nil before setPixelsId
	actor    store.Actor
	writable bool
	dirty    bool

	last   []byte // the plane at lastAt (z, c, t), nil for none
	lastAt [3]int
}

// Method implements Servant.
func (p *rawPixels) Method(operation string) Method {
	switch operation {
	case "setPixelsId":
		return p.setPixels
	case "prepare":
		return ignore
	}
	if fn := p.about(operation); fn != nil {
		return p.ready(fn)
	}
	if fn := p.reading(operation); fn != nil {
		return p.ready(fn)
	}
	if fn := p.writing(operation); fn != nil {
		return p.ready(func(c *Call) ([]any, error) {
			if !p.writable {
				return nil, Fail(SecurityViolation, "Pixels:Id_%d cannot be written", p.id)
			}
			return fn(c)
		})
	}
	return nil
}

// ready guards an operation that needs pixels.
func (p *rawPixels) ready(fn func(c *Call) ([]any, error)) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		if p.px == nil {
			return nil, Fail(APIUsage, "This RawPixelsStore has not been properly initialized. Please set the pixels id before executing any other methods.")
		}
		return fn(c)
	}
}

func (p *rawPixels) setPixels(_ context.Context, c *Call) ([]any, error) {
	id := Arg[int64](c, 0)
	var edit bool
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row, err := readablePixels(tx, who, id)
		if err != nil {
			return err
		}
		p.actor = who.Actor()
		p.actor.Group = row.Group
		edit = who.Group != AllGroups && who.Rights(tx, row).Edit
		return nil
	})
	if err != nil {
		return nil, err
	}
	px, err := p.files.OpenPixels(id)
	if err != nil {
		return nil, diskError(err)
	}
	p.id, p.px, p.writable, p.dirty, p.last = id, px, edit && px.Writable(), false, nil
	return nil, nil
}

func (p *rawPixels) series() *imaging.Series { return p.px.Series() }

func (p *rawPixels) width() int { return p.series().Type.Bytes() }

// total is the size of all planes in bytes.
func (p *rawPixels) total() int64 {
	s := p.series()
	return s.PlaneBytes() * int64(s.SizeZ) * int64(s.SizeC) * int64(s.SizeT)
}

// offset is where a plane begins.
func (p *rawPixels) offset(z, c, t int32) int64 {
	s := p.series()
	return ((int64(t)*int64(s.SizeC)+int64(c))*int64(s.SizeZ) + int64(z)) * s.PlaneBytes()
}

// inside checks the place of a plane, and of a row in it.
func (p *rawPixels) inside(y, z, c, t int32) error {
	s := p.series()
	if y < 0 || int(y) >= s.SizeY || z < 0 || int(z) >= s.SizeZ || c < 0 || int(c) >= s.SizeC || t < 0 || int(t) >= s.SizeT {
		return Fail(APIUsage, "y=%d z=%d c=%d t=%d is outside the pixels", y, z, c, t)
	}
	return nil
}

// about returns the operations that tell sizes and places.
func (p *rawPixels) about(operation string) func(c *Call) ([]any, error) {
	value := func(fn func() any) func(*Call) ([]any, error) {
		return func(*Call) ([]any, error) { return []any{fn()}, nil }
	}
	place := func(fn func(c *Call) (y, z, ch, t int32)) func(*Call) ([]any, error) {
		return func(c *Call) ([]any, error) {
			y, z, ch, t := fn(c)
			row := int64(p.series().SizeX * p.width())
			return one(p.offset(z, ch, t)+int64(y)*row, p.inside(y, z, ch, t))
		}
	}
	switch operation {
	case "getPixelsId":
		return value(func() any { return p.id })
	case "getPixelsPath":
		return value(func() any { return p.srv.PixelsPath(p.id) })
	case "getPlaneSize":
		return value(func() any { return p.series().PlaneBytes() })
	case "getRowSize":
		return value(func() any { return int32(p.series().SizeX * p.width()) })
	case "getStackSize":
		return value(func() any { return p.series().PlaneBytes() * int64(p.series().SizeZ) })
	case "getTimepointSize":
		return value(func() any { return p.total() / int64(p.series().SizeT) })
	case "getTotalSize":
		return value(func() any { return p.total() })
	case "getByteWidth":
		return value(func() any { return int32(p.width()) })
	case "isSigned":
		return value(func() any {
			t := p.series().Type
			return t != imaging.Uint8 && t != imaging.Uint16 && t != imaging.Uint32
		})
	case "isFloat":
		return value(func() any { t := p.series().Type; return t == imaging.Float || t == imaging.Double })
	case "requiresPixelsPyramid":
		return value(func() any { return false })
	case "getResolutionLevels":
		return value(func() any { return int32(1) })
	case "getResolutionLevel":
		return value(func() any { return int32(0) })
	case "getResolutionDescriptions":
		return value(func() any {
			return []any{p.srv.defs.New("::omero::api::ResolutionDescription").
				Set("sizeX", int32(p.series().SizeX)).Set("sizeY", int32(p.series().SizeY))}
		})
	case "setResolutionLevel":
		return func(c *Call) ([]any, error) {
			if n := Arg[int32](c, 0); n != 0 {
				return nil, Fail(APIUsage, "resolution level %d of 1", n)
			}
			return nil, nil
		}
	case "getTileSize":
		return value(func() any { return []int32{int32(p.series().SizeX), int32(min(p.series().SizeY, 256))} })
	case "getRowOffset":
		return place(func(c *Call) (int32, int32, int32, int32) {
			return Arg[int32](c, 0), Arg[int32](c, 1), Arg[int32](c, 2), Arg[int32](c, 3)
		})
	case "getPlaneOffset":
		return place(func(c *Call) (int32, int32, int32, int32) {
			return 0, Arg[int32](c, 0), Arg[int32](c, 1), Arg[int32](c, 2)
		})
	case "getStackOffset":
		return place(func(c *Call) (int32, int32, int32, int32) { return 0, 0, Arg[int32](c, 0), Arg[int32](c, 1) })
	case "getTimepointOffset":
		return place(func(c *Call) (int32, int32, int32, int32) { return 0, 0, 0, Arg[int32](c, 0) })
	case "getHistogram":
		return p.histogram
	case "findMinMax":
		return p.findMinMax
	case "calculateMessageDigest":
		return func(*Call) ([]any, error) {
			sum, err := p.px.Sum()
			return one(sum, diskError(err))
		}
	case "save":
		return p.save
	}
	return nil
}

// findMinMax tells the range of channels.
func (p *rawPixels) findMinMax(c *Call) ([]any, error) {
	st, err := p.px.Scan()
	if err != nil {
		return nil, diskError(err)
	}
	out := ice.Dict{}
	for _, ch := range Arg[[]int32](c, 0) {
		if ch < 0 || int(ch) >= len(st.Min) {
			return nil, Fail(APIUsage, "no channel %d", ch)
		}
		out = append(out, ice.Pair{Key: ch, Value: []float64{st.Min[ch], st.Max[ch]}})
	}
	return []any{out}, nil
}

// save records the sum of what was written; nil when nothing was.
func (p *rawPixels) save(c *Call) ([]any, error) {
	if !p.dirty {
		return []any{nil}, nil
	}
	row, err := p.px.SetSum(p.actor)
	if err != nil {
		return nil, diskError(err)
	}
	p.dirty = false
	return c.row(func(*store.Tx, *Caller) (*store.Row, error) { return row, nil })
}

// Close implements Closer.
func (p *rawPixels) Close(context.Context) error {
	if p.px == nil || !p.dirty {
		return nil
	}
	p.dirty = false
	_, err := p.px.SetSum(p.actor)
	return diskError(err)
}
