package omero_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/internal/omero"
)

// tlsServer accepts connections, does the handshake and says no more. It
// returns its port.
func tlsServer(t *testing.T, cfg *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				if err := tls.Server(conn, cfg).HandshakeContext(t.Context()); err != nil {
					return // as the test wants it
				}
				_, _ = io.Copy(io.Discard, conn) // until the client leaves
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	_, port, err := net.SplitHostPort(l.Addr().String())
	check(t, err)
	return port
}

// certificate signs a certificate with itself, or with the authority when there
// is one, and returns it with the SHA-256 of its public key.
func certificate(t *testing.T, authority *tls.Certificate, change func(*x509.Certificate)) (tls.Certificate, string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, DNSNames: []string{"localhost"}}
	change(template)
	parent, signer := template, any(private)
	if authority != nil {
		parent, err = x509.ParseCertificate(authority.Certificate[0])
		check(t, err)
		signer = authority.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, signer)
	check(t, err)
	leaf, err := x509.ParseCertificate(der)
	check(t, err)
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, hex.EncodeToString(sum[:])
}

// refusal connects to a port of localhost and returns the error.
func refusal(t *testing.T, port string, how omero.TLS) error {
	t.Helper()
	c, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{"localhost:" + port}, TLS: how, User: "u", Password: "p", ConnectTimeout: 5 * time.Second})
	if err == nil {
		check(t, c.Close())
		t.Fatal("connected")
	}
	if !errors.Is(err, omero.Offline) {
		t.Errorf("got %v, want an Offline", err)
	}
	return err
}

func says(t *testing.T, name string, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: got %q, want %q in it", name, err, w)
		}
	}
}

// Whoever is refused learns which setting helps, and the key to be compared.
func TestAdviceOnCertificates(t *testing.T) {
	nothing := func(*x509.Certificate) {}
	authority, _ := certificate(t, nil, func(c *x509.Certificate) { c.Subject.CommonName, c.IsCA, c.DNSNames = "Our lab's CA", true, nil })
	caFile := pemFile(t, authority)
	for _, tt := range []struct {
		name   string
		signer *tls.Certificate
		change func(*x509.Certificate)
		how    omero.TLS
		words  []string
	}{
		{"unknown, self-signed", nil, nothing, omero.TLS{}, []string{"itself", "omero-ca-file", "omero-key"}},
		{"unknown authority", &authority, nothing, omero.TLS{}, []string{"Our lab's CA", "omero-ca-file", "omero-key"}},
		{"unknown to the file", nil, nothing, omero.TLS{Mode: omero.TLSAuthority, CAFile: caFile}, []string{"omero-ca-file", "omero-key"}},
		{"no name", &authority, func(c *x509.Certificate) { c.DNSNames = nil }, omero.TLS{CAFile: caFile},
			[]string{"subjectAltName", `"localhost"`, "omero-any-name", "omero-key"}},
		{"another name", &authority, func(c *x509.Certificate) { c.DNSNames = []string{"omero.example.org"} }, omero.TLS{CAFile: caFile},
			[]string{"omero.example.org", "not for localhost", "omero-server", "omero-any-name", "omero-key"}},
		{"expired", &authority, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, omero.TLS{CAFile: caFile},
			[]string{"expired", "renew", "omero-key"}},
		{"expired, any name", &authority, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
			omero.TLS{Mode: omero.TLSAuthority, CAFile: caFile}, []string{"expired", "omero-key"}},
		{"of the future", &authority, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }, omero.TLS{CAFile: caFile},
			[]string{"clock", "omero-key"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert, key := certificate(t, tt.signer, tt.change)
			port := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{cert}})
			says(t, tt.name, refusal(t, port, tt.how), append(tt.words, key)...)
		})
	}
	cert, key := certificate(t, nil, nothing)
	err := refusal(t, tlsServer(t, &tls.Config{Certificates: []tls.Certificate{cert}}), omero.TLS{Mode: omero.TLSPinned, Key: strings.Repeat("ab", 32)})
	says(t, "pinned to another", err, "omero-key", key)
}

func TestAdviceOnOldProtocols(t *testing.T) {
	cert, _ := certificate(t, nil, func(*x509.Certificate) {})
	port := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	says(t, "TLS 1.1", refusal(t, port, omero.TLS{}), "TLS 1.0 or 1.1", "IceSSL.Protocols")
}

func TestAdviceOnAPortWithoutTLS(t *testing.T) {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(common.addr, "tcp://"))
	check(t, err)
	says(t, "no TLS", refusal(t, port, omero.TLS{}), "does not speak TLS", "4064")
}

// openssl runs a server of OpenSSL until the end of the test and returns its
// port.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...)...)
	in, err := cmd.StdinPipe() // it ends with its input
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	lines := bufio.NewScanner(out)
	var wg sync.WaitGroup
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		_ = cmd.Wait() // it was killed
	})
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			wg.Go(func() { _, _ = io.Copy(io.Discard, out) }) // until it is killed
			_, port, err := net.SplitHostPort(address)
			check(t, err)
			return port
		}
	}
	t.Fatalf("openssl %v does not listen", args)
	return ""
}

// OMERO servers without a certificate offer anonymous ciphers only.
func TestAdviceOnAnonymousCiphers(t *testing.T) {
	for name, args := range map[string][]string{
		"TLS 1.2":   {"-nocert", "-cipher", "ADH:@SECLEVEL=0", "-no_tls1_3"},
		"AES-256":   {"-nocert", "-cipher", "ADH-AES256-SHA:@SECLEVEL=0", "-no_tls1_3"},
		"with ECDH": {"-nocert", "-cipher", "AECDH:@SECLEVEL=0", "-no_tls1_3"},
	} {
		err := refusal(t, openssl(t, args...), omero.TLS{Mode: omero.TLSInsecure})
		says(t, name, err, "anonymous", "omero certificates", "omero-key", "wss://")
	}
	// Another disagreement is not taken for that.
	err := refusal(t, openssl(t, "-nocert", "-cipher", "PSK:@SECLEVEL=0", "-no_tls1_3", "-psk", "00112233"), omero.TLS{Mode: omero.TLSInsecure})
	says(t, "PSK", err, "both sides", "handshake failure")
	if strings.Contains(err.Error(), "anonymous") {
		t.Errorf("got %v", err)
	}
}
