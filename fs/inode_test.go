package fs_test

import (
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

func noTimeouts(o *fs.Options) { o.EntryTimeout, o.AttrTimeout, o.NegativeTimeout = 0, 0, 0 }

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

func TestInodeNumbersAreTheTrees(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("d/f", nil)
	dir := fstest.Mount(t, mt.Root())
	for _, p := range []string{"", "d", "d/f"} {
		a, err := mt.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := inode(t, dir+"/"+p); got != a.Ino {
			t.Errorf("%q: got %d, want %d", p, got, a.Ino)
		}
	}
	if out := sh(t, `ls -aiU "$1/d"`, dir); !contains(out, "2 .\n") || !contains(out, "1 ..\n") {
		t.Errorf("got %q", out)
	}
}

func TestRenameKeepsTheInode(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("a/f", []byte("content"))
	mt.MkdirAll("b")
	dir := fstest.Mount(t, mt.Root())
	before := inode(t, dir+"/a/f")
	f, err := os.OpenFile(dir+"/a/f", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// Written but not closed, as GLib and rsync do it.
	if _, err := f.WriteString("CON"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+"/a/f", dir+"/b/g"); err != nil {
		t.Fatal(err)
	}
	if got := inode(t, dir+"/b/g"); got != before {
		t.Errorf("got %d, want %d", got, before)
	}
	if _, err := f.WriteString("TENT"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ := mt.ReadFile("b/g"); string(got) != "CONTENT" {
		t.Errorf("got %q", got)
	}
}

func TestRemovedButOpen(t *testing.T) {
	mt := memtree.New()
	dir := fstest.Mount(t, mt.Root())
	f, err := os.OpenFile(dir+"/f", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("before "); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir + "/f"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("after"); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Nlink != 0 || st.Size != 12 {
		t.Errorf("fstat: got %v, %d links, %d bytes", err, st.Nlink, st.Size)
	}
	got := make([]byte, 20)
	if n, err := f.ReadAt(got, 0); string(got[:n]) != "before after" || err != io.EOF {
		t.Errorf("got %q %v", got[:n], err)
	}
	if err := f.Truncate(6); err != nil {
		t.Errorf("truncate: %v", err)
	}
	// The name is free for another file.
	if err := os.WriteFile(dir+"/f", []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Error(err)
	}
	if got, _ := mt.ReadFile("f"); string(got) != "new" {
		t.Errorf("got %q", got)
	}
}

// reused gives every file the same inode number, with a content that counts
// how often it was looked up.
type reused struct {
	tree.Dir
	looked atomic.Int64
}

func (r *reused) Lookup(ctx ctx, name string) (tree.Node, error) {
	n, err := r.Dir.Lookup(ctx, name)
	if f, ok := n.(tree.File); ok {
		return sameIno{f, r.looked.Add(1)}, err
	}
	return n, err
}

type sameIno struct {
	tree.File
	version int64
}

func (s sameIno) Attr(ctx ctx) (tree.Attr, error) {
	a, err := s.File.Attr(ctx)
	a.Ino = 77
	a.Size = s.version
	return a, err
}

func TestNewestNodeServes(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("x"))
	r := &reused{Dir: mt.Root()}
	dir := fstest.Mount(t, r, noTimeouts)
	f, err := os.Open(dir + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 3 {
		runtime.GC()
		if got := inode(t, dir+"/f"); got != 77 {
			t.Errorf("got inode %d", got)
		}
		st, err := f.Stat()
		if err != nil || st.Size() != r.looked.Load() {
			t.Errorf("got size %d %v, want that of the newest node, %d", st.Size(), err, r.looked.Load())
		}
	}
}

func TestNumberIsReusedAfterRemoval(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("old"))
	mt.Change("f", func(a *tree.Attr) { a.Ino = 500 })
	dir := fstest.Mount(t, mt.Root())
	f, err := os.Open(dir + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(dir + "/f"); err != nil {
		t.Fatal(err)
	}
	mt.WriteFile("f", []byte("newer"))
	mt.Change("f", func(a *tree.Attr) { a.Ino = 500 })
	waitFor(t, func() bool { _, err := os.Stat(dir + "/f"); return err == nil })
	if got, err := os.ReadFile(dir + "/f"); string(got) != "newer" {
		t.Errorf("the new file: got %q %v", got, err)
	}
	if got, err := io.ReadAll(f); string(got) != "old" {
		t.Errorf("the open file: got %q %v", got, err)
	}
}

func TestFileBecomesFolder(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("x", nil)
	mt.Change("x", func(a *tree.Attr) { a.Ino = 500 })
	dir := fstest.Mount(t, mt.Root(), noTimeouts)
	sh(t, `test -f "$1/x"`, dir)
	mt.Remove("x")
	mt.WriteFile("x/inside", nil)
	mt.Change("x", func(a *tree.Attr) { a.Ino = 500 })
	sh(t, `test -f "$1/x/inside"`, dir)
}

// badNodes answers what no view may.
type badNodes struct{ tree.Dir }

func (b badNodes) Lookup(ctx ctx, name string) (tree.Node, error) {
	n, err := b.Dir.Lookup(ctx, "f")
	return badNode{n, name}, err
}

type badNode struct {
	tree.Node
	name string
}

func (b badNode) Attr(ctx ctx) (tree.Attr, error) {
	a, err := b.Node.Attr(ctx)
	switch b.name {
	case "zero":
		a.Ino = 0
	case "max":
		a.Ino = 1<<64 - 1
	case "dir":
		a.Kind = tree.KindDir
	}
	return a, err
}

func TestFaultyViewIsAnError(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", nil)
	dir := fstest.Mount(t, badNodes{mt.Root()})
	for _, name := range []string{"zero", "max", "dir", "file"} {
		if _, err := os.Stat(dir + "/" + name); err == nil || err.(*os.PathError).Err != syscall.EIO {
			t.Errorf("%s: got %v, want EIO", name, err)
		}
	}
}

func TestAttrValidity(t *testing.T) {
	mt := memtree.New()
	for _, name := range []string{"default", "long", "never"} {
		mt.WriteFile(name, nil)
	}
	mt.Change("long", func(a *tree.Attr) { a.Valid = 1e12 })
	mt.Change("never", func(a *tree.Attr) { a.Valid = -1 })
	var c counter
	dir := fstest.Mount(t, mt.Root(), c.option, func(o *fs.Options) { o.EntryTimeout, o.AttrTimeout = 1e12, 0 })
	for name, least := range map[string]int64{"default": 10, "long": 0, "never": 10} {
		_ = inode(t, dir+"/"+name)
		c.reset()
		for range 10 {
			_ = inode(t, dir+"/"+name)
		}
		if got := c.lookups.Load() + c.getattrs.Load(); got < least || least == 0 && got > 0 {
			t.Errorf("%s: got %d requests for 10 stats, want %d", name, got, least)
		}
	}
}
