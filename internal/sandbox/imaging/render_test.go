package imaging

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

func TestPNGKinds(t *testing.T) {
	r := image.Rect(0, 0, 9, 7)
	palette := image.NewPaletted(r, color.Palette{color.Black, color.RGBA{200, 10, 20, 255}})
	palette.SetColorIndex(3, 2, 1)
	deep := image.NewGray16(r)
	deep.SetGray16(3, 2, color.Gray16{0x1234})
	alpha := image.NewNRGBA(r)
	alpha.SetNRGBA(3, 2, color.NRGBA{1, 2, 3, 4})
	for _, c := range []struct {
		img    image.Image
		sizeC  int
		pt     PixelType
		sample []byte // of all channels at 3,2
	}{
		{image.NewGray(r), 1, Uint8, []byte{0}},
		{deep, 1, Uint16, []byte{0x12, 0x34}},
		{palette, 3, Uint8, []byte{200, 10, 20}},
		{alpha, 4, Uint8, []byte{1, 2, 3, 4}},
	} {
		var b bytes.Buffer
		if err := png.Encode(&b, c.img); err != nil {
			t.Fatal(err)
		}
		f, err := Read(mem(NamedFile{"p.png", b.Bytes()}), "p.png")
		if err != nil {
			t.Fatal(err)
		}
		s := f.Series[0]
		if s.SizeX != 9 || s.SizeY != 7 || s.SizeC != c.sizeC || s.Type != c.pt {
			t.Errorf("%T: got %+v", c.img, s)
			continue
		}
		var got []byte
		for k := range s.SizeC {
			plane, err := f.Plane(0, 0, k, 0)
			if err != nil {
				t.Fatal(err)
			}
			w := s.Type.Bytes()
			got = append(got, plane[(2*9+3)*w:][:w]...)
		}
		if !bytes.Equal(got, c.sample) {
			t.Errorf("%T: got %v, want %v", c.img, got, c.sample)
		}
	}
}

func TestFakeNames(t *testing.T) {
	name := "cells&sizeX=30&sizeY=20&sizeZ=2&sizeC=3&sizeT=4&pixelType=int16&series=3&physicalSizeX=250 nm.fake"
	f, err := Read(mem(NamedFile{name, nil}), name)
	if err != nil {
		t.Fatal(err)
	}
	s := f.Series[2]
	if len(f.Series) != 3 || s.Name != "cells 3" || s.SizeZ != 2 || s.SizeC != 3 || s.SizeT != 4 || s.Type != Int16 {
		t.Errorf("got %d series, the last %+v", len(f.Series), s)
	}
	if s.PhysicalSizeX != (Length{250, "NANOMETER"}) {
		t.Errorf("physical size %v", s.PhysicalSizeX)
	}
	seen := map[string]bool{}
	for series := range 3 {
		for c := range 3 {
			plane, err := f.Plane(series, 1, c, 2)
			if err != nil || len(plane) != 30*20*2 {
				t.Fatalf("plane: %d bytes, %v", len(plane), err)
			}
			seen[string(plane)] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d different planes of 9", len(seen))
	}

	name = "hcs&plates=2&plateRows=2&plateCols=3&fields=2&plateAcqs=2.fake"
	if f, err = Read(mem(NamedFile{name, nil}), name); err != nil {
		t.Fatal(err)
	}
	if len(f.Plates) != 2 || len(f.Series) != 2*2*3*2*2 {
		t.Fatalf("%d plates, %d images", len(f.Plates), len(f.Series))
	}
	next := 0
	for _, p := range f.Plates {
		if p.Rows != 2 || p.Columns != 3 || len(p.Wells) != 6 || len(p.Runs) != 2 {
			t.Errorf("plate %+v", p)
		}
		for _, w := range p.Wells {
			for _, field := range w.Fields {
				if field.Series != next {
					t.Fatalf("image %d where %d belongs", field.Series, next)
				}
				next++
			}
		}
	}

	for _, bad := range []string{"x&sizeX=0.fake", "x&sizeX=many.fake", "x&pixelType=int7.fake", "x&series=0.fake", "x&series=99999999.fake", "x&plates=1&plateRows=99999.fake"} {
		if _, err := Read(mem(NamedFile{bad, nil}), bad); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
	ini := NamedFile{"y.fake.ini", []byte("sizeX = 77\n[series_0]\nsizeX = 5\n")}
	if f, err = Read(mem(ini), "y.fake.ini"); err != nil || f.Series[0].SizeX != 77 {
		t.Errorf("ini: %v %v", f, err)
	}
}

func TestThumbnails(t *testing.T) {
	for name, want := range map[string]image.Point{
		"a&sizeX=400&sizeY=200&pixelType=float&sizeC=3.fake": {96, 48},
		"a&sizeX=20&sizeY=40&sizeZ=5&pixelType=uint16.fake":  {48, 96},
		"a&sizeX=5000&sizeY=10.fake":                         {96, 1},
		"a&sizeX=1000000&sizeY=1000000.fake":                 {96, 96},
	} {
		f, err := Read(mem(NamedFile{name, nil}), name)
		if err != nil {
			t.Fatal(err)
		}
		if w, h := ThumbnailSize(f.Series[0].SizeX, f.Series[0].SizeY, 96); w != want.X || h != want.Y {
			t.Errorf("%s: size %dx%d, want %v", name, w, h, want)
		}
		data, err := f.Render(0, -1, 0, want.X, want.Y, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds().Size() != want {
			t.Errorf("%s: got %v, %v; want %v", name, img.Bounds(), err, want)
		}
	}
	f, _ := Read(mem(NamedFile{"a.fake", nil}), "a.fake")
	if _, err := f.Render(0, -1, 0, 0, 0, nil); err == nil {
		t.Error("a thumbnail of 0 pixels was made")
	}
}

func TestScan(t *testing.T) {
	p := ramp("x", Int16, 3, 1, 2, 1, 1)
	p.Plane = func(z, _, _ int) []byte { return []byte{0xff, byte(10 * z), 0, 5, 1, byte(z)} }
	data, err := OMETIFF("x", []Picture{p}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(mem(NamedFile{"x", data}), "x")
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.Scan(0)
	if err != nil || st.Min[0] != -256 || st.Max[0] != 257 {
		t.Errorf("got %+v, %v", st, err)
	}
	if want := fmt.Sprintf("%x", sha1.Sum(append(p.Plane(0, 0, 0), p.Plane(1, 0, 0)...))); st.SHA1 != want {
		t.Errorf("got sum %s, want %s", st.SHA1, want)
	}
}
