package fs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// classes has what mkdir(1) says for each class of errors.
var classes = []struct {
	err     error
	errno   syscall.Errno
	message string
}{
	{tree.ErrNotFound, syscall.ENOENT, "No such file or directory"},
	{tree.ErrDenied, syscall.EACCES, "Permission denied"},
	{tree.ErrNotPermitted, syscall.EPERM, "Operation not permitted"},
	{tree.ErrExists, syscall.EEXIST, "File exists"},
	{tree.ErrNotEmpty, syscall.ENOTEMPTY, "Directory not empty"},
	{tree.ErrIsDir, syscall.EISDIR, "Is a directory"},
	{tree.ErrNotDir, syscall.ENOTDIR, "Not a directory"},
	{tree.ErrInvalid, syscall.EINVAL, "Invalid argument"},
	{tree.ErrRange, syscall.ERANGE, "Numerical result out of range"},
	{tree.ErrNameTooLong, syscall.ENAMETOOLONG, "File name too long"},
	{tree.ErrBadName, syscall.EILSEQ, "Invalid or incomplete multibyte or wide character"},
	{tree.ErrNoSpace, syscall.ENOSPC, "No space left on device"},
	{tree.ErrQuota, syscall.EDQUOT, "Disk quota exceeded"},
	{tree.ErrTooLarge, syscall.EFBIG, "File too large"},
	{tree.ErrReadOnly, syscall.EROFS, "Read-only file system"},
	{tree.ErrBusy, syscall.EBUSY, "Device or resource busy"},
	{tree.ErrStale, syscall.ESTALE, "Stale file handle"},
	{tree.ErrOffline, syscall.ETIMEDOUT, "Connection timed out"},
	{tree.ErrNoData, syscall.ENODATA, "No data available"},
	{tree.ErrNotSupported, syscall.EOPNOTSUPP, "Operation not supported"},
	{tree.ErrInterrupted, syscall.EINTR, "Interrupted system call"},
	{tree.ErrIO, syscall.EIO, "Input/output error"},
	{tree.ErrBadHandle, syscall.EBADF, "Bad file descriptor"},
	{tree.ErrCutOff, syscall.EIO, "Input/output error"},
	{tree.ErrIncomplete, syscall.EIO, "Input/output error"},
	{context.DeadlineExceeded, syscall.ETIMEDOUT, "Connection timed out"},
	{&os.PathError{Op: "write", Path: "spool", Err: syscall.ENOSPC}, syscall.ENOSPC, "No space left on device"},
	{context.Canceled, syscall.EIO, "Input/output error"}, // not by the caller
	{errors.New("a surprise"), syscall.EIO, "Input/output error"},
}

func TestErrnos(t *testing.T) {
	mt := memtree.New()
	dir := fstest.Mount(t, mt.Root())
	for i, c := range classes {
		for how, err := range map[string]error{
			"bare":    c.err,
			"wrapped": fmt.Errorf("make it: %w", c.err),
			"told":    tree.Errorf(c.err, "it did not work: %w", errors.New("cause")),
		} {
			name := fmt.Sprintf("d%d%s", i, how)
			mt.Fail(memtree.OpMkdir, name, err)
			got := syscall.Mkdir(filepath.Join(dir, name), 0o755)
			if got != c.errno {
				t.Errorf("%s %v: got %v, want %v", how, c.err, got, c.errno)
			}
		}
		out, err := run(t, `mkdir "$1"`, filepath.Join(dir, fmt.Sprintf("d%dbare", i)))
		if err == nil || !contains(out, c.message) {
			t.Errorf("mkdir, %v: got %v %q, want %q", c.err, err, out, c.message)
		}
	}
}

func TestErrnoPrefersTheOutermostClass(t *testing.T) {
	inner := tree.Errorf(tree.ErrNotFound, "no such object")
	outer := tree.Errorf(tree.ErrStale, "the folder changed: %w", inner)
	if errno, known := fs.Errno(t.Context(), fmt.Errorf("read: %w", outer)); errno != syscall.ESTALE || !known {
		t.Errorf("got %v %v, want ESTALE", errno, known)
	}
}

func TestErrnoOfAnInterruptedCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{
		{context.Canceled, syscall.EINTR},
		{fmt.Errorf("read: %w", context.Canceled), syscall.EINTR},
		{tree.Errorf(tree.ErrOffline, "connection: use of closed connection"), syscall.EINTR},
		{tree.Errorf(tree.ErrCutOff, "killed: %w", context.Canceled), syscall.EIO},
		{tree.ErrQuota, syscall.EDQUOT},
	} {
		if got, _ := fs.Errno(ctx, c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}
