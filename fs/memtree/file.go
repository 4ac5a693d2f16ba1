package memtree

import (
	"context"
	"io"
	"time"

	"omerods/fs/tree"
)

// file is a file as the filesystem sees it.
type file struct{ *node }

var (
	_ tree.File          = (*file)(nil)
	_ tree.AttrSetter    = (*file)(nil)
	_ tree.XAttrs        = (*file)(nil)
	_ tree.XAttrSetter   = (*file)(nil)
	_ tree.AccessChecker = (*file)(nil)
)

func (f *file) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if err := f.t.enter(ctx, OpOpen, f.node, ""); err != nil {
		return nil, err
	}
	f.t.mu.Lock()
	defer f.t.mu.Unlock()
	if opts.Write && opts.Truncate {
		f.truncate(0)
	}
	h := f.newHandle(opts)
	if !opts.Write {
		return readHandle{h}, nil
	}
	return h, nil
}

// newHandle needs the lock.
func (f *file) newHandle(opts tree.OpenOptions) *handle {
	f.t.handles++
	return &handle{file: f, opts: opts, cache: f.cache}
}

// handle is an open file. The tree's lock guards its fields.
type handle struct {
	file  *file
	opts  tree.OpenOptions
	cache tree.Cache

	dirty    bool
	err      error // of the last flush
	released bool
}

var (
	_ tree.WriteHandle = (*handle)(nil)
	_ tree.CopyTarget  = (*handle)(nil)
	_ tree.Cacher      = (*handle)(nil)
)

// readHandle leaves of a handle what reading needs.
type readHandle struct{ h *handle }

func (r readHandle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	return r.h.ReadAt(ctx, p, off)
}
func (r readHandle) Release(ctx context.Context) { r.h.Release(ctx) }
func (r readHandle) Cache() tree.Cache           { return r.h.cache }

func (h *handle) Cache() tree.Cache { return h.cache }

func (h *handle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	t := h.file.t
	if err := t.enter(ctx, OpRead, h.file.node, ""); err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if off >= int64(len(h.file.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.file.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	t := h.file.t
	if err := t.enter(ctx, OpWrite, h.file.node, ""); err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !h.opts.Write {
		return 0, tree.ErrBadHandle
	}
	h.put(p, off)
	return len(p), nil
}

// put needs the lock.
func (h *handle) put(p []byte, off int64) {
	n := h.file.node
	if end := off + int64(len(p)); end > int64(len(n.data)) {
		n.truncate(end)
	}
	copy(n.data[off:], p)
	n.attr.Mtime = time.Now()
	h.dirty = true
}

func (h *handle) Flush(ctx context.Context) error { return h.store(ctx, OpFlush) }
func (h *handle) Sync(ctx context.Context) error  { return h.store(ctx, OpSync) }

func (h *handle) store(ctx context.Context, op string) error {
	t := h.file.t
	err := t.enter(ctx, op, h.file.node, "")
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil || h.dirty {
		h.err = err
	}
	h.dirty = false
	return h.err
}

func (h *handle) CopyFrom(ctx context.Context, src tree.CopySource, off, n int64) (int64, error) {
	t := h.file.t
	if err := t.enter(ctx, OpCopy, h.file.node, ""); err != nil {
		return 0, err
	}
	if t.CopyStepBytes > 0 {
		n = min(n, t.CopyStepBytes)
	}
	a, err := src.Node.Attr(ctx)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, max(0, min(n, a.Size-src.Off)))
	got, err := src.Handle.ReadAt(ctx, buf, src.Off)
	if err != nil && err != io.EOF {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h.put(buf[:got], off)
	return int64(got), nil
}

func (h *handle) Release(ctx context.Context) {
	t := h.file.t
	_ = t.enter(ctx, OpRelease, h.file.node, "")
	t.mu.Lock()
	defer t.mu.Unlock()
	if !h.released {
		h.released = true
		t.handles--
	}
}
