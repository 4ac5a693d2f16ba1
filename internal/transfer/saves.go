package transfer

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path"
	"strings"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// Names of the metadata that make a saved collection known.
const (
	avuPrefix    = "omerods::"
	avuState     = "omerods::state"
	avuSave      = "omerods::save"
	avuHeartbeat = "omerods::heartbeat"
	avuReason    = "omerods::reason"
	// avuWriter is the mount that has not let go of a save: it writes it, or
	// has not told OMERO yet how it ended.
	avuWriter = "omerods::writer"
)

const (
	heartbeatEvery = time.Minute
	takeoverAfter  = 10 * time.Minute
	// maxTransferXML bounds the transfer.xml that a save reads back, in bytes.
	maxTransferXML = 1 << 30
)

// SaveRecord is what OMERO is told about a save.
type SaveRecord struct {
	Database string // UUID of the OMERO database the object lives in
	Kind     string // "Project", "Dataset" …
	ID       int64
	Group    int64  // that the object lives in, 0 when the pack does not say
	By       string // who saved, as the archive knows them
	Target   string // where it went, as Archive.Name says it
	State    State
	Reason   string // why not, when State is not finished
	Files    int
	Bytes    int64
	LeftOut  int // images that are not in the pack
	When     time.Time
}

// Annotator leaves the record of a save on the object in OMERO, one for each
// object and target: a later record replaces the earlier one.
type Annotator interface {
	AnnotateSave(ctx context.Context, rec SaveRecord) error
}

// SavesConfig holds what Saves needs.
type SavesConfig struct {
	Archive   Archive   // or see Use
	Annotator Annotator // may be nil
	Records   *Records
	Logger    *slog.Logger
	Now       func() time.Time
	Version   string // of this program
	// By names the caller of ctx as the archive knows them; may be nil.
	By func(ctx context.Context) string
	// WhyNot says why a caller could not read a file of a pack, by its path in
	// the pack, "" when nothing is known to have failed since; may be nil.
	WhyNot func(uid uint32, since time.Time, rel string) string
}

// Saves recognises packs that are written into an archive and brings each to
// an end that is marked and true. It is the Guard of the archive's view.
type Saves struct {
	cfg    SavesConfig
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wait   sync.WaitGroup
	states *stateCache
	recent *recentFiles

	mu    sync.Mutex       // guards the fields below; taken before a save's own
	saves map[string]*save // by collection
	tars  map[string]*save // of objects that are about to get their names
	ended map[string]*save // that have finished lately
	dead  map[string]bool  // mounts whose saves were recovered
}

// NewSaves returns Saves; Close ends it.
func NewSaves(cfg SavesConfig) *Saves {
	ctx, cancel := context.WithCancel(context.Background())
	return &Saves{
		cfg: cfg, ctx: ctx, cancel: cancel,
		states: newStateCache(cfg.Archive, cfg.Now),
		recent: newRecentFiles(),
		saves:  map[string]*save{}, tars: map[string]*save{}, ended: map[string]*save{}, dead: map[string]bool{},
	}
}

// Use names the archive; it is called once, before anything else, when the
// archive's view could not be made before its guard.
func (s *Saves) Use(a Archive) {
	s.cfg.Archive = a
	s.states.archive = a
}

// Close ends all running saves by what has arrived, and waits for that.
func (s *Saves) Close(ctx context.Context) {
	s.cancel()
	s.mu.Lock()
	var open []*save
	for _, sv := range s.saves {
		open = append(open, sv)
	}
	s.mu.Unlock()
	for _, sv := range open {
		sv.judge(tree.WithCaller(ctx, sv.caller), "the mount was stopped")
	}
	s.wait.Wait()
}

// above finds the running save that holds path strictly below its collection;
// with several the outermost, because only the top pack governs.
func (s *Saves) above(p string) *save {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *save
	for dir := path.Dir(p); dir != "/" && dir != "."; dir = path.Dir(dir) {
		if sv := s.saves[dir]; sv != nil {
			found = sv
		}
	}
	return found
}

// marked returns the outermost collection at or above dir that is marked as a
// save, with its marks.
func (s *Saves) marked(ctx context.Context, dir string) (string, marks, error) {
	var dirs []string
	for d := dir; d != "/" && d != "."; d = path.Dir(d) {
		dirs = append(dirs, d)
	}
	found, err := s.states.get(ctx, dirs)
	if err != nil {
		return "", marks{}, err
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		if m := found[dirs[i]]; m.state != "" {
			return dirs[i], m, nil
		}
	}
	return "", marks{}, nil
}

