package transfer

import (
	"context"
	"log/slog"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"omerods/fs/tree"
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
	// retryEvery is how often it is tried to end a save, or to tell OMERO, while
	// a server is away.
	retryEvery    = 10 * time.Second
	takeoverAfter = 10 * time.Minute
	// maxTransferXML bounds the transfer.xml that a save reads back, in bytes.
	maxTransferXML = 1 << 30
)

// SaveRecord is what OMERO is told about a save.
type SaveRecord struct {
	Database string // UUID of the OMERO database the object lives in, "" for that of the mount
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
	// Looked finds the object whose folder of that name the caller has just
	// looked up, if there is exactly one; may be nil.
	Looked func(ctx context.Context, name string) (Looked, bool)
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
	once   sync.Once
	begun  atomic.Bool // something has got the mark of this mount
	states *stateCache
	recent *recentFiles

	takingUp singleflight.Group // by collection

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

// Close ends all running saves by what has arrived, and waits for that. Only
// the first call does.
func (s *Saves) Close(ctx context.Context) { s.once.Do(func() { s.close(ctx) }) }

func (s *Saves) close(ctx context.Context) {
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

// Settle implements Settler: it is Close, and looks whether a save keeps this
// mount's mark because a server was away.
func (s *Saves) Settle(ctx context.Context) bool {
	s.Close(ctx)
	me := s.cfg.Archive.Instance()
	if me == "" || !s.begun.Load() {
		return true
	}
	colls, objects, err := s.cfg.Archive.Marked(ctx, avuWriter, me)
	if err != nil || len(colls)+len(objects) > 0 {
		s.cfg.Logger.Warn("some saves are left to the next mount", "collections", colls, "tars", objects, "err", err)
		return false
	}
	return true
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

// AsksSHA1 implements SHA1Asker. A file that is moved into a save later is read
// back.
func (s *Saves) AsksSHA1(p string) bool { return s.above(p) != nil || isTarName(p) }

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
