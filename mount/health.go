package mount

import (
	"context"
	"sync"
	"time"
)

const (
	// healthTTL is how long an answer of the servers stands for the next look.
	healthTTL = 2 * time.Second
	// healthWait is how long somebody who looks at the status waits for them.
	healthWait = 2 * time.Second
)

// health knows whether the servers answer.
type health struct {
	mu           sync.Mutex // guards the fields below; held while the servers are asked
	asked        time.Time
	omero, irods ServerStatus
}

// servers asks both servers, unless that was done just now.
func (h *health) servers(ctx context.Context, m *Mount) (omero, irods ServerStatus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.asked) < healthTTL {
		return h.omero, h.irods
	}
	ctx, cancel := context.WithTimeout(ctx, healthWait)
	defer cancel()
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err := m.omero.EventContext(ctx)
		h.omero = ServerStatus{Server: m.omero.Server().Host, User: m.omero.Who().UserName, State: state("version "+m.omero.Server().Version, err)}
	})
	wait.Go(func() {
		user, zone := m.irods.User()
		_, err := m.irods.Zones(ctx)
		h.irods = ServerStatus{Server: m.irods.String(), User: user + "#" + zone, State: state("version "+m.irods.Version(), err)}
	})
	wait.Wait()
	h.asked = time.Now()
	return h.omero, h.irods
}

func state(version string, err error) string {
	if err != nil {
		return "does not answer (" + version + " last): " + err.Error()
	}
	return "connected, " + version
}
