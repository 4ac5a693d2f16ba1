package omeroview

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"omerods/fs/tree"
)

// TestFullCacheIsNoSpace: who reads a generated file that cannot be kept is
// told of the disk and not of an I/O error.
func TestFullCacheIsNoSpace(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "cache/transfer.xml", Err: syscall.ENOSPC}
	err := treeError("keep a generated file", full)
	var told *tree.Error
	if !errors.Is(err, tree.ErrNoSpace) || !errors.As(err, &told) || told.Advice == "" {
		t.Errorf("got %v, want %v with advice", err, tree.ErrNoSpace)
	}
	if err := treeError("read", &fs.PathError{Err: syscall.EIO}); !errors.Is(err, tree.ErrIO) {
		t.Errorf("got %v, want %v", err, tree.ErrIO)
	}
}
