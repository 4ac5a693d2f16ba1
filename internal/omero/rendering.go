package omero

import (
	"context"
	"fmt"
)

// Rendering is how a user looks at an image.
type Rendering struct {
	ID                 int64
	Image              int64
	Owner              int64
	Name               string
	Model              string // "rgb" or "greyscale"
	DefaultZ, DefaultT int
	Compression        *float64
	CodomainStart      int
	CodomainEnd        int
	BitResolution      int
	Channels           []ChannelRendering // in the order of the channels
}

// ChannelRendering is how one channel is drawn.
type ChannelRendering struct {
	Active         bool
	Start, End     float64 // the window
	Family         string  // "linear", "polynomial" …
	Coefficient    float64
	NoiseReduction bool
	Reverse        bool  // reversed intensity
	Color          int32 // RGBA, red in the top byte
	LookupTable    string
}

// Renderings returns the settings that all users have for images, by image and
// id.
func (c *Client) Renderings(ctx context.Context, images []int64) ([]Rendering, error) {
	return c.RenderingsOf(ctx, These(images))
}

// RenderingsOf is [Client.Renderings] of a selection of images.
func (c *Client) RenderingsOf(ctx context.Context, images Selection) ([]Rendering, error) {
	var settings, channels, reversed []row
	err := together(ctx, func(ctx context.Context) (err error) {
		settings, err = c.rowsOf(ctx, `select rd.id, i.id, rd.details.owner.id, rd.name, m.value, rd.defaultZ, rd.defaultT, rd.compression, `+
			`q.cdStart, q.cdEnd, q.bitResolution from RenderingDef rd join rd.pixels p join p.image i join rd.model m `+
			`join rd.quantization q where i.id in (:ids) order by i.id, rd.id`, images, "RenderingDef")
		return err
	}, func(ctx context.Context) (err error) {
		channels, err = c.rowsOf(ctx, `select rd.id, cb.id, cb.active, cb.inputStart, cb.inputEnd, f.value, cb.coefficient, `+
			`cb.noiseReduction, cb.red, cb.green, cb.blue, cb.alpha, cb.lookupTable, index(cb) from RenderingDef rd `+
			`join rd.pixels p join p.image i join rd.waveRendering cb join cb.family f where i.id in (:ids) `+
			`order by rd.id, index(cb)`, images, "ChannelBinding")
		return err
	}, func(ctx context.Context) (err error) {
		reversed, err = c.rowsOf(ctx, `select r.channelBinding.id, r.id from ReverseIntensityContext r join r.channelBinding cb `+
			`join cb.renderingDef rd join rd.pixels p join p.image i where r.reverse = true and i.id in (:ids) order by r.id`, images, "ReverseIntensityContext")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rendering settings: %w", err)
	}
	list := make([]Rendering, len(settings))
	at := make(map[int64]*Rendering, len(settings))
	for i, r := range settings {
		list[i] = Rendering{ID: r.id(0), Image: r.id(1), Owner: r.id(2), Name: r.str(3), Model: r.str(4), DefaultZ: r.num(5), DefaultT: r.num(6),
			Compression: r.f64OrNil(7), CodomainStart: r.num(8), CodomainEnd: r.num(9), BitResolution: r.num(10)}
		at[list[i].ID] = &list[i]
	}
	reverse := make(map[int64]bool, len(reversed))
	for _, r := range reversed {
		reverse[r.id(0)] = true
	}
	for _, r := range channels {
		if s := at[r.id(0)]; s != nil {
			s.Channels = append(s.Channels, ChannelRendering{Active: r.yes(2), Start: r.f64(3), End: r.f64(4), Family: r.str(5),
				Coefficient: r.f64(6), NoiseReduction: r.yes(7), Reverse: reverse[r.id(1)],
				Color: rgba(r.num(8), r.num(9), r.num(10), r.num(11)), LookupTable: r.str(12)})
		}
	}
	return list, nil
}

// rgba packs a colour with red in the top byte.
func rgba(red, green, blue, alpha int) int32 {
	return int32(uint32(red&255)<<24 | uint32(green&255)<<16 | uint32(blue&255)<<8 | uint32(alpha&255))
}
