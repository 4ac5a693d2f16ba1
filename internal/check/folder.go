package check

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"omerods/internal/pack"
)

// deepest is how many folders in each other are looked into.
const deepest = 100

// folderSource is a folder. Nothing outside of it is opened, and no link in it
// is followed.
type folderSource struct{ root *os.Root }

func openFolder(path string) (*folderSource, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	if info, err := root.Lstat(pack.TransferXML); err != nil || !info.Mode().IsRegular() {
		if err == nil {
			err = errors.New(pack.TransferXML + " is " + describe(info.Mode()))
		}
		if errors.Is(err, os.ErrNotExist) {
			err = errors.New("it is no pack: there is no " + pack.TransferXML + " in it")
		}
		return nil, errors.Join(err, root.Close())
	}
	return &folderSource{root: root}, nil
}

func (s *folderSource) size() int64  { return 0 }
func (s *folderSource) close() error { return s.root.Close() }

func (s *folderSource) each(ctx context.Context, visit func(entry) error) error {
	if err := visit(s.entry(pack.TransferXML)); err != nil {
		return err
	}
	return s.walk(ctx, ".", 0, visit)
}

func (s *folderSource) walk(ctx context.Context, dir string, depth int, visit func(entry) error) error {
	if depth > deepest {
		return visit(entry{path: dir, flaw: "the folders are too deep"})
	}
	list, err := s.readDir(dir)
	if err != nil {
		return visit(entry{path: dir, err: err})
	}
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := path.Join(dir, e.Name())
		switch {
		case p == pack.TransferXML: // was the first
		case e.IsDir():
			err = s.walk(ctx, p, depth+1, visit)
		default:
			err = visit(s.entry(p))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readDir lists a folder by name.
func (s *folderSource) readDir(dir string) (list []os.DirEntry, err error) {
	f, err := s.root.Open(dir)
	if err != nil {
		return nil, err
	}
	list, err = f.ReadDir(-1)
	slices.SortFunc(list, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, errors.Join(err, f.Close())
}

// entry looks at a file without opening it.
func (s *folderSource) entry(p string) entry {
	e := entry{path: p, size: -1}
	info, err := s.root.Lstat(p)
	switch {
	case err != nil:
		e.err = err
	case !info.Mode().IsRegular():
		e.flaw = "it is " + describe(info.Mode())
	default:
		e.size = info.Size()
		e.open = func() (io.ReadCloser, error) { return s.openFile(p, info) }
	}
	return e
}

// openFile opens the file that was looked at, and no other that has taken its
// place. An open of a pipe does not wait.
func (s *folderSource) openFile(p string, was os.FileInfo) (io.ReadCloser, error) {
	f, err := s.root.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	is, err := f.Stat()
	if err == nil && !os.SameFile(is, was) {
		err = errors.New("it was replaced meanwhile")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
