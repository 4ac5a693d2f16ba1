package irodsview_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/fs/tree"
	"omerods/internal/irods"
	"omerods/irodsview"
)

func TestTemporaryNamesLiveHereOnly(t *testing.T) {
	w := mount(t)
	for _, tt := range []struct{ temp, final string }{
		{".photo.tif.Ab12Cd", "photo.tif"},
		{".goutputstream-AB12CD", "note.txt"},
	} {
		p := w.dir + "/" + tt.temp
		if err := os.WriteFile(p, []byte(tt.final), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := names(w.objects(home)); slices.Contains(got, tt.temp) {
			t.Errorf("on the server before the rename: %q", got)
		}
		if data, err := os.ReadFile(p); err != nil || string(data) != tt.final {
			t.Errorf("read back: %q, %v", data, err)
		}
		if err := os.Rename(p, w.dir+"/"+tt.final); err != nil {
			t.Fatal(err)
		}
		if got := w.objects(home)[tt.final]; got != tt.final {
			t.Errorf("after the rename: %q", got)
		}
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the old name: %v", err)
		}
	}
	// A file that ends in .part is no program's temporary one by that alone.
	w.run("echo x > movie.part")
	if got := w.objects(home)["movie.part"]; got != "x\n" {
		t.Errorf("movie.part: got %q", got)
	}
	// KIO replaces so.
	w.run("echo old > doc; echo new > doc.part; rm doc; mv doc.part doc")
	if got := w.objects(home)["doc"]; got != "new\n" {
		t.Errorf("doc: got %q", got)
	}
}

