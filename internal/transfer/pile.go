package transfer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"omerods/fs/tree"
)

// pile is one nameless file of the spool that holds many pieces, one after the
// other: an archive may have more members than a process may have open files.
// The room of a piece is given back when that piece is freed.
type pile struct {
	spool *Spool

	mu   sync.Mutex // guards the fields below
	f    *os.File   // nil before the first piece
	end  int64      // where the next piece begins
	live int64      // bytes of pieces that have not been freed
	shut bool       // closed; nothing can be added
}

func newPile(s *Spool) *pile { return &pile{spool: s} }

// add appends b and returns where it begins.
func (p *pile) add(b []byte) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		return 0, errFreed
	}
	if p.f == nil {
		f, err := p.spool.nameless()
		if err != nil {
			return 0, err
		}
		p.f = f
	}
	if err := p.spool.reserve(int64(len(b))); err != nil {
		return 0, err
	}
	at := p.end
	if _, err := p.f.WriteAt(b, at); err != nil {
		p.spool.give(int64(len(b)))
		return 0, p.spool.diskError(err)
	}
	p.end += int64(len(b))
	p.live += int64(len(b))
	return at, nil
}

func (p *pile) readAt(b []byte, at int64) error {
	p.mu.Lock()
	f := p.f
	p.mu.Unlock()
	if f == nil {
		return errFreed
	}
	if _, err := f.ReadAt(b, at); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// free gives back the room of n bytes at a place.
func (p *pile) free(at, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == 0 || p.f == nil {
		return
	}
	p.live -= n
	p.spool.give(n)
	switch {
	case p.live == 0 && p.shut:
		p.f.Close()
		p.f = nil
	case p.live == 0:
		// What cannot be cut off is written over by the next piece.
		_ = p.f.Truncate(0)
		p.end = 0
	default:
		// A disk that cannot make holes keeps the bytes until the pile is empty.
		_ = unix.Fallocate(int(p.f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, n)
	}
}

// close lets no more be added. The file goes with the last piece.
func (p *pile) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	if p.live == 0 && p.f != nil {
		p.f.Close()
		p.f = nil
	}
}

// file returns an empty spool file whose content is appended to the pile.
// Nothing else may be added to the pile until all of it has been written.
func (p *pile) file() *spoolFile { return &spoolFile{spool: p.spool, pile: p, base: -1} }

// diskError puts a failure to write into the words and classes of the tree.
func (s *Spool) diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return tree.Errorf(tree.ErrNoSpace, "the disk of the spool %s is full: %w", s.dir, err).
			WithAdvice("make room there, or mount with another --state-dir")
	}
	return fmt.Errorf("spool: %w", err)
}
