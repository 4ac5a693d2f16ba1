package imaging

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/image/tiff"
)

// mem makes a filesystem of files in memory. fstest's files can be read at an
// offset.
func mem(files ...NamedFile) fs.FS {
	m := fstest.MapFS{}
	for _, f := range files {
		m[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return m
}

// ramp is a picture whose samples are all different from plane to plane.
func ramp(name string, t PixelType, x, y, z, c, n int) Picture {
	s := Series{Name: name, SizeX: x, SizeY: y, SizeZ: z, SizeC: c, SizeT: n, Type: t}
	return Picture{Series: s, Plane: func(z, c, n int) []byte {
		out := make([]byte, s.PlaneBytes())
		for i := range out {
			out[i] = byte(i*3 + 50*z + 90*c + 7*n + len(name))
		}
		return out
	}}
}

func samePlanes(t *testing.T, f *Fileset, series int, p Picture) {
	t.Helper()
	for ti := range p.SizeT {
		for c := range p.SizeC {
			for z := range p.SizeZ {
				got, err := f.Plane(series, z, c, ti)
				if err != nil {
					t.Fatalf("plane %d/%d/%d: %v", z, c, ti, err)
				}
				if !bytes.Equal(got, p.Plane(z, c, ti)) {
					t.Errorf("series %d: plane z=%d c=%d t=%d differs", series, z, c, ti)
				}
			}
		}
	}
}

func TestOMETIFFRoundTrip(t *testing.T) {
	when := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, deflate := range []bool{false, true} {
		var pictures []Picture
		for i, pt := range []PixelType{Int8, Uint8, Int16, Uint16, Int32, Uint32, Float, Double} {
			p := ramp(fmt.Sprintf("Übersicht <%d> \"µ\" & 細胞", i), pt, 33, 17, 2, 3, 2)
			p.Description = "line one\nline two"
			p.Acquired = when
			p.PhysicalSizeX, p.PhysicalSizeY = Length{0.25, "MICROMETER"}, Length{250, "NANOMETER"}
			p.Channels = []Channel{{Name: "DAPI", Color: &Color{0, 0, 255, 255}, Emission: Length{461, "NANOMETER"}}, {Name: "grün"}, {}}
			pictures = append(pictures, p)
		}
		data, err := OMETIFF("a.ome.tif", pictures, Options{Deflate: deflate})
		if err != nil {
			t.Fatal(err)
		}
		// The file keeps its meaning under another name.
		f, err := Read(mem(NamedFile{"other name.tif", data}), "other name.tif")
		if err != nil {
			t.Fatal(err)
		}
		if f.Format != "OMETiff" || len(f.Series) != len(pictures) || !reflect.DeepEqual(f.Files, []string{"other name.tif"}) {
			t.Fatalf("got %s with %d series in %q", f.Format, len(f.Series), f.Files)
		}
		for i, p := range pictures {
			s := f.Series[i]
			if s.Name != p.Name || s.Type != p.Type || s.Description != p.Description || !s.Acquired.Equal(when) {
				t.Errorf("series %d: got %q %s %q %s", i, s.Name, s.Type, s.Description, s.Acquired)
			}
			if s.PhysicalSizeX != p.PhysicalSizeX || s.PhysicalSizeY != p.PhysicalSizeY || s.PhysicalSizeZ.Unit != "" {
				t.Errorf("series %d: physical sizes %v %v %v", i, s.PhysicalSizeX, s.PhysicalSizeY, s.PhysicalSizeZ)
			}
			if !reflect.DeepEqual(s.Channels, p.Channels) {
				t.Errorf("series %d: channels %+v, want %+v", i, s.Channels, p.Channels)
			}
			samePlanes(t, f, i, p)
		}
	}
}

func TestOtherReaderOpensOurTIFF(t *testing.T) {
	p := ramp("x", Uint16, 40, 30, 1, 1, 1)
	ome, err := OMETIFF("x.ome.tif", []Picture{p}, Options{Deflate: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := TIFF(p, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{ome, plain} {
		img, err := tiff.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		want := p.Plane(0, 0, 0)
		for y := range 30 {
			for x := range 40 {
				got := img.At(x, y).(color.Gray16).Y
				if w := binary.BigEndian.Uint16(want[2*(y*40+x):]); got != w {
					t.Fatalf("pixel %d,%d: got %d, want %d", x, y, got, w)
				}
			}
		}
	}
}

func TestWritingIsDeterministic(t *testing.T) {
	p := []Picture{ramp("x", Uint8, 8, 8, 2, 1, 1)}
	a, _ := OMETIFF("x", p, Options{Deflate: true})
	b, _ := OMETIFF("x", p, Options{Deflate: true})
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("the same picture gave other bytes")
	}
}

func set(t *testing.T, companion string) ([]NamedFile, Picture) {
	t.Helper()
	p := ramp("set", Uint16, 20, 10, 2, 2, 3)
	var parts []Part
	for c := range 2 {
		parts = append(parts, Part{fmt.Sprintf("c%d.ome.tif", c), func(_, _, at, _ int) bool { return at == c }})
	}
	files, err := OMETIFFSet([]Picture{p}, parts, Options{Companion: companion})
	if err != nil {
		t.Fatal(err)
	}
	return files, p
}

func TestSetsOfFiles(t *testing.T) {
	for _, companion := range []string{"", "s.companion.ome"} {
		files, p := set(t, companion)
		for _, main := range files {
			f, err := Read(mem(files...), main.Name)
			if err != nil {
				t.Fatalf("%s: %v", main.Name, err)
			}
			if len(f.Files) != len(files) || f.Files[0] != main.Name {
				t.Errorf("%s: got the files %q", main.Name, f.Files)
			}
			samePlanes(t, f, 0, p)
		}
		for i := range files[1:] {
			if _, err := Read(mem(files[:i+1]...), files[0].Name); !errors.Is(err, ErrMissing) {
				t.Errorf("%d of %d files: got %v", i+1, len(files), err)
			}
		}
	}
	// In a folder, too.
	files, p := set(t, "s.companion.ome")
	for i := range files {
		files[i].Name = "a/b/" + files[i].Name
	}
	f, err := Read(mem(files...), "a/b/s.companion.ome")
	if err != nil {
		t.Fatal(err)
	}
	samePlanes(t, f, 0, p)
}

func TestDamagedFilesAreRefused(t *testing.T) {
	p := ramp("x", Uint8, 16, 16, 2, 1, 1)
	ome, _ := OMETIFF("x.tif", []Picture{p}, Options{})
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	whole := map[string][]byte{"x.tif": ome, "x.png": pic.Bytes()}
	for name, data := range whole {
		for n := 9; n < len(data); n += 1 + len(data)/97 {
			if _, err := Read(mem(NamedFile{name, data[:n]}), name); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s cut at %d of %d: got %v", name, n, len(data), err)
			}
		}
		if _, err := Read(mem(NamedFile{name, data}), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A directory that links to itself.
	loop := bytes.Clone(ome)
	link := binary.BigEndian.Uint32(loop[4:])
	n := binary.BigEndian.Uint16(loop[link:])
	binary.BigEndian.PutUint32(loop[link+2+12*uint32(n):], link)
	if _, err := Read(mem(NamedFile{"x.tif", loop}), "x.tif"); !errors.Is(err, ErrDamaged) {
		t.Errorf("circle: got %v", err)
	}
	// Metadata that promise more than the file has.
	lie := bytes.ReplaceAll(ome, []byte(`SizeX="16"`), []byte(`SizeX="17"`))
	if _, err := Read(mem(NamedFile{"x.tif", lie}), "x.tif"); !errors.Is(err, ErrDamaged) {
		t.Errorf("wrong width: got %v", err)
	}
	for name, text := range map[string]string{"notes.txt": "hello", "empty.tif": "", "x.png": "no picture"} {
		if _, err := Read(mem(NamedFile{name, []byte(text)}), name); !errors.Is(err, ErrUnknownFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Read(mem(), "gone.tif"); !errors.Is(err, ErrMissing) {
		t.Errorf("absent: got %v", err)
	}
}

// foreignTIFF was written by the tifffile module of Python: BigTIFF, tiles of
// 16x16, LZW with horizontal differencing; 24x20 pixels of uint16, the i-th
// being i*37 mod 1000.
const foreignTIFF = "SUkrAAgAAAAQAAAAAAAAAA4AAAAAAAAAAAEEAAEAAAAAAAAAGAAAAAAAAAABAQQAAQAAAAAAAAAUAAAAAAAAAAIBAwABAAAAAAAAABAAAAAAAAAAAwEDAAEAAAAAAAAABQAAAAAAAAAGAQMAAQAAAAAAAAABAAAAAAAAABUBAwABAAAAAAAAAAEAAAAAAAAAGgEFAAEAAAAAAAAAAQAAAAEAAAAbAQUAAQAAAAAAAAABAAAAAQAAACgBAwABAAAAAAAAAAEAAAAAAAAAPQEDAAEAAAAAAAAAAgAAAAAAAABCAQQAAQAAAAAAAAAQAAAAAAAAAEMBBAABAAAAAAAAABAAAAAAAAAARAEQAAQAAAAAAAAAOAEAAAAAAABFAQMABAAAAAAAAABtAJUARgBOAAAAAAAAAAAAYAEAAAAAAADNAQAAAAAAAGICAAAAAAAAqAIAAAAAAAAAAAAAAAAAAIAAAAJYHBYJB4NCYRCwAeAHDB6/IZE4VBQRD4rCIjFIomAFHIyAI3IRRH5DII1EoKuADKJPISRLZfLoY2JnN4YaJxO4I4AHI5pNzhGJTQYoAKJIaBN0hJqNIpVFBBTp5CaWsJlT5cQKzVZBAQCAFABCUAQSDQWEQRWvwAQ2HQ+HuAAweKQkAB1+xCNQ44ROLRWCI2MxuNx6QRZ+yOSQ9IR+XQQ2v6VxAQS+XN2ZTOHJgBwcevyTk1/zqHCiezafwRe0OiABcQObQciwymkioSeDrWqURsSaowWVTo0V6sABK2GZvivwcCzmiIi1wg626dBi4wRy3SZpCjwSky4q0yiQEIA0AAJYHBYJB4NCYRCwAYIVD4ZEYS2AGPX5EoxEIKaAHDItGZAAJFI5JJZNJ5RKZVK5ZLZdL5hMZlM5pNZtN5xOZ1O5PASACABiUAQSDQUAD1+QRiv8AQ+IRGIrABQeLQiCE1+RKORAgRWMSGDr2Nx2ONAAxeVAAWv2TS+YTGZTOaTWbTecTmdTueT2fT+gUGhTqAg="

func TestForeignTIFF(t *testing.T) {
	data, err := base64.StdEncoding.DecodeString(foreignTIFF)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(mem(NamedFile{"f.tif", data}), "f.tif")
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Series[0]; s.SizeX != 24 || s.SizeY != 20 || s.Type != Uint16 {
		t.Fatalf("got %+v", s)
	}
	plane, err := f.Plane(0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 24 * 20 {
		if got := binary.BigEndian.Uint16(plane[2*i:]); int(got) != i*37%1000 {
			t.Fatalf("pixel %d: got %d, want %d", i, got, i*37%1000)
		}
	}
}

func TestPlainTIFFKeepsTheHyperstack(t *testing.T) {
	p := ramp("x", Uint16, 12, 9, 3, 2, 2)
	data, err := TIFF(p, true)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(mem(NamedFile{"x.tif", data}), "x.tif")
	if err != nil {
		t.Fatal(err)
	}
	s := f.Series[0]
	if f.Format != "Tiff" || s.SizeZ != 3 || s.SizeC != 2 || s.SizeT != 2 || s.Name != "x.tif" {
		t.Fatalf("got %s %+v", f.Format, s)
	}
	samePlanes(t, f, 0, p)
}

func TestWhatElseOMEXMLHolds(t *testing.T) {
	data, _ := OMETIFF("x.tif", []Picture{ramp("x", Uint8, 8, 8, 1, 1, 1)}, Options{})
	extra := `<StructuredAnnotations><TagAnnotation ID="Annotation:0"><Description>why</Description><Value>blue</Value></TagAnnotation>` +
		`<MapAnnotation ID="Annotation:1" Namespace="ns"><Value><M K="a">1</M><M K="a">2</M></Value></MapAnnotation></StructuredAnnotations>` +
		`<Plate ID="Plate:0" Name="P"><Well ID="Well:0" Row="1" Column="2"><WellSample ID="WellSample:0" Index="0"><ImageRef ID="Image:0"/></WellSample></Well>` +
		`<PlateAcquisition ID="PA:0" Name="run"><WellSampleRef ID="WellSample:0"/></PlateAcquisition></Plate>` +
		`<ROI ID="ROI:0" Name="r"><Union><Rectangle ID="Shape:0" X="1" Y="2" Width="3" Height="4"><Transform A00="1" A10="0" A01="0" A11="1" A02="5" A12="6"/></Rectangle></Union></ROI></OME>`
	i := bytes.Index(data, []byte(`<?xml`))
	j := bytes.Index(data, []byte("</OME>"))
	doc := strings.Replace(string(data[i:j]), "</Image>", `<ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:1"/><AnnotationRef ID="Annotation:0"/></Image>`, 1) + extra
	companion := NamedFile{"x.companion.ome", []byte(strings.Replace(doc, fileUUID("x.tif"), "urn:uuid:other", 1))}
	f, err := Read(mem(companion, NamedFile{"x.tif", data}), companion.Name)
	if err != nil {
		t.Fatal(err)
	}
	want := []Shape{{Kind: "Rectangle", Attrs: map[string]string{"ID": "Shape:0", "X": "1", "Y": "2", "Width": "3", "Height": "4"},
		Transform: &[6]float64{1, 0, 0, 1, 5, 6}, Bytes: []byte{}}}
	if r := f.Series[0].ROIs; len(r) != 1 || !reflect.DeepEqual(r[0].Shapes, want) {
		t.Errorf("rois: %+v", r)
	}
	notes := []Annotation{{Kind: "MapAnnotation", NS: "ns", Pairs: [][2]string{{"a", "1"}, {"a", "2"}}}, {Kind: "TagAnnotation", Description: "why", Value: "blue"}}
	for i, id := range []string{"Annotation:1", "Annotation:0"} {
		if got := f.Annotations[id]; f.Series[0].Annotations[i] != id || !reflect.DeepEqual(got, notes[i]) {
			t.Errorf("annotations %q: %+v", f.Series[0].Annotations, got)
		}
	}
	if len(f.Plates) != 1 || f.Plates[0].Rows != 2 || f.Plates[0].Columns != 3 || f.Plates[0].Wells[0].Fields[0] != (Field{0, 0}) {
		t.Errorf("plates: %+v", f.Plates)
	}
}
