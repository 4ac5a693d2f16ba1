package irodsview_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"omerods/fs/tree"
)

// at returns what has a path below alice's home, past the kernel.
func (w *world) at(name string) tree.Node {
	w.t.Helper()
	var n tree.Node = w.view.Root()
	for _, part := range strings.Split(strings.Trim(home+"/"+name, "/"), "/") {
		var err error
		if n, err = n.(tree.Dir).Lookup(w.t.Context(), part); err != nil {
			w.t.Fatal(err)
		}
	}
	return n
}

// opened opens a file for writing, past the kernel.
func (w *world) opened(name string) (tree.File, tree.WriteHandle) {
	w.t.Helper()
	f := w.at(name).(tree.File)
	h, err := f.Open(w.t.Context(), tree.OpenOptions{Write: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return f, h.(tree.WriteHandle)
}

// meeting is a source whose first read waits for that of another one.
type meeting struct {
	tree.Handle
	once   sync.Once
	mine   chan struct{}
	theirs chan struct{}
}

func (m *meeting) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	m.once.Do(func() {
		close(m.mine)
		<-m.theirs
	})
	return m.Handle.ReadAt(ctx, p, off)
}

// Two programs that copy between the same two files, each the other way, do
// not wait for each other.
func TestCopiesBothWaysDoNotWaitForEachOther(t *testing.T) {
	w := mount(t)
	w.run("head -c 100000 /dev/zero > a; head -c 100000 /dev/zero > b")
	a, ha := w.opened("a")
	b, hb := w.opened("b")
	ctx := t.Context()
	for _, h := range []tree.WriteHandle{ha, hb} {
		if _, err := h.WriteAt(ctx, []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	one, two := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	copyFrom := func(to tree.WriteHandle, from tree.File, h tree.Handle, mine, theirs chan struct{}) {
		wg.Go(func() {
			src := tree.CopySource{Node: from, Handle: &meeting{Handle: h, mine: mine, theirs: theirs}}
			if n, err := to.(tree.CopyTarget).CopyFrom(ctx, src, 0, 50000); err != nil || n != 50000 {
				t.Errorf("copied %d, %v", n, err)
			}
		})
	}
	copyFrom(ha, b, hb, one, two)
	copyFrom(hb, a, ha, two, one)
	wg.Wait()
	for _, h := range []tree.WriteHandle{ha, hb} {
		if err := h.Flush(ctx); err != nil {
			t.Error(err)
		}
		h.Release(ctx)
	}
}

// What is read from an open file is of that file, also when another one has
// taken its name: never of the other one.
func TestReadingFromWhatWasRenamedOver(t *testing.T) {
	w := mount(t)
	old, other := random(9<<20), random(9<<20+1)
	w.store("f", old)
	w.store("g", other)
	var files []*os.File
	buf := make([]byte, 4096)
	for _, flag := range []int{os.O_RDONLY, os.O_RDWR} {
		f, err := os.OpenFile(filepath.Join(w.dir, "f"), flag, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.ReadAt(buf, 0); err != nil || string(buf) != string(old[:4096]) {
			t.Fatal("the beginning is wrong", err)
		}
		files = append(files, f)
	}
	w.run("mv g f")
	w.relay.Reset() // so that it has to be opened again
	for _, f := range files {
		for _, off := range []int64{6 << 20, 1 << 20, 8 << 20, 3 << 20} {
			n, err := f.ReadAt(buf, off)
			if err == nil && string(buf[:n]) != string(old[off:off+4096]) {
				t.Errorf("at %d: other bytes, and no error", off)
			}
		}
	}
	if n, err := files[1].WriteAt([]byte("x"), 5<<20); err == nil {
		t.Errorf("wrote %d bytes of a file that is not there", n)
	}
	if got, err := w.client.Get(t.Context(), home+"/f"); err != nil || string(got) != string(other) {
		t.Error("what took the name has changed", err)
	}
}

// A file that others have made shorter while it is open for reading and
// writing ends where it ends now: nobody reads zeros that were never written.
func TestReadingFromWhatOthersMadeShorter(t *testing.T) {
	w := mount(t)
	w.run("printf 0123456789 > f")
	_, h := w.opened("f")
	ctx := t.Context()
	defer h.Release(ctx)
	if err := w.newClient("alice").Truncate(ctx, home+"/f", 2); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, err := h.ReadAt(ctx, buf, 0); err != nil || string(buf[:n]) != "01" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

// What others have added a moment ago stays when a program adds more, although
// the mount may still think that the file is as long as it was.
func TestAppendingToWhatOthersMadeLonger(t *testing.T) {
	w := mount(t)
	w.freeze()
	w.run("printf 0123456789 > f; cat f")
	ctx := t.Context()
	f, err := w.newClient("alice").OpenWrite(ctx, home+"/f", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.WriteAt(ctx, []byte("abcdefghij"), 10), f.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	w.run("printf ABCDEFGHIJ >> f")
	if got := w.objects(home)["f"]; got != "0123456789abcdefghijABCDEFGHIJ" {
		t.Errorf("got %q", got)
	}
}

// A new file is in every listing from its creation on, also at the moment at
// which it gets its name on the server.
func TestNoListingMissesANewFile(t *testing.T) {
	w := mount(t)
	w.freeze()
	w.run("mkdir d; echo x > d/other; ls d")
	ctx, d := t.Context(), w.at("d")
	for i := range 60 {
		name := fmt.Sprintf("f%d", i)
		_, h, err := d.(tree.Creator).Create(ctx, name, tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}, Mode: 0o644})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.WriteAt(ctx, []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- h.Flush(ctx) }()
		for closed := false; !closed; {
			select {
			case err := <-done:
				if closed = true; err != nil {
					t.Fatal(err)
				}
			default:
			}
			if _, err := d.(tree.Dir).Lookup(ctx, name); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		h.Release(ctx)
	}
}
