package irodsview

import (
	"context"
	"errors"

	"omerods/internal/irods"
)

// descriptor is an open file, or one that is to be opened.
type descriptor struct {
	file  *irods.File // nil when it is not open
	extra bool        // it takes only connections that nobody needs
}

// unwanted tells whether nobody waits for a piece any more.
func (r *reader) unwanted(k *piece) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return k.dropped && k.users == 1
}

// fetch reads a piece.
func (r *reader) fetch(k *piece) ([]byte, error) {
	var buf []byte
	if k.size > blockBytes/2 {
		buf = newBlock()[:k.size]
	} else {
		buf = make([]byte, k.size)
	}
	for tries, more := 1, true; ; tries++ {
		d, err := r.take(more)
		if err == nil && r.unwanted(k) {
			r.free <- d
			err = context.Canceled
		}
		if err != nil {
			freeBlock(buf)
			return nil, err
		}
		n := 0
		if d.file == nil {
			d.file, err = r.open(r.run, d.extra)
		}
		if err == nil {
			if n, err = d.file.ReadAt(r.run, buf, k.off); err == nil {
				r.free <- d
				return buf[:n], nil
			}
			_ = d.file.Close(r.run)
		}
		d.file = nil
		if d.extra {
			// The others go on. That connections are rare says nothing about
			// the file.
			r.mu.Lock()
			r.made--
			r.mu.Unlock()
			more = false
			if errors.Is(err, irods.ErrNoFork) {
				tries--
			}
		} else {
			r.free <- d
		}
		// A file that was renamed meanwhile is opened under its new name.
		if !(d.extra || isNotFound(err)) || tries > fetchTries {
			freeBlock(buf)
			return nil, err
		}
	}
}

// fetchTries is how often a piece is asked for again where another descriptor
// may have it.
const fetchTries = 2

// take returns a descriptor that nobody uses, with more one more where the
// others do not keep up.
func (r *reader) take(more bool) (descriptor, error) {
	select {
	case d := <-r.free:
		return d, nil
	default:
	}
	r.mu.Lock()
	r.starved++
	more = more && r.starved > 1 && r.made < streams
	if more {
		r.made++
		r.starved--
	}
	r.mu.Unlock()
	if more {
		return descriptor{extra: true}, nil
	}
	defer func() {
		r.mu.Lock()
		r.starved--
		r.mu.Unlock()
	}()
	select {
	case d := <-r.free:
		return d, nil
	case <-r.quit:
		return descriptor{}, errReaderClosed
	}
}
