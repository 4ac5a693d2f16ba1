//go:build peer

package ice_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"omerods/internal/ice"
)

func TestUserExceptions(t *testing.T) {
	w := newWorld(t, nil)
	const base, middle, bottom, deepest = "::peer::Base", "::peer::Middle", "::peer::Bottom", "::peer::Deepest"
	levels := []struct {
		ids    []string
		reason string
		code   any
		graph  bool
	}{
		1: {[]string{base}, "base", nil, false},
		2: {[]string{middle, base}, "middle", int32(-7), false},
		3: {[]string{bottom, middle, base}, "bottom", int32(8), true},
		4: {[]string{deepest, bottom, middle, base}, "deepest", int32(9), true},
	}
	each(t, w, func(t *testing.T, c *client) {
		for level, want := range levels {
			for _, op := range []string{"fail", "failSliced"} {
				if level == 0 || level == 4 && op == "fail" && c.enc == ice.Encoding11 {
					continue
				}
				_, err := c.try(op, int32(level))
				var ex *ice.UserException
				if !errors.As(err, &ex) {
					t.Errorf("%s %d: got %v, want a user exception", op, level, err)
					continue
				}
				if !slices.Equal(ex.IDs, want.ids) || ex.Get("reason") != want.reason || ex.Get("code") != want.code {
					t.Errorf("%s %d: got %v with %v", op, level, ex.IDs, ex.Values)
				}
				if want.graph {
					sameLines(t, fmt.Sprint(op, level), describe(ex.Get("where")), graphLines)
				}
				if path, _ := ex.Get("path").([]string); want.graph && len(path) == 0 {
					t.Errorf("%s %d: the field after the instance is lost", op, level)
				}
			}
		}
		if c.enc == ice.Encoding11 {
			_, err := c.try("fail", int32(4))
			if err == nil || !strings.Contains(err.Error(), "exception "+deepest+" is not known here") {
				t.Errorf("unknown exception in the compact format: got %v", err)
			}
			c.call("whoAmI") // the connection is still good
		}
	})
}

// TestUndeclaredException shows that Ice for Python sends an exception that the
// operation does not declare like any other; it arrives whole.
func TestUndeclaredException(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		_, err := c.try("failUndeclared")
		var ex *ice.UserException
		if !errors.As(err, &ex) || ex.IDs[0] != "::peer::Unrelated" || ex.Get("text") != "nobody expects this" {
			t.Errorf("got %v", err)
		}
	})
}

// newer is a later version of the server's interface.
const newer = `module peer { interface Newer extends Echo { void added(); }; };`

func TestReplyStates(t *testing.T) {
	w := newWorld(t, nil)
	later := newerDefs(t)
	each(t, w, func(t *testing.T, c *client) {
		gone := *c.echo
		gone.Identity = ice.Identity{Name: "gone", Category: "cat"}
		side, odd := *c.echo, *c.echo
		side.Facet, odd.Facet = "side", "odd"
		if got, err := c.s.CallName(within(t), &side, echoID, "whoAmI", nil); err != nil || got[0] != "side" {
			t.Errorf("facet: got %v, %v", got, err)
		}
		rows := []struct {
			proxy  *ice.Proxy
			op     *ice.Operation
			status byte
			text   string
		}{
			{&gone, defs().Interface(echoID).Operation("whoAmI"), ice.StatusObjectNotExist, ""},
			{&odd, defs().Interface(echoID).Operation("whoAmI"), ice.StatusFacetNotExist, ""},
			{c.echo, later.Interface("::peer::Newer").Operation("added"), ice.StatusOperationNotExist, ""},
			{c.echo, defs().Interface(echoID).Operation("failLocally"), ice.StatusUnknownLocal, "TimeoutException"},
			{c.echo, defs().Interface(echoID).Operation("failUnexpectedly"), ice.StatusUnknownUser, "::peer::Unrelated"},
			{c.echo, defs().Interface(echoID).Operation("crash"), ice.StatusUnknown, "the server broke"},
		}
		for _, r := range rows {
			_, err := c.s.Call(within(t), r.proxy, r.op, nil, nil)
			var failed *ice.RequestFailedError
			var unknown *ice.UnknownError
			switch {
			case errors.As(err, &failed):
				facet := strings.Join(failed.Facet, "")
				if failed.Status != r.status || failed.Identity != r.proxy.Identity || facet != r.proxy.Facet || failed.Operation != r.op.Name {
					t.Errorf("status %d: got %+v", r.status, failed)
				}
			case errors.As(err, &unknown):
				if unknown.Status != r.status || !strings.Contains(unknown.Text, r.text) {
					t.Errorf("status %d: got %d %q", r.status, unknown.Status, unknown.Text)
				}
			default:
				t.Errorf("status %d: got %v", r.status, err)
			}
		}
	})
}