func names(m map[string]string) []string {
	var all []string
	for n := range m {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// GLib renames a file that it has not closed yet.
func TestRenameOfOpenFile(t *testing.T) {
	w := mount(t)
	w.run("echo -n old > f")
	for _, final := range []string{"f", "new"} {
		f, err := os.Create(w.dir + "/.goutputstream-AAAAAA")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("content of " + final); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(f.Name(), w.dir+"/"+final); err != nil {
			t.Fatal(err)
		}
		if final == "new" {
			if _, ok := w.objects(home)[final]; ok {
				t.Error("visible before the close")
			}
		}
		if _, err := f.WriteString("!"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if got := w.objects(home)[final]; got != "content of "+final+"!" {
			t.Errorf("%s: got %q", final, got)
		}
	}
}

// An empty file that is renamed over another one before its close is empty.
func TestRenameOfOpenEmptyFile(t *testing.T) {
	w := mount(t)
	w.run("echo -n old > f")
	f, err := os.OpenFile(w.dir+"/a", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.Name(), w.dir+"/f"); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(w.dir + "/f"); err != nil || len(data) > 0 {
		t.Errorf("before the close: %q, %v", data, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		e, err := w.client.Stat(t.Context(), home+"/f")
		return err == nil && e.Size == 0 && e.Good() && e.Checksum != ""
	})
	if data, err := os.ReadFile(w.dir + "/f"); err != nil || len(data) > 0 {
		t.Errorf("after the close: %q, %v", data, err)
	}
}

func TestFolderIsRenamedBelowOpenFile(t *testing.T) {
	w := mount(t)
	w.run("mkdir d")
	f, err := os.Create(w.dir + "/d/f")
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("x"), 9<<20)
	if _, err := f.Write(want[:5<<20]); err != nil {
		t.Fatal(err)
	}
	w.run("mv d e")
	if _, err := f.Write(want[5<<20:]); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	compare(t, w.objects(home), map[string]string{"e/": "", "e/f": string(want)})
}

func TestRemovedWhileOpen(t *testing.T) {
	w := mount(t)
	w.run("echo -n old > f")
	for _, name := range []string{"f", "new"} {
		f, err := os.OpenFile(w.dir+"/"+name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("abc"); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 3)
		if _, err := f.ReadAt(buf, 0); err != nil || string(buf) != "abc" {
			t.Errorf("read after removal: %q, %v", buf, err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("close after removal: %v", err)
		}
	}
	waitFor(t, func() bool { return len(w.objects(home)) == 0 })
}

func TestWriteAfterFlush(t *testing.T) {
	w := mount(t)
	f, err := os.Create(w.dir + "/f")
	if err != nil {
		t.Fatal(err)
	}
	var want string
	for i := range 4 {
		text := fmt.Sprintf("part %d\n", i)
		want += text
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		// A duplicate's close is a FLUSH.
		d, err := unix.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Close(d); err != nil {
			t.Fatalf("flush %d: %v", i, err)
		}
		if got := w.objects(home)["f"]; got != want {
			t.Errorf("after flush %d: got %q", i, got)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReaderSeesNewContent(t *testing.T) {
	w := mount(t)
	w.run("echo -n old > f")
	r, err := os.Open(w.dir + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if data, err := io.ReadAll(r); err != nil || string(data) != "old" {
		t.Errorf("got %q, %v", data, err)
	}
	w.run("echo -n newer > f")
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(r); err != nil || string(data) != "newer" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestTwoUsers(t *testing.T) {
	w := newWorld(t)
	bob := w.newClient("bob")
	type key struct{}
	v := irodsview.New(irodsview.Config{Clients: func(ctx context.Context) (*irods.Client, error) {
		if ctx.Value(key{}) != nil {
			return bob, nil
		}
		return w.client, nil
	}})
	defer v.Close(t.Context())
	alice, asBob := t.Context(), context.WithValue(t.Context(), key{}, true)
	if err := w.MakeCollection(alice, home+"/shared", "alice"); err != nil {
		t.Fatal(err)
	}
	if err := w.SetAccess(alice, home+"/shared", "bob", "own"); err != nil {
		t.Fatal(err)
	}
	shared := walk(t, alice, v, home+"/shared")
	create := func(ctx context.Context, name string) (tree.WriteHandle, error) {
		_, h, err := shared.(tree.Creator).Create(ctx, name, tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}, Exclusive: true})
		return h, err
	}
	h, err := create(alice, "f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt(alice, []byte("alice's"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := shared.Lookup(asBob, "f"); !errors.Is(err, tree.ErrNotFound) {
		t.Errorf("bob looks up what alice is writing: %v", err)
	}
	if entries, err := shared.List(asBob); err != nil || len(entries) != 0 {
		t.Errorf("bob lists %v, %v", entries, err)
	}
	if _, err := create(asBob, "f"); !errors.Is(err, tree.ErrBusy) {
		t.Errorf("bob takes the name that alice is writing: %v", err)
	}
	if err := h.Flush(alice); err != nil {
		t.Fatal(err)
	}
	h.Release(alice)
	if _, err := shared.Lookup(alice, "f"); err != nil {
		t.Errorf("alice: %v", err)
	}
	if _, err := walk(t, asBob, v, path.Dir(home)).Lookup(asBob, path.Base(home)); err != nil {
		t.Errorf("bob on the way to the shared collection: %v", err)
	}
	// Rights are the caller's, not those of who looked first.
	n, err := shared.Lookup(asBob, "f")
	if err == nil {
		if _, err := n.(tree.File).Open(asBob, tree.OpenOptions{Read: true}); err == nil {
			t.Error("bob reads alice's object")
		}
	}
}

// walk returns the folder at a logical path.
func walk(t *testing.T, ctx context.Context, v *irodsview.View, path string) tree.Dir {
	t.Helper()
	d := v.Root()
	for name := range strings.SplitSeq(path[1:], "/") {
		n, err := d.Lookup(ctx, name)
		if err != nil {
			t.Fatalf("%s of %s: %v", name, path, err)
		}
		d = n.(tree.Dir)
	}
	return d
}

// memory is a file outside the view.
type memory struct{ data []byte }

func (m *memory) Attr(context.Context) (tree.Attr, error) {
	return tree.Attr{Ino: 1 << 40, Size: int64(len(m.data))}, nil
}
func (m *memory) Open(context.Context, tree.OpenOptions) (tree.Handle, error) { return m, nil }
func (m *memory) Release(context.Context)                                     {}
func (m *memory) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off >= int64(len(m.data)) {
		return 0, io.EOF
	}
	n := copy(p, m.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestCopyFrom(t *testing.T) {
	g := &recorder{}
	w := newWorld(t, withGuard(g))
	ctx := t.Context()
	d := walk(t, ctx, w.view, home)
	for _, size := range []int{1, 4 << 20, 70<<20 + 5} {
		src := &memory{bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7}, size/7+1)[:size]}
		name := fmt.Sprint("f", size)
		_, h, err := d.(tree.Creator).Create(ctx, name, tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}})
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		for off := int64(0); off < int64(size); calls++ {
			n, err := h.(tree.CopyTarget).CopyFrom(ctx, tree.CopySource{Node: src, Handle: src, Off: off}, off, int64(size)-off)
			if err != nil || n == 0 || n > 64<<20 {
				t.Fatalf("copied %d, %v", n, err)
			}
			off += n
		}
		if err := h.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		h.Release(ctx)
		if got := w.objects(home)[name]; got != string(src.data) {
			t.Errorf("%d bytes: another content arrived", size)
		}
		last := g.written[len(g.written)-1]
		if sum := sha256.Sum256(src.data); last.Source != tree.File(src) || !bytes.Equal(last.SHA256, sum[:]) {
			t.Errorf("%d bytes: told source %v", size, last.Source)
		}
	}
	// A cancelled copy ends, and the file can be dropped.
	_, h, err := d.(tree.Creator).Create(ctx, "cancelled", tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}})
	if err != nil {
		t.Fatal(err)
	}
	cctx, cancel := context.WithCancel(ctx)
	cancel()
	src := &memory{make([]byte, 20<<20)}
	if n, err := h.(tree.CopyTarget).CopyFrom(cctx, tree.CopySource{Node: src, Handle: src}, 0, 20<<20); err == nil && n == 20<<20 {
		t.Error("a cancelled copy went through")
	}
	h.Release(ctx)
}

func TestCloseStoresWhatIsComplete(t *testing.T) {
	g := &recorder{}
	w := newWorld(t, withGuard(g))
	ctx := tree.WithCaller(t.Context(), tree.Caller{UID: 4711})
	d := walk(t, ctx, w.view, home)
	for _, name := range []string{".left.aB3dE6", "unfinished"} {
		_, h, err := d.(tree.Creator).Create(ctx, name, tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.WriteAt(ctx, []byte(name), 0); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, ".") {
			if err := h.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			h.Release(ctx)
		}
	}
	w.view.Close(t.Context())
	compare(t, w.objects(home), map[string]string{".left.aB3dE6": ".left.aB3dE6"})
	// What is done when nobody waits is done for who opened the file.
	if len(g.callers) != 1 || g.callers[0].UID != 4711 {
		t.Errorf("published for %v", g.callers)
	}
}
