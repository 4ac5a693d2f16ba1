//go:build peer

package ice_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/internal/ice"
)

const (
	echoID    = "::peer::Echo"
	sessionID = "::peer::Session"
)

var encodings = []ice.Encoding{ice.Encoding10, ice.Encoding11}

// runtimeSlice has the definitions of Ice and Glacier2 for those who read no
// others.
const runtimeSlice = "../../internal/omero/slice/runtime"

// defs are what the client knows; allDefs also what only the server knows.
var (
	defs    = sync.OnceValue(func() *ice.Definitions { return parse("peer.ice") })
	allDefs = sync.OnceValue(func() *ice.Definitions { return parse("peer.ice", "hidden.ice") })
)

func parse(names ...string) *ice.Definitions {
	d, err := ice.ParseSlice(sources(names...))
	if err != nil {
		panic(err)
	}
	return d
}

// sources reads Slice files and those of the runtime.
func sources(names ...string) map[string][]byte {
	err := filepath.WalkDir(runtimeSlice, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".ice") {
			names = append(names, path)
		}
		return err
	})
	files := make(map[string][]byte)
	for _, name := range names {
		if err == nil {
			files[name], err = os.ReadFile(name)
		}
	}
	if err != nil {
		panic(err)
	}
	return files
}

// within bounds what a test waits for.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// client is a session with the server's object.
type client struct {
	enc  ice.Encoding
	t    *testing.T
	s    *ice.Session
	echo *ice.Proxy
}

// dial connects to the router until the end of the test.
func (w *world) dial(t *testing.T, addr ice.Address, opts ice.DialOptions) *ice.Conn {
	t.Helper()
	if opts.TLS == nil {
		opts.TLS = w.tls()
	}
	conn, err := ice.Dial(within(t), addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// login creates a session.
func (w *world) login(t *testing.T, scheme string, enc ice.Encoding, opts ice.DialOptions) *client {
	t.Helper()
	return w.loginAt(t, w.address(scheme), enc, opts)
}

func (w *world) loginAt(t *testing.T, addr ice.Address, enc ice.Encoding, opts ice.DialOptions) *client {
	t.Helper()
	conn := w.dial(t, addr, opts)
	s, err := ice.Login(within(t), conn, defs(), ice.Credentials{User: "ada", Password: w.password, Encoding: enc})
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.CallName(within(t), s.Proxy(), sessionID, "getEcho", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{enc: enc, t: t, s: s, echo: results[0].(*ice.Proxy)}
}

func (c *client) try(op string, args ...any) ([]any, error) {
	return c.s.CallName(within(c.t), c.echo, echoID, op, nil, args...)
}

// call is try for calls that must work.
func (c *client) call(op string, args ...any) []any {
	c.t.Helper()
	results, err := c.try(op, args...)
	if err != nil {
		c.t.Fatalf("%s: %v", op, err)
	}
	return results
}

func TestLogin(t *testing.T) {
	w := newWorld(t, nil)
	for _, enc := range encodings {
		t.Run(enc.String(), func(t *testing.T) {
			c := w.login(t, "ssl", enc, ice.DialOptions{})
			if got := c.call("whoAmI")[0]; got != "echo" {
				t.Errorf("got %q, want echo", got)
			}
			if yes, err := c.s.IsA(within(t), c.s.Proxy(), sessionID); err != nil || !yes {
				t.Errorf("the session is no %s: %v", sessionID, err)
			}
			if yes, err := c.s.IsA(within(t), c.echo, sessionID); err != nil || yes {
				t.Errorf("the server's object is a %s: %v", sessionID, err)
			}
			if err := c.s.Ping(within(t), c.echo); err != nil {
				t.Errorf("ping: %v", err)
			}
			if err := c.s.Refresh(within(t)); err != nil {
				t.Errorf("refresh: %v", err)
			}
			c.routerAnswers(t)
			if err := c.s.Destroy(within(t)); err != nil {
				t.Fatalf("destroy: %v", err)
			}
			// The router ends the connection without a word.
			_, err := c.try("whoAmI")
			if lost := lostCall(t, "call without a session", err); !lost.Sent {
				t.Errorf("call without a session: got %v, not sent", lost)
			}
		})
	}
}

// routerAnswers calls the router's operations that no session needs.
func (c *client) routerAnswers(t *testing.T) {
	router := &ice.Proxy{Identity: ice.RouterIdentity}
	ask := func(op string) []any {
		t.Helper()
		results, err := c.s.CallName(within(t), router, "::Glacier2::Router", op, nil)
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		return results
	}
	if got := ask("getSessionTimeout")[0]; got != int64(600) {
		t.Errorf("session timeout %v, want 600", got)
	}
	if got := ask("getACMTimeout")[0]; got != int32(600) {
		t.Errorf("ACM timeout %v, want 600", got)
	}
	if got, _ := ask("getCategoryForClient")[0].(string); got == "" {
		t.Error("no category for the client")
	}
	if p, _ := ask("getServerProxy")[0].(*ice.Proxy); p == nil || len(p.Endpoints) == 0 {
		t.Errorf("server proxy %v", p)
	}
	// An optional out parameter, which only encoding 1.1 has.
	var hasTable any
	if c.enc == ice.Encoding11 {
		hasTable = true
	}
	if got := ask("getClientProxy"); got[0] != hasTable || got[1] != nil {
		t.Errorf("client proxy %v, want %v and nil", got, hasTable)
	}
}

func TestRefusedLogin(t *testing.T) {
	w := newWorld(t, nil)
	const denied, cannot, wrapped = "::Glacier2::PermissionDeniedException", "::Glacier2::CannotCreateSessionException", "::peer::WrappedRefusal"
	rows := []struct {
		user, password, id, reason string
	}{
		{"ada", "wrong", denied, "wrong password for ada"},
		{"refused", w.password, cannot, "not you"},
		{"wrapped", w.password, wrapped, "later"},
	}
	for _, r := range rows {
		for _, scheme := range schemes {
			t.Run(r.user+" "+scheme, func(t *testing.T) {
				conn := w.dial(t, w.address(scheme), ice.DialOptions{})
				_, err := ice.Login(within(t), conn, defs(), ice.Credentials{User: r.user, Password: r.password})
				var ex *ice.UserException
				if !errors.As(err, &ex) {
					t.Fatalf("got %v, want a user exception", err)
				}
				if ex.IDs[0] != r.id || ex.Get("reason") != r.reason {
					t.Errorf("got %v %v, want %s: %s", ex.IDs, ex.Get("reason"), r.id, r.reason)
				}
				if r.id != wrapped {
					return
				}
				if !ex.IsA(cannot) || ex.Get("concurrency") != true || ex.Get("backOff") != int64(123456789012) ||
					ex.Get("type") != "ome.conditions.Busy" {
					t.Errorf("got %v with %v", ex.IDs, ex.Values)
				}
				// The connection is good for another attempt.
				if _, err := ice.Login(within(t), conn, defs(), ice.Credentials{User: "ada", Password: w.password}); err != nil {
					t.Errorf("second attempt: %v", err)
				}
			})
		}
	}
}
