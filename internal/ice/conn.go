package ice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a connection to a server. Many goroutines may use it at once.
type Conn struct {
	nc      net.Conn
	addr    Address
	max     int
	log     *slog.Logger
	out     chan *outgoing // to the writer
	answers chan []byte    // to the writer, from the reader
	done    chan struct{}  // closed when the connection has ended
	wg      sync.WaitGroup // reader and writer

	mu       sync.Mutex // guards the fields below
	calls    map[int32]*call
	nextID   int32
	closing  bool  // Close was called
	err      error // why the connection ended; nil while it has not
	graceful bool  // the server closed it and promises that nothing was done
}

// outgoing is a message for the writer.
type outgoing struct {
	head, params []byte
	state        atomic.Int32
	written      chan struct{} // closed when the writer is done with it
}

// States of an outgoing message. It moves from queued to one of the others.
const (
	queued    = 0
	started   = 1
	withdrawn = 2
)

// call is a request that waits for its reply.
type call struct{ reply chan *Reply }

// maxAnswers bounds the answers to requests of the server that wait for the
// writer.
const maxAnswers = 64

// newConn starts the reader and the writer, which live until the connection
// ends; Close waits for them.
func newConn(nc net.Conn, addr Address, opts DialOptions) *Conn {
	c := &Conn{
		nc:      nc,
		addr:    addr,
		max:     opts.MaxMessageBytes,
		log:     opts.Logger,
		out:     make(chan *outgoing),
		answers: make(chan []byte, maxAnswers),
		done:    make(chan struct{}),
		calls:   make(map[int32]*call),
	}
	c.wg.Add(2)
	go c.readLoop()
	go c.writeLoop(opts.HeartbeatInterval)
	return c
}

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection ended, nil while it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Address returns what was dialled.
func (c *Conn) Address() Address { return c.addr }

// Invoke sends a request and waits for the reply. The connection sets the id.
// A reply of any status is no error. When ctx ends first, Invoke returns at
// once and the reply is dropped when it comes; the server still executes a
// request that was sent. The parameters must not change before the connection
// has ended or the reply has come.
//
// A connection that ends gives a *ConnectionLostError.
func (c *Conn) Invoke(ctx context.Context, r *Request) (*Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := &call{reply: make(chan *Reply, 1)}
	id, err := c.register(w)
	if err != nil {
		return nil, err
	}
	defer c.forget(id)
	req := *r
	req.ID = id
	msg, err := c.send(ctx, &req)
	if err != nil {
		return nil, err
	}
	select {
	case reply := <-w.reply:
		return reply, nil
	case <-ctx.Done():
		msg.state.CompareAndSwap(queued, withdrawn)
		return nil, ctx.Err()
	case <-c.done:
	}
	// The reply may have come just before the end.
	select {
	case reply := <-w.reply:
		return reply, nil
	default:
		return nil, c.lost(!msg.state.CompareAndSwap(queued, withdrawn))
	}
}

// InvokeOneway sends a request that gets no reply and returns when it was
// written.
func (c *Conn) InvokeOneway(ctx context.Context, r *Request) error {
	req := *r
	req.ID = 0
	msg, err := c.send(ctx, &req)
	if err != nil {
		return err
	}
	select {
	case <-msg.written:
		return nil
	case <-ctx.Done():
		msg.state.CompareAndSwap(queued, withdrawn)
		return ctx.Err()
	case <-c.done:
		return c.lost(!msg.state.CompareAndSwap(queued, withdrawn))
	}
}

// send hands a request to the writer.
func (c *Conn) send(ctx context.Context, r *Request) (*outgoing, error) {
	head, params, err := r.encode()
	if err != nil {
		return nil, err
	}
	if n := len(head) + len(params); n > c.max {
		return nil, fmt.Errorf("%s: %d bytes: %w", r.Operation, n, ErrTooLarge)
	}
	msg := &outgoing{head: head, params: params, written: make(chan struct{})}
	select {
	case c.out <- msg:
		return msg, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.done:
		return nil, c.lost(false)
	}
}

// register gives a call the next free id.
func (c *Conn) register(w *call) (int32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closing {
		return 0, c.lostLocked(false)
	}
	for {
		if c.nextID++; c.nextID <= 0 {
			c.nextID = 1
		}
		if _, used := c.calls[c.nextID]; !used {
			c.calls[c.nextID] = w
			return c.nextID, nil
		}
	}
}

func (c *Conn) forget(id int32) {
	c.mu.Lock()
	delete(c.calls, id)
	c.mu.Unlock()
}

// deliver hands a reply to the call that waits for it, if it still does.
func (c *Conn) deliver(r *Reply) {
	c.mu.Lock()
	w := c.calls[r.ID]
	delete(c.calls, r.ID)
	c.mu.Unlock()
	if w != nil {
		w.reply <- r
	}
}

// lost returns the error of a call that the end of the connection cut off.
func (c *Conn) lost(sent bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lostLocked(sent)
}

func (c *Conn) lostLocked(sent bool) error {
	err := c.err
	if err == nil {
		err = net.ErrClosed
	}
	return &ConnectionLostError{Sent: sent && !c.graceful, Err: err}
}

// end ends the connection. The first reason is kept.
func (c *Conn) end(reason error, graceful bool) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		if c.closing && !graceful {
			reason = net.ErrClosed
		}
		c.err, c.graceful = reason, graceful
		close(c.done)
	}
	c.mu.Unlock()
	if first {
		c.nc.Close()
		if !errors.Is(reason, net.ErrClosed) {
			c.log.Debug("connection ended", "address", c.addr.String(), "err", reason)
		}
	}
}

// closeGrace bounds how long Close waits for its last message to be written.
const closeGrace = time.Second

// Close ends the connection and waits until nothing of it is left. Calls that
// wait for a reply fail with a *ConnectionLostError; when there are none the
// server is told that the end is intended.
func (c *Conn) Close() error {
	c.mu.Lock()
	already := c.closing || c.err != nil
	c.closing = true
	idle := len(c.calls) == 0
	c.mu.Unlock()
	if !already && idle {
		c.sayGoodbye()
	}
	c.end(net.ErrClosed, false)
	c.wg.Wait()
	return nil
}

func (c *Conn) sayGoodbye() {
	timer := time.NewTimer(closeGrace)
	defer timer.Stop()
	msg := &outgoing{head: closeMessage, written: make(chan struct{})}
	select {
	case c.out <- msg:
	case <-c.done:
		return
	case <-timer.C:
		return
	}
	select {
	case <-msg.written:
	case <-c.done:
	case <-timer.C:
	}
}
