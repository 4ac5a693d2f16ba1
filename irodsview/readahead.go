package irodsview

import (
	"context"
	"errors"
	"sync"

	"omerods/internal/irods"
)

const (
	// minAhead is how much is read at once where a program jumps.
	minAhead = 256 << 10
	// nearBytes is how far behind the last piece a place still follows it.
	nearBytes = 2 << 20
)

// reader reads one content of a data object. While it is read from front to
// back, pieces that grow are asked for ahead of it, over several connections
// when one does not keep up. It may be used by many goroutines.
type reader struct {
	limit chan struct{} // of the view; a token for each piece ahead
	// open opens a descriptor; with more one that may fail with ErrNoFork.
	open func(ctx context.Context, more bool) (*irods.File, error)
	run  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup  // of fetches
	free chan descriptor // those that nobody uses; all but one are extra
	quit chan struct{}   // closed by close

	mu      sync.Mutex // guards the fields below
	pieces  []*piece   // the one used last is the last
	size    int64      // where nothing more is expected; -1 if that is not known
	end     int64      // of the pieces that follow each other
	grow    int        // size of the next piece
	depth   int        // how many are asked for ahead
	made    int        // descriptors
	starved int        // fetches that wait for a descriptor
	closed  bool
}

// errReaderClosed says that there is another reader now.
var errReaderClosed = errors.New("the reader is closed")

func newReader(limit chan struct{}, size int64, open func(context.Context, bool) (*irods.File, error)) *reader {
	r := &reader{
		limit: limit, open: open, size: size, end: -1, made: 1,
		free: make(chan descriptor, streams), quit: make(chan struct{}),
	}
	r.free <- descriptor{}
	r.run, r.stop = context.WithCancel(context.Background())
	return r
}

// start opens the first descriptor, so that what cannot be read fails here.
func (r *reader) start(ctx context.Context) error {
	d := <-r.free
	f, err := r.open(ctx, false)
	if err == nil {
		d.file = f
	}
	r.free <- d
	return err
}

// give puts the beginning of the file there, before anybody reads. With last
// it is the whole file.
func (r *reader) give(data []byte, last bool) {
	k := &piece{size: len(data), done: make(chan struct{}), data: data, last: last}
	close(k.done)
	r.pieces = append(r.pieces, k)
	r.end, r.grow = int64(len(data)), minAhead
}

// readAt reads at off; less than p without an error is the end.
func (r *reader) readAt(ctx context.Context, p []byte, off int64) (int, error) {
	n := 0
	for tries := 0; n < len(p); {
		at := off + int64(n)
		k, old := r.want(at, len(p)-n)
		if k == nil {
			return n, errReaderClosed
		}
		m, ends, err := r.copy(ctx, k, p[n:], at)
		if err != nil {
			return n, err
		}
		n += m
		if ends {
			break
		}
		if m > 0 {
			continue
		}
		// The end, or what was the end when the piece was read.
		if tries++; !old || tries > 1 {
			break
		}
	}
	return n, nil
}

// copy waits for a piece, copies from it and leaves it. It ends if the file
// does, where the piece does. One that is of no use is forgotten.
func (r *reader) copy(ctx context.Context, k *piece, p []byte, at int64) (n int, ends bool, err error) {
	select {
	case <-k.done:
		if err = k.err; err == nil && at-k.off < int64(len(k.data)) {
			n = copy(p, k.data[at-k.off:])
			ends = k.last && at+int64(n) == k.off+int64(len(k.data))
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n == 0 && ctx.Err() == nil {
		r.drop(k)
	}
	r.leave(k)
	return n, ends, err
}

// want returns the piece around a place, which the caller must leave, and asks
// for those behind it. old says that it was there already.
func (r *reader) want(at int64, n int) (_ *piece, old bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false
	}
	k := r.find(at)
	old = k != nil
	follows := false
	if k == nil {
		// The kernel's readahead may come in another order.
		follows = r.end >= 0 && at >= r.end && at <= r.end+nearBytes
		if !follows {
			// What is still waited for elsewhere is of no use any more.
			r.cancel()
			r.grow, r.depth, r.end = minAhead, 0, at
		}
		// Whoever wants much gets it at once.
		r.grow = max(r.grow, min(n, blockBytes))
		for r.end <= at {
			k = r.next(false)
		}
	}
	k.users++
	switch {
	case k.ahead:
		k.ahead = false
		<-r.limit
		r.depth = min(r.depth+1, streams)
	case at > k.off || follows:
		r.depth = max(r.depth, 1)
	}
	r.askAhead(k)
	r.trim()
	return k, old
}

// askAhead asks for pieces behind k, as long as it is one of those that
// follow each other and the view has room. r.mu is held.
func (r *reader) askAhead(k *piece) {
	count := 0
	for _, o := range r.pieces {
		if o.ahead && o.off > k.off {
			count++
		}
	}
	for ; count < r.depth && (r.size < 0 || r.end < r.size); count++ {
		select {
		case r.limit <- struct{}{}:
			r.next(true)
		default:
			return
		}
	}
}

// next begins to fetch the piece at r.end. r.mu is held.
func (r *reader) next(ahead bool) *piece {
	k := &piece{off: r.end, size: r.grow, done: make(chan struct{}), users: 1, ahead: ahead}
	if r.size > k.off {
		k.size = int(min(int64(k.size), r.size-k.off))
	}
	r.grow = min(r.grow*4, blockBytes)
	r.end += int64(k.size)
	r.pieces = append(r.pieces, k)
	r.wg.Go(func() {
		k.data, k.err = r.fetch(k)
		k.last = len(k.data) < k.size || k.off+int64(k.size) == r.size
		close(k.done)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.leave(k)
	})
	return k
}

// close ends everything. What is being read is waited for until ctx ends: to
// break it off would cost the connection.
func (r *reader) close(ctx context.Context) {
	r.mu.Lock()
	closed := r.closed
	r.closed = true
	for len(r.pieces) > 0 {
		r.drop(r.pieces[0])
	}
	r.mu.Unlock()
	if closed {
		return
	}
	close(r.quit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.wg.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		r.stop()
		<-done
	}
	var closing sync.WaitGroup
	for len(r.free) > 0 {
		if d := <-r.free; d.file != nil {
			closing.Go(func() { _ = d.file.Close(ctx) })
		}
	}
	closing.Wait()
	r.stop()
}
