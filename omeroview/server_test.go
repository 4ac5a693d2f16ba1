package omeroview

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// world is a server with the sample study, a login and a view.
type world struct {
	t     *testing.T
	store *store.Store
	files *repository.Managed
	blitz *blitz.Server
	c     *omero.Client
	v     *View
	cache string
	tars  bool // paths lead to tars
	addr  string
	asked *atomic.Int64 // requests, but for signs of life
}

// common is the server of the tests that do not end it. Each has a view and a
// cache of its own.
var common *world

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "omeroview-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var end func() error
	if common, end, err = startWorld(context.Background(), dir, ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := errors.Join(end(), os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// startWorld starts a server on which ada is logged in, with a policy of binary
// access, "" for the default one.
func startWorld(ctx context.Context, dir, policy string) (w *world, end func() error, err error) {
	w = &world{asked: new(atomic.Int64)}
	if w.store, err = store.Open(store.Config{Definitions: slice.Definitions()}); err != nil {
		return nil, nil, err
	}
	if w.files, err = repository.Open(filepath.Join(dir, "data"), w.store); err != nil {
		return nil, nil, err
	}
	w.blitz, err = blitz.New(blitz.Config{Store: w.store, Definitions: slice.Definitions(), Dir: dir, BinaryAccess: policy,
		Fault: func(op string, _ int64) blitz.Fault {
			if !strings.HasSuffix(op, ".keepAlive") {
				w.asked.Add(1)
			}
			return blitz.FaultNone
		}})
	if err != nil {
		return nil, nil, err
	}
	w.blitz.ServeFiles(w.files)
	if _, err := sample.Load(ctx, sample.Target{Store: w.store, Files: w.files, SetPassword: w.blitz.SetPassword}); err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	served := make(chan error, 1)
	go func() { served <- w.blitz.Serve(l) }()
	w.addr = "tcp://" + l.Addr().String()
	w.c, err = omero.Connect(ctx, omero.Config{Addresses: []string{w.addr}, User: "ada", Password: "ada"})
	if err != nil {
		return nil, nil, err
	}
	return w, func() error {
		return errors.Join(ignoreOffline(w.c.Close()), w.blitz.Close(), <-served, w.files.Close(), w.store.Close())
	}, nil
}

// newWorld gives a test a view of the common server.
func newWorld(t *testing.T) *world { return common.viewedBy(t) }

// ownWorld gives a test a server of its own.
func ownWorld(t *testing.T) *world { return policyWorld(t, "") }

// policyWorld gives a test a server of its own with a policy of binary access.
func policyWorld(t *testing.T, policy string) *world {
	t.Helper()
	w, end, err := startWorld(t.Context(), t.TempDir(), policy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return w.viewedBy(t)
}

func (w *world) viewedBy(t *testing.T) *world {
	t.Helper()
	mine := *w
	mine.t, mine.cache = t, t.TempDir()
	mine.v = mine.view(time.Hour)
	return &mine
}

// ignoreOffline lets a test end its server early.
func ignoreOffline(err error) error {
	if errors.Is(err, omero.Offline) {
		return nil
	}
	return err
}

func (w *world) view(listTime time.Duration) *View {
	v, err := New(Config{Client: clientOf(w),
		CacheDir: w.cache, UID: 65534, GID: 65534, ListTime: listTime, Version: "test"})
	w.check(err)
	w.t.Cleanup(func() {
		if err := v.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return v
}

// clientOf makes everybody ada.
func clientOf(w *world) func(context.Context) (*omero.Client, error) {
	return func(context.Context) (*omero.Client, error) { return w.c, nil }
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// at finds the node at a path.
func (w *world) at(path string) tree.Node {
	w.t.Helper()
	n, err := w.find(path)
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	return n
}

func (w *world) find(path string) (tree.Node, error) {
	var n tree.Node = w.v.Root()
	if w.tars {
		n = w.v.Tars()
	}
	for _, name := range strings.Split(path, "/") {
		d, ok := n.(tree.Dir)
		if !ok {
			return nil, tree.ErrNotDir
		}
		var err error
		if n, err = d.Lookup(w.t.Context(), name); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (w *world) list(path string) []tree.Entry {
	w.t.Helper()
	entries, err := w.at(path).(tree.Dir).List(w.t.Context())
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	return entries
}

func (w *world) names(path string) []string {
	w.t.Helper()
	var names []string
	for _, e := range w.list(path) {
		names = append(names, e.Name)
	}
	return names
}

func (w *world) attr(path string) tree.Attr {
	w.t.Helper()
	a, err := w.at(path).Attr(w.t.Context())
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	return a
}

// read reads a file in pieces of odd size, until its end.
func (w *world) read(path string) []byte {
	w.t.Helper()
	h, err := w.at(path).(tree.File).Open(w.t.Context(), tree.OpenOptions{Read: true})
	if err != nil {
		w.t.Fatalf("open %s: %v", path, err)
	}
	defer h.Release(w.t.Context())
	var data []byte
	for p := make([]byte, 70001); ; {
		n, err := h.ReadAt(w.t.Context(), p, int64(len(data)))
		data = append(data, p[:n]...)
		if err == io.EOF || err == nil && n < len(p) {
			return data
		}
		if err != nil {
			w.t.Fatalf("read %s: %v", path, err)
		}
	}
}

// walk visits everything below a folder.
func (w *world) walk(path string, visit func(path string, e tree.Entry)) {
	w.t.Helper()
	for _, e := range w.list(path) {
		p := path + "/" + e.Name
		visit(p, e)
		if e.Kind == tree.KindDir {
			w.walk(p, visit)
		}
	}
}

// lab is the context for changes in the group of the study.
func (w *world) lab() context.Context { return omero.InGroup(w.t.Context(), w.c.Who().Group) }

// object finds the id that a path shows.
func (w *world) object(path string) int64 {
	w.t.Helper()
	v, err := w.at(path).(tree.XAttrs).Getxattr(w.t.Context(), "user.omero.id")
	w.check(err)
	id, ok := parseID(string(v))
	if !ok {
		w.t.Fatalf("%s: id %q", path, v)
	}
	return id
}
