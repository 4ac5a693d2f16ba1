package transfer

import (
	"bytes"
	"context"
	"sync"

	"omerods/fs/tree"
)

// WrittenBy says whether the caller's process is one of those that have written
// this load. Such a process may write again what has become an object while it
// went on; to others the object just exists.
func (f *stagedFile) WrittenBy(ctx context.Context) bool {
	c, _ := tree.CallerFrom(ctx)
	return f.load.writers.Knows(c.TID)
}

// repeatHandle is open on a file that has arrived already: somebody runs the
// same copy again after it was cut off. What is written is only compared.
type repeatHandle struct {
	file *stagedFile

	mu      sync.Mutex // guards the fields below
	sums    *Sums
	written bool
	unknown bool // not written in order, so it cannot be compared
}

var (
	_ tree.WriteHandle = (*repeatHandle)(nil)
	_ tree.CopyTarget  = (*repeatHandle)(nil)
)

// ReadAt implements tree.Handle.
func (h *repeatHandle) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return h.file.content.ReadAt(p, off)
}

// WriteAt implements tree.WriteHandle.
func (h *repeatHandle) WriteAt(_ context.Context, p []byte, off int64) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.written = true
	if off != h.sums.Size() {
		h.unknown = true
		return len(p), nil
	}
	return h.sums.Write(p)
}

// Flush implements tree.WriteHandle: the same bytes again are welcome, others
// come too late.
func (h *repeatHandle) Flush(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.written {
		return nil
	}
	first, err := h.file.content.Sums()
	if err != nil {
		return nil // one that the load does not need, of which nothing was kept
	}
	if h.unknown || h.sums.Size() != first.Size() || !bytes.Equal(h.sums.SHA1(), first.SHA1()) {
		return tree.Errorf(tree.ErrBusy, "%s is on its way into OMERO with another content", h.file.name).
			WithAdvice("wait until the load has ended, or remove its folder and copy again")
	}
	return nil
}

// Sync implements tree.WriteHandle.
func (h *repeatHandle) Sync(context.Context) error { return nil }

// CopyFrom implements tree.CopyTarget.
func (h *repeatHandle) CopyFrom(ctx context.Context, src tree.CopySource, off, n int64) (int64, error) {
	return copyInto(ctx, h, src, off, n)
}

// Release implements tree.Handle.
func (h *repeatHandle) Release(context.Context) {
	h.file.load.mu.Lock()
	defer h.file.load.mu.Unlock()
	h.file.repeats--
}
