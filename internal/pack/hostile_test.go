package pack

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
)

// repeated is a document of a head, very many middles and no end.
func repeated(head, middle string) io.Reader {
	return io.MultiReader(strings.NewReader(head), &endless{text: middle})
}

type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], e.text[e.at:])
		n += c
		e.at = (e.at + c) % len(e.text)
	}
	return n, nil
}

// TestLimits feeds documents that never end. Each must be refused long before
// the memory is.
func TestLimits(t *testing.T) {
	limits := Limits{Bytes: 32 << 20, Elements: 50_000, TokenBytes: 1 << 20}
	tests := []struct{ name, head, middle string }{
		{"elements", "<OME>", "<Image/>"},
		{"nested", "<OME>", "<a>"},
		{"nested in a value", `<OME><StructuredAnnotations><XMLAnnotation><Value>`, "<a>"},
		{"attributes", "<OME", ` a=""`},
		{"attributes without a space", "<OME a=''", `b=""`},
		{"an attribute", `<OME a="`, "x"},
		{"an attribute of tags", `<OME a='`, `">`},
		{"a name", "<OME", "x"},
		{"text", "<OME>", "x"},
		{"text of references", "<OME>", "&amp;"},
		{"a comment", "<OME><!--", " -> "},
		{"comments", "<OME>", "<!-- a='b' -->"},
		{"CDATA", "<OME><![CDATA[", "] ]> "},
		{"an instruction", "<OME><?x ", "'\">"},
		{"white space before it", "", " "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Decode(repeated(tt.head, tt.middle), limits)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrLimit) {
				t.Errorf("got %v, want a limit", err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 256<<20 {
				t.Errorf("allocated %d MiB", n>>20)
			}
		})
	}
}

