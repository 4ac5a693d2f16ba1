package imaging

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"path"
)

// Picture is an image to be written.
type Picture struct {
	Series
	// Plane returns the samples of a plane as Fileset.Plane does.
	Plane func(z, c, t int) []byte
}

// Part is one file of a set that several files hold together.
type Part struct {
	Name string // relative to the set
	// Holds tells whether the file has a plane; each plane needs exactly one
	// file.
	Holds func(picture, z, c, t int) bool
}

// NamedFile is a written file.
type NamedFile struct {
	Name string
	Data []byte
}

// Options are how files are written.
type Options struct {
	Deflate bool
	// Companion, when not empty, is the name of an own file for the metadata;
	// it comes first in the set.
	Companion string
	// Describe, when not nil, changes the OME-XML before it is written.
	Describe func(doc string) string
}

// OMETIFF writes pictures into one OME-TIFF of the given name.
func OMETIFF(name string, pictures []Picture, o Options) ([]byte, error) {
	all := Part{Name: name, Holds: func(int, int, int, int) bool { return true }}
	files, err := OMETIFFSet(pictures, []Part{all}, o)
	if err != nil {
		return nil, err
	}
	return files[len(files)-1].Data, nil
}

// planeAt names a plane of a set.
type planeAt struct{ picture, z, c, t int }

