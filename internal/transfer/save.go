package transfer

import (
	"context"
	"encoding/hex"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

const transferXML = pack.TransferXML

// quiet is how long after its writers' end a save is judged: a script may copy
// file by file, each with a process of its own.
const quiet = 2 * time.Second

// save is one pack on its way into a collection.
type save struct {
	of      *Saves
	id      string
	caller  tree.Caller
	doc     *pack.Document
	writers *Writers
	ctx     context.Context // ends with the save; carries the caller
	stop    context.CancelFunc

	marking sync.Mutex // held while the marks are read and changed; taken before mu

	mu      sync.Mutex // guards the fields below; not held while a server is asked
	coll    string
	state   State
	closing bool // somebody is bringing the save to its end
	sealed  bool // it is verified, and nothing may change any more
	dropped bool // it has ended, and takes no files any more
	changes int  // of the files that are here
	endedAt time.Time
	overdue bool // it was to be ended, which failed

	// Of a tar only: it is done by one caller, without the mutex.
	content  tree.Handle          // while it is verified
	members  map[string]TarMember // by the path they would have in coll
	tarMarks []AVU
	expected map[string]*expected
	missing  int // of expected
	lastSeen time.Time
	record   Record
}

// expected is a file of the manifest and what has come of it.
type expected struct {
	pack.File
	here    bool
	written Written
	problem error // why what came is not right
}

func (sv *save) collection() string {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.coll
}

func (sv *save) isSealed() bool {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.sealed
}

func (sv *save) moved(to string) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	sv.coll = to
	sv.record.Path = to
}

// marks are the metadata of a save that has not finished.
func (sv *save) marks(reason string) []AVU {
	m := []AVU{
		{Name: avuSave, Value: sv.id},
		{Name: avuHeartbeat, Value: sv.of.cfg.Now().UTC().Format(time.RFC3339)},
	}
	m = append(m, sv.of.mine()...)
	if reason != "" {
		m = append(m, AVU{Name: avuReason, Value: clip(reason, 1000)})
	}
	return append(m, originAVUs(sv.doc, sv.of.cfg.Version)...)
}

// mine is the mark of this mount, if it can have one.
func (s *Saves) mine() []AVU {
	w := s.cfg.Archive.Instance()
	if w == "" {
		return nil
	}
	s.begun.Store(true)
	return []AVU{{Name: avuWriter, Value: w}}
}

// saw notes that the caller of ctx writes here.
func (sv *save) saw(ctx context.Context) {
	if c, ok := tree.CallerFrom(ctx); ok {
		sv.writers.Saw(c.TID)
	}
	sv.mu.Lock()
	sv.lastSeen = sv.of.cfg.Now()
	sv.mu.Unlock()
}

func (sv *save) expect(p string) *expected {
	rel, ok := strings.CutPrefix(p, sv.coll+"/")
	if !ok {
		return nil
	}
	return sv.expected[rel]
}

// check compares a file with what the manifest says of it.
func (sv *save) check(_ context.Context, w Written) error {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	e := sv.expect(w.Path)
	if e == nil || e.Path == transferXML { // a new one begins the save anew
		return nil
	}
	err := differs(e.File, w)
	// Of one that is too short the rest could not be read: it is missing.
	if e.problem = err; w.Size < e.Size {
		e.problem = nil
	}
	return err
}

// differs says how what was written is not the file of the manifest. A hash
// that cannot be compared here is left to the end (see readBack).
func differs(f pack.File, w Written) error {
	if f.Kind == pack.Generated {
		if f.Size >= 0 && f.Size != w.Size || f.Algorithm == pack.SHA1 && len(w.SHA1) > 0 && !strings.EqualFold(f.Hash, hex.EncodeToString(w.SHA1)) {
			return tree.Errorf(tree.ErrIO, "changed while copying: %s is not the one that transfer.xml lists", w.Path).WithAdvice("copy the folder again")
		}
		return nil
	}
	if f.Size >= 0 && f.Size != w.Size {
		return tree.Errorf(tree.ErrIO, "%s has %d bytes, OMERO's file has %d", w.Path, w.Size, f.Size).
			WithAdvice("copy it again")
	}
	if f.Algorithm == pack.SHA1 && len(w.SHA1) > 0 && !strings.EqualFold(f.Hash, hex.EncodeToString(w.SHA1)) {
		return tree.Errorf(tree.ErrIO, "%s has the SHA-1 %x, OMERO registered %s", w.Path, w.SHA1, f.Hash).
			WithAdvice("copy it again; when it stays so, the file in OMERO is damaged")
	}
	return nil
}

