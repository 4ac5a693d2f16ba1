package transfer

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// Load is one folder on its way into OMERO.
type Load struct {
	of      *Loads
	id      string
	key     loadKey
	place   Place
	caller  tree.Caller
	ctx     context.Context // ends with the load; carries the caller
	stop    context.CancelFunc
	writers *Writers
	uploads sync.WaitGroup
	done    chan struct{} // closed when the load has ended

	sentBytes atomic.Int64 // of files, to OMERO

	mu         sync.Mutex // guards the fields below and all staged nodes
	name       string     // of the object that is to be made
	top        *stagedDir
	tar        *StagedTar             // nil for a folder
	members    map[string]*stagedFile // of the archive that have been kept, by their path
	state      State
	committing bool
	failure    error
	ended      time.Time
	lastSeen   time.Time
	folded     map[string]string // of wanted, see near; made when it is needed
	doc        *pack.Document    // nil until transfer.xml has arrived
	xml        *stagedFile       // of doc
	ours       bool              // the pack has a manifest of ours
	wanted     map[string]*wanted
	missing    int // of wanted
	units      []*unit
	next       int               // of units: the one whose images are made next
	importing  bool              // somebody is making images
	generated  map[string]bool   // files that a load does not need: whether each has come
	toCome     int               // of generated
	sameAs     map[string]string // of generated: the file with the same content
	sending    int               // how many uploads take their files from the spool
	sent       chan struct{}     // closed and made anew when sending falls
	settled    bool              // nobody writes any more
	full       error             // why a file had no room in the spool
	filesets   []int64
	files      map[pack.ID]int64 // new original files by file annotation
	record     Record
}

// wanted is a file that the load waits for.
type wanted struct {
	pack.File
	unit  *unit // nil for an attachment
	here  bool
	first *stagedFile // that arrived, when its name has been taken away since
}

func newLoad(ctx context.Context, ls *Loads, place Place, key loadKey, mode uint32) *Load {
	caller, _ := tree.CallerFrom(ctx)
	now := ls.cfg.Now()
	l := &Load{
		of: ls, id: newID(), key: key, name: key.name, place: place, caller: caller, done: make(chan struct{}),
		members: map[string]*stagedFile{}, sameAs: map[string]string{}, sent: make(chan struct{}),
		state: StateLoading, lastSeen: now, wanted: map[string]*wanted{}, generated: map[string]bool{},
		files: map[pack.ID]int64{},
	}
	l.ctx, l.stop = context.WithCancel(tree.WithCaller(ls.ctx, caller))
	l.writers = NewWriters(l.ctx, l.writersEnded)
	l.top = l.newDir(ctx, nil, key.name, mode)
	l.record = Record{ID: l.id, Direction: ToOMERO, UID: caller.UID, Path: path.Join(place.Key(), key.name), State: StateLoading, Started: now}
	ls.cfg.Records.Put(l.record)
	ls.cfg.Records.Live(l.id, l.progress)
	return l
}

// staged says whether the folder is still being written or worked on. One that
// is being given up has gone already.
func (l *Load) staged() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == StateLoading && l.failure == nil
}

// aliased says whether the paths written still lead to what they became.
func (l *Load) aliased() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == StateFinished
}

// saw notes that the caller of ctx writes here.
func (l *Load) saw(ctx context.Context) {
	if c, ok := tree.CallerFrom(ctx); ok {
		l.writers.Saw(c.TID)
	}
	l.mu.Lock()
	l.lastSeen = l.of.cfg.Now()
	l.mu.Unlock()
}

// writable says whether anything may still be written; the mutex is held.
func (l *Load) writable() error {
	switch {
	case l.failure != nil:
		return l.failure
	case l.state != StateLoading:
		return tree.Errorf(tree.ErrNotPermitted, "%s has been loaded; nothing is added to it", l.key.name)
	case l.committing:
		return tree.Errorf(tree.ErrBusy, "%s is being made in OMERO", l.key.name)
	}
	return nil
}

// withdraw says whether a name may go, because its file is removed or another
// takes its place; the mutex is held. What has arrived may be in OMERO by now.
// The load waits until it comes again, as it does when the same copy is run
// once more, and then it must be the same.
func (l *Load) withdraw(f *stagedFile) error {
	if !f.arrived || l.state != StateLoading || l.failure != nil {
		return nil
	}
	w := l.wanted[join(f.parent.path(), f.name)]
	if w == nil {
		return nil
	}
	if l.committing {
		return tree.Errorf(tree.ErrBusy, "%s is being made in OMERO", l.key.name)
	}
	if w.here {
		w.here = false
		l.missing++
	}
	if w.first == nil {
		w.first = f
	}
	return nil
}

