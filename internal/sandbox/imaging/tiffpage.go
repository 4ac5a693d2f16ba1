package imaging

import (
	"bytes"
	"math"
)

// newPage makes a page of a directory's tags. Everything it refers to is known
// to lie inside the file afterwards.
func newPage(tags map[int]*tagValue, d *ifdReader) (*tiffPage, error) {
	get := func(tag, def int) int { return one(tags[tag], d.order, def) }
	p := &tiffPage{
		order:          d.order,
		width:          get(tagImageWidth, 0),
		height:         get(tagImageLength, 0),
		samples:        get(tagSamplesPerPixel, 1),
		bits:           get(tagBitsPerSample, 1),
		format:         get(tagSampleFormat, 1),
		compression:    get(tagCompression, 1),
		photometric:    get(tagPhotometric, 1),
		planar:         get(tagPlanarConfig, 1),
		predictor:      get(tagPredictor, 1),
		fillOrder:      get(tagFillOrder, 1),
		reduced:        get(tagNewSubfileType, 0)&1 != 0,
		xRes:           tags[tagXResolution].rational(d.order),
		yRes:           tags[tagYResolution].rational(d.order),
		resolutionUnit: get(tagResolutionUnit, 2),
	}
	if v := tags[tagDescription]; v != nil {
		p.description = string(bytes.TrimRight(v.data, "\x00"))
	}
	if v := tags[tagJPEGTables]; v != nil {
		p.jpegTables = v.data
	}
	for _, b := range tags[tagBitsPerSample].ints(d.order) {
		if int(b) != p.bits {
			return nil, damaged("samples of %d and %d bits in one page", p.bits, b)
		}
	}
	if p.width < 1 || p.height < 1 || p.samples < 1 || p.samples > 1<<12 {
		return nil, damaged("a TIFF page of %dx%d with %d samples", p.width, p.height, p.samples)
	}
	if _, err := p.pixelType(); err != nil {
		return nil, err
	}
	p.layout(tags, get)
	p.offsets, p.counts = tags[tagStripOffsets].ints(d.order), tags[tagStripByteCounts].ints(d.order)
	if p.tiled {
		p.offsets, p.counts = tags[tagTileOffsets].ints(d.order), tags[tagTileByteCounts].ints(d.order)
		if p.offsets == nil { // some writers keep tiles under the names of strips
			p.offsets, p.counts = tags[tagStripOffsets].ints(d.order), tags[tagStripByteCounts].ints(d.order)
		}
	}
	return p, p.checkBlocks(d.size)
}

// layout finds the size of the blocks.
func (p *tiffPage) layout(tags map[int]*tagValue, get func(tag, def int) int) {
	if tags[tagTileWidth] != nil && tags[tagTileLength] != nil {
		p.tiled, p.tileW, p.tileH = true, get(tagTileWidth, 0), get(tagTileLength, 0)
		return
	}
	p.tileW, p.tileH = p.width, get(tagRowsPerStrip, p.height)
	if p.tileH < 1 || p.tileH > p.height {
		p.tileH = p.height
	}
}

// blocks returns the number of blocks across and down.
func (p *tiffPage) blocks() (across, down int) {
	return (p.width + p.tileW - 1) / p.tileW, (p.height + p.tileH - 1) / p.tileH
}

// rowBytes returns the bytes of one row of a block with n samples each pixel.
func (p *tiffPage) rowBytes(samples int) int64 {
	return (int64(p.tileW)*int64(samples)*int64(p.bits) + 7) / 8
}

// maxTileBytes bounds a tile; a small page with a giant tile is a fraud.
const maxTileBytes = 64 << 20

// checkBlocks tells whether all blocks are there and lie inside the file.
func (p *tiffPage) checkBlocks(size int64) error {
	if p.tileW < 1 || p.tileH < 1 || p.tileW > math.MaxInt32/2 || p.tileH > math.MaxInt32/2 {
		return damaged("tiles of %dx%d", p.tileW, p.tileH)
	}
	if p.tiled && p.rowBytes(p.samples)*int64(p.tileH) > maxTileBytes {
		return damaged("tiles of %dx%d", p.tileW, p.tileH)
	}
	across, down := p.blocks()
	want := int64(across) * int64(down)
	if p.planar == 2 {
		want *= int64(p.samples)
	}
	if int64(len(p.offsets)) < want {
		return damaged("%d of %d blocks of a TIFF page", len(p.offsets), want)
	}
	if len(p.counts) == 0 && p.compression == 1 {
		p.counts = make([]int64, want)
		for i := range p.counts {
			p.counts[i] = p.blockBytes(i)
		}
	}
	if int64(len(p.counts)) < want {
		return damaged("%d of %d block sizes of a TIFF page", len(p.counts), want)
	}
	p.offsets, p.counts = p.offsets[:want], p.counts[:want]
	for i, off := range p.offsets {
		n := p.counts[i]
		if off < 0 || n < 0 || off > size || n > size-off {
			return damaged("a block of the TIFF lies at bytes %d to %d of %d", off, off+n, size)
		}
		if p.compression == 1 && n < p.blockBytes(i) && n != 0 {
			return damaged("a block of the TIFF has %d of %d bytes", n, p.blockBytes(i))
		}
	}
	return nil
}

// blockBytes returns how many bytes block i has when it is not compressed. The
// last strip of a page may be short, a tile never is.
func (p *tiffPage) blockBytes(i int) int64 {
	samples := p.samples
	if p.planar == 2 {
		samples = 1
	}
	rows := p.tileH
	if !p.tiled {
		_, down := p.blocks()
		if i%down == down-1 {
			rows = p.height - (down-1)*p.tileH
		}
	}
	return int64(rows) * p.rowBytes(samples)
}

// pixelType returns the OME type of the page's samples once they are unpacked.
func (p *tiffPage) pixelType() (PixelType, error) {
	switch {
	case p.format == 3 && p.bits == 32:
		return Float, nil
	case p.format == 3 && p.bits == 64:
		return Double, nil
	case p.format == 2 && p.bits == 8:
		return Int8, nil
	case p.format == 2 && p.bits == 16:
		return Int16, nil
	case p.format == 2 && p.bits == 32:
		return Int32, nil
	case p.format == 3 || p.format == 2:
		return "", damaged("samples of %d bits in format %d", p.bits, p.format)
	case p.bits >= 1 && p.bits <= 8:
		return Uint8, nil
	case p.bits > 8 && p.bits <= 16:
		return Uint16, nil
	case p.bits == 32:
		return Uint32, nil
	}
	return "", damaged("samples of %d bits", p.bits)
}

// sameShape tells whether two pages may be planes of one image.
func (p *tiffPage) sameShape(q *tiffPage) bool {
	return p.width == q.width && p.height == q.height && p.samples == q.samples && p.bits == q.bits && p.format == q.format
}