// mayChange decides whether something may be made or changed at p.
func (s *Saves) mayChange(ctx context.Context, p string, exists bool) error {
	coll, m, err := s.marked(ctx, path.Dir(p))
	if err != nil || coll == "" {
		return err
	}
	switch m.state {
	case StateFinished:
		if s.late(ctx, p) != nil {
			return nil
		}
		if exists {
			return tree.Errorf(tree.ErrExists, "%s belongs to the finished save %s, which is written once", p, coll).
				WithAdvice("save under another name, or remove %s first", coll)
		}
		return addsToFinished(coll)
	case StateSaving:
		return s.free(coll, m)
	}
	return nil
}

// late finds the save that finished a moment ago without a generated file,
// which its writer brings now.
func (s *Saves) late(ctx context.Context, p string) *save {
	caller, _ := tree.CallerFrom(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for dir := path.Dir(p); dir != "/" && dir != "."; dir = path.Dir(dir) {
		sv := s.ended[dir]
		if sv == nil || sv.caller.UID != caller.UID {
			continue
		}
		sv.mu.Lock()
		e := sv.expect(p)
		ok := e != nil && !e.here && e.Kind == pack.Generated
		sv.mu.Unlock()
		if ok {
			return sv
		}
	}
	return nil
}

// keepEnded remembers a finished save for as long as its writer may bring
// what it did not need.
func (s *Saves) keepEnded(coll string, sv *save) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	maps.DeleteFunc(s.ended, func(_ string, old *save) bool { return now.Sub(old.endedAt) > takeoverAfter })
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if sv.missing > 0 {
		s.ended[coll] = sv
	}
}

func addsToFinished(coll string) error {
	return tree.Errorf(tree.ErrNotPermitted, "%s is a finished save; nothing is added to it", coll).
		WithAdvice("save under another name, or remove %s first", coll)
}

// free says whether a save that is marked as running may be gone on with: it
// is one of this mount, its mount is known to be dead, or it is silent.
func (s *Saves) free(coll string, m marks) error {
	s.mu.Lock()
	own, dead := s.saves[coll] != nil, s.dead[m.writer]
	s.mu.Unlock()
	if own || dead || m.writer != "" && m.writer == s.cfg.Archive.Instance() || s.cfg.Now().Sub(m.heartbeat) >= takeoverAfter || s.cfg.Archive.Dead(m.writer) {
		return nil
	}
	return tree.Errorf(tree.ErrBusy, "another save is writing %s (last sign of life %s)",
		coll, m.heartbeat.UTC().Format(time.RFC3339)).
		WithAdvice("wait until it has ended; it is taken over after %s of silence", takeoverAfter)
}

// BeforeMkdir implements Guard.
func (s *Saves) BeforeMkdir(ctx context.Context, p string) error {
	return s.mayChange(ctx, p, false)
}

// BeforeCreate implements Guard.
func (s *Saves) BeforeCreate(ctx context.Context, p string) error {
	if sv := s.above(p); sv != nil {
		sv.saw(ctx)
	}
	return s.mayChange(ctx, p, false)
}

// BeforeWrite implements Guard.
func (s *Saves) BeforeWrite(ctx context.Context, p string) error {
	if sv := s.above(p); sv != nil {
		sv.saw(ctx)
	}
	if err := s.mayChange(ctx, p, true); err != nil || !isTarName(p) {
		return err
	}
	m, err := s.objectMarks(ctx, p)
	if err != nil {
		return err
	}
	return s.mayReplace(p, m)
}

// BeforeRemove implements Guard: what is taken apart is not finished any more.
func (s *Saves) BeforeRemove(ctx context.Context, p string) error {
	coll, m, err := s.marked(ctx, p)
	if err != nil || coll == "" || m.state != StateFinished {
		return err
	}
	if m, err = s.states.fresh(ctx, coll); err != nil {
		return err
	}
	return s.states.mark(ctx, coll, m, StateRemoving, nil)
}

