package fs_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

func TestCopyInsideMovesNoBytes(t *testing.T) {
	data := make([]byte, 5<<20+123)
	r := rand.NewChaCha8([32]byte{2})
	_, _ = r.Read(data)
	mt := memtree.New()
	mt.CopyStepBytes = 1 << 20
	mt.WriteFile("a/from", data)
	mt.MkdirAll("b")
	var c counter
	dir := fstest.Mount(t, mt.Root(), c.option)

	sh(t, `cp -r "$1/a" "$1/b/"`, dir)
	if got, err := mt.ReadFile("b/a/from"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the copy differs: %d bytes, %v", len(got), err)
	}
	if got := mt.Count(memtree.OpCopy); got < 6 {
		t.Errorf("got %d steps, want at least 6", got)
	}
	if n := mt.Count(memtree.OpWrite); n != 0 {
		t.Errorf("%d writes through the kernel", n)
	}
	sh(t, `cmp "$1/a/from" "$1/b/a/from"`, dir)
}

func TestCopyFallsBack(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("from", []byte("content"))
	mt.Fail(memtree.OpCopy, "first", tree.ErrNotSupported)
	var c counter
	s := fstest.Serve(t, mt.Root(), c.option)
	dir := s.Mountpoint()

	sh(t, `cp "$1/from" "$1/first"`, dir)
	if got, _ := mt.ReadFile("first"); string(got) != "content" {
		t.Errorf("got %q", got)
	}
	if mt.Count(memtree.OpWrite) == 0 {
		t.Error("nothing was written")
	}
	// The next pair is asked again.
	c.reset()
	mt.ResetCounts()
	sh(t, `cp "$1/from" "$1/second"`, dir)
	if mt.Count(memtree.OpCopy) == 0 {
		t.Error("the second pair was not copied by the tree")
	}
	if all := s.Errors().All(0); len(all) != 0 {
		t.Errorf("kept: %v", all)
	}
}

// shortTree has targets that copy nothing and say so without an error.
type shortTree struct{ tree.Dir }

func (d shortTree) Create(ctx ctx, name string, o tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	f, h, err := d.Dir.(tree.Creator).Create(ctx, name, o)
	return f, shortTarget{h}, err
}

type shortTarget struct{ tree.WriteHandle }

func (shortTarget) CopyFrom(ctx, tree.CopySource, int64, int64) (int64, error) { return 0, nil }

func TestCopyThatStopsIsAnError(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("from", []byte("content"))
	mt.WriteFile("empty", nil)
	dir := fstest.Mount(t, shortTree{mt.Root()})
	if out, err := run(t, `cp "$1/from" "$1/to"`, dir); err == nil || !contains(out, "Input/output error") {
		t.Errorf("got %v %q", err, out)
	}
	sh(t, `cp "$1/empty" "$1/none"`, dir)
}
