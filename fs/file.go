package fs

import (
	"context"
	"fmt"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fs"

	"omerods/fs/tree"
)

// fileNode is a file.
type fileNode struct{ node }

var (
	_ gofuse.NodeOpener         = (*fileNode)(nil)
	_ gofuse.NodeCopyFileRanger = (*fileNode)(nil)
)

// tree returns the file's newest node; the entity checked its kind.
func (f *fileNode) tree() tree.File { return f.entity.tree().(tree.File) }

func openOptions(flags uint32) tree.OpenOptions {
	access := flags & syscall.O_ACCMODE
	return tree.OpenOptions{
		Read:     access != syscall.O_WRONLY,
		Write:    access != syscall.O_RDONLY,
		Append:   flags&syscall.O_APPEND != 0,
		Truncate: flags&syscall.O_TRUNC != 0,
	}
}

// Open opens the file. The caller is bound to the handle for the requests
// that the kernel makes by itself.
func (f *fileNode) Open(ctx context.Context, flags uint32) (gofuse.FileHandle, uint32, syscall.Errno) {
	ctx, end := f.mount.begin(ctx, opOpen, nil)
	defer end()
	h, err := f.open(ctx, openOptions(flags))
	if err != nil {
		return nil, 0, f.mount.fail(ctx, opOpen, f.entity.path(), err)
	}
	return h, h.openFlags(), 0
}

func (f *fileNode) open(ctx context.Context, opts tree.OpenOptions) (*handle, error) {
	th, err := f.tree().Open(ctx, opts)
	if err != nil {
		return nil, err
	}
	if _, ok := th.(tree.WriteHandle); opts.Write && !ok {
		th.Release(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("handle of type %T, opened for writing, cannot write", th)
	}
	return f.mount.newHandle(ctx, f.entity, th, opts), nil
}

// copyStepBytes bounds one step of a copy, whose answer has 32 bits.
const copyStepBytes = 1 << 30

// CopyFileRange lets the target fetch the bytes itself. A pair of files that
// cannot do that gets EXDEV, and the program goes on with reading and
// writing; ENOSYS would end such copies for the whole mount.
func (f *fileNode) CopyFileRange(ctx context.Context, fhIn gofuse.FileHandle, offIn uint64,
	out *gofuse.Inode, fhOut gofuse.FileHandle, offOut, n, flags uint64) (uint32, syscall.Errno) {
	if flags != 0 {
		return 0, syscall.EINVAL
	}
	src, okSrc := fhIn.(*handle)
	dst, okDst := fhOut.(*handle)
	if !okSrc || !okDst {
		return 0, syscall.EXDEV
	}
	target, ok := dst.handle.(tree.CopyTarget)
	if !ok {
		return 0, syscall.EXDEV
	}
	ctx, end := f.mount.begin(ctx, opCopy, &dst.caller)
	defer end()
	copied, err := f.copy(ctx, target, tree.CopySource{Node: f.tree(), Handle: src.handle, Off: int64(offIn)},
		int64(offOut), int64(min(n, copyStepBytes)))
	if err != nil {
		errno := f.mount.fail(ctx, opCopy, dst.entity.path(), err)
		if errno == syscall.EOPNOTSUPP {
			errno = syscall.EXDEV
		}
		return 0, errno
	}
	dst.entity.wrote(int64(offOut) + copied)
	return uint32(copied), 0
}

func (f *fileNode) copy(ctx context.Context, target tree.CopyTarget, src tree.CopySource, off, n int64) (int64, error) {
	copied, err := target.CopyFrom(ctx, src, off, n)
	if err != nil {
		return 0, err
	}
	if copied < 0 || copied > n {
		return 0, fmt.Errorf("a copy of %d bytes copied %d", n, copied)
	}
	if copied > 0 || n == 0 {
		return copied, nil
	}
	// Programs take nothing for the end of the file. It must be the end.
	a, err := f.attr(ctx)
	if err != nil {
		return 0, err
	}
	if src.Off < a.Size {
		return 0, tree.Errorf(tree.ErrIO, "the copy stopped %d bytes before the end", a.Size-src.Off)
	}
	return 0, nil
}
