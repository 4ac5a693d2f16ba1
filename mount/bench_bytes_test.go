package mount

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/internal/irods"
	"omerods/internal/omero"
	"omerods/internal/sandbox/sample"
	"omerods/internal/turns"
)

// largeFile is the original file that is read and saved.
type largeFile struct {
	*benchWorld
	bytes  int64
	path   string // in the mount
	file   omero.OriginalFile
	sha256 []byte // of what the mount has
}

func newLargeFile(b *testing.B, copies int64) *largeFile {
	b.Helper()
	n := turns.Shrink[int64](1<<30, 32<<20)
	w := newBenchWorld(b, n*(1+copies), sample.Bulk{Project: "Large", Dataset: "One file", Images: 1, FileBytes: n})
	l := &largeFile{benchWorld: w, bytes: n, path: w.omero("projects", "Large", "One file", "field_00000.tif")}
	row := w.sandbox.Store().Find("OriginalFile", nameIs("field_00000.tif"))
	files, err := w.mount.omero.OriginalFiles(w.ctx, []int64{row.ID})
	if err != nil || len(files) != 1 || files[0].Size != n {
		b.Fatalf("original file: got %v, %v", files, err)
	}
	l.file = files[0]
	// The only check of every byte that comes through the mount; what is
	// measured later is checked by its length.
	if sum := w.run("sha1sum", l.path); !strings.HasPrefix(sum, l.file.Hash) {
		b.Fatalf("the mount has the bytes of %s, want SHA-1 %s", sum, l.file.Hash)
	}
	h := sha256.New()
	l.read(h)
	l.sha256 = h.Sum(nil)
	return l
}

// read reads the file with the client, as the mount does.
func (l *largeFile) read(to io.Writer) {
	l.b.Helper()
	f := l.mount.omero.OpenFile(l.file)
	defer f.Close()
	buf := make([]byte, 1<<20)
	for off := int64(0); off < l.bytes; {
		n, err := f.ReadAt(l.ctx, buf, off)
		if err != nil && err != io.EOF || n == 0 {
			l.b.Fatalf("read at %d: %d bytes, %v", off, n, err)
		}
		if to != nil {
			_, _ = to.Write(buf[:n])
		}
		off += int64(n)
	}
}

// drop takes the file out of the kernel's page cache.
func (l *largeFile) drop() {
	l.b.Helper()
	f, err := os.Open(l.path)
	if err != nil {
		l.b.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		l.b.Fatal(err)
	}
}

// BenchmarkRatioRead reads a large original file through the mount, and with
// the mount's own client without FUSE.
func BenchmarkRatioRead(b *testing.B) {
	l := newLargeFile(b, 0)
	t := make(turns.Times)
	through := func(what, program string, args ...string) {
		l.drop()
		l.asked.take()
		var out string
		t.Measure(what, func() { out = l.run(program, args...) })
		if _, reads, _, _ := l.asked.take(); reads == 0 {
			b.Fatal("the bytes came from the page cache")
		}
		if want := fmt.Sprintf("%d bytes", l.bytes); !strings.Contains(out, want) {
			b.Fatalf("%s: got %q, want %s", program, out, want)
		}
	}
	var clientReads int
	for i := range turns.Rounds {
		turns.Take(i, func() {
			l.asked.take()
			t.Measure("client", func() { l.read(nil) })
			_, clientReads, _, _ = l.asked.take()
		}, func() {
			through("mount", "dd", "if="+l.path, "of=/dev/null", "bs=1M")
		}, func() {
			// cat, like cp, tells the kernel that it reads on.
			through("mount, told", "bash", "-c", `cat "$1" >/dev/null && stat -c '%s bytes' "$1"`, "cat", l.path)
		})
	}
	client := t.Rate("client", l.bytes)
	for _, how := range []struct{ what, program string }{{"mount", "dd"}, {"mount, told", "cat"}} {
		rate := t.Rate(how.what, l.bytes)
		say("read %s through the mount with %s: %.2f of the client's speed (%s against %s; %s, client %s)",
			turns.Size(l.bytes), how.program, rate/client, turns.Megabytes(rate), turns.Megabytes(client), t.Spread(how.what), t.Spread("client"))
	}
	say("  the client asks for %s in %d reads", turns.Size(l.bytes), clientReads)
	b.ReportMetric(t.Rate("mount", l.bytes)/client, "read-ratio")
	b.ReportMetric(0, "ns/op")
}

