package blitz

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"omerods/internal/ice"
)

func TestLoginRefusals(t *testing.T) {
	f := serve(t, Config{})
	for _, tc := range []struct {
		what, user, password string
		context              map[string]string
		want                 string
	}{
		{"wrong password", "ada", "nonsense", nil, "::Glacier2::PermissionDeniedException"},
		{"unknown user", "nobody", "x", nil, "::Glacier2::PermissionDeniedException"},
		{"user without password", "guest", "", nil, "::Glacier2::PermissionDeniedException"},
		{"unknown session", newUUID(), "x", nil, "::Glacier2::PermissionDeniedException"},
		{"no client uuid", "ada", "pw-ada", map[string]string{"omero.client.uuid": ""}, "::omero::WrappedCreateSessionException"},
		{"unknown group", "ada", "pw-ada", map[string]string{"omero.group": "x"}, "::omero::WrappedCreateSessionException"},
		{"foreign group", "ada", "pw-ada", map[string]string{"omero.group": "other"}, "::omero::WrappedCreateSessionException"},
	} {
		_, err := f.tryLogin(tc.user, tc.password, tc.context)
		wantException(t, tc.what, err, tc.want)
	}

	c := f.login("ada", "")
	_, err := f.tryLogin(c.uuid, "other", nil)
	wantException(t, "session uuid with another password", err, "::Glacier2::PermissionDeniedException")
	_, err = ice.Login(t.Context(), c.Conn(), f.defs, ice.Credentials{User: "ada", Password: "pw-ada", Context: map[string]string{"omero.client.uuid": newUUID()}})
	wantException(t, "second session of a connection", err, "::Glacier2::CannotCreateSessionException")
}