// again accepts a file that has arrived once more if it is the one that came
// first.
func (l *Load) again(first, f *stagedFile) error {
	want, err := first.content.Sums()
	if err != nil {
		return err
	}
	got, err := f.content.Sums()
	if err != nil {
		return err
	}
	if got.Size() != want.Size() || !bytes.Equal(got.SHA1(), want.SHA1()) {
		return tree.Errorf(tree.ErrBusy, "%s is on its way into OMERO with another content", f.name).
			WithAdvice("remove the folder of this load, and copy again")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !f.dirty {
		f.arrived = true
		f.content.Free()
	}
	return nil
}

// closed is told that a file is whole. With wait it returns only when a load
// that this file completes has ended, and returns its error.
func (l *Load) closed(ctx context.Context, f *stagedFile, wait bool) error {
	l.mu.Lock()
	if l.failure != nil {
		defer l.mu.Unlock()
		return l.failure
	}
	f.flushed = true
	if f.gone || f.arrived {
		l.mu.Unlock()
		return nil
	}
	p := join(f.parent.path(), f.name)
	known, first := l.doc != nil, l.xml
	l.mu.Unlock()

	if p == transferXML && f.content.Size() > 0 {
		if known {
			return l.again(first, f)
		}
		if err := l.plan(f); err != nil {
			l.abort(StateFailed, err)
			return err
		}
	} else if known {
		if err := l.take(p, f); err != nil {
			return err
		}
	}
	if !l.ready() {
		return nil
	}
	l.commit()
	if !wait {
		return nil
	}
	return l.await(ctx)
}

// take accepts a file that has arrived if it is as the pack says.
func (l *Load) take(p string, f *stagedFile) error {
	l.mu.Lock()
	w := l.wanted[p]
	came, generated := l.generated[p]
	same := l.wanted[l.sameAs[p]]
	emptyCopy := same != nil && same.Size == 0 // another place of a file that has no bytes
	var folder *unit
	if w == nil {
		folder = l.folderUnit(p)
	}
	l.mu.Unlock()
	switch {
	case w == nil && generated:
		if !came && (f.content.Size() > 0 || emptyCopy) {
			l.mu.Lock()
			l.generated[p] = true
			l.toCome--
			f.arrived = true
			l.mu.Unlock()
			f.content.Free()
		}
		return nil
	case w == nil && (folder != nil || strings.HasPrefix(f.name, ".") || isJunk(f.name)):
		return nil // a temporary name, or a file whose end nobody announces
	case w == nil && l.near(p) != "":
		return otherForm(p, l.near(p))
	case w == nil && !l.ours:
		return nil
	case w == nil:
		return tree.Errorf(tree.ErrNotPermitted, "%s is no part of the pack", p).
			WithAdvice("copy it into the dataset after the pack has been loaded")
	}
	size := f.content.Size()
	if size == 0 && w.Size != 0 {
		return nil // a redirection's first close, before any data, or see settle
	}
	if w.Size >= 0 && size != w.Size {
		return tree.Errorf(tree.ErrIO, "%s has %d bytes, the pack says %d", p, size, w.Size).WithAdvice("copy it again")
	}
	if err := l.compare(p, w, f); err != nil {
		return err
	}
	l.mu.Lock()
	first := w.first
	l.mu.Unlock()
	if first != nil {
		if err := l.again(first, f); err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if f.arrived && !w.here {
			w.here = true
			l.missing--
		}
		return l.failure
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.dirty || w.here || l.failure != nil {
		return l.failure
	}
	l.arrive(p, w, f)
	return nil
}

// arrive counts a file in and begins what waited for it; the mutex is held.
func (l *Load) arrive(p string, w *wanted, f *stagedFile) {
	f.arrived, w.here = true, true
	l.missing--
	l.record.FilesDone++
	l.record.BytesDone += f.content.Size()
	if w.Size < 0 { // not counted before
		l.record.Bytes += f.content.Size()
	}
	l.of.cfg.Records.Put(l.record)
	if w.unit != nil {
		w.unit.got(p, f)
		if w.unit.complete() {
			l.upload(w.unit)
		}
	} else {
		l.attach(w, f)
	}
}

// compare checks the hash that the pack gives for a file.
func (l *Load) compare(p string, w *wanted, f *stagedFile) error {
	if w.Hash == "" {
		return nil
	}
	var got string
	switch w.Algorithm {
	case pack.SHA1:
		s, err := f.content.Sums()
		if err != nil {
			return err
		}
		got = hex.EncodeToString(s.SHA1())
	default:
		h := newHash(w.Algorithm)
		if h == nil {
			return nil
		}
		if _, err := io.Copy(h, io.NewSectionReader(f.content, 0, f.content.Size())); err != nil {
			return err
		}
		got = hex.EncodeToString(h.Sum(nil))
	}
	if !strings.EqualFold(got, w.Hash) {
		return tree.Errorf(tree.ErrIO, "%s has the %s sum %s, the pack says %s", p, w.Algorithm, got, w.Hash).
			WithAdvice("the copy or the archive is damaged; copy it again from its source")
	}
	return nil
}

// folderUnit finds the unit whose folder holds p; the mutex is held.
func (l *Load) folderUnit(p string) *unit {
	for _, u := range l.units {
		if u.folder != "" && strings.HasPrefix(p, u.folder) {
			return u
		}
	}
	return nil
}

// isJunk says whether a file is litter that desktops leave in folders.
func isJunk(name string) bool {
	return slices.Contains([]string{".DS_Store", "Thumbs.db", "desktop.ini"}, name) || strings.HasPrefix(name, "._")
}

// ready says whether everything has arrived whose arrival can be told. What a
// load does not need is waited for as long as somebody writes: after the
// commit there would be no place for it.
func (l *Load) ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.doc == nil || l.missing > 0 || l.failure != nil || (l.toCome > 0 && !l.settled) {
		return false
	}
	return !slices.ContainsFunc(l.units, func(u *unit) bool { return u.folder != "" && !u.begun })
}

// await waits for the end of the load and returns its result.
func (l *Load) await(ctx context.Context) error {
	timer := time.NewTimer(l.of.cfg.CommitWait)
	defer timer.Stop()
	select {
	case <-l.done:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.failure
	case <-ctx.Done():
		return tree.Errorf(tree.ErrInterrupted, "the load of %s goes on", l.key.name)
	case <-timer.C:
		return tree.Errorf(tree.ErrOffline, "the load of %s is still running", l.key.name).
			WithAdvice("omerods status shows when it has ended")
	}
}
