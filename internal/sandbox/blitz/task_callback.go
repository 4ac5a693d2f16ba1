package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
)

// watcher is an object of a client, a ::omero::cmd::CmdCallback, that hears how
// a request goes on. The router reaches it by the client's own connection.
type watcher struct {
	link *link
	id   ice.Identity
}

// maxWatchers is how many callbacks a handle keeps.
const maxWatchers = 100

// addCallback notes a callback. One that comes after the end hears nothing: its
// client asks for the response itself.
func (t *Task) addCallback(_ context.Context, c *Call) ([]any, error) {
	p := Arg[*ice.Proxy](c, 0)
	if p == nil {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.response == nil && len(t.watchers) < maxWatchers {
		t.watchers = append(t.watchers, watcher{link: c.link, id: p.Identity})
	}
	return nil, nil
}

func (t *Task) removeCallback(_ context.Context, c *Call) ([]any, error) {
	p := Arg[*ice.Proxy](c, 0)
	if p == nil {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watchers = slices.DeleteFunc(t.watchers, func(w watcher) bool { return w.id == p.Identity })
	return nil, nil
}

func (w watcher) finished(rsp, status *ice.Object) { w.tell("finished", rsp, status) }

// tell calls an operation of the callback. A client that is gone hears nothing.
func (w watcher) tell(operation string, args ...any) {
	defs := w.link.srv.defs
	op := defs.Interface("::omero::cmd::CmdCallback").Operation(operation)
	params, err := defs.EncodeParams(ice.Encoding11, op.In, args)
	if err == nil {
		err = w.link.conn.Oneway(&ice.Request{Identity: w.id, Operation: op.Name, Mode: op.Mode, Params: params})
	}
	if err != nil {
		w.link.srv.log.Debug("callback not reached", "operation", operation, "err", err)
	}
}
