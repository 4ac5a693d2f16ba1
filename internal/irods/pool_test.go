package irods_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/relay"
	"omerods/internal/sandbox/irodsd"
)

// far is a zone with a relay before it.
func far(t *testing.T, change ...func(*irods.Config)) (*relay.Relay, *irods.Client) {
	t.Helper()
	z := serve(t)
	r := z.relay(t)
	return r, z.client(t, append(change, func(c *irods.Config) { c.Port = r.Port() })...)
}

// A server that was restarted has ended all idle connections. No call notices,
// not even those that may not be sent twice.
func TestIdleConnectionsThatEnded(t *testing.T) {
	for how, end := range map[string]func(*relay.Relay) int{"closed": (*relay.Relay).Cut, "reset": (*relay.Relay).Reset} {
		t.Run(how, func(t *testing.T) {
			r, c := far(t)
			for i := range 20 {
				var wg sync.WaitGroup
				for j := range 4 { // several connections
					wg.Go(func() {
						if err := c.Mkdir(ctxFor(t), fmt.Sprintf("/tempZone/home/alice/%s%d.%d", how, i, j)); err != nil {
							t.Errorf("mkdir after the connections had ended: %v", err)
						}
					})
				}
				wg.Wait()
				end(r)
			}
		})
	}
}

// A server that lets everybody wait is asked by one caller at a time; the
// others are told at once, and all are served when it is back.
func TestServerThatDoesNotAnswer(t *testing.T) {
	r, c := far(t, func(c *irods.Config) { c.ConnectTimeout = 400 * time.Millisecond })
	r.Stall(true)
	if err := c.Connect(ctxFor(t)); !errors.Is(err, irods.ErrOffline) {
		t.Fatalf("got %v, want unreachable", err)
	}
	before := r.Counts().Connections
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := c.Connect(ctxFor(t)); !errors.Is(err, irods.ErrOffline) {
				t.Errorf("meanwhile: got %v, want unreachable", err)
			}
		})
	}
	wg.Wait()
	if n := r.Counts().Connections - before; n > 1 {
		t.Errorf("%d more connections were tried", n)
	}
	r.Stall(false)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for c.Connect(ctxFor(t)) != nil { // until its five seconds are over
		<-tick.C
	}
}

// A server that falls silent below an open connection: a call waits as long as
// an answer may take, a new connection is tried, and both get better by
// themselves.
func TestServerThatFallsSilent(t *testing.T) {
	r, c := far(t, func(c *irods.Config) { c.Timeout, c.ConnectTimeout = 400*time.Millisecond, 400*time.Millisecond })
	if _, err := c.List(ctxFor(t), "/tempZone/home/alice"); err != nil {
		t.Fatal(err)
	}
	r.Stall(true)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.List(ctxFor(t), "/tempZone/home/alice"); !errors.Is(err, irods.ErrOffline) && !errors.Is(err, irods.ErrLost) {
				t.Errorf("got %v, want an error that says so", err)
			}
		})
	}
	wg.Wait()
	r.Stall(false)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		entries, err := c.List(ctxFor(t), "/tempZone/home/alice")
		if err == nil {
			if len(entries) != 0 {
				t.Errorf("got %v", entries)
			}
			return
		}
		<-tick.C
	}
}

// A server that refuses at once is asked every time.
func TestServerThatIsBack(t *testing.T) {
	r, c := far(t)
	r.Refuse(true)
	if err := c.Connect(ctxFor(t)); !errors.Is(err, irods.ErrOffline) {
		t.Fatalf("got %v, want unreachable", err)
	}
	r.Refuse(false)
	if err := c.Connect(ctxFor(t)); err != nil {
		t.Errorf("as soon as it is back: %v", err)
	}
}

// shaky breaks a connection now and then, but none that was just made, and no
// call twice: then also one that may be repeated fails.
type shaky struct {
	mu      sync.Mutex // guards the fields below
	done    [40]int    // calls by user
	before  [40]int    // those when a connection was broken last
	since   int        // queries since then, or since the last login
	breaks  int
	perUser int
}

func (s *shaky) fault(api int, _ int64) irodsd.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch api {
	case 110000: // a login
		s.since = 0
		return irodsd.Fault{}
	case 702:
		s.since++
	default:
		return irodsd.Fault{}
	}
	for user, n := range s.done {
		if s.breaks > 0 && n == s.before[user] && n < s.perUser {
			return irodsd.Fault{}
		}
	}
	if s.since < 50 {
		return irodsd.Fault{}
	}
	s.before, s.since = s.done, 0
	s.breaks++
	return irodsd.Fault{DropBefore: true}
}

// Many users share few connections, and a connection that breaks in the middle
// is replaced for calls that may be repeated.
func TestManyUsersOfAShakyServer(t *testing.T) {
	s := &shaky{perUser: 30}
	z := serve(t, func(c *irodsd.Config) { c.Fault = s.fault })
	r := z.relay(t)
	c := z.client(t, func(c *irods.Config) { c.Port, c.MaxConnections = r.Port(), 3 })
	var wg sync.WaitGroup
	for user := range s.done {
		wg.Go(func() {
			for range s.perUser {
				if _, err := c.List(ctxFor(t), "/tempZone/home/alice"); err != nil {
					t.Error(err)
				}
				s.mu.Lock()
				s.done[user]++
				s.mu.Unlock()
			}
		})
	}
	wg.Wait()
	// Each that broke was replaced, and at most three were open at a time.
	if got := r.Counts().Connections; s.breaks == 0 || got > 3+s.breaks*4 {
		t.Errorf("%d connections for %d breaks", got, s.breaks)
	}
}
