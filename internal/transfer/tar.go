package transfer

import (
	"context"
	"errors"
	"time"

	"omerods/fs/tree"
	"omerods/internal/task"
)

// StagedTar is a .tar or .zip that is being written: one file, which is a load.
// A tar is read while it comes in; of a zip everything is kept until it has
// been closed, because its directory is at its end.
type StagedTar struct {
	load *Load
	feed *feed
	turn chan struct{} // holds one token; whoever has it may use the fields below it

	format tarFormat
	pos    int64 // how far a tar has been passed on
	ahead  ahead
	zip    *spoolFile // the whole of a zip

	// The load's mutex guards the fields below.
	file    string // the name, of a program's own making until it is renamed
	final   bool   // file is the name that the archive shall have
	size    int64
	writers int
	running bool   // the goroutine that reads it has begun
	whole   bool   // all members have been read
	handed  bool   // a zip that has been closed: it goes on without its program
	closed  bool   // everything has come that the load needs
	at      string // what is being read
	stagedAttr
}

type tarFormat int

const (
	unknownFormat tarFormat = iota
	plainTar
	plainZip
)

var (
	_ tree.File        = (*StagedTar)(nil)
	_ tree.AttrSetter  = (*StagedTar)(nil)
	_ tree.XAttrSetter = (*StagedTar)(nil)
)

// Attr implements tree.Node.
func (a *StagedTar) Attr(context.Context) (tree.Attr, error) {
	a.load.mu.Lock()
	defer a.load.mu.Unlock()
	return a.attr(tree.KindFile, a.size), nil
}

// SetAttr implements tree.AttrSetter. What has been written stays written: the
// size can be set ahead of the writes, and to what it is.
func (a *StagedTar) SetAttr(_ context.Context, c tree.AttrChange) (tree.Attr, error) {
	l := a.load
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Size != nil && *c.Size != a.size {
		if err := l.writable(); err != nil {
			return tree.Attr{}, err
		}
		if *c.Size < a.size || a.closed || a.handed {
			return tree.Attr{}, tree.Errorf(tree.ErrBusy, "%s is on its way into OMERO and cannot be shortened", a.file).
				WithAdvice("remove it, which cancels the load, and copy again")
		}
		a.size = *c.Size
	}
	a.change(c)
	return a.attr(tree.KindFile, a.size), nil
}

// Setxattr accepts what OMERO has no place for.
func (a *StagedTar) Setxattr(context.Context, string, []byte, bool, bool) error { return nil }

// Removexattr finds nothing, because nothing was kept.
func (a *StagedTar) Removexattr(context.Context, string) error { return tree.ErrNoData }

// WrittenBy says whether the caller's process has written the archive.
func (a *StagedTar) WrittenBy(ctx context.Context) bool {
	c, _ := tree.CallerFrom(ctx)
	return a.load.writers.Knows(c.TID)
}

// Open implements tree.File. Opening for reading is part of what copying
// programs do to set attributes; there is nothing to be read.
func (a *StagedTar) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		a.load.saw(ctx)
	}
	a.load.mu.Lock()
	defer a.load.mu.Unlock()
	return a.openLocked(opts)
}

func (a *StagedTar) openLocked(opts tree.OpenOptions) (*tarHandle, error) {
	if opts.Write {
		if a.load.state == StateFinished {
			return nil, tree.Errorf(tree.ErrExists, "%s has been loaded", a.file)
		}
		if err := a.load.writable(); err != nil {
			return nil, err
		}
		if a.closed || a.handed || opts.Truncate && a.size > 0 {
			return nil, tree.Errorf(tree.ErrBusy, "%s is on its way into OMERO", a.file).
				WithAdvice("wait for its end, or remove it, which cancels the load")
		}
		a.writers++
	}
	return &tarHandle{tar: a, write: opts.Write}, nil
}

// tarHandle is an open archive.
type tarHandle struct {
	tar   *StagedTar
	write bool
}

var (
	_ tree.WriteHandle = (*tarHandle)(nil)
	_ tree.CopyTarget  = (*tarHandle)(nil)
	_ tree.Cacher      = (*tarHandle)(nil)
	_ tree.Patient     = (*tarHandle)(nil)
)

// Cache implements tree.Cacher: what has been passed on cannot be read back.
func (h *tarHandle) Cache() tree.Cache { return tree.CacheNone }

// Patient implements tree.Patient: a write waits until there is room, which
// may take as long as the upload of what came before.
func (h *tarHandle) Patient() {}

// ReadAt implements tree.Handle.
func (h *tarHandle) ReadAt(_ context.Context, _ []byte, off int64) (int, error) {
	l := h.tar.load
	l.mu.Lock()
	defer l.mu.Unlock()
	if off >= h.tar.size {
		return 0, nil
	}
	return 0, errFreed
}

// WriteAt implements tree.WriteHandle.
func (h *tarHandle) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	a := h.tar
	if !h.write {
		return 0, tree.ErrBadHandle
	}
	if err := a.take(ctx); err != nil {
		return 0, err
	}
	defer a.leave()
	a.load.mu.Lock()
	err := a.load.writable()
	if err == nil && (a.closed || a.handed) {
		err = tree.Errorf(tree.ErrBusy, "%s has been closed, and is on its way into OMERO", a.file)
	}
	if err == nil {
		a.load.lastSeen = a.load.of.cfg.Now()
		if !a.touched {
			a.mtime = a.load.lastSeen
		}
	}
	a.load.mu.Unlock()
	if err != nil {
		return 0, err
	}
	switch err := a.put(ctx, p, off); {
	case errors.Is(err, errNotTaken):
		return 0, tree.Errorf(tree.ErrInterrupted, "%w", err)
	case err != nil:
		a.load.failed(err)
		return 0, err
	}
	a.load.mu.Lock()
	defer a.load.mu.Unlock()
	a.size = max(a.size, off+int64(len(p)))
	if a.load.failure != nil {
		return 0, a.load.failure
	}
	return len(p), nil
}

