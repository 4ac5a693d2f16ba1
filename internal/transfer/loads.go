package transfer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"omerods/fs/tree"
)

// aliasFor is how long the paths that a program has written go on leading to
// what they became, at least: programs set times after the last close.
const aliasFor = 10 * time.Minute

// uploadsAtOnce bounds how many filesets are on their way into OMERO at once.
const uploadsAtOnce = 2

// discardEvery is the time between two tries to remove what a load has left
// on a server that could not be reached.
const discardEvery = time.Minute

// LoadsConfig holds what Loads needs.
type LoadsConfig struct {
	Spool      *Spool
	Journal    *Journal
	Records    *Records
	Logger     *slog.Logger
	Now        func() time.Time
	CommitWait time.Duration // how long a close waits for the end of a load
}

// Loads keeps the folders that are being written into OMERO until each has
// become an object or has gone again.
type Loads struct {
	cfg    LoadsConfig
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wait   sync.WaitGroup
	slots  chan struct{}
	retry  time.Duration // between two tries to remove what a load has left

	mu    sync.Mutex // guards the fields below; taken before a load's own
	loads map[loadKey]*Load
	tars  map[loadKey]*StagedTar // by the names of their files
}

// loadKey names a staged folder: what one user writes another does not see.
type loadKey struct {
	place string
	uid   uint32
	name  string
}

// NewLoads returns Loads; Close ends it.
func NewLoads(cfg LoadsConfig) *Loads {
	ctx, cancel := context.WithCancel(context.Background())
	return &Loads{cfg: cfg, ctx: ctx, cancel: cancel, slots: make(chan struct{}, uploadsAtOnce), retry: discardEvery,
		loads: map[loadKey]*Load{}, tars: map[loadKey]*StagedTar{}}
}

// Close gives up all loads that have not committed, removes what they have
// made, and waits for that.
func (ls *Loads) Close(ctx context.Context) {
	ls.mu.Lock()
	var open []*Load
	for _, l := range ls.loads {
		open = append(open, l)
	}
	for _, a := range ls.tars {
		open = append(open, a.load)
	}
	ls.mu.Unlock()
	for _, l := range open {
		l.close(ctx)
	}
	ls.cancel()
	ls.wait.Wait()
}

func keyOf(ctx context.Context, place Place, name string) loadKey {
	c, _ := tree.CallerFrom(ctx)
	return loadKey{place: place.Key(), uid: c.UID, name: name}
}

// Begin stages a new folder for the caller.
func (ls *Loads) Begin(ctx context.Context, place Place, name string, mode uint32) (tree.Dir, error) {
	if err := place.MayLoad(ctx); err != nil {
		return nil, err
	}
	exists, err := place.Exists(ctx, name)
	if err != nil {
		return nil, err
	}
	if exists {
		return nil, tree.ErrExists
	}
	key := keyOf(ctx, place, name)
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if old := ls.loads[key]; old != nil && old.staged() {
		return nil, tree.ErrExists
	}
	if ls.tarFor(key) {
		return nil, tree.Errorf(tree.ErrExists, "an archive of %s is on its way into OMERO", name)
	}
	l := newLoad(ctx, ls, place, key, mode)
	ls.loads[key] = l
	ls.wait.Add(1)
	go l.watch()
	l.saw(ctx)
	return l.top, nil
}

// Staged returns the folder that the caller is writing under that name, nil
// when there is none.
func (ls *Loads) Staged(ctx context.Context, place Place, name string) tree.Dir {
	ls.mu.Lock()
	l := ls.loads[keyOf(ctx, place, name)]
	ls.mu.Unlock()
	if l == nil || !l.staged() {
		return nil
	}
	return l.top
}

// Alias returns the written form of a folder that has become an object: its
// paths are still good for the caller's programs. Nil when there is none.
func (ls *Loads) Alias(ctx context.Context, place Place, name string) tree.Dir {
	ls.mu.Lock()
	l := ls.loads[keyOf(ctx, place, name)]
	ls.mu.Unlock()
	if l == nil || !l.aliased() {
		return nil
	}
	return l.top
}

// List returns the folders that the caller is writing into place.
func (ls *Loads) List(ctx context.Context, place Place) []tree.Entry {
	c, _ := tree.CallerFrom(ctx)
	ls.mu.Lock()
	var mine []*Load
	for k, l := range ls.loads {
		if k.place == place.Key() && k.uid == c.UID {
			mine = append(mine, l)
		}
	}
	ls.mu.Unlock()
	var out []tree.Entry
	for _, l := range mine {
		if l.staged() {
			out = append(out, tree.Entry{Name: l.key.name, Kind: tree.KindDir, Ino: l.top.ino, Node: l.top})
		}
	}
	return out
}

// Remove cancels the load of an emptied folder; false says that there is none.
func (ls *Loads) Remove(ctx context.Context, place Place, name string) (bool, error) {
	ls.mu.Lock()
	l := ls.loads[keyOf(ctx, place, name)]
	ls.mu.Unlock()
	if l == nil || !l.staged() {
		return false, nil
	}
	l.mu.Lock()
	full := len(l.top.children) > 0
	l.mu.Unlock()
	if full {
		return true, tree.ErrNotEmpty
	}
	return true, l.cancel(tree.Errorf(tree.ErrNotFound, "the load of %s was cancelled by removing its folder", name))
}

func (ls *Loads) drop(l *Load) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l.tar != nil {
		ls.dropTar(l.tar)
	} else if ls.loads[l.key] == l {
		delete(ls.loads, l.key)
	}
}
