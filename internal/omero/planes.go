package omero

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Plane is what was noted when one plane of an image was taken. There may be
// very many of them, so they are small: Units has 0 for what was not noted, else
// the place after that of the unit in PlaneUnits.
type Plane struct {
	TheZ, TheC, TheT int32
	Units            [PlaneFields]uint8
	Values           [PlaneFields]float64
}

// The fields of a plane: two times and three lengths.
const (
	DeltaT = iota
	ExposureTime
	PositionX
	PositionY
	PositionZ
	PlaneFields // how many there are
)

var planeMembers = [PlaneFields]string{"deltaT", "exposureTime", "positionX", "positionY", "positionZ"}

// PlaneUnits are the units of planes.
var PlaneUnits = func() (list []string) {
	for _, units := range []map[string]string{timeSymbols, lengthSymbols} {
		from := len(list)
		for _, symbol := range units {
			list = append(list, symbol)
		}
		slices.Sort(list[from:])
	}
	return list
}()

var planeUnitCode = func() map[string]uint8 {
	m := make(map[string]uint8, len(PlaneUnits))
	for i, symbol := range PlaneUnits {
		m[symbol] = uint8(i + 1)
	}
	return m
}()

// Get returns a field, nil when it was not noted.
func (p *Plane) Get(field int) *Quantity {
	if p.Units[field] == 0 || int(p.Units[field]) > len(PlaneUnits) {
		return nil
	}
	return &Quantity{Value: p.Values[field], Unit: PlaneUnits[p.Units[field]-1]}
}

// set sets a field; of a unit that is none it is not noted.
func (p *Plane) set(field int, q *Quantity) {
	if q != nil && planeUnitCode[q.Unit] != 0 {
		p.Units[field], p.Values[field] = planeUnitCode[q.Unit], q.Value
	}
}

// PlanesOf are the planes of an image, by the order of their ids.
type PlanesOf struct {
	IDs    []int64 // parallel to Planes
	Planes []Plane
}

// Planes reads the planes of images, by image, a page at a time: there may be
// a hundred thousand of one image.
func (c *Client) Planes(ctx context.Context, images []int64) (map[int64]*PlanesOf, error) {
	return c.PlanesIn(ctx, These(images))
}

// PlanesIn is [Client.Planes] of a selection of images.
func (c *Client) PlanesIn(ctx context.Context, images Selection) (map[int64]*PlanesOf, error) {
	if images.of.lacks(string(KindPlaneInfo)) {
		return nil, nil
	}
	found := make(map[int64]*PlanesOf)
	var mu sync.Mutex // guards found
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelQueries)
	for part := range slices.Chunk(images.ids, batchIDs) {
		g.Go(func() error {
			return c.eachPlane(ctx, part, func(image, id int64, p Plane) {
				mu.Lock()
				defer mu.Unlock()
				if found[image] == nil {
					found[image] = new(PlanesOf)
				}
				found[image].IDs = append(found[image].IDs, id)
				found[image].Planes = append(found[image].Planes, p)
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("planes: %w", err)
	}
	return found, nil
}

// eachPlane hands over planes by their ids. Each page goes on behind the last
// id of the one before, so rows that come or go do no harm.
func (c *Client) eachPlane(ctx context.Context, images []int64, each func(image, id int64, p Plane)) error {
	last := int64(-1)
	for {
		rows, err := c.page(ctx, `select o.id, i.id, o.theZ, o.theC, o.theT, o.deltaT, o.exposureTime, o.positionX, o.positionY, o.positionZ `+
			`from PlaneInfo o join o.pixels p join p.image i where i.id in (:ids) and o.id > :last order by o.id`,
			params{"ids": images, "last": last}, 0, pageRows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			p := Plane{TheZ: int32(r.num(2)), TheC: int32(r.num(3)), TheT: int32(r.num(4))}
			for f := range PlaneFields {
				p.set(f, r.quantity(5+f))
			}
			last = r.id(0)
			each(r.id(1), last, p)
		}
		if len(rows) < pageRows {
			return nil
		}
	}
}

// Plane adds a new plane of pixels to the batch.
func (b *Batch) Plane(pixels Ref, p Plane) Ref {
	o := b.c.fresh(string(KindPlaneInfo)).Set("pixels", b.c.object(pixels)).
		Set("theZ", b.c.rint(int(p.TheZ))).Set("theC", b.c.rint(int(p.TheC))).Set("theT", b.c.rint(int(p.TheT)))
	for f, name := range planeMembers {
		v, err := b.c.planeValue(&p, f)
		if err != nil {
			return b.add(string(KindPlaneInfo), nil, err)
		}
		o.Set(name, v)
	}
	return b.add(string(KindPlaneInfo), o, nil)
}

// Plane changes the fields in which two planes of one place differ.
func (e *Edit) Plane(now, want Plane) *Edit {
	for f, name := range planeMembers {
		if now.Units[f] == want.Units[f] && now.Values[f] == want.Values[f] {
			continue
		}
		v, err := e.c.planeValue(&want, f)
		if err != nil && e.err == nil {
			e.err = err
		}
		e.set = append(e.set, edited{name, v})
	}
	return e
}

func (c *Client) planeValue(p *Plane, field int) (any, error) {
	if field < PositionX {
		return c.quantity("Time", p.Get(field))
	}
	return c.quantity("Length", p.Get(field))
}
