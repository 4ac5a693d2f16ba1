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
	"sync"
	"time"

	"omerods/internal/ice"
)

// Conn is a connection of a client.
type Conn struct {
	srv    *Server
	nc     net.Conn
	ctx    context.Context
	cancel context.CancelFunc

	write sync.Mutex // held while a message is written; taken before mu

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

func newConn(s *Server, nc net.Conn) *Conn {
	c := &Conn{srv: s, nc: nc, values: make(map[any]any)}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	if s.cfg.TLS != nil {
		c.nc = tls.Server(nc, s.cfg.TLS)
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
// answer were not executed. It does not wait for the handlers and may be
// called by one.
func (c *Conn) Close() {
	c.mu.Lock()
	first, ready := !c.closing, c.ready
	c.closing = true
	c.mu.Unlock()
	if !first {
		return
	}
	if ready {
		// The deadline also ends a write that is under way to a client that
		// does not read.
		c.nc.SetWriteDeadline(time.Now().Add(goodbyeTimeout))
		c.send(ice.CloseMessage())
	}
	c.cancel()
	c.nc.Close()
}

// shutdown ends the connection when the server stops. A client whose requests
// are being executed must not be told that they were not.
func (c *Conn) shutdown() {
	c.mu.Lock()
	busy := c.active > 0
	c.mu.Unlock()
	if busy {
		c.Abort()
	} else {
		c.Close()
	}
}

func (c *Conn) setActive(change int) {
	c.mu.Lock()
	c.active += change
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
	err := c.read()
	c.cancel()
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

func (c *Conn) read() error {
	if tc, ok := c.nc.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(c.ctx, handshakeTimeout)
		defer cancel()
		if err := tc.HandshakeContext(ctx); err != nil {
			return err
		}
	}
	if err := c.send(ice.ValidateMessage()); err != nil {
		return err
	}
	c.mu.Lock()
	c.ready = true
	c.mu.Unlock()
	var handlers sync.WaitGroup
	defer handlers.Wait()
	defer c.cancel()
	slots := make(chan struct{}, c.srv.cfg.MaxConcurrent)
	br := bufio.NewReaderSize(c.nc, 64<<10)
	for {
		m, err := ice.ReadMessage(br, c.srv.cfg.MaxMessageBytes)
		if err != nil {
			return err
		}
		if m.Close {
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
		handlers.Add(1)
		c.setActive(1)
		go func() {
			defer handlers.Done()
			defer func() { <-slots }()
			defer c.setActive(-1)
			for _, r := range m.Requests {
				c.handle(r)
			}
		}()
	}
}

// handle answers a request.
func (c *Conn) handle(r *ice.Request) {
	reply := c.call(r)
	if reply == nil || r.ID == 0 {
		return
	}
	reply.ID = r.ID
	msg, err := reply.Encode()
	if err == nil && len(msg) > c.srv.cfg.MaxMessageBytes {
		err = fmt.Errorf("reply of %d bytes: %w", len(msg), ice.ErrTooLarge)
	}
	if err != nil {
		reply = &ice.Reply{ID: r.ID, Status: ice.StatusUnknownLocal, Text: err.Error()}
		if msg, err = reply.Encode(); err != nil {
			return
		}
	}
	if err := c.send(msg); err != nil {
		c.Abort()
	}
}

// call runs the handler. Its panic becomes the answer that a real server gives
// for an error nobody expected.
func (c *Conn) call(r *ice.Request) (reply *ice.Reply) {
	defer func() {
		if p := recover(); p != nil {
			c.srv.cfg.Logger.Error("handler panics", "operation", r.Operation, "panic", p, "stack", string(debug.Stack()))
			reply = &ice.Reply{Status: ice.StatusUnknown, Text: fmt.Sprint(p)}
		}
	}()
	return c.srv.cfg.Handler(c.ctx, c, r)
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

func (c *Conn) send(msg []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	_, err := c.nc.Write(msg)
	return err
}
