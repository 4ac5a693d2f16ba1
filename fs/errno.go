package fs

import (
	"context"
	"errors"
	"syscall"

	"omerods/fs/tree"
)

// errnos is the one table from the classes of errors to what the caller of a
// system call sees.
var errnos = []struct {
	class error
	errno syscall.Errno
}{
	{tree.ErrNotFound, syscall.ENOENT},
	{tree.ErrDenied, syscall.EACCES},
	{tree.ErrNotPermitted, syscall.EPERM},
	{tree.ErrExists, syscall.EEXIST},
	{tree.ErrNotEmpty, syscall.ENOTEMPTY},
	{tree.ErrIsDir, syscall.EISDIR},
	{tree.ErrNotDir, syscall.ENOTDIR},
	{tree.ErrInvalid, syscall.EINVAL},
	{tree.ErrRange, syscall.ERANGE},
	{tree.ErrNameTooLong, syscall.ENAMETOOLONG},
	{tree.ErrBadName, syscall.EILSEQ},
	{tree.ErrNoSpace, syscall.ENOSPC},
	{tree.ErrQuota, syscall.EDQUOT},
	{tree.ErrTooLarge, syscall.EFBIG},
	{tree.ErrReadOnly, syscall.EROFS},
	{tree.ErrBusy, syscall.EBUSY},
	{tree.ErrStale, syscall.ESTALE},
	{tree.ErrOffline, syscall.ETIMEDOUT},
	{tree.ErrNoData, syscall.ENODATA},
	{tree.ErrNotSupported, syscall.EOPNOTSUPP},
	{tree.ErrInterrupted, syscall.EINTR},
	{tree.ErrIO, syscall.EIO},
	{tree.ErrBadHandle, syscall.EBADF},
	{tree.ErrCutOff, syscall.EIO},
	{tree.ErrIncomplete, syscall.EIO},
	{context.DeadlineExceeded, syscall.ETIMEDOUT},
	// The local disk that holds what is not yet stored says these itself.
	{syscall.ENOSPC, syscall.ENOSPC},
	{syscall.EDQUOT, syscall.EDQUOT},
}

// Errno returns what the caller of a system call sees for err, and whether
// err belongs to a known class. ctx is the request's: a wait that ended
// because the caller was interrupted is EINTR, whatever the waiting code made
// of it, so that programs which get signals all the time try again.
func Errno(ctx context.Context, err error) (errno syscall.Errno, known bool) {
	if err == nil {
		return 0, true
	}
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	if interrupted && !errors.Is(err, tree.ErrCutOff) &&
		(errors.Is(err, context.Canceled) || errors.Is(err, tree.ErrOffline)) {
		return syscall.EINTR, true
	}
	// The outermost class decides, not the one of a cause.
	var told *tree.Error
	if errors.As(err, &told) && told.Class != nil {
		if errno, ok := lookUp(told.Class); ok {
			return errno, true
		}
	}
	if errno, ok := lookUp(err); ok {
		return errno, true
	}
	return syscall.EIO, false
}

func lookUp(err error) (syscall.Errno, bool) {
	for _, e := range errnos {
		if errors.Is(err, e.class) {
			return e.errno, true
		}
	}
	return 0, false
}
