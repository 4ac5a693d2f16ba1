package irodsview_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/fs/tree"
	"omerods/internal/irods"
	"omerods/internal/transfer"
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

// recorder is a guard that notes what it is told and can refuse.
type recorder struct {
	mu      sync.Mutex
	calls   []string
	written []transfer.Written
	refuse  map[string]error // by call
}

func (r *recorder) note(call string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = strings.TrimPrefix(s, home)
		}
	}
	line := call + " " + strings.TrimSpace(fmt.Sprintln(args...))
	r.calls = append(r.calls, line)
	return r.refuse[call]
}

func (r *recorder) refuseOnly(calls map[string]error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = calls
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

func (r *recorder) BeforeMkdir(_ context.Context, p string) error  { return r.note("mkdir?", p) }
func (r *recorder) BeforeCreate(_ context.Context, p string) error { return r.note("create?", p) }
func (r *recorder) BeforeWrite(_ context.Context, p string) error  { return r.note("write?", p) }
func (r *recorder) BeforeRemove(_ context.Context, p string) error { return r.note("remove?", p) }
func (r *recorder) BeforeRename(_ context.Context, from, to string, replaces bool) error {
	return r.note("rename?", from, to, replaces)
}
func (r *recorder) BeforePublish(_ context.Context, w transfer.Written) error {
	return r.note("publish?", w.Path)
}
func (r *recorder) Published(_ context.Context, w transfer.Written) error {
	r.mu.Lock()
	r.written = append(r.written, w)
	r.mu.Unlock()
	return r.note("published", w.Path)
}
func (r *recorder) Made(_ context.Context, p string) error     { return r.note("made", p) }
func (r *recorder) Renamed(_ context.Context, from, to string) { _ = r.note("renamed", from, to) }
func (r *recorder) Removed(_ context.Context, p string)        { _ = r.note("removed", p) }

func TestGuardIsAskedAndTold(t *testing.T) {
	g := &recorder{}
	w := mount(t, withGuard(g))
	for _, tt := range []struct {
		command string
		want    []string
	}{
		{"mkdir d", []string{"mkdir? /d", "made /d"}},
		{"echo x > d/f", []string{"create? /d/f", "publish? /d/f", "published /d/f"}},
		{"echo yy > d/f", []string{"write? /d/f", "publish? /d/f", "published /d/f"}},
		{"echo z > d/.g.aB3dE6; mv d/.g.aB3dE6 d/g", []string{"create? /d/.g.aB3dE6", "rename? /d/.g.aB3dE6 /d/g false", "publish? /d/g", "published /d/g"}},
		{"mv d/g d/h", []string{"rename? /d/g /d/h false", "renamed /d/g /d/h"}},
		{"mv -f d/h d/f", []string{"rename? /d/h /d/f true", "renamed /d/h /d/f"}},
		{"rm d/f; rmdir d", []string{"remove? /d/f", "removed /d/f", "remove? /d", "removed /d"}},
	} {
		w.run(tt.command)
		if got := g.take(); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.command, got, tt.want)
		}
	}
	last := g.written[len(g.written)-1]
	sum1, sum256 := sha1.Sum([]byte("z\n")), sha256.Sum256([]byte("z\n"))
	if last.Size != 2 || !bytes.Equal(last.SHA1, sum1[:]) || !bytes.Equal(last.SHA256, sum256[:]) || last.Source != nil {
		t.Errorf("told %+v", last)
	}
}

func TestGuardRefuses(t *testing.T) {
	g := &recorder{refuse: map[string]error{}}
	w := mount(t, withGuard(g))
	w.run("echo x > f; mkdir d")
	no := func(class error) error { return tree.Errorf(class, "the guard says no") }
	for _, tt := range []struct {
		call    string
		err     error
		command string
		says    string
	}{
		{"mkdir?", no(tree.ErrExists), "mkdir e", "File exists"},
		{"create?", no(tree.ErrNotPermitted), "echo > g", "Operation not permitted"},
		{"write?", no(tree.ErrExists), "echo > f", "File exists"},
		{"publish?", no(tree.ErrIO), "cp f g", "Input/output error"},
		{"published", no(tree.ErrIncomplete), "cp f g", "Input/output error"},
		{"rename?", no(tree.ErrExists), "mv -f g f", "File exists"},
		{"remove?", no(tree.ErrNotPermitted), "rm f", "Operation not permitted"},
	} {
		g.refuseOnly(map[string]error{tt.call: tt.err})
		out, err := w.try(tt.command)
		g.refuseOnly(nil)
		if err == nil || !strings.Contains(out, tt.says) {
			t.Errorf("%s: %s: got %v %q, want %q", tt.call, tt.command, err, out, tt.says)
		}
		if tt.call == "publish?" {
			compare(t, w.objects(home), map[string]string{"f": "x\n", "d/": ""})
		}
	}
	// What was published stays, though the program heard of a failure.
	compare(t, w.objects(home), map[string]string{"f": "x\n", "d/": "", "g": "x\n"})
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
	if _, err := walk(t, asBob, v, "/tempZone/home").Lookup(asBob, "alice"); err != nil {
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
	w := newWorld(t)
	ctx := t.Context()
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
	w.view.Close(ctx)
	compare(t, w.objects(home), map[string]string{".left.aB3dE6": ".left.aB3dE6"})
}

func TestArchive(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if err := w.PutObject(ctx, home+"/f", "alice", strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	avu := transfer.AVU{Name: "omerods::state", Value: "saving"}
	if err := w.view.ChangeAVUs(ctx, home, nil, []transfer.AVU{avu}); err != nil {
		t.Fatal(err)
	}
	got, err := w.view.CollectionAVUs(ctx, []string{home, "/tempZone/home", "/tempZone"}, "omerods::")
	if err != nil || len(got) != 1 || len(got[home]) != 1 || got[home][0] != avu {
		t.Errorf("metadata: %v, %v", got, err)
	}
	if _, err := w.view.Stat(ctx, home+"/none"); !errors.Is(err, tree.ErrNotFound) {
		t.Errorf("stat of nothing: %v", err)
	}
	info, err := w.view.Stat(ctx, home+"/f")
	if err != nil || info.Size != 5 || info.IsCollection {
		t.Errorf("stat: %+v, %v", info, err)
	}
	h, err := w.view.Open(ctx, home+"/f")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Release(ctx)
	buf := make([]byte, 10)
	if n, err := h.ReadAt(ctx, buf, 1); err != nil || string(buf[:n]) != "ello" {
		t.Errorf("read: %q, %v", buf[:n], err)
	}
	if name := w.view.Name(ctx, home+"/f"); !strings.HasPrefix(name, "irods://alice#tempZone@127.0.0.1:") || !strings.HasSuffix(name, home+"/f") {
		t.Errorf("name: %q", name)
	}
}
