// Package irodsview shows iRODS as a [tree.Dir]: below its root lie the zones,
// below them collections as folders and data objects as files, readable and
// writable.
//
// What is written becomes visible when it is complete. A new file is stored
// under a temporary name of ours in the same collection, verified there
// against the bytes that the program wrote, and renamed when the program
// closes it; a close that returned without an error means that iRODS has the
// bytes. An existing file keeps its id, metadata and rights: the new content
// is stored and verified beside it first, then written into it. The names
// under which programs themselves write a file before they rename it into
// place exist only here, as names of such temporary objects.
//
// The package also is the [transfer.Archive] of saves, and asks and tells a
// [transfer.Guard] about every change.
package irodsview

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
	"omerods/internal/transfer"
)

// Config is what a view needs. Clients is required.
type Config struct {
	// Clients returns the client of the caller in ctx, the same one for the
	// same identity. Its errors go to the caller as they are.
	Clients func(ctx context.Context) (*irods.Client, error)
	// Guard is asked and told about changes; nil allows everything.
	Guard transfer.Guard
	// Trash moves what is removed to the user's trash instead of removing it
	// for good.
	Trash bool

	// UID and GID own everything, as far as the kernel can tell.
	UID, GID uint32
	// FirstIno is the inode number of the root; the others count up from it.
	FirstIno uint64
	// StateDir is a local folder for a lock file, by which a later mount can
	// tell the temporary objects of a dead one from those of a living one, and
	// for the journal of files that are being overwritten. Without it the
	// former are told by their age, a day, and there is no journal.
	StateDir string
	// Account is whom the views that share the folder may not take for each
	// other: the user, zone and server.
	Account string

	Clock  func() time.Time
	Logger *slog.Logger
}

// View is one iRODS zone, and those federated with it, as a tree.
type View struct {
	cfg        Config
	log        *slog.Logger
	nodes      *nodes
	temps      *tempNames
	sessions   sessions
	drafts     drafts
	overwrites *overwrites
	limit      chan struct{} // holds a token for each block on its way
	ahead      chan struct{} // and for each piece read ahead
	leftovers  leftovers

	stop context.CancelFunc
	done chan struct{}
	once sync.Once
}

var _ transfer.Archive = (*View)(nil)

// New returns a view. It does not connect. Close ends it.
func New(cfg Config) *View {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.FirstIno == 0 {
		cfg.FirstIno = 1
	}
	v := &View{cfg: cfg, log: cfg.Logger, done: make(chan struct{}), limit: make(chan struct{}, viewBlocks), ahead: make(chan struct{}, viewAhead)}
	v.nodes = newNodes(cfg.FirstIno)
	v.temps = newTempNames(cfg.StateDir, cfg.Account, v.log)
	v.overwrites = &overwrites{temps: v.temps, log: v.log}
	ctx, stop := context.WithCancel(context.Background())
	v.stop = stop
	go func() {
		defer close(v.done)
		v.keepHouse(ctx)
	}()
	return v
}

// Root returns the folder of zones.
func (v *View) Root() tree.Dir { return &root{v} }

// Close stores what is complete and has no name yet but that of a program's
// temporary file, and removes what is incomplete. ctx bounds the wait. What
// cannot be done is left to the next mount of the account. The clients are not
// closed.
func (v *View) Close(ctx context.Context) {
	v.once.Do(func() {
		v.stop()
		<-v.done
		for _, d := range v.drafts.all() {
			d.abandon(ctx)
		}
		settled := v.forgetLeftovers(ctx)
		if g, ok := v.cfg.Guard.(transfer.Settler); ok {
			settled = g.Settle(ctx) && settled
		}
		v.temps.close(settled)
	})
}

// houseTick is how often leftovers are looked for.
const houseTick = 5 * time.Second

func (v *View) keepHouse(ctx context.Context) {
	tick, left := time.NewTicker(houseTick), time.NewTicker(leftTick)
	defer tick.Stop()
	defer left.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-left.C:
			v.sweep(ctx, false)
		case <-tick.C:
			v.adopt(ctx)
			v.overwrites.again(ctx, v.cfg.Clock())
		}
	}
}

// adoptAfter is how long a program may take to rename its temporary file. A
// file that keeps its name longer is what its name says, and becomes visible
// to everybody.
const adoptAfter = time.Minute

// adopt publishes files under the temporary names that nobody changed.
func (v *View) adopt(ctx context.Context) {
	for _, d := range v.drafts.all() {
		if d.left(v.cfg.Clock().Add(-adoptAfter)) {
			if err := d.publishAlias(ctx); err != nil {
				v.log.Error("a file that was closed could not be stored", "path", d.node.path(), "err", err)
			}
		}
	}
}

// session returns the cache of the caller's identity.
func (v *View) session(ctx context.Context) (*session, error) {
	c, err := v.cfg.Clients(ctx)
	if err != nil {
		return nil, fail(err)
	}
	return v.sessions.of(c, v.cfg.Clock), nil
}

// detached returns a context for work that has to be finished although the
// caller is gone.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
}

// classes says what the tree calls the client's classes of errors.
var classes = []struct{ from, to error }{
	{irods.ErrNotFound, tree.ErrNotFound},
	{irods.ErrDenied, tree.ErrDenied},
	{irods.ErrExists, tree.ErrExists},
	{irods.ErrNotEmpty, tree.ErrNotEmpty},
	{irods.ErrBusy, tree.ErrBusy},
	{irods.ErrQuota, tree.ErrQuota},
	{irods.ErrNoSpace, tree.ErrNoSpace},
	{irods.ErrInvalid, tree.ErrInvalid},
	{irods.ErrBadName, tree.ErrInvalid},
	{irods.ErrValueTooLong, tree.ErrRange},
	{irods.ErrNameTooLong, tree.ErrNameTooLong},
	{irods.ErrChecksum, tree.ErrIO},
	{irods.ErrNotSupported, tree.ErrNotSupported},
	{irods.ErrLogin, tree.ErrDenied},
	{irods.ErrInsecure, tree.ErrNotPermitted},
	{irods.ErrOffline, tree.ErrOffline},
	{irods.ErrLost, tree.ErrOffline},
	{context.Canceled, tree.ErrInterrupted},
	{context.DeadlineExceeded, tree.ErrOffline},
	{irods.ErrServer, tree.ErrIO},
}

// fail turns an error of the client into one of the tree. Others pass.
func fail(err error) error {
	var told *tree.Error
	if err == nil || errors.As(err, &told) {
		return err
	}
	for _, c := range classes {
		if errors.Is(err, c.from) {
			return &tree.Error{Class: c.to, Reason: err.Error(), Err: err}
		}
	}
	return err
}
