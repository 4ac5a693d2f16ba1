// Package sandbox runs an OMERO server and an iRODS server on loopback, with
// sample data, for the demo and for tests. They speak the protocols of the
// real ones over real sockets; nothing here is used by the client code.
package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"omerods/internal/omero/slice"
	"omerods/internal/relay"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// Config says what to run. The zero value runs the sample study on free ports
// and forgets it at the end.
type Config struct {
	// StateDir keeps everything between runs; "" takes a folder that Close
	// removes.
	StateDir string
	// Images is a folder whose images become a project instead of the sample
	// study.
	Images string
	// Empty leaves the server without any study.
	Empty bool
	// BinaryAccess is OMERO's omero.policy.binary_access; "" means its default,
	// which keeps the original files of plates to the server.
	BinaryAccess string
	// OMEROPort and IRODSPort are the ports to listen on, 0 for free ones.
	OMEROPort, IRODSPort int
	Logger               *slog.Logger

	// OMEROFault and IRODSFault break connections on purpose; for tests.
	OMEROFault blitz.FaultFunc
	IRODSFault func(api int, n int64) irodsd.Fault
	// Relays puts a relay in front of each server, for tests. Addresses and
	// settings are theirs then.
	Relays bool
	// IRODSPlain lets the iRODS server refuse TLS, so that its relay can count
	// its requests.
	IRODSPlain bool
}

// Zone is the iRODS zone of the sandbox.
const Zone = "tempZone"

// User is somebody who can log in to both servers.
type User struct {
	Name, Password, Group string
}

// Sandbox is a running pair of servers.
type Sandbox struct {
	dir     string
	tempDir bool
	caFile  string

	omero      *blitz.Server
	omeroStore *store.Store
	files      *repository.Managed
	irods      *irodsd.Server
	listeners  []net.Listener
	served     chan error
	serving    int

	omeroPort, irodsPort   int
	omeroRelay, irodsRelay *relay.Relay
	plain                  bool
	users                  []User
	once                   sync.Once
	closeErr               error
	notes                  []sample.Note
}

// Start runs both servers until Close.
func Start(ctx context.Context, cfg Config) (_ *Sandbox, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sandbox{dir: cfg.StateDir, served: make(chan error, 2), plain: cfg.IRODSPlain}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "omerods-sandbox-"); err != nil {
			return nil, fmt.Errorf("sandbox folder: %w", err)
		}
		s.tempDir = true
	} else {
		// The settings name files in it, and are used from other folders.
		if s.dir, err = filepath.Abs(s.dir); err != nil {
			return nil, fmt.Errorf("sandbox folder: %w", err)
		}
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return nil, fmt.Errorf("sandbox folder: %w", err)
		}
	}
	cert, caFile, err := certificate(s.dir)
	if err != nil {
		return nil, err
	}
	s.caFile = caFile
	tlsConfig := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if err := s.startOMERO(ctx, cfg, tlsConfig); err != nil {
		return nil, fmt.Errorf("OMERO server: %w", err)
	}
	if err := s.startIRODS(ctx, cfg, tlsConfig); err != nil {
		return nil, fmt.Errorf("iRODS server: %w", err)
	}
	return s, nil
}

func (s *Sandbox) startOMERO(ctx context.Context, cfg Config, tlsConfig *tls.Config) error {
	var err error
	s.omeroStore, err = store.Open(store.Config{Dir: filepath.Join(s.dir, "omero", "store"), Definitions: slice.Definitions()})
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "omero", "data")
	s.files, err = repository.Open(data, s.omeroStore)
	if err != nil {
		return err
	}
	s.omero, err = blitz.New(blitz.Config{
		Store: s.omeroStore, Definitions: slice.Definitions(), Dir: filepath.Join(s.dir, "omero"),
		Logger: cfg.Logger, TLS: tlsConfig, Fault: cfg.OMEROFault, BinaryAccess: cfg.BinaryAccess,
	})
	if err != nil {
		return err
	}
	s.omero.ServeFiles(s.files)
	if err := s.fill(ctx, cfg); err != nil {
		return err
	}
	s.omeroPort, s.omeroRelay, err = s.serve(cfg.OMEROPort, cfg.Relays, s.omero.Serve)
	return err
}

// fill makes the sample study when the server is new.
func (s *Sandbox) fill(ctx context.Context, cfg Config) error {
	target := sample.Target{Store: s.omeroStore, Files: s.files, SetPassword: s.omero.SetPassword}
	seeded := filepath.Join(s.dir, "seeded")
	if _, err := os.Stat(seeded); errors.Is(err, os.ErrNotExist) {
		if err := s.fillNew(ctx, cfg, target); err != nil {
			return err
		}
		if err := os.WriteFile(seeded, nil, 0o600); err != nil {
			return err
		}
	}
	for _, a := range sample.Accounts(target) {
		s.users = append(s.users, User{Name: a.Name, Password: a.Password, Group: a.Group})
	}
	return nil
}

