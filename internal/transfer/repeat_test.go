package transfer

import (
	"errors"
	"strings"
	"testing"

	"omerods/fs/tree"
)

func TestTheSameCopyAgainIsWelcome(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	ctx := testContext()
	top := begin(t, ls, o, "Kidney")
	names := p.names(true)
	for _, n := range names[:5] {
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	// As cp -r does: open what exists and cut it to nothing, then write it all.
	again := func(name string, content []byte) error {
		n := tree.Node(top)
		for part := range strings.SplitSeq(name, "/") {
			next, err := n.(tree.Dir).Lookup(ctx, part)
			if err != nil {
				return err
			}
			n = next
		}
		h, err := n.(tree.File).Open(ctx, tree.OpenOptions{Write: true})
		if err != nil {
			return err
		}
		defer h.Release(ctx)
		zero := int64(0)
		if _, err := n.(tree.AttrSetter).SetAttr(ctx, tree.AttrChange{Size: &zero}); err != nil {
			return err
		}
		if _, err := h.(tree.WriteHandle).WriteAt(ctx, content, 0); err != nil {
			return err
		}
		return h.(tree.WriteHandle).Flush(ctx)
	}
	for _, n := range names[:5] {
		if err := again(n, p.files[n]); err != nil {
			t.Errorf("%s again: %v", n, err)
		}
	}
	if err := again("D1/a.tif", []byte("another")); !errors.Is(err, tree.ErrBusy) {
		t.Errorf("another content: got %v, want busy", err)
	}
	for _, n := range names[5:] {
		if err := write(ctx, top, n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.finished) != 1 || o.contents["home/D1/a.tif"] != "image a" {
		t.Errorf("got %d loads, content %q", len(o.finished), o.contents["home/D1/a.tif"])
	}
}
