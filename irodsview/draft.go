package irodsview

import (
	"context"
	"errors"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
	"omerods/internal/transfer"
)

// draft is the content of a file while programs write it. It is shared by all
// handles that one identity has open for writing on the file, and it outlives
// them while the file has only the temporary name of a program.
//
// The content is the temporary object with what is buffered over it. Until
// the first change of an existing file it is that file (base).
type draft struct {
	view *View
	node *node
	s    *session

	// io is held during work on the content, which may wait for the server:
	// a lock that a channel of length one makes, so that waiting for it can
	// be given up. Taken before any other lock.
	io chan struct{}

	// Under io:
	tmpDir  *node       // the folder of the temporary object
	tmpName string      // "" as long as there is none
	remote  *irods.File // open for writing
	out     *outbox     // what is on its way to remote; nil before the first block
	reader  *irods.File // open for reading, while the content is stored
	buf     []byte      // the bytes from bufOff, not yet sent
	bufOff  int64
	base    bool           // the content is still the existing file's
	passed  int64          // bytes written so far, while ordered
	sums    *transfer.Sums // of those that were sent, nil before; see summing
	ordered bool           // everything so far was written from start to end
	source  tree.File      // where a copy inside the mount took the bytes
	mixed   bool           // bytes came from more than one place
	avus    []irods.AVU    // metadata set before the object was there
	verify  verified       // set while stored
	timed   time.Time      // the time that the temporary object has been given
	failed  error          // what ended the draft; nothing more works

	mu       sync.Mutex // guards the fields below; after io, before the node's
	size     int64
	written  time.Time // of the last change
	mtime    time.Time // set by a program, zero if not
	dirty    bool      // changed since the last commit
	touched  bool      // attributes were set
	unclosed bool      // bytes were written since the last commit
	flushes  int       // without any change before them
	result   error     // of the last commit
	exists   bool      // the name exists on the server
	alias    bool      // the name is a program's temporary one
	stored   bool      // complete and verified, but not published
	gone     bool      // the name was removed
	dead     bool      // failed is set
	released time.Time // when the last handle was closed

	handles int       // guarded by the node's mu
	born    time.Time // immutable, as what follows
	// caller is who opened the file, for what is done when nobody waits.
	caller tree.Caller
}

// verified describes a stored temporary object.
type verified struct {
	size         int64
	sha1, sha256 []byte
	tar          *transfer.TarContent
}

// drafts are the drafts of a view.
type drafts struct {
	mu  sync.Mutex // guards the field below
	set map[*draft]struct{}
}

func (s *drafts) add(d *draft) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil {
		s.set = make(map[*draft]struct{})
	}
	s.set[d] = struct{}{}
}

func (s *drafts) remove(d *draft) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.set, d)
}

func (s *drafts) all() []*draft {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*draft, 0, len(s.set))
	for d := range s.set {
		all = append(all, d)
	}
	return all
}

// newDraft makes the draft of a file. exists says that the file is on the
// server, with size bytes.
func (v *View) newDraft(ctx context.Context, s *session, n *node, exists bool, size int64) *draft {
	caller, _ := tree.CallerFrom(ctx)
	d := &draft{
		caller: caller,
		view:   v, node: n, s: s, io: make(chan struct{}, 1),
		base: exists && size > 0, ordered: true,
		exists: exists, size: size, written: v.cfg.Clock(), born: v.cfg.Clock(),
	}
	v.drafts.add(d)
	return d
}

// summing returns the sums of what is sent: those that somebody will ask for.
// io is held.
func (d *draft) summing() *transfer.Sums {
	if d.sums != nil {
		return d.sums
	}
	d.sums = transfer.NewSums()
	guard := d.view.cfg.Guard
	if a, ok := guard.(transfer.SHA1Asker); guard == nil || ok && !a.AsksSHA1(d.node.path()) {
		d.sums = transfer.NewSumsWithoutSHA1()
	}
	return d.sums
}