// BeforeRename implements Guard. A file that is renamed into a save is checked
// as if it were written there.
func (s *Saves) BeforeRename(ctx context.Context, from, to string, replaces bool) error {
	coll, m, err := s.marked(ctx, path.Dir(from))
	if err != nil {
		return err
	}
	if coll != "" && m.state == StateFinished {
		return tree.Errorf(tree.ErrNotPermitted, "%s belongs to the finished save %s, which is written once", from, coll).
			WithAdvice("the whole of %s may be renamed or removed", coll)
	}
	if coll != "" && m.state == StateSaving {
		if err := s.free(coll, m); err != nil {
			return err
		}
	}
	if err := s.mayChange(ctx, to, replaces); err != nil {
		return err
	}
	if sv := s.above(to); sv != nil {
		sv.saw(ctx)
		if w, ok := s.recent.get(from); ok {
			w.Path = to
			return sv.check(ctx, w)
		}
	}
	if replaces && isTarName(to) {
		m, err := s.objectMarks(ctx, to)
		if err != nil {
			return err
		}
		return s.mayReplace(to, m)
	}
	return nil
}

// Made implements Guard.
func (s *Saves) Made(ctx context.Context, p string) error {
	s.states.set(p, marks{}) // a new collection has no metadata
	if sv := s.above(p); sv != nil {
		sv.saw(ctx)
	}
	return nil
}

// Renamed implements Guard. A whole save keeps what it is under its new name; a
// file that became part of one has arrived.
func (s *Saves) Renamed(ctx context.Context, from, to string) error {
	s.states.forget(from)
	s.states.forget(to)
	s.recent.move(from, to)
	s.mu.Lock()
	delete(s.ended, from)
	for coll, sv := range s.saves {
		if rest, ok := strings.CutPrefix(coll+"/", from+"/"); ok {
			delete(s.saves, coll)
			moved := strings.TrimSuffix(to+"/"+rest, "/")
			s.saves[moved] = sv
			sv.moved(moved)
		}
	}
	s.mu.Unlock()
	if sv := s.above(from); sv != nil {
		sv.removed(from)
	}
	w, ok := s.recent.get(to)
	if !ok {
		return nil
	}
	if w.Tar != nil && !isTarName(from) {
		return s.renamedTar(ctx, w)
	}
	return s.arrived(ctx, w)
}

// Removed implements Guard.
func (s *Saves) Removed(ctx context.Context, p string) {
	s.states.forget(p)
	s.recent.drop(p)
	s.mu.Lock()
	delete(s.ended, p)
	sv := s.saves[p]
	s.mu.Unlock()
	if sv != nil {
		sv.forget("the collection was removed")
		return
	}
	if sv := s.above(p); sv != nil {
		sv.removed(p)
	}
}

// BeforePublish implements Guard: a file that differs from what the pack says
// it is never becomes visible.
func (s *Saves) BeforePublish(ctx context.Context, w Written) ([]AVU, error) {
	if w.Tar != nil {
		if avus, err := s.beforeTar(ctx, w); avus != nil || err != nil {
			return avus, err
		}
	}
	if err := s.beforePublish(ctx, w); err != nil || path.Base(w.Path) != transferXML {
		return nil, err
	}
	if sv := s.above(w.Path); sv != nil && sv.collection() != path.Dir(w.Path) {
		return nil, nil // of a part
	}
	return nil, s.announce(ctx, w)
}

func (s *Saves) beforePublish(ctx context.Context, w Written) error {
	sv := s.above(w.Path)
	if sv == nil {
		// It was opened for writing before the save ended.
		if err := s.mayChange(ctx, w.Path, false); err != nil {
			return err
		}
		if sv = s.late(ctx, w.Path); sv == nil {
			return nil
		}
		return sv.check(ctx, w)
	}
	sv.saw(ctx)
	if sv.isSealed() {
		return addsToFinished(sv.collection())
	}
	return sv.check(ctx, w)
}

// Published implements Guard. It returns only after a save that this file
// completes has been verified and marked.
func (s *Saves) Published(ctx context.Context, w Written) error {
	s.recent.add(w)
	if w.Tar != nil {
		if err := s.publishedTar(ctx, w); err != nil {
			return err
		}
	}
	return s.arrived(ctx, w)
}

func second(_ bool, err error) error { return err }

// arrived notes a file that is in place.
func (s *Saves) arrived(ctx context.Context, w Written) error {
	sv := s.above(w.Path)
	if late := s.late(ctx, w.Path); sv == nil && late != nil {
		return late.arrivedLate(ctx, w)
	}
	if sv != nil && w.Path == path.Join(sv.collection(), transferXML) {
		if err := sv.gather(ctx); err != nil {
			return errors.Join(err, second(sv.arrived(ctx, w)))
		}
	}
	if sv != nil {
		if known, err := sv.arrived(ctx, w); known || err != nil {
			return err
		}
	}
	if path.Base(w.Path) == transferXML {
		return s.begin(ctx, w)
	}
	if sv == nil {
		return s.resume(ctx, w)
	}
	return nil
}
