package blitz

import (
	"context"
	"crypto/rand"
	"math/big"

	"omerods/internal/ice"
)

const callbackType = "::omero::cmd::CmdCallback"

const (
	// maxWatchers is how many callbacks a handle keeps.
	maxWatchers = 100
	// maxOutgoing is how many calls wait for a client that does not read.
	maxOutgoing = 1000
)

// addCallback notes an object of a client that hears how a request goes on: of
// each step and of the end. One that comes after the end hears only that the
// handle is closed: its client asks for the response itself.
func (t *Task) addCallback(_ context.Context, c *Call) ([]any, error) {
	p := Arg[*ice.Proxy](c, 0)
	if p == nil {
		return nil, Fail(APIUsage, "the callback is null")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watchers == nil {
		t.watchers = make(map[ice.Identity]*ice.Proxy)
	}
	if len(t.watchers) < maxWatchers {
		t.watchers[p.Identity] = p
	}
	return nil, nil
}

func (t *Task) removeCallback(_ context.Context, c *Call) ([]any, error) {
	if p := Arg[*ice.Proxy](c, 0); p != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.watchers, p.Identity)
	}
	return nil, nil
}

// notify tells the callbacks how far the request is; it does not wait for
// their clients. It must not be called with mu held.
func (t *Task) notify() {
	t.mu.Lock()
	to := make([]*ice.Proxy, 0, len(t.watchers))
	for _, p := range t.watchers {
		to = append(to, p)
	}
	rsp, step, steps := t.response, t.step, t.steps
	t.mu.Unlock()
	for _, p := range to {
		if rsp != nil {
			t.srv.callBack(p, callbackType, "finished", rsp, t.status())
		} else {
			t.srv.callBack(p, callbackType, "step", int32(step), int32(steps))
		}
	}
}

// newCategory returns a category for the callbacks of a client: printable and
// not to be guessed, as Glacier2's.
func newCategory() string {
	b := make([]byte, 20)
	for i := range b {
		n, _ := rand.Int(rand.Reader, big.NewInt(127-33)) // never fails
		b[i] = byte(33 + n.Int64())
	}
	return string(b)
}

// callBack sends a request to an object of a client, without waiting for that.
// The router finds the client by the category and reaches it over the client's
// own connection. It is oneway, as OMERO's callbacks are; a client that has
// left, or that does not want the call, is no error. One that has not read
// maxOutgoing calls loses its connection.
func (s *Server) callBack(to *ice.Proxy, iface, operation string, args ...any) {
	s.mu.Lock()
	l := s.callbacks[to.Identity.Category]
	s.mu.Unlock()
	if l == nil {
		return
	}
	op := s.defs.Interface(iface).Operation(operation)
	enc := to.Encoding
	if enc == (ice.Encoding{}) {
		enc = ice.Encoding10
	}
	params, err := s.defs.EncodeParams(enc, op.In, args)
	if err != nil {
		s.log.Error("callback", "operation", operation, "err", err)
		return
	}
	l.sending.Do(func() { s.background(l.sendOutgoing) })
	select {
	case l.outgoing <- &ice.Request{Identity: to.Identity, Operation: operation, Mode: op.Mode, Params: params}:
	default:
		l.conn.Abort()
	}
}

// sendOutgoing sends what callBack has queued until the connection ends.
func (l *link) sendOutgoing(ctx context.Context) {
	for {
		select {
		case r := <-l.outgoing:
			if err := l.conn.Oneway(r); err != nil {
				l.srv.log.Debug("callback not reached", "operation", r.Operation, "err", err)
			}
		case <-l.conn.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}
