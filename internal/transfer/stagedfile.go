package transfer

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	"omerods/fs/tree"
	"omerods/internal/task"
)

// stagedFile is a file that is being written into a load. Its fields but
// content are guarded by the load's mutex.
type stagedFile struct {
	load    *Load
	parent  *stagedDir
	name    string
	content *spoolFile
	stagedAttr

	writers int   // handles open for writing
	repeats int   // handles of programs that write it once more
	dirty   bool  // written since the last flush
	cutOff  bool  // its writer was killed
	gone    bool  // unlinked
	flushed bool  // closed cleanly at least once
	arrived bool  // whole, and taken by the load
	result  error // of the last flush
	broken  error // why what was written is not whole, whatever its close says
	lost    bool  // broken, and nothing of it was kept

	sent atomic.Int64 // bytes of it that went to OMERO
}

var (
	_ tree.File        = (*stagedFile)(nil)
	_ tree.AttrSetter  = (*stagedFile)(nil)
	_ tree.XAttrSetter = (*stagedFile)(nil)
)

// Attr implements tree.Node.
func (f *stagedFile) Attr(context.Context) (tree.Attr, error) {
	f.load.mu.Lock()
	defer f.load.mu.Unlock()
	return f.attr(tree.KindFile, f.content.Size()), nil
}

// SetAttr implements tree.AttrSetter.
func (f *stagedFile) SetAttr(_ context.Context, c tree.AttrChange) (tree.Attr, error) {
	f.load.mu.Lock()
	defer f.load.mu.Unlock()
	if c.Size != nil && *c.Size != f.content.Size() && !(f.arrived && f.repeats > 0) {
		if f.arrived {
			return tree.Attr{}, errFreed
		}
		if err := f.content.Truncate(*c.Size); err != nil {
			return tree.Attr{}, err
		}
		f.dirty = true
	}
	f.change(c)
	return f.attr(tree.KindFile, f.content.Size()), nil
}

// Setxattr accepts what OMERO has no place for.
func (f *stagedFile) Setxattr(context.Context, string, []byte, bool, bool) error { return nil }

// Removexattr finds nothing, because nothing was kept.
func (f *stagedFile) Removexattr(context.Context, string) error { return tree.ErrNoData }

// Open implements tree.File.
func (f *stagedFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		f.load.saw(ctx)
	}
	f.load.mu.Lock()
	defer f.load.mu.Unlock()
	return f.openLocked(opts)
}

func (f *stagedFile) openLocked(opts tree.OpenOptions) (tree.WriteHandle, error) {
	if opts.Write {
		if f.arrived {
			f.repeats++
			return &repeatHandle{file: f, sums: NewSums()}, nil
		}
		if err := f.load.writable(); err != nil {
			return nil, err
		}
		if opts.Truncate {
			if err := f.content.Truncate(0); err != nil {
				return nil, err
			}
		}
		f.writers++
		f.cutOff, f.lost, f.broken = false, false, nil
	}
	return &stagedHandle{file: f, write: opts.Write}, nil
}

// remove forgets what nobody needs of a file without a name; the load's mutex
// is held.
func (f *stagedFile) remove() {
	f.gone = true
	if f.writers == 0 && !f.arrived {
		f.content.Free()
	}
}

// stagedHandle is an open staged file.
type stagedHandle struct {
	file  *stagedFile
	write bool
}

var _ tree.WriteHandle = (*stagedHandle)(nil)

// ReadAt implements tree.Handle.
func (h *stagedHandle) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	n, err := h.file.content.ReadAt(p, off)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// WriteAt implements tree.WriteHandle.
func (h *stagedHandle) WriteAt(_ context.Context, p []byte, off int64) (int, error) {
	f := h.file
	if !h.write {
		return 0, tree.ErrBadHandle
	}
	f.load.mu.Lock()
	err := f.load.writable()
	switch {
	case err != nil:
	case f.arrived:
		err = errFreed
	case f.lost:
		err = f.broken
	case off+int64(len(p)) > mostTransferXML && f.isTransferXML():
		err = tree.Errorf(tree.ErrTooLarge, "%s is longer than %d bytes; more are not read", f.name, int64(mostTransferXML))
		defer f.lose(err)
	default:
		f.dirty, f.broken = true, nil // a copy that failed may be gone on with by writing
		if !f.touched {
			f.mtime = f.load.of.cfg.Now()
		}
	}
	f.load.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := f.content.WriteAt(p, off)
	if err != nil {
		f.lose(err)
	}
	return n, err
}

