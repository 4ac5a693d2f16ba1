package transfer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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

	mu      sync.Mutex // guards the fields below; not held while a server is asked
	coll    string
	state   State
	closing bool // somebody is bringing the save to its end
	sealed  bool // it is verified, and nothing may change any more
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

// announce starts a save of the pack whose transfer.xml is about to become
// visible, when it is one of ours; other folders are just folders. The mark is
// there first: who finds a transfer.xml that nobody has marked, after a crash,
// could not tell a save from a folder.
func (s *Saves) announce(ctx context.Context, w Written) error {
	h, err := w.Open(ctx)
	if err != nil {
		return err
	}
	doc, manifest, err := s.decode(ctx, h, w.Path)
	h.Release(ctx)
	if err != nil || manifest == nil {
		return err
	}
	return s.start(ctx, w, doc, manifest, false)
}

// begin starts a save of the pack whose transfer.xml is in its place.
func (s *Saves) begin(ctx context.Context, w Written) error {
	doc, manifest, err := s.readTransferXML(ctx, w.Path)
	if err != nil {
		return fmt.Errorf("read back %s: %w", w.Path, err)
	}
	if manifest == nil {
		return nil
	}
	if err := s.start(ctx, w, doc, manifest, true); err != nil {
		return err
	}
	s.mu.Lock()
	sv := s.saves[path.Dir(w.Path)]
	s.mu.Unlock()
	if sv == nil {
		return nil
	}
	return sv.gather(ctx)
}

// start makes a save known; here says that transfer.xml is in its place.
func (s *Saves) start(ctx context.Context, w Written, doc *pack.Document, manifest *pack.Manifest, here bool) error {
	coll := path.Dir(w.Path)
	sv := s.newSave(ctx, coll, doc, manifest, w.Size)
	top := sv.expected[transferXML]
	top.written, top.written.Open = w, nil
	if !here {
		top.here = false
		sv.missing++
		sv.record.FilesDone, sv.record.BytesDone = 0, 0
	}
	sv.ctx, sv.stop = context.WithCancel(tree.WithCaller(s.ctx, sv.caller))
	sv.writers = NewWriters(sv.ctx, sv.writersEnded)
	for _, f := range manifest.Files {
		sv.record.Bytes += max(f.Size, 0)
	}
	if err := sv.claim(ctx); err != nil {
		sv.stop()
		return err
	}
	s.adopt(ctx, coll, sv)
	s.cfg.Records.Put(sv.record)
	s.cfg.Records.Live(sv.id, sv.progress)
	s.cfg.Logger.Info("save begins", "collection", coll, "object", doc.Origin.Object, "files", len(manifest.Files))
	s.wait.Add(1)
	go sv.watch()
	sv.saw(ctx)
	return nil
}

// gather takes what has come before the transfer.xml said what it should be.
func (sv *save) gather(ctx context.Context) error {
	var bad error
	coll := sv.collection()
	for rel := range sv.expected {
		if rel == transferXML {
			continue
		}
		if w, ok := sv.of.recent.get(path.Join(coll, rel)); ok {
			if err := sv.check(ctx, w); err != nil {
				bad = err
				continue
			}
			if _, err := sv.arrived(ctx, w); err != nil {
				return err
			}
		}
	}
	return bad
}

// newSave describes a save whose transfer.xml of that size has come.
func (s *Saves) newSave(ctx context.Context, p string, doc *pack.Document, manifest *pack.Manifest, size int64) *save {
	caller, _ := tree.CallerFrom(ctx)
	sv := &save{
		of: s, id: newID(), caller: caller, doc: doc, coll: p,
		state: StateSaving, expected: map[string]*expected{}, lastSeen: s.cfg.Now(),
	}
	for _, f := range manifest.Files {
		sv.expected[f.Path] = &expected{File: f}
	}
	sv.missing = len(sv.expected)
	sv.expected[transferXML] = &expected{
		File: pack.File{Path: transferXML, Size: size, Required: true, Kind: pack.Generated}, here: true,
		written: Written{Path: path.Join(p, transferXML), Size: size},
	}
	sv.record = Record{
		ID: sv.id, Direction: ToArchive, UID: caller.UID, Path: p, State: StateSaving,
		Object: string(doc.Origin.Object), Name: doc.Origin.Name,
		Files: len(manifest.Files) + 1, FilesDone: 1, BytesDone: size, Bytes: size, Started: s.cfg.Now(),
	}
	return sv
}