// lock takes the content for work on it. Programs wait for each other only
// here.
func (d *draft) lock(ctx context.Context) error {
	select {
	case d.io <- struct{}{}:
		return nil
	default:
	}
	select {
	case d.io <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

func (d *draft) unlock() { <-d.io }

// of returns the node's draft if it is the session's.
func (n *node) draftOf(s *session) *draft {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draft == nil || n.draft.s != s {
		return nil
	}
	return n.draft
}

// tmpPath is where the temporary object is now; folders may be renamed.
func (d *draft) tmpPath() string {
	return joinPath(d.tmpDir.path(), d.tmpName)
}

func joinPath(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// placeTemp chooses the place of the temporary object: the folder of the
// file, the next real one above a folder that exists only here, or the user's
// home where the folder takes no new objects, or none that the user can rename.
func (d *draft) placeTemp(ctx context.Context) {
	if d.tmpName != "" {
		return
	}
	dir := d.node.up()
	for dir.isVirtual() {
		dir = dir.up()
	}
	dir = d.staging(ctx, dir)
	d.tmpDir, d.tmpName = dir, d.view.temps.next()
	// The temporary name may be longer than the file's own.
	if irods.CheckPath(d.tmpPath()) != nil {
		d.tmpDir = d.view.nodes.at(d.s.client.Home(), tree.KindDir)
	}
}

func (n *node) isVirtual() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.virtual != nil
}

// open opens the temporary object, making it if there is none. Without an
// answer it may be there.
func (d *draft) open(ctx context.Context) error {
	if d.remote != nil {
		return nil
	}
	if err := d.closeRemote(ctx); err != nil { // a reader of the stored content
		return err
	}
	made := d.tmpName == ""
	d.placeTemp(ctx)
	var err error
	if made {
		d.remote, err = d.s.client.Create(ctx, d.tmpPath())
	} else {
		d.remote, err = d.s.client.OpenWrite(ctx, d.tmpPath(), false)
	}
	if err != nil {
		d.remote = nil
	}
	return err
}

// closeRemote closes the temporary object, which completes what was sent.
func (d *draft) closeRemote(ctx context.Context) error {
	if d.reader != nil {
		_ = d.reader.Close(ctx)
		d.reader = nil
	}
	var err error
	if d.out != nil {
		err = d.out.close(ctx)
		d.out = nil
	}
	if d.remote == nil {
		return err
	}
	f := d.remote
	d.remote = nil
	if cerr := f.Close(ctx); err == nil {
		err = cerr
	}
	return err
}

func (d *draft) length() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.size
}

// changed notes a change of the content, by writing or by truncation.
func (d *draft) changed(size int64, bytes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unclosed = d.unclosed || bytes
	d.size, d.written, d.dirty, d.stored = size, d.view.cfg.Clock(), true, false
	d.mtime = time.Time{}
}

// dropTemp removes the temporary object, if there is one.
func (d *draft) dropTemp(ctx context.Context) {
	_ = d.closeRemote(ctx)
	if d.tmpName == "" {
		return
	}
	p, left := d.tmpPath(), leftover{client: d.s.client, dir: d.tmpDir, name: d.tmpName}
	d.tmpName = ""
	if err := removeTemp(ctx, d.s.client, p); err != nil {
		d.view.log.Debug("a temporary object stays for now", "path", p, "err", err)
		d.view.leftovers.add(left)
	}
}

// removeTries is how often the removal of a temporary object is tried: a
// server that has just lost a connection keeps its objects locked for a
// moment.
const removeTries = 4

func removeTemp(ctx context.Context, c *irods.Client, p string) error {
	for wait, i := 50*time.Millisecond, 1; ; wait, i = wait*2, i+1 {
		err := c.Remove(ctx, p, true)
		switch {
		case err == nil, isNotFound(err):
			return nil
		case i == removeTries || !errors.Is(err, irods.ErrLost) && !errors.Is(err, irods.ErrBusy):
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// fail ends the draft: the temporary object goes, and a name that was never
// published with it. io is held. It returns err.
func (d *draft) fail(ctx context.Context, err error) error {
	d.failed = err
	d.dropBuf()
	if d.out != nil {
		d.out.fail(err)
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if silent(err) {
		ctx, cancel = context.WithTimeout(ctx, silentWait)
		defer cancel()
	}
	d.dropTemp(ctx)
	d.mu.Lock()
	d.result, d.dirty, d.dead = err, false, true
	unseen := !d.exists
	d.mu.Unlock()
	if unseen {
		d.view.nodes.remove(d.node)
	}
	return err
}
