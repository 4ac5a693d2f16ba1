package blitz

import (
	"errors"
	"net"
	"path/filepath"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/store"
)

// TestRestart keeps objects, users and passwords, and ends sessions.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	start := func() (*fixture, func()) {
		st, err := store.Open(store.Config{Dir: filepath.Join(dir, "store"), Definitions: slice.Definitions()})
		if err != nil {
			t.Fatal(err)
		}
		srv, err := New(Config{Store: st, Definitions: slice.Definitions(), Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		f := &fixture{Server: srv, t: t, addr: ice.Address{Scheme: "tcp", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}}
		return f, func() {
			if err := errors.Join(srv.Close(), <-served, st.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	f, stop := start()
	group, err := f.AddGroup("lab", "rwra--")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.AddUser(User{Name: "ada", FirstName: "A", LastName: "L", Password: "pw-ada", Groups: []int64{group}}); err != nil {
		t.Fatal(err)
	}
	c := f.login("ada", "")
	p := c.named("Project", "kept")
	uuid := c.call("IConfig", "getDatabaseUuid")[0]
	stop()

	f, stop = start()
	defer stop()
	_, err = f.tryLogin(c.uuid, c.uuid, nil)
	wantException(t, "session of the first run", err, "::Glacier2::PermissionDeniedException")
	again := f.login("ada", "")
	if got := unbox(again.object("Project", p).Get("name")); got != "kept" {
		t.Errorf("project: got %v", got)
	}
	if got := again.call("IConfig", "getDatabaseUuid")[0]; got != uuid {
		t.Errorf("database uuid: got %v, want %v", got, uuid)
	}
	if n := len(again.ids("select s.id from Session s where s.closed is null", nil)); n != 1 {
		t.Errorf("ada sees %d open sessions, want her own", n)
	}
}