// adopt makes sv the save of coll in place of an earlier one and of those of
// sub-folders, which are parts of this one.
func (s *Saves) adopt(ctx context.Context, coll string, sv *save) {
	s.mu.Lock()
	var parts []*save
	for c, other := range s.saves {
		if c == coll || strings.HasPrefix(c, coll+"/") {
			parts = append(parts, other)
			delete(s.saves, c)
		}
	}
	s.saves[coll] = sv
	s.mu.Unlock()
	for _, p := range parts {
		c := p.collection()
		p.forget("it is part of " + coll)
		if c == coll {
			continue
		}
		if err := s.unmark(ctx, c); err != nil {
			s.cfg.Logger.Warn("a part keeps its own mark", "collection", c, "err", err)
		}
	}
}

// unmark removes all marks of ours from a collection.
func (s *Saves) unmark(ctx context.Context, coll string) error {
	avus, err := s.cfg.Archive.CollectionAVUs(ctx, []string{coll}, avuPrefix)
	if err != nil || len(avus[coll]) == 0 {
		return err
	}
	s.states.set(coll, marks{})
	return s.cfg.Archive.ChangeAVUs(ctx, coll, avus[coll], nil)
}

// resume takes up a save that ended early when more of it arrives.
func (s *Saves) resume(ctx context.Context, w Written) error {
	coll, m, err := s.marked(ctx, path.Dir(w.Path))
	if err != nil || coll == "" || m.state == StateFinished {
		return err
	}
	return s.takeUp(ctx, coll)
}

// takeUp goes on with a save whose transfer.xml is in its place.
func (s *Saves) takeUp(ctx context.Context, coll string) error {
	p := path.Join(coll, transferXML)
	info, err := s.cfg.Archive.Stat(ctx, p)
	if errors.Is(err, tree.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.begin(ctx, Written{Path: p, Size: info.Size, SHA256: info.SHA256}); err != nil {
		return err
	}
	s.mu.Lock()
	sv := s.saves[coll]
	s.mu.Unlock()
	if sv == nil {
		return nil // what has come since has ended it
	}
	// What an earlier run has brought does not come again.
	if err := sv.findUnseen(ctx); err != nil {
		return err
	}
	sv.mu.Lock()
	done := sv.missing == 0
	sv.mu.Unlock()
	if !done {
		return nil
	}
	return sv.finish(ctx)
}

// readTransferXML reads and parses a transfer.xml in the archive; a nil
// manifest says that it is none of ours.
func (s *Saves) readTransferXML(ctx context.Context, p string) (*pack.Document, *pack.Manifest, error) {
	h, err := s.cfg.Archive.Open(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	defer h.Release(ctx)
	return s.decode(ctx, h, p)
}

func (s *Saves) decode(ctx context.Context, h tree.Handle, p string) (*pack.Document, *pack.Manifest, error) {
	r := io.LimitReader(&handleReader{ctx: ctx, h: h}, maxTransferXML)
	doc, manifest, err := pack.Decode(r, pack.Limits{})
	var he *handleError
	switch {
	case errors.As(err, &he):
		return nil, nil, he.err
	case err != nil:
		s.cfg.Logger.Info("not a pack of ours", "path", p, "why", err)
		return nil, nil, nil
	}
	return doc, manifest, nil
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
	if w := sv.of.cfg.Archive.Instance(); w != "" {
		m = append(m, AVU{Name: avuWriter, Value: w})
	}
	if reason != "" {
		m = append(m, AVU{Name: avuReason, Value: clip(reason, 1000)})
	}
	return append(m, originAVUs(sv.doc, sv.of.cfg.Version)...)
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
	e.problem = differs(e.File, w)
	return e.problem
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

// arrived notes a file that is in place; known says whether it is part of the
// pack. The file that completes the pack brings the save to its end.
func (sv *save) arrived(ctx context.Context, w Written) (known bool, err error) {
	sv.mu.Lock()
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
	r := sv.record
	sv.mu.Unlock()
	sv.of.cfg.Records.Put(r)
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
	if err := sv.mark(ctx, coll, StateFinished, sv.finalAVUs()); err != nil {
		return err
	}
	sv.tell(ctx, coll, StateFinished, "")
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
	r, coll := sv.record, sv.coll
	sv.mu.Unlock()
	sv.stop()
	sv.of.drop(coll, sv)
	if !ended {
		sv.of.cfg.Records.Put(r)
	}
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
