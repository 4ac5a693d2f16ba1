package irods

import (
	"context"
	"errors"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Flags of an open request; the values are Linux'.
const (
	openRead      = 0
	openWrite     = 1
	openReadWrite = 2
	openCreate    = 64
	openExclusive = 128
	openTruncate  = 512
)

// File is an open data object. Its methods must be called one at a time.
//
// It needs a connection only during its calls; between them it may lose it to
// somebody else, is then closed on the server and opened again when needed.
// What was written is safe from that, but others can see the data object
// without a lock meanwhile.
type File struct {
	client *Client
	path   string
	flags  int64
	write  bool

	origin *File // of a fork: the file whose replica it writes too
	spare  bool  // it takes only connections that nobody needs
	share  bool  // ask for a grant

	again  func() error // asked before the file is opened again, nil for no
	opened bool         // it was open

	parking *parking
	pos     int64 // of the descriptor
	high    int64 // where the furthest write ended
	failed  error // what ended it

	// Guarded by the pool's mu:
	grant *grant // nil when none was given, or the file is closed
	forks int    // descriptors that forks have open, or are opening
}

// OpenRead opens a data object for reading.
func (c *Client) OpenRead(ctx context.Context, path string) (*File, error) {
	f := &File{client: c, path: path, flags: openRead}
	return f, f.do(ctx, "open", nil)
}

// OpenReadMore is OpenRead for reading a data object over one more connection.
// Like a fork it takes only a connection that nobody needs, also later: then
// it and [File.ReadAt] fail with [ErrNoFork].
func (c *Client) OpenReadMore(ctx context.Context, path string) (*File, error) {
	f := &File{client: c, path: path, flags: openRead, spare: true}
	return f, f.do(ctx, "open", nil)
}

// Create makes a data object and opens it for reading and writing. An
// existing path is ErrExists.
func (c *Client) Create(ctx context.Context, path string) (*File, error) {
	f := &File{client: c, path: path, flags: openReadWrite | openCreate | openExclusive, write: true}
	return f, f.do(ctx, "create", nil)
}

// OpenWrite opens an existing data object for reading and writing; with
// truncate its content is dropped.
func (c *Client) OpenWrite(ctx context.Context, path string, truncate bool) (*File, error) {
	f := &File{client: c, path: path, flags: openReadWrite, write: true}
	if truncate {
		f.flags |= openTruncate
	}
	return f, f.do(ctx, "open", nil)
}

// Again has ask called before the file is opened another time by its path, which
// may be another data object's then. Its error is that of the call.
func (f *File) Again(ask func() error) { f.again = ask }

// do runs step on the file's connection and descriptor, and parks both again.
func (f *File) do(ctx context.Context, op string, step func(cn *conn, fd int) error) error {
	if f.failed != nil {
		return f.failed
	}
	err := f.try(ctx, step)
	// Reading can be taken up anew where it was; of writing nobody knows how
	// far it went.
	if errors.Is(err, ErrLost) && !f.write && ctx.Err() == nil {
		f.client.pool.flush()
		err = f.try(ctx, step)
	}
	if errors.Is(err, ErrNoFork) {
		return err
	}
	err = describe(err, op, f.path)
	if err != nil && f.write {
		f.failed = err
		f.release(ctx)
	}
	return err
}

func (f *File) try(ctx context.Context, step func(cn *conn, fd int) error) error {
	cn, fd, err := f.connection(ctx)
	if err != nil {
		return err
	}
	if step != nil {
		err = step(cn, fd)
	}
	if cn.broken {
		f.client.pool.put(cn)
		f.closed()
		return err
	}
	f.parking = f.client.pool.park(cn, fd, f)
	return err
}

// closed notes that there is no descriptor any more.
func (f *File) closed() {
	if f.origin != nil {
		f.client.pool.unreserve(f.origin)
	} else if f.write {
		f.client.pool.allow(f, nil)
	}
}

// connection returns the file's connection and descriptor, opening it first
// where it has none.
func (f *File) connection(ctx context.Context) (*conn, int, error) {
	if f.parking != nil {
		k := f.parking
		cn, err := f.client.pool.unpark(ctx, k)
		if cn != nil {
			f.parking = nil
			return cn, k.fd, nil
		}
		if ctx.Err() != nil {
			return nil, 0, interrupted(ctx)
		}
		f.parking = nil
		if err != nil && f.write {
			return nil, 0, err
		}
	}
	if f.origin != nil {
		cn, fd, err := f.openFork(ctx)
		if cn == nil && err == nil {
			err = ErrNoFork
		}
		return cn, fd, err
	}
	if err := CheckPath(f.path); err != nil {
		return nil, 0, err
	}
	if f.opened && f.again != nil {
		if err := f.again(); err != nil {
			return nil, 0, err
		}
	}
	cn, err := f.anyConnection(ctx)
	if err != nil {
		return nil, 0, err
	}
	o := object{path: f.path, flags: f.flags, size: -1}
	if f.flags&openCreate != 0 {
		o.keys = append(f.client.destination(), pair{common.DATA_TYPE_KW, "generic"})
	}
	rep, err := cn.exchange(ctx, o.request(common.DATA_OBJ_OPEN_AN), nil)
	if err == nil && rep.status < 0 {
		err = statusError(rep)
		if f.write {
			cn.rollback(ctx, f.client.Home())
		}
	}
	if err != nil {
		f.client.pool.put(cn)
		return nil, 0, err
	}
	f.flags &^= openCreate | openExclusive | openTruncate
	f.pos, f.opened = 0, true
	return cn, rep.status, nil
}

func (f *File) anyConnection(ctx context.Context) (*conn, error) {
	if !f.spare {
		return f.client.pool.get(ctx, f.write)
	}
	cn, err := f.client.pool.spare(ctx)
	if cn == nil && err == nil {
		err = ErrNoFork
	}
	return cn, err
}

// at sends r, a read or write at off, after a seek to there where it needs
// one, and returns its answer. The position is where the server says it was
// before r.
func (f *File) at(ctx context.Context, cn *conn, fd int, off int64, r *request, buf []byte) (*reply, error) {
	var all []*request
	asked := f.share && !f.client.pool.granted(f)
	if asked {
		info, err := infoRequest(fd)
		if err != nil {
			return nil, errorf(ErrInvalid, "%w", err)
		}
		all = append(all, info)
	}
	moved := f.pos != off
	if moved {
		all = append(all, opened(common.DATA_OBJ_LSEEK_AN, fd, 0, off, 0))
	}
	replies, err := cn.exchangeAll(ctx, buf, append(all, r)...)
	if err != nil {
		return nil, err
	}
	if asked {
		g := granted(replies[0])
		f.share = g != nil
		f.client.pool.allow(f, g)
		replies = replies[1:]
	}
	if moved {
		if replies[0].status < 0 {
			return nil, statusError(replies[0])
		}
		out, err := unpack(replies[0].body)
		if err != nil {
			return nil, err
		}
		f.pos = out.num("offset")
		replies = replies[1:]
	}
	if replies[0].status < 0 {
		return nil, statusError(replies[0])
	}
	return replies[0], nil
}

// ReadAt reads up to len(p) bytes from off in one request; 0 without an error
// is the end. A broken connection is never taken for the end.
func (f *File) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	err = f.do(ctx, "read", func(cn *conn, fd int) error {
		n = 0
		rep, err := f.at(ctx, cn, fd, off, opened(common.DATA_OBJ_READ_AN, fd, int64(len(p)), 0, 0), p)
		if err != nil {
			return err
		}
		if rep.status != len(rep.stream) {
			return errorf(ErrServer, "the server sent %d bytes and said %d", len(rep.stream), rep.status)
		}
		if f.pos == off { // a descriptor for reading stops at the end
			n = rep.status
		}
		f.pos += int64(rep.status)
		return nil
	})
	return n, err
}

