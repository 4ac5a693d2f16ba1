package mount

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"omerods/fs"
	"omerods/fs/memtree"
	"omerods/fs/tree"
	"omerods/internal/sandbox"
	"omerods/internal/transfer"
)

func (w *world) waitFor(p string, opts WaitOptions) WaitResult {
	w.t.Helper()
	r, err := Wait(w.t.Context(), p, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func TestWait(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	saved := w.home("Kidney")
	started := make(chan struct{})
	go func() {
		defer close(started)
		w.try("cp", "-r", w.omero("projects", "Kidney"), saved)
	}()
	// It has not begun yet.
	r := w.waitFor(saved, WaitOptions{Begin: time.Minute})
	if r.Code != WaitFinished || r.Direction != transfer.ToArchive || r.Path != "irods/tempZone/home/ada/Kidney" || r.FilesDone == 0 {
		t.Errorf("a save: got %+v", r)
	}
	<-started
	if r := w.waitFor(filepath.Join(saved, "transfer.xml"), WaitOptions{}); r.Code != WaitFinished || !strings.Contains(r.Text(), "finished") {
		t.Errorf("inside of a save that has ended: got %+v", r)
	}
	if r := w.waitFor(w.home(), WaitOptions{}); r.Code != WaitNothing {
		t.Errorf("beside it: got %+v", r)
	}
	if r := w.waitFor(w.home("Never"), WaitOptions{Begin: time.Hour, Timeout: time.Millisecond}); r.Code != WaitNothing {
		t.Errorf("nothing has begun in time: got %+v", r)
	}
	loaded := w.omero("projects", "Kidney again")
	w.run("cp", "-r", saved, loaded)
	if r := w.waitFor(loaded, WaitOptions{}); r.Code != WaitFinished || !strings.Contains(r.Text(), "is now Project:") {
		t.Errorf("a load: got %+v, %s", r, r.Text())
	}

	half := w.home("Half")
	if err := os.Mkdir(half, 0o755); err != nil {
		t.Fatal(err)
	}
	hold := filepath.Join(half, "hold")
	f, err := os.Create(hold) // this process keeps the save alive
	if err != nil {
		t.Fatal(err)
	}
	w.copyFile(filepath.Join(saved, "transfer.xml"), filepath.Join(half, "transfer.xml"))
	if r := w.waitFor(half, WaitOptions{Timeout: time.Millisecond}); r.Code != WaitTimeout {
		t.Errorf("while it runs: got %+v", r)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// Another mount knows it by its metadata alone.
	w.unmount()
	w.remount()
	if r := w.waitFor(half, WaitOptions{}); r.Code != WaitPartial || r.Reason == "" {
		t.Errorf("a partial save of another mount: got %+v", r)
	}
	if r := w.waitFor(filepath.Join(saved, "Confocal"), WaitOptions{}); r.Code != WaitFinished || r.FilesDone == 0 {
		t.Errorf("a finished save of another mount: got %+v", r)
	}
	if _, err := Wait(context.Background(), t.TempDir(), WaitOptions{}); err == nil {
		t.Error("outside of any mount: got no error")
	}
	w.run("rm", "-r", saved)
	if r := w.waitFor(saved, WaitOptions{}); r.Code != WaitNothing {
		t.Errorf("removed: got %+v", r)
	}
}

// copyFile copies by this process, so that it counts as the writer.
func (w *world) copyFile(from, to string) {
	w.t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// What status tells of a file that is half there is half of it.
func TestProgressOfAFile(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	project := w.omero("projects", "Kidney")
	image := filepath.Join("Confocal", "glomerulus.ome.tiff")
	text, err := os.ReadFile(filepath.Join(project, image))
	if err != nil {
		t.Fatal(err)
	}
	for dir, side := range map[string]transfer.Direction{w.home("Kidney"): transfer.ToArchive, w.omero("projects", "Again"): transfer.ToOMERO} {
		if err := os.MkdirAll(filepath.Join(dir, "Confocal"), 0o755); err != nil {
			t.Fatal(err)
		}
		w.copyFile(filepath.Join(project, "transfer.xml"), filepath.Join(dir, "transfer.xml"))
		f, err := os.Create(filepath.Join(dir, image))
		if err != nil {
			t.Fatal(err)
		}
		before := w.latest(side)
		half := len(text) / 2
		if _, err := f.Write(text[:half]); err != nil {
			t.Fatal(err)
		}
		var r transfer.Record
		eventually(t, "half a file is counted", func() bool {
			r = w.latest(side)
			return r.BytesDone-before.BytesDone == int64(half)
		})
		if !r.Running() || r.FilesDone != before.FilesDone {
			t.Errorf("%s: got %+v, want half a file more than %+v", side, r, before)
		}
		if _, err := f.Write(text[half:]); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the file is counted once", func() bool {
			r = w.latest(side)
			return r.BytesDone-before.BytesDone == int64(len(text)) && r.FilesDone == before.FilesDone+1
		})
		if side == transfer.ToOMERO {
			eventually(t, "what OMERO has is told", func() bool { return w.latest(side).BytesSent == int64(len(text)) })
		}
	}
}

// A tar is one file, and known as a save before it is whole.
func TestWaitForATar(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	text, err := os.ReadFile(filepath.Join(w.dir, "tars", "lab", "ada", "projects", "Kidney.tar"))
	if err != nil {
		t.Fatal(err)
	}
	saved := w.home("Kidney.tar")
	// A program that another test starts closes its copy of f, which is a close
	// like any other.
	syscall.ForkLock.RLock()
	f, err := os.Create(saved)
	if err == nil {
		_, err = f.Write(text[:len(text)/2])
	}
	var r WaitResult
	if err == nil {
		r, err = Wait(t.Context(), saved, WaitOptions{Timeout: time.Millisecond})
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != WaitTimeout || r.BytesDone != int64(len(text)/2) {
		t.Errorf("half of it: got %+v", r)
	}
	if _, err := f.Write(text[len(text)/2:]); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if r := w.waitFor(saved, WaitOptions{}); r.Code != WaitFinished || r.BytesDone != int64(len(text)) {
		t.Errorf("the whole: got %+v", r)
	}
	if err := os.WriteFile(w.home("other.tar"), []byte("no pack"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := w.waitFor(w.home("other.tar"), WaitOptions{}); r.Code != WaitNothing {
		t.Errorf("a tar that is no pack: got %+v", r)
	}
}

// latest is what the mount tells of the latest transfer of one direction.
func (w *world) latest(side transfer.Direction) transfer.Record {
	w.t.Helper()
	s, err := ReadStatus(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range s.Transfers {
		if r.Direction == side {
			return r
		}
	}
	return transfer.Record{}
}

func TestProgressText(t *testing.T) {
	now := time.Now()
	for want, r := range map[string]transfer.Record{
		"irods/z/P saving: 2/10 files, 1.0 MiB/3.0 MiB, 512.0 KiB/s, 4s left": {Direction: transfer.ToArchive, Path: "irods/z/P",
			State: transfer.StateSaving, Files: 10, FilesDone: 2, Bytes: 3 << 20, BytesDone: 1 << 20, Rate: 512 << 10, SecondsLeft: 4},
		"omero/P loading: 0/? files, 0 B/?": {Direction: transfer.ToOMERO, Path: "omero/P", State: transfer.StateLoading},
		"omero/P loading: 3/3 files, 5 B/5 B, ending": {Direction: transfer.ToOMERO, Path: "omero/P", State: transfer.StateLoading,
			Files: 3, FilesDone: 3, Bytes: 5, BytesDone: 5, BytesSent: 5},
		"omero/P failed: 1/3 files, 2 B/5 B: it broke": {Direction: transfer.ToOMERO, Path: "omero/P", State: transfer.StateFailed,
			Files: 3, FilesDone: 1, Bytes: 5, BytesDone: 2, Reason: "it\n broke"},
		"irods/z/P finished: 3/3 files, 4.0 MiB/4.0 MiB, 1.0 MiB/s": {Direction: transfer.ToArchive, Path: "irods/z/P", State: transfer.StateFinished,
			Files: 3, FilesDone: 3, Bytes: 4 << 20, BytesDone: 4 << 20, Started: now, Changed: now.Add(4 * time.Second)},
	} {
		if got := ProgressText(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWatch(t *testing.T) {
	s := Status{}
	for i := range 20 {
		s.Transfers = append(s.Transfers, transfer.Record{ID: string(rune('a' + i)), State: transfer.StateFinished, Path: strings.Repeat("long/", 40)})
	}
	s.Transfers[19].State = transfer.StateSaving
	lines := strings.Split(strings.TrimSuffix(s.WatchText(12, 60), "\n"), "\n")
	if len(lines) > 11 {
		t.Errorf("got %d lines on a screen of 12", len(lines))
	}
	for _, l := range lines {
		if n := len([]rune(l)); n > 60 {
			t.Errorf("got %d columns: %q", n, l)
		}
	}
	if all := s.WatchText(0, 0); strings.Count(all, "finished") != watchEnded || strings.Count(all, "saving") != 1 {
		t.Errorf("got %s", all)
	}
	var w Watcher
	if got := w.Lines(s); len(got) != 1 || !strings.Contains(got[0], "saving") {
		t.Errorf("at first: got %q, want the running one", got)
	}
	if got := w.Lines(s); len(got) != 0 {
		t.Errorf("no news: got %q", got)
	}
	s.Transfers[19].State = transfer.StateFinished
	if got := w.Lines(s); len(got) != 1 || !strings.Contains(got[0], "finished") {
		t.Errorf("its end: got %q", got)
	}
}

// TestSignalsEndNoWait has each question for metadata interrupted once, as
// signals of Go's runtime do.
func TestSignalsEndNoWait(t *testing.T) {
	needFuse(t)
	mt, dir := memtree.New(), t.TempDir()
	server, err := fs.Mount(t.Context(), mt.Root(), dir, fs.Options{Logger: testLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Unmount(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	saved := filepath.Join(dir, "irods", "saved")
	if err := os.MkdirAll(saved, 0o755); err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) {
		if err := again(func() error { return unix.Setxattr(saved, "user.irods.avu."+name, []byte(value), 0) }); err != nil {
			t.Fatal(err)
		}
	}
	set("omerods::state", "finished")
	set("omerods::files", "47")
	var asked atomic.Int64
	mt.Hook(memtree.OpGetxattr, "irods/saved", func(context.Context) error {
		if asked.Add(1)%2 == 1 {
			return tree.ErrInterrupted
		}
		return nil
	})
	r, found, err := marksAt(dir, "irods/saved/transfer.xml")
	if err != nil || !found || r.State != transfer.StateFinished || r.Files != 47 {
		t.Errorf("got %+v, %v, %v", r, found, err)
	}
	if asked.Load() < 2 {
		t.Error("nothing was interrupted")
	}
}
