package pack

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSchemaNames checks that docs/pack.xsd and docs/pack.md know every
// element and attribute of the part.
func TestSchemaNames(t *testing.T) {
	schema := xsdNames(t, filepath.Join("..", "..", "docs", "pack.xsd"))
	doc, m := fullDocument()
	data := encode(t, doc, m)
	names := 0
	inPart := false
	for dec := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Space != partNamespace {
			continue
		}
		inPart = true
		for _, a := range start.Attr {
			names++
			if a.Name.Local != "xmlns" && !schema[a.Name.Local] {
				t.Errorf("the schema does not know the attribute %s of %s", a.Name.Local, start.Name.Local)
			}
		}
		if !schema[start.Name.Local] {
			t.Errorf("the schema does not know the element %s", start.Name.Local)
		}
	}
	if !inPart || names < 100 {
		t.Errorf("only %d attributes were looked at", names)
	}
}

func xsdNames(t *testing.T, file string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`<xs:(?:element|attribute) name="(\w+)"`).FindAllStringSubmatch(string(data), -1) {
		names[m[1]] = true
	}
	return names
}

// TestWithoutOurPart loads a pack of ours as one of others: what OME-XML says
// is still all there.
func TestWithoutOurPart(t *testing.T) {
	doc, m := fullDocument()
	data := string(encode(t, doc, m))
	part := regexp.MustCompile(`(?s)<XMLAnnotation ID="Annotation:\d+" Namespace="omerods/pack">.*?</XMLAnnotation>`)
	got, gotManifest := decode(t, []byte(part.ReplaceAllString(data, "")))
	if gotManifest != nil || len(got.Warnings) > 0 {
		t.Errorf("got manifest %v, warnings %q", gotManifest, got.Warnings)
	}
	if got.Origin.Host != doc.Origin.Host || got.Origin.Database != doc.Origin.Database || got.Origin.Object != doc.Origin.Object || !got.Packed.Equal(doc.Packed) {
		t.Errorf("got origin %+v of %v", got.Origin, got.Packed)
	}
	paths := map[ID]string{}
	for _, im := range got.Images {
		paths[im.ID] = im.Path
	}
	if len(paths) != 7 || paths["Image:103"] != "Slides/slide.vsi.fileset/" || paths["Image:101"] != "Slides/slideA.tif" {
		t.Errorf("got paths %v", paths)
	}
	plan := got.ImportPlan()
	if len(plan) != 5 || !plan[1].Folder || len(plan[1].Images) != 2 {
		t.Errorf("got plan %+v", plan)
	}
	same(t, "pixels", got.Images[0].Pixels.PhysicalX, doc.Images[0].Pixels.PhysicalX)
	var file *Attachment
	for _, a := range got.Annotations {
		if a.ID == "Annotation:33" {
			file = a.File
		}
	}
	same(t, "file", file, &Attachment{Name: "to:col.pdf", Path: "attachments/33/pro tocol.pdf", Size: 20480, Hash: sha1Zero, Algorithm: SHA1, MediaType: "application/pdf"})
}

// TestOMEXMLOfOthers reads documents that are no packs, where a developer has
// some.
func TestOMEXMLOfOthers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "ome-xml", "*.xml"))
	if err != nil || len(files) == 0 {
		t.Skip("no OME-XML of others here")
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = Decode(f, Limits{})
		f.Close()
		want := ErrNotPack
		if strings.Contains(name, "transfer.ome") {
			want = ErrOldPack
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", filepath.Base(name), err, want)
		}
	}
}
