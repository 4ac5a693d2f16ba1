package omeroview

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
)

// tarFile is a pack as one tar. The tar is nowhere: only the place of each of
// its bytes is known.
type tarFile struct {
	node
	pack   packRef
	object tree.Node // that the pack is of
}

var (
	_ tree.File   = (*tarFile)(nil)
	_ tree.XAttrs = (*tarFile)(nil)
)

func (f *tarFile) entry(name string) tree.Entry {
	return tree.Entry{Name: name + tarSuffix, Kind: tree.KindFile, Ino: f.ino()}
}

func (f *tarFile) build(ctx context.Context) (*tarImage, *account, error) {
	a, err := f.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.tar(ctx, f.pack)
	return t, a, treeError("lay out the tar", err)
}

// Attr makes the generated files of the pack: nothing else tells its size. The
// kernel does not keep the attributes, so that a program that has opened the
// tar and then asks for its size is told that of the state it reads.
func (f *tarFile) Attr(ctx context.Context) (tree.Attr, error) {
	t, _, err := f.build(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	a := f.fileAttr(f.ino(), t.layout.Size(), t.state.mtime)
	a.Valid = -1
	return a, nil
}

// Open returns a handle that shows one state of the pack until it is released.
// A tar that could not be read to its end is not opened.
func (f *tarFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, readOnly()
	}
	for again := true; ; again = false {
		t, a, err := f.build(ctx)
		if err != nil {
			return nil, err
		}
		if err := a.readable(ctx, t); err != nil {
			return nil, err
		}
		made, err := os.Open(t.made)
		if again && errors.Is(err, fs.ErrNotExist) {
			a.memo.clear() // several states have come since it was made
			continue
		}
		if err != nil {
			return nil, treeError("open the tar", err)
		}
		return newTarHandle(a, t, made), nil
	}
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
