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
	newest := it.image.Updated
	for _, t := range []time.Time{it.pixels.Updated, it.pixels.Described} {
		if t.After(newest) {
			newest = t
		}
	}
	return newest
}

func (f *exportedFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, readOnly()
	}
	it, a, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	return openTIFF(a, it.image, it.pixels)
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
	t *tiffImage
	r pixelSource

	mu    sync.Mutex // guards the last block; not held while the server is asked
	block pixelBlock
}

// pixelSource gives w by h pixels from x, y of one plane: rows from top to
// bottom, numbers in big-endian order.
type pixelSource interface {
	Tile(ctx context.Context, z, ch, t, x, y, w, h int) ([]byte, error)
	Close() error
}

// pixelBlock are some rows of a plane, or a part of a long row.
type pixelBlock struct {
	plane, start int64 // the plane, and the first byte within it
	data         []byte
}

// openTIFF opens the OME-TIFF of an image.
func openTIFF(a *account, im omero.Image, p *omero.Pixels) (tree.Handle, error) {
	t := newTIFF(im, p)
	if t.head == 0 {
		return nil, tree.Errorf(tree.ErrNotSupported, "pixels of type %q have no place in a TIFF", p.Type)
	}
	return &exportHandle{t: t, r: a.c.OpenPixels(*p)}, nil
}

func (h *exportHandle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		switch {
		case at >= h.t.size():
			return n, io.EOF
		case at < h.t.head:
			n += h.t.readHead(p[n:], at)
			continue
		}
		at -= h.t.head
		plane, rest := at/h.t.plane, at%h.t.plane
		data, err := h.pixels(ctx, plane, rest)
		if err != nil {
			return n, treeError("read pixels", err)
		}
		n += copy(p[n:], data)
	}
	return n, nil
}

// pixels returns what there is from a place in a plane to the end of its block.
func (h *exportHandle) pixels(ctx context.Context, plane, off int64) ([]byte, error) {
	width, bytes := int64(h.t.p.SizeX), int64(h.t.sample.bytes)
	row := off / (width * bytes)
	rows := blockBytes / (width * bytes)
	x, columns := int64(0), width
	if rows > 0 {
		row = row / rows * rows
		rows = min(rows, int64(h.t.p.SizeY)-row)
	} else { // a row is more than a block
		rows, columns = 1, blockBytes/bytes
		x = off % (width * bytes) / bytes / columns * columns
		columns = min(columns, width-x)
	}
	start := (row*width + x) * bytes
	h.mu.Lock()
	b := h.block
	h.mu.Unlock()
	if b.data == nil || b.plane != plane || b.start != start {
		z, ch, t := h.t.coordinates(plane)
		data, err := h.r.Tile(ctx, z, ch, t, int(x), int(row), int(columns), int(rows))
		if err != nil {
			return nil, err
		}
		if int64(len(data)) != rows*columns*bytes {
			return nil, tree.Errorf(tree.ErrIO, "the server sent %d bytes of pixels instead of %d", len(data), rows*columns*bytes)
		}
		b = pixelBlock{plane: plane, start: start, data: data}
		h.mu.Lock()
		h.block = b
		h.mu.Unlock()
	}
	return b.data[off-start:], nil
}

// Release frees the server's side; nobody hears what goes wrong there.
func (h *exportHandle) Release(context.Context) { _ = h.r.Close() }

// Cache keeps the content: pixels are not changed in place.
func (h *exportHandle) Cache() tree.Cache { return tree.CacheKeep }
