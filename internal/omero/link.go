package omero

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"omerods/internal/ice"
)

// Context entries of OMERO's requests.
const (
	ctxClient  = "omero.client.uuid"
	ctxSession = "omero.session.uuid"
	ctxGroup   = "omero.group"
	ctxAgent   = "omero.agent"
)

// A service is one of the stateless services of a session.
type service struct {
	iface  string // its type id
	getter string // the operation of the session that returns it
}

var (
	queryService  = service{"::omero::api::IQuery", "getQueryService"}
	updateService = service{"::omero::api::IUpdate", "getUpdateService"}
	adminService  = service{"::omero::api::IAdmin", "getAdminService"}
	configService = service{"::omero::api::IConfig", "getConfigService"}
)

const factoryInterface = "::omero::api::ServiceFactory"

// link is one connection with the session on it. It is never repaired: when it
// breaks, the client makes another one.
type link struct {
	conn  *ice.Conn
	sess  *ice.Session
	uuid  string // of the OMERO session
	joins bool   // a session of somebody else, to be left open
	fixed bool   // calls cannot leave the group of the session

	mu       sync.Mutex // guards the fields below; never held during a call
	services map[service]*ice.Proxy
	repo     *ice.Proxy // the managed repository
	broken   bool
}

// alive says whether calls over the link have a chance.
func (l *link) alive() bool {
	select {
	case <-l.conn.Done():
		return false
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.broken
}

// fail marks the link as useless and closes its connection.
func (l *link) fail() {
	l.mu.Lock()
	first := !l.broken
	l.broken = true
	l.mu.Unlock()
	if first {
		// The connection is of no use any more; how closing it ends is not news.
		_ = l.conn.Close()
	}
}

// proxy returns the proxy of a service, asking for it once per link.
func (l *link) proxy(ctx context.Context, s service) (*ice.Proxy, error) {
	l.mu.Lock()
	p := l.services[s]
	l.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := l.open(ctx, s.getter)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.services[s] = p
	l.mu.Unlock()
	return p, nil
}

// open calls an operation of the session that returns a proxy. That may be
// repeated: an object that nobody learned of goes with its session.
func (l *link) open(ctx context.Context, op string, args ...any) (*ice.Proxy, error) {
	res, err := l.sess.CallName(ctx, l.sess.Proxy(), factoryInterface, op, l.requestContext(ctx), args...)
	if err != nil {
		if dead, _ := linkLost(err); dead {
			l.fail()
			return nil, &Error{Class: Offline, Op: op, Err: err}
		}
		return nil, err
	}
	p, ok := res[0].(*ice.Proxy)
	if !ok || p == nil {
		return nil, fmt.Errorf("%s: the server gave no object", op)
	}
	return p, nil
}

// requestContext is what a call adds to the context of the session.
func (l *link) requestContext(ctx context.Context) map[string]string {
	g, ok := groupOf(ctx)
	if !ok || l.fixed && g == AllGroups {
		return nil
	}
	return map[string]string{ctxGroup: strconv.FormatInt(g, 10)}
}

// dial connects to the first address that answers and logs in.
func (c *Client) dial(ctx context.Context) (*link, error) {
	var errs []error
	for _, a := range c.addresses {
		l, err := c.dialOne(ctx, a)
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
		if errors.Is(err, LoginFailed) || errors.Is(err, Denied) || ctx.Err() != nil {
			break // the same account is asked for everywhere: never try it twice
		}
	}
	return nil, errors.Join(errs...)
}

func (c *Client) dialOne(ctx context.Context, a ice.Address) (*link, error) {
	op := fmt.Sprintf("connect to %s:%d", a.Host, a.Port)
	ctx, cancel := context.WithTimeout(ctx, c.cfg.ConnectTimeout)
	defer cancel()
	var tc *tls.Config
	if a.Scheme == "ssl" || a.Scheme == "wss" {
		var err error
		if tc, err = c.cfg.TLS.config(a.Host); err != nil {
			return nil, &Error{Class: Invalid, Op: op, Err: err}
		}
	}
	conn, err := ice.Dial(ctx, a, ice.DialOptions{
		TLS: tc, ConnectTimeout: c.cfg.ConnectTimeout, HeartbeatInterval: heartbeat, Logger: c.log,
	})
	if err != nil {
		return nil, &Error{Class: Offline, Op: op, Message: c.tlsFailure(ctx, a, err), Err: err}
	}
	l, err := c.login(ctx, conn)
	if err != nil {
		return nil, errors.Join(wrapLogin(op, err), ignoreClosed(conn.Close()))
	}
	return l, nil
}

// heartbeat keeps routers and proxies in between from closing a quiet line;
// common reverse proxies do so after 60 s.
const heartbeat = 25 * time.Second

// ignoreClosed drops the result of closing a connection that failed before.
func ignoreClosed(error) error { return nil }

// wrapLogin keeps wrong passwords apart from a server that does not answer.
func wrapLogin(op string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Class: Offline, Op: op, Err: err}
	}
	return wrap(op, err)
}

