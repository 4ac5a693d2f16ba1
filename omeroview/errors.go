package omeroview

import (
	"context"
	"errors"
	"io"
	"syscall"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// treeClasses says what a failure of the client is to the filesystem.
var treeClasses = map[omero.Class]error{
	omero.Internal:    tree.ErrIO,
	omero.NotFound:    tree.ErrNotFound,
	omero.Denied:      tree.ErrDenied,
	omero.LoginFailed: tree.ErrDenied,
	omero.Exists:      tree.ErrExists,
	omero.Invalid:     tree.ErrInvalid,
	omero.CrossGroup:  tree.ErrNotPermitted,
	omero.ReadOnly:    tree.ErrReadOnly,
	omero.Busy:        tree.ErrBusy,
	omero.Conflict:    tree.ErrBusy,
	omero.NoSpace:     tree.ErrNoSpace,
	omero.Offline:     tree.ErrOffline,
	omero.Checksum:    tree.ErrIO,
	omero.BadPath:     tree.ErrBadName,
	omero.Unsupported: tree.ErrNotSupported,
	omero.Timeout:     tree.ErrOffline,
	omero.Gone:        tree.ErrIO,
}

// treeError gives a failure of the client the class that the filesystem knows,
// with a reason that says what was tried.
func treeError(what string, err error) error {
	var done *tree.Error
	var e *omero.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &done):
		return err
	case errors.Is(err, context.Canceled):
		return tree.Errorf(tree.ErrInterrupted, "%s: interrupted: %w", what, err)
	case errors.Is(err, context.DeadlineExceeded):
		return tree.Errorf(tree.ErrOffline, "%s: OMERO does not answer: %w", what, err)
	case errors.As(err, &e):
		class, ok := treeClasses[e.Class]
		if !ok {
			class = tree.ErrIO
		}
		return tree.Errorf(class, "%s: %w", what, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return tree.Errorf(tree.ErrNoSpace, "%s: the disk of the cache is full: %w", what, err).
			WithAdvice("make room there, or mount with another --cache-dir")
	}
	return tree.Errorf(tree.ErrIO, "%s: %w", what, err)
}

func noSuch(name string) error {
	return tree.Errorf(tree.ErrNotFound, "no %q in this folder", name)
}

// live says why an object of OMERO is not changed by a file operation.
func live(what string) error {
	return tree.Errorf(tree.ErrNotPermitted, "%s: objects of OMERO are not removed or moved by file operations", what).
		WithAdvice("use OMERO itself, or copy instead of moving")
}

// readError is treeError for reads, which end with io.EOF.
func readError(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return treeError("read", err)
}
