package ice_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/iceserver"
)

// router is a small Glacier2 router with one server behind it.
type router struct {
	t        *testing.T
	capacity int

	mu        sync.Mutex // guards the fields below
	table     []*ice.Proxy
	announced []string // names, in the order of addProxies
	contexts  map[string]map[string]string
	encodings map[string]ice.Encoding
	destroyed bool
}

func newRouter(t *testing.T) *router {
	return &router{t: t, capacity: 1000, contexts: map[string]map[string]string{}, encodings: map[string]ice.Encoding{}}
}

func proxyOf(name string) *ice.Proxy {
	return &ice.Proxy{Identity: ice.Identity{Name: name, Category: "session"}, Encoding: ice.Encoding11,
		Endpoints: []ice.Endpoint{ice.NewTCPEndpoint(ice.EndpointTCP, "internal", 14100)}}
}

func (r *router) handle(ctx context.Context, c *iceserver.Conn, req *ice.Request) *ice.Reply {
	d := slice.Definitions()
	enc, _ := ice.EncapsulationEncoding(req.Params)
	r.mu.Lock()
	r.contexts[req.Operation] = req.ContextMap()
	r.encodings[req.Operation] = enc
	r.mu.Unlock()
	if req.Identity == ice.RouterIdentity {
		return iceserver.Dispatch(ctx, d, d.Interface("::Glacier2::Router"), req, r.own)
	}
	r.mu.Lock()
	known := false
	for _, p := range r.table {
		known = known || p.Identity == req.Identity
	}
	r.mu.Unlock()
	if !known {
		return &ice.Reply{Status: ice.StatusObjectNotExist, Identity: req.Identity, Operation: "ice_add_proxy"}
	}
	iface := "::omero::api::IConfig"
	if req.Identity.Name == "session" {
		iface = "::omero::api::ServiceFactory"
	}
	return iceserver.Dispatch(ctx, d, d.Interface(iface), req, func(_ context.Context, op *ice.Operation, args []any, _ map[string]string) ([]any, error) {
		switch op.Name {
		case "getConfigService":
			return []any{proxyOf("config")}, nil
		case "getVersion":
			return []any{"5.6.18"}, nil
		case "keepAlive":
			return []any{args[0] != nil}, nil
		case "getConfigValue":
			return nil, &iceserver.Exception{ID: "::omero::SecurityViolation", Values: map[string]any{"message": "admins only"}}
		case "getDatabaseUuid":
			return nil, iceserver.ErrNotExist
		}
		return nil, errors.New("it broke")
	})
}

func (r *router) own(_ context.Context, op *ice.Operation, args []any, _ map[string]string) ([]any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch op.Name {
	case "createSession":
		switch args[0] {
		case "wrapped":
			return nil, &iceserver.Exception{ID: "::omero::WrappedCreateSessionException",
				Values: map[string]any{"reason": "busy", "concurrency": true, "backOff": int64(250)}}
		case "user":
			if args[1] == "secret" {
				return []any{proxyOf("session")}, nil
			}
		}
		return nil, &iceserver.Exception{ID: "::Glacier2::PermissionDeniedException",
			Values: map[string]any{"reason": "Password check failed"}}
	case "addProxies":
		evicted := []any{}
		for _, a := range args[0].([]any) {
			p := a.(*ice.Proxy)
			r.announced = append(r.announced, p.Name)
			if len(p.Endpoints) != 1 || p.Endpoints[0].String() != "internal:14100" {
				r.t.Errorf("proxy %s announced with endpoints %v", p, p.Endpoints)
			}
			r.table = append(r.table, p)
			for len(r.table) > r.capacity {
				evicted = append(evicted, r.table[0])
				r.table = r.table[1:]
			}
		}
		return []any{evicted}, nil
	case "destroySession":
		r.destroyed = true
	}
	return nil, nil
}

func (r *router) names() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.announced, " ")
}

