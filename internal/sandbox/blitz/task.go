package blitz

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"omerods/internal/ice"
)

// RequestFunc works on a request of package ::omero::cmd. The result is a
// ::omero::cmd::Response; an error becomes an ERR.
type RequestFunc func(ctx context.Context, c *Call, req *ice.Object, t *Task) (*ice.Object, error)

// HandleRequests names the implementation for a class of request, such as
// "::omero::cmd::Delete2". It is called before Serve.
func (s *Server) HandleRequests(class string, fn RequestFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[class] = fn
}

// Task is a request that the server works on, or has.
type Task struct {
	srv    *Server
	sess   *Session
	req    *ice.Object
	cancel context.CancelFunc
	done   chan struct{} // closed when response is there

	mu       sync.Mutex // guards the fields below
	steps    int
	step     int
	began    time.Time
	starts   []int64
	stops    []int64
	ended    time.Time
	response *ice.Object
	stopped  bool
	watchers map[ice.Identity]*ice.Proxy // callbacks of clients
}

// Start runs a request in the background and returns its handle, an object of
// the session. steps is what Status tells of its length. Closing the handle
// cancels the request, and so does the end of the session.
func (c *Call) Start(req *ice.Object, steps int, fn RequestFunc) (*ice.Proxy, error) {
	t := &Task{srv: c.Server, sess: c.Session, req: req, steps: steps, began: c.Server.store.Now(), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(c.Server.ctx)
	t.cancel = cancel
	c.Session.mu.Lock()
	if c.Session.ended {
		c.Session.mu.Unlock()
		cancel()
		return nil, errGone
	}
	c.Session.tasks[t] = true
	c.Session.mu.Unlock()
	if !c.Server.background(func(context.Context) { t.run(ctx, c, fn) }) {
		cancel()
		return nil, errClosing
	}
	return c.Session.Activate("IHandle-"+newUUID(), "::omero::cmd::Handle", t, false), nil
}

func (t *Task) run(ctx context.Context, c *Call, fn RequestFunc) {
	defer t.cancel()
	t.Step(0)
	rsp, err := t.attempt(ctx, c, fn)
	if err != nil {
		rsp = t.srv.errResponse(t.req, t.srv.translate(t.req.Class.ID, err))
	}
	t.mu.Lock()
	t.response, t.ended = rsp, t.srv.store.Now()
	if len(t.stops) < len(t.starts) {
		t.stops = append(t.stops, t.ended.UnixMilli())
	}
	if !t.failedLocked() {
		t.step = t.steps
	}
	t.mu.Unlock()
	close(t.done)
	t.sess.mu.Lock()
	delete(t.sess.tasks, t)
	t.sess.used = t.srv.store.Now()
	t.sess.mu.Unlock()
	t.notify()
}

// attempt turns a panic into an error, as the server does for requests that it
// answers at once.
func (t *Task) attempt(ctx context.Context, c *Call, fn RequestFunc) (rsp *ice.Object, err error) {
	defer func() {
		if p := recover(); p != nil {
			t.srv.log.Error("request panics", "request", t.req.Class.ID, "panic", p, "stack", string(debug.Stack()))
			err = Fail(Internal, "%v", p)
		}
	}()
	return fn(ctx, c, t.req, t)
}

// Step notes that step n, counted from 0, begins, and tells the callbacks.
func (t *Task) Step(n int) {
	t.mu.Lock()
	now := t.srv.store.Now().UnixMilli()
	if len(t.stops) < len(t.starts) {
		t.stops = append(t.stops, now)
	}
	t.step, t.starts = n, append(t.starts, now)
	t.mu.Unlock()
	t.notify()
}

// Done is closed when the request has ended.
func (t *Task) Done() <-chan struct{} { return t.done }

func (t *Task) stop() {
	t.mu.Lock()
	t.stopped = t.stopped || t.response == nil
	t.mu.Unlock()
	t.cancel()
}

// Close cancels the request if it still runs; callbacks hear of the end once
// more.
func (t *Task) Close(context.Context) error {
	t.stop()
	if t.result() != nil {
		t.notify()
	}
	return nil
}

func (t *Task) failedLocked() bool { return t.response != nil && t.response.IsA("::omero::cmd::ERR") }

// Method implements the operations of a handle.
func (t *Task) Method(operation string) Method {
	switch operation {
	case "getRequest":
		return func(context.Context, *Call) ([]any, error) { return []any{t.req}, nil }
	case "getResponse":
		return func(context.Context, *Call) ([]any, error) { return []any{t.result()}, nil }
	case "getStatus":
		return func(context.Context, *Call) ([]any, error) { return []any{t.status()}, nil }
	case "cancel":
		return func(context.Context, *Call) ([]any, error) {
			if t.result() != nil {
				return []any{false}, nil
			}
			t.stop()
			return []any{true}, nil
		}
	case "addCallback":
		return t.addCallback
	case "removeCallback":
		return t.removeCallback
	}
	return nil
}

// result is the response, an untyped nil while there is none.
func (t *Task) result() any {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.response == nil {
		return nil
	}
	return t.response
}

// The values of ::omero::cmd::State.
const (
	stateActive    int32 = 1
	stateSuccess   int32 = 3
	stateFailure   int32 = 4
	stateCancelled int32 = 5
)

func (t *Task) status() *ice.Object {
	t.mu.Lock()
	defer t.mu.Unlock()
	var flags []any
	switch {
	case t.response == nil:
		flags = append(flags, stateActive)
	case t.failedLocked():
		flags = append(flags, stateFailure)
	default:
		flags = append(flags, stateSuccess)
	}
	if t.stopped {
		flags = append(flags, stateCancelled)
	}
	st := t.srv.defs.New("::omero::cmd::Status")
	st.Set("category", t.req.Class.ID).Set("flags", flags).Set("currentStep", int32(t.step)).Set("steps", int32(t.steps))
	st.Set("startTime", t.began.UnixMilli()).Set("stepStartTimes", t.starts).Set("stepStopTimes", t.stops)
	if t.response != nil {
		st.Set("stopTime", t.ended.UnixMilli())
	}
	return st
}
