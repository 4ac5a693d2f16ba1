package repository

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// Pixels gives access to the samples of a Pixels object, whether they lie in
// the files of a fileset or in a file of the server's own.
type Pixels struct {
	m      *Managed
	id     int64
	series int
	set    *imaging.Fileset // of one series for pixels without files
	own    bool             // a file of the server's own
}

// OpenPixels opens the pixels with that id.
func (m *Managed) OpenPixels(id int64) (*Pixels, error) {
	row := m.store.Get("Pixels", id)
	if row == nil {
		return nil, fmt.Errorf("no pixels %d", id)
	}
	image := m.store.Get("Image", row.Ref("image"))
	if image == nil {
		return nil, fmt.Errorf("pixels %d have no image", id)
	}
	p := &Pixels{m: m, id: id}
	fileset := image.Ref("fileset")
	if fileset == store.None {
		s, err := m.describe(row)
		if err != nil {
			return nil, err
		}
		p.own = true
		p.set = imaging.NewFileset([]imaging.Series{s}, func(_, z, c, t int) ([]byte, error) { return p.ownPlane(z, c, t) })
		return p, nil
	}
	set, err := m.Images(fileset)
	if err != nil {
		return nil, fmt.Errorf("files of pixels %d: %w", id, err)
	}
	if n, ok := image.Get("series").(int32); ok {
		p.series = int(n)
	}
	if p.series >= len(set.Series) {
		return nil, fmt.Errorf("pixels %d: no series %d in the files", id, p.series)
	}
	p.set = set
	return p, nil
}

// describe makes a series of the rows of pixels.
func (m *Managed) describe(row *store.Row) (imaging.Series, error) {
	n := func(name string) int { v, _ := row.Get(name).(int32); return int(v) }
	s := imaging.Series{
		SizeX: n("sizeX"), SizeY: n("sizeY"), SizeZ: n("sizeZ"), SizeC: n("sizeC"), SizeT: n("sizeT"),
		SignificantBits: n("significantBits"), DimensionOrder: "XYZCT",
	}
	if t := m.store.Get("PixelsType", row.Ref("pixelsType")); t != nil {
		s.Type = imaging.PixelType(t.Text("value"))
	}
	for _, c := range m.store.Collection("Pixels", row.ID, "channels") {
		ch := imaging.Channel{}
		red, ok := c.Get("red").(int32)
		if ok {
			green, _ := c.Get("green").(int32)
			blue, _ := c.Get("blue").(int32)
			ch.Color = &imaging.Color{R: uint8(red), G: uint8(green), B: uint8(blue), A: 255}
		}
		s.Channels = append(s.Channels, ch)
	}
	return s, s.Check()
}

// Series describes the pixels.
func (p *Pixels) Series() *imaging.Series { return &p.set.Series[p.series] }

// Writable reports whether planes may be stored: pixels of a fileset are what
// their files say.
func (p *Pixels) Writable() bool { return p.own }

// Plane returns the samples of a plane, big-endian.
func (p *Pixels) Plane(z, c, t int) ([]byte, error) { return p.set.Plane(p.series, z, c, t) }

// Thumbnail renders section z at time t as a JPEG of exactly that size, without
// settings from the least to the greatest sample.
func (p *Pixels) Thumbnail(z, t, width, height int, set *imaging.Rendering) ([]byte, error) {
	return p.set.Render(p.series, z, t, width, height, set)
}

// Scan looks at all samples.
func (p *Pixels) Scan() (imaging.Stats, error) { return p.set.Scan(p.series) }

// name is where the server keeps pixels of its own.
func (p *Pixels) name() string { return path.Join(pixelsDir, strconv.FormatInt(p.id, 10)) }

// offset is the place of a plane: Z varies fastest, then C, then T.
func (p *Pixels) offset(z, c, t int) int64 {
	s := p.Series()
	return int64((t*s.SizeC+c)*s.SizeZ+z) * s.PlaneBytes()
}

// ownPlane reads a plane of the server's own file.
func (p *Pixels) ownPlane(z, c, t int) ([]byte, error) {
	f, err := p.m.data.Open(p.name())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("pixels %d: %w", p.id, ErrNoData)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, p.Series().PlaneBytes())
	// Planes that nobody wrote are black.
	if _, err := f.ReadAt(b, p.offset(z, c, t)); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read pixels %d: %w", p.id, err)
	}
	return b, nil
}