func login(t *testing.T, r *router) *ice.Session {
	t.Helper()
	c := dial(t, serve(t, iceserver.Config{Handler: r.handle}), ice.DialOptions{})
	s, err := ice.Login(within(t), c, slice.Definitions(), ice.Credentials{
		User: "user", Password: "secret", Context: map[string]string{"omero.client.uuid": "u"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	configID  = "::omero::api::IConfig"
	factoryID = "::omero::api::ServiceFactory"
)

func TestSession(t *testing.T) {
	noLeaks(t)
	r := newRouter(t)
	s := login(t, r)
	if s.Proxy().Name != "session" {
		t.Errorf("got session %s", s.Proxy())
	}
	s.SetContext(map[string]string{"omero.client.uuid": "u", "omero.group": "-1"})
	out, err := s.CallName(within(t), s.Proxy(), factoryID, "getConfigService", nil)
	if err != nil {
		t.Fatal(err)
	}
	config := out[0].(*ice.Proxy)
	for range 3 {
		out, err = s.CallName(within(t), config, configID, "getVersion", map[string]string{"omero.group": "3"})
		if err != nil || out[0] != "5.6.18" {
			t.Fatalf("got %v (%v)", out, err)
		}
	}
	if got := r.names(); got != "session config" {
		t.Errorf("announced %q, want each object once", got)
	}
	want := map[string]string{"omero.client.uuid": "u", "omero.group": "3"}
	if got := r.contexts["getVersion"]; !maps.Equal(got, want) {
		t.Errorf("got context %v, want %v", got, want)
	}
	if r.encodings["createSession"] != ice.Encoding11 || r.encodings["getVersion"] != ice.Encoding10 {
		t.Errorf("got encodings %v", r.encodings)
	}
	if out, err = s.CallName(within(t), s.Proxy(), factoryID, "keepAlive", nil, nil); err != nil || out[0] != false {
		t.Errorf("keepAlive: got %v (%v), want false", out, err)
	}
	if yes, err := s.IsA(within(t), config, configID); err != nil || !yes {
		t.Errorf("IsA: got %v (%v), want true", yes, err)
	}
	if yes, err := s.IsA(within(t), config, factoryID); err != nil || yes {
		t.Errorf("IsA: got %v (%v), want false", yes, err)
	}
	if err := s.Ping(within(t), config); err != nil {
		t.Error(err)
	}
	if err := s.Refresh(within(t)); err != nil {
		t.Error(err)
	}
	if err := s.Destroy(within(t)); err != nil || !r.destroyed {
		t.Errorf("destroy: %v", err)
	}
}

func TestSessionErrors(t *testing.T) {
	noLeaks(t)
	s := login(t, newRouter(t))
	config := proxyOf("config")
	_, err := s.CallName(within(t), config, configID, "getConfigValue", nil, "key")
	var ex *ice.UserException
	if !errors.As(err, &ex) || !ex.IsA("::omero::ServerError") || ex.Get("message") != "admins only" {
		t.Errorf("got %v, want a security violation", err)
	}
	_, err = s.CallName(within(t), config, configID, "getDatabaseUuid", nil)
	var gone *ice.RequestFailedError
	if !errors.As(err, &gone) || gone.Status != ice.StatusObjectNotExist || gone.Identity != config.Identity {
		t.Errorf("got %v, want an object that does not exist", err)
	}
	_, err = s.CallName(within(t), config, configID, "getServerTime", nil)
	var unknown *ice.UnknownError
	if !errors.As(err, &unknown) || unknown.Status != ice.StatusUnknown || unknown.Text != "it broke" {
		t.Errorf("got %v, want an unknown error", err)
	}
	if _, err = s.CallName(within(t), config, configID, "noSuch", nil); err == nil {
		t.Error("an operation that is not defined was called")
	}
	if _, err = s.CallName(within(t), nil, configID, "getVersion", nil); err == nil {
		t.Error("a nil proxy was called")
	}
	if _, err = s.CallName(within(t), config, configID, "getConfigValue", nil, 7); err == nil {
		t.Error("a wrong argument was sent")
	}
	cancelled, cancel := context.WithCancel(within(t))
	cancel()
	if _, err = s.CallName(cancelled, proxyOf("other"), configID, "getVersion", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want cancelled", err)
	}
	if _, err = s.CallName(within(t), proxyOf("other"), configID, "getVersion", nil); err != nil {
		t.Errorf("after a cancelled announcement: %v", err)
	}
}

func TestErrorsHideSessionKeys(t *testing.T) {
	const key = "9a1f0c52-4a3e-4a86-9d3b-0f6f0f3f8e11"
	err := &ice.RequestFailedError{Status: ice.StatusFacetNotExist, Operation: "read",
		Identity: ice.Identity{Name: key + "omero.api.RawFileStore", Category: key}}
	if got, want := err.Error(), "facet does not exist: read of *omero.api.RawFileStore"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoginRefused(t *testing.T) {
	noLeaks(t)
	c := dial(t, serve(t, iceserver.Config{Handler: newRouter(t).handle}), ice.DialOptions{})
	_, err := ice.Login(within(t), c, slice.Definitions(), ice.Credentials{User: "user", Password: "wrong"})
	var ex *ice.UserException
	if !errors.As(err, &ex) || !ex.IsA("::Glacier2::PermissionDeniedException") || ex.Get("reason") != "Password check failed" {
		t.Errorf("got %v, want permission denied", err)
	}
	if strings.Contains(err.Error(), "wrong") {
		t.Errorf("the password is in the text: %v", err)
	}
	_, err = ice.Login(within(t), c, slice.Definitions(), ice.Credentials{User: "wrapped"})
	if !errors.As(err, &ex) || ex.Get("backOff") != int64(250) || ex.Get("concurrency") != true ||
		!ex.IsA("::Glacier2::CannotCreateSessionException") {
		t.Errorf("got %v, want all fields of the wrapped exception", err)
	}
}

func TestForgottenRoutes(t *testing.T) {
	noLeaks(t)
	r := newRouter(t)
	s := login(t, r)
	version := func(name string) {
		t.Helper()
		if _, err := s.CallName(within(t), proxyOf(name), configID, "getVersion", nil); err != nil {
			t.Fatal(err)
		}
	}
	version("a")
	r.mu.Lock()
	r.table = nil // the router forgets without a word
	r.mu.Unlock()
	version("a")
	if got := r.names(); got != "a a" {
		t.Errorf("announced %q, want a twice", got)
	}
	r.mu.Lock()
	r.capacity = 1
	r.mu.Unlock()
	version("b") // drops a and says so
	version("a")
	if got := r.names(); got != "a a b a" {
		t.Errorf("announced %q", got)
	}
	r.mu.Lock()
	r.capacity = 0 // nothing can be announced
	r.mu.Unlock()
	var gone *ice.RequestFailedError
	if _, err := s.CallName(within(t), proxyOf("c"), configID, "getVersion", nil); !errors.As(err, &gone) {
		t.Errorf("got %v, want the end of trying", err)
	}
}

func TestConcurrentFirstUse(t *testing.T) {
	noLeaks(t)
	r := newRouter(t)
	s := login(t, r)
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if _, err := s.CallName(within(t), proxyOf("shared"), configID, "getVersion", nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := r.names(); got != "shared" {
		t.Errorf("announced %q, want once", got)
	}
}
