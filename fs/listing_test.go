package fs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

func TestListingKeepsTheOrder(t *testing.T) {
	mt := memtree.New()
	want := []string{"transfer.xml", "b", "a", "Z", "ä", "0"}
	for _, name := range want {
		mt.WriteFile(name, nil)
	}
	dir := fstest.Mount(t, mt.Root())
	got := strings.Fields(sh(t, `ls -U "$1"`, dir))
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := sh(t, `ls -a -U "$1" | head -2`, dir); got != ".\n..\n" {
		t.Errorf("got %q first", got)
	}
}

func TestListingOfManyAsksForNone(t *testing.T) {
	const many = 10000
	mt := memtree.New()
	for i := range many {
		mt.WriteFile(fmt.Sprintf("many/file-%05d.ome.tiff", i), []byte("x"))
	}
	var c counter
	dir := fstest.Mount(t, mt.Root(), c.option)
	start := time.Now()
	out := sh(t, `ls -l "$1/many"`, dir)
	t.Logf("ls -l of %d entries took %v", many, time.Since(start))
	if n := strings.Count(out, "\n"); n != many+1 {
		t.Errorf("got %d lines", n)
	}
	if n := c.lookups.Load() + c.getattrs.Load() + c.getxattrs.Load(); n > 20 {
		t.Errorf("%d requests for entries: %d LOOKUP, %d GETATTR, %d GETXATTR", n,
			c.lookups.Load(), c.getattrs.Load(), c.getxattrs.Load())
	}
	if n := mt.Count(memtree.OpList); n != 1 {
		t.Errorf("listed %d times", n)
	}
	// Of the folder itself, which on a slow machine is not known for as long as
	// it takes.
	if n := mt.Count(memtree.OpLookup); n > 20 {
		t.Errorf("%d look-ups in the tree", n)
	}
}

func TestListingLeavesOutWhatIsDear(t *testing.T) {
	mt := memtree.New()
	for _, name := range []string{"transfer.xml", "cells.tif", "SHA1SUMS"} {
		mt.WriteFile(name, []byte(name))
	}
	mt.Hide("transfer.xml")
	mt.Hide("SHA1SUMS")
	var mu sync.Mutex
	var list []string
	built := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
	for _, name := range []string{"transfer.xml", "SHA1SUMS", "cells.tif"} {
		mt.Hook(memtree.OpAttr, name, func(ctx) error {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, name)
			return nil
		})
	}
	dir := fstest.Mount(t, mt.Root())
	got := strings.Fields(sh(t, `ls -U "$1"`, dir))
	if want := []string{"transfer.xml", "cells.tif", "SHA1SUMS"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !slices.Equal(built(), []string{"cells.tif"}) {
		t.Errorf("asked for %v", built())
	}
	sh(t, `find "$1" -type f | grep -q SHA1SUMS`, dir) // d_type is there
	if slices.Contains(built(), "SHA1SUMS") {
		t.Errorf("find asked for %v", built())
	}
	if got := sh(t, `stat -c %s "$1/transfer.xml"`, dir); got != "12\n" {
		t.Errorf("size: got %q", got)
	}
	if !slices.Contains(built(), "transfer.xml") || slices.Contains(built(), "SHA1SUMS") {
		t.Errorf("stat asked for %v", built())
	}
}

// names reads a folder's names from a descriptor with a small buffer.
func names(t *testing.T, fd int) []string {
	t.Helper()
	buf := make([]byte, 512)
	var list []string
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return list
		}
		_, _, list = syscall.ParseDirent(buf[:n], -1, list)
	}
}

func TestListingIsASnapshot(t *testing.T) {
	mt := memtree.New()
	var want []string
	for i := range 3000 {
		name := fmt.Sprintf("%04d-%s", i, strings.Repeat("n", i%100))
		want = append(want, name)
		mt.WriteFile("d/"+name, nil)
	}
	dir := fstest.Mount(t, mt.Root())
	fd, err := syscall.Open(dir+"/d", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	buf := make([]byte, 512)
	n, err := unix.ReadDirent(fd, buf)
	if err != nil {
		t.Fatal(err)
	}
	_, _, got := syscall.ParseDirent(buf[:n], -1, nil)
	// Half of the folder goes, new names come: through the mount and behind it.
	for i, name := range want {
		switch i % 4 {
		case 0:
			mt.Remove("d/" + name)
		case 1:
			if err := os.Remove(filepath.Join(dir, "d", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	mt.WriteFile("d/new", nil)
	got = append(got, names(t, fd)...)
	if !slices.Equal(got, want) {
		t.Errorf("got %d names, want %d", len(got), len(want))
	}
	if n := mt.Count(memtree.OpList); n != 1 {
		t.Errorf("listed %d times", n)
	}

	// Rewound it is read again.
	if _, err := unix.Seek(fd, 0, 0); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, fd), mt.Names("d"); !slices.Equal(got, want) {
		t.Errorf("rewound: got %d names, want %d", len(got), len(want))
	}
}

func TestListingFails(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("d/f", nil)
	dir := fstest.Mount(t, mt.Root())
	fd, err := syscall.Open(dir+"/d", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	names(t, fd)
	mt.Fail(memtree.OpList, "d", tree.ErrOffline)
	if _, err := unix.Seek(fd, 0, 0); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.ReadDirent(fd, make([]byte, 512)); err != unix.ETIMEDOUT {
		t.Errorf("rewound: got %d %v", n, err)
	}
	if _, err := os.ReadDir(dir + "/d"); !contains(fmt.Sprint(err), "timed out") {
		t.Errorf("got %v", err)
	}
}

// oddNames lists what no folder may contain.
type oddNames struct{ tree.Dir }

func (o oddNames) List(ctx ctx) ([]tree.Entry, error) {
	list, err := o.Dir.List(ctx)
	for _, name := range []string{"", ".", "..", "a/b", "nul\x00"} {
		list = append(list, tree.Entry{Name: name})
	}
	return append(list, tree.Entry{Name: "last"}), err
}

func TestListingSurvivesOddNames(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("first", nil)
	dir := fstest.Mount(t, oddNames{mt.Root()})
	if got := sh(t, `ls -U "$1"`, dir); got != "first\nlast\n" {
		t.Errorf("got %q", got)
	}
}

// stubborn lists nodes that have attributes even when they are removed.
type stubborn struct{ tree.Dir }

func (s stubborn) List(ctx ctx) ([]tree.Entry, error) {
	list, err := s.Dir.List(ctx)
	for i, e := range list {
		if f, ok := e.Node.(tree.File); ok {
			a, _ := f.Attr(ctx)
			list[i].Node = fixedAttr{f, a}
		}
	}
	return list, err
}

func (s stubborn) Unlink(ctx ctx, name string) error {
	return s.Dir.(tree.Remover).Unlink(ctx, name)
}
func (s stubborn) Rmdir(ctx ctx, name string) error { return s.Dir.(tree.Remover).Rmdir(ctx, name) }

type fixedAttr struct {
	tree.File
	attr tree.Attr
}

func (f fixedAttr) Attr(ctx) (tree.Attr, error) { return f.attr, nil }

func TestListingRevivesNothing(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", nil)
	dir := fstest.Mount(t, stubborn{mt.Root()}, func(o *fs.Options) { o.EntryTimeout = time.Minute })
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := os.Remove(dir + "/f"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, fd); !slices.Equal(got, []string{"f"}) {
		t.Errorf("the listing was taken before: got %v", got)
	}
	if _, err := os.Stat(dir + "/f"); !os.IsNotExist(err) {
		t.Errorf("removed: got %v", err)
	}
}
