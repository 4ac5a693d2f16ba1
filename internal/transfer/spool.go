package transfer

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

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
	f, err := s.nameless()
	if err != nil {
		return nil, err
	}
	return &spoolFile{spool: s, f: f}, nil
}

// nameless makes an empty file that nobody else can find.
func (s *Spool) nameless() (*os.File, error) {
	f, err := os.CreateTemp(s.dir, "spool-*")
	if err != nil {
		return nil, s.diskError(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("spool: %w", err)
	}
	return f, nil
}

// spoolFile is the content of one staged file: a file of its own, or a piece
// of a pile, which is written once, in order.
type spoolFile struct {
	spool *Spool
	pile  *pile // nil for a file of its own

	mu    sync.RWMutex // guards the fields below
	f     *os.File     // nil in a pile
	base  int64        // where it begins in the pile; negative before the first byte
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
	if sf.pile != nil {
		return sf.append(p, off)
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
	if err != nil {
		return n, sf.spool.diskError(err)
	}
	return n, nil
}

func (sf *spoolFile) ReadAt(p []byte, off int64) (int, error) {
	sf.mu.RLock()
	defer sf.mu.RUnlock()
	if sf.freed {
		return 0, errFreed
	}
	return sf.readAt(p, off)
}

// readAt reads; the mutex is held.
func (sf *spoolFile) readAt(p []byte, off int64) (int, error) {
	if sf.pile == nil {
		return sf.f.ReadAt(p, off)
	}
	if off < 0 || off >= sf.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), sf.size-off))
	if err := sf.pile.readAt(p[:n], sf.base+off); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// append adds to the piece of a pile; the mutex is held.
func (sf *spoolFile) append(p []byte, off int64) (int, error) {
	if off != sf.size {
		return 0, fmt.Errorf("spool: a piece of a pile is written at %d after %d bytes", off, sf.size)
	}
	at, err := sf.pile.add(p)
	if err != nil {
		return 0, err
	}
	switch {
	case sf.base < 0:
		sf.base, sf.sums = at, NewSums()
	case at != sf.base+sf.size:
		sf.pile.free(at, int64(len(p)))
		return 0, fmt.Errorf("spool: two pieces of a pile are written at once")
	}
	sf.sums.Write(p)
	sf.size += int64(len(p))
	return len(p), nil
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
	if sf.pile != nil {
		return fmt.Errorf("spool: a piece of a pile keeps its size")
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
	if _, err := io.Copy(s, io.NewSectionReader(readerAt(sf.readAt), 0, sf.size)); err != nil {
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
	if sf.pile != nil {
		sf.pile.free(sf.base, sf.size)
		return
	}
	sf.f.Close()
	sf.spool.give(sf.size)
}

// readerAt is a function that reads at an offset.
type readerAt func(p []byte, off int64) (int, error)

func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r(p, off) }
