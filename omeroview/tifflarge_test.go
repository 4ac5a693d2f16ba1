package omeroview

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/sandbox/imaging"
)

// made is a source of pixels that no disk could hold: each has a value of its
// own place. It notes the largest request.
type made struct {
	t       *testing.T
	p       *omero.Pixels
	most    int
	refused error
}

// pixel is the content of one pixel.
func (m *made) pixel(z, c, t, x, y int) (b [16]byte) {
	n := uint64(((t*m.p.SizeC+c)*m.p.SizeZ+z)*m.p.SizeY+y)*uint64(m.p.SizeX) + uint64(x)
	n *= 0x9e3779b97f4a7c15
	binary.BigEndian.PutUint64(b[:], n)
	binary.BigEndian.PutUint64(b[8:], ^n)
	return b
}

func (m *made) Tile(_ context.Context, z, c, t, x, y, w, h int) ([]byte, error) {
	if m.refused != nil {
		return nil, m.refused
	}
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > m.p.SizeX || y+h > m.p.SizeY || z >= m.p.SizeZ || c >= m.p.SizeC || t >= m.p.SizeT {
		m.t.Errorf("asked for %dx%d pixels at %d, %d of plane z%d c%d t%d", w, h, x, y, z, c, t)
	}
	bytes := sampleTypes[m.p.Type].bytes
	out := make([]byte, 0, w*h*bytes)
	m.most = max(m.most, cap(out))
	for j := range h {
		for i := range w {
			b := m.pixel(z, c, t, x+i, y+j)
			out = append(out, b[:bytes]...)
		}
	}
	return out, nil
}

func (*made) Close() error { return nil }

// largeFile is an open OME-TIFF as a file of another program.
type largeFile struct {
	h  *exportHandle
	at int64
}

func (f *largeFile) Open(string) (fs.File, error) { return &largeFile{h: f.h}, nil }
func (f *largeFile) Stat() (fs.FileInfo, error)   { return largeInfo{f.h.t.size()}, nil }
func (f *largeFile) Close() error                 { return nil }
func (f *largeFile) ReadAt(p []byte, off int64) (int, error) {
	return f.h.ReadAt(context.Background(), p, off)
}
func (f *largeFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	return n, err
}

type largeInfo struct{ size int64 }

func (i largeInfo) Name() string     { return "x.ome.tiff" }
func (i largeInfo) Size() int64      { return i.size }
func (largeInfo) Mode() fs.FileMode  { return 0o444 }
func (largeInfo) ModTime() time.Time { return time.Time{} }
func (largeInfo) IsDir() bool        { return false }
func (largeInfo) Sys() any           { return nil }

func openMade(t *testing.T, p omero.Pixels) (*exportHandle, *made) {
	t.Helper()
	m := &made{t: t, p: &p}
	h := &exportHandle{t: newTIFF(omero.Image{Name: "made"}, &p), r: m}
	if h.t.head == 0 {
		t.Fatalf("no form for %+v", p)
	}
	return h, m
}

// An image above 4 GiB is a BigTIFF in which another reader finds each plane.
func TestExportAboveFourGiB(t *testing.T) {
	for _, order := range []string{"XYZCT", "XYTZC"} {
		h, m := openMade(t, omero.Pixels{Type: "uint16", Order: order, SizeX: 4096, SizeY: 4100, SizeZ: 5, SizeC: 3, SizeT: 9})
		if h.t.size() <= 1<<32 || h.t.strips < 2 {
			t.Fatalf("%d bytes in %d strips a plane", h.t.size(), h.t.strips)
		}
		set, err := imaging.Read(&largeFile{h: h}, "x.ome.tiff")
		if err != nil {
			t.Fatal(err)
		}
		s := set.Series[0]
		if s.SizeX != 4096 || s.SizeY != 4100 || s.SizeZ != 5 || s.SizeC != 3 || s.SizeT != 9 || s.Type != imaging.Uint16 {
			t.Fatalf("got %+v", s)
		}
		for _, at := range [][3]int{{4, 2, 8}} {
			plane, err := set.Plane(0, at[0], at[1], at[2])
			if err != nil {
				t.Fatal(err)
			}
			want, _ := m.Tile(t.Context(), at[0], at[1], at[2], 0, 0, 4096, 4100)
			if !bytes.Equal(plane, want) {
				t.Errorf("%s: plane %v differs", order, at)
			}
		}
	}
}

