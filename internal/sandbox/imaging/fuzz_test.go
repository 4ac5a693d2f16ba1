package imaging

import (
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/metrics"
	"strings"
	"testing"
)

// companion is a document that describes the pages of x.ome.tif.
const companion = `<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">` +
	`<Plate ID="Plate:0" Name="P"><Well ID="Well:0" Row="1" Column="2"><WellSample ID="WellSample:0" Index="0"><ImageRef ID="Image:0"/></WellSample></Well></Plate>` +
	`<Image ID="Image:0" Name="n"><Description>d &amp; e</Description><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="8" SizeZ="2" SizeC="1" SizeT="1" PhysicalSizeX="0.5">` +
	`<Channel ID="Channel:0:0" SamplesPerPixel="1" Color="-1"/><TiffData FirstZ="0" IFD="0" PlaneCount="2"><UUID FileName="x.ome.tif">urn:uuid:2</UUID></TiffData></Pixels><ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:0"/></Image>` +
	`<StructuredAnnotations><MapAnnotation ID="Annotation:0"><Value><M K="a">1</M></Value></MapAnnotation></StructuredAnnotations>` +
	`<ROI ID="ROI:0"><Union><Mask ID="Shape:0" X="1" Y="1" Width="8" Height="1"><Transform A00="1" A10="0" A01="0" A11="1" A02="0" A12="0"/><BinData>/w==</BinData></Mask></Union></ROI></OME>`

func addTIFFs(f *testing.F, add func(data []byte)) {
	for _, deflate := range []bool{false, true} {
		data, err := OMETIFF("x.tif", []Picture{ramp("x", Uint8, 8, 8, 2, 1, 1)}, Options{Deflate: deflate})
		if err != nil {
			f.Fatal(err)
		}
		add(data)
	}
	for _, hyper := range []bool{false, true} {
		data, err := TIFF(ramp("x", Uint16, 4, 4, 2, 2, 2), hyper)
		if err != nil {
			f.Fatal(err)
		}
		add(data)
	}
	foreign, err := base64.StdEncoding.DecodeString(foreignTIFF)
	if err != nil {
		f.Fatal(err)
	}
	add(foreign)
}

// FuzzRead reads files as TIFF.
func FuzzRead(f *testing.F) {
	addTIFFs(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) { readAny(t, "x.tif", NamedFile{"x.tif", data}) })
}

// FuzzReadOMEXML reads documents that describe a TIFF beside them.
func FuzzReadOMEXML(f *testing.F) {
	tiff, err := OMETIFF("x.ome.tif", []Picture{ramp("x", Uint8, 8, 8, 2, 1, 1)}, Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, doc := range append(hostileOME(20), companion) {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		readAny(t, "x.companion.ome", NamedFile{"x.companion.ome", doc}, NamedFile{"x.ome.tif", tiff})
	})
}

// readAny reads a fileset and a plane of each series. It may fail with an
// error of a class only, and must not take more memory than the files explain.
func readAny(t *testing.T, main string, files ...NamedFile) {
	t.Helper()
	const perByte, always = 1 << 10, 128 << 20
	most := uint64(always)
	for _, f := range files {
		most += uint64(len(f.Data)) * perByte
	}
	before := allocatedBytes()
	set, err := Read(mem(files...), main)
	if n := allocatedBytes() - before; n > most {
		t.Errorf("reading allocated %d bytes", n)
	}
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrMissing) && !errors.Is(err, ErrUnknownFormat) {
			t.Errorf("an error of no class: %v", err)
		}
		return
	}
	for i := range set.Series[:min(len(set.Series), 4)] {
		s := &set.Series[i]
		if len(s.Channels) != s.SizeC {
			t.Errorf("%d channels of %d", len(s.Channels), s.SizeC)
		}
		if s.PlaneBytes() > 1<<20 {
			continue
		}
		for _, at := range [][3]int{{0, 0, 0}, {s.SizeZ - 1, s.SizeC - 1, s.SizeT - 1}} {
			b, err := set.Plane(i, at[0], at[1], at[2])
			if err == nil && int64(len(b)) != s.PlaneBytes() {
				t.Errorf("a plane of %d bytes has %d", s.PlaneBytes(), len(b))
			}
		}
	}
}

