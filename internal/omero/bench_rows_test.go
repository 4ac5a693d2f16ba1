package omero_test

import (
	"fmt"
	"runtime"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero"
	"omerods/internal/omero/slice"
	"omerods/internal/turns"
)

// rowsQuery gives seven columns of each image, as lists of images ask for.
const rowsQuery = "select i.id, i.name, i.fileset.id, i.series, i.acquisitionDate, i.details.owner.id, i.details.updateEvent.time " +
	"from DatasetImageLink l join l.child i left join i.fileset where l.parent.id = :id order by i.id"

// allocated is how many bytes this process has asked for so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// BenchmarkRows reads the rows of a query with the client from a server in
// another process, in pages and at once, and decodes as many without either.
func BenchmarkRows(b *testing.B) {
	s := startBench(b, 0, turns.Shrink(100_000, 2000))
	c := s.login(b)
	t := make(turns.Times)
	bytes := make(map[string]uint64)
	measure := func(what string, do func() (int, error)) func() {
		return func() {
			before := allocated()
			t.Measure(what, func() {
				if n, err := do(); err != nil || n != s.Rows {
					b.Fatalf("%s: %d rows, %v; want %d", what, n, err, s.Rows)
				}
			})
			bytes[what] = allocated() - before
		}
	}
	p := map[string]any{"id": s.Dataset}
	fields, answer := encodedRows(b, s.Rows)
	things := []struct {
		what string
		do   func()
	}{
		{what: "pages"}, {what: "one page"}, {what: "decoder"},
	}
	things[0].do = measure("pages", func() (int, error) { return c.Rows(b.Context(), rowsQuery, p) })
	things[1].do = measure("one page", func() (int, error) { return c.Page(b.Context(), rowsQuery, p, s.Rows) })
	things[2].do = measure("decoder", func() (int, error) {
		return omero.DecodeRows(fields, answer)
	})
	for i := range turns.Rounds {
		turns.Take(i, things[0].do, things[1].do, things[2].do)
	}
	for _, th := range things {
		rate := t.Rate(th.what, int64(s.Rows))
		fmt.Printf("%d rows of 7 columns, %s: %.0f rows per second (%s; %s), %d bytes allocated per row\n",
			s.Rows, th.what, rate, turns.Short(t.Median(th.what)), t.Spread(th.what), bytes[th.what]/uint64(s.Rows))
	}
	b.ReportMetric(0, "ns/op")
}

// encodedRows is an answer like that to rowsQuery.
func encodedRows(b *testing.B, n int) ([]ice.Field, []byte) {
	b.Helper()
	d := slice.Definitions()
	value := func(class string, v any) *ice.Object { return d.New("::omero::"+class).Set("val", v) }
	all := make([]any, n)
	for i := range all {
		when := int64(1_700_000_000_000 + i)
		all[i] = []any{value("RLong", int64(i)), value("RString", fmt.Sprintf("image %d of the study.tiff", i)), nil,
			value("RInt", int32(0)), value("RTime", when), value("RLong", int64(2)), value("RTime", when)}
	}
	fields := d.Interface("::omero::api::IQuery").Operation("projection").Results()
	data, err := d.EncodeParams(ice.Encoding10, fields, []any{all})
	if err != nil {
		b.Fatal(err)
	}
	return fields, data
}
