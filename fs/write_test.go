package fs_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

// recorded writes down the order of some operations.
func recorded(mt *memtree.Tree, ops ...string) func() []string {
	var mu sync.Mutex
	var list []string
	for _, op := range ops {
		mt.Hook(op, "*", func(ctx) error {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, op)
			return nil
		})
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
}

func TestRedirectionFlushesBeforeItWrites(t *testing.T) {
	mt := memtree.New()
	ops := recorded(mt, memtree.OpCreate, memtree.OpWrite, memtree.OpFlush, memtree.OpRelease)
	dir := fstest.Mount(t, mt.Root())
	sh(t, `echo data > "$1/f"`, dir)
	waitFor(t, func() bool { return mt.OpenHandles() == 0 })
	got := ops()
	first, write, last := slices.Index(got, memtree.OpFlush), slices.Index(got, memtree.OpWrite), len(got)-1
	if first > write || got[last] != memtree.OpRelease || got[last-1] != memtree.OpFlush {
		t.Errorf("got %v", got)
	}
}

func TestTruncation(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("old content"))
	ops := recorded(mt, memtree.OpOpen, memtree.OpSetAttr, memtree.OpRead, memtree.OpWrite)
	dir := fstest.Mount(t, mt.Root())
	sh(t, `echo new > "$1/f"`, dir)
	// The old content is not asked for.
	if want := []string{memtree.OpOpen, memtree.OpSetAttr, memtree.OpWrite}; !slices.Equal(ops(), want) {
		t.Errorf("got %v, want %v", ops(), want)
	}
	sh(t, `truncate -s 10 "$1/f" && test "$(stat -c %s "$1/f")" = 10`, dir)
	f, err := os.OpenFile(dir+"/f", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(2); err != nil {
		t.Error(err)
	}
	f.Close()
	if got, _ := mt.ReadFile("f"); string(got) != "ne" {
		t.Errorf("got %q", got)
	}
}

func TestAppend(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("one\n"))
	dir := fstest.Mount(t, mt.Root())
	sh(t, `echo two >> "$1/f"; echo three >> "$1/f"`, dir)
	if got, _ := mt.ReadFile("f"); string(got) != "one\ntwo\nthree\n" {
		t.Errorf("got %q", got)
	}
}

