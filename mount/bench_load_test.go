package mount

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
	"omerods/internal/turns"
)

// loadRounds are fewer than elsewhere: each leaves its ten thousand images.
const loadRounds = 2

// BenchmarkRatioLoad loads a project of ten thousand images in few filesets
// with ten shapes on each, through a mount in a process of its own, and
// compares that with bare imports of the same files. The server does most of
// both.
func BenchmarkRatioLoad(b *testing.B) {
	const sets, shapes = 10, 10
	images := turns.Shrink(10000, 300)
	w := newBenchWorld(b, 1<<30, sample.Bulk{Project: "Large", Dataset: "Sets", Images: 1, Shapes: shapes})
	dataset := w.sandbox.Store().Find("Dataset", nameIs("Sets"))
	ctx := omero.InGroup(w.ctx, dataset.Group)
	imports := func() (made []int64) {
		for n := range sets {
			im, err := w.mount.omero.BeginImport(ctx, omero.ImportSpec{
				ClientPaths: []string{fmt.Sprintf("set%d&series=%d&sizeX=16&sizeY=16.fake", n, images/sets)}})
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := im.Upload(ctx, 0, bytes.NewReader(nil)); err != nil {
				b.Fatal(err)
			}
			res, err := im.Finish(ctx, nil)
			if err != nil {
				b.Fatal(err)
			}
			made = append(made, res.Images...)
		}
		return made
	}
	fill(b, w, dataset, imports(), shapes)
	w.fresh()
	local := b.TempDir()
	w.run("cp", "-r", w.omero("projects", "Large"), local)
	info, err := os.Stat(filepath.Join(local, "Large", "transfer.xml"))
	if err != nil {
		b.Fatal(err)
	}
	bin := builtProgram(b)
	settings, err := w.sandbox.WriteSettings(w.sandbox.Users()[0])
	if err != nil {
		b.Fatal(err)
	}
	t := make(turns.Times)
	var high float64
	var queries, others int
	for round := range loadRounds {
		t.Measure("imports", func() { imports() })
		v := startVictim(b, bin, settings.Config, b.TempDir(), "OMERODS_CACHE_DIR="+b.TempDir(), "OMERODS_STATE_DIR="+b.TempDir())
		name := fmt.Sprintf("Again %d", round)
		path := filepath.Join(v.dir, "omero", "lab", "ada", "projects", name)
		before := w.sandbox.Store().Count("Shape")
		w.asked.take()
		t.Measure("load", func() {
			w.run("cp", "-r", filepath.Join(local, "Large"), path)
			for deadline := time.Now().Add(20 * time.Minute); w.sandbox.Store().Find("Project", nameIs(name)) == nil; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					b.Fatal("no project was made")
				}
			}
		})
		queries, _, others, _ = w.asked.take()
		high = max(high, peak(b, v.cmd.Process.Pid))
		v.stop()
		if made := w.sandbox.Store().Count("Shape") - before; made != (images+1)*shapes {
			b.Fatalf("%d shapes were made", made)
		}
	}
	bare := t.Median("imports")
	say("loading a project of %d images with %d shapes in %d filesets, transfer.xml of %.1f MB; bare imports of the files take %s (%s)",
		images, shapes*images, sets, float64(info.Size())/1e6, turns.Short(bare), t.Spread("imports"))
	say("  the load: %.3f of that time (%s; %s), %d queries and %d other requests", t.Median("load").Seconds()/bare.Seconds(),
		turns.Short(t.Median("load")), t.Spread("load"), queries, others)
	say("  the mount's memory: at most %.0f MiB", high)
	b.ReportMetric(t.Median("load").Seconds()/bare.Seconds(), "load-ratio")
	b.ReportMetric(high, "peak-MiB")
	b.ReportMetric(0, "ns/op")
}

// fill puts images into a dataset and shapes on them.
func fill(b *testing.B, w *benchWorld, dataset *store.Row, images []int64, shapes int) {
	b.Helper()
	actor := store.Actor{User: dataset.Owner, Group: dataset.Group}
	err := w.sandbox.Store().Write(actor, func(a *store.Author) error {
		for _, id := range images {
			im := a.Tx().Get(a.Tx().Model().Class("Image"), id)
			if _, err := a.Create("DatasetImageLink", store.Values{"parent": dataset, "child": im}); err != nil {
				return err
			}
			roi, err := a.Create("Roi", store.Values{"image": im})
			if err != nil {
				return err
			}
			for n := range shapes {
				at := float64(n)
				v := store.Values{"roi": roi, "x": at, "y": at, "width": 3.0, "height": 2.0, "theZ": 0, "theT": 0, "textValue": fmt.Sprintf("cell %d", n)}
				if _, err := a.Create("Rectangle", v); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