// take waits for the turn to write.
func (a *StagedTar) take(ctx context.Context) error {
	select {
	case <-a.turn:
		return nil
	case <-ctx.Done():
		return tree.Errorf(tree.ErrInterrupted, "%w", ctx.Err())
	}
}

func (a *StagedTar) leave() { a.turn <- struct{}{} }

// Flush implements tree.WriteHandle. An archive that is whole is loaded, and
// its end is waited for; one that is not yet may still go on, for all the
// kernel says, but its program must hear of it now.
func (h *tarHandle) Flush(ctx context.Context) error {
	a, l := h.tar, h.tar.load
	if !h.write {
		return nil
	}
	c, _ := tree.CallerFrom(ctx)
	dead := task.Killed(c.TID)
	l.mu.Lock()
	failure, empty, closed := l.failure, a.size == 0, a.closed || a.handed
	l.mu.Unlock()
	switch {
	case failure != nil:
		return failure
	case empty:
		return nil // a redirection's first close
	case closed:
		return a.finish(ctx)
	case dead:
		return a.cutOff()
	}
	if err := a.take(ctx); err != nil {
		return err
	}
	err := a.end(ctx)
	a.leave() // the end of the load may need the turn
	if err != nil {
		return err
	}
	return a.finish(ctx)
}

// cutOff is what a killed program's close gets; the last one removes what it
// has written.
func (a *StagedTar) cutOff() error {
	return tree.Errorf(tree.ErrCutOff, "%s was cut off: the program that wrote it was killed", a.name())
}

func (a *StagedTar) name() string {
	a.load.mu.Lock()
	defer a.load.mu.Unlock()
	return a.file
}

// finish brings an archive of which every member has been read to its end,
// unless it has the name that a program uses until it is done.
func (a *StagedTar) finish(ctx context.Context) error {
	l := a.load
	l.mu.Lock()
	reading := a.handed && !a.closed
	l.mu.Unlock()
	if reading {
		if err := a.await(ctx); err != nil {
			return err
		}
	}
	l.mu.Lock()
	done, failure := l.state == StateFinished, l.failure
	final := a.final
	l.mu.Unlock()
	switch {
	case failure != nil:
		return failure
	case done || !final:
		return nil
	}
	l.commit()
	return l.await(ctx)
}

// Sync implements tree.WriteHandle. The spool is not meant to outlive a crash,
// so there is nothing that must be on the disk.
func (h *tarHandle) Sync(context.Context) error { return nil }

// CopyFrom implements tree.CopyTarget.
func (h *tarHandle) CopyFrom(ctx context.Context, src tree.CopySource, off, n int64) (int64, error) {
	return copyInto(ctx, h, src, off, n)
}

// Release implements tree.Handle: after the last writer nothing more can come,
// and an archive that is not whole leaves nothing behind.
func (h *tarHandle) Release(context.Context) {
	a, l := h.tar, h.tar.load
	if !h.write {
		return
	}
	l.mu.Lock()
	a.writers--
	cut := a.writers == 0 && !a.closed && !a.handed
	err := a.incomplete()
	l.mu.Unlock()
	if cut {
		l.failed(err)
	}
}

// newTar begins the load of an archive; nobody knows of it yet.
func newTar(ctx context.Context, ls *Loads, place Place, file, object string, final bool, mode uint32) *StagedTar {
	l := newLoad(ctx, ls, place, loadKey{place: place.Key(), uid: callerUID(ctx), name: object}, mode)
	a := &StagedTar{
		load: l, feed: newFeed(), turn: make(chan struct{}, 1), file: file, final: final,
		ahead: ahead{pile: newPile(ls.cfg.Spool)}, stagedAttr: l.newAttr(ctx, mode),
	}
	a.turn <- struct{}{}
	l.tar = a
	l.record.Tar, l.record.Path = true, tarPath(place, file)
	ls.cfg.Records.Put(l.record)
	return a
}

func callerUID(ctx context.Context) uint32 {
	c, _ := tree.CallerFrom(ctx)
	return c.UID
}

// await waits until the goroutine that reads the archive has ended.
func (a *StagedTar) await(ctx context.Context) error {
	timer := time.NewTimer(a.load.of.cfg.CommitWait)
	defer timer.Stop()
	select {
	case <-a.feed.ended:
		return nil
	case <-ctx.Done():
		return tree.Errorf(tree.ErrInterrupted, "the load of %s goes on", a.name())
	case <-timer.C:
		return tree.Errorf(tree.ErrOffline, "the load of %s is still running", a.name()).
			WithAdvice("omerods status shows when it has ended")
	}
}

// discard gives back the room of what waits to be read. The load has been
// stopped, so nobody has the turn for long.
func (a *StagedTar) discard() {
	<-a.turn
	defer a.leave()
	a.ahead.close()
	if a.zip != nil {
		a.zip.Free()
	}
}

// writersEnded looks at what is there once nobody writes any more.
func (a *StagedTar) writersEnded() {
	l := a.load
	l.mu.Lock()
	given := a.closed && !a.final && l.state == StateLoading
	name := a.file
	l.mu.Unlock()
	if given {
		l.failed(tree.Errorf(tree.ErrIncomplete, "the program that wrote %s has ended and has not given it the name that it was meant for", name))
	}
}