// putBytes is how much the measured client writes at once, as the mount does.
const putBytes = 4 << 20

// write writes as many bytes as the file has with the iRODS client, and lets
// the server compute their sum if that is wanted.
func (l *largeFile) write(path string, verify bool) {
	l.b.Helper()
	c := l.mount.irods
	f, err := c.Create(l.ctx, path)
	if err != nil {
		l.b.Fatal(err)
	}
	buf := make([]byte, putBytes)
	for off := int64(0); off < l.bytes; off += putBytes {
		if err := f.WriteAt(l.ctx, buf[:min(putBytes, l.bytes-off)], off); err != nil {
			l.b.Fatal(err)
		}
	}
	if err := f.Close(l.ctx); err != nil {
		l.b.Fatal(err)
	}
	if !verify {
		return
	}
	if sum, err := c.Checksum(l.ctx, path, true); err != nil || irods.SHA256(sum) == nil {
		l.b.Fatalf("checksum: %q, %v", sum, err)
	}
}

func (l *largeFile) remove(path string) {
	l.b.Helper()
	if err := l.mount.irods.Remove(l.ctx, path, true); err != nil {
		l.b.Fatal(err)
	}
}

// BenchmarkRatioSave saves a project with one large file by cp within the
// mount, and reads and writes as many bytes alone with the clients.
func BenchmarkRatioSave(b *testing.B) {
	l := newLargeFile(b, 2)
	t := make(turns.Times)
	var omeroReads, irodsAsked int
	for i := range turns.Rounds {
		plain, name := l.logical(fmt.Sprintf("plain %d", i)), fmt.Sprintf("saved %d", i)
		turns.Take(i, func() {
			t.Measure("read", func() { l.read(nil) })
		}, func() {
			t.Measure("write", func() { l.write(plain, false) })
			l.remove(plain)
		}, func() {
			t.Measure("write, verified", func() { l.write(plain, true) })
			l.remove(plain)
		}, func() {
			l.drop()
			l.asked.take()
			t.Measure("save", func() { l.run("cp", "-r", l.omero("projects", "Large"), l.home(name)) })
			_, omeroReads, _, irodsAsked = l.asked.take()
			l.checkSaved(name)
			if err := os.RemoveAll(l.home(name)); err != nil {
				b.Fatal(err)
			}
		})
	}
	save, read, write, verified := t.Median("save"), t.Median("read"), t.Median("write"), t.Median("write, verified")
	say("save a project of %s by cp in the mount: %s (%s; %s)", turns.Size(l.bytes), turns.Short(save), turns.Megabytes(t.Rate("save", l.bytes)), t.Spread("save"))
	line := func(what string, d float64, rate string) {
		say("  %.2f of the speed of %s (%s)", d/save.Seconds(), what, rate)
	}
	line("reading alone", read.Seconds(), turns.Megabytes(t.Rate("read", l.bytes))+"; "+t.Spread("read"))
	line("writing alone", write.Seconds(), turns.Megabytes(t.Rate("write", l.bytes))+"; "+t.Spread("write"))
	line("writing alone with the server's checksum", verified.Seconds(), turns.Megabytes(t.Rate("write, verified", l.bytes))+"; "+t.Spread("write, verified"))
	line("reading and writing with the checksum at the same time, at best", max(read, verified).Seconds(), turns.Short(max(read, verified)))
	line("reading, then writing with the checksum", (read + verified).Seconds(), turns.Short(read+verified))
	say("  a save asks OMERO for %d reads and iRODS %d times", omeroReads, irodsAsked)
	b.ReportMetric(read.Seconds()/save.Seconds(), "save/read-ratio")
	b.ReportMetric(write.Seconds()/save.Seconds(), "save/write-ratio")
	b.ReportMetric(0, "ns/op")
}

// checkSaved compares what iRODS has registered with the original's bytes.
func (l *largeFile) checkSaved(name string) {
	l.b.Helper()
	path := l.logical(name, "One file", filepath.Base(l.path))
	sum, err := l.mount.irods.Checksum(l.ctx, path, false)
	if err != nil {
		l.b.Fatal(err)
	}
	if got := hex.EncodeToString(irods.SHA256(sum)); got != hex.EncodeToString(l.sha256) {
		l.b.Fatalf("the saved file has SHA-256 %s, want %x", got, l.sha256)
	}
	if got := len(listing(l.b, l.home(name))); got < 4 {
		l.b.Fatalf("the saved project has %d entries", got)
	}
}