// errDropped says that a save has ended in the moment when a file came.
var errDropped = errors.New("the save has ended")

// arrived notes a file that is in place; known says whether it is part of the
// pack. The file that completes the pack brings the save to its end.
func (sv *save) arrived(ctx context.Context, w Written) (known bool, err error) {
	sv.mu.Lock()
	if sv.dropped && sv.state != StateFinished {
		sv.mu.Unlock()
		return false, errDropped
	}
	e := sv.expect(w.Path)
	if e == nil || e.Path == transferXML && e.here {
		sv.mu.Unlock()
		return e == nil, nil // a new transfer.xml begins the save anew
	}
	sv.changes++
	if !e.here {
		e.here = true
		sv.missing--
		sv.record.FilesDone++
		sv.record.BytesDone += w.Size
		if e.Size < 0 { // not counted before
			sv.record.Bytes += w.Size
		}
	}
	e.written, e.problem = w, nil
	done := sv.missing == 0
	sv.of.cfg.Records.Put(sv.record)
	sv.mu.Unlock()
	if !done {
		return true, nil
	}
	return true, sv.finish(ctx)
}

// arrivedLate notes a file that a finished save did not wait for. With the last
// of them its numbers are brought up to date.
func (sv *save) arrivedLate(ctx context.Context, w Written) error {
	if _, err := sv.arrived(ctx, w); err != nil {
		return err
	}
	sv.mu.Lock()
	all, coll := sv.missing == 0, sv.coll
	sv.mu.Unlock()
	if !all {
		return nil
	}
	now, err := sv.of.states.fresh(ctx, coll)
	if err != nil || now.state != StateFinished || now.id != sv.id {
		return err // it is taken apart, or another one
	}
	if err := sv.mark(ctx, coll, StateFinished, sv.finalAVUs()); err != nil {
		return err
	}
	sv.tell(ctx, coll, StateFinished, "")
	sv.publish()
	return nil
}

// removed notes that a file is gone again.
func (sv *save) removed(p string) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if e := sv.expect(p); e != nil {
		sv.lost(e)
		return
	}
	for rel, e := range sv.expected {
		if strings.HasPrefix(path.Join(sv.coll, rel), p+"/") {
			sv.lost(e)
		}
	}
}

// lost notes that a file is not here; the mutex is held.
func (sv *save) lost(e *expected) {
	if !e.here {
		return
	}
	e.here = false
	sv.changes++
	sv.missing++
	sv.record.FilesDone--
	sv.record.BytesDone -= e.written.Size
}

// forget drops the save without a word to the servers.
func (sv *save) forget(reason string) {
	sv.mu.Lock()
	ended := sv.state != StateSaving
	sv.state = StateCanceled
	sv.record.State, sv.record.Reason = StateCanceled, reason
	coll := sv.coll
	if !ended {
		sv.of.cfg.Records.Put(sv.record)
	}
	sv.mu.Unlock()
	sv.stop()
	sv.of.drop(coll, sv)
}

// publish shows the record as it is now. The mutex is held until it is known:
// an older one that came later would stay.
func (sv *save) publish() {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	sv.of.cfg.Records.Put(sv.record)
}

func (s *Saves) drop(coll string, sv *save) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saves[coll] == sv {
		delete(s.saves, coll)
	}
}

// missingNames lists some required files that are not there.
func (sv *save) missingNames() (names []string, required int) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	for rel, e := range sv.expected {
		if !e.here && e.Required && e.SameAs == "" {
			names = append(names, rel)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), 5)], len(names)
}

// clip shortens s to n bytes at a character's boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
