package omero_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
	"omerods/peers/protocol"
)

// server is a sandbox server with the sample study.
type server struct {
	addr  string
	store *store.Store
	files *repository.Managed
	blitz *blitz.Server
}

// filler puts something into a new server: sample.Load the whole study,
// sample.People its users alone, which is quicker.
type filler func(context.Context, sample.Target) ([]sample.Account, error)

// newServer starts a server, which close ends. What cfg leaves open is chosen
// here.
func newServer(ctx context.Context, dir string, cfg blitz.Config, fill filler) (s *server, close func() error, err error) {
	if cfg.Definitions == nil {
		cfg.Definitions = slice.Definitions()
	}
	st, err := store.Open(store.Config{Definitions: cfg.Definitions})
	if err != nil {
		return nil, nil, err
	}
	files, err := repository.Open(filepath.Join(dir, "data"), st)
	if err != nil {
		return nil, nil, err
	}
	cfg.Store, cfg.Dir, cfg.Fault = st, dir, noted(cfg.Fault)
	b, err := blitz.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	b.ServeFiles(files)
	if _, err := fill(ctx, sample.Target{Store: st, Files: files, SetPassword: b.SetPassword}); err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	close = func() error { return errors.Join(b.Close(), <-served, files.Close(), st.Close()) }
	return &server{addr: "tcp://" + l.Addr().String(), store: st, files: files, blitz: b}, close, nil
}

// ownServer starts a server for one test.
func ownServer(t *testing.T, cfg blitz.Config, fill filler) *server {
	t.Helper()
	s, end, err := newServer(t.Context(), t.TempDir(), cfg, fill)
	check(t, err)
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// common is the server of all tests.
var common *server

// faults breaks the connections of common on purpose while a test asks for it.
var faults atomic.Pointer[func(op string) blitz.Fault]

// breakConnections asks about each request until the end of the test.
func breakConnections(t *testing.T, fault func(op string) blitz.Fault) {
	faults.Store(&fault)
	t.Cleanup(func() { faults.Store(nil) })
}

func commonFault(op string, _ int64) blitz.Fault {
	if f := faults.Load(); f != nil {
		return (*f)(op)
	}
	return blitz.FaultNone
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(benchVar); dir != "" {
		os.Exit(serveBench(dir))
	}
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "omero-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var end func() error
	if common, end, err = newServer(context.Background(), dir, blitz.Config{Fault: commonFault, RootPassword: "root"}, sample.Load); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if code == 0 && protocol.WholeRun() {
		err = documented()
	}
	if err := errors.Join(err, end(), os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// login connects as a user of the study until the end of the test.
func (s *server) login(t *testing.T, user string) *omero.Client {
	t.Helper()
	c, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{s.addr}, User: user, Password: user})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// group finds a group of the study.
func group(t *testing.T, c *omero.Client, name string) omero.Group {
	t.Helper()
	groups, err := c.Groups(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("no group %q in %v", name, groups)
	return omero.Group{}
}

// project finds a project of the logged-in user by name.
func project(t *testing.T, c *omero.Client, name string) omero.Container {
	t.Helper()
	list, err := c.Containers(t.Context(), omero.KindProject, group(t, c, sample.LabGroup).ID, c.Who().User)
	if err != nil {
		t.Fatal(err)
	}
	return byName(t, list, name)
}

func byName(t *testing.T, list []omero.Container, name string) omero.Container {
	t.Helper()
	for _, o := range list {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("no %q in %v", name, list)
	return omero.Container{}
}

// dataset finds a dataset of a project by name, with its images.
func dataset(t *testing.T, c *omero.Client, project int64, name string) (omero.Container, []omero.Image) {
	t.Helper()
	list, _, err := c.DatasetsOf(t.Context(), []int64{project})
	if err != nil {
		t.Fatal(err)
	}
	d := byName(t, list, name)
	images, _, err := c.ImagesOf(t.Context(), []int64{d.ID})
	if err != nil {
		t.Fatal(err)
	}
	return d, images
}

// inLab returns a context for changes in the group of the study.
func inLab(t *testing.T, c *omero.Client) context.Context {
	t.Helper()
	return omero.InGroup(t.Context(), group(t, c, sample.LabGroup).ID)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLogin(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	who := c.Who()
	if who.UserName != "ada" || who.GroupName != sample.LabGroup || who.Admin || who.Permissions != "rwra--" {
		t.Errorf("got %+v", who)
	}
	if c.Server().Database == "" || c.Server().Version == "" {
		t.Errorf("got %+v", c.Server())
	}
	key, err := c.SessionKey(t.Context())
	check(t, err)
	joined, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{s.addr}, SessionKey: key})
	check(t, err)
	if joined.Who().User != who.User {
		t.Errorf("joined as %+v", joined.Who())
	}
	check(t, joined.Close())
	if _, err := c.EventContext(t.Context()); err != nil {
		t.Errorf("the session ended with the client that joined it: %v", err)
	}
}

func TestLoginIsRefused(t *testing.T) {
	s := common
	for name, cfg := range map[string]omero.Config{
		"password": {User: "ada", Password: "wrong"},
		"user":     {User: "nobody", Password: "x"},
		"session":  {SessionKey: "00000000-0000-0000-0000-000000000000"},
	} {
		cfg.Addresses = []string{s.addr, s.addr}
		if _, err := omero.Connect(t.Context(), cfg); !errors.Is(err, omero.LoginFailed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, l.Close())
	start := time.Now()
	if _, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{"tcp://" + l.Addr().String()}, User: "ada"}); !errors.Is(err, omero.Offline) {
		t.Errorf("nobody listens: got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("refused after %v", took)
	}
}
