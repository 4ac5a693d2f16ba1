package pack

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	tests := []struct{ in, want string }{
		{"2010-02-23T12:51:30", "2010-02-23T12:51:30Z"},
		{" 2010-02-23T12:51:30.5+01:30 ", "2010-02-23T11:21:30.5Z"},
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00Z"},
		{"2000-01-01T00:00:00.123456Z", "2000-01-01T00:00:00.123Z"},
		{"12345-01-01T00:00:00Z", "12345-01-01T00:00:00Z"},
		{"-0044-03-15T00:00:00-05:00", "-0044-03-15T05:00:00Z"},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
		{"", ""}, {"2010-02-23", ""}, {"yesterday", ""}, {"2010-13-01T00:00:00", ""}, {"99-01-01T00:00:00", ""},
		{"99999999999999999999-01-01T00:00:00", ""},
	}
	for _, tt := range tests {
		got, err := parseTime(tt.in)
		if (err != nil) != (tt.want == "") || err == nil && formatTime(got) != tt.want {
			t.Errorf("%q: got %v %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestFloats(t *testing.T) {
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -0.1, 1e-7, 1.5e300, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), 123456789.125, 1e15} {
		s := string(appendFloat(nil, f))
		if got, err := parseFloat(s); err != nil || got != f || math.Signbit(got) != math.Signbit(f) {
			t.Errorf("%v is written as %s and read as %v, %v", f, s, got, err)
		}
	}
	if got, err := parseFloat(string(appendFloat(nil, math.NaN()))); err != nil || !math.IsNaN(got) {
		t.Errorf("NaN: got %v %v", got, err)
	}
}

// TestEveryCharacter sends each character, and bytes that are none, through
// every way a text can take: an attribute, an element, a map, a path of a client.
func TestEveryCharacter(t *testing.T) {
	var texts []string
	for r := rune(0); r < 0x180; r++ {
		texts = append(texts, string(r), "a"+string(r)+"b")
	}
	for _, r := range []rune{0x2028, 0xD7FF, 0xE000, 0xFDD0, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1F52C, 0x1FFFE, 0x10FFFF} {
		texts = append(texts, string(r))
	}
	texts = append(texts, "\xff", "a\xc3", "\xed\xa0\x80", "]]>", "&amp;", "<!--", "\r\n", " \t ", strings.Repeat("é\x00", 1000))
	doc := &Document{}
	for i, s := range texts {
		doc.Projects = append(doc.Projects, Project{ID: NewID(KindProject, int64(i)), Name: s, Description: s})
		doc.Annotations = append(doc.Annotations, Annotation{
			ID: NewID(KindAnnotation, int64(i)), Kind: MapAnnotation, Namespace: s, Name: s, Pairs: []Pair{{s, s}, {s, s}},
		})
		doc.Links = append(doc.Links, Link{From: NewID(KindProject, int64(i)), To: NewID(KindAnnotation, int64(i))})
	}
	data := encode(t, doc, nil)
	got, _ := decode(t, data)
	same(t, "document", got, doc)
	readPlain(t, data)
	for _, b := range data {
		if b < 0x20 && b != '\n' && b != '\t' {
			t.Fatalf("the document holds the byte %#x", b)
		}
	}
}

// TestRecordsAvoidNumbersInUse has annotations where our own would be.
func TestRecordsAvoidNumbersInUse(t *testing.T) {
	doc := &Document{Images: []Image{{ID: "Image:1", Name: "x", Path: "x", Pixels: smallPixels()}}}
	for _, n := range []int64{9_000_000_000_000_000_001, 9_000_000_000_000_000_004, 8} {
		doc.Annotations = append(doc.Annotations, Annotation{ID: NewID(KindAnnotation, n), Kind: TagAnnotation, Text: fmt.Sprint(n)})
		doc.Links = append(doc.Links, Link{From: "Image:1", To: NewID(KindAnnotation, n)})
	}
	data := encode(t, doc, nil)
	_, notes := readPlain(t, data)
	if len(notes) != 6 {
		t.Errorf("got %d annotations, want 6", len(notes))
	}
	got, _ := decode(t, data)
	same(t, "document", got, doc)
}

