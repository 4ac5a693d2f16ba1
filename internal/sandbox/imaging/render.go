package imaging

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"

	"golang.org/x/image/draw"
)

const (
	// maxRenderBytes bounds the planes that thumbnails and ranges look at;
	// larger ones are not worth the wait.
	maxRenderBytes = 256 << 20
	// maxActive is how many channels are shown together at first.
	maxActive = 3
	// thumbnailQuality is the JPEG quality of thumbnails.
	thumbnailQuality = 85
)

// sampler returns a function that reads the i-th sample of a plane.
func sampler(t PixelType, b []byte) func(i int) float64 {
	be := binary.BigEndian
	switch t {
	case Int8:
		return func(i int) float64 { return float64(int8(b[i])) }
	case Uint16:
		return func(i int) float64 { return float64(be.Uint16(b[2*i:])) }
	case Int16:
		return func(i int) float64 { return float64(int16(be.Uint16(b[2*i:]))) }
	case Uint32:
		return func(i int) float64 { return float64(be.Uint32(b[4*i:])) }
	case Int32:
		return func(i int) float64 { return float64(int32(be.Uint32(b[4*i:]))) }
	case Float:
		return func(i int) float64 { return float64(math.Float32frombits(be.Uint32(b[4*i:]))) }
	case Double:
		return func(i int) float64 { return math.Float64frombits(be.Uint64(b[8*i:])) }
	}
	return func(i int) float64 { return float64(b[i]) }
}

// writer returns a function that writes the i-th sample of a plane. Samples
// beyond the type become its nearest.
func writer(t PixelType, b []byte) func(i int, v float64) {
	be := binary.BigEndian
	lo, hi := t.limits(8 * t.Bytes())
	whole := func(v float64) int64 { return int64(math.Round(max(lo, min(hi, v)))) }
	switch t {
	case Uint16, Int16:
		return func(i int, v float64) { be.PutUint16(b[2*i:], uint16(whole(v))) }
	case Uint32, Int32:
		return func(i int, v float64) { be.PutUint32(b[4*i:], uint32(whole(v))) }
	case Float:
		return func(i int, v float64) { be.PutUint32(b[4*i:], math.Float32bits(float32(v))) }
	case Double:
		return func(i int, v float64) { be.PutUint64(b[8*i:], math.Float64bits(v)) }
	}
	return func(i int, v float64) { b[i] = byte(whole(v)) }
}

// span returns the least and greatest of n samples, leaving out what is no
// number.
func span(at func(int) float64, n int) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for i := range n {
		v := at(i)
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return 0, 1
	}
	return lo, hi
}

// Span returns the least and the greatest sample of a plane.
func (s *Series) Span(plane []byte) (lo, hi float64) {
	return span(sampler(s.Type, plane), s.SizeX*s.SizeY)
}

// Samples calls fn for each sample of a plane, row by row.
func (s *Series) Samples(plane []byte, fn func(v float64)) {
	at := sampler(s.Type, plane)
	for i := range s.SizeX * s.SizeY {
		fn(at(i))
	}
}

// Stats is what a look at all pixels of a series tells.
type Stats struct {
	Min, Max []float64 // per channel
	SHA1     string    // of all planes, lower-case hex; empty for images too large to look at
}

// Scan reads all planes of a series. Images too large to look at get the limits
// of their type. An error means that pixels could not be read.
func (f *Fileset) Scan(series int) (Stats, error) {
	s := &f.Series[series]
	out := Stats{Min: make([]float64, s.SizeC), Max: make([]float64, s.SizeC)}
	if s.PlaneBytes() > maxRenderBytes/int64(s.SizeC)/int64(s.SizeZ)/int64(s.SizeT) {
		lo, hi := s.Type.limits(s.SignificantBits)
		for c := range s.SizeC {
			out.Min[c], out.Max[c] = lo, hi
		}
		return out, nil
	}
	for c := range s.SizeC {
		out.Min[c], out.Max[c] = math.Inf(1), math.Inf(-1)
	}
	sum := sha1.New()
	for t := range s.SizeT {
		for c := range s.SizeC {
			for z := range s.SizeZ {
				plane, err := f.Plane(series, z, c, t)
				if err != nil {
					return Stats{}, err
				}
				sum.Write(plane)
				lo, hi := span(sampler(s.Type, plane), s.SizeX*s.SizeY)
				out.Min[c], out.Max[c] = min(out.Min[c], lo), max(out.Max[c], hi)
			}
		}
	}
	out.SHA1 = hex.EncodeToString(sum.Sum(nil))
	return out, nil
}