// eachPlane calls fn for the planes of pictures in the order in which files have
// them.
func eachPlane(pictures []Picture, fn func(planeAt) error) error {
	for i := range pictures {
		p := &pictures[i].Series
		if err := p.Check(); err != nil {
			return fmt.Errorf("picture %d: %w", i, err)
		}
		for t := range p.SizeT {
			for c := range p.SizeC {
				for z := range p.SizeZ {
					if err := fn(planeAt{i, z, c, t}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// OMETIFFSet writes pictures into several OME-TIFF files that know each other
// by UUIDs. The same input gives the same bytes.
func OMETIFFSet(pictures []Picture, parts []Part, o Options) ([]NamedFile, error) {
	held := make([][]planeAt, len(parts))
	err := eachPlane(pictures, func(at planeAt) error {
		owner := -1
		for k, part := range parts {
			if part.Holds(at.picture, at.z, at.c, at.t) {
				owner = k
			}
		}
		if owner < 0 {
			return fmt.Errorf("picture %d: no file has plane z=%d c=%d t=%d", at.picture, at.z, at.c, at.t)
		}
		held[owner] = append(held[owner], at)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []NamedFile
	doc := omeWriter{pictures: pictures, parts: parts, held: held}
	full := doc.full
	if o.Describe != nil {
		full = func(name string) string { return o.Describe(doc.full(name)) }
	}
	if o.Companion != "" {
		out = append(out, NamedFile{o.Companion, []byte(full(o.Companion))})
	}
	for k, part := range parts {
		description := full(part.Name)
		if o.Companion != "" {
			description = doc.binaryOnly(part.Name, o.Companion)
		}
		var pages []tiffImage
		for _, at := range held[k] {
			p := &pictures[at.picture]
			pages = append(pages, tiffImage{series: &p.Series, data: p.Plane(at.z, at.c, at.t)})
		}
		data, err := encodeTIFF(pages, description, o.Deflate)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.Name, err)
		}
		out = append(out, NamedFile{part.Name, data})
	}
	return out, nil
}

// TIFF writes the planes of a picture as the pages of a plain TIFF, with the
// note by which ImageJ knows channels, sections and time points.
func TIFF(p Picture, deflate bool) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	note := fmt.Sprintf("ImageJ=1.54f\nimages=%d\nchannels=%d\nslices=%d\nframes=%d\nhyperstack=true\nmode=composite\n",
		p.SizeZ*p.SizeC*p.SizeT, p.SizeC, p.SizeZ, p.SizeT)
	var pages []tiffImage
	for t := range p.SizeT {
		for z := range p.SizeZ {
			for c := range p.SizeC {
				pages = append(pages, tiffImage{series: &p.Series, data: p.Plane(z, c, t)})
			}
		}
	}
	return encodeTIFF(pages, note, deflate)
}

// fileUUID returns a UUID that depends on the name only.
func fileUUID(name string) string {
	h := sha1.Sum([]byte("omerods file " + path.Clean(name)))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// tiffImage is a page to be written.
type tiffImage struct {
	series *Series
	data   []byte
}

// encodeTIFF writes a classic big-endian TIFF of grey pages with one strip
// each; the description goes to the first page.
func encodeTIFF(pages []tiffImage, description string, deflate bool) ([]byte, error) {
	if len(pages) == 0 {
		return nil, fmt.Errorf("a TIFF needs a page")
	}
	out := bytes.NewBufferString("MM\x00*\x00\x00\x00\x00")
	link := 4 // where the offset of the next directory belongs
	for i, p := range pages {
		if int64(len(p.data)) != p.series.PlaneBytes() {
			return nil, fmt.Errorf("a plane of %d bytes, want %d", len(p.data), p.series.PlaneBytes())
		}
		strip, compression := p.data, compressNone
		if deflate {
			compression = compressDeflate
			var z bytes.Buffer
			w := zlib.NewWriter(&z)
			w.Write(p.data) // a Buffer takes everything
			w.Close()
			strip = z.Bytes()
		}
		d := directory{}
		d.add(tagNewSubfileType, 4, 0)
		d.add(tagImageWidth, 4, p.series.SizeX)
		d.add(tagImageLength, 4, p.series.SizeY)
		d.add(tagBitsPerSample, 3, 8*p.series.Type.Bytes())
		d.add(tagCompression, 3, compression)
		d.add(tagPhotometric, 3, 1)
		if i == 0 && description != "" {
			text := append([]byte(description), 0)
			d.addAt(tagDescription, 2, len(text), place(out, text))
		}
		d.addAt(tagStripOffsets, 4, 1, place(out, strip))
		d.add(tagSamplesPerPixel, 3, 1)
		d.add(tagRowsPerStrip, 4, p.series.SizeY)
		d.add(tagStripByteCounts, 4, len(strip))
		d.add(tagPlanarConfig, 3, 1)
		d.add(tagSampleFormat, 3, sampleFormat(p.series.Type))
		if int64(out.Len()) > 1<<32-1<<16 {
			return nil, fmt.Errorf("a classic TIFF ends at 4 GiB")
		}
		at := place(out, d.bytes())
		binary.BigEndian.PutUint32(out.Bytes()[link:], uint32(at))
		link = at + 2 + 12*len(d.entries)
	}
	return out.Bytes(), nil
}

// place appends a block at an even offset and returns that offset.
func place(out *bytes.Buffer, block []byte) int {
	if out.Len()%2 == 1 {
		out.WriteByte(0)
	}
	at := out.Len()
	out.Write(block)
	return at
}

// directory collects entries in rising order of their tags.
type directory struct{ entries [][12]byte }

// add adds a single value of type SHORT (3) or LONG (4).
func (d *directory) add(tag, kind, value int) {
	if kind == 3 {
		value <<= 16 // a short value stands at the left of its field
	}
	d.addAt(tag, kind, 1, value)
}

// addAt adds an entry whose field holds the given number.
func (d *directory) addAt(tag, kind, count, field int) {
	var e [12]byte
	binary.BigEndian.PutUint16(e[0:], uint16(tag))
	binary.BigEndian.PutUint16(e[2:], uint16(kind))
	binary.BigEndian.PutUint32(e[4:], uint32(count))
	binary.BigEndian.PutUint32(e[8:], uint32(field))
	d.entries = append(d.entries, e)
}

// bytes returns the directory with an open link to the next one.
func (d *directory) bytes() []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(d.entries)))
	for _, e := range d.entries {
		out = append(out, e[:]...)
	}
	return append(out, 0, 0, 0, 0)
}

// sampleFormat returns TIFF's number for a type of samples.
func sampleFormat(t PixelType) int {
	switch t {
	case Int8, Int16, Int32:
		return 2
	case Float, Double:
		return 3
	}
	return 1
}