// isTransferXML says whether the file is the pack's document, or will be by
// rsync's way of naming; the load's mutex is held.
func (f *stagedFile) isTransferXML() bool {
	return f.parent.parent == nil && (f.name == transferXML || strings.HasPrefix(f.name, "."+transferXML+"."))
}

// lose gives back the room of a file that could not be written to its end: its
// program closes it as if nothing had been, and half of it is good for nothing.
func (f *stagedFile) lose(err error) {
	f.load.mu.Lock()
	defer f.load.mu.Unlock()
	if f.arrived {
		return
	}
	f.broken, f.lost, f.dirty = err, true, true
	if errors.Is(err, tree.ErrNoSpace) {
		f.load.full = err
	}
	if terr := f.content.Truncate(0); terr != nil {
		f.load.of.cfg.Logger.Warn("the spool keeps a file that is good for nothing", "name", f.name, "err", terr)
	}
}

// Flush implements tree.WriteHandle: the file is whole unless its writer is
// being killed. The flush that brings the last file of a pack waits for the
// end of the load and returns its result.
func (h *stagedHandle) Flush(ctx context.Context) error {
	f := h.file
	if !h.write {
		return nil
	}
	c, _ := tree.CallerFrom(ctx)
	dead := task.Killed(c.TID)
	f.load.mu.Lock()
	if f.broken != nil {
		defer f.load.mu.Unlock()
		return f.broken
	}
	if !f.dirty && (f.content.Size() > 0 || f.arrived || f.result != nil) {
		defer f.load.mu.Unlock()
		return f.result
	}
	if dead {
		f.cutOff = true
		f.result = tree.Errorf(tree.ErrCutOff, "%s was cut off: the program that wrote it was killed", f.name)
		defer f.load.mu.Unlock()
		return f.result
	}
	f.dirty = false
	f.load.mu.Unlock()

	err := f.load.closed(ctx, f, true)
	f.load.mu.Lock()
	f.result = err
	f.load.mu.Unlock()
	return err
}

// Sync implements tree.WriteHandle. The spool is not meant to outlive a crash,
// so there is nothing that must be on the disk.
func (h *stagedHandle) Sync(context.Context) error { return nil }

// CopyFrom implements tree.CopyTarget.
func (h *stagedHandle) CopyFrom(ctx context.Context, src tree.CopySource, off, n int64) (int64, error) {
	done, err := copyInto(ctx, h, src, off, n)
	if err != nil && ctx.Err() == nil {
		h.file.load.mu.Lock()
		if h.file.broken == nil && !h.file.arrived {
			h.file.broken, h.file.dirty = err, true
		}
		h.file.load.mu.Unlock()
	}
	return done, err
}

// copyInto copies up to 64 MiB in pieces, so that it can be cancelled.
func copyInto(ctx context.Context, h tree.WriteHandle, src tree.CopySource, off, n int64) (int64, error) {
	const step, piece = 64 << 20, 4 << 20
	n = min(n, step)
	buf := make([]byte, min(n, piece))
	var done int64
	for done < n {
		if err := ctx.Err(); err != nil {
			if done > 0 {
				return done, nil
			}
			return 0, err
		}
		got, err := src.Handle.ReadAt(ctx, buf[:min(n-done, piece)], src.Off+done)
		if err != nil && err != io.EOF {
			return done, err
		}
		if got == 0 {
			break
		}
		if _, err := h.WriteAt(ctx, buf[:got], off+done); err != nil {
			return done, err
		}
		done += int64(got)
	}
	return done, nil
}

// Release implements tree.Handle.
func (h *stagedHandle) Release(context.Context) {
	f := h.file
	if !h.write {
		return
	}
	f.load.mu.Lock()
	defer f.load.mu.Unlock()
	f.writers--
	if f.writers == 0 && f.gone && !f.arrived {
		f.content.Free()
	}
}