// Write stores bytes at a place counted from the beginning of a plane.
func (p *Pixels) Write(b []byte, z, c, t int, at int64) error {
	if !p.own {
		return fmt.Errorf("pixels %d belong to a fileset", p.id)
	}
	s := p.Series()
	if z < 0 || z >= s.SizeZ || c < 0 || c >= s.SizeC || t < 0 || t >= s.SizeT || at < 0 {
		return fmt.Errorf("plane z=%d c=%d t=%d is outside the pixels", z, c, t)
	}
	start := p.offset(z, c, t) + at
	if start+int64(len(b)) > p.offset(0, 0, s.SizeT) {
		return fmt.Errorf("%d bytes from %d on are outside the pixels", len(b), start)
	}
	if err := p.m.data.MkdirAll(path.Dir(p.name()), 0o700); err != nil {
		return err
	}
	f, err := p.m.data.OpenFile(p.name(), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, start)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Sum returns the SHA-1 of all planes in their order.
func (p *Pixels) Sum() ([]byte, error) {
	h := sha1.New()
	s := p.Series()
	for t := range s.SizeT {
		for c := range s.SizeC {
			for z := range s.SizeZ {
				b, err := p.Plane(z, c, t)
				if err != nil {
					return nil, err
				}
				h.Write(b)
			}
		}
	}
	return h.Sum(nil), nil
}

// SetSum records the sum of pixels whose planes were written.
func (p *Pixels) SetSum(actor store.Actor) (*store.Row, error) {
	sum, err := p.Sum()
	if err != nil {
		return nil, err
	}
	var row *store.Row
	err = p.m.store.Write(actor, func(a *store.Author) error {
		old := a.Tx().Get(a.Tx().Model().Class("Pixels"), p.id)
		if old == nil {
			return fmt.Errorf("no pixels %d", p.id)
		}
		row = old.Clone()
		if err := a.Tx().Fill(row, store.Values{"sha1": hex.EncodeToString(sum)}); err != nil {
			return err
		}
		a.Update(row)
		return nil
	})
	return row, err
}

// AddRendering makes the first rendering settings of the pixels.
func (p *Pixels) AddRendering(actor store.Actor) error {
	st, err := p.Scan()
	if err != nil {
		return err
	}
	return p.m.store.Write(actor, func(a *store.Author) error {
		row := a.Tx().Get(a.Tx().Model().Class("Pixels"), p.id)
		if row == nil {
			return fmt.Errorf("no pixels %d", p.id)
		}
		return addRendering(a, row, p.Series(), &st)
	})
}

// AddImage makes an image without original files, as scripts do.
func (m *Managed) AddImage(actor store.Actor, pic imaging.Picture) (*store.Row, error) {
	if err := pic.Check(); err != nil {
		return nil, err
	}
	var image, pixels *store.Row
	err := m.store.Write(actor, func(a *store.Author) error {
		v := store.Values{"name": cutName(pic.Name), "series": 0, "archived": false, "partial": false}
		if pic.Description != "" {
			v["description"] = pic.Description
		}
		if !pic.Acquired.IsZero() {
			v["acquisitionDate"] = pic.Acquired
		}
		var err error
		if image, err = a.Create("Image", v); err != nil {
			return err
		}
		drawn := imaging.NewFileset([]imaging.Series{pic.Series}, func(_, z, c, t int) ([]byte, error) { return pic.Plane(z, c, t), nil })
		st, err := drawn.Scan(0)
		if err != nil {
			return err
		}
		if pixels, err = newParts(a, nil).addPixels(image, &pic.Series, &st); err != nil {
			return err
		}
		return addRendering(a, pixels, &pic.Series, &st)
	})
	if err != nil {
		return nil, err
	}
	p, err := m.OpenPixels(pixels.ID)
	if err != nil {
		return nil, err
	}
	for t := range pic.SizeT {
		for c := range pic.SizeC {
			for z := range pic.SizeZ {
				if err := p.Write(pic.Plane(z, c, t), z, c, t, 0); err != nil {
					return nil, err
				}
			}
		}
	}
	return image, nil
}
