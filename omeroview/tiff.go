package omeroview

import (
	"bytes"
	"encoding/binary"

	"omerods/internal/omero"
)

const tiffMediaType = "image/tiff"

// tiffImage is the layout of an OME-TIFF: a head with all directories, then the
// planes one after the other, uncompressed, so that its size and the place of
// every byte are known before any pixel is. It is a classic TIFF, or a BigTIFF
// where that cannot hold the image. A large plane is in several strips, because
// readers take one whole.
type tiffImage struct {
	p      *omero.Pixels
	sample sampleType
	text   []byte // the OME-XML, with a zero at the end
	big    bool
	head   int64 // bytes before the first plane; 0 when there is no form for the image
	plane  int64 // bytes of one plane
	planes int64
	rows   int64 // of each strip but the last
	strips int64 // of each plane
}

// sampleType is how TIFF and the server see one kind of pixel.
type sampleType struct {
	bytes  int
	format uint16 // 1 unsigned, 2 signed, 3 floating point, 6 complex floating point
}

// sampleTypes has all pixel types of OMERO but "bit", of which RawPixelsStore
// gives no samples: it counts in whole bytes.
var sampleTypes = map[string]sampleType{
	"int8": {1, 2}, "uint8": {1, 1}, "int16": {2, 2}, "uint16": {2, 1}, "int32": {4, 2}, "uint32": {4, 1},
	"float": {4, 3}, "double": {8, 3}, "complex": {8, 6}, "double-complex": {16, 6},
}

// Field types and tags of TIFF 6.0 and BigTIFF.
const (
	tiffASCII = 2
	tiffShort = 3
	tiffLong  = 4
	tiffLong8 = 16

	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagDescription  = 270
	tagOffsets      = 273
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagByteCounts   = 279
	tagSampleFormat = 339
)

const (
	maxClassicTIFF = 1<<32 - 1
	maxTIFF        = 1 << 60
	// stripBytes is about the size of a strip, maxStrips how many a plane has
	// at most: beyond that they become larger.
	stripBytes = 1 << 20
	maxStrips  = 4096
	// tiffAlign is what directories and planes begin at a multiple of.
	tiffAlign = 16
)

