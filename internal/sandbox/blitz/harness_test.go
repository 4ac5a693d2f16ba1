package blitz

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/store"
)

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a running server with four groups, one of each kind of
// permissions, all with the members ada, bob and eve, of whom eve owns them.
type fixture struct {
	*Server
	t      *testing.T
	addr   ice.Address
	clock  *clock
	groups map[string]int64
	users  map[string]int64
}

func serve(t *testing.T, cfg Config) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{now: time.UnixMilli(1_700_000_000_000)}, groups: make(map[string]int64), users: make(map[string]int64)}
	st, err := store.Open(store.Config{Definitions: slice.Definitions(), Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Store, cfg.Definitions = st, slice.Definitions()
	if f.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	all := []int64{}
	for _, g := range [][2]string{{"private", "rw----"}, {"readonly", "rwr---"}, {"annotate", "rwra--"}, {"write", "rwrw--"}} {
		id, err := f.AddGroup(g[0], g[1])
		if err != nil {
			t.Fatal(err)
		}
		f.groups[g[0]] = id
		all = append(all, id)
	}
	if f.groups["other"], err = f.AddGroup("other", "rwrw--"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob", "eve"} {
		u := User{Name: name, FirstName: name, LastName: "L", Password: "pw-" + name, Groups: all}
		if name == "eve" {
			u.OwnerOf = all
		}
		if f.users[name], err = f.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ice.Address{Scheme: "tcp", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	served := make(chan error, 1)
	go func() { served <- f.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(f.Server.Close(), <-served, st.Close()); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) dial() *ice.Conn {
	f.t.Helper()
	c, err := ice.Dial(f.t.Context(), f.addr, ice.DialOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close() })
	return c
}

// client is a logged-in client.
type client struct {
	*ice.Session
	f    *fixture
	uuid string
	ctx  map[string]string // entries of each call
}

func (f *fixture) tryLogin(user, password string, extra map[string]string) (*client, error) {
	f.t.Helper()
	context := map[string]string{"omero.client.uuid": newUUID()}
	for k, v := range extra {
		context[k] = v
	}
	s, err := ice.Login(f.t.Context(), f.dial(), f.defs, ice.Credentials{User: user, Password: password, Context: context})
	if err != nil {
		return nil, err
	}
	c := &client{Session: s, f: f, uuid: s.Proxy().Name, ctx: map[string]string{}}
	s.SetContext(map[string]string{"omero.client.uuid": context["omero.client.uuid"], "omero.session.uuid": c.uuid})
	return c, nil
}

// login logs a user in and puts all calls into a group.
func (f *fixture) login(user, group string) *client {
	f.t.Helper()
	c, err := f.tryLogin(user, map[string]string{"root": "omero"}[user]+map[bool]string{true: "pw-" + user}[user != "root"], nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if group != "" {
		c.ctx["omero.group"] = fmt.Sprint(f.groups[group])
	}
	return c
}

// on returns the same client with another context of group.
func (c *client) on(group int64) *client {
	return &client{Session: c.Session, f: c.f, uuid: c.uuid, ctx: map[string]string{"omero.group": fmt.Sprint(group)}}
}

var getters = map[string]string{
	"IQuery": "getQueryService", "IUpdate": "getUpdateService", "IAdmin": "getAdminService",
	"IConfig": "getConfigService", "ISession": "getSessionService", "ITypes": "getTypesService",
	"IContainer": "getContainerService", "IPixels": "getPixelsService", "IRoi": "getRoiService", "IMetadata": "getMetadataService",
}

func (c *client) factory(op string, args ...any) ([]any, error) {
	return c.CallName(c.f.t.Context(), c.Proxy(), "::omero::api::ServiceFactory", op, c.ctx, args...)
}

// try calls an operation of a stateless service.
func (c *client) try(service, op string, args ...any) ([]any, error) {
	out, err := c.factory(getters[service])
	if err != nil {
		return nil, err
	}
	return c.CallName(c.f.t.Context(), out[0].(*ice.Proxy), "::omero::api::"+service, op, c.ctx, args...)
}

func (c *client) call(service, op string, args ...any) []any {
	c.f.t.Helper()
	out, err := c.try(service, op, args...)
	if err != nil {
		c.f.t.Fatalf("%s.%s: %v", service, op, err)
	}
	return out
}

// params makes ::omero::sys::Parameters.
func (c *client) params(values map[string]any) any {
	if values == nil {
		return nil
	}
	p := c.f.defs.New("::omero::sys::Parameters")
	d := ice.Dict{}
	for k, v := range values {
		switch x := v.(type) {
		case []int64:
			list := []any{}
			for _, id := range x {
				list = append(list, c.f.RLong(id))
			}
			v = c.f.rtype("RList", list)
		default:
			v = c.f.scalar(x)
		}
		d = append(d, ice.Pair{Key: k, Value: v})
	}
	return p.Set("map", d)
}

// project runs a projection and unboxes the cells.
func (c *client) project(query string, values map[string]any) [][]any {
	c.f.t.Helper()
	var rows [][]any
	for _, r := range c.call("IQuery", "projection", query, c.params(values))[0].([]any) {
		var row []any
		for _, cell := range r.([]any) {
			row = append(row, unbox(cell))
		}
		rows = append(rows, row)
	}
	return rows
}

// ids runs a projection of one column of ids.
func (c *client) ids(query string, values map[string]any) []int64 {
	c.f.t.Helper()
	ids := []int64{}
	for _, row := range c.project(query, values) {
		ids = append(ids, row[0].(int64))
	}
	return ids
}

// fresh makes a new, loaded model object.
func (c *client) fresh(class string, members map[string]any) *ice.Object {
	o := c.f.defs.New("::omero::model::"+class).Set("loaded", true)
	for k, v := range members {
		if x := c.f.scalar(v); x != nil {
			v = x
		}
		o.Set(k, v)
	}
	return o
}

// ref makes a reference to an object.
func (c *client) ref(class string, id int64) *ice.Object {
	return c.f.defs.New("::omero::model::"+class).Set("id", c.f.RLong(id))
}

func (c *client) trySave(objects ...any) ([]int64, error) {
	out, err := c.try("IUpdate", "saveAndReturnIds", objects)
	if err != nil {
		return nil, err
	}
	return out[0].([]int64), nil
}

func (c *client) save(objects ...any) []int64 {
	c.f.t.Helper()
	ids, err := c.trySave(objects...)
	if err != nil {
		c.f.t.Fatalf("save: %v", err)
	}
	return ids
}

// object loads an object.
func (c *client) object(class string, id int64) *ice.Object {
	c.f.t.Helper()
	return c.call("IQuery", "get", class, id)[0].(*ice.Object)
}

// named makes an object with a name and returns its id.
func (c *client) named(class, name string) int64 {
	c.f.t.Helper()
	return c.save(c.fresh(class, map[string]any{"name": name}))[0]
}

// link joins two objects.
func (c *client) link(class, parent string, p int64, child string, ch int64) int64 {
	c.f.t.Helper()
	return c.save(c.fresh(class, map[string]any{"parent": c.ref(parent, p), "child": c.ref(child, ch)}))[0]
}

// wantException checks that an error is a user exception of a class.
func wantException(t *testing.T, what string, err error, id string) {
	t.Helper()
	var ex *ice.UserException
	if !errors.As(err, &ex) || ex.Exception == nil || ex.Exception.ID != id {
		t.Errorf("%s: got %v, want %s", what, err, id)
	}
}

// wantStatus checks that an error is a reply that something does not exist.
func wantStatus(t *testing.T, what string, err error, status byte) {
	t.Helper()
	var failed *ice.RequestFailedError
	if !errors.As(err, &failed) || failed.Status != status {
		t.Errorf("%s: got %v, want status %d", what, err, status)
	}
}

// run submits a request and waits for its response.
func (c *client) run(req *ice.Object) *ice.Object {
	c.f.t.Helper()
	out, err := c.factory("submit", req)
	if err != nil {
		c.f.t.Fatal(err)
	}
	handle, _ := out[0].(*ice.Proxy)
	if handle == nil {
		c.f.t.Fatalf("%s is not accepted", req.Class.ID)
	}
	ctx, cancel := context.WithTimeout(c.f.t.Context(), 10*time.Second)
	defer cancel()
	for {
		out, err := c.CallName(ctx, handle, "::omero::cmd::Handle", "getResponse", nil)
		if err != nil {
			c.f.t.Fatal(err)
		}
		if rsp, _ := out[0].(*ice.Object); rsp != nil {
			if _, err := c.CallName(ctx, handle, "::omero::cmd::Handle", "close", nil); err != nil {
				c.f.t.Fatal(err)
			}
			return rsp
		}
	}
}

// scalarText writes an id as context entries hold it.
func (f *fixture) scalarText(id int64) string { return fmt.Sprint(id) }
