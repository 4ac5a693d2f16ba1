package transfer

import (
	"context"
	"errors"
	"testing"

	"omerods/fs/tree"
)

// dirOf finds the folder of a file below top.
func dirOf(t *testing.T, ctx context.Context, top tree.Dir, name string) tree.Dir {
	t.Helper()
	n, err := top.Lookup(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return n.(tree.Dir)
}

// TestTheSameCopyAgain does what tar does when it is run again, which removes
// each file before it writes it, and what rsync does without times, which puts
// another in its place.
func TestTheSameCopyAgain(t *testing.T) {
	ways := map[string]func(t *testing.T, ctx context.Context, top tree.Dir, p testPack) error{
		"tar": func(t *testing.T, ctx context.Context, top tree.Dir, p testPack) error {
			for _, f := range [][2]string{{"", transferXML}, {"D1", "a.tif"}} {
				dir, name := top, f[1]
				if f[0] != "" {
					dir, name = dirOf(t, ctx, top, f[0]), f[0]+"/"+f[1]
				}
				if err := dir.(tree.Remover).Unlink(ctx, f[1]); err != nil {
					return err
				}
				if err := write(ctx, top, name, p.files[name]); err != nil {
					return err
				}
			}
			return nil
		},
		"rsync": func(t *testing.T, ctx context.Context, top tree.Dir, p testPack) error {
			if err := write(ctx, top, ".transfer.xml.XYZ", p.files[transferXML]); err != nil {
				return err
			}
			if err := top.(tree.Renamer).Rename(ctx, ".transfer.xml.XYZ", top, transferXML, tree.RenameOptions{}); err != nil {
				return err
			}
			if err := write(ctx, top, "D1/.a.tif.XYZ", p.files["D1/a.tif"]); err != nil {
				return err
			}
			d := dirOf(t, ctx, top, "D1")
			return d.(tree.Renamer).Rename(ctx, ".a.tif.XYZ", d, "a.tif", tree.RenameOptions{})
		},
	}
	for program, way := range ways {
		ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
		ctx := testContext()
		top := begin(t, ls, o, "Kidney")
		for _, n := range []string{transferXML, "D1/a.tif"} {
			if err := write(ctx, top, n, p.files[n]); err != nil {
				t.Fatalf("%s: %s: %v", program, n, err)
			}
		}
		if err := way(t, ctx, top, p); err != nil {
			t.Errorf("%s: the same file again: %v", program, err)
			continue
		}
		for _, n := range p.names(true) {
			if n == transferXML || n == "D1/a.tif" {
				continue
			}
			if err := write(ctx, top, n, p.files[n]); err != nil {
				t.Errorf("%s: %s: %v", program, n, err)
			}
		}
		if len(o.finished) != 1 || len(o.filesets) != 3 {
			t.Errorf("%s: got %d loads with %d filesets, want 1 with 3", program, len(o.finished), len(o.filesets))
		}
	}
}

// TestRemovedFileIsWaitedFor removes a file that has arrived: the load must
// not end without it, and takes no other in its place.
func TestRemovedFileIsWaitedFor(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	o.release = make(chan struct{}) // its upload waits, so it is still in the spool
	ctx := testContext()
	top := begin(t, ls, o, "Kidney")
	for _, n := range []string{transferXML, "D1/a.tif"} {
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := dirOf(t, ctx, top, "D1").(tree.Remover).Unlink(ctx, "a.tif"); err != nil {
		t.Fatal(err)
	}
	for _, n := range p.names(true) {
		if n == transferXML || n == "D1/a.tif" {
			continue
		}
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	if err := write(ctx, top, "D1/a.tif", []byte("image b")); !errors.Is(err, tree.ErrIO) {
		t.Errorf("another file in its place: got %v, want an I/O error", err)
	}
	if len(o.finished) != 0 {
		t.Error("the load ended without the file")
	}
	if err := remove(ctx, ls, o, top, "Kidney"); err != nil {
		t.Error(err)
	}
	if ls.Staged(ctx, o, "Kidney") != nil {
		t.Error("the folder is still there after its removal")
	}
}

// remove removes a staged folder as rm -r does.
func remove(ctx context.Context, ls *Loads, o *fakeOMERO, top tree.Dir, name string) error {
	if err := empty(ctx, top); err != nil {
		return err
	}
	_, err := ls.Remove(ctx, o, name)
	return err
}

func empty(ctx context.Context, dir tree.Dir) error {
	entries, err := dir.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Kind == tree.KindDir {
			if err := empty(ctx, e.Node.(tree.Dir)); err != nil {
				return err
			}
			err = dir.(tree.Remover).Rmdir(ctx, e.Name)
		} else {
			err = dir.(tree.Remover).Unlink(ctx, e.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
