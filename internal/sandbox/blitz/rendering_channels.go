package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// channelGetters answer for channel w.
var channelGetters = map[string]func(e *engine, c *Call, h *imaging.Shade, w int) ([]any, error){
	"getChannelFamily": func(_ *engine, c *Call, h *imaging.Shade, _ int) ([]any, error) { return c.enum("Family", h.Family) },
	"getChannelNoiseReduction": func(e *engine, _ *Call, _ *imaging.Shade, w int) ([]any, error) {
		return []any{e.look.noise[w]}, nil
	},
	"getChannelStats": func(e *engine, c *Call, _ *imaging.Shade, w int) ([]any, error) { return e.stats(c, w) },
	"getChannelCurveCoefficient": func(_ *engine, _ *Call, h *imaging.Shade, _ int) ([]any, error) {
		return []any{h.Coefficient}, nil
	},
	"getChannelWindowStart": func(_ *engine, _ *Call, h *imaging.Shade, _ int) ([]any, error) { return []any{h.Start}, nil },
	"getChannelWindowEnd":   func(_ *engine, _ *Call, h *imaging.Shade, _ int) ([]any, error) { return []any{h.End}, nil },
	"getRGBA": func(_ *engine, _ *Call, h *imaging.Shade, _ int) ([]any, error) {
		return []any{[]int32{int32(h.Color.R), int32(h.Color.G), int32(h.Color.B), int32(h.Color.A)}}, nil
	},
	"isActive": func(_ *engine, _ *Call, h *imaging.Shade, _ int) ([]any, error) { return []any{h.Active}, nil },
	"getChannelLookupTable": func(e *engine, _ *Call, _ *imaging.Shade, w int) ([]any, error) {
		return []any{e.look.tables[w]}, nil
	},
	"getPixelsTypeUpperBound": func(e *engine, _ *Call, _ *imaging.Shade, _ int) ([]any, error) {
		_, hi := e.px.Series().Limits()
		return []any{hi}, nil
	},
	"getPixelsTypeLowerBound": func(e *engine, _ *Call, _ *imaging.Shade, _ int) ([]any, error) {
		lo, _ := e.px.Series().Limits()
		return []any{lo}, nil
	},
	"getCodomainMapContext": func(e *engine, _ *Call, h *imaging.Shade, _ int) ([]any, error) {
		list := []any{}
		if h.Reverse {
			list = append(list, e.srv.defs.New("::omero::model::ReverseIntensityContext").Set("loaded", true).Set("reverse", e.srv.RBool(true)))
		}
		return []any{list}, nil
	},
}

// channelSetters change channel w.
var channelSetters = map[string]func(e *engine, c *Call, h *imaging.Shade, w int) error{
	"setQuantizationMap": func(e *engine, c *Call, h *imaging.Shade, w int) error {
		return c.View(func(tx *store.Tx, _ *Caller) error {
			name := enumValue(tx, c.Args[1])
			if tx.Enum("Family", name) == store.None {
				return Fail(APIUsage, "no family %q", name)
			}
			h.Family, h.Coefficient, e.look.noise[w] = name, Arg[float64](c, 2), Arg[bool](c, 3)
			return nil
		})
	},
	"setChannelWindow": func(_ *engine, c *Call, h *imaging.Shade, _ int) error {
		start, end := Arg[float64](c, 1), Arg[float64](c, 2)
		if !(start <= end) {
			return Fail(APIUsage, "window from %v to %v", start, end)
		}
		h.Start, h.End = start, end
		return nil
	},
	"setRGBA": func(_ *engine, c *Call, h *imaging.Shade, _ int) error {
		var parts [4]uint8
		for i := range parts {
			n := Arg[int32](c, 1+i)
			if n < 0 || n > 255 {
				return Fail(APIUsage, "colour component %d", n)
			}
			parts[i] = uint8(n)
		}
		h.Color = imaging.Color{R: parts[0], G: parts[1], B: parts[2], A: parts[3]}
		return nil
	},
	"setActive": func(_ *engine, c *Call, h *imaging.Shade, _ int) error {
		h.Active = Arg[bool](c, 1)
		return nil
	},
	// The server has no files of lookup tables: like a real one that lacks the
	// file, it keeps the name and shows the colour.
	"setChannelLookupTable": func(e *engine, c *Call, _ *imaging.Shade, w int) error {
		e.look.tables[w] = Arg[string](c, 1)
		return nil
	},
}

// channelMethod is an operation for one channel, or for the codomain maps of
// one or all.
func channelMethod(operation string) engineMethod {
	if get := channelGetters[operation]; get != nil {
		return func(e *engine, _ context.Context, c *Call) ([]any, error) {
			h, w, err := e.channel(Arg[int32](c, 0))
			if err != nil {
				return nil, err
			}
			return get(e, c, h, w)
		}
	}
	if set := channelSetters[operation]; set != nil {
		return func(e *engine, _ context.Context, c *Call) ([]any, error) {
			h, w, err := e.channel(Arg[int32](c, 0))
			if err != nil {
				return nil, err
			}
			return nil, set(e, c, h, w)
		}
	}
	switch operation {
	case "addCodomainMapToChannel", "removeCodomainMapFromChannel":
		return func(e *engine, _ context.Context, c *Call) ([]any, error) {
			h, _, err := e.channel(Arg[int32](c, 1))
			if err != nil {
				return nil, err
			}
			return nil, reverse(c, operation == "addCodomainMapToChannel", h)
		}
	case "addCodomainMap", "removeCodomainMap":
		return func(e *engine, _ context.Context, c *Call) ([]any, error) {
			for i := range e.look.paint.Channels {
				if err := reverse(c, operation == "addCodomainMap", &e.look.paint.Channels[i]); err != nil {
					return nil, err
				}
			}
			return nil, nil
		}
	}
	return nil
}

func (e *engine) channel(w int32) (*imaging.Shade, int, error) {
	if w < 0 || int(w) >= len(e.look.paint.Channels) {
		return nil, 0, Fail(APIUsage, "no channel %d", w)
	}
	return &e.look.paint.Channels[w], int(w), nil
}

// reverse turns the reversal of intensities, the only codomain map there is, on
// or off.
func reverse(c *Call, on bool, h *imaging.Shade) error {
	if o := Arg[*ice.Object](c, 0); o == nil || !o.IsA("::omero::romio::ReverseIntensityMapContext") {
		return Fail(APIUsage, "not a codomain map of this server")
	}
	h.Reverse = on
	return nil
}

// stats tells the least and the greatest sample of a channel.
func (e *engine) stats(c *Call, w int) ([]any, error) {
	var l *look
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row, err := e.pixelsRow(tx, who)
		if err == nil {
			l, err = defaultLook(tx, row, e.px)
		}
		return err
	})
	if err != nil {
		return nil, diskError(err)
	}
	h := &l.paint.Channels[w]
	return []any{[]float64{h.Start, h.End}}, nil
}
