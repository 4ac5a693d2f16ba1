package irodsview

import (
	"context"
	"errors"
	"io"

	"omerods/fs/tree"
)

// copyStep is how much one call copies at most, so that it can be cancelled
// and a program sees progress.
const copyStep = 64 << 20

// block is a piece on its way from the source.
type block struct {
	data []byte
	err  error
}

// CopyFrom copies from another file of the tree. Reading and writing overlap.
func (h *writeHandle) CopyFrom(ctx context.Context, src tree.CopySource, off, n int64) (int64, error) {
	switch from := src.Handle.(type) {
	case *writeHandle:
		if from.draft == h.draft {
			return 0, tree.Errorf(tree.ErrNotSupported, "a file is not copied into itself")
		}
	case *readHandle:
		if from.file.node == h.draft.node {
			return 0, tree.Errorf(tree.ErrNotSupported, "a file is not copied into itself")
		}
	}
	if err := h.draft.begin(ctx, src, off); err != nil {
		return 0, err
	}
	return h.draft.copyFrom(ctx, src, off, min(n, copyStep))
}

// begin notes where the bytes of a copy come from.
func (d *draft) begin(ctx context.Context, src tree.CopySource, off int64) error {
	if err := d.lock(ctx); err != nil {
		return err
	}
	defer d.unlock()
	if d.failed != nil {
		return d.failed
	}
	// The bytes are those of the source if all of them came from it, in place.
	if src.Off != off || d.source == nil && d.length() > 0 || d.source != nil && !sameFile(ctx, d.source, src.Node) {
		d.mixed = true
	}
	d.source = src.Node
	return nil
}

// sameFile tells whether two answers of a view are the same file.
func sameFile(ctx context.Context, a, b tree.File) bool {
	if a == b {
		return true
	}
	x, err := a.Attr(ctx)
	if err != nil {
		return false
	}
	y, err := b.Attr(ctx)
	return err == nil && x.Ino == y.Ino
}

// copyFrom reads from the source without holding the content: the source may
// be a file that is being written, whose lock is of the same kind.
func (d *draft) copyFrom(ctx context.Context, src tree.CopySource, off, n int64) (int64, error) {
	rctx, stop := context.WithCancel(ctx)
	defer stop()
	full := make(chan block)
	go func() {
		defer close(full)
		for at := int64(0); at < n; {
			buf := newBlock()[:min(n-at, blockBytes)]
			m, err := src.Handle.ReadAt(rctx, buf, src.Off+at)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			at += int64(m)
			end := m < len(buf)
			full <- block{buf[:m], err}
			if err != nil || end {
				return
			}
		}
	}()
	var copied int64
	var failed error
	// The channel is read to its end: the reader must not outlive this call.
	for b := range full {
		if failed != nil || len(b.data) == 0 {
			freeBlock(b.data)
		} else if failed = d.take(ctx, b.data, off+copied); failed == nil {
			copied += int64(len(b.data))
		}
		if failed == nil && b.err != nil {
			failed = b.err
		}
		if failed == nil && ctx.Err() != nil {
			failed = fail(ctx.Err())
		}
		if failed != nil {
			stop()
		}
	}
	if failed != nil && (copied == 0 || d.isDead()) {
		return 0, failed
	}
	return copied, nil
}

// take writes one block of a copy.
func (d *draft) take(ctx context.Context, block []byte, off int64) error {
	if err := d.lock(ctx); err != nil {
		freeBlock(block)
		return err
	}
	defer d.unlock()
	return d.give(ctx, block, off)
}
