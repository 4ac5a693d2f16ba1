package omeroview

import (
	"context"
	"errors"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// originalFile is one original file of a fileset.
type originalFile struct {
	node
	src   shelfSource
	item  int64
	entry int
}

var (
	_ tree.File   = (*originalFile)(nil)
	_ tree.XAttrs = (*originalFile)(nil)
)

func (f *originalFile) find(ctx context.Context) (*item, omero.OriginalFile, *account, error) {
	a, err := f.account(ctx)
	if err != nil {
		return nil, omero.OriginalFile{}, nil, err
	}
	it, err := f.src.find(ctx, a, f.item)
	if err != nil {
		return nil, omero.OriginalFile{}, nil, err
	}
	if it.fileset == nil || f.entry >= len(it.fileset.Entries) {
		return nil, omero.OriginalFile{}, nil, tree.Errorf(tree.ErrNotFound, "the file is not there any more")
	}
	return it, it.fileset.Entries[f.entry].File, a, nil
}

func (f *originalFile) Attr(ctx context.Context) (tree.Attr, error) {
	_, file, _, err := f.find(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return f.fileAttr(f.ino(), file.Size, file.Modified), nil
}

// Open opens the file. A server refuses to give content away, or finds it gone
// from its disk, at the first read only. It is tried here, so that programs
// hear of it when they open; what is read stays at hand.
func (f *originalFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, readOnly()
	}
	_, file, a, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	r := a.c.OpenFile(file)
	if err := r.Check(ctx); err != nil {
		if errors.Is(err, omero.Gone) {
			a.found(file.ID)
		}
		return nil, errors.Join(notGiven("the original files of this image", err), r.Close())
	}
	return &remoteHandle{r: r}, nil
}

// notGiven explains why a file is not given away.
func notGiven(what string, err error) error {
	switch {
	case errors.Is(err, omero.Denied):
		return tree.Errorf(tree.ErrDenied, "the policy of this OMERO server does not let you read %s: %w", what, err).
			WithAdvice("ask its administrators to add +plate (for images in plates) or +image to omero.policy.binary_access, for the server " +
				"or in the config of the group; or mount with --skip-refused, which leaves such images out of packs")
	case errors.Is(err, omero.Gone):
		return tree.Errorf(tree.ErrIO, "this OMERO server has lost %s, or a part of it: %w", what, err).
			WithAdvice("tell its administrators; with --skip-refused, copying the folder again leaves the image out")
	}
	return treeError("open", err)
}

func readOnly() error {
	return tree.Errorf(tree.ErrExists, "it exists in OMERO, and what is live there is never overwritten").
		WithAdvice("copy the whole folder under another name: that makes a new object")
}

// Getxattr adds the hash that OMERO has of the file.
func (f *originalFile) Getxattr(ctx context.Context, name string) ([]byte, error) {
	x, err := f.xattrs(ctx)
	if err != nil {
		return nil, err
	}
	return x.get(name)
}

func (f *originalFile) Listxattr(ctx context.Context) ([]string, error) {
	x, err := f.xattrs(ctx)
	return x.list(), err
}

func (f *originalFile) xattrs(ctx context.Context) (xattrs, error) {
	it, file, _, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	x := it.xattrs()
	if file.Hash != "" {
		x = append(x, [2]string{"user.omero.hash", strings.TrimSpace(file.Hasher + " " + file.Hash)})
	}
	return x, nil
}

// remoteHandle reads an original file.
type remoteHandle struct{ r *omero.RemoteFile }

var _ tree.Cacher = (*remoteHandle)(nil)

func (h *remoteHandle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	n, err := h.r.ReadAt(ctx, p, off)
	return n, readError(err)
}

// Release frees the server's side; nobody hears what goes wrong there.
func (h *remoteHandle) Release(context.Context) { _ = h.r.Close() }

// Cache keeps the content: an original file is never changed in place.
func (h *remoteHandle) Cache() tree.Cache { return tree.CacheKeep }
