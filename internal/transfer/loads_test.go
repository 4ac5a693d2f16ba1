package transfer

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

func begin(t *testing.T, ls *Loads, o *fakeOMERO, name string) tree.Dir {
	t.Helper()
	d, err := ls.Begin(testContext(), o, name, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLoadCommitsWithItsLastFile(t *testing.T) {
	for _, first := range []bool{true, false} {
		ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
		top := begin(t, ls, o, "Kidney")
		ctx := testContext()
		for _, n := range p.names(first) {
			if len(o.finished) > 0 {
				t.Fatalf("transfer.xml first %v: finished before %s", first, n)
			}
			if err := write(ctx, top, n, p.files[n]); err != nil {
				t.Fatalf("transfer.xml first %v: %s: %v", first, n, err)
			}
		}
		if len(o.finished) != 1 {
			t.Fatalf("transfer.xml first %v: got %d loads, want 1", first, len(o.finished))
		}
		spec := o.finished[0]
		if spec.TopName != "Kidney" || len(spec.Images) != 4 || len(spec.Files) != 1 {
			t.Errorf("got name %q, images %v, files %v", spec.TopName, spec.Images, spec.Files)
		}
		for i, id := range []pack.ID{"Image:1", "Image:2", "Image:3"} {
			if next := pack.NewID(pack.KindImage, int64(i+2)); spec.Images[id] >= spec.Images[next] || spec.Images[id] == 0 {
				t.Errorf("the images are not in order: %v", spec.Images)
			}
		}
		for name, want := range map[string]string{"home/D1/a.tif": "image a", "home/D1/b.fileset/x.vsi": "main", "home/D1/b.fileset/y.ets": "more"} {
			if got := o.contents[name]; got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if len(o.filesets) != 3 {
			t.Errorf("got %d filesets, want 3", len(o.filesets))
		}
		if ls.Staged(ctx, o, "Kidney") != nil || ls.Alias(ctx, o, "Kidney") == nil {
			t.Error("a finished load is still staged, or its paths lead nowhere")
		}
	}
}

func TestLoadKeepsTheFoldersName(t *testing.T) {
	for folder, want := range map[string]string{"Kidney": "Kidney", "Another": "Another"} {
		ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
		top := begin(t, ls, o, folder)
		for _, n := range p.names(false) {
			if err := write(testContext(), top, n, p.files[n]); err != nil {
				t.Fatal(err)
			}
		}
		if got := o.finished[0].TopName; got != want {
			t.Errorf("folder %q: got name %q, want %q", folder, got, want)
		}
	}
}

func TestFailedLoadLeavesNothing(t *testing.T) {
	for _, at := range []string{"import", "finish"} {
		ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
		o.failAt = at
		top := begin(t, ls, o, "Kidney")
		var failed error
		for _, n := range p.names(false) {
			if err := write(testContext(), top, n, p.files[n]); err != nil {
				failed = err
			}
		}
		if !errors.Is(failed, tree.ErrIO) {
			t.Errorf("%s fails: got error %v, want an I/O error", at, failed)
		}
		if len(o.filesets)+len(o.files)+len(o.finished) != 0 {
			t.Errorf("%s fails: left %d filesets, %d files, %d loads", at, len(o.filesets), len(o.files), len(o.finished))
		}
		if ls.Staged(testContext(), o, "Kidney") != nil {
			t.Errorf("%s fails: the folder is still there", at)
		}
		r := ls.cfg.Records.All(1000)
		if len(r) != 1 || r[0].State != StateFailed || r[0].Reason == "" {
			t.Errorf("%s fails: record %+v", at, r)
		}
	}
}

func TestUnsureCommitRemovesNothing(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	o.failAt, o.unsure = "finish", true
	top := begin(t, ls, o, "Kidney")
	var failed error
	for _, n := range p.names(false) {
		if err := write(testContext(), top, n, p.files[n]); err != nil {
			failed = err
		}
	}
	if failed == nil || !strings.Contains(failed.Error(), "not known") {
		t.Errorf("got %v, want an error that says it is not known", failed)
	}
	if len(o.filesets) != 3 {
		t.Errorf("got %d filesets left, want all 3: they may be part of the new project", len(o.filesets))
	}
}

func TestLoadRefusals(t *testing.T) {
	ctx := testContext()
	p := newTestPack(t)

	t.Run("name exists", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		o.live["Kidney"] = true
		if _, err := ls.Begin(ctx, o, "Kidney", 0o755); !errors.Is(err, tree.ErrExists) {
			t.Errorf("got %v, want exists", err)
		}
	})
	t.Run("no right", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		o.mayNot = tree.Errorf(tree.ErrDenied, "not yours")
		if _, err := ls.Begin(ctx, o, "Kidney", 0o755); !errors.Is(err, tree.ErrDenied) {
			t.Errorf("got %v, want denied", err)
		}
	})
	t.Run("another kind", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		o.placeKind = pack.KindDataset
		top := begin(t, ls, o, "Kidney")
		if err := write(ctx, top, transferXML, p.files[transferXML]); !errors.Is(err, tree.ErrInvalid) {
			t.Errorf("got %v, want invalid", err)
		}
		if err := write(ctx, top, "D1/a.tif", p.files["D1/a.tif"]); err == nil {
			t.Error("a refused load goes on taking files")
		}
	})
	t.Run("not a pack", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		if err := write(ctx, begin(t, ls, o, "X"), transferXML, []byte("<html/>")); !errors.Is(err, tree.ErrInvalid) {
			t.Errorf("got %v, want invalid", err)
		}
	})
	t.Run("wrong size and wrong sum", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		top := begin(t, ls, o, "Kidney")
		if err := write(ctx, top, transferXML, p.files[transferXML]); err != nil {
			t.Fatal(err)
		}
		if err := write(ctx, top, "D1/a.tif", []byte("short")); !errors.Is(err, tree.ErrIO) {
			t.Errorf("wrong size: got %v, want an I/O error", err)
		}
		if err := write(ctx, top, "D2/c.tif", make([]byte, 100000)); !errors.Is(err, tree.ErrIO) {
			t.Errorf("wrong sum: got %v, want an I/O error", err)
		}
		if err := write(ctx, top, "D1/extra.tif", []byte("x")); !errors.Is(err, tree.ErrNotPermitted) {
			t.Errorf("no part of the pack: got %v, want not permitted", err)
		}
	})
	t.Run("no room", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		top := begin(t, ls, o, "Kidney")
		if err := write(ctx, top, "big.tif", make([]byte, 2<<20)); !errors.Is(err, tree.ErrNoSpace) {
			t.Errorf("got %v, want no space", err)
		}
	})
	t.Run("more images than the pack has", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		o.images = 1
		top := begin(t, ls, o, "Kidney")
		var failed error
		for _, n := range p.names(false) {
			if err := write(ctx, top, n, p.files[n]); err != nil {
				failed = err
			}
		}
		if failed == nil || len(o.finished) != 0 || len(o.filesets) != 0 {
			t.Errorf("got error %v, %d loads, %d filesets", failed, len(o.finished), len(o.filesets))
		}
	})
}

