package mount

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"omerods/internal/sandbox/sample"
	"omerods/internal/turns"
)

// peak is the most memory that a process has had, in MiB, since it began or
// since the last reset.
func peak(b *testing.B, pid int) float64 {
	b.Helper()
	for line := range strings.Lines(readText("/proc/" + strconv.Itoa(pid) + "/status")) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("the mount's memory is not known")
	return 0
}

// BenchmarkRatioShapes looks at transfer.xml of a project with ten shapes on
// each of ten thousand images, through a mount in a process of its
// own: its memory is that of nothing else.
func BenchmarkRatioShapes(b *testing.B) {
	images := turns.Shrink(10000, 300)
	w := newBenchWorld(b, int64(images)*64<<10, sample.Bulk{Project: "Shapes", Dataset: "Cells", Images: images, Shapes: 10})
	project := w.sandbox.Store().Find("Project", nameIs("Shapes")).ID
	dataset := w.sandbox.Store().Find("Dataset", nameIs("Cells")).ID
	query := func() {
		list, _, err := w.mount.omero.ImagesOf(w.ctx, []int64{dataset})
		if err != nil || len(list) != images {
			b.Fatalf("%d images, %v", len(list), err)
		}
		ids := make([]int64, len(list))
		for i, im := range list {
			ids[i] = im.ID
		}
		if rois, err := w.mount.omero.ROIs(w.ctx, ids); err != nil || len(rois) != images {
			b.Fatalf("%d regions, %v", len(rois), err)
		}
	}
	bin := builtProgram(b)
	settings, err := w.sandbox.WriteSettings(w.sandbox.Users()[0])
	if err != nil {
		b.Fatal(err)
	}
	t := make(turns.Times)
	var high, listed float64
	var size int64
	var queries, others int
	for range turns.Rounds {
		t.Measure("query", query)
		v := startVictim(b, bin, settings.Config, b.TempDir(), "OMERODS_CACHE_DIR="+b.TempDir())
		path := filepath.Join(v.dir, "omero", "lab", "ada", "projects", "Shapes")
		t.Measure("list", func() { w.run("ls", "-f", path) })
		listed = max(listed, peak(b, v.cmd.Process.Pid))
		stat := func(what string) {
			t.Measure(what, func() {
				info, err := os.Stat(filepath.Join(path, "transfer.xml"))
				if err != nil {
					b.Fatal(err)
				}
				size = info.Size()
			})
		}
		w.asked.take()
		stat("first")
		queries, _, others, _ = w.asked.take()
		stat("later")
		t.Measure("sums", func() { w.run("cat", filepath.Join(path, "SHA1SUMS")) })
		high = max(high, peak(b, v.cmd.Process.Pid))
		v.stop()
	}
	bare := t.Median("query")
	say("transfer.xml of project %d, %d images with %d shapes, has %.1f MB; the bare queries for images and regions take %s (%s)",
		project, images, 10*images, float64(size)/1e6, turns.Short(bare), t.Spread("query"))
	for _, l := range []struct{ what, line string }{
		{"list", "a listing without a stat of it"}, {"first", "first stat, which makes it"}, {"later", "a later stat"}, {"sums", "SHA1SUMS, whole"},
	} {
		say("  %s: %.4f of that time (%s; %s)", l.line, t.Median(l.what).Seconds()/bare.Seconds(), turns.Short(t.Median(l.what)), t.Spread(l.what))
	}
	say("  the first stat takes %d queries and %d other requests", queries, others)
	say("  the mount's memory: at most %.0f MiB, after the listing %.0f MiB", high, listed)
	b.ReportMetric(t.Median("first").Seconds()/bare.Seconds(), "stat-ratio")
	b.ReportMetric(float64(t.Median("later"))/float64(time.Microsecond), "later-stat-µs")
	b.ReportMetric(high, "peak-MiB")
	b.ReportMetric(0, "ns/op")
}
