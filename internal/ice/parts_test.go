package ice_test

import (
	"bytes"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// TestEncodeParts compares what is encoded in two parts with the whole, for a
// large chunk of a file and for what cannot be split.
func TestEncodeParts(t *testing.T) {
	d := slice.Definitions()
	op := func(iface, name string) *ice.Operation { return d.Interface(iface).Operation(name) }
	chunk := make([]byte, 70_000)
	for i := range chunk {
		chunk[i] = byte(i)
	}
	tests := []struct {
		name   string
		fields []ice.Field
		values []any
		rest   int
	}{
		{"chunk", op("::omero::api::RawFileStore", "read").Results(), []any{chunk}, len(chunk)},
		{"small chunk", op("::omero::api::RawFileStore", "read").Results(), []any{chunk[:100]}, 0},
		{"chunk before others", op("::omero::api::RawFileStore", "write").In, []any{chunk, int64(1), int32(2)}, 0},
		{"no bytes", op("::omero::api::IQuery", "projection").Results(), []any{[]any{}}, 0},
		{"nothing", nil, nil, 0},
	}
	for _, tt := range tests {
		for _, enc := range []ice.Encoding{ice.Encoding10, ice.Encoding11} {
			want, err := d.EncodeParams(enc, tt.fields, tt.values)
			if err != nil {
				t.Fatal(err)
			}
			head, rest, err := d.EncodeParts(enc, tt.fields, tt.values)
			if err != nil || len(rest) != tt.rest || !bytes.Equal(append(head, rest...), want) {
				t.Errorf("%s, %s: %d bytes in the second part, %v, or other bytes than in one", tt.name, enc, len(rest), err)
			}
		}
	}
	strings := op("::omero::api::ServiceFactory", "activeServices").Results()
	if _, _, err := d.EncodeParts(ice.Encoding10, strings, []any{chunk}); err == nil {
		t.Error("bytes were encoded as strings")
	}
}
