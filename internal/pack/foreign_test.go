package pack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// transferDoc is a document as omero-cli-transfer writes it, around content.
func transferDoc(content string) []byte {
	return []byte(`<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd">` + content + `</OME>`)
}

func transferImage(id, name, refs string) string {
	return `<Image ID="` + id + `" Name="` + name + `"><Description/><Pixels ID="Pixels:1" DimensionOrder="XYZCT" Type="uint8" SizeX="2" SizeY="3" SizeZ="1" SizeC="1" SizeT="1"><MetadataOnly/></Pixels>` + refs + `</Image>`
}

func noteRef(id string) string { return `<AnnotationRef ID="` + id + `"/>` }

func pathNote(id, path string) string {
	return `<XMLAnnotation ID="` + id + `" Namespace="openmicroscopy.org/cli/transfer"><Value><CLITransferServerPath xsi:schemaLocation="https://example.org/serverpath.xsd"><Path>` + path + `</Path></CLITransferServerPath></Value></XMLAnnotation>`
}

func TestForeignPack(t *testing.T) {
	const huge = "Annotation:18350171370993896931" // beyond 64 bits
	data := transferDoc(`
	<Project ID="Project:7" Name="P"><Description>d</Description><DatasetRef ID="Dataset:1"/><DatasetRef ID="Dataset:99"/></Project>
	<Project ID="Project:7" Name="P"><DatasetRef ID="Dataset:2"/><DatasetRef ID="Dataset:1"/></Project>
	<Dataset ID="Dataset:1" Name="D"><ImageRef ID="Image:10"/><ImageRef ID="Image:9"/>` + noteRef("Annotation:1") + `</Dataset>
	<Dataset ID="Dataset:2" Name="E"><ImageRef ID="Image:11"/></Dataset>` +
		transferImage("Image:10", "b", `<ROIRef ID="lsid:51"/><ROIRef ID="lsid:52"/>`+noteRef("Annotation:1")+noteRef(huge)+noteRef("Annotation:77")) +
		transferImage("Image:9", "a", `<ROIRef ID="lsid:51"/>`+noteRef("Annotation:1")+noteRef("Annotation:5")) +
		transferImage("Image:9", "a", noteRef("Annotation:1")+noteRef("Annotation:5")) +
		transferImage("Image:11", "c", noteRef("Annotation:1")+noteRef("Annotation:7")+noteRef("Annotation:6")) +
		`<StructuredAnnotations>
	<TagAnnotation ID="Annotation:1"><Value>tag</Value></TagAnnotation>
	<TagAnnotation ID="Annotation:1"><Value>tag</Value></TagAnnotation>
	<FileAnnotation ID="Annotation:2" Namespace="n"><AnnotationRef ID="Annotation:8"/><BinaryFile FileName="home/x/protocol.pdf" Size="7"><BinData BigEndian="true" Length="60">Wm1sc1pWOWhibTV2ZEdGMGFXOXVjeTh6TXc9PQ==</BinData></BinaryFile></FileAnnotation>
	<FileAnnotation ID="Annotation:3" Namespace="omero.web.figure.json"><BinaryFile FileName="/fig.json" Size="8"><BinData BigEndian="true" Length="0"/></BinaryFile></FileAnnotation>
	<XMLAnnotation ID="Annotation:4" Namespace="Annotation:3"><Value><CLITransferServerPath><Path>figures/Figure_3.json</Path></CLITransferServerPath></Value></XMLAnnotation>
	<XMLAnnotation ID="Annotation:12" Namespace="openmicroscopy.org/cli/transfer"><Value><CLITransferMetadata><origin_image_id>10</origin_image_id><packing_timestamp>18/12/2023, 09:57:59</packing_timestamp><software>omero-cli-transfer</software><version>1.3.0</version><origin_hostname>localhost</origin_hostname><md5>TBC</md5><future>x</future></CLITransferMetadata></Value></XMLAnnotation>
	<XMLAnnotation ID="Annotation:13" Namespace="openmicroscopy.org/cli/transfer/prepare"><Value><CLITransferMetadata><software>omero-cli-transfer</software></CLITransferMetadata></Value></XMLAnnotation>` +
		pathNote(huge, `
			alice_5/2026-01/set\sub/mock_folder
		`) + pathNote("Annotation:5", "alice_5/2026-01/set/sub/mock_folder") +
		pathNote("Annotation:6", "./pixel_images/11.tiff") + pathNote("Annotation:7", "second") + pathNote("Annotation:8", "file_annotations/2/protocol.pdf") +
		`</StructuredAnnotations>
	<ROI ID="lsid:51" Name="r"><Union><Polygon ID="Shape:1" Points="1,2 3,4 5,6" Text="" TheZ="0" TheT="0" TheC="0" FillColor="-256" StrokeWidth="1.0"/></Union></ROI>
	<ROI ID="lsid:52"><Union><Label ID="Shape:2" X="1" Y="2" FontSize="10"/></Union></ROI>`)
	doc, m := decode(t, data)
	if m != nil {
		t.Errorf("got a manifest: %v", m)
	}
	want := &Document{
		Origin:   Origin{Host: "localhost", Object: "Project:7", Name: "P", Software: "omero-cli-transfer", Version: "1.3.0"},
		Packed:   time.Date(2023, 12, 18, 9, 57, 59, 0, time.UTC),
		Projects: []Project{{ID: "Project:7", Name: "P", Description: "d", Datasets: []ID{"Dataset:1", "Dataset:2"}}},
		Datasets: []Dataset{
			{ID: "Dataset:1", Name: "D", Images: []ID{"Image:10", "Image:9"}},
			{ID: "Dataset:2", Name: "E", Images: []ID{"Image:11"}},
		},
		Images: []Image{
			{ID: "Image:10", Name: "b", Path: "alice_5/2026-01/set/sub/", Pixels: foreignPixels(), ROIs: []ID{"lsid:51", "lsid:52"}},
			{ID: "Image:9", Name: "a", Path: "alice_5/2026-01/set/sub/", Pixels: foreignPixels(), ROIs: []ID{"lsid:51"}},
			{ID: "Image:11", Name: "c", Path: "pixel_images/11.tiff", Pixels: foreignPixels()},
		},
		ROIs: []ROI{
			{ID: "lsid:51", Name: "r", Shapes: []Shape{{ID: "Shape:1", Kind: Polygon, Points: "1,2 3,4 5,6", TheZ: new(0), TheT: new(0), TheC: new(0), Fill: new(int32(-256)), StrokeWidth: &Quantity{1, Pixel}}}},
			{ID: "lsid:52", Shapes: []Shape{{ID: "Shape:2", Kind: Label, X: 1, Y: 2, FontSize: &Quantity{10, Point}}}},
		},
		Annotations: []Annotation{
			{ID: "Annotation:1", Kind: TagAnnotation, Text: "tag"},
			{ID: "Annotation:2", Kind: FileAnnotation, Namespace: "n", File: &Attachment{Name: "protocol.pdf", Path: "file_annotations/2/protocol.pdf", Size: 7}},
			{ID: "Annotation:3", Kind: FileAnnotation, Namespace: "omero.web.figure.json", File: &Attachment{Name: "fig.json", Path: "figures/Figure_3.json", Size: 8}},
		},
		Links: []Link{
			{From: "Dataset:1", To: "Annotation:1"}, {From: "Image:10", To: "Annotation:1"},
			{From: "Image:9", To: "Annotation:1"}, {From: "Image:11", To: "Annotation:1"},
		},
		Warnings: []string{
			"Project:7 refers to Dataset:99, which is not there",
			"Image:10 refers to Annotation:77, which is not there",
		},
	}
	same(t, "document", doc, want)
	same(t, "plan", doc.ImportPlan(), []Import{
		{Path: "alice_5/2026-01/set/sub", Folder: true, Images: []ID{"Image:9", "Image:10"}},
		{Path: "pixel_images/11.tiff", Entries: []Entry{{Path: "pixel_images/11.tiff", ClientPath: "pixel_images/11.tiff", Size: -1}}, Images: []ID{"Image:11"}},
	})
}

