package omeroview

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"omerods/internal/omero"
)

const tiffMediaType = "image/tiff"

// tiffImage is the layout of an OME-TIFF: a head with all directories, then the
// planes one after the other, uncompressed, so that its size and the place of
// every pixel are known before any pixel is. It is a classic TIFF, or a
// BigTIFF where that cannot hold the image.
type tiffImage struct {
	p      *omero.Pixels
	sample sampleType
	text   []byte // the OME-XML, with a zero at the end
	big    bool
	head   int64 // bytes before the first plane; 0 when there is no form for the image
	plane  int64 // bytes of one plane
	planes int64
}

// sampleType is how TIFF and the server see one kind of pixel.
type sampleType struct {
	bytes  int
	format uint16 // 1 unsigned, 2 signed, 3 floating point
}

var sampleTypes = map[string]sampleType{
	"int8": {1, 2}, "uint8": {1, 1}, "int16": {2, 2}, "uint16": {2, 1}, "int32": {4, 2}, "uint32": {4, 1},
	"float": {4, 3}, "double": {8, 3},
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

const maxClassicTIFF = 1<<32 - 1

// newTIFF lays out the OME-TIFF of an image. An image whose pixels TIFF has no
// form for gives a layout of size 0, which cannot be opened.
func newTIFF(im omero.Image, p *omero.Pixels) *tiffImage {
	t := &tiffImage{p: p}
	if p == nil {
		return t
	}
	sample, ok := sampleTypes[p.Type]
	if !ok || p.SizeX <= 0 || p.SizeY <= 0 || p.SizeZ <= 0 || p.SizeC <= 0 || p.SizeT <= 0 {
		return t
	}
	t.sample = sample
	t.plane = int64(p.SizeX) * int64(p.SizeY) * int64(sample.bytes)
	t.planes = int64(p.SizeZ) * int64(p.SizeC) * int64(p.SizeT)
	t.text = append([]byte(omeXML(im, p)), 0)
	if t.head = t.headBytes(); t.size() > maxClassicTIFF {
		t.big = true
		t.head = t.headBytes()
	}
	return t
}

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
func (t *tiffImage) firstDirectory() int64 {
	header := int64(8)
	if t.big {
		header = 16
	}
	return header + int64(len(t.text)+len(t.text)%2)
}

// headBytes is the size of the head, filled up to a multiple of 16.
func (t *tiffImage) headBytes() int64 {
	field, rest := int64(12), int64(2+4)
	if t.big {
		field, rest = 20, 8+8
	}
	n := t.firstDirectory() + t.planes*(rest+fieldsPerPlane*field) + field
	return (n + 15) / 16 * 16
}

// tiffField is an entry of a directory; the value is of count 1 unless it is
// text.
type tiffField struct {
	tag, kind uint16
	value     uint64
	text      []byte
}

// layout writes the head. Numbers are big-endian, like the pixels that the
// server sends.
func (t *tiffImage) layout() []byte {
	w := &tiffWriter{big: t.big}
	w.header(uint64(t.firstDirectory()))
	textAt := uint64(w.buf.Len())
	w.buf.Write(t.text)
	if len(t.text)%2 == 1 {
		w.buf.WriteByte(0)
	}
	for i := range t.planes {
		var text []byte
		if i == 0 {
			text = t.text
		}
		w.directory(t.fields(uint64(t.head+i*t.plane), text), textAt, i == t.planes-1)
	}
	w.buf.Write(make([]byte, t.head-int64(w.buf.Len())))
	return w.buf.Bytes()
}

func (t *tiffImage) fields(offset uint64, text []byte) []tiffField {
	size := uint16(tiffLong)
	if t.big {
		size = tiffLong8
	}
	all := []tiffField{
		{tag: tagWidth, kind: tiffLong, value: uint64(t.p.SizeX)},
		{tag: tagHeight, kind: tiffLong, value: uint64(t.p.SizeY)},
		{tag: tagBits, kind: tiffShort, value: uint64(t.sample.bytes * 8)},
		{tag: tagCompression, kind: tiffShort, value: 1}, // none
		{tag: tagPhotometric, kind: tiffShort, value: 1}, // zero is black
	}
	if text != nil {
		all = append(all, tiffField{tag: tagDescription, kind: tiffASCII, text: text})
	}
	return append(all,
		tiffField{tag: tagOffsets, kind: size, value: offset},
		tiffField{tag: tagSamples, kind: tiffShort, value: 1},
		tiffField{tag: tagRowsPerStrip, kind: tiffLong, value: uint64(t.p.SizeY)},
		tiffField{tag: tagByteCounts, kind: size, value: uint64(t.plane)},
		tiffField{tag: tagSampleFormat, kind: tiffShort, value: uint64(t.sample.format)})
}

type tiffWriter struct {
	buf bytes.Buffer
	big bool
}

func (w *tiffWriter) u16(v uint16) { w.buf.Write(binary.BigEndian.AppendUint16(nil, v)) }
func (w *tiffWriter) u32(v uint32) { w.buf.Write(binary.BigEndian.AppendUint32(nil, v)) }
func (w *tiffWriter) u64(v uint64) { w.buf.Write(binary.BigEndian.AppendUint64(nil, v)) }

// size writes an offset or a count.
func (w *tiffWriter) size(v uint64) {
	if w.big {
		w.u64(v)
	} else {
		w.u32(uint32(v))
	}
}

func (w *tiffWriter) header(first uint64) {
	w.buf.WriteString("MM")
	if w.big {
		w.u16(43)
		w.u16(8)
		w.u16(0)
	} else {
		w.u16(42)
	}
	w.size(first)
}

// directory writes one directory; the next one follows right behind it.
func (w *tiffWriter) directory(fields []tiffField, textAt uint64, last bool) {
	if w.big {
		w.u64(uint64(len(fields)))
	} else {
		w.u16(uint16(len(fields)))
	}
	for _, f := range fields {
		w.u16(f.tag)
		w.u16(f.kind)
		if f.text != nil {
			w.size(uint64(len(f.text)))
			w.size(textAt)
			continue
		}
		w.size(1)
		w.value(f)
	}
	next := uint64(w.buf.Len()) + 4
	if w.big {
		next += 4
	}
	if last {
		next = 0
	}
	w.size(next)
}

// value writes a single value at the left end of its place.
func (w *tiffWriter) value(f tiffField) {
	start := w.buf.Len()
	switch f.kind {
	case tiffShort:
		w.u16(uint16(f.value))
	case tiffLong:
		w.u32(uint32(f.value))
	default:
		w.u64(f.value)
	}
	want := 4
	if w.big {
		want = 8
	}
	w.buf.Write(make([]byte, want-(w.buf.Len()-start)))
}

// omeXML describes the image inside the file, as readers of OME-TIFF expect.
func omeXML(im omero.Image, p *omero.Pixels) string {
	order := planeOrder(p)
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	b.WriteString(`<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 ` +
		`http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd">`)
	fmt.Fprintf(&b, `<Image ID="Image:0" Name="%s"><Pixels ID="Pixels:0" DimensionOrder="%s" Type="%s" BigEndian="true"`,
		escape(im.Name), order, p.Type)
	fmt.Fprintf(&b, ` SizeX="%d" SizeY="%d" SizeZ="%d" SizeC="%d" SizeT="%d"`, p.SizeX, p.SizeY, p.SizeZ, p.SizeC, p.SizeT)
	for _, q := range []struct {
		axis string
		size *omero.Quantity
	}{{"X", p.PhysicalX}, {"Y", p.PhysicalY}, {"Z", p.PhysicalZ}} {
		if q.size != nil && q.size.Value > 0 {
			fmt.Fprintf(&b, ` PhysicalSize%s="%s" PhysicalSize%sUnit="%s"`, q.axis,
				strconv.FormatFloat(q.size.Value, 'g', -1, 64), q.axis, escape(q.size.Unit))
		}
	}
	if q := p.TimeIncrement; q != nil {
		fmt.Fprintf(&b, ` TimeIncrement="%s" TimeIncrementUnit="%s"`, strconv.FormatFloat(q.Value, 'g', -1, 64), escape(q.Unit))
	}
	b.WriteString(">")
	for i := range p.SizeC {
		fmt.Fprintf(&b, `<Channel ID="Channel:0:%d" SamplesPerPixel="1"`, i)
		if i < len(p.Channels) {
			if name := p.Channels[i].Name; name != "" {
				fmt.Fprintf(&b, ` Name="%s"`, escape(name))
			}
			if color := p.Channels[i].Color(); color != nil {
				fmt.Fprintf(&b, ` Color="%d"`, *color)
			}
		}
		b.WriteString("/>")
	}
	fmt.Fprintf(&b, `<TiffData IFD="0" PlaneCount="%d"/></Pixels></Image></OME>`, p.SizeZ*p.SizeC*p.SizeT)
	return b.String()
}

// planeOrder is the order in which the planes are stored.
func planeOrder(p *omero.Pixels) string {
	switch p.Order {
	case "XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC":
		return p.Order
	}
	return "XYZCT"
}

// escape makes text fit for an attribute; what XML cannot hold is replaced.
func escape(s string) string {
	var b bytes.Buffer
	// Writing into memory does not fail.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// coordinates says which plane of the image the n-th one of the file is.
func (t *tiffImage) coordinates(n int64) (z, ch, frame int) {
	order := planeOrder(t.p)
	at := make(map[byte]int64, 3)
	sizes := map[byte]int64{'Z': int64(t.p.SizeZ), 'C': int64(t.p.SizeC), 'T': int64(t.p.SizeT)}
	for _, axis := range []byte(order[2:]) {
		size := max(sizes[axis], 1)
		at[axis] = n % size
		n /= size
	}
	return int(at['Z']), int(at['C']), int(at['T'])
}
