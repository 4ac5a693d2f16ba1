package mount

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
	"omerods/internal/turns"
)

func nameIs(name string) func(*store.Row) bool {
	return func(r *store.Row) bool { return r.Text("name") == name }
}

// manyImages is a dataset of very many images.
type manyImages struct {
	*benchWorld
	images  int
	path    string // in the mount
	dataset int64
}

func newManyImages(b *testing.B) *manyImages {
	b.Helper()
	n := turns.Shrink(10000, 500)
	w := newBenchWorld(b, int64(n)*64<<10, sample.Bulk{Dataset: "Many", Images: n})
	d := w.sandbox.Store().Find("Dataset", nameIs("Many"))
	return &manyImages{benchWorld: w, images: n, path: w.omero("datasets", "Many"), dataset: d.ID}
}

// query asks the server for the images as the mount's own client does.
func (m *manyImages) query() {
	m.b.Helper()
	images, _, err := m.mount.omero.ImagesOf(m.ctx, []int64{m.dataset})
	if err != nil || len(images) != m.images {
		m.b.Fatalf("the query gives %d images, %v", len(images), err)
	}
}

// ls lists the folder and checks that every image is there.
func (m *manyImages) ls(flag string) {
	m.b.Helper()
	out := m.run("ls", flag, m.path)
	if n := strings.Count(out, ".tif\n"); n != m.images {
		m.b.Fatalf("ls %s shows %d images, want %d", flag, n, m.images)
	}
	if flag == "-l" && strings.Contains(out, "?") {
		m.b.Fatalf("ls -l does not know everything")
	}
}

// ask is how often the servers were asked for something.
type ask struct{ queries, others int }

func (m *manyImages) count(do func()) ask {
	m.asked.take()
	do()
	q, _, o, _ := m.asked.take()
	return ask{q, o}
}

// BenchmarkRatioList lists a dataset of very many images in a fresh mount:
// names only, with all attributes, and again; and asks for the images alone.
func BenchmarkRatioList(b *testing.B) {
	m := newManyImages(b)
	t := make(turns.Times)
	asks := make(map[string]ask)
	measure := func(what string, do func()) {
		asks[what] = m.count(func() { t.Measure(what, do) })
	}
	for range turns.Rounds {
		m.fresh()
		measure("query", m.query)
		measure("ls -f", func() { m.ls("-f") })
		measure("ls -f again", func() { m.ls("-f") })
		m.fresh()
		measure("ls -l", func() { m.ls("-l") })
		measure("ls -l again", func() { m.ls("-l") })
	}
	query := t.Median("query")
	say("the query that lists %d images: %s (%s), %d requests", m.images, turns.Short(query), t.Spread("query"), asks["query"].queries)
	for _, what := range []string{"ls -f", "ls -l", "ls -f again", "ls -l again"} {
		say("list a dataset of %d images with %s: %.2f of that time (%s; %s), %d queries and %d other requests", m.images, what,
			t.Median(what).Seconds()/query.Seconds(), turns.Short(t.Median(what)), t.Spread(what), asks[what].queries, asks[what].others)
	}
	say("  ls -l asks for the sizes of transfer.xml and SHA1SUMS, which are made for it")
	b.ReportMetric(t.Median("ls -f").Seconds()/query.Seconds(), "names-ratio")
	b.ReportMetric(t.Median("ls -l").Seconds()/query.Seconds(), "attributes-ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRatioTransfer looks at transfer.xml of that dataset in a fresh
// mount: the first and the second stat, the first cat, and the first stat of
// another mount that finds the file on disk.
func BenchmarkRatioTransfer(b *testing.B) {
	m := newManyImages(b)
	path := m.path + "/transfer.xml"
	t := make(turns.Times)
	asks := make(map[string]ask)
	var bytesLong int64
	stat := func(what string) {
		asks[what] = m.count(func() {
			t.Measure(what, func() {
				info, err := os.Stat(path)
				if err != nil {
					b.Fatal(err)
				}
				bytesLong = info.Size()
			})
		})
	}
	for range turns.Rounds {
		m.fresh()
		cache := m.mount.cfg.CacheDir
		t.Measure("query", m.query)
		stat("first")
		stat("second")
		var text []byte
		asks["cat"] = m.count(func() { t.Measure("cat", func() { text = []byte(m.run("cat", path)) }) })
		m.checkTransfer(text, bytesLong)
		m.unmount()
		m.remount(func(c *Config) { c.CacheDir = cache })
		stat("of a new mount")
	}
	query := t.Median("query")
	say("transfer.xml of a dataset of %d images has %.1f MB; the query that lists the images takes %s", m.images, float64(bytesLong)/1e6, turns.Short(query))
	for _, l := range []struct{ what, line string }{
		{"first", "first stat, which makes it"}, {"second", "second stat"},
		{"of a new mount", "first stat of a new mount that has it on disk"}, {"cat", "first cat"},
	} {
		d := t.Median(l.what)
		say("  %s: %.4f of that time (%s; %s), %d queries and %d other requests", l.line, d.Seconds()/query.Seconds(), turns.Short(d), t.Spread(l.what),
			asks[l.what].queries, asks[l.what].others)
	}
	say("  the second stat takes %.5f of the first", t.Median("second").Seconds()/t.Median("first").Seconds())
	b.ReportMetric(t.Median("first").Seconds()/query.Seconds(), "stat-ratio")
	b.ReportMetric(float64(t.Median("second"))/float64(time.Microsecond), "second-stat-µs")
	b.ReportMetric(0, "ns/op")
}

// checkTransfer checks that the document is whole and has each image.
func (m *manyImages) checkTransfer(text []byte, size int64) {
	m.b.Helper()
	if int64(len(text)) != size {
		m.b.Fatalf("transfer.xml has %d bytes, stat says %d", len(text), size)
	}
	images, depth := 0, 0
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			m.b.Fatalf("transfer.xml: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 && e.Name.Local == "Image" {
				images++
			}
		case xml.EndElement:
			depth--
		}
	}
	if images != m.images {
		m.b.Fatalf("transfer.xml has %d images, want %d", images, m.images)
	}
}