// login makes a session on conn. A server that is starting up, or busy, says
// how long to wait.
func (c *Client) login(ctx context.Context, conn *ice.Conn) (*link, error) {
	client, err := newUUID()
	if err != nil {
		return nil, err
	}
	cred := ice.Credentials{User: c.cfg.User, Password: c.cfg.Password,
		Context: map[string]string{ctxClient: client, ctxAgent: c.cfg.Agent}}
	key := c.cfg.SessionKey
	if c.sudo != nil {
		if key, err = c.sudo.session(ctx); err != nil {
			return nil, err
		}
	}
	if key != "" {
		cred.User, cred.Password = key, key
	}
	if c.cfg.Group != "" {
		cred.Context[ctxGroup] = c.cfg.Group
	}
	var sess *ice.Session
	for try := 1; ; try++ {
		sess, err = ice.Login(ctx, conn, c.defs, cred)
		if err == nil {
			break
		}
		err = withoutKey(wrap("log in", err), key)
		var e *Error
		if !errors.As(err, &e) || e.Class != Busy || try >= loginTries {
			return nil, err
		}
		if err := pause(ctx, clampWait(e.retryAfter)); err != nil {
			return nil, err
		}
	}
	l := &link{conn: conn, sess: sess, uuid: sess.Proxy().Identity.Name,
		joins: c.cfg.SessionKey != "", services: make(map[service]*ice.Proxy)}
	// What a group's owner gets for a member stays in the group.
	l.fixed = c.sudo != nil && !c.sudo.by.who.Admin
	sess.SetContext(map[string]string{ctxClient: client, ctxSession: l.uuid})
	if l.joins {
		// The key was given to be used again after this program ends.
		if _, err := sess.CallName(ctx, sess.Proxy(), factoryInterface, "detachOnDestroy", nil); err != nil {
			return nil, err
		}
	}
	return l, nil
}

const loginTries = 3

// withoutKey takes a session key, which servers repeat in their refusal, out
// of an error: whoever reads it could be the user.
func withoutKey(err error, key string) error {
	var e *Error
	if key == "" || !errors.As(err, &e) {
		return err
	}
	clean := &Error{Class: e.Class, Op: e.Op, Unsure: e.Unsure, retryAfter: e.retryAfter,
		Message: strings.ReplaceAll(e.Message, key, "…")}
	if e.Class == LoginFailed {
		clean.Message = "the session to be joined has ended, or is of another server (" + clean.Message + ")"
	}
	return clean
}

// clampWait bounds what a server asks a client to wait.
func clampWait(d time.Duration) time.Duration {
	return min(max(d, 100*time.Millisecond), 5*time.Second)
}

// pause waits, or returns earlier with the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// newUUID makes a random UUID.
func newUUID() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("random numbers: %w", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }
