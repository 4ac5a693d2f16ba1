package omero

import (
	"context"
	"fmt"
	"time"
)

// Pixels describes the pixels of an image.
type Pixels struct {
	ID    int64
	Image int64

	SizeX, SizeY, SizeZ, SizeC, SizeT int

	Type            string // "uint16" …
	Order           string // "XYZCT" …
	SignificantBits *int
	SHA1            string

	PhysicalX, PhysicalY, PhysicalZ *Quantity
	TimeIncrement                   *Quantity

	Channels []Channel
	// Described is the newest event of the channels; zero without channels.
	Described time.Time
	Meta
}

// Channel describes one channel of an image.
type Channel struct {
	ID                     int64
	Name                   string
	Red, Green, Blue       *int
	Alpha                  *int
	LookupTable            string
	Fluor                  string
	Excitation, Emission   *Quantity
	Pinhole                *Quantity
	NDFilter               *float64
	PockelCell             *int
	Samples                *int
	Illumination, Contrast string
	Mode                   string
}

// Color is the channel's colour as RGBA with red in the top byte, nil when it
// has none.
func (ch Channel) Color() *int32 {
	return colorOf(ch.Red, ch.Green, ch.Blue, ch.Alpha)
}

// colorOf packs a colour; one without alpha is opaque, one that lacks another
// part is none.
func colorOf(red, green, blue, alpha *int) *int32 {
	if red == nil || green == nil || blue == nil {
		return nil
	}
	a := 255
	if alpha != nil {
		a = *alpha
	}
	v := rgba(*red, *green, *blue, a)
	return &v
}

// PixelsOf describes the pixels of images, with their channels.
func (c *Client) PixelsOf(ctx context.Context, images []int64) ([]Pixels, error) {
	return c.PixelsIn(ctx, These(images))
}

// PixelsIn is [Client.PixelsOf] a selection of images.
func (c *Client) PixelsIn(ctx context.Context, images Selection) ([]Pixels, error) {
	var pixels, channels []row
	err := together(ctx, func(ctx context.Context) (err error) {
		pixels, err = c.rowsOf(ctx, `select p.id, i.id, p.sizeX, p.sizeY, p.sizeZ, p.sizeC, p.sizeT, t.value, o.value, `+
			`p.significantBits, p.sha1, p.physicalSizeX, p.physicalSizeY, p.physicalSizeZ, p.timeIncrement, `+meta("p")+
			` from Pixels p join p.image i join p.pixelsType t join p.dimensionOrder o where i.id in (:ids) order by i.id, p.id`, images, "Pixels")
		return err
	}, func(ctx context.Context) (err error) {
		channels, err = c.rowsOf(ctx, `select p.id, c.id, lc.name, c.red, c.green, c.blue, c.alpha, c.lookupTable, lc.fluor, `+
			`lc.excitationWave, lc.emissionWave, lc.pinHoleSize, lc.ndFilter, lc.pockelCellSetting, lc.samplesPerPixel, `+
			`ill.value, con.value, am.value, c.details.updateEvent.time, lc.details.updateEvent.time, index(c) from Pixels p join p.channels c join c.logicalChannel lc `+
			`left outer join lc.illumination ill left outer join lc.contrastMethod con left outer join lc.mode am `+
			`where p.image.id in (:ids) order by p.id, index(c)`, images, "Channel")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pixels: %w", err)
	}
	list := make([]Pixels, len(pixels))
	at := make(map[int64]*Pixels, len(pixels))
	for i, r := range pixels {
		list[i] = Pixels{ID: r.id(0), Image: r.id(1), SizeX: r.num(2), SizeY: r.num(3), SizeZ: r.num(4), SizeC: r.num(5), SizeT: r.num(6),
			Type: r.str(7), Order: r.str(8), SignificantBits: r.numOrNil(9), SHA1: r.str(10),
			PhysicalX: r.quantity(11), PhysicalY: r.quantity(12), PhysicalZ: r.quantity(13), TimeIncrement: r.quantity(14), Meta: r.meta(15)}
		at[list[i].ID] = &list[i]
	}
	for _, r := range channels {
		p := at[r.id(0)]
		if p == nil {
			continue
		}
		for _, t := range []time.Time{r.time(18), r.time(19)} {
			if t.After(p.Described) {
				p.Described = t
			}
		}
		p.Channels = append(p.Channels, Channel{ID: r.id(1), Name: r.str(2), Red: r.numOrNil(3), Green: r.numOrNil(4), Blue: r.numOrNil(5),
			Alpha: r.numOrNil(6), LookupTable: r.str(7), Fluor: r.str(8), Excitation: r.quantity(9), Emission: r.quantity(10),
			Pinhole: r.quantity(11), NDFilter: r.f64OrNil(12), PockelCell: r.numOrNil(13), Samples: r.numOrNil(14),
			Illumination: r.str(15), Contrast: r.str(16), Mode: r.str(17)})
	}
	return list, nil
}