func foreignPixels() *Pixels {
	return &Pixels{SizeX: 2, SizeY: 3, SizeZ: 1, SizeC: 1, SizeT: 1, Type: "uint8", Order: "XYZCT"}
}

func TestForeignErrors(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want error
		text string
	}{
		{"empty", nil, ErrNotPack, ""},
		{"no XML", []byte("SHA1SUMS"), ErrNotPack, ""},
		{"HTML", []byte("<html><body/></html>"), ErrNotPack, "html"},
		{"plain OME-XML", transferDoc(transferImage("Image:0", "x", "")), ErrNotPack, "paths"},
		{"before 1.0", transferDoc(transferImage("Image:1", "x", noteRef("Annotation:-24")) + `<StructuredAnnotations><CommentAnnotation ID="Annotation:-24" Namespace="Image:1"><Value>root_0/x.tiff</Value></CommentAnnotation></StructuredAnnotations>`), ErrOldPack, "1.0"},
		{"image without record", transferDoc(transferImage("Image:1", "x", noteRef("Annotation:1")) + transferImage("Image:2", "x", "") + `<StructuredAnnotations>` + pathNote("Annotation:1", "x") + `</StructuredAnnotations>`), ErrInvalid, "Image:2"},
		{"file without record", transferDoc(`<StructuredAnnotations><FileAnnotation ID="Annotation:4"><BinaryFile FileName="x" Size="1"/></FileAnnotation></StructuredAnnotations>`), ErrInvalid, "Annotation:4"},
		{"truncated", transferDoc(transferImage("Image:1", "x", ""))[:400], ErrInvalid, ""},
		{"two roots", append(transferDoc(""), transferDoc("")...), ErrInvalid, "after the end"},
		{"bad number", transferDoc(`<Image ID="Image:5"><Pixels SizeX="many"/></Image>`), ErrInvalid, "Image:5"},
		{"bad rating", transferDoc(`<StructuredAnnotations><LongAnnotation ID="Annotation:4"><Value>x</Value></LongAnnotation></StructuredAnnotations>`), ErrInvalid, "Annotation:4"},
	}
	for _, path := range []string{"/etc/passwd", "../x", "a/../../x", `..\x`, "", ".", "mock_folder", "a//b", "a/./b", "../mock_folder", "a\x7fb"} {
		tests = append(tests, struct {
			name string
			data []byte
			want error
			text string
		}{"path " + path, transferDoc(transferImage("Image:1", "x", noteRef("Annotation:1")) + `<StructuredAnnotations>` + pathNote("Annotation:1", path) + `</StructuredAnnotations>`), ErrUnsafePath, "Image:1"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Decode(bytes.NewReader(tt.data), Limits{})
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

// TestPacksOfOthers reads packs that omero-cli-transfer itself wrote, where a
// developer has some.
func TestPacksOfOthers(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "packs")
	tests := []struct{ file, object, image, path string }{
		{"valid_single_image.tar", "Image:51", "combined_result.tiff", "root_0/2023-12/18/14-52-03.548/combined_result.tiff"},
		{"valid_single_dataset.zip", "Dataset:1", "cycle4.ome_cells.png", "root_0/2023-12/19/14-35-58.670/cycle4.ome_cells.png"},
	}
	for _, tt := range tests {
		data := transferXMLOf(t, filepath.Join(dir, tt.file))
		doc, m := decode(t, data)
		if m != nil || string(doc.Origin.Object) != tt.object || len(doc.Images) != 1 || doc.Images[0].Name != tt.image || doc.Images[0].Path != tt.path {
			t.Errorf("%s: got %+v", tt.file, doc)
		}
		if len(doc.Warnings) > 0 || len(doc.Links) != 3 || len(doc.Annotations) != 3 {
			t.Errorf("%s: got %d annotations, %d links, warnings %q", tt.file, len(doc.Annotations), len(doc.Links), doc.Warnings)
		}
	}
}

func transferXMLOf(t *testing.T, archive string) []byte {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Skipf("no packs of others here: %v", err)
	}
	defer f.Close()
	if strings.HasSuffix(archive, ".zip") {
		z, err := zip.OpenReader(archive)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r, err := z.Open(TransferXML)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Clean(h.Name) == TransferXML {
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
	}
}
