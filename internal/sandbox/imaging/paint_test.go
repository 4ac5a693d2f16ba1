package imaging

import (
	"encoding/binary"
	"image"
	"math"
	"slices"
	"testing"
)

// shadesOf paints one row of samples and returns its red shades.
func shadesOf(t *testing.T, r Rendering, samples ...uint16) (out []uint8) {
	t.Helper()
	s := &Series{SizeX: len(samples), SizeY: 1, SizeZ: 1, SizeC: len(r.Channels), SizeT: 1, Type: Uint16}
	var plane []byte
	for _, v := range samples {
		plane = binary.BigEndian.AppendUint16(plane, v)
	}
	img, err := s.Paint(&r, image.Rect(0, 0, len(samples), 1), 1, func(int) ([]byte, error) { return plane, nil })
	if err != nil {
		t.Fatal(err)
	}
	for x := range samples {
		out = append(out, img.RGBAAt(x, 0).R)
	}
	return out
}

func TestShades(t *testing.T) {
	red := func(family string, k float64) Shade {
		return Shade{Active: true, Start: 100, End: 300, Family: family, Coefficient: k, Color: Color{255, 0, 0, 255}}
	}
	// Half way in the window, and what the curves make of it.
	at := func(f func(float64) float64) uint8 {
		return uint8(math.Round(255 * (f(200) - f(100)) / (f(300) - f(100))))
	}
	for name, tc := range map[string]struct {
		r    Rendering
		want []uint8
	}{
		"linear":      {Rendering{Last: 255, Channels: []Shade{red("linear", 1)}}, []uint8{0, 0, 128, 255, 255}},
		"polynomial":  {Rendering{Last: 255, Channels: []Shade{red("polynomial", 2)}}, []uint8{0, 0, at(func(v float64) float64 { return v * v }), 255, 255}},
		"logarithmic": {Rendering{Last: 255, Channels: []Shade{red("logarithmic", 1)}}, []uint8{0, 0, at(math.Log), 255, 255}},
		"few shades":  {Rendering{First: 10, Last: 20, Channels: []Shade{red("linear", 1)}}, []uint8{10, 10, 15, 20, 20}},
		"two channels are added": {Rendering{Last: 255, Channels: []Shade{red("linear", 1), red("linear", 1)}},
			[]uint8{0, 0, 255, 255, 255}},
		"grey shows the first": {Rendering{Greyscale: true, Last: 255, Channels: []Shade{{}, {Active: true, End: 400, Family: "linear", Color: Color{0, 255, 0, 255}}, red("linear", 1)}},
			[]uint8{0, 64, 128, 191, 255}},
		"half transparent": {Rendering{Last: 255, Channels: []Shade{{Active: true, End: 400, Family: "linear", Color: Color{255, 0, 0, 127}}}},
			[]uint8{0, 31, 63, 95, 127}},
		"off": {Rendering{Last: 255, Channels: []Shade{{End: 400, Color: Color{255, 0, 0, 255}}}}, []uint8{0, 0, 0, 0, 0}},
	} {
		if got := shadesOf(t, tc.r, 0, 100, 200, 300, 400); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	back := red("linear", 1)
	back.Reverse = true
	if got := shadesOf(t, Rendering{Last: 255, Channels: []Shade{back}}, 0, 100, 200, 300); !slices.Equal(got, []uint8{255, 255, 127, 0}) {
		t.Errorf("reversed: got %v", got)
	}
}

func TestPaintRegion(t *testing.T) {
	s := &Series{SizeX: 4, SizeY: 3, SizeZ: 1, SizeC: 1, SizeT: 1, Type: Uint8}
	plane := []byte{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}
	r := Rendering{Last: 255, Channels: []Shade{{Active: true, End: 255, Family: "linear", Color: Color{255, 255, 255, 255}}}}
	read := func(int) ([]byte, error) { return plane, nil }
	img, err := s.Paint(&r, image.Rect(1, 1, 4, 3), 2, read)
	if err != nil || img.Bounds() != image.Rect(0, 0, 2, 1) || img.RGBAAt(0, 0).G != 11 || img.RGBAAt(1, 0).G != 13 {
		t.Errorf("got %v, %v", img, err)
	}
	for _, bad := range []image.Rectangle{image.Rect(0, 0, 5, 3), image.Rect(-1, 0, 1, 1), {}} {
		if _, err := s.Paint(&r, bad, 1, read); err == nil {
			t.Errorf("%v was painted", bad)
		}
	}
}

func TestProject(t *testing.T) {
	s := &Series{SizeX: 3, SizeY: 1, Type: Int8}
	planes := [][]byte{{0xff, 10, 100}, {1, 20, 100}}
	for how, want := range map[Projection][]byte{MaximumIntensity: {1, 20, 100}, MeanIntensity: {0, 15, 100}, SumIntensity: {0, 30, 127}} {
		if got := s.Project(how, planes); !slices.Equal(got, want) {
			t.Errorf("projection %d: got %v, want %v", how, got, want)
		}
	}
}