// fillNew makes the users and what they have.
func (s *Sandbox) fillNew(ctx context.Context, cfg Config, target sample.Target) error {
	if cfg.Images == "" && !cfg.Empty {
		_, err := sample.Load(ctx, target)
		return err
	}
	accounts, err := sample.People(ctx, target)
	if err != nil || cfg.Images == "" {
		return err
	}
	f, err := sample.FromFolder(ctx, target, cfg.Images, accounts[0].Name, accounts[0].Group)
	if err != nil {
		return err
	}
	s.notes = f.Notes
	return nil
}

func (s *Sandbox) startIRODS(ctx context.Context, cfg Config, tlsConfig *tls.Config) error {
	dir := filepath.Join(s.dir, "irods")
	_, statErr := os.Stat(dir)
	var err error
	policy := irodsd.DontCare
	if cfg.IRODSPlain {
		policy = irodsd.Refuse
	}
	s.irods, err = irodsd.New(irodsd.Config{
		StateDir: dir, Zone: Zone, AdminPassword: "rods", Logger: cfg.Logger,
		TLS: tlsConfig, Negotiation: policy, Fault: cfg.IRODSFault,
	})
	if err != nil {
		return err
	}
	if errors.Is(statErr, os.ErrNotExist) {
		for _, u := range s.users {
			if err := s.irods.AddUser(ctx, u.Name, "rodsuser", u.Password); err != nil {
				return err
			}
		}
	}
	s.irodsPort, s.irodsRelay, err = s.serve(cfg.IRODSPort, cfg.Relays, s.irods.Serve)
	return err
}

// serve listens on loopback and runs a server there, behind a relay if that is
// wanted. It returns the port that clients use.
func (s *Sandbox) serve(port int, relayed bool, run func(net.Listener) error) (int, *relay.Relay, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, nil, err
	}
	s.listeners = append(s.listeners, l)
	s.serving++
	go func() { s.served <- run(l) }()
	if !relayed {
		return l.Addr().(*net.TCPAddr).Port, nil, nil
	}
	r, err := relay.Listen(l.Addr().String())
	if err != nil {
		return 0, nil, err
	}
	return r.Port(), r, nil
}

// Close ends both servers and waits for that. It may be called again.
func (s *Sandbox) Close() error {
	s.once.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Sandbox) close() error {
	var errs []error
	for _, r := range []*relay.Relay{s.irodsRelay, s.omeroRelay} {
		if r != nil {
			r.Close()
		}
	}
	if s.irods != nil {
		errs = append(errs, s.irods.Close())
	}
	if s.omero != nil {
		errs = append(errs, s.omero.Close())
	}
	for _, l := range s.listeners {
		l.Close() // the servers have closed theirs
	}
	for range s.serving {
		if err := <-s.served; err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.files != nil {
		errs = append(errs, s.files.Close())
	}
	if s.omeroStore != nil {
		errs = append(errs, s.omeroStore.Close())
	}
	if s.tempDir {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// OMEROAddress is where the OMERO server listens, as a URL.
func (s *Sandbox) OMEROAddress() string { return fmt.Sprintf("ssl://localhost:%d", s.omeroPort) }

// IRODSPort is the port of the iRODS server on localhost.
func (s *Sandbox) IRODSPort() int { return s.irodsPort }

// OMERORelay and IRODSRelay are the relays in front of the servers, nil
// without [Config.Relays].
func (s *Sandbox) OMERORelay() *relay.Relay { return s.omeroRelay }

// IRODSRelay is described at OMERORelay.
func (s *Sandbox) IRODSRelay() *relay.Relay { return s.irodsRelay }

// CAFile holds the certificate of both servers, which signs itself.
func (s *Sandbox) CAFile() string { return s.caFile }

// Dir is where the sandbox keeps everything.
func (s *Sandbox) Dir() string { return s.dir }

// Users can log in to both servers.
func (s *Sandbox) Users() []User { return s.users }

// Notes say what was not imported of a folder of images.
func (s *Sandbox) Notes() []sample.Note { return s.notes }

// Store is the OMERO server's content, for tests that look behind the client.
func (s *Sandbox) Store() *store.Store { return s.omeroStore }

// IRODS is the iRODS server, for tests.
func (s *Sandbox) IRODS() *irodsd.Server { return s.irods }

// OMERO is the OMERO server, for tests.
func (s *Sandbox) OMERO() *blitz.Server { return s.omero }

// Files is the repository of the OMERO server.
func (s *Sandbox) Files() *repository.Managed { return s.files }
