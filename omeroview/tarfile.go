package omeroview

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
)

// tarFile is a pack as one tar. The tar is nowhere: only the place of each of
// its bytes is known.
//
// To the kernel each state of the pack is a file of its own, as if a new tar
// took the name of the old one: whoever has that open goes on reading it, and no
// page of the one gets into the other. A listing does not know the state, so
// its numbers are none of those.
type tarFile struct {
	node
	pack   packRef
	object tree.Node // that the pack is of

	mu    sync.Mutex // guards the fields below
	image *tarImage  // the state that the node shows; nil until somebody looks
	of    *account   // who looked
}

var (
	_ tree.File   = (*tarFile)(nil)
	_ tree.XAttrs = (*tarFile)(nil)
)

func (f *tarFile) entry(name string) tree.Entry {
	return tree.Entry{Name: name + tarSuffix, Kind: tree.KindFile, Ino: f.ino()}
}

// state returns the state that the node shows: that of the first look.
func (f *tarFile) state(ctx context.Context) (*tarImage, *account, error) {
	a, err := f.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	image, of := f.image, f.of
	f.mu.Unlock()
	if image != nil && of == a {
		return image, a, nil
	}
	now, err := a.tar(ctx, f.pack)
	if err != nil {
		return nil, nil, treeError("lay out the tar", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.image == nil:
		f.image, f.of = now, a
	case f.of == a:
	case now.key() != f.image.key():
		return nil, nil, tree.Errorf(tree.ErrStale, "the pack has changed")
	default: // the same person, logged in anew
		f.image, f.of = now, a
	}
	return f.image, a, nil
}

// key tells apart what is the same file to the kernel: a state as one user sees
// it.
func (t *tarImage) key() string { return t.state.dir + "/" + t.state.name }

// Attr makes the generated files of the pack: nothing else tells its size.
func (f *tarFile) Attr(ctx context.Context) (tree.Attr, error) {
	t, _, err := f.state(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	n := f.node
	n.key += "/" + t.key()
	return f.fileAttr(n.ino(), t.layout.Size(), t.state.mtime), nil
}

// Open returns a handle that shows the state until it is released. A tar that
// could not be read to its end is not opened.
func (f *tarFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, readOnly()
	}
	t, a, err := f.state(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.readable(ctx, t); err != nil {
		return nil, err
	}
	made, err := os.Open(t.made)
	if errors.Is(err, fs.ErrNotExist) {
		if t, err = f.again(ctx, a, t); err != nil {
			return nil, err
		}
		made, err = os.Open(t.made)
	}
	if err != nil {
		return nil, treeError("open the tar", err)
	}
	return newTarHandle(a, t, made), nil
}

// again makes what was removed from disk, if that is still the state of the
// pack.
func (f *tarFile) again(ctx context.Context, a *account, t *tarImage) (*tarImage, error) {
	a.memo.clear()
	now, err := a.tar(ctx, f.pack)
	if err != nil {
		return nil, treeError("lay out the tar", err)
	}
	if now.key() != t.key() {
		return nil, tree.Errorf(tree.ErrStale, "the pack has changed several times since the tar was looked at")
	}
	return now, nil
}

// readable says whether the server gives the content of all members away, as
// far as it is known before they are read.
func (a *account) readable(ctx context.Context, t *tarImage) error {
	if err := t.failure(); err != nil {
		return err
	}
	why, err := remember(ctx, a, "given/"+t.made, func(ctx context.Context) (map[int64]pack.LeftOutReason, error) {
		ids := make([]int64, len(t.asked))
		for i, m := range t.asked {
			ids[i] = t.members[m].File
		}
		return a.notHad(ctx, ids)
	})
	if err != nil {
		return treeError("ask for the rights to read", err)
	}
	for _, i := range t.asked {
		m := &t.members[i]
		switch why[m.File] {
		case pack.Refused:
			return notWhole(m.Path, notGiven("it", omero.Denied))
		case pack.Lost:
			return notWhole(m.Path, notGiven("it", omero.Gone))
		}
	}
	return nil
}

// notWhole says why a tar is not opened: a member cannot be read.
func notWhole(path string, why error) error {
	var e *tree.Error
	if !errors.As(why, &e) {
		return why
	}
	whole := *e
	whole.Reason = "the tar would not be whole, for " + path + " in it cannot be read: " + e.Reason
	return &whole
}

// Getxattr describes the object that the pack is of.
func (f *tarFile) Getxattr(ctx context.Context, name string) ([]byte, error) {
	return getxattr(ctx, f.object, name)
}

// Listxattr implements tree.XAttrs.
func (f *tarFile) Listxattr(ctx context.Context) ([]string, error) { return listxattr(ctx, f.object) }
