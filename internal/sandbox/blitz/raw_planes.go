package blitz

import "math"

// maxPixelBytes is the largest answer with samples; more would not fit into a
// message.
const maxPixelBytes = 60 << 20

// reading returns the operations that read samples.
func (p *rawPixels) reading(operation string) func(c *Call) ([]any, error) {
	ints := func(c *Call) func(i int) int32 { return func(i int) int32 { return Arg[int32](c, i) } }
	switch operation {
	case "getPlane":
		return func(c *Call) ([]any, error) {
			a := ints(c)
			return one(p.tile(a(0), a(1), a(2), 0, 0, int32(p.series().SizeX), int32(p.series().SizeY)))
		}
	case "getTile":
		return func(c *Call) ([]any, error) {
			a := ints(c)
			return one(p.tile(a(0), a(1), a(2), a(3), a(4), a(5), a(6)))
		}
	case "getRow":
		return func(c *Call) ([]any, error) {
			a := ints(c)
			return one(p.tile(a(1), a(2), a(3), 0, a(0), int32(p.series().SizeX), 1))
		}
	case "getCol":
		return func(c *Call) ([]any, error) {
			a := ints(c)
			return one(p.tile(a(1), a(2), a(3), a(0), 0, 1, int32(p.series().SizeY)))
		}
	case "getPlaneRegion":
		return func(c *Call) ([]any, error) { // size and offset count pixels
			a := ints(c)
			if err := p.inside(0, a(0), a(1), a(2)); err != nil {
				return nil, err
			}
			w := int64(p.width())
			if a(4) < 0 || a(3) < 0 || (int64(a(4))+int64(a(3)))*w > p.series().PlaneBytes() {
				return nil, Fail(APIUsage, "%d pixels at %d are outside the plane", a(3), a(4))
			}
			return one(p.region(p.offset(a(0), a(1), a(2))+int64(a(4))*w, int64(a(3))*w))
		}
	case "getRegion":
		return func(c *Call) ([]any, error) { return one(p.region(Arg[int64](c, 1), int64(Arg[int32](c, 0)))) }
	case "getStack":
		return func(c *Call) ([]any, error) {
			a := ints(c)
			if err := p.inside(0, 0, a(0), a(1)); err != nil {
				return nil, err
			}
			return one(p.region(p.offset(0, a(0), a(1)), p.series().PlaneBytes()*int64(p.series().SizeZ)))
		}
	case "getTimepoint":
		return func(c *Call) ([]any, error) {
			if err := p.inside(0, 0, 0, Arg[int32](c, 0)); err != nil {
				return nil, err
			}
			return one(p.region(p.offset(0, 0, Arg[int32](c, 0)), p.total()/int64(p.series().SizeT)))
		}
	case "getHypercube":
		return p.hypercube
	}
	return nil
}

// plane reads a plane and keeps it, because clients ask for one piece of it
// after another. The result must not be changed.
func (p *rawPixels) plane(z, c, t int) ([]byte, error) {
	if at := [3]int{z, c, t}; p.last == nil || p.lastAt != at {
		plane, err := p.px.Plane(z, c, t)
		if err != nil {
			return nil, diskError(err)
		}
		p.last, p.lastAt = plane, at
	}
	return p.last, nil
}

// tile cuts a rectangle out of a plane.
func (p *rawPixels) tile(z, c, t, x, y, w, h int32) ([]byte, error) {
	s := p.series()
	if err := p.inside(y, z, c, t); err != nil {
		return nil, err
	}
	if x < 0 || w < 0 || h < 0 || int64(x)+int64(w) > int64(s.SizeX) || int64(y)+int64(h) > int64(s.SizeY) {
		return nil, Fail(APIUsage, "a tile of %dx%d at %d,%d is outside the plane", w, h, x, y)
	}
	width := p.width()
	if int64(w)*int64(h)*int64(width) > maxPixelBytes {
		return nil, Fail(APIUsage, "a tile of %dx%d is too large", w, h)
	}
	plane, err := p.plane(int(z), int(c), int(t))
	if err != nil {
		return nil, err
	}
	if int(w) == s.SizeX && int(h) == s.SizeY {
		return plane, nil
	}
	out := make([]byte, 0, int(w)*int(h)*width)
	for row := int(y); row < int(y+h); row++ {
		at := (row*s.SizeX + int(x)) * width
		out = append(out, plane[at:at+int(w)*width]...)
	}
	return out, nil
}

// region reads n bytes from an offset on, over the borders of planes.
func (p *rawPixels) region(at, n int64) ([]byte, error) {
	if at < 0 || n < 0 || n > math.MaxInt32 || at+n > p.total() {
		return nil, Fail(APIUsage, "%d bytes at %d are outside the pixels", n, at)
	}
	if n > maxPixelBytes {
		return nil, Fail(APIUsage, "%d bytes are too many", n)
	}
	s := p.series()
	out := make([]byte, 0, n)
	for int64(len(out)) < n {
		i := at / s.PlaneBytes()
		z := i % int64(s.SizeZ)
		c := i / int64(s.SizeZ) % int64(s.SizeC)
		t := i / int64(s.SizeZ) / int64(s.SizeC)
		plane, err := p.plane(int(z), int(c), int(t))
		if err != nil {
			return nil, err
		}
		begin := at - i*s.PlaneBytes()
		part := plane[begin:min(s.PlaneBytes(), begin+n-int64(len(out)))]
		out = append(out, part...)
		at += int64(len(part))
	}
	return out, nil
}