func TestRenameBringsTheLastFile(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	top := begin(t, ls, o, "Kidney")
	ctx := testContext()
	for _, n := range p.names(true) {
		if n == "D2/c.tif" {
			continue
		}
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Fatal(n, err)
		}
	}
	if err := write(ctx, top, "D2/.c.tif.Xa9bQ1", p.files["D2/c.tif"]); err != nil {
		t.Fatal(err)
	}
	if len(o.finished) != 0 {
		t.Fatal("a temporary name completed the load")
	}
	d2, err := top.Lookup(ctx, "D2")
	if err != nil {
		t.Fatal(err)
	}
	if err := d2.(tree.Renamer).Rename(ctx, ".c.tif.Xa9bQ1", d2.(tree.Dir), "c.tif", tree.RenameOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(o.finished) != 1 {
		t.Error("the rename that brought the last file did not wait for the load")
	}
}

func TestRemovingTheFolderCancels(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	ctx := testContext()
	top := begin(t, ls, o, "Kidney")
	for _, n := range []string{transferXML, "D1/a.tif"} {
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := remove(ctx, ls, o, top, "Kidney"); err != nil {
		t.Fatal(err)
	}
	if ls.Staged(ctx, o, "Kidney") != nil {
		t.Error("the folder is still there after its removal")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.filesets) != 0 {
		t.Errorf("%d filesets are left", len(o.filesets))
	}
}

func TestInterruptedWaitLeavesTheLoadRunning(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	o.release = make(chan struct{})
	top := begin(t, ls, o, "Kidney")
	ctx, cancel := context.WithCancel(testContext())
	names := p.names(false)
	for _, n := range names[:len(names)-1] {
		if err := write(testContext(), top, n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := write(ctx, top, transferXML, p.files[transferXML]); !errors.Is(err, tree.ErrInterrupted) {
		t.Errorf("got %v, want interrupted", err)
	}
	close(o.release)
	for deadline := time.Now().Add(10 * time.Second); ls.Alias(ctx, o, "Kidney") == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the load did not end")
		}
	}
}

func TestOthersDoNotSeeAStagedFolder(t *testing.T) {
	ls, o := newTestLoads(t), newFakeOMERO()
	begin(t, ls, o, "Kidney")
	other := tree.WithCaller(context.Background(), tree.Caller{UID: 1001})
	if ls.Staged(other, o, "Kidney") != nil || len(ls.List(other, o)) != 0 {
		t.Error("another user sees the folder")
	}
	if ls.Staged(testContext(), o, "Kidney") == nil || len(ls.List(testContext(), o)) != 1 {
		t.Error("the writer does not see the folder")
	}
}

func TestJournalRemembersWhatAKilledLoadLeft(t *testing.T) {
	dir := t.TempDir()
	j, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{j.Fileset("a", 1000, 5), j.Fileset("a", 1000, 6), j.File("a", 1000, 7), j.Fileset("b", 1000, 8), j.Done("b")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	j.Close() // as a crash does

	j, err = OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	refuse := errors.New("server away")
	if err := j.Recover(testContext(), func(context.Context, Leftover) error { return refuse }); !errors.Is(err, refuse) {
		t.Errorf("got %v, want the server's error", err)
	}
	var got []Leftover
	if err := j.Recover(testContext(), func(_ context.Context, l Leftover) error { got = append(got, l); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Load != "a" || got[0].UID != 1000 || len(got[0].Filesets) != 2 || len(got[0].Files) != 1 {
		t.Errorf("got %+v", got)
	}
	got = nil
	if err := j.Recover(testContext(), func(_ context.Context, l Leftover) error { got = append(got, l); return nil }); err != nil || len(got) != 0 {
		t.Errorf("after a recovery: got %+v, %v", got, err)
	}
}

func TestLoadWithoutGeneratedFilesCommitsAtTheWritersEnd(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	writer := exec.Command("sleep", "1000")
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer writer.Wait()
	defer writer.Process.Kill()
	ctx := tree.WithCaller(context.Background(), tree.Caller{UID: 1000, TID: uint32(writer.Process.Pid)})
	top, err := ls.Begin(ctx, o, "Kidney", 0o755)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.names(true) {
		if n == pack.SumsFile {
			continue
		}
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Fatal(n, err)
		}
	}
	o.mu.Lock()
	if len(o.finished) != 0 {
		t.Error("committed while a file of the manifest may still come")
	}
	o.mu.Unlock()
	writer.Process.Kill()
	for deadline := time.Now().Add(20 * time.Second); ls.Alias(ctx, o, "Kidney") == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the load did not end")
		}
	}
}

// TestEmptyFileOfUnknownSizeArrivesWithTheWritersEnd gives a load an empty image
// file in a pack that gives no sizes: when it is closed nobody can know that
// this was all.
func TestEmptyFileOfUnknownSizeArrivesWithTheWritersEnd(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	var b bytes.Buffer
	if err := pack.Encode(&b, p.doc, p.unsized()); err != nil {
		t.Fatal(err)
	}
	p.files[transferXML], p.files["D1/a.tif"] = b.Bytes(), nil
	writer := exec.Command("sleep", "1000")
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer writer.Wait()
	defer writer.Process.Kill()
	ctx := tree.WithCaller(context.Background(), tree.Caller{UID: 1000, TID: uint32(writer.Process.Pid)})
	top, err := ls.Begin(ctx, o, "Kidney", 0o755)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.names(true) {
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Fatal(n, err)
		}
	}
	o.mu.Lock()
	if len(o.finished) != 0 {
		t.Error("committed while more of the empty file may still come")
	}
	o.mu.Unlock()
	writer.Process.Kill()
	for deadline := time.Now().Add(20 * time.Second); ls.Alias(ctx, o, "Kidney") == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the load did not end: %+v", ls.cfg.Records.All(1000))
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if content, there := o.contents["home/D1/a.tif"]; !there || content != "" || len(o.filesets) != 3 {
		t.Errorf("got %q (%v) and %d filesets", content, there, len(o.filesets))
	}
}
