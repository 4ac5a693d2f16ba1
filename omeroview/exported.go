package omeroview

import (
	"context"
	"io"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// exportedFile is the OME-TIFF of an image that has no original files.
type exportedFile struct {
	node
	src  shelfSource
	item int64
}

var (
	_ tree.File   = (*exportedFile)(nil)
	_ tree.XAttrs = (*exportedFile)(nil)
)

func (f *exportedFile) find(ctx context.Context) (*item, *account, error) {
	a, err := f.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	it, err := f.src.find(ctx, a, f.item)
	if err == nil && (it.fileset != nil || it.pixels == nil) {
		err = tree.Errorf(tree.ErrNotFound, "the image is not there any more")
	}
	return it, a, err
}

func (f *exportedFile) Attr(ctx context.Context) (tree.Attr, error) {
	it, _, err := f.find(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return f.fileAttr(f.ino(), newTIFF(it.image, it.pixels).size(), exportTime(it)), nil
}

// exportTime is the newest event of what goes into the file.
func exportTime(it *item) time.Time {
	if it.pixels.Updated.After(it.image.Updated) {
		return it.pixels.Updated
	}
	return it.image.Updated
}

func (f *exportedFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, readOnly()
	}
	it, a, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	t := newTIFF(it.image, it.pixels)
	if t.head == 0 {
		return nil, tree.Errorf(tree.ErrNotSupported, "pixels of type %q have no place in a TIFF", it.pixels.Type)
	}
	return &exportHandle{t: t, head: t.layout(), r: a.c.OpenPixels(*it.pixels)}, nil
}

func (f *exportedFile) Getxattr(ctx context.Context, name string) ([]byte, error) {
	it, _, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	return it.xattrs().get(name)
}

func (f *exportedFile) Listxattr(ctx context.Context) ([]string, error) {
	it, _, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	return it.xattrs().list(), nil
}

// blockBytes is about how much of a plane is asked for at once.
const blockBytes = 1 << 20

// exportHandle reads an OME-TIFF whose pixels come from the server when they
// are asked for.
type exportHandle struct {
	t    *tiffImage
	head []byte
	r    *omero.RemotePixels

	mu    sync.Mutex // guards the last block; not held while the server is asked
	block pixelBlock
}

// pixelBlock are some rows of a plane.
type pixelBlock struct {
	plane int64
	row   int
	data  []byte
}

func (h *exportHandle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		switch {
		case at >= h.t.size():
			return n, io.EOF
		case at < h.t.head:
			n += copy(p[n:], h.head[at:])
			continue
		}
		at -= h.t.head
		plane, rest := at/h.t.plane, at%h.t.plane
		data, err := h.rows(ctx, plane, rest)
		if err != nil {
			return n, treeError("read pixels", err)
		}
		n += copy(p[n:], data)
	}
	return n, nil
}

// rows returns what there is from a place in a plane to the end of its block.
func (h *exportHandle) rows(ctx context.Context, plane, off int64) ([]byte, error) {
	rowBytes := int64(h.t.p.SizeX) * int64(h.t.sample.bytes)
	perBlock := max(blockBytes/rowBytes, 1)
	first := off / rowBytes / perBlock * perBlock
	h.mu.Lock()
	b := h.block
	h.mu.Unlock()
	if b.data == nil || b.plane != plane || int64(b.row) != first {
		count := min(perBlock, int64(h.t.p.SizeY)-first)
		z, ch, t := h.t.coordinates(plane)
		data, err := h.r.Tile(ctx, z, ch, t, 0, int(first), h.t.p.SizeX, int(count))
		if err != nil {
			return nil, err
		}
		if int64(len(data)) != count*rowBytes {
			return nil, tree.Errorf(tree.ErrIO, "the server sent %d bytes of pixels instead of %d", len(data), count*rowBytes)
		}
		b = pixelBlock{plane: plane, row: int(first), data: data}
		h.mu.Lock()
		h.block = b
		h.mu.Unlock()
	}
	return b.data[off-first*rowBytes:], nil
}

// Release frees the server's side; nobody hears what goes wrong there.
func (h *exportHandle) Release(context.Context) { _ = h.r.Close() }

// Cache keeps the content: pixels are not changed in place.
func (h *exportHandle) Cache() tree.Cache { return tree.CacheKeep }
