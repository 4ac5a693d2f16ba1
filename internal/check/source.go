package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// source is what holds the files of a pack.
type source interface {
	// each hands every file to visit, the transfer.xml of the pack first where
	// the order is free. What is no file comes as an entry with a flaw.
	each(ctx context.Context, visit func(entry) error) error
	// size is how many bytes there are to read, 0 when that is not known.
	size() int64
	close() error
}

// entry is a file of a pack as the source has it.
type entry struct {
	path string // as it is written there, with slashes
	size int64
	// link is another path with the same content; there is nothing to read then.
	link string
	// flaw says why this is no file that a pack may have.
	flaw string
	err  error // why nothing can be said of it
	open func() (io.ReadCloser, error)
}

// damageError says where an archive is so damaged that the rest cannot be read.
type damageError struct {
	place string
	err   error
}

func (e *damageError) Error() string { return e.err.Error() }
func (e *damageError) Unwrap() error { return e.err }

// open finds out what a pack is kept in.
func open(path string, r *Report) (source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		r.Container = "folder"
		return openFolder(path)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file and no folder")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	src, err := openArchive(f, info.Size(), r)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return src, nil
}

// openArchive tells archives by how they begin.
func openArchive(f *os.File, size int64, r *Report) (source, error) {
	begin := make([]byte, 512)
	n, err := f.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	begin = begin[:n]
	switch {
	case bytes.HasPrefix(begin, []byte("PK\x03\x04")), bytes.HasPrefix(begin, []byte("PK\x05\x06")):
		r.Container = "zip"
		return openZip(f, size)
	case bytes.HasPrefix(begin, []byte{0x1f, 0x8b}):
		return nil, errors.New("it is compressed as a whole; gunzip it first")
	case len(begin) == 512 && bytes.HasPrefix(begin[257:], []byte("ustar")):
		r.Container = "tar"
		return &tarSource{f: f, bytes: size}, nil
	case bytes.HasPrefix(bytes.TrimSpace(begin), []byte("<")):
		return nil, errors.New("it is a document; name the folder or archive that it is in")
	}
	return nil, errors.New("it is no folder, tar or zip")
}

// describe says what a thing is that is no file.
func describe(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m.IsDir():
		return "a folder"
	}
	return fmt.Sprintf("of the kind %v", m.Type())
}