// Any range of bytes of any image is read without more of its pixels than a
// block, however large its planes and however long its rows.
func TestExportAtRandomPlaces(t *testing.T) {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(rand.Uint32())
	}
	t.Logf("seed %x", seed)
	random := rand.New(rand.NewChaCha8(seed))
	for _, p := range []omero.Pixels{
		{Type: "uint8", Order: "XYZCT", SizeX: 100_000, SizeY: 100_000, SizeZ: 1, SizeC: 2, SizeT: 1},
		{Type: "double-complex", Order: "XYCZT", SizeX: 300_000, SizeY: 40_000, SizeZ: 2, SizeC: 1, SizeT: 3},
		{Type: "int8", Order: "XYTCZ", SizeX: 1 << 30, SizeY: 1, SizeZ: 2, SizeC: 2, SizeT: 2},
		{Type: "float", Order: "XYCTZ", SizeX: 1, SizeY: 1 << 30, SizeZ: 1, SizeC: 1, SizeT: 1},
		{Type: "int32", Order: "XYTZC", SizeX: 1, SizeY: 1, SizeZ: 100, SizeC: 100, SizeT: 100},
		{Type: "uint32", Order: "XYZTC", SizeX: 1, SizeY: 1, SizeZ: 1, SizeC: 1, SizeT: 1},
		{Type: "complex", Order: "XYZTC", SizeX: 33, SizeY: 7, SizeZ: 2, SizeC: 3, SizeT: 2},
	} {
		h, m := openMade(t, p)
		for range 40 {
			off := random.Int64N(h.t.size())
			b := make([]byte, random.IntN(5000))
			n, err := h.ReadAt(t.Context(), b, off)
			if err != nil && err != io.EOF || (err == io.EOF) != (off+int64(len(b)) > h.t.size()) || err == nil && n != len(b) {
				t.Fatalf("%s: %d of %d bytes at %d of %d: %v", p.Type, n, len(b), off, h.t.size(), err)
			}
			for i := range b[:n] {
				at := off + int64(i) - h.t.head
				if at < 0 {
					continue
				}
				bytes := int64(h.t.sample.bytes)
				z, c, ti := h.t.coordinates(at / h.t.plane)
				pixel := at % h.t.plane / bytes
				want := m.pixel(z, c, ti, int(pixel%int64(p.SizeX)), int(pixel/int64(p.SizeX)))
				if b[i] != want[at%bytes] {
					t.Fatalf("%s: byte %d is %#x, want %#x", p.Type, off+int64(i), b[i], want[at%bytes])
				}
			}
			again := make([]byte, len(b))
			if k, _ := h.ReadAt(t.Context(), again, off); k != n || !slices.Equal(again, b) {
				t.Fatalf("%s: other bytes at %d when read again", p.Type, off)
			}
		}
		if m.most > blockBytes {
			t.Errorf("%s: %d bytes were asked for at once", p.Type, m.most)
		}
	}
}

// What has no form, or cannot be counted, is not opened; pixels that are not
// given end the read with the reason and never with the end of the file.
func TestExportOfNoPixels(t *testing.T) {
	for _, p := range []omero.Pixels{
		{Type: "bit", SizeX: 1, SizeY: 1, SizeZ: 1, SizeC: 1, SizeT: 1},
		{Type: "uint8", SizeX: 1, SizeY: 1, SizeZ: 1, SizeC: 0, SizeT: 1},
		{Type: "double", SizeX: 1 << 30, SizeY: 1 << 30, SizeZ: 1 << 30, SizeC: 1 << 30, SizeT: 1},
	} {
		if layout := newTIFF(omero.Image{}, &p); layout.size() != 0 {
			t.Errorf("%+v: %d bytes", p, layout.size())
		}
		if _, err := openTIFF(nil, omero.Image{}, &p); !errors.Is(err, tree.ErrNotSupported) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	h, m := openMade(t, omero.Pixels{Type: "uint8", Order: "XYZCT", SizeX: 4, SizeY: 4, SizeZ: 1, SizeC: 1, SizeT: 1})
	for class, want := range map[omero.Class]error{omero.Denied: tree.ErrDenied, omero.Internal: tree.ErrIO, omero.Gone: tree.ErrIO, omero.Offline: tree.ErrOffline} {
		m.refused = &omero.Error{Class: class}
		n, err := h.ReadAt(t.Context(), make([]byte, h.t.size()), 0)
		if int64(n) != h.t.head || !errors.Is(err, want) {
			t.Errorf("%v: %d bytes, %v", class, n, err)
		}
	}
}