func newerDefs(t *testing.T) *ice.Definitions {
	t.Helper()
	files := sources("peer.ice")
	files["newer.ice"] = []byte(newer)
	d, err := ice.ParseSlice(files)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestModes sends operations with each mode. The server compares them with
// the definition.
func TestModes(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		for op, good := range map[string][]ice.Mode{
			"whoAmI": {ice.Nonmutating, ice.Idempotent}, "count": {ice.Normal},
		} {
			for mode := ice.Normal; mode <= ice.Idempotent; mode++ {
				known := *defs().Interface(echoID).Operation(op)
				known.Mode = mode
				_, err := c.s.Call(within(t), c.echo, &known, nil, nil)
				var unknown *ice.UnknownError
				if slices.Contains(good, mode) {
					if err != nil {
						t.Errorf("%s with mode %d: %v", op, mode, err)
					}
				} else if !errors.As(err, &unknown) || unknown.Status != ice.StatusUnknownLocal {
					t.Errorf("%s with mode %d: got %v, want status 5", op, mode, err)
				}
			}
		}
	})
}

func (c *client) another(i int) *ice.Proxy {
	c.t.Helper()
	return c.call("another", int32(i))[0].(*ice.Proxy)
}

// TestForgottenRoutes uses more objects than the router remembers.
func TestForgottenRoutes(t *testing.T) {
	w := newWorld(t, map[string]string{"Glacier2.RoutingTable.MaxSize": "4"})
	each(t, w, func(t *testing.T, c *client) {
		var many []*ice.Proxy
		for i := range 10 {
			many = append(many, c.another(i))
		}
		for range 2 {
			for i, p := range many {
				results, err := c.s.CallName(within(t), p, echoID, "whoAmI", nil)
				if err != nil || results[0] != fmt.Sprint(i) {
					t.Errorf("object %d: got %v, %v", i, results, err)
				}
			}
		}
		before := c.call("count")[0].(int32)
		c.crowdOut(t, many)
		// The session believes that the router knows the first one.
		if after := c.call("count")[0].(int32); after != before+1 {
			t.Errorf("%d calls executed instead of one", after-before)
		}
	})
}

// crowdOut makes the router forget all but the given objects, without the
// session's knowledge, and shows what a call of another one then gets.
func (c *client) crowdOut(t *testing.T, crowd []*ice.Proxy) {
	t.Helper()
	add := defs().Interface("::Glacier2::Router").Operation("addProxies")
	for _, p := range crowd {
		params, err := defs().EncodeParams(c.enc, add.In, []any{[]any{p}})
		if err != nil {
			t.Fatal(err)
		}
		r := &ice.Request{Identity: ice.RouterIdentity, Operation: add.Name, Mode: add.Mode, Params: params}
		reply, err := c.s.Conn().Invoke(within(t), r)
		if err != nil || reply.Status != ice.StatusOK {
			t.Fatalf("addProxies: %+v, %v", reply, err)
		}
	}
	r := &ice.Request{Identity: c.echo.Identity, Operation: "count", Params: ice.EmptyEncapsulation(c.enc)}
	reply, err := c.s.Conn().Invoke(within(t), r)
	if err != nil {
		t.Fatal(err)
	}
	if reply.Status != ice.StatusObjectNotExist || reply.Operation != "ice_add_proxy" || reply.Identity != c.echo.Identity {
		t.Errorf("forgotten object: got %+v, want ice_add_proxy", reply)
	}
}

// TestServerCallsBack has the server call an object on this side, where there
// are none.
func TestServerCallsBack(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		router := &ice.Proxy{Identity: ice.RouterIdentity}
		category, err := c.s.CallName(within(t), router, "::Glacier2::Router", "getCategoryForClient", nil)
		if err != nil {
			t.Fatal(err)
		}
		server, err := c.s.CallName(within(t), router, "::Glacier2::Router", "getServerProxy", nil)
		if err != nil {
			t.Fatal(err)
		}
		guest := *server[0].(*ice.Proxy)
		guest.Identity = ice.Identity{Name: "guest", Category: category[0].(string)}
		for range 3 {
			want := "::Ice::ObjectNotExistException guest ice_ping"
			if got := c.call("visit", &guest)[0]; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		oneway := guest
		oneway.Mode = ice.Oneway
		if got := c.call("visit", &oneway)[0]; got != "came back" { // when it was sent
			t.Errorf("oneway: got %q", got)
		}
		c.call("whoAmI")
	})
}
