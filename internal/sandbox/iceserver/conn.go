package iceserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"omerods/internal/ice"
)

// Conn is a connection of a client.
type Conn struct {
	srv    *Server
	nc     net.Conn
	ctx    context.Context
	cancel context.CancelFunc
	unread chan struct{} // closed when nobody reads any more

	write sync.Mutex   // held while a message is written; taken before mu
	burst *burst       // below TLS; nil without
	last  atomic.Int64 // when bytes last went either way, in ns since 1970

	mu      sync.Mutex // guards the fields below
	values  map[any]any
	hooks   []func()
	closing bool
	ready   bool // the client was accepted
	active  int  // handlers running
}

const (
	handshakeTimeout = 10 * time.Second
	goodbyeTimeout   = time.Second
)

func newConn(s *Server, nc net.Conn, viaWebSocket bool) *Conn {
	c := &Conn{srv: s, nc: nc, unread: make(chan struct{}), values: make(map[any]any)}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	if s.cfg.TLS != nil {
		c.burst = &burst{Conn: nc}
		c.nc = tls.Server(c.burst, s.cfg.TLS)
	}
	if viaWebSocket {
		c.nc = &webSocket{Conn: c.nc}
	}
	return c
}

// RemoteAddr returns the address of the client.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Done is closed when the connection ends.
func (c *Conn) Done() <-chan struct{} { return c.ctx.Done() }

// Value returns what was stored under a key, nil when nothing was.
func (c *Conn) Value(key any) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[key]
}

// SetValue stores a value with the connection.
func (c *Conn) SetValue(key, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] = value
}

// OnClose has f called when the connection has ended and its handlers have
// returned; the last one first.
func (c *Conn) OnClose(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hooks = append(c.hooks, f)
}

// Close ends the connection and tells the client that requests without an
// answer were not executed. It waits a moment for the client to end it too,
// because what a client has not read may be lost with the connection. It does
// not wait for the handlers and may be called by one.
func (c *Conn) Close() { c.close(true) }

// shutdown ends the connection when the server stops. A client whose requests
// are being executed must not be told that they were not.
func (c *Conn) shutdown() { c.close(false) }

func (c *Conn) close(evenBusy bool) {
	c.mu.Lock()
	first, orderly := !c.closing, c.ready && (evenBusy || c.active == 0)
	c.closing = true
	c.mu.Unlock()
	if !first {
		return
	}
	if orderly {
		c.sayGoodbye()
	}
	c.cancel()
	c.nc.Close()
}

// sayGoodbye announces the end. By WebSocket it is the receiver who then
// begins to end that, too.
func (c *Conn) sayGoodbye() {
	// The deadline also ends a write that is under way to a client that does
	// not read.
	c.nc.SetWriteDeadline(time.Now().Add(goodbyeTimeout))
	if c.send(ice.CloseMessage()) != nil {
		return
	}
	timer := time.NewTimer(goodbyeTimeout)
	defer timer.Stop()
	select {
	case <-c.unread:
	case <-timer.C:
	}
}

// begin notes that a request is executed, unless the connection ends.
func (c *Conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.active++
	return true
}

func (c *Conn) finish() {
	c.mu.Lock()
	c.active--
	c.mu.Unlock()
}

// Abort ends the connection without a word, as a server does that crashes.
func (c *Conn) Abort() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.cancel()
	c.nc.Close()
}

// serve reads requests until the connection ends.
func (c *Conn) serve() {
	stop := context.AfterFunc(c.ctx, func() { c.nc.Close() })
	defer stop()
	var handlers sync.WaitGroup
	err := c.read(&handlers)
	close(c.unread)
	c.cancel()
	handlers.Wait()
	c.nc.Close()
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		c.srv.cfg.Logger.Debug("connection ended", "client", c.RemoteAddr().String(), "err", err)
	}
	c.mu.Lock()
	hooks := c.hooks
	c.mu.Unlock()
	for i := len(hooks) - 1; i >= 0; i-- {
		hooks[i]()
	}
}

// handshake does what comes before the first message.
func (c *Conn) handshake() error {
	ctx, cancel := context.WithTimeout(c.ctx, handshakeTimeout)
	defer cancel()
	transport := c.nc
	ws, viaWebSocket := c.nc.(*webSocket)
	if viaWebSocket {
		transport = ws.Conn
	}
	if tc, ok := transport.(*tls.Conn); ok {
		if err := tc.HandshakeContext(ctx); err != nil {
			return err
		}
	}
	if !viaWebSocket {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { transport.SetDeadline(time.Unix(1, 0)) })
	if err := ws.upgrade(); err != nil {
		return err
	}
	if !stop() {
		return ctx.Err()
	}
	return nil
}