// WriteAt writes p at off in one request. After an error other than
// [ErrNoFork] the file cannot be used any more.
func (f *File) WriteAt(ctx context.Context, p []byte, off int64) error {
	return f.do(ctx, "write", func(cn *conn, fd int) error {
		r := opened(common.DATA_OBJ_WRITE_AN, fd, int64(len(p)), 0, 0)
		r.stream = p
		rep, err := f.at(ctx, cn, fd, off, r, nil)
		if err != nil {
			return err
		}
		if f.pos != off {
			return errorf(ErrServer, "the server moved to %d instead of %d", f.pos, off)
		}
		if rep.status != len(p) {
			return errorf(ErrNoSpace, "the server took %d of %d bytes", rep.status, len(p))
		}
		f.pos += int64(len(p))
		f.high = max(f.high, f.pos)
		return nil
	})
}

// Close closes the data object. For one open for writing its error matters:
// the server registers size and time only then.
func (f *File) Close(ctx context.Context) error {
	if f.failed != nil {
		return f.failed
	}
	f.failed = describe(errorf(ErrInvalid, "the file is closed"), "use", f.path)
	if f.parking == nil {
		return nil // its connection broke after reading
	}
	k := f.parking
	f.parking = nil
	cn, err := f.client.pool.unpark(context.WithoutCancel(ctx), k)
	if cn != nil {
		err = closeDescriptor(ctx, cn, k)
		f.client.pool.put(cn)
		f.closed()
	}
	if !f.write {
		return nil
	}
	return describe(err, "close", f.path)
}

// release gives the descriptor of a failed file up.
func (f *File) release(ctx context.Context) {
	if k := f.parking; k != nil {
		f.parking = nil
		if cn, _ := f.client.pool.unpark(context.WithoutCancel(ctx), k); cn != nil {
			_ = closeDescriptor(ctx, cn, k)
			f.client.pool.put(cn)
			f.closed()
		}
	}
}

// closeDescriptor closes a descriptor on its connection. It goes on when ctx
// is cancelled: a descriptor that stays open locks the data object. What was
// written may be replicated before the server answers.
func closeDescriptor(ctx context.Context, cn *conn, k *parking) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTime(cn.timeout, k.file.high))
	defer cancel()
	r, err := k.file.closeRequest(k.fd)
	if err != nil {
		return errorf(ErrInvalid, "%w", err)
	}
	r.slow = true
	rep, err := cn.exchange(ctx, r, nil)
	if err == nil && rep.status < 0 {
		// Whether it is open still nobody knows; without the connection it is
		// not.
		err = statusError(rep)
		cn.broken = true
	}
	return err
}
