package pack

import (
	"bytes"
	"errors"
	"runtime/metrics"
	"strings"
	"testing"
)

// FuzzDecode looks for documents that stop the program, that are read as
// something that cannot be written again, or that lead out of the pack.
func FuzzDecode(f *testing.F) {
	doc, m := fullDocument()
	f.Add(encode(f, doc, m))
	f.Add(encode(f, &Document{}, nil))
	f.Add(transferDoc(transferImage("Image:1", "x", noteRef("Annotation:1")) + `<StructuredAnnotations>` + pathNote("Annotation:1", "a/mock_folder") + `</StructuredAnnotations>`))
	f.Add([]byte(`<!DOCTYPE x><OME><![CDATA[>]]><!-- "' --></OME>`))
	f.Add([]byte(`<!DOCTYPE OME [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><OME>&b;</OME>`))
	f.Add([]byte(`<OME>` + strings.Repeat("<a>", 70) + `</OME>`))
	f.Add([]byte(`<OME` + strings.Repeat(` a="b"`, 130) + `/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocatedBytes()
		doc, m, err := Decode(bytes.NewReader(data), Limits{Bytes: 1 << 20, Elements: 5000})
		if n := allocatedBytes() - before; n > uint64(64<<20+len(data)<<10) {
			t.Errorf("%d bytes of a document made the decoder allocate %d", len(data), n)
		}
		if err != nil {
			for _, class := range []error{ErrNotPack, ErrOldPack, ErrNewer, ErrLimit, ErrUnsafePath, ErrInvalid} {
				if errors.Is(err, class) {
					return
				}
			}
			t.Fatalf("an error of no class: %v", err)
		}
		for _, imp := range doc.ImportPlan() {
			if err := CheckPath(imp.Path); err != nil {
				t.Fatal(err)
			}
			for _, e := range imp.Entries {
				if err := CheckPath(e.Path); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, a := range doc.Annotations {
			if a.File != nil && a.Kind == FileAnnotation {
				if err := CheckPath(a.File.Path); err != nil {
					t.Fatal(err)
				}
			}
		}
		Problems(doc)
		if bytes.Contains(data, []byte("<Pack")) && m != nil {
			again(t, doc, m)
		}
	})
}

func allocatedBytes() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// again checks that a document of ours survives another round.
func again(t *testing.T, doc *Document, m *Manifest) {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, doc, m); err != nil {
		t.Fatalf("decoded, but not encoded: %v", err)
	}
	if _, _, err := Decode(&b, Limits{}); err != nil {
		t.Fatalf("encoded, but not decoded: %v", err)
	}
}
