package omero

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"omerods/internal/ice"
)

const (
	// readBytes is the size of a chunk: what one request reads.
	readBytes = 1 << 20
	// readAhead is how many chunks beyond the one that is read are asked for
	// while a file is read from front to back.
	readAhead = 4
	// keptChunks is how many chunks a file holds in memory.
	keptChunks = readAhead + 3
)

// RemoteFile reads an original file. It may be used by many goroutines. The
// server's side of it is opened when it is needed and closed when it is idle.
type RemoteFile struct {
	c    *Client
	id   int64
	size int64

	run  context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup // of fetches

	opening chan struct{} // holds one token; the owner may open the store

	mu     sync.Mutex // guards the fields below
	store  *ice.Proxy
	link   *link // of store
	users  int   // calls on store under way
	used   time.Time
	chunks []*chunk // most recently used last
	next   int64    // where the furthest read of those that follow each other ended
	closed bool
}

// chunk is a piece of a file, readBytes long but at the end. Its memory is
// that of the message it came in, and given back when nobody reads it.
type chunk struct {
	off  int64
	done chan struct{} // closed when data, free and err are set
	data []byte
	free func()
	err  error

	users   int  // guarded by the file's mu: who fetches it or copies from it
	dropped bool // likewise: it is in the file's list no more
}

// OpenFile opens an original file for reading. Its size is that of f.
func (c *Client) OpenFile(f OriginalFile) *RemoteFile {
	run, stop := context.WithCancel(context.Background())
	r := &RemoteFile{c: c, id: f.ID, size: f.Size, run: run, stop: stop, opening: make(chan struct{}, 1)}
	c.register(r)
	return r
}

// Size is the number of bytes in the file.
func (f *RemoteFile) Size() int64 { return f.size }

// Check reads the beginning, so that a refusal, or a file that the server has
// lost, shows before anybody reads.
func (f *RemoteFile) Check(ctx context.Context) error {
	if f.size == 0 {
		// A server gives zeros behind the end, or says why it gives nothing.
		_, free, err := f.fetch(ctx, 0, 1)
		if err == nil {
			free()
		}
		return err
	}
	var b [1]byte
	_, err := f.ReadAt(ctx, b[:], 0)
	return err
}

// ReadAt reads from off. At the end of the file it returns what there is with
// io.EOF.
func (f *RemoteFile) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, failure(Invalid, "read", "negative offset")
	}
	ahead := f.follows(off, int64(len(p)))
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= f.size {
			return n, io.EOF
		}
		ch, err := f.chunk(at, ahead)
		if err != nil {
			return n, err
		}
		k, err := f.copyFrom(ctx, ch, p[n:], at)
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

// copyFrom waits for a chunk, copies what it has from a place on, and leaves
// it.
func (f *RemoteFile) copyFrom(ctx context.Context, ch *chunk, p []byte, at int64) (int, error) {
	defer f.leave(ch)
	select {
	case <-ch.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if ch.err != nil {
		f.forget(ch)
		return 0, ch.err
	}
	return copy(p, ch.data[at-ch.off:]), nil
}

// follows says whether a read goes on where others ended. The kernel sends
// such reads several at a time, so the order need not be exact.
func (f *RemoteFile) follows(off, n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	follows := off > 0 && off >= f.next-2*readBytes && off <= f.next+2*readBytes
	if follows {
		f.next = max(f.next, off+n)
	} else {
		f.next = off + n
	}
	return follows
}

// chunk returns the chunk around a place, and asks for the following ones. The
// caller must leave it.
func (f *RemoteFile) chunk(at int64, ahead bool) (*chunk, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, failure(Invalid, "read", "file is closed")
	}
	off := at - at%readBytes
	ch := f.want(off)
	ch.users++
	for n := int64(1); ahead && n <= readAhead && off+n*readBytes < f.size; n++ {
		f.want(off + n*readBytes)
	}
	return ch, nil
}

// want finds a chunk or starts to fetch it. f.mu is held.
func (f *RemoteFile) want(off int64) *chunk {
	for i, ch := range f.chunks {
		if ch.off == off {
			f.chunks = append(append(f.chunks[:i:i], f.chunks[i+1:]...), ch)
			return ch
		}
	}
	ch := &chunk{off: off, done: make(chan struct{}), users: 1}
	f.chunks = append(f.chunks, ch)
	if len(f.chunks) > keptChunks {
		f.drop(0)
	}
	f.wg.Go(func() {
		defer f.leave(ch)
		defer close(ch.done)
		ch.data, ch.free, ch.err = f.fetch(f.run, off, min(readBytes, f.size-off))
	})
	return ch
}

// drop takes a chunk out of the list. f.mu is held.
func (f *RemoteFile) drop(i int) {
	ch := f.chunks[i]
	f.chunks = append(f.chunks[:i:i], f.chunks[i+1:]...)
	ch.dropped = true
	ch.giveBack()
}

// leave ends the use of a chunk.
func (f *RemoteFile) leave(ch *chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch.users--
	ch.giveBack()
}

// giveBack frees the memory of a chunk that nobody can read any more. The
// file's mu is held.
func (ch *chunk) giveBack() {
	if ch.dropped && ch.users == 0 && ch.free != nil {
		ch.free()
		ch.data, ch.free = nil, nil
	}
}

