package irodsview_test

import (
	"context"
	"io"
	iofs "io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/internal/irods"
	"omerods/internal/irods/realzone"
	"omerods/internal/relay"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/transfer"
	"omerods/irodsview"
)

// zone is how a test changes a zone beside the mount.
type zone interface {
	AddGroup(ctx context.Context, name string) error
	AddToGroup(ctx context.Context, group, user string) error
	MakeCollection(ctx context.Context, path, owner string) error
	PutObject(ctx context.Context, path, owner string, r io.Reader) error
	SetAccess(ctx context.Context, path, user, level string) error
	SetInherit(ctx context.Context, path string, on bool) error
	AddReplicated(ctx context.Context, name string, copies int) error
	SetQuota(ctx context.Context, group, resource string, bytes int64) error
}

// world is a zone and a mounted view of it.
type world struct {
	zone
	sandbox *irodsd.Server // nil if the server is a real one
	real    *realzone.Zone // or this is nil
	t       *testing.T
	relay   *relay.Relay // between the clients and the server
	cfg     irods.Config
	client  *irods.Client
	view    *irodsview.View
	vcfg    irodsview.Config
	served  *fs.Server
	dir     string // the mounted home of alice
	state   string
	ahead   atomic.Int64 // of the view's clock
	frozen  atomic.Int64 // that clock, unless 0
}

// later lets the view's caches expire: with the kernel's second a change that
// somebody else made shows within the 5 s that are promised.
func (w *world) later() { w.ahead.Add(int64(4 * time.Second)) }

// freeze lets no time pass but by later, so that it does not matter how fast
// the machine is.
func (w *world) freeze() { w.frozen.Store(time.Now().UnixNano()) }

// now is the view's time.
func (w *world) now() time.Time {
	t := time.Now()
	if at := w.frozen.Load(); at != 0 {
		t = time.Unix(0, at)
	}
	return t.Add(time.Duration(w.ahead.Load()))
}

type option func(*irodsd.Config, *irodsview.Config)

func withGuard(g transfer.Guard) option {
	return func(_ *irodsd.Config, v *irodsview.Config) { v.Guard = g }
}

func withFault(f func(api int, n int64) irodsd.Fault) option {
	return func(s *irodsd.Config, _ *irodsview.Config) { s.Fault = f }
}

// onSandbox is for a test that needs the sandbox's server, such as one that
// ends it.
var onSandbox = withFault(func(int, int64) irodsd.Fault { return irodsd.Fault{} })

// Where the worlds of the running test have what belongs to alice and to bob.
var home, homeOfBob string

// mount starts a server, mounts it as alice and returns both.
func mount(t *testing.T, opts ...option) *world {
	t.Helper()
	w := newWorld(t, opts...)
	w.serve()
	return w
}

func (w *world) serve() {
	w.t.Helper()
	w.served = fstest.Serve(w.t, w.view.Root())
	w.dir = filepath.Join(w.served.Mountpoint(), home)
}

// remount ends the mount and makes another one, which knows nothing.
func (w *world) remount() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.served.Unmount(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.view.Close(ctx)
	w.view = irodsview.New(w.vcfg)
	w.serve()
}

func newWorld(t *testing.T, opts ...option) *world {
	t.Helper()
	scfg := irodsd.Config{StateDir: t.TempDir(), AdminPassword: "admin"}
	w := &world{t: t, state: t.TempDir()}
	vcfg := irodsview.Config{
		Clock: w.now,
		UID:   uint32(os.Getuid()), GID: uint32(os.Getgid()), StateDir: w.state,
		Clients: func(context.Context) (*irods.Client, error) { return w.client, nil },
		Logger:  slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, o := range opts {
		o(&scfg, &vcfg)
	}
	if scfg.Fault == nil {
		w.real = realzone.Open(t)
	}
	if w.real != nil {
		w.zone, w.cfg = w.real, w.real.Config("alice")
		home, homeOfBob = w.real.Fresh(t, "alice"), w.real.Fresh(t, "bob")
	} else {
		home, homeOfBob = "/tempZone/home/alice", "/tempZone/home/bob"
		w.startSandbox(scfg)
	}
	var err error
	if w.relay, err = relay.Listen(net.JoinHostPort(w.cfg.Host, strconv.Itoa(w.cfg.Port))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.relay.Close)
	w.client = w.newClient("alice")
	w.view, w.vcfg = irodsview.New(vcfg), vcfg
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.view.Close(ctx)
	})
	return w
}

