package mount

import (
	"os"
	"path/filepath"
	"testing"

	"omerods/internal/pack"
	"omerods/internal/turns"
)

// BenchmarkRatioPage looks at the page of a dataset of very many images in a
// fresh mount, and copies its thumbnails, in ratio to the query that lists the
// images.
func BenchmarkRatioPage(b *testing.B) {
	m := newManyImages(b)
	page, thumbnails := filepath.Join(m.path, pack.ReadmeFile), filepath.Join(m.path, pack.ThumbnailsDir)
	t := make(turns.Times)
	asks := make(map[string]ask)
	measure := func(what string, do func()) {
		asks[what] = m.count(func() { t.Measure(what, do) })
	}
	size := func() (n int64) {
		info, err := os.Stat(page)
		if err != nil {
			b.Fatal(err)
		}
		return info.Size()
	}
	var bytesLong int64
	for range turns.Rounds {
		m.fresh()
		t.Measure("query", m.query)
		measure("ls", func() { m.run("ls", "-f", thumbnails) })
		measure("transfer", func() { m.run("stat", filepath.Join(m.path, pack.TransferXML)) })
		measure("stat", func() { bytesLong = size() })
		measure("copy", func() { m.run("cp", "-r", thumbnails, b.TempDir()) })
		measure("again", func() { m.run("cp", "-r", thumbnails, b.TempDir()) })
	}
	query := t.Median("query")
	say("README.html of a dataset of %d images has %.1f MB; the query that lists the images takes %s", m.images, float64(bytesLong)/1e6, turns.Short(query))
	for _, l := range []struct{ what, line string }{
		{"ls", "names of the thumbnails, which draws none"}, {"transfer", "first stat of transfer.xml, which makes both"},
		{"stat", "stat of README.html after that"}, {"copy", "copy of all thumbnails"}, {"again", "and again"},
	} {
		d := t.Median(l.what)
		say("  %s: %.4f of that time (%s; %s), %d queries and %d other requests", l.line, d.Seconds()/query.Seconds(), turns.Short(d), t.Spread(l.what),
			asks[l.what].queries, asks[l.what].others)
	}
	b.ReportMetric(t.Median("copy").Seconds()/query.Seconds(), "copy-ratio")
	b.ReportMetric(0, "ns/op")
}