func allocatedBytes() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// hostileOME are documents whose few bytes ask for much: entities, nesting,
// attributes, channels, planes, and the same pages again and again.
func hostileOME(n int) []string {
	image := func(sizes, data string) string {
		return `<Image><Pixels DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="8" ` + sizes + `>` + data + `</Pixels></Image>`
	}
	ome := func(parts ...string) string { return "<OME>" + strings.Join(parts, "") + "</OME>" }
	page := `<TiffData IFD="0" PlaneCount="2"><UUID FileName="x.ome.tif">1</UUID></TiffData>`
	var attributes strings.Builder
	for i := range n {
		fmt.Fprintf(&attributes, ` a%d="x" xmlns:n%d="y"`, i, i)
	}
	return []string{
		`<!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><OME>&b;&b;</OME>`,
		ome(strings.Repeat("<a>", n), strings.Repeat("</a>", n)),
		ome(strings.Repeat("<a>", n)),
		"<OME " + strings.Repeat("x", n) + `="` + strings.Repeat("y", n) + `"/>`,
		"<OME" + attributes.String() + "><ROI><Union><Point" + attributes.String() + "/></Union></ROI></OME>",
		ome(strings.Repeat(image(`SizeZ="1" SizeC="16384" SizeT="1"`, page), n)),
		ome(strings.Repeat(image(`SizeZ="2" SizeC="1" SizeT="1000000000"`, page), n)),
		ome(image(`SizeZ="2" SizeC="1" SizeT="1"`, strings.Repeat(page, n))),
		ome(strings.Repeat(`<Image/>`, n)),
		ome(`<Plate><Well Row="2147483646" Column="2147483646"/></Plate>`, image(`SizeZ="2" SizeC="1" SizeT="1"`, page)),
	}
}

// TestHostileOMEXML reads such documents in sizes that a fuzzer does not reach.
func TestHostileOMEXML(t *testing.T) {
	tiff, err := OMETIFF("x.ome.tif", []Picture{ramp("x", Uint8, 8, 8, 2, 1, 1)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range hostileOME(20_000) {
		readAny(t, "x.companion.ome", NamedFile{"x.companion.ome", []byte(doc)}, NamedFile{"x.ome.tif", tiff})
	}
}

// TestTagsShareATable has directories that refer to the same large table.
func TestTagsShareATable(t *testing.T) {
	const table, pages = 1 << 20, 200
	le := func(n int, v int64) (b []byte) {
		for ; n > 0; n-- {
			b, v = append(b, byte(v)), v>>8
		}
		return b
	}
	file := append([]byte("II*\x00"), le(4, 8+table)...)
	file = append(file, make([]byte, table)...)
	for i := range pages {
		entry := func(tag, kind int, count, value int64) {
			file = append(append(append(append(file, le(2, int64(tag))...), le(2, int64(kind))...), le(4, count)...), le(4, value)...)
		}
		file = append(file, le(2, 6)...)
		entry(tagImageWidth, 4, 1, 1)
		entry(tagImageLength, 4, 1, table/4)
		entry(tagBitsPerSample, 4, 1, 8)
		entry(tagStripOffsets, 4, table/4, 8)
		entry(tagRowsPerStrip, 4, 1, 1)
		entry(tagStripByteCounts, 4, table/4, 8)
		next := int64(len(file) + 4)
		if i == pages-1 {
			next = 0
		}
		file = append(file, le(4, next)...)
	}
	if _, err := Read(mem(NamedFile{"x.tif", file}), "x.tif"); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	readAny(t, "x.tif", NamedFile{"x.tif", file})
}
