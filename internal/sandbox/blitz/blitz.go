// Package blitz is the OMERO server of the sandbox: the Glacier2 router, the
// sessions and the services, over package store and package hql.
//
// It speaks to any OMERO client and knows none: requests, refusals and side
// effects follow OMERO 5.6. What a request may see and change depends on its
// session, the entry omero.group of its context, and the permissions of
// groups (caller.go, permissions.go). Services are tables of operations
// (services.go); those for files and images register from outside.
package blitz

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
	"omerods/internal/sandbox/store"
)

// Config says what a server serves.
type Config struct {
	Store *store.Store
	// Definitions are those the store was opened with.
	Definitions *ice.Definitions
	// Dir holds binary files; empty means a temporary folder that Close
	// removes.
	Dir    string
	Logger *slog.Logger // nil for none
	// TLS is what Serve encrypts with; nil serves plain tcp.
	TLS *tls.Config
	// Version is what IConfig.getVersion answers; empty means a current one.
	Version string
	// IdleTimeout ends sessions that nobody uses; 0 means ten minutes.
	IdleTimeout time.Duration
	// BinaryAccess is the policy by which original files may be read:
	// "+read,+write,+image" when empty, as OMERO has it.
	BinaryAccess string
	// Settings are further answers of IConfig.getConfigValue.
	Settings map[string]string
	// Fault is asked about each request; nil means none.
	Fault FaultFunc
	// RootPassword is that of the user root when the store has none yet; empty
	// means "omero".
	RootPassword string
}

// Fault is what happens to a request in a test of crashes.
type Fault int

// The faults. A dropped connection ends without a word.
const (
	FaultNone   Fault = iota
	FaultBefore       // drop the connection instead of executing the request
	FaultAfter        // execute the request, drop the connection instead of answering
)

// FaultFunc decides about the n-th request, counted from 1, to an operation
// named like "IUpdate.saveAndReturnIds".
type FaultFunc func(op string, n int64) Fault

// Server is an OMERO server.
type Server struct {
	cfg     Config
	store   *store.Store
	defs    *ice.Definitions
	log     *slog.Logger
	dir     string
	tempDir bool
	ice     *iceserver.Server
	secrets *secrets

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // background work of requests, and the reaper

	mu        sync.Mutex // guards the fields below
	port      int
	services  map[string]*Service      // by name
	getters   map[string]*Service      // by operation of the ServiceFactory
	globals   map[ice.Identity]*object // objects of no session
	requests  map[string]RequestFunc   // by class of the request
	sessions  map[string]*Session      // by uuid
	counts    map[string]int64         // requests by operation
	callbacks map[string]*link         // clients by the category of their callbacks
	closed    bool
}

const (
	defaultVersion     = "5.6.18-ice36"
	defaultIdleTimeout = 10 * time.Minute
	reapInterval       = 5 * time.Second
)

// New returns a server that does not serve yet.
func New(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, store: cfg.Store, defs: cfg.Definitions, log: cfg.Logger, dir: cfg.Dir,
		services: make(map[string]*Service), getters: make(map[string]*Service), globals: make(map[ice.Identity]*object),
		requests: make(map[string]RequestFunc), sessions: make(map[string]*Session), counts: make(map[string]int64),
		callbacks: make(map[string]*link),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.cfg.Version == "" {
		s.cfg.Version = defaultVersion
	}
	if s.cfg.IdleTimeout == 0 {
		s.cfg.IdleTimeout = defaultIdleTimeout
	}
	if s.cfg.BinaryAccess == "" {
		s.cfg.BinaryAccess = "+read,+write,+image"
	}
	if cfg.Dir != "" {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("sandbox folder: %w", err)
		}
	}
	var err error
	if s.secrets, err = openSecrets(cfg.Dir, cfg.RootPassword); err != nil {
		return nil, err
	}
	if err := s.closeStale(); err != nil {
		return nil, err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "omerods-sandbox-"); err != nil {
			return nil, fmt.Errorf("sandbox folder: %w", err)
		}
		s.tempDir = true
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.ice = iceserver.New(iceserver.Config{Handler: s.handle, TLS: cfg.TLS, Logger: s.log})
	s.registerServices()
	s.wg.Add(1)
	go s.reap()
	return s, nil
}

// Store returns the objects of the server.
func (s *Server) Store() *store.Store { return s.store }

// Definitions returns the Slice definitions.
func (s *Server) Definitions() *ice.Definitions { return s.defs }

// Dir returns the folder of the binary files.
func (s *Server) Dir() string { return s.dir }

// Serve accepts connections until Close, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		s.mu.Lock()
		s.port = a.Port
		s.mu.Unlock()
	}
	return s.ice.Serve(l)
}

// Close ends all connections and sessions and waits for what they started. The
// store stays open.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.ice.Close()
	for _, sess := range s.allSessions() {
		s.end(sess)
	}
	s.wg.Wait()
	if s.tempDir {
		return os.RemoveAll(s.dir)
	}
	return nil
}

// background runs fn until it returns; its context ends with the server. It
// reports false when the server is closing.
func (s *Server) background(fn func(ctx context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		fn(s.ctx)
	}()
	return true
}

// count returns how often an operation was called, this time included.
func (s *Server) count(op string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[op]++
	return s.counts[op]
}

// proxy returns a proxy for an identity. Clients send its endpoint back and
// never dial it.
func (s *Server) proxy(id ice.Identity) *ice.Proxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &ice.Proxy{Identity: id, Endpoints: []ice.Endpoint{ice.NewTCPEndpoint(ice.EndpointTCP, "127.0.0.1", s.port)}}
}

var errClosing = errors.New("server is shutting down")
