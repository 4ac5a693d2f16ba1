package sample

import (
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"omerods/internal/sandbox/imaging"
)

// tissue is a patch of drawn cells; everything about it follows from its seed.
type tissue struct {
	w, h  int
	cells []cell
	// nearest and second are, per pixel, the two closest cells; d1 and d2 their
	// distances.
	nearest []int
	d1, d2  []float64
	noise   *rand.Rand
}

// cell is one cell: the middle of its nucleus, its shape, its depth in the
// stack, and how much it shows in each channel.
type cell struct {
	x, y, a, b, turn float64
	depth            float64 // 0 top to 1 bottom
	marked           float64
	spots            [][2]float64
}

// newTissue grows a patch with cells of about the given radius.
func newTissue(seed uint64, w, h int, radius float64) *tissue {
	r := rand.New(rand.NewPCG(seed, 0x6f6d65726f6473))
	t := &tissue{w: w, h: h, noise: r}
	tries := int(4 * float64(w*h) / (radius * radius))
	for range tries {
		c := cell{
			x: r.Float64() * float64(w), y: r.Float64() * float64(h),
			a: radius * (0.45 + 0.2*r.Float64()), b: radius * (0.35 + 0.15*r.Float64()),
			turn: r.Float64() * math.Pi, depth: r.Float64(), marked: math.Pow(r.Float64(), 3),
		}
		if t.free(c, 1.7*radius) {
			for range 3 + r.IntN(12) {
				far, dir := radius*(0.6+0.5*r.Float64()), r.Float64()*2*math.Pi
				c.spots = append(c.spots, [2]float64{c.x + far*math.Cos(dir), c.y + far*math.Sin(dir)})
			}
			t.cells = append(t.cells, c)
		}
	}
	t.measure()
	return t
}

func (t *tissue) free(c cell, distance float64) bool {
	for _, o := range t.cells {
		if math.Hypot(o.x-c.x, o.y-c.y) < distance {
			return false
		}
	}
	return true
}

func (t *tissue) measure() {
	n := t.w * t.h
	t.nearest, t.d1, t.d2 = make([]int, n), make([]float64, n), make([]float64, n)
	for i := range n {
		x, y := float64(i%t.w), float64(i/t.w)
		t.d1[i], t.d2[i] = math.Inf(1), math.Inf(1)
		for k, c := range t.cells {
			if d := math.Hypot(c.x-x, c.y-y); d < t.d1[i] {
				t.d1[i], t.d2[i], t.nearest[i] = d, t.d1[i], k
			} else if d < t.d2[i] {
				t.d2[i] = d
			}
		}
	}
}

// The stains that the patches can be looked at with.
const (
	nuclei = iota
	membranes
	granules
)

// light returns the brightness, 0 to 1, of a stain at each pixel, at a depth
// and a time, both from 0 to 1.
func (t *tissue) light(stain int, depth, time float64) []float64 {
	out := make([]float64, t.w*t.h)
	spots := make([][][2]float64, len(t.cells)) // where they are at that time
	for k, c := range t.cells {
		for _, p := range c.spots {
			spots[k] = append(spots[k], [2]float64{p[0] + 6*math.Sin(6*time+p[1]), p[1] + 6*math.Cos(5*time+p[0])})
		}
	}
	for i := range out {
		x, y := float64(i%t.w), float64(i/t.w)
		c := &t.cells[t.nearest[i]]
		focus := math.Exp(-8 * (c.depth - depth) * (c.depth - depth))
		switch stain {
		case nuclei:
			s, k := math.Sincos(c.turn + time)
			u, v := ((x-c.x)*k+(y-c.y)*s)/c.a, ((y-c.y)*k-(x-c.x)*s)/c.b
			texture := 0.8 + 0.2*math.Sin(x*0.9+c.x)*math.Cos(y*0.8-c.y)
			out[i] = focus * texture / (1 + math.Exp(9*(math.Hypot(u, v)-1)))
		case membranes:
			edge := t.d2[i] - t.d1[i]
			out[i] = 0.9*math.Exp(-edge*edge/6) + 0.12*focus*(0.5+0.5*math.Sin(0.35*(x+2*y)+c.x))
		case granules:
			var sum float64
			for _, p := range spots[t.nearest[i]] {
				if d := (x-p[0])*(x-p[0]) + (y-p[1])*(y-p[1]); d < 60 { // the rest is dark
					sum += math.Exp(-d / 5)
				}
			}
			out[i] = min(1, sum*focus+0.4*c.marked*math.Exp(-t.d1[i]*t.d1[i]/300))
		}
	}
	return out
}

