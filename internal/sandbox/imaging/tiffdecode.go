package imaging

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/jpeg"
	"io"
	"math/bits"

	"golang.org/x/image/tiff/lzw"
)

// Compression schemes of TIFF.
const (
	compressNone       = 1
	compressLZW        = 5
	compressJPEG       = 7
	compressDeflate    = 8
	compressPackBits   = 32773
	compressOldDeflate = 32946
)

// decode reads the samples with the number sample of a whole page, big-endian.
func (p *tiffPage) decode(r io.ReaderAt, sample int) ([]byte, error) {
	pt, err := p.pixelType()
	if err != nil {
		return nil, err
	}
	width := pt.Bytes()
	if int64(p.width)*int64(p.height)*int64(width) > maxPlaneBytes || p.rowBytes(p.samples)*int64(p.tileH) > maxPlaneBytes {
		return nil, damaged("a page of %dx%d is too large", p.width, p.height)
	}
	out := make([]byte, p.width*p.height*width)
	across, down := p.blocks()
	first, perPixel, inPixel := 0, p.samples, sample
	if p.planar == 2 {
		first, perPixel, inPixel = across*down*sample, 1, 0
	}
	for by := range down {
		for bx := range across {
			block, err := p.block(r, first+by*across+bx, perPixel)
			if err != nil {
				return nil, err
			}
			p.place(out, block, bx, by, perPixel, inPixel, width)
		}
	}
	if p.photometric == 0 && p.format == 1 {
		invert(out, width, p.bits)
	}
	return out, nil
}

// place copies one sample of each pixel of a block to its place in the plane.
func (p *tiffPage) place(out, block []byte, bx, by, perPixel, inPixel, width int) {
	cols := min(p.tileW, p.width-bx*p.tileW)
	rows := min(p.tileH, p.height-by*p.tileH)
	stride := int(p.rowBytes(perPixel))
	for y := range rows {
		row := block[y*stride : (y+1)*stride]
		dst := out[((by*p.tileH+y)*p.width+bx*p.tileW)*width:]
		if p.bits%8 != 0 {
			for x := range cols {
				v := bitsAt(row, (x*perPixel+inPixel)*p.bits, p.bits)
				if width == 1 {
					dst[x] = byte(v)
				} else {
					binary.BigEndian.PutUint16(dst[x*2:], uint16(v))
				}
			}
			continue
		}
		if perPixel == 1 {
			copy(dst[:cols*width], row)
			continue
		}
		for x := range cols {
			copy(dst[x*width:(x+1)*width], row[(x*perPixel+inPixel)*width:])
		}
	}
}

// bitsAt returns n bits of a row, the highest first.
func bitsAt(row []byte, at, n int) uint32 {
	var v uint32
	for i := at; i < at+n; i++ {
		v = v<<1 | uint32(row[i/8]>>(7-i%8)&1)
	}
	return v
}

// invert turns "white is zero" round.
func invert(samples []byte, width, depth int) {
	switch width {
	case 1:
		top := byte(1<<depth - 1)
		for i, v := range samples {
			samples[i] = top - v
		}
	case 2:
		top := uint16(1<<depth - 1)
		for i := 0; i+1 < len(samples); i += 2 {
			binary.BigEndian.PutUint16(samples[i:], top-binary.BigEndian.Uint16(samples[i:]))
		}
	}
}

// block returns a block with its samples unpacked and in big-endian order; it
// has the full number of rows also where the file leaves the last ones out.
func (p *tiffPage) block(r io.ReaderAt, i, perPixel int) ([]byte, error) {
	stride := p.rowBytes(perPixel)
	out := make([]byte, stride*int64(p.tileH))
	if p.counts[i] == 0 { // a block nobody wrote is black
		return out, nil
	}
	raw := make([]byte, min(p.counts[i], maxPlaneBytes))
	if _, err := r.ReadAt(raw, p.offsets[i]); err != nil {
		return nil, damaged("a block of the TIFF at byte %d: %v", p.offsets[i], err)
	}
	if p.fillOrder == 2 {
		for k, v := range raw {
			raw[k] = bits.Reverse8(v)
		}
	}
	want := int(p.blockBytes(i))
	if p.compression == compressJPEG {
		return out, p.jpegBlock(raw, out, perPixel)
	}
	if err := expand(p.compression, raw, out[:want]); err != nil {
		return nil, err
	}
	p.unpredict(out, int(stride), perPixel)
	if p.order == binary.LittleEndian && p.bits%8 == 0 && !(p.predictor == 3 && p.format == 3) {
		swapBytes(out, p.bits/8)
	}
	return out, nil
}