// hypercube reads every step-th sample of a box in X, Y, Z, C and T.
func (p *rawPixels) hypercube(c *Call) ([]any, error) {
	offset, size, step := Arg[[]int32](c, 0), Arg[[]int32](c, 1), Arg[[]int32](c, 2)
	s := p.series()
	limits := []int{s.SizeX, s.SizeY, s.SizeZ, s.SizeC, s.SizeT}
	if len(offset) != 5 || len(size) != 5 || len(step) != 5 {
		return nil, Fail(APIUsage, "offset, size and step need five numbers each")
	}
	total := int64(p.width())
	for i, limit := range limits {
		if offset[i] < 0 || size[i] < 1 || step[i] < 1 || int64(offset[i])+int64(size[i]) > int64(limit) {
			return nil, Fail(APIUsage, "the box is outside the pixels")
		}
		if total *= (int64(size[i]) + int64(step[i]) - 1) / int64(step[i]); total > maxPixelBytes {
			return nil, Fail(APIUsage, "the box is too large")
		}
	}
	// along calls fn for the places of one axis; int does not overflow where
	// int32 would.
	along := func(axis int, fn func(i int) error) error {
		for i := int(offset[axis]); i < int(offset[axis])+int(size[axis]); i += int(step[axis]) {
			if err := fn(i); err != nil {
				return err
			}
		}
		return nil
	}
	out := make([]byte, 0, total)
	w := p.width()
	err := along(4, func(t int) error {
		return along(3, func(ch int) error {
			return along(2, func(z int) error {
				plane, err := p.plane(z, ch, t)
				if err != nil {
					return err
				}
				return along(1, func(y int) error {
					return along(0, func(x int) error {
						at := (y*s.SizeX + x) * w
						out = append(out, plane[at:at+w]...)
						return nil
					})
				})
			})
		})
	})
	return one(out, err)
}

// writing returns the operations that store samples; only pixels without files
// take them.
func (p *rawPixels) writing(operation string) func(c *Call) ([]any, error) {
	switch operation {
	case "setPlane":
		return func(c *Call) ([]any, error) {
			return nil, p.put(Arg[[]byte](c, 0), p.series().PlaneBytes(), Arg[int32](c, 1), Arg[int32](c, 2), Arg[int32](c, 3), 0)
		}
	case "setRow":
		return func(c *Call) ([]any, error) {
			y, row := Arg[int32](c, 1), int64(p.series().SizeX*p.width())
			if err := p.inside(y, Arg[int32](c, 2), Arg[int32](c, 3), Arg[int32](c, 4)); err != nil {
				return nil, err
			}
			return nil, p.put(Arg[[]byte](c, 0), row, Arg[int32](c, 2), Arg[int32](c, 3), Arg[int32](c, 4), int64(y)*row)
		}
	case "setStack":
		return func(c *Call) ([]any, error) {
			return nil, p.put(Arg[[]byte](c, 0), p.series().PlaneBytes()*int64(p.series().SizeZ), 0, Arg[int32](c, 2), Arg[int32](c, 3), 0)
		}
	case "setTimepoint":
		return func(c *Call) ([]any, error) {
			return nil, p.put(Arg[[]byte](c, 0), p.total()/int64(p.series().SizeT), 0, 0, Arg[int32](c, 1), 0)
		}
	case "setRegion":
		return func(c *Call) ([]any, error) {
			n, at := int64(Arg[int32](c, 0)), Arg[int64](c, 1)
			if at < 0 || at+n > p.total() {
				return nil, Fail(APIUsage, "%d bytes at %d are outside the pixels", n, at)
			}
			return nil, p.put(Arg[[]byte](c, 2), n, 0, 0, 0, at)
		}
	case "setTile":
		return p.setTile
	}
	return nil
}

// put stores n bytes from a place in a plane on.
func (p *rawPixels) put(b []byte, n int64, z, c, t int32, at int64) error {
	if err := p.inside(0, z, c, t); err != nil {
		return err
	}
	if int64(len(b)) != n {
		return Fail(APIUsage, "%d bytes where %d belong", len(b), n)
	}
	p.dirty, p.last = true, nil
	return diskError(p.px.Write(b, int(z), int(c), int(t), at))
}

func (p *rawPixels) setTile(c *Call) ([]any, error) {
	b := Arg[[]byte](c, 0)
	a := func(i int) int32 { return Arg[int32](c, i) }
	z, ch, t, x, y, w, h := a(1), a(2), a(3), a(4), a(5), a(6), a(7)
	s, width := p.series(), int64(p.width())
	if err := p.inside(y, z, ch, t); err != nil {
		return nil, err
	}
	if x < 0 || w < 0 || h < 0 || int64(x)+int64(w) > int64(s.SizeX) || int64(y)+int64(h) > int64(s.SizeY) || int64(len(b)) != int64(w)*int64(h)*width {
		return nil, Fail(APIUsage, "%d bytes for a tile of %dx%d at %d,%d", len(b), w, h, x, y)
	}
	row := int64(w) * width
	for i := range int64(h) {
		at := ((int64(y)+i)*int64(s.SizeX) + int64(x)) * width
		if err := p.put(b[i*row:(i+1)*row], row, z, ch, t, at); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
