package repository

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

func TestPixelsOfFiles(t *testing.T) {
	f := newFixture(t)
	im := f.upload(setOfFiles(t)...)
	out := f.run(im, Settings{})
	px, err := f.OpenPixels(out.Pixels[0])
	if err != nil {
		t.Fatal(err)
	}
	plane, err := px.Plane(0, 1, 0)
	if err != nil || !bytes.Equal(plane, bytes.Repeat([]byte{2}, 16)) {
		t.Errorf("plane %v, %v", plane, err)
	}
	if err := px.Write(make([]byte, 16), 0, 0, 0, 0); err == nil {
		t.Error("pixels of a fileset were written")
	}
	if err := os.RemoveAll(filepath.Join(f.dir, managedDir)); err != nil {
		t.Fatal(err)
	}
	f.cache = nil
	if _, err := f.OpenPixels(out.Pixels[0]); err == nil {
		t.Error("pixels without files were opened")
	}
}

func TestImageWithoutFiles(t *testing.T) {
	f := newFixture(t)
	s := imaging.Series{Name: "drawn", SizeX: 6, SizeY: 4, SizeZ: 2, SizeC: 2, SizeT: 1, Type: imaging.Uint16}
	pic := imaging.Picture{Series: s, Plane: func(z, c, _ int) []byte { return bytes.Repeat([]byte{byte(z), byte(c + 1)}, 24) }}
	row, err := f.AddImage(f.actor, pic)
	if err != nil {
		t.Fatal(err)
	}
	if row.Ref("fileset") != store.None {
		t.Error("it has a fileset")
	}
	pixels := f.st.Collection("Image", row.ID, "pixels")
	px, err := f.OpenPixels(pixels[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	for z := range 2 {
		for c := range 2 {
			if plane, err := px.Plane(z, c, 0); err != nil || !bytes.Equal(plane, pic.Plane(z, c, 0)) {
				t.Errorf("plane %d/%d: %v, %v", z, c, plane, err)
			}
		}
	}
	if err := px.Write([]byte{9, 9}, 1, 1, 0, 47); err == nil {
		t.Error("wrote beyond the pixels")
	}
	if sum, err := px.Sum(); err != nil || fmt.Sprintf("%x", sum) != pixels[0].Text("sha1") {
		t.Errorf("sum %x, %v; recorded %s", sum, err, pixels[0].Text("sha1"))
	}
	if jpg, err := px.Thumbnail(-1, 0, 12, 8, nil); err != nil || len(jpg) == 0 {
		t.Errorf("thumbnail: %v", err)
	}
}

func TestRawFiles(t *testing.T) {
	f := newFixture(t)
	row, err := f.AddFile(f.actor, "notes.txt", "docs/", "text/plain", []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if row.Text("hash") != fmt.Sprintf("%x", sha1.Sum([]byte("hello"))) || row.Get("size") != int64(5) {
		t.Errorf("hash %q, size %v", row.Text("hash"), row.Get("size"))
	}
	raw, err := f.OpenRaw(row.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	b := []byte("xxxxx")
	if err := raw.Read(b, 3); err != nil || string(b) != "lo\x00\x00\x00" {
		t.Errorf("beyond the end: %q, %v", b, err)
	}
	if saved, err := raw.Save(f.actor); saved != nil || err != nil {
		t.Errorf("nothing was written, yet saved %v, %v", saved, err)
	}
	if short, err := raw.Truncate(9); short || err != nil {
		t.Errorf("truncate made the file longer: %v %v", short, err)
	}
	if short, err := raw.Truncate(2); !short || err != nil {
		t.Errorf("truncate: %v %v", short, err)
	}
	if err := raw.Write([]byte("y!"), 2); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(f.actor); err != nil {
		t.Fatal(err)
	}
	if row = f.st.Get("OriginalFile", row.ID); row.Text("hash") != fmt.Sprintf("%x", sha1.Sum([]byte("hey!"))) {
		t.Errorf("hash %q after the change", row.Text("hash"))
	}
	if _, err := f.OpenRaw(999, false); err == nil {
		t.Error("opened a file that is none")
	}
}

func TestListing(t *testing.T) {
	f := newFixture(t)
	im := f.upload(pngFile("a/b/c.png"))
	user := fmt.Sprintf("/ada_%d", f.actor.User)
	got, err := f.List("/")
	if err != nil || !reflect.DeepEqual(got, []string{user}) {
		t.Errorf("list: %q, %v", got, err)
	}
	for _, p := range []string{user, user + "/2026-01/30"} {
		if row, err := f.Lookup(p); err != nil || row == nil || row.Text("mimetype") != directoryType {
			t.Errorf("lookup %s: %v, %v", p, row, err)
		}
	}
	if ok, err := f.Exists(user + "/none"); ok || err != nil {
		t.Errorf("exists: %v %v", ok, err)
	}
	if bad, err := f.Mismatches(im.Files); err != nil || len(bad) != 0 {
		t.Errorf("mismatches %v, %v", bad, err)
	}
	file := f.st.Get("OriginalFile", im.Files[0])
	if err := os.WriteFile(filepath.Join(f.dir, managedDir, file.Text("path"), file.Text("name")), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if bad, err := f.Mismatches(im.Files); err != nil || !reflect.DeepEqual(bad, im.Files) {
		t.Errorf("mismatches %v, %v", bad, err)
	}
	if err := f.MakeDir(f.actor, "new/sub", false); err == nil {
		t.Error("made a directory without its parent")
	}
	if err := f.MakeDir(f.actor, "new/sub", true); err != nil {
		t.Error(err)
	}
	if changed, err := f.SetAlgorithm(f.actor, "MD5-128", im.Files); err != nil || len(changed) != 1 {
		t.Errorf("algorithm: %v, %v", changed, err)
	}
	if sum := f.st.Get("OriginalFile", im.Files[0]).Text("hash"); sum != "9dd4e461268c8034f5c8564e155c67a6" {
		t.Errorf("MD5 %s", sum)
	}
}

func TestWhatTheFileBringsAlong(t *testing.T) {
	f := newFixture(t)
	files := setOfFiles(t)
	notes := `<StructuredAnnotations><TagAnnotation ID="Annotation:0"><Value>blue</Value></TagAnnotation>` +
		`<LongAnnotation ID="Annotation:1" Namespace="ns"><Value>7</Value></LongAnnotation>` +
		`<MapAnnotation ID="Annotation:2"><Value><M K="a">1</M><M K="a">2</M></Value></MapAnnotation></StructuredAnnotations>` +
		`<ROI ID="ROI:0" Name="r"><Union><Line ID="Shape:0" X1="1" Y1="2" X2="3.5" Y2="4" TheZ="0" StrokeColor="4294967295" StrokeWidth="2" Text="x"/>` +
		`<Mask ID="Shape:1" X="0" Y="0" Width="8" Height="1"><BinData Length="1">qg==</BinData></Mask></Union></ROI></OME>`
	refs := `<ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:0"/><AnnotationRef ID="Annotation:1"/><AnnotationRef ID="Annotation:2"/></Image>`
	doc := string(files[0].Data[bytes.Index(files[0].Data, []byte("<?xml")):])
	doc = doc[:strings.Index(doc, "</OME>")] + notes
	doc = strings.Replace(doc, "</Image>", refs, 1)
	doc = strings.Replace(doc, `UUID="urn`, `UUID="x`, 1)
	out := f.run(f.upload(append([]imaging.NamedFile{{Name: "s.companion.ome", Data: []byte(doc)}}, files...)...), Settings{})
	img := out.Images[0]
	if n := len(f.st.Collection("Image", img, "annotationLinks")); n != 3 {
		t.Errorf("%d annotations", n)
	}
	pairs := f.st.Find("MapAnnotation", func(*store.Row) bool { return true })
	if want := []store.NamedValue{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}; pairs == nil || !reflect.DeepEqual(pairs.Get("mapValue"), want) {
		t.Errorf("pairs %v", pairs)
	}
	rois := f.st.Collection("Image", img, "rois")
	if len(rois) != 1 || rois[0].Text("name") != "r" {
		t.Fatalf("rois %v", rois)
	}
	shapes := f.st.Collection("Roi", rois[0].ID, "shapes")
	if len(shapes) != 2 {
		t.Fatalf("shapes %v", shapes)
	}
	line, mask := shapes[0], shapes[1]
	if line.Class.Name != "Line" || line.Get("x2") != 3.5 || line.Get("strokeColor") != int32(-1) || line.Get("theZ") != int32(0) || line.Get("theT") != nil || line.Text("textValue") != "x" {
		t.Errorf("line %v", line.Values)
	}
	if b, _ := mask.Get("bytes").([]byte); mask.Class.Name != "Mask" || !bytes.Equal(b, []byte{0xaa}) {
		t.Errorf("mask %v", mask.Values)
	}
}

func TestRepositoryIsFoundAgain(t *testing.T) {
	f := newFixture(t)
	im := f.upload(setOfFiles(t)...)
	out := f.run(im, Settings{})
	again, err := Open(f.dir, f.st)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.UUID() != f.UUID() || again.Description().ID != f.Description().ID {
		t.Errorf("repository %s after %s", again.UUID(), f.UUID())
	}
	px, err := again.OpenPixels(out.Pixels[0])
	if err != nil {
		t.Fatal(err)
	}
	if plane, err := px.Plane(0, 1, 0); err != nil || !bytes.Equal(plane, bytes.Repeat([]byte{2}, 16)) {
		t.Errorf("plane %v, %v", plane, err)
	}
}
