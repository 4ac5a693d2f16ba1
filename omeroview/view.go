package omeroview

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/transfer"
)

// Config says what a view shows and as whom.
type Config struct {
	// Client returns the login of the process that the request in ctx comes
	// from. It returns the same client for the same person.
	Client func(ctx context.Context) (*omero.Client, error)
	// CacheDir keeps generated files; it is made with mode 0700.
	CacheDir string
	// UID and GID are shown as the owner of everything. They should not be
	// those of the user of the mount: file managers then offer to copy, not to
	// move.
	UID, GID uint32
	// ListTime is how long a listing is taken as true; 0 means 30 s.
	ListTime time.Duration
	// LoadingNamespace marks images that are being loaded and are not shown
	// among those in no dataset; "" means [LoadingNamespace].
	LoadingNamespace string
	// Host is the server's name in packs; "" takes the client's address.
	Host string
	// Software and Version are named in packs as what wrote them.
	Software, Version string

	// SkipRefused leaves images whose original files the server does not give, or
	// has lost, out of the folders and packs.
	SkipRefused bool

	// Looked is told of each object whose folder somebody looks up; may be nil.
	Looked func(ctx context.Context, name string, kind omero.Kind, id, group int64)
	// Loads keeps the folders that are being written; nil leaves the view
	// without loads.
	Loads *transfer.Loads

	Clock  func() time.Time
	Logger *slog.Logger
}

// Namespaces of annotations that are bookkeeping: no part of any pack.
const (
	OwnNamespaces    = "omerods/"
	SaveNamespace    = "omerods/save"
	LoadNamespace    = "omerods/load"
	LoadingNamespace = "omerods/loading"
)

// View is an OMERO server as a tree. It is safe for use by many goroutines.
type View struct {
	cfg   Config
	log   *slog.Logger
	now   func() time.Time
	start time.Time
	disk  *diskCache

	run  context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup // of loads of listings

	mu       sync.Mutex // guards accounts
	accounts map[*omero.Client]*account
}

// New makes a view. It asks the server nothing.
func New(cfg Config) (*View, error) {
	if cfg.ListTime <= 0 {
		cfg.ListTime = 30 * time.Second
	}
	if cfg.LoadingNamespace == "" {
		cfg.LoadingNamespace = LoadingNamespace
	}
	if cfg.Software == "" {
		cfg.Software = "omerods"
	}
	v := &View{cfg: cfg, log: cfg.Logger, now: cfg.Clock, accounts: make(map[*omero.Client]*account)}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	if v.now == nil {
		v.now = time.Now
	}
	var err error
	if v.disk, err = newDiskCache(cfg.CacheDir); err != nil {
		return nil, err
	}
	v.start = v.now().Truncate(time.Second)
	v.run, v.stop = context.WithCancel(context.Background())
	return v, nil
}

// Close ends the view. The clients stay open.
func (v *View) Close() error {
	v.stop()
	v.wg.Wait()
	return nil
}

// Root is the folder that holds the groups.
func (v *View) Root() tree.Dir { return &rootDir{node: v.root()} }

// Tars is the folder that holds the groups once more; in it each pack is one
// tar.
func (v *View) Tars() tree.Dir { return &rootDir{node: node{v: v, key: "tars", tars: true}} }

// Invalidate forgets what has been listed. It is called after a change of our
// own, so that it shows at once.
func (v *View) Invalidate() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range v.accounts {
		a.memo.clear()
	}
}

// Forget drops what is kept for a client that is no longer used.
func (v *View) Forget(c *omero.Client) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.accounts, c)
}

// account is what the view keeps for one login. What one person may see,
// another may not, so nothing of it is shared.
type account struct {
	v    *View
	c    *omero.Client
	memo memo
	lost lostFiles
}

type accountKey struct{}

// bind puts the account into the context of work that outlives the request it
// began with. Whoever uses the view in it is the one the account belongs to.
func (a *account) bind(ctx context.Context) context.Context {
	return context.WithValue(ctx, accountKey{}, a)
}

// account returns the account of the caller in ctx.
func (v *View) account(ctx context.Context) (*account, error) {
	if a, ok := ctx.Value(accountKey{}).(*account); ok {
		return a, nil
	}
	c, err := v.cfg.Client(ctx)
	if err != nil {
		return nil, treeError("log in", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.accounts[c]
	if a == nil {
		a = &account{v: v, c: c}
		v.accounts[c] = a
	}
	return a, nil
}
