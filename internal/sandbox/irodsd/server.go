// Package irodsd is the sandbox's iRODS server: a catalogue in SQLite, a vault
// in a folder, and the iRODS protocol in XML mode on a socket, answering as a
// 5.x catalogue provider with strict access control does. It is for the demo
// and for tests, not for keeping data.
package irodsd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// Policy is what the server asks for when a client negotiates encryption.
type Policy string

// The three policies of client-server negotiation.
const (
	Refuse   Policy = "CS_NEG_REFUSE"
	DontCare Policy = "CS_NEG_DONT_CARE"
	Require  Policy = "CS_NEG_REQUIRE"
)

// Release is what the server says it is, unless its configuration says
// otherwise. Clients choose features by it.
const Release = "rods5.0.2"

// Config is what a server needs. StateDir and AdminPassword are required.
type Config struct {
	StateDir      string // catalogue and vault; made if missing
	Zone          string // default tempZone
	Resource      string // default demoResc
	AdminUser     string // default rods
	AdminPassword string // of a new catalogue
	Host          string // location text of the resource; default localhost
	Release       string // what clients are told; default Release

	Logger      *slog.Logger
	TLS         *tls.Config // certificate; needed for policies other than Refuse
	Negotiation Policy      // default Refuse
	Clock       func() time.Time

	// PAM checks a user's password for the scheme pam_password. Without it
	// the user's own password counts.
	PAM func(user, password string) bool

	// Fault is asked before each request; n counts the server's requests
	// from 1.
	Fault func(api int, n int64) Fault
}

// Fault is what a test wants to happen at one request.
type Fault struct {
	Delay      time.Duration // before anything else
	DropBefore bool          // the connection ends, the request has no effect
	DropAfter  bool          // the request takes effect, its reply is never sent
	Code       status.Code   // not 0: the answer, without any effect
	Flip       bool          // the first byte of what the request carries arrives changed
}

func (c *Config) fill() error {
	if c.StateDir == "" {
		return errors.New("irods sandbox: StateDir is required")
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&c.Zone, "tempZone"}, {&c.Resource, "demoResc"}, {&c.AdminUser, "rods"}, {&c.Host, "localhost"}, {&c.Release, Release}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	switch c.Negotiation {
	case "":
		c.Negotiation = Refuse
	case Refuse:
	case DontCare, Require:
		if c.TLS == nil {
			return errors.New("irods sandbox: negotiation without a certificate")
		}
	default:
		return fmt.Errorf("irods sandbox: unknown negotiation policy %q", c.Negotiation)
	}
	return nil
}

// Server is one iRODS server. Its methods may be called at any time.
type Server struct {
	cfg   Config
	log   *slog.Logger
	cat   *catalog.Catalog
	vault vault
	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	count atomic.Int64 // requests so far
	full  atomic.Bool  // see SetFull
	wg    sync.WaitGroup

	mu        sync.Mutex // guards the fields below
	closed    bool
	listeners map[net.Listener]bool
	conns     map[net.Conn]bool

	writers writers
}

// New opens the state of a server, or makes it when the folder is new.
func New(cfg Config) (*Server, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	vaultDir, err := filepath.Abs(filepath.Join(cfg.StateDir, "vault"))
	if err != nil {
		return nil, fmt.Errorf("irods sandbox: %w", err)
	}
	if err := os.MkdirAll(vaultDir, 0o700); err != nil {
		return nil, fmt.Errorf("irods sandbox: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cat, err := catalog.Open(ctx, filepath.Join(cfg.StateDir, "catalog.db"), cfg.Zone, cfg.Clock)
	if err != nil {
		stop()
		return nil, fmt.Errorf("irods sandbox: %w", err)
	}
	seed := catalog.Seed{
		AdminUser: cfg.AdminUser, AdminPassword: cfg.AdminPassword,
		Resource: cfg.Resource, Host: cfg.Host, Vault: filepath.Join(vaultDir, cfg.Resource),
	}
	if err := cat.Bootstrap(ctx, seed); err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("irods sandbox: %w", err), cat.Close())
	}
	return &Server{
		cfg: cfg, log: cfg.Logger, cat: cat, vault: vault{root: vaultDir}, ctx: ctx, stop: stop,
		listeners: make(map[net.Listener]bool), conns: make(map[net.Conn]bool),
		writers: writers{open: make(map[int64]*writing)},
	}, nil
}

// Serve answers connections until the listener fails or the server is closed,
// which is no error. It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = l.Close()
		return nil
	}
	s.listeners[l] = true
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	defer func() {
		_ = l.Close()
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("irods sandbox: accept: %w", err)
		}
		if !s.track(c) {
			_ = c.Close()
			return nil
		}
		go func() {
			defer s.wg.Done()
			defer s.untrack(c)
			newSession(s, c).run()
		}()
	}
}

// track registers a connection so that Close ends it; false after Close.
func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = true
	s.wg.Add(1)
	return true
}

func (s *Server) untrack(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Close ends all connections, waits for them and closes the catalogue.
// Objects open for writing end stale, as when their connection drops.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.wg.Wait()
		return nil
	}
	s.closed = true
	s.stop() // first, so that a failing accept knows why
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if err := s.cat.Close(); err != nil {
		return fmt.Errorf("irods sandbox: close catalogue: %w", err)
	}
	return nil
}