// read takes requests until the connection ends.
func (c *Conn) read(handlers *sync.WaitGroup) error {
	if err := c.handshake(); err != nil {
		return err
	}
	if err := c.accept(); err != nil {
		return err
	}
	handlers.Go(c.watch)
	slots := make(chan struct{}, c.srv.cfg.MaxConcurrent)
	br := bufio.NewReaderSize(activeReader{c}, 64<<10)
	for {
		m, err := ice.ReadMessage(br, c.srv.cfg.MaxMessageBytes)
		if err != nil {
			return err
		}
		if m.Close {
			if ws, ok := c.nc.(*webSocket); ok {
				ws.frame(opClose, normalClosure)
			}
			return nil
		}
		if len(m.Requests) == 0 {
			continue // a heartbeat, or a reply to nothing
		}
		select {
		case slots <- struct{}{}:
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
		if !c.begin() {
			<-slots
			continue // the client was told that it is not executed
		}
		handlers.Go(func() {
			defer func() { <-slots }()
			defer c.finish()
			for _, r := range m.Requests {
				c.handle(r)
			}
		})
	}
}

// handle answers a request.
func (c *Conn) handle(r *ice.Request) {
	ctx, lent := withLoans(c.ctx)
	defer lent.end()
	reply := c.call(ctx, r)
	if reply == nil || r.ID == 0 {
		return
	}
	reply.ID = r.ID
	head, rest, err := reply.EncodeParts()
	if n := len(head) + len(rest); err == nil && n > c.srv.cfg.MaxMessageBytes {
		err = fmt.Errorf("reply of %d bytes: %w", n, ice.ErrTooLarge)
	}
	if err != nil {
		reply = &ice.Reply{ID: r.ID, Status: ice.StatusUnknownLocal, Text: err.Error()}
		if head, rest, err = reply.EncodeParts(); err != nil {
			return
		}
	}
	if err := c.send(head, rest); err != nil {
		c.Abort()
	}
}

// call runs the handler. Its panic becomes the answer that a real server gives
// for an error nobody expected.
func (c *Conn) call(ctx context.Context, r *ice.Request) (reply *ice.Reply) {
	defer func() {
		if p := recover(); p != nil {
			c.srv.cfg.Logger.Error("handler panics", "operation", r.Operation, "panic", p, "stack", string(debug.Stack()))
			reply = &ice.Reply{Status: ice.StatusUnknown, Text: fmt.Sprint(p)}
		}
	}()
	return c.srv.cfg.Handler(ctx, c, r)
}

// Oneway sends a request to an object of the client, who answers nothing: the
// way by which a router reaches the callbacks of a client that cannot be
// dialled. It may be called by a handler. A client that does not read holds it
// up until the connection ends.
func (c *Conn) Oneway(r *ice.Request) error {
	if r.ID != 0 {
		return fmt.Errorf("request %d would be answered", r.ID)
	}
	c.mu.Lock()
	closing := c.closing || !c.ready
	c.mu.Unlock()
	if closing {
		return net.ErrClosed
	}
	msg, err := r.Encode()
	if err != nil {
		return err
	}
	return c.send(msg)
}

// accept tells the client that it was accepted. Whoever closes the connection
// from then on, even before the client has heard of it, has to say so.
func (c *Conn) accept() error {
	c.write.Lock()
	defer c.write.Unlock()
	c.mu.Lock()
	c.ready = true
	c.mu.Unlock()
	return c.sendLocked(ice.ValidateMessage())
}

// send writes a message, which has one or two parts; over WebSocket as one
// frame, as Ice does.
func (c *Conn) send(parts ...[]byte) error {
	if _, framed := c.nc.(*webSocket); framed {
		parts = [][]byte{slices.Concat(parts...)}
	}
	c.write.Lock()
	defer c.write.Unlock()
	return c.sendLocked(parts...)
}

// sendLocked is send for whoever holds c.write.
func (c *Conn) sendLocked(parts ...[]byte) (err error) {
	defer c.touch()
	if c.burst != nil {
		c.burst.hold()
		defer func() { err = errors.Join(err, c.burst.letGo()) }()
	}
	for _, part := range parts {
		if len(part) == 0 {
			continue
		}
		if _, err := c.nc.Write(part); err != nil {
			return err
		}
	}
	return nil
}