func TestRequestWithoutSessionClosesTheConnection(t *testing.T) {
	f := serve(t, Config{})
	conn := f.dial()
	params, err := f.defs.EncodeParams(ice.Encoding10, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Invoke(t.Context(), &ice.Request{Identity: ice.Identity{Name: "omero.api.IQuery", Category: "x"}, Operation: "ice_ping", Mode: ice.Nonmutating, Params: params})
	var lost *ice.ConnectionLostError
	if !errors.As(err, &lost) || !lost.Sent {
		t.Errorf("got %#v, want a connection that is lost without a word", err)
	}
}

// invoke sends a request past the client's session, which announces proxies by
// itself.
func (c *client) invoke(id ice.Identity, facet []string, op string, mode ice.Mode) *ice.Reply {
	c.f.t.Helper()
	r, err := c.Conn().Invoke(c.f.t.Context(), &ice.Request{
		Identity: id, Facet: facet, Operation: op, Mode: mode, Params: ice.EmptyEncapsulation(ice.Encoding10),
	})
	if err != nil {
		c.f.t.Fatal(err)
	}
	return r
}

func TestRouting(t *testing.T) {
	f := serve(t, Config{})
	a, b := f.login("ada", ""), f.login("bob", "")
	a.call("IConfig", "getVersion")
	config := ice.Identity{Name: "omero.api.IConfig", Category: a.uuid}

	if r := a.invoke(ice.Identity{Name: "unannounced", Category: a.uuid}, nil, "ice_ping", ice.Nonmutating); r.Status != ice.StatusObjectNotExist || r.Operation != "ice_add_proxy" {
		t.Errorf("not announced: got %+v", r)
	}
	wantStatus(t, "service of another session", b.Ping(t.Context(), &ice.Proxy{Identity: config}), ice.StatusObjectNotExist)
	wantStatus(t, "no such service", a.Ping(t.Context(), &ice.Proxy{Identity: ice.Identity{Name: "x", Category: a.uuid}}), ice.StatusObjectNotExist)
	if r := a.invoke(config, []string{"f"}, "ice_ping", ice.Nonmutating); r.Status != ice.StatusFacetNotExist {
		t.Errorf("facet: got %+v", r)
	}
	if r := a.invoke(config, nil, "nonsense", ice.Normal); r.Status != ice.StatusOperationNotExist {
		t.Errorf("operation: got %+v", r)
	}
	if r := a.invoke(config, nil, "getVersion", ice.Normal); r.Status != ice.StatusUnknownLocal {
		t.Errorf("mode: got %+v", r)
	}
	if ok, err := a.IsA(t.Context(), &ice.Proxy{Identity: config}, "::omero::api::ServiceInterface"); !ok || err != nil {
		t.Errorf("ice_isA: got %v, %v", ok, err)
	}
}

func TestRoutingTableIsBounded(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "")
	router := &ice.Proxy{Identity: routerIdentity}
	proxies := []any{}
	for i := range maxRoutes + 5 {
		proxies = append(proxies, &ice.Proxy{Identity: ice.Identity{Name: string(rune('a'+i%26)) + newUUID(), Category: c.uuid}})
	}
	op := f.defs.Interface("::Glacier2::Router").Operation("addProxies")
	params, err := f.defs.EncodeParams(ice.Encoding10, op.In, []any{proxies})
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.Conn().Invoke(t.Context(), &ice.Request{Identity: router.Identity, Operation: "addProxies", Mode: ice.Idempotent, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.defs.DecodeReply(op, reply)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(out[0].([]any)); n < 5 || n > 6 {
		t.Errorf("evicted %d proxies, want those above %d", n, maxRoutes)
	}
}

func TestSessionsAreJoinedAndCounted(t *testing.T) {
	f := serve(t, Config{})
	first := f.login("ada", "")
	second, err := f.tryLogin(first.uuid, first.uuid, nil)
	if err != nil {
		t.Fatal(err)
	}
	if second.uuid != first.uuid {
		t.Fatalf("joined session: got %s, want %s", second.uuid, first.uuid)
	}
	if n := second.call("ISession", "getReferenceCount", first.uuid)[0]; n != int32(2) {
		t.Errorf("reference count: got %v, want 2", n)
	}
	if err := first.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := second.call("ISession", "getReferenceCount", first.uuid)[0]; n != int32(1) {
		t.Errorf("reference count after one left: got %v, want 1", n)
	}
	if err := second.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = f.tryLogin(first.uuid, first.uuid, nil)
	wantException(t, "a session whose clients left", err, "::Glacier2::PermissionDeniedException")
}

func TestCloseSession(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "")
	second, err := f.tryLogin(c.uuid, c.uuid, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.login("bob", "").try("ISession", "closeSession", c.fresh("Session", map[string]any{"uuid": c.uuid}))
	wantException(t, "another's session", err, SecurityViolation)
	for _, want := range []int32{1, -2} {
		if n := c.call("ISession", "closeSession", c.fresh("Session", map[string]any{"uuid": c.uuid}))[0]; n != want {
			t.Errorf("clients left: got %v, want %d", n, want)
		}
	}
	_, err = second.try("IConfig", "getVersion")
	wantStatus(t, "call in the closed session", err, ice.StatusObjectNotExist)
	other := f.login("ada", "")
	if n := other.call("ISession", "closeSession", c.fresh("Session", map[string]any{"uuid": c.uuid}))[0]; n != int32(-1) {
		t.Errorf("closing it again: got %v, want -1", n)
	}
}

func TestDetachedSessionSurvives(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "")
	if _, err := c.factory("detachOnDestroy"); err != nil {
		t.Fatal(err)
	}
	if err := c.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := f.tryLogin(c.uuid, c.uuid, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.factory("closeOnDestroy"); err != nil {
		t.Fatal(err)
	}
	// A connection that breaks is a client that leaves.
	if err := again.Conn().Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for f.session(c.uuid) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the session of a broken connection lives on")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestIdleSessionEnds(t *testing.T) {
	f := serve(t, Config{IdleTimeout: time.Minute})
	c := f.login("ada", "")
	f.clock.Add(50 * time.Second)
	out, err := c.factory("keepAlive", nil)
	if err != nil || out[0] != false {
		t.Fatalf("keepAlive of nothing: got %v, %v", out, err)
	}
	f.clock.Add(50 * time.Second)
	c.call("IConfig", "getVersion")
	f.clock.Add(61 * time.Second)
	_, err = c.factory("keepAlive", nil)
	wantStatus(t, "after the idle time", err, ice.StatusObjectNotExist)
}

func TestEventContext(t *testing.T) {
	f := serve(t, Config{})
	ec := f.login("eve", "annotate").call("IAdmin", "getEventContext")[0].(*ice.Object)
	for field, want := range map[string]any{
		"userName": "eve", "userId": f.users["eve"], "isAdmin": false, "groupId": f.groups["annotate"], "groupName": "annotate", "shareId": int64(-1), "eventType": "User",
	} {
		if got := ec.Get(field); got != want {
			t.Errorf("%s: got %v, want %v", field, got, want)
		}
	}
	if got := ec.Get("groupPermissions").(*ice.Object).Get("perm1"); got != int64(-40) {
		t.Errorf("permissions: got %v, want -40", got)
	}
	if got := ec.Get("leaderOfGroups").([]int64); len(got) != 4 {
		t.Errorf("leads %v, want four groups", got)
	}
	root := f.login("root", "").call("IAdmin", "getEventContext")[0].(*ice.Object)
	if root.Get("isAdmin") != true || !slices.Contains(root.Get("adminPrivileges").([]string), "Sudo") {
		t.Errorf("root: got %v, %v", root.Get("isAdmin"), root.Get("adminPrivileges"))
	}
	_, err := f.login("ada", "other").try("IAdmin", "getEventContext")
	wantException(t, "a foreign group", err, SecurityViolation)
	c := f.login("ada", "")
	c.ctx["omero.group"] = "no number"
	c.call("IAdmin", "getEventContext")
}

func TestSudo(t *testing.T) {
	f := serve(t, Config{})
	sudo := func(by *client, name, group string) (*ice.Object, error) {
		p := f.defs.New("::omero::sys::Principal").Set("name", name).Set("group", group).Set("eventType", "User")
		out, err := by.try("ISession", "createSessionWithTimeouts", p, int64(0), int64(600000))
		if err != nil {
			return nil, err
		}
		return out[0].(*ice.Object), nil
	}
	sess, err := sudo(f.login("root", ""), "ada", "write")
	if err != nil {
		t.Fatal(err)
	}
	uuid := unbox(sess.Get("uuid")).(string)
	c, err := f.tryLogin(uuid, uuid, nil)
	if err != nil {
		t.Fatal(err)
	}
	ec := c.call("IAdmin", "getEventContext")[0].(*ice.Object)
	if ec.Get("userName") != "ada" || ec.Get("groupName") != "write" || unbox(ec.Get("sudoerName")) != "root" {
		t.Errorf("got %v in %v by %v", ec.Get("userName"), ec.Get("groupName"), unbox(ec.Get("sudoerName")))
	}
	_, err = sudo(f.login("bob", ""), "ada", "write")
	wantException(t, "sudo by a member", err, SecurityViolation)
	_, err = sudo(f.login("eve", ""), "root", "")
	wantException(t, "sudo to an administrator", err, SecurityViolation)

	// The owner of a group gets a session that stays in it.
	if sess, err = sudo(f.login("eve", ""), "ada", "write"); err != nil {
		t.Fatal(err)
	}
	uuid = unbox(sess.Get("uuid")).(string)
	if c, err = f.tryLogin(uuid, uuid, nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.on(f.groups["private"]).try("IAdmin", "getEventContext")
	wantException(t, "leaving the group", err, SecurityViolation)
}

func TestCloseEndsCalls(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "")
	if err := f.Server.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := c.CallName(ctx, c.Proxy(), "::omero::api::ServiceFactory", "getQueryService", nil)
	var lost *ice.ConnectionLostError
	if !errors.As(err, &lost) {
		t.Errorf("got %v, want a lost connection", err)
	}
}

func TestFaults(t *testing.T) {
	for fault, saved := range map[Fault]int{FaultBefore: 0, FaultAfter: 1} {
		f := serve(t, Config{Fault: func(op string, n int64) Fault {
			if op == "IUpdate.saveAndReturnIds" && n == 2 {
				return fault
			}
			return FaultNone
		}})
		c := f.login("ada", "write")
		c.named("Project", "first")
		_, err := c.trySave(c.fresh("Project", map[string]any{"name": "second"}))
		var lost *ice.ConnectionLostError
		if !errors.As(err, &lost) || !lost.Sent {
			t.Errorf("fault %d: got %v, want a connection lost after sending", fault, err)
		}
		if n := f.store.Count("Project") - 1; n != saved {
			t.Errorf("fault %d: %d projects saved by the failing call, want %d", fault, n, saved)
		}
	}
}
