package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"omerods/fs/tree"
)

// handle is an open file.
type handle struct {
	mount  *mount
	entity *entity
	handle tree.Handle
	opts   tree.OpenOptions
	caller tree.Caller // who opened it
	cache  tree.Cache
}

var (
	_ gofuse.FileReader    = (*handle)(nil)
	_ gofuse.FileWriter    = (*handle)(nil)
	_ gofuse.FileFlusher   = (*handle)(nil)
	_ gofuse.FileFsyncer   = (*handle)(nil)
	_ gofuse.FileReleaser  = (*handle)(nil)
	_ gofuse.FileAllocater = (*handle)(nil)
)

func (m *mount) newHandle(ctx context.Context, e *entity, th tree.Handle, opts tree.OpenOptions) *handle {
	h := &handle{mount: m, entity: e, handle: th, opts: opts}
	h.caller, _ = tree.CallerFrom(ctx)
	if c, ok := th.(tree.Cacher); ok {
		h.cache = c.Cache()
	}
	m.handles.add(h)
	return h
}

func (h *handle) openFlags() uint32 {
	switch h.cache {
	case tree.CacheKeep:
		return fuse.FOPEN_KEEP_CACHE
	case tree.CacheNone:
		return fuse.FOPEN_DIRECT_IO
	}
	return 0
}

// Read reads at an offset; less than asked for is the end of the file.
func (h *handle) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	ctx, end := h.mount.begin(ctx, opRead, &h.caller)
	defer end()
	n, err := h.handle.ReadAt(ctx, dest, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil && n < len(dest) {
		err = h.checkEnd(ctx, off+int64(n))
	}
	if err != nil {
		return nil, h.mount.fail(ctx, opRead, h.entity.path(), err)
	}
	return fuse.ReadResultData(dest[:n]), 0
}

// checkEnd makes sure that a file which ends does so where the kernel was
// told: a program that copies it would take the rest as not being there. A
// file that has become shorter meanwhile may end. Without the page cache the
// size is the handle's own affair.
func (h *handle) checkEnd(ctx context.Context, end int64) error {
	if h.cache == tree.CacheNone || end >= h.entity.told().Size || h.entity.isGone() {
		return nil
	}
	a, err := h.entity.tree().Attr(ctx)
	if err != nil {
		return err
	}
	if end < a.Size {
		return tree.Errorf(tree.ErrIO, "the file ends at byte %d of %d", end, a.Size)
	}
	h.entity.tell(a)
	return nil
}

// Write writes at an offset. It answers for itself: an error kept for later
// is one that nobody sees.
func (h *handle) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	o := opWrite
	if _, ok := h.handle.(tree.Patient); ok {
		o = opPatient
	}
	ctx, end := h.mount.begin(ctx, o, &h.caller)
	defer end()
	n, err := h.write(ctx, data, off)
	if err != nil {
		return 0, h.mount.fail(ctx, opWrite, h.entity.path(), err)
	}
	h.entity.wrote(off + int64(n))
	return uint32(n), 0
}

func (h *handle) write(ctx context.Context, data []byte, off int64) (int, error) {
	wh, ok := h.handle.(tree.WriteHandle)
	if !ok {
		return 0, tree.ErrBadHandle
	}
	n, err := wh.WriteAt(ctx, data, off)
	if err == nil && (n > len(data) || n <= 0 && len(data) > 0) {
		return 0, fmt.Errorf("a write of %d bytes wrote %d", len(data), n)
	}
	return n, err
}

// Flush comes for each close of a descriptor and is the last request whose
// result a program hears.
func (h *handle) Flush(ctx context.Context) syscall.Errno {
	return h.store(ctx, opClose, tree.WriteHandle.Flush)
}

// Fsync stores what was written so far.
func (h *handle) Fsync(ctx context.Context, _ uint32) syscall.Errno {
	return h.store(ctx, opSync, tree.WriteHandle.Sync)
}

func (h *handle) store(ctx context.Context, o op, do func(tree.WriteHandle, context.Context) error) syscall.Errno {
	wh, ok := h.handle.(tree.WriteHandle)
	if !ok {
		return 0
	}
	ctx, end := h.mount.begin(ctx, o, &h.caller)
	defer end()
	return h.mount.fail(ctx, o, h.entity.path(), do(wh, ctx))
}

// Release frees the handle.
func (h *handle) Release(ctx context.Context) syscall.Errno {
	if h.mount.handles.remove(h) {
		ctx, end := h.mount.begin(ctx, opClose, &h.caller)
		defer end()
		h.handle.Release(ctx)
	}
	return 0
}

// Allocate says ENOSYS once; the kernel then answers fallocate(2) itself,
// with EOPNOTSUPP. Room is not reserved here.
func (h *handle) Allocate(context.Context, uint64, uint64, uint32) syscall.Errno {
	return syscall.ENOSYS
}

// handles are the open handles of a mount.
type handles struct {
	mu   sync.Mutex // guards the field below
	open map[*handle]struct{}
}

func newHandles() *handles { return &handles{open: make(map[*handle]struct{})} }

func (s *handles) add(h *handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[h] = struct{}{}
}

// remove reports whether the handle was open.
func (s *handles) remove(h *handle) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.open[h]
	delete(s.open, h)
	return ok
}

func (s *handles) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// releaseAll frees what the kernel left open when the mount ended.
func (s *handles) releaseAll() {
	s.mu.Lock()
	left := make([]*handle, 0, len(s.open))
	for h := range s.open {
		left = append(left, h)
	}
	s.mu.Unlock()
	for _, h := range left {
		h.Release(context.Background())
	}
}
