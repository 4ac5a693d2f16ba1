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
	// readAhead is how many chunks beyond the one that is read are asked for
	// while a file is read from front to back.
	readAhead = 3
	// keptChunks is how many chunks a file holds in memory.
	keptChunks = readAhead + 3
)

// RemoteFile reads an original file. It may be used by many goroutines. The
// server's side of it is opened when it is needed and closed when it is idle.
type RemoteFile struct {
	c     *Client
	id    int64
	size  int64
	group int64 // AllGroups when not known

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

// chunk is a piece of a file, chunkBytes long but at the end.
type chunk struct {
	off  int64
	done chan struct{} // closed when data and err are set
	data []byte
	err  error
}

// OpenFile opens an original file for reading. Its size is that of f.
func (c *Client) OpenFile(f OriginalFile) *RemoteFile {
	run, stop := context.WithCancel(context.Background())
	r := &RemoteFile{c: c, id: f.ID, size: f.Size, group: f.Group, run: run, stop: stop, opening: make(chan struct{}, 1)}
	if r.group == 0 {
		r.group = AllGroups
	}
	c.register(r)
	return r
}

// Size is the number of bytes in the file.
func (f *RemoteFile) Size() int64 { return f.size }

// Check reads the beginning, so that a refusal shows before anybody reads.
func (f *RemoteFile) Check(ctx context.Context) error {
	if f.size == 0 {
		return nil
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
		select {
		case <-ch.done:
		case <-ctx.Done():
			return n, ctx.Err()
		}
		if ch.err != nil {
			f.forget(ch)
			return n, ch.err
		}
		n += copy(p[n:], ch.data[at-ch.off:])
	}
	return n, nil
}

// follows says whether a read goes on where others ended. The kernel sends
// such reads several at a time, so the order need not be exact.
func (f *RemoteFile) follows(off, n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	follows := off > 0 && off >= f.next-chunkBytes && off <= f.next+chunkBytes
	if follows {
		f.next = max(f.next, off+n)
	} else {
		f.next = off + n
	}
	return follows
}

// chunk returns the chunk around a place, and asks for the following ones.
func (f *RemoteFile) chunk(at int64, ahead bool) (*chunk, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, failure(Invalid, "read", "file is closed")
	}
	off := at - at%chunkBytes
	ch := f.want(off)
	for n := int64(1); ahead && n <= readAhead && off+n*chunkBytes < f.size; n++ {
		f.want(off + n*chunkBytes)
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
	ch := &chunk{off: off, done: make(chan struct{})}
	f.chunks = append(f.chunks, ch)
	if len(f.chunks) > keptChunks {
		f.chunks = f.chunks[1:]
	}
	f.wg.Go(func() {
		defer close(ch.done)
		ch.data, ch.err = f.fetch(f.run, off, min(chunkBytes, f.size-off))
	})
	return ch
}

// forget drops a chunk that could not be read, so that it is tried again.
func (f *RemoteFile) forget(bad *chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, ch := range f.chunks {
		if ch == bad {
			f.chunks = append(f.chunks[:i:i], f.chunks[i+1:]...)
			return
		}
	}
}

// fetch reads from the server. A store or a connection that is gone is opened
// again.
func (f *RemoteFile) fetch(ctx context.Context, off, n int64) ([]byte, error) {
	for try := 1; ; try++ {
		data, connected, err := f.fetchOnce(ctx, off, n)
		if err == nil {
			return data, nil
		}
		again := connected && (errors.Is(err, Offline) || errors.Is(err, errStoreGone))
		if !again || try >= linkTries || ctx.Err() != nil {
			return nil, fmt.Errorf("read file %d: %w", f.id, err)
		}
	}
}

// errStoreGone marks a store that the server has closed; the file is there.
var errStoreGone = errors.New("file store gone")

// fetchOnce also says whether there was a connection: when none can be made,
// the client has tried what there is to be tried.
func (f *RemoteFile) fetchOnce(ctx context.Context, off, n int64) (data []byte, connected bool, err error) {
	ctx = InGroup(ctx, f.group)
	l, err := f.c.acquire(ctx)
	if err != nil {
		return nil, false, err
	}
	l, store, err := f.openStore(ctx, l)
	if err != nil {
		return nil, true, err
	}
	res, err := f.c.on(ctx, l, store, fileStoreInterface, "read", off, int32(n))
	data, err = result[[]byte]("read", res, err)
	var gone *ice.RequestFailedError
	if errors.As(err, &gone) {
		err = errors.Join(errStoreGone, err)
	}
	if err != nil && (errors.Is(err, errStoreGone) || errors.Is(err, Offline)) {
		f.release(store)
		return nil, true, err
	}
	f.release(nil)
	if err != nil {
		return nil, true, err
	}
	if int64(len(data)) != n {
		return nil, true, failure(Internal, "read", fmt.Sprintf("%d bytes instead of %d", len(data), n))
	}
	return data, true, nil
}

// openStore returns the file's store on the server, opened over l unless there
// is one already, and counts the caller as its user; release ends that.
func (f *RemoteFile) openStore(ctx context.Context, l *link) (*link, *ice.Proxy, error) {
	select {
	case f.opening <- struct{}{}:
		defer func() { <-f.opening }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	f.mu.Lock()
	if f.store != nil && f.link.alive() {
		f.users++
		defer f.mu.Unlock()
		return f.link, f.store, nil
	}
	f.mu.Unlock()
	store, err := f.c.openFileStore(ctx, l, f.id)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.store, f.link = store, l
	f.users++
	return l, store, nil
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
	f.store, f.link, f.chunks = nil, nil, nil
	f.mu.Unlock()
	if store != nil && l.alive() {
		f.c.closeProxy(InGroup(ctx, f.group), l, store, fileStoreInterface)
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
