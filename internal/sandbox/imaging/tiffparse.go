package imaging

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// Tags of TIFF 6.0 that matter here.
const (
	tagNewSubfileType  = 254
	tagImageWidth      = 256
	tagImageLength     = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagDescription     = 270
	tagStripOffsets    = 273
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagXResolution     = 282
	tagYResolution     = 283
	tagPlanarConfig    = 284
	tagResolutionUnit  = 296
	tagPredictor       = 317
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagSampleFormat    = 339
	tagJPEGTables      = 347
)

const (
	maxPages    = 1 << 20
	maxTagBytes = 64 << 20
)

// tiffFile is the directory of a TIFF file.
type tiffFile struct {
	order binary.ByteOrder
	size  int64
	pages []*tiffPage
}

// tiffPage is one image file directory: where the samples of a page lie and
// how they are stored.
type tiffPage struct {
	order          binary.ByteOrder
	width, height  int
	samples, bits  int
	format         int // 1 unsigned, 2 signed, 3 floating point
	compression    int
	photometric    int
	planar         int // 1 samples together, 2 apart
	predictor      int
	fillOrder      int
	tileW, tileH   int // a strip is a tile of the full width
	tiled          bool
	offsets        []int64
	counts         []int64
	reduced        bool // a smaller copy of another page
	description    string
	jpegTables     []byte
	xRes, yRes     float64 // pixels per unit, 0 when unknown
	resolutionUnit int
}

// isTIFF tells whether a file that begins so is a TIFF or BigTIFF.
func isTIFF(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	switch string(head[:4]) {
	case "II*\x00", "MM\x00*", "II+\x00", "MM\x00+":
		return true
	}
	return false
}

// ifdReader reads directories of either width.
type ifdReader struct {
	r     io.ReaderAt
	size  int64
	order binary.ByteOrder
	big   bool
	read  int64 // bytes so far
}

// parseTIFF reads all directories of the main chain and checks that whatever
// they refer to lies inside the file.
func parseTIFF(r io.ReaderAt, size int64) (*tiffFile, error) {
	head := make([]byte, 16)
	if n, err := r.ReadAt(head, 0); err != nil && !(errors.Is(err, io.EOF) && n >= 8) {
		return nil, damaged("no TIFF header")
	}
	d := &ifdReader{r: r, size: size, order: binary.LittleEndian}
	if head[0] == 'M' {
		d.order = binary.BigEndian
	}
	var next int64
	if d.order.Uint16(head[2:]) == 43 {
		d.big = true
		next = int64(d.order.Uint64(head[8:]))
	} else {
		next = int64(d.order.Uint32(head[4:]))
	}
	t := &tiffFile{order: d.order, size: size}
	seen := map[int64]bool{}
	for next != 0 {
		if seen[next] || len(t.pages) >= maxPages {
			return nil, damaged("the directories of the TIFF form a circle")
		}
		seen[next] = true
		p, following, err := d.page(next)
		if err != nil {
			return nil, err
		}
		t.pages = append(t.pages, p)
		next = following
	}
	if len(t.pages) == 0 {
		return nil, damaged("a TIFF without a page")
	}
	return t, nil
}

// bytes reads n bytes at an offset that must lie inside the file.
func (d *ifdReader) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || n > maxTagBytes || off > d.size || n > d.size-off {
		return nil, damaged("the TIFF refers to byte %d of %d", off, d.size)
	}
	// Many directories can refer to the same large table.
	if d.read += n; d.read > 1<<20+2*d.size {
		return nil, damaged("the directories of the TIFF have more to them than the file")
	}
	b := make([]byte, n)
	if n == 0 {
		return b, nil
	}
	if _, err := d.r.ReadAt(b, off); err != nil {
		return nil, damaged("the TIFF ends at byte %d: %v", off, err)
	}
	return b, nil
}

