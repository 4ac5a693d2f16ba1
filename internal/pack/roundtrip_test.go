package pack

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func encode(t testing.TB, doc *Document, m *Manifest) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, doc, m); err != nil {
		t.Fatalf("encode: %v", err)
	}
	return b.Bytes()
}

func decode(t testing.TB, data []byte) (*Document, *Manifest) {
	t.Helper()
	doc, m, err := Decode(bytes.NewReader(data), Limits{})
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return doc, m
}

// differences lists where two values differ, with the path of the field.
func differences(at string, a, b reflect.Value, out *[]string) {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				*out = append(*out, fmt.Sprintf("%s: got nil %v, want nil %v", at, a.IsNil(), b.IsNil()))
			}
			return
		}
		differences(at, a.Elem(), b.Elem(), out)
	case reflect.Struct:
		if a.Type().String() == "time.Time" {
			if !reflect.DeepEqual(a.Interface(), b.Interface()) {
				*out = append(*out, fmt.Sprintf("%s: got %v, want %v", at, a, b))
			}
			return
		}
		for i := range a.NumField() {
			differences(at+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i), out)
		}
	case reflect.Slice:
		if a.Len() != b.Len() || a.IsNil() != b.IsNil() {
			*out = append(*out, fmt.Sprintf("%s: got %d items (nil %v), want %d (nil %v)", at, a.Len(), a.IsNil(), b.Len(), b.IsNil()))
			return
		}
		for i := range a.Len() {
			differences(fmt.Sprintf("%s[%d]", at, i), a.Index(i), b.Index(i), out)
		}
	default:
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			*out = append(*out, fmt.Sprintf("%s: got %#v, want %#v", at, a, b))
		}
	}
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	var out []string
	differences(what, reflect.ValueOf(got), reflect.ValueOf(want), &out)
	if len(out) > 0 {
		t.Errorf("%s differs:\n%s", what, strings.Join(out, "\n"))
	}
}

func TestRoundTrip(t *testing.T) {
	doc, m := fullDocument()
	data := encode(t, doc, m)
	if name := os.Getenv("PACK_TEST_OUTPUT"); name != "" {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, gotManifest := decode(t, data)
	same(t, "document", got, doc)
	same(t, "manifest", gotManifest, m)
	wantDoc, wantManifest := fullDocument()
	same(t, "the encoded document afterwards", doc, wantDoc)
	same(t, "the encoded manifest afterwards", m, wantManifest)

	if again := encode(t, got, gotManifest); !bytes.Equal(again, data) {
		t.Error("what was decoded is encoded to other bytes")
	}
	if again := encode(t, doc, m); !bytes.Equal(again, data) {
		t.Error("a second encoding has other bytes")
	}
}

// TestRoundTripOfNothing has empty documents, and manifests that are empty or
// not there.
func TestRoundTripOfNothing(t *testing.T) {
	for _, m := range []*Manifest{nil, {}} {
		got, gotManifest := decode(t, encode(t, &Document{}, m))
		same(t, "document", got, &Document{})
		same(t, "manifest", gotManifest, m)
	}
}
