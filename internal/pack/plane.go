package pack

import (
	"fmt"
	"math"
	"slices"
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

// NotedPlane gives a plane an id, so that something can be linked to it.
type NotedPlane struct {
	ID    ID
	Index int // in Pixels.Planes
}

var planeNames = [PlaneFields]string{"DeltaT", "ExposureTime", "PositionX", "PositionY", "PositionZ"}

// PlaneUnits are the units of planes, those of times first, each sorted.
var PlaneUnits = append(slices.Sorted(slices.Values(timeUnits)), slices.Sorted(slices.Values(lengthUnits))...)

// planeUnit finds the number of a unit, and that of the one that OME-XML takes
// for granted.
var planeUnit = func() map[string]uint8 {
	m := make(map[string]uint8, len(PlaneUnits))
	for i, u := range PlaneUnits {
		m[u] = uint8(i + 1)
	}
	return m
}()

// defaultPlaneUnit is the unit of a field that gives none.
func defaultPlaneUnit(field int) string {
	if field < PositionX {
		return Second
	}
	return ReferenceFrame
}

// planes writes the planes. OME-XML cannot hold those of a negative place; then
// all of them are in the part.
func writePlanes(x *xmlWriter, planes []Plane) {
	for i := range planes {
		p := &planes[i]
		x.start("Plane")
		x.int("TheZ", int64(p.TheZ))
		x.int("TheT", int64(p.TheT))
		x.int("TheC", int64(p.TheC))
		for f, name := range planeNames {
			if p.Units[f] == 0 {
				continue
			}
			x.float(name, p.Values[f])
			if unit := PlaneUnits[p.Units[f]-1]; unit != defaultPlaneUnit(f) {
				x.attr(name+"Unit", unit)
			}
		}
		x.end()
	}
}

// tamePlanes returns the planes as OME-XML can hold them, none when it cannot.
func tamePlanes(planes []Plane) ([]Plane, bool) {
	for i := range planes {
		if p := &planes[i]; p.TheZ < 0 || p.TheT < 0 || p.TheC < 0 {
			return nil, false
		}
	}
	return planes, true
}

func readPlane(e *element) (p Plane) {
	p.TheZ, p.TheT, p.TheC = e.int32("TheZ"), e.int32("TheT"), e.int32("TheC")
	for f, name := range planeNames {
		q := e.quantity(name, defaultPlaneUnit(f))
		if q == nil {
			continue
		}
		if p.Units[f], p.Values[f] = planeUnit[q.Unit], q.Value; p.Units[f] == 0 {
			e.invalid("%s is in %q, no unit", name, clip(q.Unit))
		}
	}
	e.skip()
	return p
}

func (e *element) int32(name string) int32 {
	n := e.int64(name, 0)
	if n < math.MinInt32 || n > math.MaxInt32 {
		e.invalid("%s is %d, too far", name, n)
	}
	return int32(n)
}

// planes checks the units of planes, and the ids of those that have one.
func (c *checker) planes(im *Image) {
	for i := range im.Pixels.Planes {
		p := &im.Pixels.Planes[i]
		for f, u := range p.Units {
			if int(u) > len(PlaneUnits) || u > 0 && (f < PositionX) != (int(u) <= len(timeUnits)) {
				c.fail(ErrInvalid, "%s has a plane with an unknown unit", im.ID)
			}
		}
	}
	for _, n := range im.Pixels.NotedPlanes {
		c.id(n.ID, KindPlane)
		if n.Index < 0 || n.Index >= len(im.Pixels.Planes) {
			c.fail(ErrInvalid, "%s has no plane %s", im.ID, fmt.Sprint(n.Index))
		}
	}
}
