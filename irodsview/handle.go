package irodsview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// readHandle is a file open for reading. It reads ahead in blocks that grow
// while a program reads on, and keeps the last two, because the kernel's
// readahead comes a little out of order.
type readHandle struct {
	file *file
	s    *session

	busy chan struct{} // as in draft
	// Under busy:
	remote  *irods.File
	version uint64 // of the content that is buffered
	windows [2]window
	ahead   int
}

// window is a piece of the file.
type window struct {
	off  int64
	data []byte
	last bool // the file ended with it
}

// minAhead is how much is read at once where a program jumps.
const minAhead = 256 << 10

func newReadHandle(f *file, s *session) *readHandle {
	h := &readHandle{file: f, s: s, busy: make(chan struct{}, 1), ahead: minAhead}
	h.version = f.contentVersion()
	return h
}

func (n *node) contentVersion() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.version
}

// open opens the data object; busy is held, or nobody else has the handle.
func (h *readHandle) open(ctx context.Context) error {
	if h.remote != nil {
		return nil
	}
	f, err := h.s.client.OpenRead(ctx, h.file.path())
	switch {
	case err == nil:
		h.remote = f
	case isNotFound(err) && !h.file.attached():
		return tree.Errorf(tree.ErrStale, "%s has been removed", h.file.path())
	}
	return err
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
	select {
	case h.busy <- struct{}{}:
	case <-ctx.Done():
		return 0, fail(ctx.Err())
	}
	defer func() { <-h.busy }()
	if v := h.file.contentVersion(); v != h.version {
		h.close(ctx)
		h.version, h.windows = v, [2]window{}
	}
	n := 0
	for n < len(p) {
		m, err := h.some(ctx, p[n:], off+int64(n))
		if err != nil {
			return n, busy(fail(err))
		}
		n += m
		if m == 0 || h.ends(off+int64(n)) {
			break
		}
	}
	return n, nil
}

// ends tells whether the file ended there when that window was read.
func (h *readHandle) ends(off int64) bool {
	w := &h.windows[0]
	return w.last && off == w.off+int64(len(w.data))
}

// some reads at least one byte, or none at the end.
func (h *readHandle) some(ctx context.Context, p []byte, off int64) (int, error) {
	for i := range h.windows {
		w := &h.windows[i]
		if off >= w.off && off < w.off+int64(len(w.data)) {
			if i == 1 {
				h.windows[0], h.windows[1] = h.windows[1], h.windows[0]
			}
			return copy(p, h.windows[0].data[off-h.windows[0].off:]), nil
		}
	}
	if last := h.windows[0]; len(last.data) > 0 && off == last.off+int64(len(last.data)) {
		h.ahead = min(h.ahead*4, blockBytes)
	} else if off != 0 {
		h.ahead = minAhead
	}
	if len(p) >= h.ahead {
		n, err := h.fetch(ctx, p[:min(len(p), blockBytes)], off)
		return n, err
	}
	buf := h.windows[1].data[:0]
	if cap(buf) < h.ahead {
		buf = make([]byte, h.ahead)
	}
	n, err := h.fetch(ctx, buf[:h.ahead], off)
	if err != nil {
		h.windows[1] = window{}
		return 0, err
	}
	h.windows[1] = h.windows[0]
	h.windows[0] = window{off: off, data: buf[:n]}
	return copy(p, buf[:n]), nil
}

// fetch reads from the server. A file that was renamed meanwhile is opened
// under its new name.
func (h *readHandle) fetch(ctx context.Context, p []byte, off int64) (int, error) {
	if err := h.open(ctx); err != nil {
		return 0, err
	}
	n, err := h.remote.ReadAt(ctx, p, off)
	if isNotFound(err) {
		h.close(ctx)
		if err = h.open(ctx); err == nil {
			n, err = h.remote.ReadAt(ctx, p, off)
		}
	}
	return n, err
}

func (h *readHandle) close(ctx context.Context) {
	if h.remote != nil {
		_ = h.remote.Close(ctx)
		h.remote = nil
	}
}

// Release closes the data object.
func (h *readHandle) Release(ctx context.Context) {
	ctx, cancel := detached(ctx)
	defer cancel()
	select {
	case h.busy <- struct{}{}:
		h.close(ctx)
		<-h.busy
	case <-ctx.Done():
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
	if h.append {
		off = h.draft.length()
	}
	h.draft.mixed = true
	if err := h.draft.write(ctx, p, off); err != nil {
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