// page reads the directory at off and tells where the next one is.
func (d *ifdReader) page(off int64) (*tiffPage, int64, error) {
	countBytes, entryBytes, nextBytes := int64(2), int64(12), int64(4)
	if d.big {
		countBytes, entryBytes, nextBytes = 8, 20, 8
	}
	b, err := d.bytes(off, countBytes)
	if err != nil {
		return nil, 0, err
	}
	n := int64(d.order.Uint16(b))
	if d.big {
		n = int64(d.order.Uint64(b))
	}
	if n < 0 || n > 4096 {
		return nil, 0, damaged("a TIFF directory of %d entries", n)
	}
	b, err = d.bytes(off+countBytes, n*entryBytes+nextBytes)
	if err != nil {
		return nil, 0, err
	}
	tags := map[int]*tagValue{}
	for i := range n {
		if err := d.entry(b[i*entryBytes:][:entryBytes], tags); err != nil {
			return nil, 0, err
		}
	}
	p, err := newPage(tags, d)
	if err != nil {
		return nil, 0, err
	}
	tail := b[n*entryBytes:]
	if d.big {
		return p, int64(d.order.Uint64(tail)), nil
	}
	return p, int64(d.order.Uint32(tail)), nil
}

// tagValue is the value of a tag as it stands in the file.
type tagValue struct {
	kind int
	data []byte
}

// kindBytes has the size of the TIFF field types.
var kindBytes = map[int]int64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// entry adds a directory entry to tags when its tag is one of ours.
func (d *ifdReader) entry(b []byte, tags map[int]*tagValue) error {
	tag, kind := int(d.order.Uint16(b)), int(d.order.Uint16(b[2:]))
	switch tag {
	case tagNewSubfileType, tagImageWidth, tagImageLength, tagBitsPerSample, tagCompression, tagPhotometric,
		tagFillOrder, tagDescription, tagStripOffsets, tagSamplesPerPixel, tagRowsPerStrip, tagStripByteCounts,
		tagXResolution, tagYResolution, tagPlanarConfig, tagResolutionUnit, tagPredictor, tagTileWidth,
		tagTileLength, tagTileOffsets, tagTileByteCounts, tagSampleFormat, tagJPEGTables:
	default:
		return nil
	}
	width := kindBytes[kind]
	if width == 0 {
		return nil
	}
	count, inline := int64(d.order.Uint32(b[4:])), b[8:12]
	if d.big {
		count, inline = int64(d.order.Uint64(b[4:])), b[12:20]
	}
	if count < 0 || count > maxTagBytes/width {
		return damaged("TIFF tag %d has %d values", tag, count)
	}
	n := count * width
	if n <= int64(len(inline)) {
		tags[tag] = &tagValue{kind, inline[:n]}
		return nil
	}
	off := int64(d.order.Uint32(inline))
	if d.big {
		off = int64(d.order.Uint64(inline))
	}
	data, err := d.bytes(off, n)
	if err != nil {
		return err
	}
	tags[tag] = &tagValue{kind, data}
	return nil
}

// ints returns the whole numbers of a value.
func (v *tagValue) ints(order binary.ByteOrder) []int64 {
	if v == nil {
		return nil
	}
	width := int(kindBytes[v.kind])
	out := make([]int64, 0, len(v.data)/width)
	for b := v.data; len(b) >= width; b = b[width:] {
		switch width {
		case 1:
			out = append(out, int64(b[0]))
		case 2:
			out = append(out, int64(order.Uint16(b)))
		case 4:
			out = append(out, int64(order.Uint32(b)))
		default:
			out = append(out, int64(order.Uint64(b)))
		}
	}
	return out
}

// rational returns the first value of a rational tag, 0 when there is none.
func (v *tagValue) rational(order binary.ByteOrder) float64 {
	if v == nil || v.kind != 5 || len(v.data) < 8 {
		return 0
	}
	num, den := order.Uint32(v.data), order.Uint32(v.data[4:])
	if den == 0 {
		return 0
	}
	return float64(num) / float64(den)
}

// one returns the first whole number of a tag or the default.
func one(v *tagValue, order binary.ByteOrder, def int) int {
	n := v.ints(order)
	if len(n) == 0 || n[0] < 0 || n[0] > math.MaxInt32 {
		return def
	}
	return int(n[0])
}
