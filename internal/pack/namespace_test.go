package pack

import (
	"bytes"
	"strings"
	"testing"
)

// Namespaces that are no URIs are written as ones, and come back.
func TestNamespacesThatAreNoURIs(t *testing.T) {
	for ns, written := range map[string]string{
		"openmicroscopy.org/omero/client/mapAnnotation": "openmicroscopy.org/omero/client/mapAnnotation",
		"http://example.org/?a=1&b=2#c":                 "http://example.org/?a=1&amp;b=2#c",
		"two words":                                     "two words",
		"image [12]":                                    "image%20%5B12%5D",
		"]]>":                                           "%5D%5D%3E",
		"x y: z":                                        "x%20y%3A%20z",
		"100%":                                          "100%25",
		"a#b#c":                                         "a%23b%23c",
		"http://a:b/":                                   "http%3A%2F%2Fa%3Ab%2F",
	} {
		doc := &Document{
			Datasets:    []Dataset{{ID: "Dataset:1", Name: "d"}},
			Annotations: []Annotation{{ID: "Annotation:2", Kind: CommentAnnotation, Namespace: ns, Text: "x"}},
			Links:       []Link{{From: "Dataset:1", To: "Annotation:2"}},
		}
		var b bytes.Buffer
		if err := Encode(&b, doc, &Manifest{}); err != nil {
			t.Fatal(err)
		}
		if want := `Namespace="` + written + `"`; !strings.Contains(b.String(), want) {
			t.Errorf("%q: no %s in\n%s", ns, want, b.String())
		}
		got, _, err := Decode(bytes.NewReader(b.Bytes()), Limits{})
		if err != nil {
			t.Fatalf("%q: %v", ns, err)
		}
		if len(got.Annotations) != 1 || got.Annotations[0].Namespace != ns {
			t.Errorf("%q: got %+v", ns, got.Annotations)
		}
	}
}
