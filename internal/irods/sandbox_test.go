package irods_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/irods/realzone"
	"omerods/internal/relay"
	"omerods/internal/sandbox/irodsd"
)

const secret = "correct horse battery"

// admin is how a test changes a zone beside the client.
type admin interface {
	AddGroup(ctx context.Context, name string) error
	AddToGroup(ctx context.Context, group, user string) error
	MakeCollection(ctx context.Context, path, owner string) error
	PutObject(ctx context.Context, path, owner string, r io.Reader) error
	SetAccess(ctx context.Context, path, user, level string) error
	SetQuota(ctx context.Context, group, resource string, bytes int64) error
}

type zone struct {
	admin
	port int
	real *realzone.Zone // nil for the sandbox
}

// Where the zone of the running test has what belongs to alice and to bob.
var home, homeOfBob = "/tempZone/home/alice", "/tempZone/home/bob"

// anyZone is the sandbox's zone, or a real one when the tests were told of it.
func anyZone(t *testing.T) *zone {
	t.Helper()
	real := realzone.Open(t)
	if real == nil {
		return serve(t)
	}
	home, homeOfBob = real.Fresh(t, "alice"), real.Fresh(t, "bob")
	cfg := real.Config("alice")
	return &zone{admin: real, port: cfg.Port, real: real}
}

// as is the setting of a client that another user has.
func (z *zone) as(user string) func(*irods.Config) {
	return func(c *irods.Config) {
		if z.real != nil {
			c.ClientUser = user
		} else {
			c.User = user
		}
	}
}

// serve starts a server with the users alice and bob, whose password is
// secret.
func serve(t *testing.T, change ...func(*irodsd.Config)) *zone {
	t.Helper()
	cfg := irodsd.Config{StateDir: t.TempDir(), AdminPassword: "admin-" + secret}
	for _, f := range change {
		f(&cfg)
	}
	s, err := irodsd.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close server: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	for _, user := range []string{"alice", "bob"} {
		if err := s.AddUser(t.Context(), user, "rodsuser", secret); err != nil {
			t.Fatal(err)
		}
	}
	home, homeOfBob = "/tempZone/home/alice", "/tempZone/home/bob"
	return &zone{admin: s, port: l.Addr().(*net.TCPAddr).Port}
}

func (z *zone) config() irods.Config {
	if z.real != nil {
		return z.real.Config("alice")
	}
	return irods.Config{Host: "127.0.0.1", Port: z.port, User: "alice", Zone: "tempZone", Password: secret}
}

func (z *zone) client(t *testing.T, change ...func(*irods.Config)) *irods.Client {
	t.Helper()
	cfg := z.config()
	for _, f := range change {
		f(&cfg)
	}
	c, err := irods.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// relay stands before the zone: it counts and breaks.
func (z *zone) relay(t *testing.T) *relay.Relay {
	t.Helper()
	r, err := relay.Listen(net.JoinHostPort("127.0.0.1", strconv.Itoa(z.port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// wiretap passes bytes on to a port and keeps them.
type wiretap struct {
	port int
	mu   sync.Mutex // guards the field below
	seen bytes.Buffer
}

func newWiretap(t *testing.T, to int) *wiretap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wiretap{port: l.Addr().(*net.TCPAddr).Port}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: to})
			if err != nil {
				_ = in.Close()
				continue
			}
			for _, p := range [][2]net.Conn{{in, out}, {out, in}} {
				wg.Go(func() {
					_, _ = io.Copy(p[0], io.TeeReader(p[1], w))
					_ = p[0].Close()
					_ = p[1].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait() // the clients of the test are closed by then
	})
	return w
}

func (w *wiretap) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.Write(p)
}

func (w *wiretap) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.seen.Bytes())
}

// certificate makes a server certificate for a name and its file.
func certificate(t *testing.T, name string) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

func ctxFor(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
