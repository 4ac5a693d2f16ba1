package tree

import (
	"errors"
	"fmt"
)

// The classes of errors; the filesystem turns each into one errno. Test with
// errors.Is.
var (
	ErrNotFound     = errors.New("no such file or folder")   // ENOENT
	ErrDenied       = errors.New("permission denied")        // EACCES
	ErrNotPermitted = errors.New("operation not permitted")  // EPERM
	ErrExists       = errors.New("already exists")           // EEXIST
	ErrNotEmpty     = errors.New("folder not empty")         // ENOTEMPTY
	ErrIsDir        = errors.New("is a folder")              // EISDIR
	ErrNotDir       = errors.New("not a folder")             // ENOTDIR
	ErrInvalid      = errors.New("invalid argument")         // EINVAL
	ErrRange        = errors.New("value too long")           // ERANGE
	ErrNameTooLong  = errors.New("name too long")            // ENAMETOOLONG
	ErrBadName      = errors.New("name not allowed")         // EILSEQ
	ErrNoSpace      = errors.New("no space left")            // ENOSPC
	ErrQuota        = errors.New("quota exceeded")           // EDQUOT
	ErrTooLarge     = errors.New("too large")                // EFBIG
	ErrReadOnly     = errors.New("read-only")                // EROFS
	ErrBusy         = errors.New("busy")                     // EBUSY
	ErrStale        = errors.New("changed on the server")    // ESTALE
	ErrOffline      = errors.New("server unreachable")       // ETIMEDOUT
	ErrNoData       = errors.New("no such attribute")        // ENODATA
	ErrNotSupported = errors.New("not supported")            // EOPNOTSUPP
	ErrInterrupted  = errors.New("interrupted")              // EINTR
	ErrIO           = errors.New("input/output error")       // EIO, known to be so
	ErrBadHandle    = errors.New("handle not open for this") // EBADF
	ErrCutOff       = errors.New("the writer was cut off")   // EIO
	ErrIncomplete   = errors.New("folder incomplete")        // EIO
)

// Error is a failure told so that a person can act on it: its class decides
// the errno, Reason says what happened in one sentence, Advice what to do.
type Error struct {
	Class  error
	Reason string
	Advice string // may be empty
	Err    error  // the cause, may be nil
}

// Errorf makes an [Error] of a class with a reason; %w keeps a cause.
func Errorf(class error, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Class: class, Reason: err.Error(), Err: errors.Unwrap(err)}
}

// WithAdvice returns e with advice added.
func (e *Error) WithAdvice(format string, args ...any) *Error {
	c := *e
	c.Advice = fmt.Sprintf(format, args...)
	return &c
}

func (e *Error) Error() string { return e.Reason }

// Unwrap gives both the class and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Err}
}
