package irodsview

import (
	"context"
	"errors"
	"sync"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// readHandle is a file open for reading.
type readHandle struct {
	file *file
	s    *session

	mu      sync.Mutex // guards the fields below; never held during a call
	reader  *reader    // nil when the handle is released
	version uint64     // of the content that the reader has
}

// newReadHandle returns a handle of a file that has size bytes, -1 if that is
// not known.
func newReadHandle(f *file, s *session, size int64) *readHandle {
	h := &readHandle{file: f, s: s, version: f.contentVersion()}
	h.reader = newReader(f.view.ahead, size, h.open)
	return h
}

func (n *node) contentVersion() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.version
}

// open opens the data object.
func (h *readHandle) open(ctx context.Context, more bool) (*irods.File, error) {
	open := h.s.client.OpenRead
	if more {
		open = h.s.client.OpenReadMore
	}
	f, err := open(ctx, h.file.path())
	if stale := h.file.stale(); stale != nil && (err == nil || isNotFound(err)) {
		if err == nil {
			_ = f.Close(ctx)
		}
		return nil, stale
	}
	if err == nil {
		f.Again(h.file.stale)
	}
	return f, err
}

func (h *readHandle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if d := h.file.draftOf(h.s); d != nil && d.ahead() {
		if err := d.lock(ctx); err != nil {
			return 0, err
		}
		defer d.unlock()
		if d.ahead() {
			return d.read(ctx, p, off)
		}
	}
	for {
		r := h.current(ctx)
		if r == nil {
			return 0, tree.ErrBadHandle
		}
		n, err := r.readAt(ctx, p, off)
		if errors.Is(err, errReaderClosed) {
			continue
		}
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		return n, busy(fail(err))
	}
}

// current returns the reader of the content that the file has now.
func (h *readHandle) current(ctx context.Context) *reader {
	v := h.file.contentVersion()
	h.mu.Lock()
	var old *reader
	if h.reader != nil && v != h.version {
		old = h.reader
		h.reader, h.version = newReader(h.file.view.ahead, -1, h.open), v
	}
	r := h.reader
	h.mu.Unlock()
	if old != nil {
		old.close(ctx)
	}
	return r
}

// Release closes the data object.
func (h *readHandle) Release(ctx context.Context) {
	ctx, cancel := detached(ctx)
	defer cancel()
	h.mu.Lock()
	r := h.reader
	h.reader = nil
	h.mu.Unlock()
	if r != nil {
		r.close(ctx)
	}
}

// writeHandle is a file open for writing.
type writeHandle struct {
	file   *file
	draft  *draft
	append bool
}

var (
	_ tree.WriteHandle = (*writeHandle)(nil)
	_ tree.CopyTarget  = (*writeHandle)(nil)
)

func (h *writeHandle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := h.draft.lock(ctx); err != nil {
		return 0, err
	}
	defer h.draft.unlock()
	return h.draft.read(ctx, p, off)
}

// WriteAt adds bytes. With O_APPEND the kernel says where the end is, which
// another program may have moved; what counts is the end here.
func (h *writeHandle) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := h.draft.lock(ctx); err != nil {
		return 0, err
	}
	defer h.draft.unlock()
	h.draft.mixed = true
	write := h.draft.write
	if h.append {
		write = h.draft.add
	}
	if err := write(ctx, p, off); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (h *writeHandle) truncate(ctx context.Context) error {
	if err := h.draft.lock(ctx); err != nil {
		return err
	}
	defer h.draft.unlock()
	return h.draft.truncate(ctx, 0)
}

func (h *writeHandle) Flush(ctx context.Context) error { return h.draft.flush(ctx) }

func (h *writeHandle) Sync(ctx context.Context) error { return h.draft.sync(ctx) }

// Release frees the handle.
func (h *writeHandle) Release(ctx context.Context) { h.draft.release(ctx) }