// newTIFF lays out the OME-TIFF of an image. An image whose pixels TIFF has no
// form for gives a layout of size 0, which cannot be opened.
func newTIFF(im omero.Image, p *omero.Pixels) *tiffImage {
	t := &tiffImage{p: p}
	if p == nil {
		return t
	}
	sample, ok := sampleTypes[p.Type]
	if !ok || p.SizeX <= 0 || p.SizeY <= 0 || p.SizeZ <= 0 || p.SizeC <= 0 || p.SizeT <= 0 ||
		float64(p.SizeX)*float64(p.SizeY)*float64(p.SizeZ)*float64(p.SizeC)*float64(p.SizeT)*float64(sample.bytes) > maxTIFF {
		return t
	}
	t.sample = sample
	rowBytes := int64(p.SizeX) * int64(sample.bytes)
	t.plane = rowBytes * int64(p.SizeY)
	t.planes = int64(p.SizeZ) * int64(p.SizeC) * int64(p.SizeT)
	t.rows = min(max(stripBytes/rowBytes, ceil(int64(p.SizeY), maxStrips)), int64(p.SizeY))
	t.strips = ceil(int64(p.SizeY), t.rows)
	t.text = append([]byte(omeXML(im, p)), 0)
	if t.head = t.headBytes(); t.size() > maxClassicTIFF {
		t.big = true
		t.head = t.headBytes()
	}
	return t
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

func (t *tiffImage) size() int64 {
	if t.head == 0 {
		return 0
	}
	return t.head + t.plane*t.planes
}

// fieldsPerPlane is the number of entries of a directory; the first one has
// the description besides.
const fieldsPerPlane = 10

// firstDirectory is where the first directory begins: behind the description.
func (t *tiffImage) firstDirectory() int64 { return aligned(t.textAt() + int64(len(t.text))) }

// textAt is where the description is: behind the header.
func (t *tiffImage) textAt() int64 {
	if t.big {
		return 16
	}
	return 8
}

func aligned(n int64) int64 { return ceil(n, tiffAlign) * tiffAlign }

// fieldBytes is the size of a directory of n entries.
func (t *tiffImage) fieldBytes(n int64) int64 {
	if t.big {
		return 8 + n*20 + 8
	}
	return 2 + n*12 + 4
}

// directoryBytes is the size of a directory with the tables of its strips. All
// but the first are alike, so that each is found without the ones before it.
func (t *tiffImage) directoryBytes(first bool) int64 {
	n := int64(fieldsPerPlane)
	if first {
		n++
	}
	return aligned(t.fieldBytes(n) + 2*t.tableBytes())
}

// tableBytes is the size of the table of the places of strips, and of that of
// their sizes. A single strip stands in the directory itself.
func (t *tiffImage) tableBytes() int64 {
	switch {
	case t.strips == 1:
		return 0
	case t.big:
		return 8 * t.strips
	}
	return 4 * t.strips
}

func (t *tiffImage) headBytes() int64 {
	return t.firstDirectory() + t.directoryBytes(true) + (t.planes-1)*t.directoryBytes(false)
}

// directoryAt is where the directory of a plane begins.
func (t *tiffImage) directoryAt(plane int64) int64 {
	at := t.firstDirectory()
	if plane > 0 {
		at += t.directoryBytes(true) + (plane-1)*t.directoryBytes(false)
	}
	return at
}

// readHead copies some of the head from off on, which lies in it. An image of
// very many planes has a head too large to be held.
func (t *tiffImage) readHead(p []byte, off int64) int {
	first := t.firstDirectory()
	if off < first {
		return copy(p, t.start()[off:])
	}
	plane := int64(0)
	if rest := off - first - t.directoryBytes(true); rest >= 0 {
		plane = 1 + rest/t.directoryBytes(false)
	}
	return copy(p, t.directory(plane)[off-t.directoryAt(plane):])
}

// start is what comes before the first directory. Numbers are big-endian, like
// the pixels that the server sends.
func (t *tiffImage) start() []byte {
	w := tiffWriter{big: t.big}
	w.buf.WriteString("MM")
	if t.big {
		w.u16(43)
		w.u16(8) // bytes of an offset
		w.u16(0)
	} else {
		w.u16(42)
	}
	w.size(t.firstDirectory())
	w.buf.Write(t.text)
	return w.padded(t.firstDirectory())
}

// tiffField is an entry of a directory.
type tiffField struct {
	tag, kind    uint16
	count, value int64 // the value, or where the values are
}

// directory writes that of a plane with its tables.
func (t *tiffImage) directory(plane int64) []byte {
	fields := t.fields(plane)
	w := tiffWriter{big: t.big}
	if t.big {
		w.u64(uint64(len(fields)))
	} else {
		w.u16(uint16(len(fields)))
	}
	for _, f := range fields {
		w.u16(f.tag)
		w.u16(f.kind)
		w.size(f.count)
		w.value(f)
	}
	if plane == t.planes-1 {
		w.size(0)
	} else {
		w.size(t.directoryAt(plane + 1))
	}
	if t.strips > 1 {
		for i := range t.strips {
			w.size(t.head + plane*t.plane + i*t.stripBytes(0))
		}
		for i := range t.strips {
			w.size(t.stripBytes(i))
		}
	}
	return w.padded(t.directoryBytes(plane == 0))
}

// stripBytes is the size of the i-th strip of a plane.
func (t *tiffImage) stripBytes(i int64) int64 {
	rows := min(t.rows, int64(t.p.SizeY)-i*t.rows)
	return rows * int64(t.p.SizeX) * int64(t.sample.bytes)
}

func (t *tiffImage) fields(plane int64) []tiffField {
	size := uint16(tiffLong)
	if t.big {
		size = tiffLong8
	}
	all := []tiffField{
		{tagWidth, tiffLong, 1, int64(t.p.SizeX)},
		{tagHeight, tiffLong, 1, int64(t.p.SizeY)},
		{tagBits, tiffShort, 1, int64(t.sample.bytes * 8)},
		{tagCompression, tiffShort, 1, 1}, // none
		{tagPhotometric, tiffShort, 1, 1}, // zero is black
	}
	fields := int64(fieldsPerPlane)
	if plane == 0 {
		fields++
		all = append(all, tiffField{tagDescription, tiffASCII, int64(len(t.text)), t.textAt()})
	}
	offsets, counts := t.head+plane*t.plane, t.plane
	if t.strips > 1 {
		offsets = t.directoryAt(plane) + t.fieldBytes(fields)
		counts = offsets + t.tableBytes()
	}
	return append(all,
		tiffField{tagOffsets, size, t.strips, offsets},
		tiffField{tagSamples, tiffShort, 1, 1},
		tiffField{tagRowsPerStrip, tiffLong, 1, t.rows},
		tiffField{tagByteCounts, size, t.strips, counts},
		tiffField{tagSampleFormat, tiffShort, 1, int64(t.sample.format)})
}

type tiffWriter struct {
	buf bytes.Buffer
	big bool
}

func (w *tiffWriter) u16(v uint16) { w.buf.Write(binary.BigEndian.AppendUint16(nil, v)) }
func (w *tiffWriter) u32(v uint32) { w.buf.Write(binary.BigEndian.AppendUint32(nil, v)) }
func (w *tiffWriter) u64(v uint64) { w.buf.Write(binary.BigEndian.AppendUint64(nil, v)) }

// size writes an offset or a count.
func (w *tiffWriter) size(v int64) {
	if w.big {
		w.u64(uint64(v))
	} else {
		w.u32(uint32(v))
	}
}

// value writes a single value at the left end of its place, or where several
// are.
func (w *tiffWriter) value(f tiffField) {
	if f.count > 1 {
		w.size(f.value)
		return
	}
	start := w.buf.Len()
	switch f.kind {
	case tiffShort:
		w.u16(uint16(f.value))
	case tiffLong:
		w.u32(uint32(f.value))
	default:
		w.u64(uint64(f.value))
	}
	want := 4
	if w.big {
		want = 8
	}
	w.buf.Write(make([]byte, want-(w.buf.Len()-start)))
}

// padded returns what was written, filled up to n bytes.
func (w *tiffWriter) padded(n int64) []byte {
	return append(w.buf.Bytes(), make([]byte, n-int64(w.buf.Len()))...)
}

// coordinates says which plane of the image the n-th one of the file is.
func (t *tiffImage) coordinates(n int64) (z, ch, frame int) {
	at := make(map[byte]int64, 3)
	sizes := map[byte]int64{'Z': int64(t.p.SizeZ), 'C': int64(t.p.SizeC), 'T': int64(t.p.SizeT)}
	for _, axis := range []byte(planeOrder(t.p)[2:]) {
		at[axis] = n % sizes[axis]
		n /= sizes[axis]
	}
	return int(at['Z']), int(at['C']), int(at['T'])
}