// limits returns the least and greatest value of a type that uses the given
// number of bits.
func (p PixelType) limits(bits int) (lo, hi float64) {
	switch p {
	case Uint8, Uint16, Uint32:
		return 0, math.Exp2(float64(bits)) - 1
	case Int8, Int16, Int32:
		half := math.Exp2(float64(bits - 1))
		return -half, half - 1
	}
	return 0, 1
}

// Limits are the least and greatest value that samples of a series can have.
func (s *Series) Limits() (lo, hi float64) { return s.Type.limits(8 * s.Type.Bytes()) }

// palette is what channels are shown in when nothing says otherwise.
var palette = []Color{{0, 0, 255, 255}, {0, 255, 0, 255}, {255, 0, 0, 255}, {255, 255, 0, 255}, {255, 0, 255, 255}, {0, 255, 255, 255}}

// ChannelColor returns the colour a channel is shown in: its own, the one of
// its emission, or one by its number.
func (s *Series) ChannelColor(c int) Color {
	ch := &s.Channels[c]
	switch {
	case ch.Color != nil:
		return *ch.Color
	case s.SizeC == 1:
		return Color{255, 255, 255, 255}
	case s.RGB && c < 3:
		return []Color{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}}[c]
	case ch.Emission.Unit == "NANOMETER" && ch.Emission.Value > 0:
		switch nm := ch.Emission.Value; {
		case nm < 500:
			return palette[0]
		case nm < 560:
			return palette[1]
		default:
			return palette[2]
		}
	}
	return palette[c%len(palette)]
}

// ThumbnailSize returns the size of a picture of w by h pixels whose longest
// side is shrunk, or grown, to the given number of pixels.
func ThumbnailSize(w, h, longest int) (int, int) {
	scale := float64(longest) / float64(max(w, h, 1))
	return max(int(math.Round(float64(w)*scale)), 1), max(int(math.Round(float64(h)*scale)), 1)
}

// maxThumbnail is the largest side of a thumbnail in pixels.
const maxThumbnail = 4096

// Render shows section z at time t of a series as a JPEG of exactly the given
// size. A z below 0 is the middle one; without settings each channel is shown
// from its least to its greatest sample.
func (f *Fileset) Render(series, z, t, width, height int, set *Rendering) ([]byte, error) {
	if series < 0 || series >= len(f.Series) {
		return nil, fmt.Errorf("series %d of %d", series, len(f.Series))
	}
	s := &f.Series[series]
	if width < 1 || width > maxThumbnail || height < 1 || height > maxThumbnail {
		return nil, fmt.Errorf("a thumbnail of %dx%d pixels", width, height)
	}
	if z < 0 {
		z = s.SizeZ / 2
	}
	src := image.NewRGBA(image.Rect(0, 0, 1, 1))
	if s.PlaneBytes() > maxRenderBytes {
		src.Set(0, 0, color.Gray{128})
	} else {
		// Reading every step-th pixel is enough when the picture shrinks a lot.
		step := max(1, min(s.SizeX/(4*width), s.SizeY/(4*height)))
		planes := make(map[int][]byte)
		plane := func(c int) (b []byte, err error) {
			if b = planes[c]; b == nil {
				b, err = f.Plane(series, z, c, t)
				planes[c] = b
			}
			return b, err
		}
		var err error
		if set == nil {
			if set, err = s.planeRendering(plane); err != nil {
				return nil, err
			}
		}
		if src, err = s.Paint(set, image.Rect(0, 0, s.SizeX, s.SizeY), step, plane); err != nil {
			return nil, err
		}
	}
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	return JPEG(dst, thumbnailQuality)
}

// JPEG encodes a picture; quality is from 1 to 100.
func JPEG(img image.Image, quality int) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode JPEG: %w", err)
	}
	return out.Bytes(), nil
}

// planeRendering are settings by the range of the planes that are shown.
func (s *Series) planeRendering(plane func(c int) ([]byte, error)) (*Rendering, error) {
	st := Stats{Min: make([]float64, s.SizeC), Max: make([]float64, s.SizeC)}
	for c := range s.SizeC {
		st.Max[c] = 255
		if c >= maxActive || s.RGB && s.Type == Uint8 {
			continue
		}
		b, err := plane(c)
		if err != nil {
			return nil, err
		}
		lo, hi := span(sampler(s.Type, b), s.SizeX*s.SizeY)
		if hi <= lo {
			hi = lo + 1
		}
		st.Min[c], st.Max[c] = lo, hi
	}
	r := s.DefaultRendering(&st)
	r.Greyscale = false
	return &r, nil
}
