package transfer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"omerods/fs/tree"
)

// Spool is the local room for files that arrive faster, or in another order,
// than they can be passed on. Its files have no name, so that a crash leaves
// nothing behind and nobody else can open them.
type Spool struct {
	dir   string
	limit int64 // bytes

	mu   sync.Mutex // guards used
	used int64
}

// OpenSpool opens a spool in dir, which is made with mode 0700 when missing,
// holding at most limit bytes.
func OpenSpool(dir string, limit int64) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("close the spool to others: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "spool-*"))
	if err != nil {
		return nil, fmt.Errorf("look into the spool: %w", err)
	}
	for _, path := range left {
		os.Remove(path) // between CreateTemp and Remove of a mount that was killed
	}
	return &Spool{dir: dir, limit: limit}, nil
}

// Used returns how many bytes the spool holds.
func (s *Spool) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Limit returns how many bytes the spool may hold.
func (s *Spool) Limit() int64 { return s.limit }

// reserve takes n more bytes of room.
func (s *Spool) reserve(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+n > s.limit {
		return tree.Errorf(tree.ErrNoSpace, "the spool %s may hold %d bytes and has %d", s.dir, s.limit, s.used).
			WithAdvice("raise --spool-limit, or load smaller folders one after another")
	}
	s.used += n
	return nil
}

func (s *Spool) give(n int64) {
	s.mu.Lock()
	s.used -= n
	s.mu.Unlock()
}

// file makes an empty spool file.
func (s *Spool) file() (*spoolFile, error) {
	f, err := os.CreateTemp(s.dir, "spool-*")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("spool: %w", err)
	}
	return &spoolFile{spool: s, f: f}, nil
}

// spoolFile is the content of one staged file.
type spoolFile struct {
	spool *Spool

	mu    sync.RWMutex // guards the fields below
	f     *os.File     // nil once freed
	size  int64
	sums  *Sums // of the bytes so far, nil once they were not written in order
	freed bool
}

var errFreed = tree.Errorf(tree.ErrBusy, "this file has been passed on to OMERO and is not kept here")

func (sf *spoolFile) WriteAt(p []byte, off int64) (int, error) {
	sf.mu.Lock()
	defer sf.mu.Unlock()
	if sf.freed {
		return 0, errFreed
	}
	end := off + int64(len(p))
	if end > sf.size {
		if err := sf.spool.reserve(end - sf.size); err != nil {
			return 0, err
		}
	}
	n, err := sf.f.WriteAt(p, off)
	if end > sf.size {
		got := max(off+int64(n), sf.size)
		sf.spool.give(end - got)
		switch {
		case off == sf.size && sf.size == 0 && sf.sums == nil:
			sf.sums = NewSums()
			sf.sums.Write(p[:n])
		case off == sf.size && sf.sums != nil:
			sf.sums.Write(p[:n])
		default:
			sf.sums = nil
		}
		sf.size = got
	} else {
		sf.sums = nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		return n, tree.Errorf(tree.ErrNoSpace, "the disk of the spool %s is full: %w", sf.spool.dir, err)
	}
	return n, err
}

func (sf *spoolFile) ReadAt(p []byte, off int64) (int, error) {
	sf.mu.RLock()
	defer sf.mu.RUnlock()
	if sf.freed {
		return 0, errFreed
	}
	return sf.f.ReadAt(p, off)
}

// Truncate sets the size.
func (sf *spoolFile) Truncate(size int64) error {
	sf.mu.Lock()
	defer sf.mu.Unlock()
	if sf.freed {
		return errFreed
	}
	if size == sf.size {
		return nil
	}
	if size > sf.size {
		if err := sf.spool.reserve(size - sf.size); err != nil {
			return err
		}
	}
	if err := sf.f.Truncate(size); err != nil {
		if size > sf.size {
			sf.spool.give(size - sf.size)
		}
		return fmt.Errorf("spool: %w", err)
	}
	if size < sf.size {
		sf.spool.give(sf.size - size)
	}
	sf.size, sf.sums = size, nil
	return nil
}

// Size returns the current size.
func (sf *spoolFile) Size() int64 {
	sf.mu.RLock()
	defer sf.mu.RUnlock()
	return sf.size
}

// Sums returns the checksums of the whole content; they are computed by
// reading it when it was not written in order.
func (sf *spoolFile) Sums() (*Sums, error) {
	sf.mu.Lock()
	defer sf.mu.Unlock()
	if sf.sums != nil && sf.sums.Size() == sf.size {
		return sf.sums, nil
	}
	if sf.freed {
		return nil, errFreed
	}
	s := NewSums()
	if _, err := io.Copy(s, io.NewSectionReader(sf.f, 0, sf.size)); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	sf.sums = s
	return s, nil
}

// Free gives the room back; the content is gone, size and sums stay.
func (sf *spoolFile) Free() {
	sf.mu.Lock()
	defer sf.mu.Unlock()
	if sf.freed {
		return
	}
	sf.freed = true
	sf.f.Close()
	sf.spool.give(sf.size)
}
