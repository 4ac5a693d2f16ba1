package transfer

import (
	"errors"
	"testing"

	"omerods/fs/tree"
)

func TestHostileFolders(t *testing.T) {
	ctx, p := testContext(), newTestPack(t)
	p.files["D1/é.tif"] = []byte("image a")
	t.Run("names", func(t *testing.T) {
		ls, o := newTestLoads(t), newFakeOMERO()
		top := begin(t, ls, o, "Kidney")
		if err := write(ctx, top, transferXML, p.files[transferXML]); err != nil {
			t.Fatal(err)
		}
		if err := write(ctx, top, "D1/A.tif", p.files["D1/a.tif"]); !errors.Is(err, tree.ErrInvalid) || !mentions(err, "D1/A.tif", "D1/a.tif") {
			t.Errorf("other capitals: got %v", err)
		}
		// Such a name is refused, and the load goes on.
		for _, n := range p.names(true)[1:] {
			if n == "D1/é.tif" {
				continue
			}
			if err := write(ctx, top, n, p.files[n]); err != nil {
				t.Fatal(n, err)
			}
		}
		p.checkLoaded(t, o)
	})
	t.Run("transfer.xml of 1 GB", func(t *testing.T) {
		for _, name := range []string{transferXML, ".transfer.xml.AbC123"} {
			ls, o := newTestLoads(t), newFakeOMERO()
			ls.cfg.Spool.limit = 2 << 30
			top := begin(t, ls, o, "Kidney")
			_, h, err := top.(tree.Creator).Create(ctx, name, tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.WriteAt(ctx, []byte("<OME>"), 0); err != nil {
				t.Fatal(err)
			}
			if _, err := h.WriteAt(ctx, make([]byte, 1<<20), 512<<20); !errors.Is(err, tree.ErrTooLarge) || !mentions(err, name) {
				t.Errorf("got %v, want too large", err)
			}
			if err := h.Flush(ctx); !errors.Is(err, tree.ErrTooLarge) {
				t.Errorf("close: got %v, want too large", err)
			}
			if used := ls.cfg.Spool.Used(); used != 0 {
				t.Errorf("the spool holds %d bytes of it", used)
			}
			h.Release(ctx)
		}
	})
}

func TestNamesThatSomeDisksTakeForOne(t *testing.T) {
	for _, same := range [][2]string{{"a.TIF", "A.tif"}, {"e\u0301.tif", "\u00e9.tif"}, {"E\u0301", "\u00e9"}, {"x/y", "X/Y"}} {
		if fold(same[0]) != fold(same[1]) {
			t.Errorf("%q and %q are told apart", same[0], same[1])
		}
	}
	if fold("a.tif") == fold("b.tif") {
		t.Error("a and b are the same")
	}
}
