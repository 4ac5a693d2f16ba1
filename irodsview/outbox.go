package irodsview

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"omerods/internal/irods"
	"omerods/internal/transfer"
)

const (
	// streams is over how many connections one file is written or read at
	// once, where the client has them to spare.
	streams = 4
	// fileBlocks bounds the blocks of one file that are being sent or wait for
	// it, viewBlocks those of all files.
	fileBlocks, viewBlocks = streams + 1, 2 * streams
	// viewAhead bounds what is read ahead of programs, in all files.
	viewAhead = streams + 1
)

// outbox sends what is written to a temporary object while the program writes
// on: over several connections as soon as one does not keep up, and with the
// sums computed beside it. Each block has two goroutines that end when it is
// sent and summed; wait and close wait for them.
//
// Its methods are called one at a time. Blocks must not overlap until wait.
type outbox struct {
	limit   chan struct{} // of the view
	mine    chan struct{}
	primary *irods.File
	run     context.Context
	stop    context.CancelFunc
	wg      sync.WaitGroup
	free    chan *irods.File // descriptors that nobody uses
	summed  chan struct{}    // closed when all blocks are in the sums

	mu      sync.Mutex // guards the fields below
	made    int        // descriptors
	starved int        // blocks that wait for a descriptor
	err     error      // the first
}

func newOutbox(v *View, primary *irods.File) *outbox {
	primary.Share()
	o := &outbox{
		limit: v.limit, mine: make(chan struct{}, fileBlocks), primary: primary,
		free: make(chan *irods.File, streams), made: 1, summed: make(chan struct{}),
	}
	o.run, o.stop = context.WithCancel(context.Background())
	o.free <- primary
	close(o.summed)
	return o
}

// push takes a block, whose memory belongs to the outbox from now on. It waits
// for room. Without sums the block is only sent. An error is that of any block
// so far.
func (o *outbox) push(ctx context.Context, data []byte, off int64, sums *transfer.Sums) error {
	for _, room := range []chan struct{}{o.mine, o.limit} {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			if room == o.limit {
				<-o.mine
			}
			freeBlock(data)
			return ctx.Err()
		}
	}
	var users atomic.Int32
	leave := func() {
		if users.Add(-1) == 0 {
			freeBlock(data)
			<-o.limit
			<-o.mine
		}
	}
	users.Store(1)
	if sums != nil {
		users.Store(2)
		before, done := o.summed, make(chan struct{})
		o.summed = done
		o.wg.Go(func() {
			defer close(done)
			defer leave()
			<-before
			_, _ = sums.Write(data)
		})
	}
	o.wg.Go(func() {
		defer leave()
		o.send(data, off)
	})
	return o.failed()
}

func (o *outbox) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// fail ends the sending; blocks that wait for their turn are not sent.
func (o *outbox) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
}

// send sends one block with the first descriptor that is free.
func (o *outbox) send(data []byte, off int64) {
	for {
		f := o.take()
		if f == nil || o.failed() != nil {
			if f != nil {
				o.free <- f
			}
			return
		}
		err := f.WriteAt(o.run, data, off)
		if errors.Is(err, irods.ErrNoFork) {
			// Somebody needed its connection; the others go on.
			o.mu.Lock()
			o.made--
			o.mu.Unlock()
			continue
		}
		o.free <- f
		if err != nil {
			o.fail(err)
		}
		return
	}
}

// take returns a descriptor that nobody uses: one more where the others do not
// keep up, for as long as connections are to spare. It is nil when the outbox
// was stopped.
func (o *outbox) take() *irods.File {
	select {
	case f := <-o.free:
		return f
	default:
	}
	o.mu.Lock()
	o.starved++
	more := o.starved > 1 && o.made < streams && o.err == nil
	if more {
		o.made++
	}
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		o.starved--
		o.mu.Unlock()
	}()
	if more {
		f, err := o.primary.Fork(o.run)
		if f != nil {
			return f
		}
		if err == nil { // after a refusal it is not asked again
			o.mu.Lock()
			o.made--
			o.mu.Unlock()
		}
	}
	select {
	case f := <-o.free:
		return f
	case <-o.run.Done():
		return nil
	}
}

// wait waits until everything is sent and summed. When ctx ends first, what is
// under way is broken off.
func (o *outbox) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.wg.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		o.fail(ctx.Err())
		o.stop()
		<-done
	}
	return o.failed()
}

// close waits for everything and closes all descriptors but the primary one,
// which the server must see closed last.
func (o *outbox) close(ctx context.Context) error {
	err := o.wait(ctx)
	o.stop()
	var closing sync.WaitGroup
	for len(o.free) > 0 {
		f := <-o.free
		if f == o.primary {
			continue
		}
		closing.Go(func() {
			if err := f.Close(ctx); err != nil {
				o.fail(err)
			}
		})
	}
	closing.Wait()
	if err == nil {
		err = o.failed()
	}
	return err
}
