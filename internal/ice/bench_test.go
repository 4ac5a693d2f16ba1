package ice_test

import (
	"fmt"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// projection returns the encoded result of a query of ten columns.
func projection(b *testing.B, rows int, enc ice.Encoding) ([]ice.Field, []byte) {
	b.Helper()
	d := slice.Definitions()
	all := make([]any, rows)
	for i := range all {
		row := make([]any, 10)
		for k := range row {
			switch k % 5 {
			case 0, 1:
				row[k] = d.New("::omero::RLong").Set("val", int64(i*10+k))
			case 2:
				row[k] = d.New("::omero::RString").Set("val", fmt.Sprintf("image %d of the study.tiff", i))
			case 3:
				row[k] = d.New("::omero::RTime").Set("val", int64(1_700_000_000_000+i))
			}
		}
		all[i] = row
	}
	fields := d.Interface("::omero::api::IQuery").Operation("projection").Results()
	data, err := d.EncodeParams(enc, fields, []any{all})
	if err != nil {
		b.Fatal(err)
	}
	return fields, data
}

func BenchmarkDecodeProjection(b *testing.B) {
	for _, enc := range []ice.Encoding{ice.Encoding10, ice.Encoding11} {
		b.Run(enc.String(), func(b *testing.B) {
			fields, data := projection(b, 10_000, enc)
			d := slice.Definitions()
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.DecodeParams(fields, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeChunk(b *testing.B) {
	d := slice.Definitions()
	fields := d.Interface("::omero::api::RawFileStore").Operation("write").In
	values := []any{make([]byte, 4<<20), int64(0), int32(4 << 20)}
	b.SetBytes(4 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.EncodeParams(ice.Encoding10, fields, values); err != nil {
			b.Fatal(err)
		}
	}
}