// expand decompresses a block into out, which it must fill.
func expand(compression int, raw, out []byte) error {
	var r io.Reader
	switch compression {
	case compressNone:
		r = bytes.NewReader(raw)
	case compressLZW:
		z := lzw.NewReader(bytes.NewReader(raw), lzw.MSB, 8)
		defer z.Close()
		r = z
	case compressDeflate, compressOldDeflate:
		z, err := zlib.NewReader(bytes.NewReader(raw))
		if err != nil {
			return damaged("a block of the TIFF: %v", err)
		}
		defer z.Close()
		r = z
	case compressPackBits:
		return unpackBits(raw, out)
	default:
		return damaged("compression %d of TIFF is not known here", compression)
	}
	if _, err := io.ReadFull(r, out); err != nil {
		return damaged("a block of the TIFF: %v", err)
	}
	return nil
}

// unpackBits is the inverse of PackBits, TIFF 6.0, section 9.
func unpackBits(raw, out []byte) error {
	for len(out) > 0 {
		if len(raw) < 2 {
			return damaged("a block of the TIFF ends early")
		}
		n := int(int8(raw[0]))
		switch {
		case n >= 0:
			if len(raw) < n+2 || len(out) < n+1 {
				return damaged("a block of the TIFF ends early")
			}
			copy(out, raw[1:n+2])
			raw, out = raw[n+2:], out[n+1:]
		case n == -128:
			raw = raw[1:]
		default:
			if len(out) < 1-n {
				return damaged("a block of the TIFF is too long")
			}
			for k := range 1 - n {
				out[k] = raw[1]
			}
			raw, out = raw[2:], out[1-n:]
		}
	}
	return nil
}

// swapBytes turns the byte order of samples of the given width round.
func swapBytes(b []byte, width int) {
	if width < 2 {
		return
	}
	for i := 0; i+width <= len(b); i += width {
		for a, z := i, i+width-1; a < z; a, z = a+1, z-1 {
			b[a], b[z] = b[z], b[a]
		}
	}
}

// unpredict undoes the differencing of rows: horizontal (2) or, for floating
// point, bytewise (3), whose result is big-endian.
func (p *tiffPage) unpredict(b []byte, stride, perPixel int) {
	width := p.bits / 8
	if p.predictor < 2 || p.bits%8 != 0 {
		return
	}
	for row := b; len(row) >= stride; row = row[stride:] {
		if p.predictor == 3 {
			unpredictFloat(row[:stride], perPixel, width)
			continue
		}
		for i := perPixel * width; i+width <= stride; i += width {
			addSample(p.order, row[i:i+width], row[i-perPixel*width:])
		}
	}
}

// addSample adds the sample prev to the sample at b.
func addSample(order binary.ByteOrder, b, prev []byte) {
	switch len(b) {
	case 1:
		b[0] += prev[0]
	case 2:
		order.PutUint16(b, order.Uint16(b)+order.Uint16(prev))
	case 4:
		order.PutUint32(b, order.Uint32(b)+order.Uint32(prev))
	case 8:
		order.PutUint64(b, order.Uint64(b)+order.Uint64(prev))
	}
}

// unpredictFloat undoes the floating point predictor for one row.
func unpredictFloat(row []byte, perPixel, width int) {
	for i := perPixel; i < len(row); i++ {
		row[i] += row[i-perPixel]
	}
	n := len(row) / width
	tmp := make([]byte, len(row))
	for i := range n {
		for k := range width {
			tmp[i*width+k] = row[k*n+i]
		}
	}
	copy(row, tmp)
}

// jpegBlock decodes a block that is a JPEG stream of its own, whose tables may
// be kept once for the page.
func (p *tiffPage) jpegBlock(raw, out []byte, perPixel int) error {
	if t := p.jpegTables; len(t) > 4 && len(raw) > 2 {
		raw = append(append([]byte{}, t[:len(t)-2]...), raw[2:]...)
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil || p.bits != 8 {
		return damaged("a JPEG block of the TIFF: %v", err)
	}
	b := img.Bounds()
	stride := int(p.rowBytes(perPixel))
	for y := range min(p.tileH, b.Dy()) {
		for x := range min(p.tileW, b.Dx()) {
			jpegSamples(img, b.Min.X+x, b.Min.Y+y, out[y*stride+x*perPixel:][:perPixel], p.photometric == 2)
		}
	}
	return nil
}

// jpegSamples writes the samples of one pixel. A stream that TIFF calls RGB
// holds the three samples where JPEG expects luminance and colour.
func jpegSamples(img image.Image, x, y int, dst []byte, rgb bool) {
	if m, ok := img.(*image.YCbCr); ok && rgb && len(dst) == 3 {
		dst[0], dst[1], dst[2] = m.Y[m.YOffset(x, y)], m.Cb[m.COffset(x, y)], m.Cr[m.COffset(x, y)]
		return
	}
	r, g, b, _ := img.At(x, y).RGBA()
	for i := range dst {
		dst[i] = byte([]uint32{r, g, b, 0}[min(i, 3)] >> 8)
	}
}
