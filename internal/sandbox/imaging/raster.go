package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io/fs"
	"path"
)

// maxRasterBytes bounds a PNG or JPEG file.
const maxRasterBytes = 1 << 30

func isPNG(head []byte) bool  { return bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")) }
func isJPEG(head []byte) bool { return bytes.HasPrefix(head, []byte("\xff\xd8\xff")) }

// rasterPlanes has the samples of a picture; step is the distance of the
// samples of one channel within a pixel, both in bytes.
type rasterPlanes struct {
	pix                 []byte
	stride, step, width int
	sizeX, sizeY        int
	offsets             []int // of each channel within a pixel
}

func (r *rasterPlanes) plane(_, _, c, _ int) ([]byte, error) {
	out := make([]byte, 0, r.sizeX*r.sizeY*r.width)
	for y := range r.sizeY {
		row := r.pix[y*r.stride+r.offsets[c]:]
		for x := range r.sizeX {
			out = append(out, row[x*r.step:x*r.step+r.width]...)
		}
	}
	return out, nil
}

// readRaster reads a PNG or JPEG file whole, so that a damaged one is found.
func readRaster(fsys fs.FS, main string, head []byte) (*Fileset, error) {
	data, err := readWhole(fsys, main, maxRasterBytes)
	if err != nil {
		return nil, err
	}
	out := &Fileset{Reader: "loci.formats.in.APNGReader", Format: "APNG", Files: []string{main}}
	config, decode := png.DecodeConfig, png.Decode
	if isJPEG(head) {
		config, decode = jpeg.DecodeConfig, jpeg.Decode
		out.Reader, out.Format = "loci.formats.in.JPEGReader", "JPEG"
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main, damaged("%v", err))
	}
	if int64(c.Width)*int64(c.Height)*8 > maxPlaneBytes {
		return nil, fmt.Errorf("%s: %w", main, damaged("a picture of %dx%d is too large", c.Width, c.Height))
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main, damaged("%v", err))
	}
	planes, pt := rasterOf(img)
	if isPNG(head) && len(head) > 25 { // the colour type of the IHDR chunk
		switch head[25] {
		case 4:
			planes.offsets = []int{0, 3 * planes.width}
		case 6:
			planes.offsets = []int{0, planes.width, 2 * planes.width, 3 * planes.width}
		}
	}
	s := Series{
		Name: path.Base(main), SizeX: planes.sizeX, SizeY: planes.sizeY, SizeZ: 1, SizeC: len(planes.offsets), SizeT: 1,
		Type: pt, DimensionOrder: "XYCZT", RGB: len(planes.offsets) > 1,
	}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", main, err)
	}
	out.Series, out.planes = []Series{s}, planes
	return out, nil
}

// rasterOf finds the samples of a decoded picture: grey stays grey, all else
// becomes red, green and blue.
func rasterOf(img image.Image) (*rasterPlanes, PixelType) {
	b := img.Bounds()
	r := &rasterPlanes{sizeX: b.Dx(), sizeY: b.Dy(), width: 1, offsets: []int{0, 1, 2}}
	switch m := img.(type) {
	case *image.Gray:
		r.pix, r.stride, r.step, r.offsets = m.Pix, m.Stride, 1, []int{0}
		return r, Uint8
	case *image.Gray16:
		r.pix, r.stride, r.step, r.width, r.offsets = m.Pix, m.Stride, 2, 2, []int{0}
		return r, Uint16
	case *image.RGBA64:
		r.pix, r.stride, r.step, r.width, r.offsets = m.Pix, m.Stride, 8, 2, []int{0, 2, 4}
		return r, Uint16
	case *image.NRGBA64:
		r.pix, r.stride, r.step, r.width, r.offsets = m.Pix, m.Stride, 8, 2, []int{0, 2, 4}
		return r, Uint16
	case *image.NRGBA:
		r.pix, r.stride, r.step = m.Pix, m.Stride, 4
		return r, Uint8
	}
	m := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(m, m.Bounds(), img, b.Min, draw.Src)
	r.pix, r.stride, r.step = m.Pix, m.Stride, 4
	return r, Uint8
}