// channels are the stains with the names and colours that people know them by.
var channels = []imaging.Channel{
	nuclei: {
		Name: "DAPI", Fluor: "DAPI", Color: &imaging.Color{R: 0, G: 80, B: 255, A: 255},
		Emission: imaging.Length{Value: 461, Unit: "NANOMETER"}, Excitation: imaging.Length{Value: 358, Unit: "NANOMETER"},
	},
	membranes: {
		Name: "Phalloidin (F-Aktin)", Fluor: "Alexa Fluor 488", Color: &imaging.Color{R: 0, G: 255, B: 60, A: 255},
		Emission: imaging.Length{Value: 519, Unit: "NANOMETER"}, Excitation: imaging.Length{Value: 495, Unit: "NANOMETER"},
	},
	granules: {
		Name: "LAMP1", Fluor: "Alexa Fluor 568", Color: &imaging.Color{R: 255, G: 60, B: 40, A: 255},
		Emission: imaging.Length{Value: 603, Unit: "NANOMETER"}, Excitation: imaging.Length{Value: 578, Unit: "NANOMETER"},
	},
}

// stack is a picture of a patch: the first sizeC stains, sizeZ sections, sizeT
// time points, of 12 bits in uint16 or of 8 in uint8.
func (t *tissue) stack(name string, pt imaging.PixelType, sizeZ, sizeC, sizeT int) imaging.Picture {
	s := imaging.Series{
		Name: name, SizeX: t.w, SizeY: t.h, SizeZ: sizeZ, SizeC: sizeC, SizeT: sizeT, Type: pt,
		Channels:      append([]imaging.Channel(nil), channels[:sizeC]...),
		PhysicalSizeX: imaging.Length{Value: 0.325, Unit: "MICROMETER"}, PhysicalSizeY: imaging.Length{Value: 0.325, Unit: "MICROMETER"},
	}
	if sizeZ > 1 {
		s.PhysicalSizeZ = imaging.Length{Value: 1.5, Unit: "MICROMETER"}
	}
	if pt == imaging.Uint16 {
		s.SignificantBits = 12
	}
	planes := make([][]byte, sizeZ*sizeC*sizeT)
	for ti := range sizeT {
		for c := range sizeC {
			for z := range sizeZ {
				depth := 0.5
				if sizeZ > 1 {
					depth = float64(z) / float64(sizeZ-1)
				}
				planes[(ti*sizeC+c)*sizeZ+z] = t.digitise(t.light(c, depth, float64(ti)/float64(sizeT)), pt)
			}
		}
	}
	return imaging.Picture{Series: s, Plane: func(z, c, ti int) []byte { return planes[(ti*sizeC+c)*sizeZ+z] }}
}

// digitise makes samples of brightness, with a little noise.
func (t *tissue) digitise(light []float64, pt imaging.PixelType) []byte {
	out := make([]byte, len(light)*pt.Bytes())
	for i, v := range light {
		v = max(0, min(1, 0.03+0.9*v+0.008*t.noise.NormFloat64()))
		if pt == imaging.Uint16 {
			binary.BigEndian.PutUint16(out[2*i:], uint16(4095*v)&^3)
		} else {
			out[i] = byte(255 * v)
		}
	}
	return out
}

// stained is a colour picture of a patch as a slide scanner sees it: blue
// nuclei in pink tissue.
func (t *tissue) stained() image.Image {
	dark, walls := t.light(nuclei, 0.5, 0), t.light(membranes, 0.5, 0)
	img := image.NewRGBA(image.Rect(0, 0, t.w, t.h))
	for i := range dark {
		n, w := dark[i], walls[i]
		img.SetRGBA(i%t.w, i/t.w, color.RGBA{
			R: byte(238 - 140*n - 30*w), G: byte(200 - 130*n - 90*w), B: byte(222 - 60*n - 40*w), A: 255,
		})
	}
	return img
}
