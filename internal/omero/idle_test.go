package omero_test

import (
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
)

// A session that nobody uses outlives the server's idle time by its signs of
// life.
func TestIdleSessionIsKept(t *testing.T) {
	const idle = 2 * time.Second
	var logins, signs atomic.Int64
	s := ownServer(t, blitz.Config{IdleTimeout: idle, Fault: func(op string, _ int64) blitz.Fault {
		switch op {
		case "Router.createSession":
			logins.Add(1)
		case "ServiceFactory.keepAlive":
			signs.Add(1)
		}
		return blitz.FaultNone
	}}, sample.People)
	c, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{s.addr}, User: "ada", Password: "ada", KeepAlive: idle / 10})
	check(t, err)
	defer c.Close()
	before, err := c.EventContext(t.Context())
	check(t, err)
	select { // only the signs of life use the session
	case <-time.After(2 * idle):
	case <-t.Context().Done():
	}
	after, err := c.EventContext(t.Context())
	check(t, err)
	if after.SessionUUID != before.SessionUUID || logins.Load() != 1 || signs.Load() == 0 {
		t.Errorf("%d logins, %d signs of life, the session is another: %v", logins.Load(), signs.Load(), after.SessionUUID != before.SessionUUID)
	}
}
