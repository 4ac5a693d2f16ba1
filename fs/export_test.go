package fs

import (
	"context"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Wrap puts something between the kernel and the handlers.
func (o *Options) Wrap(f func(fuse.RawFileSystem) fuse.RawFileSystem) { o.wrap = f }

// UnmountForTest clears a mount point.
func UnmountForTest(mountpoint string) error { return unmount(context.Background(), mountpoint, true) }
