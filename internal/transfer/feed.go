package transfer

import (
	"context"
	"errors"
)

// feed hands the bytes that a program writes to the goroutine that reads the
// archive. A write returns when its bytes have been worked through, so that an
// error belongs to the write that brought its cause. It holds one write's bytes
// and no more.
type feed struct {
	in    chan []byte
	asked chan struct{} // the reader has used up what it was given
	ended chan struct{} // closed when the reader wants no more

	// The writer's side; whoever writes holds the archive's turn.
	buf  []byte
	busy bool // buf is with the reader

	// The reader's side.
	rest  []byte
	given bool
}

func newFeed() *feed {
	return &feed{in: make(chan []byte), asked: make(chan struct{}, 1), ended: make(chan struct{})}
}

var errNotTaken = errors.New("the caller has been interrupted")

// give passes p on. An interrupt before that is errNotTaken; after it the
// bytes count as written, and the next call waits for their turn.
func (f *feed) give(ctx context.Context, p []byte) error {
	if f.over() {
		return nil
	}
	if err := f.drain(ctx); err != nil {
		return err
	}
	f.buf = append(f.buf[:0], p...)
	select {
	case f.in <- f.buf:
		f.busy = true
	case <-f.ended:
		return nil
	case <-ctx.Done():
		return errNotTaken
	}
	select {
	case <-f.asked:
		f.busy = false
	case <-f.ended:
	case <-ctx.Done():
	}
	return nil
}

// drain waits until what was given has been worked through.
func (f *feed) drain(ctx context.Context) error {
	if !f.busy {
		return nil
	}
	select {
	case <-f.asked:
		f.busy = false
	case <-f.ended:
	case <-ctx.Done():
		return errNotTaken
	}
	return nil
}

// over says whether the reader has ended.
func (f *feed) over() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// read is the reader's side: it waits for bytes until ctx is done. The stream
// has no end, because closing a file does not tell that it is whole.
func (f *feed) read(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(f.rest) == 0 {
		if f.given {
			f.given = false
			f.asked <- struct{}{}
		}
		select {
		case f.rest = <-f.in:
			f.given = true
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// readerFunc is a function that reads.
type readerFunc func(p []byte) (int, error)

func (r readerFunc) Read(p []byte) (int, error) { return r(p) }
