package transfer

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/fs/tree"
)

// tarOf makes a tar of files in the order of names, the way GNU tar does.
func tarOf(t testing.TB, prefix string, names []string, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if prefix != "" {
		header(t, w, &tar.Header{Typeflag: tar.TypeDir, Name: prefix, Mode: 0o755})
	}
	made := map[string]bool{}
	for _, n := range names {
		if dir := path.Dir(n); dir != "." && !made[dir] {
			made[dir] = true
			header(t, w, &tar.Header{Typeflag: tar.TypeDir, Name: prefix + dir + "/", Mode: 0o755})
		}
		header(t, w, &tar.Header{Typeflag: tar.TypeReg, Name: prefix + n, Size: int64(len(files[n])), Mode: 0o644, Format: tar.FormatPAX})
		if _, err := w.Write(files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b.Write(make([]byte, 10240-b.Len()%10240))
	return b.Bytes()
}

func header(t testing.TB, w *tar.Writer, h *tar.Header) {
	t.Helper()
	if err := w.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
}

func zipOf(t testing.TB, names []string, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, err := w.Create(n)
		if err == nil {
			_, err = f.Write(files[n])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// create begins an archive the way cp does.
func create(t testing.TB, ls *Loads, o *fakeOMERO, file string) tree.WriteHandle {
	t.Helper()
	_, h, err := ls.CreateTar(testContext(), o, file, tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}, Exclusive: true, Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// writeTar writes content in steps, closes it, and returns the first error.
func writeTar(h tree.WriteHandle, content []byte, step int) error {
	ctx := testContext()
	defer h.Release(ctx)
	for off := 0; off < len(content); off += step {
		if _, err := h.WriteAt(ctx, content[off:min(off+step, len(content))], int64(off)); err != nil {
			return err
		}
	}
	return h.Flush(ctx)
}

// nothingLeft waits until a load that failed has removed everything.
func nothingLeft(t *testing.T, ls *Loads, o *fakeOMERO, file string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		records := ls.cfg.Records.All(1000)
		o.mu.Lock()
		left := len(o.filesets) + len(o.files) + len(o.finished)
		o.mu.Unlock()
		if left == 0 && ls.cfg.Spool.Used() == 0 && ls.StagedTar(testContext(), o, file) == nil && !records[0].Running() {
			if records[0].State != StateFailed || records[0].Reason == "" {
				t.Errorf("record %+v, want a failed one with a reason", records[0])
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left %d objects and %d bytes in the spool, record %+v", left, ls.cfg.Spool.Used(), records[0])
		}
	}
}

func (p testPack) checkLoaded(t *testing.T, o *fakeOMERO) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.finished) != 1 || len(o.filesets) != 3 {
		t.Fatalf("got %d loads and %d filesets, want 1 and 3", len(o.finished), len(o.filesets))
	}
	if spec := o.finished[0]; spec.TopName != "Kidney" || len(spec.Images) != 4 || len(spec.Files) != 1 {
		t.Errorf("got name %q, images %v, files %v", spec.TopName, spec.Images, spec.Files)
	}
	for _, name := range []string{"D1/a.tif", "D1/b.fileset/x.vsi", "D1/b.fileset/y.ets", "D2/c.tif"} {
		if got, want := o.contents["home/"+name], string(p.files[name]); got != want {
			t.Errorf("%s: got %d bytes, want %d", name, len(got), len(want))
		}
	}
}

func TestArchivesLoad(t *testing.T) {
	p := newTestPack(t)
	for name, content := range map[string][]byte{
		"transfer.xml first":         tarOf(t, "", p.names(true), p.files),
		"transfer.xml last":          tarOf(t, "", p.names(false), p.files),
		"with a dot":                 tarOf(t, "./", p.names(true), p.files),
		"with a dot, last":           tarOf(t, "./", p.names(false), p.files),
		"zip":                        zipOf(t, p.names(true), p.files),
		"zip, transfer.xml last":     zipOf(t, p.names(false), p.files),
		"transfer.xml twice":         tarOf(t, "", append([]string{transferXML}, p.names(true)...), p.files),
		"without the generated ones": tarOf(t, "", []string{transferXML, "D1/a.tif", "D1/b.fileset/x.vsi", "D1/b.fileset/y.ets", "D2/c.tif", "attachments/note.txt"}, p.files),
	} {
		for _, step := range []int{1, 1000, 10240, 1 << 20} {
			if step == 1 && name != "transfer.xml first" && name != "zip" {
				continue
			}
			ls, o := newTestLoads(t), newFakeOMERO()
			h := create(t, ls, o, "Kidney.tar")
			if n := len(ls.ListTars(testContext(), o)); n != 1 {
				t.Errorf("%s: the writer sees %d archives, want 1", name, n)
			}
			if err := writeTar(h, content, step); err != nil {
				t.Fatalf("%s in steps of %d: %v", name, step, err)
			}
			p.checkLoaded(t, o)
			if ls.StagedTar(testContext(), o, "Kidney.tar") != nil || ls.TarAlias(testContext(), o, "Kidney.tar") == nil {
				t.Errorf("%s: a finished load is still staged, or its path leads nowhere", name)
			}
			if used := ls.cfg.Spool.Used(); used != 0 {
				t.Errorf("%s: the spool holds %d bytes", name, used)
			}
		}
	}
}

// TestTarStreams loads more than the spool holds, with one fileset in the
// spool at a time.
func TestTarStreams(t *testing.T) {
	p, o := newTestPack(t), newFakeOMERO()
	ls := newTestLoads(t)
	ls.cfg.Spool.limit = int64(len(p.files["D2/c.tif"])) + 10 // the largest fileset
	h := create(t, ls, o, "Kidney.tar")
	ctx, content := testContext(), tarOf(t, "", p.names(true), p.files)
	began := 0 // filesets that were on their way before the end
	for off := 0; off < len(content); off += 512 {
		if _, err := h.WriteAt(ctx, content[off:off+512], int64(off)); err != nil {
			t.Fatal(err)
		}
		o.mu.Lock()
		if began = max(began, len(o.filesets)); len(o.finished) > 0 {
			t.Fatal("finished before it was closed")
		}
		o.mu.Unlock()
	}
	if began < 2 {
		t.Errorf("%d filesets went up while the tar came in, want at least 2", began)
	}
	if err := h.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	h.Release(ctx)
	p.checkLoaded(t, o)
}

// TestCutOffTarLeavesNothing ends a tar and a zip at many places.
func TestCutOffTarLeavesNothing(t *testing.T) {
	p := newTestPack(t)
	full := tarOf(t, "", p.names(true), p.files)
	end := bytes.LastIndexFunc(full, func(r rune) bool { return r != 0 }) // of the last member
	zipped := zipOf(t, p.names(true), p.files)
	for name, content := range map[string][]byte{"tar": full[:end], "zip": zipped} {
		for cut := 1; cut < len(content); cut += len(content) / 37 {
			ls, o := newTestLoads(t), newFakeOMERO()
			err := writeTar(create(t, ls, o, "Kidney.tar"), content[:cut], 5000)
			if !errors.Is(err, tree.ErrIncomplete) {
				t.Errorf("%s cut off after %d of %d bytes: got %v, want incomplete", name, cut, len(content), err)
			}
			nothingLeft(t, ls, o, "Kidney.tar")
		}
	}
}

// TestTarInAnyOrder writes a tar in pieces of any size in any order, some of
// them twice.
func TestTarInAnyOrder(t *testing.T) {
	p := newTestPack(t)
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		content := tarOf(t, "./", p.names(seed%2 == 0), p.files)
		if seed%3 == 0 {
			content = zipOf(t, p.names(true), p.files)
		}
		type part struct{ from, to int }
		var parts []part
		for from := 0; from < len(content); {
			to := min(from+1+rnd.IntN(20000), len(content))
			parts = append(parts, part{from, to})
			from = to
		}
		rnd.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		if seed%3 == 1 { // nearly in order
			slices.SortFunc(parts, func(a, b part) int { return a.from/40000 - b.from/40000 })
		}
		ls, o := newTestLoads(t), newFakeOMERO()
		h := create(t, ls, o, "Kidney.tar")
		ctx := testContext()
		for i, w := range parts {
			if i == 1 && parts[0].from > 0 { // once more, other bytes first
				w = parts[0]
			}
			if _, err := h.WriteAt(ctx, content[w.from:w.to], int64(w.from)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if i == 1 && parts[0].from > 0 {
				if _, err := h.WriteAt(ctx, content[parts[1].from:parts[1].to], int64(parts[1].from)); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		}
		if err := h.Flush(ctx); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		h.Release(ctx)
		p.checkLoaded(t, o)
	}
}

// TestHolesOfATar leaves out what is zero, as cp does with sparse files.
func TestHolesOfATar(t *testing.T) {
	p := newTestPack(t)
	ls, o := newTestLoads(t), newFakeOMERO()
	h := create(t, ls, o, "Kidney.tar")
	content, ctx := tarOf(t, "", p.names(true), p.files), testContext()
	for off := 0; off < len(content); off += 512 {
		if b := content[off : off+512]; !bytes.Equal(b, make([]byte, 512)) {
			if _, err := h.WriteAt(ctx, b, int64(off)); err != nil {
				t.Fatal(err)
			}
		}
	}
	size := int64(1) << 50 // and beyond its end there is nothing at all
	if _, err := h.(*tarHandle).tar.SetAttr(ctx, tree.AttrChange{Size: &size}); err != nil {
		t.Fatal(err)
	}
	if err := h.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	h.Release(ctx)
	p.checkLoaded(t, o)
}

func TestTarCannotBeRewritten(t *testing.T) {
	p := newTestPack(t)
	ls, o := newTestLoads(t), newFakeOMERO()
	h := create(t, ls, o, "Kidney.tar")
	ctx, content := testContext(), tarOf(t, "", p.names(true), p.files)
	if _, err := h.WriteAt(ctx, content[:20480], 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt(ctx, content[:512], 0); !errors.Is(err, tree.ErrNotPermitted) {
		t.Errorf("got %v, want not permitted", err)
	}
	if err := h.Flush(ctx); err == nil {
		t.Error("the close of a tar that was written twice succeeds")
	}
	h.Release(ctx)
	nothingLeft(t, ls, o, "Kidney.tar")
}

// TestEarlyCloses closes descriptors before and within the data, as shells and
// dd do.
func TestEarlyCloses(t *testing.T) {
	p := newTestPack(t)
	for name, content := range map[string][]byte{"tar": tarOf(t, "", p.names(true), p.files), "zip": zipOf(t, p.names(true), p.files)} {
		ls, o := newTestLoads(t), newFakeOMERO()
		h := create(t, ls, o, "Kidney.tar")
		ctx := testContext()
		if err := h.Flush(ctx); err != nil {
			t.Errorf("%s: a close before the first byte: %v", name, err)
		}
		if _, err := h.WriteAt(ctx, content[:3000], 0); err != nil {
			t.Fatal(err)
		}
		if err := h.Flush(ctx); !errors.Is(err, tree.ErrIncomplete) {
			t.Errorf("%s: a close within the data: got %v, want incomplete", name, err)
		}
		if _, err := h.WriteAt(ctx, content[3000:], 3000); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := h.Flush(ctx); err != nil {
				t.Errorf("%s: a close at the end: %v", name, err)
			}
		}
		h.Release(ctx)
		p.checkLoaded(t, o)
	}
}

// TestRemovedTarIsCancelled removes a tar while some of it is in OMERO.
func TestRemovedTarIsCancelled(t *testing.T) {
	p, ls, o := newTestPack(t), newTestLoads(t), newFakeOMERO()
	h := create(t, ls, o, "Kidney.tar")
	ctx, content := testContext(), tarOf(t, "", p.names(true), p.files)
	if _, err := h.WriteAt(ctx, content[:len(content)-20480], 0); err != nil {
		t.Fatal(err)
	}
	if there, err := ls.RemoveTar(ctx, o, "Kidney.tar"); !there || err != nil {
		t.Fatal(there, err)
	}
	if _, err := h.WriteAt(ctx, content[len(content)-20480:], int64(len(content)-20480)); err == nil {
		t.Error("a removed tar goes on taking bytes")
	}
	h.Release(ctx)
	if len(o.filesets)+len(o.finished) != 0 || ls.cfg.Spool.Used() != 0 {
		t.Errorf("left %d filesets, %d loads, %d bytes", len(o.filesets), len(o.finished), ls.cfg.Spool.Used())
	}
	if r := ls.cfg.Records.All(1000)[0]; r.State != StateCanceled {
		t.Errorf("state %s, want cancelled", r.State)
	}
}

// TestInterruptedWriteOfATar interrupts a write that waits for room.
func TestInterruptedWriteOfATar(t *testing.T) {
	p, ls, o := newTestPack(t), newTestLoads(t), newFakeOMERO()
	o.release = make(chan struct{})
	h := create(t, ls, o, "Kidney.tar")
	content := tarOf(t, "", p.names(true), p.files)
	ctx, cancel := context.WithCancel(testContext())
	time.AfterFunc(20*time.Millisecond, cancel)
	if n, err := h.WriteAt(ctx, content, 0); n != len(content) || err != nil {
		t.Fatalf("got %d, %v: what was handed over counts as written", n, err)
	}
	if _, err := h.WriteAt(ctx, []byte("x"), int64(len(content))); !errors.Is(err, tree.ErrInterrupted) {
		t.Errorf("got %v, want interrupted", err)
	}
	if err := h.Flush(ctx); !errors.Is(err, tree.ErrInterrupted) {
		t.Errorf("got %v, want interrupted", err)
	}
	close(o.release)
	if err := h.Flush(testContext()); err != nil {
		t.Error(err)
	}
	h.Release(testContext())
	p.checkLoaded(t, o)
}

func mentions(err error, words ...string) bool {
	return err != nil && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(err.Error(), w) })
}
