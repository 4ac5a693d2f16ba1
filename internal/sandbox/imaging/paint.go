package imaging

import (
	"fmt"
	"image"
	"math"
)

// Shade says how the samples of one channel become shades of its colour.
type Shade struct {
	Active bool
	// Start and End are the samples that become the first and the last shade.
	Start, End float64
	// Family is the curve between them: linear, polynomial, exponential or
	// logarithmic, with its coefficient.
	Family      string
	Coefficient float64
	Color       Color
	Reverse     bool // dark and bright change places
}

// Rendering are the settings by which channels become a picture.
type Rendering struct {
	// Greyscale shows the first active channel alone, without its colour.
	Greyscale bool
	// First and Last are the shades to use, within 0 to 255.
	First, Last int
	Channels    []Shade
}

// DefaultRendering shows the first channels in their colours from the least to
// the greatest sample, as the server does with an image that is new.
func (s *Series) DefaultRendering(st *Stats) Rendering {
	r := Rendering{Last: 255, Greyscale: s.SizeC == 1}
	for c := range s.SizeC {
		shade := Shade{Active: c < maxActive, Start: 0, End: 255, Family: "linear", Coefficient: 1, Color: s.ChannelColor(c)}
		if st != nil {
			shade.Start, shade.End = st.Min[c], st.Max[c]
		}
		r.Channels = append(r.Channels, shade)
	}
	return r
}

// curve is how OMERO's families transform a sample before it is scaled.
func (h *Shade) curve(v float64) float64 {
	switch h.Family {
	case "polynomial":
		return math.Pow(v, h.Coefficient)
	case "exponential":
		return math.Exp(math.Pow(v, h.Coefficient))
	case "logarithmic":
		if v <= 0 {
			return 0
		}
		return math.Log(v)
	}
	return v
}

// shades returns the function from samples to shades.
func (r *Rendering) shades(h *Shade) func(float64) float64 {
	first, last := float64(r.First), float64(r.Last)
	low, high := h.curve(h.Start), h.curve(h.End)
	shade := func(v float64) float64 {
		switch {
		case v < h.Start || math.IsNaN(v):
			return first
		case v >= h.End:
			return last
		}
		y := (h.curve(v) - low) / (high - low)
		return math.Round(first + y*(last-first))
	}
	if !h.Reverse {
		return shade
	}
	return func(v float64) float64 { return first + last - shade(v) }
}

// Paint draws a region of one section. The planes of active channels come from
// plane; every step-th pixel is taken in both directions.
func (s *Series) Paint(r *Rendering, region image.Rectangle, step int, plane func(c int) ([]byte, error)) (*image.RGBA, error) {
	if !region.In(image.Rect(0, 0, s.SizeX, s.SizeY)) || region.Empty() || step < 1 {
		return nil, fmt.Errorf("region %v of %dx%d pixels", region, s.SizeX, s.SizeY)
	}
	if len(r.Channels) != s.SizeC {
		return nil, fmt.Errorf("settings of %d channels for %d", len(r.Channels), s.SizeC)
	}
	dst := image.NewRGBA(image.Rect(0, 0, (region.Dx()+step-1)/step, (region.Dy()+step-1)/step))
	for i := 3; i < len(dst.Pix); i += 4 {
		dst.Pix[i] = 255
	}
	for c := range r.Channels {
		h := &r.Channels[c]
		if !h.Active {
			continue
		}
		b, err := plane(c)
		if err != nil {
			return nil, err
		}
		s.add(dst, r, h, region, step, b)
		if r.Greyscale {
			break
		}
	}
	return dst, nil
}

// add adds one channel to a picture.
func (s *Series) add(dst *image.RGBA, r *Rendering, h *Shade, region image.Rectangle, step int, plane []byte) {
	at, shade := sampler(s.Type, plane), r.shades(h)
	col := h.Color
	if r.Greyscale {
		col = Color{255, 255, 255, 255}
	}
	alpha := float64(col.A) / 255
	red, green, blue := float64(col.R)/255*alpha, float64(col.G)/255*alpha, float64(col.B)/255*alpha
	k := 0
	for y := region.Min.Y; y < region.Max.Y; y += step {
		for x := region.Min.X; x < region.Max.X; x += step {
			v := shade(at(y*s.SizeX + x))
			p := dst.Pix[k : k+3 : k+3]
			p[0] = uint8(min(255, int(p[0])+int(v*red)))
			p[1] = uint8(min(255, int(p[1])+int(v*green)))
			p[2] = uint8(min(255, int(p[2])+int(v*blue)))
			k += 4
		}
	}
}

// Projection is how several sections become one.
type Projection int32

// The projections, numbered as in OMERO's Slice definitions.
const (
	MaximumIntensity Projection = iota
	MeanIntensity
	SumIntensity
)

// Project combines planes of samples into one plane of the same type. A sum
// stays within the type.
func (s *Series) Project(how Projection, planes [][]byte) []byte {
	out := make([]byte, len(planes[0]))
	put := writer(s.Type, out)
	read := make([]func(int) float64, len(planes))
	for i, p := range planes {
		read[i] = sampler(s.Type, p)
	}
	for i := range s.SizeX * s.SizeY {
		v := read[0](i)
		for _, at := range read[1:] {
			if how == MaximumIntensity {
				v = max(v, at(i))
			} else {
				v += at(i)
			}
		}
		if how == MeanIntensity {
			v /= float64(len(planes))
		}
		put(i, v)
	}
	return out
}