func TestWriteFailsAtOnce(t *testing.T) {
	mt := memtree.New()
	dir := fstest.Mount(t, mt.Root())
	f, err := os.Create(dir + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mt.Fail(memtree.OpWrite, "f", tree.ErrQuota)
	if _, err := f.Write([]byte("x")); err == nil || err.(*os.PathError).Err != syscall.EDQUOT {
		t.Errorf("write: got %v", err)
	}
	mt.Fail(memtree.OpWrite, "f", nil)
	if _, err := f.Write([]byte("x")); err != nil {
		t.Errorf("write again: got %v", err)
	}
}

func TestEachCloseHearsTheResult(t *testing.T) {
	mt := memtree.New()
	dir := fstest.Mount(t, mt.Root())
	fd, err := syscall.Open(dir+"/f", syscall.O_CREAT|syscall.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	second, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Write(fd, []byte("x")); err != nil {
		t.Fatal(err)
	}
	mt.Fail(memtree.OpFlush, "f", tree.ErrQuota)
	if err := syscall.Close(fd); err != syscall.EDQUOT {
		t.Errorf("first close: got %v", err)
	}
	mt.Fail(memtree.OpFlush, "f", nil)
	if err := syscall.Close(second); err != syscall.EDQUOT {
		t.Errorf("second close: got %v", err)
	}
}

func TestWriteSizes(t *testing.T) {
	mt := memtree.New()
	data := bytes.Repeat([]byte("0123456789"), 1<<18)
	var largest int
	mt.Hook(memtree.OpWrite, "*", func(ctx) error { return nil })
	dir := fstest.Mount(t, mt.Root())
	if err := os.WriteFile(dir+"/f", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := mt.ReadFile("f"); !bytes.Equal(got, data) {
		t.Error("the content differs")
	}
	if largest = len(data) / mt.Count(memtree.OpWrite); largest < 512<<10 {
		t.Errorf("WRITE has %d bytes, want about 1 MiB", largest)
	}
	if mt.Count(memtree.OpGetxattr) != 0 {
		t.Error("attributes were asked for")
	}
}

func TestCacheModes(t *testing.T) {
	mt := memtree.New()
	data := bytes.Repeat([]byte("x"), 64<<10)
	for name, mode := range map[string]tree.Cache{"default": tree.CacheDefault, "keep": tree.CacheKeep, "none": tree.CacheNone} {
		mt.WriteFile(name, data)
		mt.SetCache(name, mode)
	}
	dir := fstest.Mount(t, mt.Root(), func(o *fs.Options) { o.AttrTimeout, o.EntryTimeout = 1e12, 1e12 })
	for name, want := range map[string][2]bool{"default": {false, true}, "keep": {false, false}, "none": {true, true}} {
		reads := func(script string) bool {
			before := mt.Count(memtree.OpRead)
			sh(t, script, dir+"/"+name)
			return mt.Count(memtree.OpRead) > before
		}
		sh(t, `cat "$1" > /dev/null`, dir+"/"+name)
		if got := reads(`cat "$1" > /dev/null`); got != want[1] {
			t.Errorf("%s: read again at the next open: %v", name, got)
		}
		f, err := os.Open(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		_, _ = f.ReadAt(buf, 0)
		before := mt.Count(memtree.OpRead)
		_, _ = f.ReadAt(buf, 0)
		if got := mt.Count(memtree.OpRead) > before; got != want[0] {
			t.Errorf("%s: read again by the same handle: %v", name, got)
		}
		f.Close()
	}
}

// short ends every read of more than 10 bytes there.
type short struct{ tree.Dir }

func (s short) Lookup(ctx ctx, name string) (tree.Node, error) {
	n, err := s.Dir.Lookup(ctx, name)
	if f, ok := n.(tree.File); ok {
		return shortFile{f}, err
	}
	return n, err
}

type shortFile struct{ tree.File }

func (s shortFile) Open(ctx ctx, o tree.OpenOptions) (tree.Handle, error) {
	h, err := s.File.Open(ctx, o)
	return shortHandle{h}, err
}

type shortHandle struct{ tree.Handle }

func (s shortHandle) ReadAt(ctx ctx, p []byte, off int64) (int, error) {
	return s.Handle.ReadAt(ctx, p[:min(10, len(p))], off)
}

func TestShortReadIsNoEndOfFile(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("long", make([]byte, 100))
	mt.WriteFile("ten", make([]byte, 10))
	dir := fstest.Mount(t, short{mt.Root()})
	if out, err := run(t, `cat "$1/long"`, dir); err == nil || !contains(out, "Input/output error") {
		t.Errorf("got %v %q", err, out)
	}
	sh(t, `cat "$1/ten"`, dir)
}

func TestFileThatBecameShorterEnds(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", make([]byte, 100))
	dir := fstest.Mount(t, mt.Root())
	f, err := os.Open(dir + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Stat(); err != nil {
		t.Fatal(err)
	}
	mt.WriteFile("f", make([]byte, 50))
	buf := make([]byte, 100)
	if n, err := unix.Pread(int(f.Fd()), buf, 0); err != nil || n > 100 {
		t.Errorf("got %d %v", n, err)
	}
}

func TestQuietNames(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("d/.hidden", []byte("there"))
	mt.MkdirAll("d/sub")
	s := fstest.Serve(t, mt.Root(), noTimeouts)
	dir := s.Mountpoint()
	mt.ResetCounts()
	for _, name := range []string{".Trash", ".Trash-0", ".hidden", ".directory", ".sh_thumbnails", "autorun.inf", ".xdg-volume-info"} {
		if _, err := os.Stat(dir + "/d/sub/" + name); !os.IsNotExist(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := mt.Count(memtree.OpLookup); n > 20 {
		t.Errorf("%d look-ups", n)
	}
	looked := mt.Callers(memtree.OpLookup)
	before := len(looked)
	_, _ = os.Stat(dir + "/.directory")
	if n := mt.Count(memtree.OpLookup); n != before {
		t.Errorf("the tree was asked for .directory")
	}
	if out, err := run(t, `mkdir "$1/.Trash-0"`, dir); err == nil || !contains(out, "Permission denied") {
		t.Errorf("mkdir: got %v %q", err, out)
	}

	// What there is can be used all the same.
	if got := sh(t, `cp -r "$1/d" "$1/e" && cat "$1/e/.hidden" && rm -r "$1/d" "$1/e" && ls -A "$1"`, dir); got != "there" {
		t.Errorf("got %q", got)
	}
	sh(t, `echo x > "$1/.directory.tmp" && mv "$1/.directory.tmp" "$1/.directory" && cat "$1/.directory" && rm "$1/.directory"`, dir)
	if out, err := run(t, `cat "$1/.directory"`, dir); err == nil {
		t.Errorf("got %q", out)
	}
}

func TestLongNames(t *testing.T) {
	dir := fstest.Mount(t, memtree.New().Root())
	for _, c := range []struct {
		name string
		want error
	}{
		{strings.Repeat("n", 255), nil},
		{strings.Repeat("n", 256), unix.ENAMETOOLONG},
	} {
		if err := unix.Mkdir(dir+"/"+c.name, 0o700); err != c.want {
			t.Errorf("mkdir with %d bytes: got %v", len(c.name), err)
		}
		f, err := os.Create(dir + "/" + c.name + "x"[:255-min(255, len(c.name))])
		if err == nil {
			f.Close()
		}
	}
}

func TestSpace(t *testing.T) {
	mt := memtree.New()
	mt.Space = tree.Space{TotalBytes: 100 << 20, FreeBytes: 30 << 20}
	mt.WriteFile("d/f", nil)
	dir := fstest.Mount(t, mt.Root())
	if got := sh(t, `df -B1 --output=size,avail "$1/d/f" | tail -1`, dir); strings.Join(strings.Fields(got), " ") != "104857600 31457280" {
		t.Errorf("got %q", got)
	}
	plain := fstest.Mount(t, plainDir{mt.Root()})
	var st unix.Statfs_t
	if err := unix.Statfs(plain, &st); err != nil || st.Blocks != 0 || st.Bsize == 0 {
		t.Errorf("unknown: got %+v %v", st, err)
	}
}