func TestDoctype(t *testing.T) {
	for _, data := range []string{
		`<!DOCTYPE OME [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><OME>&b;</OME>`,
		`<!DOCTYPE OME SYSTEM "file:///etc/passwd"><OME/>`,
		`<OME><!ELEMENT x></OME>`,
	} {
		if _, _, err := Decode(strings.NewReader(data), Limits{}); err == nil || !strings.Contains(err.Error(), "document type") {
			t.Errorf("%s: got %v", data, err)
		}
	}
	if _, _, err := Decode(strings.NewReader(`<OME>&b;</OME>`), Limits{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("undefined entity: got %v", err)
	}
}

func TestReadErrorIsKept(t *testing.T) {
	broken := errors.New("the line is dead")
	r := io.MultiReader(strings.NewReader("<OME><Image"), errReader{broken})
	if _, _, err := Decode(r, Limits{}); !errors.Is(err, broken) || errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// TestOursSpoiled changes one thing in a good document of ours.
func TestOursSpoiled(t *testing.T) {
	doc, m := fullDocument()
	good := string(encode(t, doc, m))
	tests := []struct {
		name, old, new string
		want           error
	}{
		{"newer", `Version="1.0"`, `Version="2.0"`, ErrNewer},
		{"no version", `Version="1.0"`, ``, ErrInvalid},
		{"odd version", `Version="1.0"`, `Version="one.0"`, ErrInvalid},
		{"entry outside", `<Entry Path="Slides/slideA.tif"`, `<Entry Path="../slideA.tif"`, ErrUnsafePath},
		{"entry outside of its folder", `<Entry Path="Slides/slide.vsi.fileset/slide.vsi"`, `<Entry Path="Slides/slide.vsi"`, ErrInvalid},
		{"folder outside", `Folder="Slides/slide.vsi.fileset"`, `Folder="/Slides"`, ErrUnsafePath},
		{"image outside", `<Image ID="Image:104" Path="drawn/`, `<Image ID="Image:104" Path="../drawn/`, ErrUnsafePath},
		{"attachment outside", `Path="attachments/33/pro tocol.pdf" Size`, `Path="attachments/../../x" Size`, ErrUnsafePath},
		{"manifest outside", `<File Path="README.html"`, `<File Path="/README.html"`, ErrUnsafePath},
		{"twice in the manifest", `<File Path="README.html"`, `<File Path="drawn/drawn.ome.tiff"`, ErrInvalid},
		{"same as nothing", `SameAs="Slides/slideA.tif"`, `SameAs="Slides/other.tif"`, ErrInvalid},
		{"image in no fileset", `Fileset="Fileset:51"`, `Fileset="Fileset:99"`, ErrInvalid},
		{"fileset without an image", `Images="Image:102 Image:103"`, `Images="Image:102"`, ErrInvalid},
		{"fileset with one twice", `Images="Image:102 Image:103"`, `Images="Image:102 Image:102"`, ErrInvalid},
		{"ROI far away", `<ROI ID="ROI:54" Place="4"`, `<ROI ID="ROI:54" Place="400000000"`, ErrInvalid},
		{"ROI before the start", `<ROI ID="ROI:54" Place="4"`, `<ROI ID="ROI:54" Place="-4"`, ErrInvalid},
		{"link to nothing", `<Link From="Project:7" To="Annotation:31"`, `<Link From="Project:7" To="Annotation:99"`, ErrInvalid},
		{"dataset of nothing", `<ImageRef ID="Image:105"/>`, `<ImageRef ID="Image:999"/>`, ErrInvalid},
		{"id twice", `<Image ID="Image:105" Name`, `<Image ID="Image:104" Name`, ErrInvalid},
		{"negative size", `Path="attachments/33/pro tocol.pdf" Size="20480"`, `Path="attachments/33/pro tocol.pdf" Size="-1"`, ErrInvalid},
		{"size beyond 64 bits", `<File Path="drawn/drawn.ome.tiff" Size="9"`, `<File Path="drawn/drawn.ome.tiff" Size="99999999999999999999"`, ErrInvalid},
		{"no base64", `<Text Of="Dataset:11" Field="Name"></Text>`, `<Text Of="Dataset:11" Field="Name">%%%</Text>`, ErrInvalid},
		{"unit", `PhysicalSizeXUnit="µm"`, `PhysicalSizeXUnit="mile"`, ErrInvalid},
		{"second part", `</StructuredAnnotations>`, `<XMLAnnotation ID="Annotation:1" Namespace="omerods/pack"><Value><Pack Version="1.0"/></Value></XMLAnnotation></StructuredAnnotations>`, ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatalf("the document has no %s", tt.old)
			}
			_, _, err := Decode(strings.NewReader(strings.Replace(good, tt.old, tt.new, 1)), Limits{})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestLaterMinorVersion has elements and attributes that this version does not
// know.
func TestLaterMinorVersion(t *testing.T) {
	doc, m := fullDocument()
	data := string(encode(t, doc, m))
	data = strings.Replace(data, `Version="1.0"`, `Version="1.7" New="x"`, 1)
	data = strings.Replace(data, `<Manifest>`, `<News><a b="c">d</a></News><Manifest New="y">`, 1)
	data = strings.ReplaceAll(data, `<Entry `, `<Entry New="z" `)
	data = strings.ReplaceAll(data, `<Mask `, `<Sphere TheZ="all" X="left" Locked="half"><Transform A00="no"/></Sphere><Mask `)
	got, gotManifest := decode(t, []byte(data))
	same(t, "document", got, doc)
	same(t, "manifest", gotManifest, m)
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(d *Document, m *Manifest)
		want  error
	}{
		{"id of another kind", func(d *Document, m *Manifest) { d.Projects[0].ID = "Dataset:7" }, ErrInvalid},
		{"id with a space", func(d *Document, m *Manifest) { d.ROIs[0].ID = "ROI:5 0" }, ErrInvalid},
		{"id twice", func(d *Document, m *Manifest) { d.Annotations[0].ID = d.Annotations[1].ID }, ErrInvalid},
		{"missing dataset", func(d *Document, m *Manifest) { d.Projects[0].Datasets[0] = "Dataset:99" }, ErrInvalid},
		{"missing image of a fileset", func(d *Document, m *Manifest) { d.Filesets[0].Images = []ID{"Image:999"} }, ErrInvalid},
		{"fileset lists too few", func(d *Document, m *Manifest) { d.Filesets[1].Images = d.Filesets[1].Images[:1] }, ErrInvalid},
		{"fileset without files", func(d *Document, m *Manifest) { d.Filesets[0].Entries = nil }, ErrInvalid},
		{"several files without a folder", func(d *Document, m *Manifest) { d.Filesets[1].Folder = "" }, ErrInvalid},
		{"image without a file", func(d *Document, m *Manifest) { d.Images[3].Path = "" }, ErrUnsafePath},
		{"link to nothing", func(d *Document, m *Manifest) { d.Links[0].To = "Annotation:99" }, ErrInvalid},
		{"kind of shape", func(d *Document, m *Manifest) { d.ROIs[1].Shapes[0].Kind = "Blob" }, ErrInvalid},
		{"kind of annotation", func(d *Document, m *Manifest) { d.Annotations[0].Kind = "Blob" }, ErrInvalid},
		{"file annotation without a file", func(d *Document, m *Manifest) { d.Annotations[3].File = nil }, ErrInvalid},
		{"path with a line end", func(d *Document, m *Manifest) { m.Files[0].Path = "a\nb" }, ErrUnsafePath},
		{"unit", func(d *Document, m *Manifest) { d.Images[0].Pixels.PhysicalX.Unit = "" }, ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, m := fullDocument()
			tt.spoil(doc, m)
			var b bytes.Buffer
			if err := Encode(&b, doc, m); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
		})
	}
}

func TestEncodeReportsTheWriter(t *testing.T) {
	doc, m := fullDocument()
	full := errors.New("disk full")
	if err := Encode(errWriter{full}, doc, m); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type errWriter struct{ err error }

func (e errWriter) Write([]byte) (int, error) { return 0, e.err }