// forget drops a chunk that could not be read, so that it is tried again.
func (f *RemoteFile) forget(bad *chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, ch := range f.chunks {
		if ch == bad {
			f.drop(i)
			return
		}
	}
}

// fetch reads from the server. A store or a connection that is gone is opened
// again.
func (f *RemoteFile) fetch(ctx context.Context, off, n int64) (data []byte, free func(), err error) {
	for try := 1; ; try++ {
		data, free, connected, err := f.fetchOnce(ctx, off, n)
		if err == nil {
			return data, free, nil
		}
		again := connected && (errors.Is(err, Offline) || errors.Is(err, errStoreGone))
		if !again || try >= linkTries || ctx.Err() != nil {
			return nil, nil, fmt.Errorf("read file %d: %w", f.id, err)
		}
	}
}

// errStoreGone marks a store that the server has closed; the file is there.
var errStoreGone = errors.New("file store gone")

// fetchOnce also says whether there was a connection: when none can be made,
// the client has tried what there is to be tried.
func (f *RemoteFile) fetchOnce(ctx context.Context, off, n int64) (data []byte, free func(), connected bool, err error) {
	// A store of a certain group is opened for writing where the user may write,
	// which makes a file that is gone from the disk anew, empty.
	ctx = InGroup(ctx, AllGroups)
	l, err := f.c.acquire(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	l, store, fresh, err := f.openStore(ctx, l)
	if err != nil {
		return nil, nil, true, err
	}
	var whole chan error // ends with this call
	if fresh {
		whole = make(chan error, 1)
		go func() { whole <- f.whole(ctx, l, store) }()
	}
	data, free, err = f.c.bytesOn(ctx, l, store, fileStoreInterface, "read", off, int32(n))
	if whole != nil {
		if short := <-whole; err == nil && short != nil {
			free()
			err = short
		}
	}
	var gone *ice.RequestFailedError
	if errors.As(err, &gone) {
		err = errors.Join(errStoreGone, err)
	}
	if err != nil && (errors.Is(err, errStoreGone) || errors.Is(err, Offline) || errors.Is(err, Gone)) {
		f.release(store)
		return nil, nil, true, err
	}
	f.release(nil)
	if err != nil {
		return nil, nil, true, err
	}
	if int64(len(data)) != n {
		free()
		return nil, nil, true, failure(Internal, "read", fmt.Sprintf("%d bytes instead of %d", len(data), n))
	}
	return data, free, true, nil
}

// whole checks that the server still has the whole file: for what is missing at
// its end a server would send zeros.
func (f *RemoteFile) whole(ctx context.Context, l *link, store *ice.Proxy) error {
	res, err := f.c.on(ctx, l, store, fileStoreInterface, "size")
	n, err := result[int64]("size", res, err)
	if err == nil && n < f.size {
		err = failure(Gone, "open file", fmt.Sprintf("%d bytes are left of the %d that the server registered", n, f.size))
	}
	return err
}

// openStore returns the file's store on the server, opened over l unless there
// is one already, and counts the caller as its user; release ends that. fresh
// says that it was opened now.
func (f *RemoteFile) openStore(ctx context.Context, l *link) (_ *link, store *ice.Proxy, fresh bool, err error) {
	select {
	case f.opening <- struct{}{}:
		defer func() { <-f.opening }()
	case <-ctx.Done():
		return nil, nil, false, ctx.Err()
	}
	f.mu.Lock()
	if f.store != nil && f.link.alive() {
		f.users++
		defer f.mu.Unlock()
		return f.link, f.store, false, nil
	}
	f.mu.Unlock()
	if store, err = f.c.openFileStore(ctx, l, f.id); err != nil {
		return nil, nil, false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.store, f.link = store, l
	f.users++
	return l, store, true, nil
}

// release ends the use of the store; one that is broken is not used again.
func (f *RemoteFile) release(broken *ice.Proxy) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users--
	f.used = f.c.now()
	if broken != nil && f.store == broken {
		f.store, f.link = nil, nil
	}
}

// closeIdle closes the store on the server when it was last used before a
// time, and frees the memory. The file can be read again afterwards.
func (f *RemoteFile) closeIdle(ctx context.Context, before time.Time) {
	select {
	case f.opening <- struct{}{}:
		defer func() { <-f.opening }()
		f.closeStore(ctx, before)
	default: // it is being opened
	}
}

// closeStore is closeIdle for the owner of the token.
func (f *RemoteFile) closeStore(ctx context.Context, before time.Time) {
	f.mu.Lock()
	if f.users > 0 || !before.IsZero() && f.used.After(before) {
		f.mu.Unlock()
		return
	}
	store, l := f.store, f.link
	f.store, f.link = nil, nil
	for len(f.chunks) > 0 {
		f.drop(len(f.chunks) - 1)
	}
	f.mu.Unlock()
	if store != nil && l.alive() {
		f.c.closeProxy(InGroup(ctx, AllGroups), l, store, fileStoreInterface)
	}
}

// Close frees everything. Reads that are under way fail.
func (f *RemoteFile) Close() error {
	f.mu.Lock()
	closed := f.closed
	f.closed = true
	f.mu.Unlock()
	if closed {
		return nil
	}
	f.c.unregister(f)
	f.stop()
	f.wg.Wait()
	f.opening <- struct{}{} // nobody opens it any more; it may be closed right now
	f.closeStore(context.Background(), time.Time{})
	<-f.opening
	return nil
}
