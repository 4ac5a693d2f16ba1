package irodsview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// storedReader reads a draft's stored content for the guard.
type storedReader struct{ f *irods.File }

// openStored opens the content that is about to be published, or has just
// been; io is held.
func (d *draft) openStored(ctx context.Context) (tree.Handle, error) {
	p := d.node.path()
	if d.tmpName != "" {
		p = d.tmpPath()
	}
	f, err := d.s.client.OpenRead(ctx, p)
	if err != nil {
		return nil, fail(err)
	}
	return storedReader{f}, nil
}

// ReadAt implements tree.Handle.
func (r storedReader) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	n, err := r.f.ReadAt(ctx, p, off)
	return n, fail(err)
}

// Release implements tree.Handle.
func (r storedReader) Release(ctx context.Context) { _ = r.f.Close(ctx) }
