package omero

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// Client is one login on a server. It is safe for use by many goroutines.
type Client struct {
	cfg       Config
	addresses []ice.Address
	defs      *ice.Definitions
	log       *slog.Logger
	now       func() time.Time
	who       EventContext
	server    ServerInfo
	sudo      *sudo // where sessions come from, nil for a login of its own

	dialing chan struct{} // holds one token; the owner may connect

	mu       sync.Mutex // guards the fields below
	link     *link
	closed   bool
	lastFail time.Time // of connecting
	failed   error     // why; returned for a while without trying again
	fatal    error     // a login that must not be tried again
	idlers   map[idler]struct{}

	saves sync.Mutex // held while an annotation is replaced

	mappings sync.Map // mappingKey to []member

	stop context.CancelFunc
	done sync.WaitGroup
}

// idler is something that holds resources on the server while it is used.
type idler interface {
	closeIdle(ctx context.Context, before time.Time)
}

// Connect logs in. The client lives until Close.
func Connect(ctx context.Context, cfg Config) (*Client, error) { return connect(ctx, cfg, nil) }

// connect is Connect, or As when sudo is not nil.
func connect(ctx context.Context, cfg Config, sudo *sudo) (*Client, error) {
	c := &Client{cfg: cfg, sudo: sudo, defs: slice.Definitions(), log: cfg.Logger, now: cfg.Clock,
		dialing: make(chan struct{}, 1), idlers: make(map[idler]struct{})}
	if c.log == nil {
		c.log = discardLogger()
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.cfg.ConnectTimeout <= 0 {
		c.cfg.ConnectTimeout = 15 * time.Second
	}
	if c.cfg.KeepAlive <= 0 {
		c.cfg.KeepAlive = 30 * time.Second
	}
	if c.cfg.Agent == "" {
		c.cfg.Agent = "omerods"
	}
	for _, s := range cfg.Addresses {
		a, err := parseAddress(s)
		if err == nil {
			err = checkPlain(a, cfg.AllowPlain)
		}
		if err != nil {
			return nil, &Error{Class: Invalid, Op: "connect", Err: err}
		}
		c.addresses = append(c.addresses, a)
	}
	switch {
	case len(c.addresses) == 0:
		return nil, failure(Invalid, "connect", "no address")
	case cfg.SessionKey == "" && cfg.User == "":
		return nil, failure(Invalid, "connect", "neither user nor session key")
	}
	if err := c.greet(ctx); err != nil {
		c.mu.Lock()
		l := c.link
		c.closed = true
		c.mu.Unlock()
		if l != nil {
			err = errors.Join(err, c.leave(l))
		}
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() { c.keepAlive(run) })
	c.done.Go(func() { c.closeIdlers(run) })
	return c, nil
}

// greet makes the first link and learns where and who the client is, in this
// order: what says who it is differs between versions.
func (c *Client) greet(ctx context.Context) (err error) {
	if c.server, err = c.serverInfo(ctx); err != nil {
		return err
	}
	c.who, err = c.EventContext(ctx)
	return err
}

// Close logs out. A session that was joined stays open on the server.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	l := c.link
	c.mu.Unlock()
	c.stop()
	c.done.Wait()
	if l == nil || !l.alive() {
		return nil
	}
	return c.leave(l)
}

// leave logs out from a link that works. A session that the client made for
// itself ends with that.
func (c *Client) leave(l *link) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c.closeIdle(ctx, time.Time{})
	var err error
	if c.sudo != nil {
		err = c.endSession(ctx, l, l.uuid)
	}
	if l.alive() {
		destroyed := l.sess.Destroy(ctx)
		if dead, _ := linkLost(destroyed); !dead || c.sudo == nil {
			err = errors.Join(err, destroyed)
		}
	}
	l.fail()
	if err != nil {
		return fmt.Errorf("log out: %w", wrap("log out", err))
	}
	return nil
}

// Who is the user of the login, as it was when the client connected.
func (c *Client) Who() EventContext { return c.who }

// Server describes the server, as it was when the client connected.
func (c *Client) Server() ServerInfo { return c.server }

// SessionKey is the uuid of the session, which others may join.
func (c *Client) SessionKey(ctx context.Context) (string, error) {
	l, err := c.acquire(ctx)
	if err != nil {
		return "", err
	}
	return l.uuid, nil
}

// failurePause is how long a failed attempt to connect answers for further
// ones, so that a thousand waiting requests do not become as many attempts.
const failurePause = 2 * time.Second

// acquire returns a link that seems to work, connecting when there is none.
func (c *Client) acquire(ctx context.Context) (*link, error) {
	if l, err := c.current(); l != nil || err != nil {
		return l, err
	}
	select {
	case c.dialing <- struct{}{}:
		defer func() { <-c.dialing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l, err := c.current(); l != nil || err != nil {
		return l, err
	}
	l, err := c.dial(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil && errors.Is(err, LoginFailed):
		c.fatal = err
		return nil, err
	case err != nil:
		if ctx.Err() == nil {
			c.failed, c.lastFail = err, c.now()
		}
		return nil, err
	case c.closed:
		l.fail()
		return nil, failure(Offline, "connect", "the client is closed")
	}
	c.link, c.failed = l, nil
	return l, nil
}

// current is the link in use, or the reason why there will be none now.
func (c *Client) current() (*link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, failure(Offline, "connect", "the client is closed")
	case c.link != nil && c.link.alive():
		return c.link, nil
	case c.fatal != nil:
		return nil, c.fatal
	case c.failed != nil && c.now().Sub(c.lastFail) < failurePause:
		return nil, c.failed
	}
	return nil, nil
}

// keepAlive shows the server at intervals that the session is in use. A server
// that does not answer in time is given up: those who wait for it then hear of
// that. It ends with ctx.
func (c *Client) keepAlive(ctx context.Context) {
	for pause(ctx, c.cfg.KeepAlive) == nil {
		c.mu.Lock()
		l := c.link
		c.mu.Unlock()
		if l == nil || !l.alive() {
			continue // the next call connects
		}
		call, cancel := context.WithTimeout(ctx, c.cfg.KeepAlive)
		_, err := l.sess.CallName(call, l.sess.Proxy(), factoryInterface, "keepAlive", nil, nil)
		cancel()
		if err != nil && ctx.Err() == nil {
			c.log.Warn("omero: no answer to a sign of life", "err", wrap("keep alive", err))
			l.fail()
		}
	}
}

// Server-side objects that nobody used for idleTime are closed.
const (
	idleTime  = 30 * time.Second
	idleCheck = 10 * time.Second
)

// closeIdlers closes what has been idle on the server. It ends with ctx.
func (c *Client) closeIdlers(ctx context.Context) {
	for pause(ctx, idleCheck) == nil {
		c.closeIdle(ctx, c.now().Add(-idleTime))
	}
}

func (c *Client) closeIdle(ctx context.Context, before time.Time) {
	c.mu.Lock()
	all := make([]idler, 0, len(c.idlers))
	for i := range c.idlers {
		all = append(all, i)
	}
	c.mu.Unlock()
	for _, i := range all {
		i.closeIdle(ctx, before)
	}
}

func (c *Client) register(i idler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idlers[i] = struct{}{}
}

func (c *Client) unregister(i idler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.idlers, i)
}