func (w *world) startSandbox(cfg irodsd.Config) {
	t := w.t
	t.Helper()
	s, err := irodsd.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.zone, w.sandbox = s, s
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	for _, user := range []string{"alice", "bob"} {
		if err := s.AddUser(t.Context(), user, "rodsuser", "secret"); err != nil {
			t.Fatal(err)
		}
	}
	w.cfg = irods.Config{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "alice", Zone: "tempZone", Password: "secret"}
}

func (w *world) newClient(user string) *irods.Client {
	w.t.Helper()
	cfg := w.cfg
	if w.real != nil {
		cfg = w.real.Config(user)
		cfg.Resource = w.cfg.Resource
	} else {
		cfg.User = user
	}
	cfg.TLS.ServerName, cfg.Host, cfg.Port = cfg.Host, "127.0.0.1", w.relay.Port()
	c, err := irods.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// run runs a shell command in the mounted home; it must succeed.
func (w *world) run(command string) string {
	w.t.Helper()
	out, err := w.try(command)
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return out
}

func (w *world) try(command string) (string, error) {
	// Not by cmd.Dir: the forked child would enter the mount while the runtime
	// that serves it cannot stop the world.
	cmd := exec.Command("bash", "-c", `cd "$0" && eval "$1"`, w.dir, command)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED: ", err)
	}
}

// objects returns what the server has below a collection: content by relative
// path, "" for collections with a slash at the end.
func (w *world) objects(coll string) map[string]string {
	w.t.Helper()
	c, ctx := w.client, w.t.Context()
	found := map[string]string{}
	var walk func(coll string)
	walk = func(p string) {
		entries, err := c.List(ctx, p)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range entries {
			rel := strings.TrimPrefix(e.Path, coll+"/")
			if e.IsCollection {
				found[rel+"/"] = ""
				walk(e.Path)
				continue
			}
			if strings.HasPrefix(rel, ".omerods-") || strings.Contains(rel, "/.omerods-") {
				found[rel] = ""
				continue
			}
			if !e.Good() {
				w.t.Errorf("%s has no good replica", e.Path)
			}
			f, err := c.OpenRead(ctx, e.Path)
			if err != nil {
				w.t.Fatal(err)
			}
			var data []byte
			buf := make([]byte, 1<<20)
			for {
				n, err := f.ReadAt(ctx, buf, int64(len(data)))
				if err != nil {
					w.t.Fatal(err)
				}
				if n == 0 {
					break
				}
				data = append(data, buf[:n]...)
			}
			if err := f.Close(ctx); err != nil {
				w.t.Fatal(err)
			}
			if int64(len(data)) != e.Size {
				w.t.Errorf("%s: the catalogue says %d bytes, there are %d", e.Path, e.Size, len(data))
			}
			if e.Checksum == "" {
				w.t.Errorf("%s has no checksum", e.Path)
			}
			found[rel] = string(data)
		}
	}
	walk(coll)
	return found
}

// local returns the same of a local folder.
func local(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e iofs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if e.IsDir() {
			found[rel+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(p)
		found[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// compare reports what differs.
func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	for p, data := range want {
		switch have, ok := got[p]; {
		case !ok:
			t.Errorf("%q is missing", p)
		case have != data:
			t.Errorf("%q has %d bytes, want %d", p, len(have), len(data))
		}
	}
	for p := range got {
		if _, ok := want[p]; !ok {
			t.Errorf("%q is too much", p)
		}
	}
}

// sample makes a local folder with files of many sizes and names.
func sample(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sample")
	r := rand.New(rand.NewPCG(1, 2))
	for i, name := range []string{
		"empty", "one byte", "it's", `quo"te`, "Größe.tif", "sub/emoji 😀", "sub/deep/er/a&b", "sub/100%_x", "big.bin", "sub/.hidden", "sub/exact",
	} {
		size := []int{0, 1, 100, 5000, 70000, 10, 20, 30, 9<<20 + 17, 5, 4 << 20}[i]
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o640); err != nil {
			t.Fatal(err)
		}
		when := time.Unix(1_500_000_000+int64(i)*1000, 123456789)
		if err := os.Chtimes(p, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty folder"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"sub/deep", "sub", "empty folder", "."} {
		when := time.Unix(1_400_000_000, 0)
		if err := os.Chtimes(filepath.Join(dir, p), when, when); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// settle waits for what happens after a close returned: empty files are known
// to be empty at their RELEASE only.
func (w *world) settle() {
	w.t.Helper()
	waitFor(w.t, func() bool { _, err := w.client.Stat(w.t.Context(), home+"/out/empty"); return err == nil })
}

// patient is how long a test waits for what has to come; how fast the machine
// is does not matter.
const patient = 2 * time.Minute

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Error("waited in vain")
			return
		}
	}
}
