package transfer

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// TestSharedFilesAreRefused gives a load a pack in which two filesets have the
// same file: it cannot be imported twice from one arrival.
func TestSharedFilesAreRefused(t *testing.T) {
	p := newTestPack(t)
	p.doc.Filesets[2].Entries[0] = p.doc.Filesets[0].Entries[0]
	var b bytes.Buffer
	if err := pack.Encode(&b, p.doc, p.manifest); err != nil {
		t.Fatal(err)
	}
	p.files[transferXML] = b.Bytes()
	ls, o := newTestLoads(t), newFakeOMERO()
	top := begin(t, ls, o, "Kidney")
	var failed error
	for _, n := range p.names(true) {
		if failed = write(testContext(), top, n, p.files[n]); failed != nil {
			break
		}
	}
	if !errors.Is(failed, tree.ErrInvalid) || !strings.Contains(failed.Error(), "D1/a.tif") {
		t.Errorf("got error %v, want one that names the file", failed)
	}
	if len(o.filesets)+len(o.finished) != 0 {
		t.Errorf("left %d filesets, %d loads", len(o.filesets), len(o.finished))
	}
}

// TestFileWithAFailedWriteHasNotArrived fills the spool with a file of a pack
// that gives no sizes: its close is clean, and still it is not whole.
func TestFileWithAFailedWriteHasNotArrived(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	ls.cfg.Spool.limit = 1 << 16
	var b bytes.Buffer
	if err := pack.Encode(&b, p.doc, p.unsized()); err != nil {
		t.Fatal(err)
	}
	p.files[transferXML] = b.Bytes()
	ctx := testContext()
	top := begin(t, ls, o, "Kidney")
	if err := write(ctx, top, transferXML, p.files[transferXML]); err != nil {
		t.Fatal(err)
	}
	dir, err := top.(tree.DirMaker).Mkdir(ctx, "D2", 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, h, err := dir.(tree.Creator).Create(ctx, "c.tif", tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}, Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	for off := 0; err == nil; off += 4096 {
		_, err = h.WriteAt(ctx, p.files["D2/c.tif"][off:off+4096], int64(off))
	}
	if !errors.Is(err, tree.ErrNoSpace) {
		t.Fatalf("write: got %v, want no space", err)
	}
	if err := h.Flush(ctx); !errors.Is(err, tree.ErrNoSpace) {
		t.Errorf("close: got %v, want no space again", err)
	}
	h.Release(ctx)
	time.Sleep(20 * time.Millisecond)
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.filesets) != 0 {
		t.Error("half of a file was imported")
	}
	if used := ls.cfg.Spool.Used(); used != 0 {
		t.Errorf("the spool keeps %d bytes of a file that nobody can use", used)
	}
}

// TestFileOfAnUnlinkedAnnotationIsNotUploaded gives a load a file annotation
// that no object has: its file would be left in OMERO for nobody.
func TestFileOfAnUnlinkedAnnotationIsNotUploaded(t *testing.T) {
	p := newTestPack(t)
	p.doc.Links = p.doc.Links[:2]
	var b bytes.Buffer
	if err := pack.Encode(&b, p.doc, p.manifest); err != nil {
		t.Fatal(err)
	}
	p.files[transferXML] = b.Bytes()
	for _, first := range []bool{true, false} {
		ls, o := newTestLoads(t), newFakeOMERO()
		top := begin(t, ls, o, "Kidney")
		for _, n := range p.names(first) {
			if err := write(testContext(), top, n, p.files[n]); err != nil {
				t.Fatal(n, err)
			}
		}
		if len(o.finished) != 1 || len(o.files) != 0 || len(o.finished[0].Files) != 0 {
			t.Errorf("transfer.xml first %v: got %d loads, files %v", first, len(o.finished), o.files)
		}
	}
}

// unsized is the manifest as a program writes it that knows neither sizes nor
// sums.
func (p testPack) unsized() *pack.Manifest {
	m := &pack.Manifest{}
	for _, f := range p.manifest.Files {
		f.Size, f.Hash, f.Algorithm = -1, "", ""
		m.Files = append(m.Files, f)
	}
	return m
}

// brokenSource fails after its first bytes, as a server does that goes away.
type brokenSource struct{}

func (brokenSource) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off >= 4096 {
		return 0, tree.Errorf(tree.ErrOffline, "the server has gone")
	}
	return min(len(p), 4096-int(off)), nil
}

func (brokenSource) Release(context.Context) {}

// TestFileWithAFailedCopyHasNotArrived copies inside the mount from a source
// that breaks off.
func TestFileWithAFailedCopyHasNotArrived(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	var b bytes.Buffer
	if err := pack.Encode(&b, p.doc, p.unsized()); err != nil {
		t.Fatal(err)
	}
	ctx := testContext()
	top := begin(t, ls, o, "Kidney")
	if err := write(ctx, top, transferXML, b.Bytes()); err != nil {
		t.Fatal(err)
	}
	dir, err := top.(tree.DirMaker).Mkdir(ctx, "D2", 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, h, err := dir.(tree.Creator).Create(ctx, "c.tif", tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}, Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Release(ctx)
	if n, err := h.(tree.CopyTarget).CopyFrom(ctx, tree.CopySource{Handle: brokenSource{}}, 0, 100000); !errors.Is(err, tree.ErrOffline) {
		t.Fatalf("copy: got %d, %v, want an error", n, err)
	}
	if err := h.Flush(ctx); !errors.Is(err, tree.ErrOffline) {
		t.Errorf("close: got %v, want the copy's error", err)
	}
}

// TestWhatIsLeftIsRemovedWhenTheServerIsBack fails a load whose server is away
// when its filesets are to be removed.
func TestWhatIsLeftIsRemovedWhenTheServerIsBack(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	ls.retry = 5 * time.Millisecond
	o.failAt, o.away = "finish", 3
	top := begin(t, ls, o, "Kidney")
	var failed error
	for _, n := range p.names(true) {
		if err := write(testContext(), top, n, p.files[n]); err != nil {
			failed = err
		}
	}
	if failed == nil {
		t.Fatal("the load did not fail")
	}
	left := func() int {
		o.mu.Lock()
		defer o.mu.Unlock()
		return len(o.filesets) + len(o.files)
	}
	for deadline := time.Now().Add(10 * time.Second); left() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d things are left in OMERO", left())
		}
	}
}
