// Package irods is a client of an iRODS zone for one identity: stat and list,
// reading and writing data objects, collections, metadata, rights and space,
// every call with a context.
//
// It uses go-irodsclient's connection for the framing of messages and its
// tables of numbers, and nothing above that: the connections are opened,
// logged in, pooled, cancelled and replaced here. A call whose context ends
// gives its connection up, because the answer to an abandoned request would be
// taken for the answer to the next one.
//
// Calls that change nothing, or that may run twice with the same result, are
// repeated once on a fresh connection when theirs turns out to be dead. Others
// are not: they fail with [ErrLost], and the caller has to look what happened.
package irods

import (
	"context"
	"errors"
	"fmt"
	"github.com/sirupsen/logrus"
	"io"
	"log/slog"
	"sync"
	"time"
)

// silence keeps the library's global logger from writing to standard error.
var silence = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// Client talks to one zone as one user. It may be used by many goroutines.
type Client struct {
	cfg  Config
	log  *slog.Logger
	pool *pool

	identity identityCache
	targets  targetsCache
	version  versionCell
	away     away
	secret   secret

	stop func()
}

// New returns a client. It does not connect: the first call does, or
// [Client.Connect]. Close ends it.
func New(cfg Config) (*Client, error) {
	silence()
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, log: cfg.Logger}
	c.secret.set(cfg.Password)
	if cfg.pam() {
		c.secret.set(cfg.PAMToken)
	}
	if cfg.TLS.Verify == VerifyNone && cfg.AllowUnverified {
		c.log.Warn("the iRODS server's certificate is not verified: anybody on the way can read along and pose as the server", "server", c.String())
	}
	c.pool = newPool(cfg.MaxConnections, cfg.IdleTimeout, cfg.Lifetime, c.dial)

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.pool.expireLoop(ctx)
	}()
	c.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		c.pool.close()
	})
	return c, nil
}

// Close gives up all connections. Calls that are under way fail.
func (c *Client) Close() { c.stop() }

// User returns the name and zone of the user who acts.
func (c *Client) User() (name, zone string) { return c.cfg.ClientUser, c.cfg.ClientZone }

// Zone returns the zone of the server.
func (c *Client) Zone() string { return c.cfg.Zone }

// Home returns the home collection of the user.
func (c *Client) Home() string {
	if c.cfg.ClientUser == "anonymous" {
		return "/" + c.cfg.Zone + "/home"
	}
	return "/" + c.cfg.Zone + "/home/" + c.cfg.ClientUser
}

// String names the identity and the server, for people: "ada#zone@host:1247".
func (c *Client) String() string {
	return fmt.Sprintf("%s#%s@%s:%d", c.cfg.ClientUser, c.cfg.ClientZone, c.cfg.Host, c.cfg.Port)
}

// Connect makes sure that the server can be reached and lets the user in: it
// asks who the user is, which every listing needs to know.
func (c *Client) Connect(ctx context.Context) error {
	c.identity.forget()
	return c.with(ctx, "connect", "", repeatable, func(cn *conn) error {
		_, err := c.who(ctx, cn)
		return err
	})
}

// repeat says whether a call may be sent a second time when the connection
// broke before the answer came.
type repeat bool

const (
	repeatable repeat = true
	once       repeat = false
)

// call sends one request on any connection and returns the answer; a negative
// status is an [*Error].
func (c *Client) call(ctx context.Context, op, path string, again repeat, req *request) (*reply, error) {
	var rep *reply
	err := c.with(ctx, op, path, again, func(cn *conn) error {
		var err error
		rep, err = cn.exchange(ctx, req, nil)
		if err == nil && rep.status < 0 {
			err = statusError(rep)
		}
		return err
	})
	return rep, err
}

// with runs f with a connection of its own and names operation and path in
// the error. Unless again is set, the connection has been tried first when it
// was idle for some time.
func (c *Client) with(ctx context.Context, op, path string, again repeat, f func(*conn) error) error {
	cn, err := c.pool.get(ctx, again == once)
	if err != nil {
		return describe(err, op, path)
	}
	reused := cn.served > 0
	err = f(cn)
	c.pool.put(cn)
	if again == repeatable && reused && errors.Is(err, ErrLost) && ctx.Err() == nil {
		// A restarted server has dropped all idle connections, not only this.
		c.log.Debug("connection lost, trying a new one", "op", op, "path", path)
		c.pool.flush()
		if cn, err = c.pool.get(ctx, false); err != nil {
			return describe(err, op, path)
		}
		err = f(cn)
		c.pool.put(cn)
	}
	return describe(err, op, path)
}

// change sends a request that changes the catalogue. After a refusal the
// connection's database transaction may hold half of the change, which the
// next change on that connection would commit; so it is rolled back.
func (c *Client) change(ctx context.Context, op, path string, again repeat, req *request) (*reply, error) {
	var rep *reply
	err := c.with(ctx, op, path, again, func(cn *conn) error {
		var err error
		rep, err = cn.exchange(ctx, req, nil)
		if err == nil && rep.status < 0 {
			err = statusError(rep)
			cn.rollback(ctx, c.Home())
		}
		return err
	})
	return rep, err
}

// now is the time for timeouts; they follow the machine's clock.
func now() time.Time { return time.Now() }
