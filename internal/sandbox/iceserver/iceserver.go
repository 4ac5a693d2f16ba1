// Package iceserver is the server side of the Ice protocol, for the sandbox
// and for tests: it accepts connections, hands requests to a handler, and
// refuses what a real Ice server refuses.
package iceserver

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"omerods/internal/ice"
)

// Handler answers a request. It is called concurrently, also for one
// connection. The server sets the id of the reply; nil stands for none, and
// for a request without an id the result is dropped. ctx ends with the
// connection.
type Handler func(ctx context.Context, c *Conn, req *ice.Request) *ice.Reply

// Config says how a Server behaves.
type Config struct {
	Handler         Handler
	TLS             *tls.Config  // nil for plain connections
	MaxMessageBytes int          // 0 for 64 MiB; a larger message ends its connection
	MaxConcurrent   int          // requests of one connection at a time, 0 for 100
	Logger          *slog.Logger // nil for none

	// HeartbeatInterval is after how long without a message one is sent to a
	// client whose request is being executed; 0 stands for 30 s.
	HeartbeatInterval time.Duration

	// IdleTimeout is after how long without a message a connection ends, when
	// no request is being executed; 0 stands for never.
	IdleTimeout time.Duration
}

const (
	defaultMaxMessageBytes = 64 << 20
	defaultMaxConcurrent   = 100
	defaultHeartbeat       = 30 * time.Second
)

// Server serves Ice connections.
type Server struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // connections and Serve calls

	mu        sync.Mutex // guards the fields below
	closed    bool
	listeners map[net.Listener]bool
	conns     map[*Conn]bool
}

// New returns a server that is not yet serving.
func New(cfg Config) *Server {
	if cfg.MaxMessageBytes == 0 {
		cfg.MaxMessageBytes = defaultMaxMessageBytes
	}
	if cfg.MaxConcurrent == 0 {
		cfg.MaxConcurrent = defaultMaxConcurrent
	}
	if cfg.HeartbeatInterval == 0 {
		cfg.HeartbeatInterval = defaultHeartbeat
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, listeners: make(map[net.Listener]bool), conns: make(map[*Conn]bool)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve accepts connections until Close, and then returns nil. It closes the
// listener. Several listeners can be served at once.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, false) }

// ServeWebSocket is Serve for clients that come by WebSocket, or by WebSocket
// over TLS when the server has it.
func (s *Server) ServeWebSocket(l net.Listener) error { return s.serve(l, true) }

func (s *Server) serve(l net.Listener, webSocket bool) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		l.Close()
		return nil
	}
	s.listeners[l] = true
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	defer l.Close()
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		s.start(nc, webSocket)
	}
}

// start serves a connection in the background.
func (s *Server) start(nc net.Conn, webSocket bool) {
	c := newConn(s, nc, webSocket)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		nc.Close()
		return
	}
	s.conns[c] = true
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		c.serve()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
}

// Close ends all connections, telling the clients, and waits for the handlers.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
	}
	conns := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	var ending sync.WaitGroup
	for _, c := range conns {
		ending.Go(c.shutdown)
	}
	ending.Wait()
	s.cancel()
	s.wg.Wait()
}
