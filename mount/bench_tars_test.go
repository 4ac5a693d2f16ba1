package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/internal/sandbox/sample"
	"omerods/internal/turns"
)

// tarWorld is a project whose tar is read.
type tarWorld struct {
	*benchWorld
	bytes  int64 // of the original files
	images int
	folder string // of the dataset, in the mount
	tar    string // of the project
}

func newTarWorld(b *testing.B, images int, each int64) *tarWorld {
	b.Helper()
	need := int64(images) * max(each, 64<<10)
	w := newBenchWorld(b, need, sample.Bulk{Project: "Packed", Dataset: "All", Images: images, FileBytes: each})
	t := &tarWorld{benchWorld: w, images: images, folder: w.omero("projects", "Packed", "All"), tar: w.tars("projects", "Packed.tar")}
	files, err := filepath.Glob(filepath.Join(t.folder, "*.tif"))
	if err != nil || len(files) != images {
		b.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			b.Fatal(err)
		}
		t.bytes += info.Size()
	}
	// The only check of every byte; what is measured is checked by its length.
	w.run("bash", "-c", `set -o pipefail; dir=$(mktemp -d) && cd "$dir" && tar -xf "$1" && sha1sum --quiet -c SHA1SUMS; code=$?; cd / && rm -r "$dir"; exit $code`, "bash", t.tar)
	return t
}

// drop takes files out of the kernel's page cache.
func (t *tarWorld) drop(pattern string) {
	t.b.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.b.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.b.Fatal(err)
		}
		err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		if err := errors.Join(err, f.Close()); err != nil {
			t.b.Fatal(err)
		}
	}
}

// through runs a program that reads and prints how many bytes it had.
func (t *tarWorld) through(times turns.Times, what string, least int64, program string, args ...string) {
	t.b.Helper()
	t.asked.take()
	var out string
	times.Measure(what, func() { out = t.run(program, args...) })
	if _, reads, _, _ := t.asked.take(); reads < t.images {
		t.b.Fatalf("%s: %d reads of %d files; the rest came from the page cache", what, reads, t.images)
	}
	var n int64
	if _, err := fmt.Sscan(strings.TrimSpace(out), &n); err != nil || n < least {
		t.b.Fatalf("%s: %q, want at least %d bytes", what, out, least)
	}
}

const (
	catFiles = `cd "$1" && cat *.tif | wc -c`
	catOne   = `cat "$1" | wc -c`
	ddOne    = `dd if="$1" bs=1M status=none | wc -c`
	tarOne   = `tar -xOf "$1" | wc -c`
)

// compare reads the files of the project and its tar, by turns, and says what
// the ratio is.
func (t *tarWorld) compare(programs ...string) {
	t.b.Helper()
	times := make(turns.Times)
	scripts := map[string]string{"cat": catOne, "dd bs=1M": ddOne, "tar": tarOne}
	for i := range turns.Rounds {
		things := []func(){func() {
			t.drop(filepath.Join(t.folder, "*.tif"))
			t.through(times, "files", t.bytes, "bash", "-c", catFiles, "bash", t.folder)
		}}
		for _, p := range programs {
			things = append(things, func() {
				t.drop(t.tar)
				t.through(times, p, t.bytes, "bash", "-c", scripts[p], "bash", t.tar)
			})
		}
		turns.Take(i, things...)
	}
	say("%d files of %.0f MB in all, read by cat: %s (%s; %s)", t.images, float64(t.bytes)/1e6, turns.Short(times.Median("files")),
		turns.Megabytes(times.Rate("files", t.bytes)), times.Spread("files"))
	for _, p := range programs {
		say("  their tar by %s: %.2f of that speed (%s; %s)", p, times.Ratio(p, "files"), turns.Megabytes(times.Rate(p, t.bytes)), times.Spread(p))
	}
	t.b.ReportMetric(times.Ratio(programs[0], "files"), "tar/files-ratio")
	t.b.ReportMetric(0, "ns/op")
}

// BenchmarkRatioTar reads the tar of a project of some large files, and the
// files.
func BenchmarkRatioTar(b *testing.B) {
	t := newTarWorld(b, 16, turns.Shrink[int64](16<<20, 2<<20))
	t.compare("cat", "dd bs=1M", "tar")
}

// BenchmarkRatioTarOfMany reads the tar of very many small files, and looks at
// it in a fresh mount: a listing, the first stat, the first open, and both of
// another mount that finds on disk what was made.
func BenchmarkRatioTarOfMany(b *testing.B) {
	t := newTarWorld(b, turns.Shrink(10000, 500), 0)
	times, asks := make(turns.Times), make(map[string][2]int)
	measure := func(what string, do func()) {
		t.asked.take()
		times.Measure(what, do)
		queries, reads, others, _ := t.asked.take()
		asks[what] = [2]int{queries, reads + others}
	}
	open := func() {
		f, err := os.Open(t.tar)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		if _, err := f.ReadAt(make([]byte, 512), 0); err != nil {
			b.Fatal(err)
		}
	}
	stat := func(path string) func() {
		return func() {
			if _, err := os.Stat(path); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range turns.Rounds {
		t.fresh()
		cache := t.mount.cfg.CacheDir
		measure("list", func() { t.run("ls", "-f", filepath.Dir(t.tar)) })
		measure("transfer", stat(t.omero("projects", "Packed", "transfer.xml")))
		measure("stat", stat(t.tar))
		measure("open", open)
		measure("again", open)
		t.unmount()
		t.remount(func(c *Config) { c.CacheDir = cache })
		measure("kept", open)
	}
	info, err := os.Stat(t.tar)
	if err != nil {
		b.Fatal(err)
	}
	say("the tar of %d small files has %.1f MB; the first stat of transfer.xml takes %s", t.images, float64(info.Size())/1e6, turns.Short(times.Median("transfer")))
	for _, l := range []struct{ what, line string }{
		{"list", "a listing in a fresh mount"}, {"stat", "first stat of the tar after that"}, {"open", "first open and read after that"},
		{"again", "second open and read"}, {"kept", "first open and read of a new mount that has it on disk"},
	} {
		say("  %s: %.4f of that time (%s; %s), %d queries and %d other requests", l.line, times.Median(l.what).Seconds()/times.Median("transfer").Seconds(),
			turns.Short(times.Median(l.what)), times.Spread(l.what), asks[l.what][0], asks[l.what][1])
	}
	t.compare("cat", "tar")
}
