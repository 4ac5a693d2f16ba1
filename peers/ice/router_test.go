//go:build peer

package ice_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/ice"
)

// world is Glacier2's router with a server behind it.
type world struct {
	t        *testing.T
	dir      string
	password string
	roots    *x509.CertPool
	settings map[string]string // of the router, beyond those of every test
	behind   *process          // the server
	server   int               // its port
	router   *process
	ports    map[string]int // of the router, by scheme
}

var schemes = []string{"ssl", "tcp", "ws", "wss"}

// newWorld starts both until the end of the test.
func newWorld(t *testing.T, settings map[string]string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), password: rand.Text(), settings: settings}
	w.roots = certificate(t, w.dir)
	w.behind = start(t, []string{"PEER_PASSWORD=" + w.password}, python, "server.py", "--Ice.ThreadPool.Server.Size=4",
		"--Ice.ThreadPool.Server.SizeMax=16", "--Ice.Plugin.IceSSL=IceSSL:createIceSSL",
		"--Ice.MessageSizeMax="+w.serverLimit())
	w.server = serverPort(t, w.behind)
	// Somebody else may take a free port before the router does.
	for range 5 {
		w.ports = freePorts(t)
		if w.startRouter() {
			return w
		}
	}
	t.Fatalf("the router did not start:\n%s", w.router.output())
	return nil
}

// serverPort waits until server.py is ready.
func serverPort(t *testing.T, server *process) int {
	t.Helper()
	line, ok := server.await("{")
	var at struct{ Port int }
	if !ok || json.Unmarshal([]byte(line), &at) != nil {
		t.Fatalf("the server did not start:\n%s", server.output())
	}
	return at.Port
}

// serverLimit is the size of a message that the server accepts, in KiB.
func (w *world) serverLimit() string {
	if n := w.settings["Ice.MessageSizeMax"]; n != "" {
		return n
	}
	return "65536"
}

// startRouter runs the router at the ports of w; false when it ends at once.
func (w *world) startRouter() bool {
	w.t.Helper()
	var at []string
	for _, s := range schemes {
		at = append(at, fmt.Sprintf("%s -h 127.0.0.1 -p %d", s, w.ports[s]))
	}
	cfg := map[string]string{
		"Glacier2.InstanceName":          "OMERO.Glacier2",
		"Glacier2.Client.Endpoints":      strings.Join(at, ":"),
		"Glacier2.Server.Endpoints":      "tcp -h 127.0.0.1",
		"Glacier2.PermissionsVerifier":   fmt.Sprintf("verifier:tcp -h 127.0.0.1 -p %d", w.server),
		"Glacier2.SessionManager":        fmt.Sprintf("manager:tcp -h 127.0.0.1 -p %d", w.server),
		"Glacier2.Client.ForwardContext": "1",
		"Glacier2.SessionTimeout":        "600",
		"Ice.MessageSizeMax":             "65536",
		"Ice.PrintAdapterReady":          "1",
		"Ice.Plugin.IceSSL":              "IceSSL:createIceSSL",
		"IceSSL.DefaultDir":              w.dir,
		"IceSSL.CertFile":                "server.crt",
		"IceSSL.KeyFile":                 "server.key",
		"IceSSL.VerifyPeer":              "0",
		"IceSSL.Protocols":               "TLS1_2,TLS1_3",
		"IceSSL.ProtocolVersionMax":      "TLS1_3",
		"Ice.ThreadPool.Server.SizeMax":  "8",
	}
	maps.Copy(cfg, w.settings)
	var text strings.Builder
	for _, k := range slices.Sorted(maps.Keys(cfg)) {
		fmt.Fprintf(&text, "%s=%s\n", k, cfg[k])
	}
	file := filepath.Join(w.dir, "router.cfg")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.router = start(w.t, nil, "glacier2router", "--Ice.Config="+file)
	_, ok := w.router.await("Glacier2.Client ready")
	return ok
}

// address is where the router listens.
func (w *world) address(scheme string) ice.Address {
	return ice.Address{Scheme: scheme, Host: "127.0.0.1", Port: w.ports[scheme]}
}

func (w *world) tls() *tls.Config {
	return &tls.Config{RootCAs: w.roots, MinVersion: tls.VersionTLS12}
}

// freePorts returns ports that nobody listens at.
func freePorts(t *testing.T) map[string]int {
	t.Helper()
	ports := make(map[string]int)
	for _, s := range schemes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[s] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// certificate makes server.crt and server.key in dir, signed by themselves.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"server.crt": {Type: "CERTIFICATE", Bytes: der}, "server.key": {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}