func TestEmbeddable(t *testing.T) {
	tests := map[string]bool{
		"":                          true,
		`<a xmlns="urn:x"><b/></a>`: true,
		`<p:a xmlns:p="urn:x" p:b="c"/> <!-- x -->`: true,
		`<a/>`:                       false,
		`text`:                       false,
		`<a xmlns="urn:x">`:          false,
		`</Value><a xmlns="u"/>`:     false,
		`<p:a/>`:                     false,
		`<a xmlns="urn:x" q:b="1"/>`: false,
		`<?xml version="1.0"?><a xmlns="urn:x"/>`:                            false,
		`<!DOCTYPE a><a xmlns="urn:x"/>`:                                     false,
		`<a xmlns="urn:x">&undefined;</a>`:                                   false,
		`<Image xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"/>`: false,
		strings.Repeat(`<a xmlns="urn:u">`, 99) + strings.Repeat("</a>", 99): false,
		`<a xmlns="urn:x" xml:lang='en' b=">'/&quot;" />`:                    true,
		`<a xmlns="urn:x"><!-- b="c"d="e" --><![CDATA[<b c="d"e="f">]]></a>`: true,
		// What Go's decoder lets pass and other readers do not.
		`<a xmlns="urn:x" b="1" b="2"/>`:                                   false,
		`<a xmlns="urn:x" b="1"c="2"/>`:                                    false,
		`<!----><a xmlns="urn:x" b='1'c="2"/>`:                             false,
		`<a xmlns="urn:x" xmlns:p="urn:y" xmlns:q="urn:y" p:b="" q:b=""/>`: false,
		`<p:a xmlns="p"/>`:                                                 false,
		`<a xmlns:p="p" xmlns="urn:x"><q:b xmlns:r="q"/></a>`:              false,
		`<a xmlns="urn:x" xmlns:p=""/>`:                                    false,
		`<a xmlns="urn:x" xmlns:xml="urn:y"/>`:                             false,
		`<a xmlns="urn:x" xmlns:xmlns="urn:y"/>`:                           false,
		`<a: xmlns="urn:x"></a:>`:                                          false,
		`<a xmlns="urn:x" :b="c"/>`:                                        false,
	}
	for text, want := range tests {
		if got := embeddable(text); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// studyDocument is a project of that many images, each with shapes, tags and
// key-value pairs.
func studyDocument(images, shapes int) (*Document, *Manifest) {
	who := Details{Owner: "Experimenter:3", Group: "ExperimenterGroup:5", Created: day1, Updated: day2}
	doc := &Document{
		Origin:   Origin{Host: "h", Object: "Project:1", Software: "omerods", Version: "1"},
		Packed:   day1,
		Users:    []User{{ID: "Experimenter:3", Login: "alice"}},
		Groups:   []Group{{ID: "ExperimenterGroup:5", Name: "lab"}},
		Projects: []Project{{ID: "Project:1", Name: "study", Datasets: []ID{"Dataset:1"}}},
		Datasets: []Dataset{{ID: "Dataset:1", Name: "all"}},
	}
	m := &Manifest{}
	for i := range int64(images) {
		im, fs, note := NewID(KindImage, i), NewID(KindFileset, i), NewID(KindAnnotation, i)
		path := fmt.Sprintf("all/img_%06d.ome.tiff", i)
		doc.Datasets[0].Images = append(doc.Datasets[0].Images, im)
		roi := ROI{ID: NewID(KindROI, i)}
		for j := range int64(shapes) {
			roi.Shapes = append(roi.Shapes, Shape{
				ID: NewID(KindShape, i*int64(shapes)+j), Kind: Rectangle, X: float64(j) + 0.5, Y: 7, Width: 3, Height: 4,
				TheZ: new(0), TheT: new(0), Stroke: new(int32(-1)), StrokeWidth: &Quantity{1, Pixel}, Text: "cell",
			})
		}
		doc.ROIs = append(doc.ROIs, roi)
		doc.Images = append(doc.Images, Image{
			ID: im, Name: path, Fileset: fs, ROIs: []ID{roi.ID}, Details: who, Acquired: day1,
			Pixels: &Pixels{SizeX: 512, SizeY: 512, SizeZ: 1, SizeC: 1, SizeT: 1, Type: "uint16", Order: "XYZCT", Channels: []Channel{{ID: NewID(KindChannel, i), Name: new("DAPI")}}},
		})
		doc.Filesets = append(doc.Filesets, Fileset{ID: fs, Images: []ID{im}, Entries: []Entry{{ClientPath: path, Path: path, Size: 1 << 20, Hash: sha1Zero, Algorithm: SHA1}}})
		doc.Annotations = append(doc.Annotations, Annotation{ID: note, Kind: MapAnnotation, Pairs: []Pair{{"gene", "x"}, {"dose", "3"}}, Details: who})
		doc.Links = append(doc.Links, Link{From: im, To: note, By: "Experimenter:3", At: day2})
		m.Files = append(m.Files, File{Path: path, Size: 1 << 20, Hash: sha1Zero, Algorithm: SHA1, Required: true, Kind: Original, Fileset: fs})
	}
	return doc, m
}

func BenchmarkEncode10000(b *testing.B) {
	doc, m := studyDocument(10_000, 10)
	size := len(encode(b, doc, m))
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if err := Encode(discard{}, doc, m); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkDecode10000(b *testing.B) {
	data := encode(b, first(studyDocument(10_000, 10)), nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Decode(bytes.NewReader(data), Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func first(doc *Document, _ *Manifest) *Document { return doc }

func TestStudy(t *testing.T) {
	doc, m := studyDocument(300, 3)
	start := time.Now()
	got, gotManifest := decode(t, encode(t, doc, m))
	t.Logf("300 images in %v", time.Since(start))
	same(t, "document", got, doc)
	same(t, "manifest", gotManifest, m)
}
