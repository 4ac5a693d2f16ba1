package omero_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/store"
)

// selfSigned makes a certificate that signs itself, with the given DNS names.
func selfSigned(t *testing.T, names ...string) (cert tls.Certificate, file, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	check(t, err)
	leaf, err := x509.ParseCertificate(der)
	check(t, err)
	cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return cert, pemFile(t, cert), hex.EncodeToString(sum[:])
}

// pemFile writes a certificate into a file.
func pemFile(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.crt")
	check(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600))
	return file
}

// The certificates that "omero certificates" makes have no host name in them:
// only those who know the certificate or its key may trust it.
func TestWhoseCertificateIsTrusted(t *testing.T) {
	plain, plainFile, plainKey := selfSigned(t)
	named, namedFile, _ := selfSigned(t, "localhost")
	_, otherFile, otherKey := selfSigned(t, "localhost")
	for _, tt := range []struct {
		name string
		cert tls.Certificate
		tls  omero.TLS
		ok   bool
	}{
		{"named, known", named, omero.TLS{CAFile: namedFile}, true},
		{"named, unknown", named, omero.TLS{}, false},
		{"named, another's", named, omero.TLS{CAFile: otherFile}, false},
		{"nameless, known", plain, omero.TLS{Mode: omero.TLSVerify, CAFile: plainFile}, false},
		{"nameless, authority", plain, omero.TLS{Mode: omero.TLSAuthority, CAFile: plainFile}, true},
		{"nameless, another authority", plain, omero.TLS{Mode: omero.TLSAuthority, CAFile: otherFile}, false},
		{"pinned", plain, omero.TLS{Mode: omero.TLSPinned, Key: plainKey}, true},
		{"pinned to another", plain, omero.TLS{Mode: omero.TLSPinned, Key: otherKey}, false},
		{"insecure", plain, omero.TLS{Mode: omero.TLSInsecure}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st, err := store.Open(store.Config{Definitions: slice.Definitions()})
			check(t, err)
			b, err := blitz.New(blitz.Config{Store: st, Definitions: slice.Definitions(), Dir: t.TempDir(), RootPassword: "pw",
				TLS: &tls.Config{Certificates: []tls.Certificate{tt.cert}}})
			check(t, err)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			check(t, err)
			served := make(chan error, 1)
			go func() { served <- b.Serve(l) }()
			defer func() { check(t, errors.Join(b.Close(), <-served, st.Close())) }()
			_, port, err := net.SplitHostPort(l.Addr().String())
			check(t, err)
			c, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{"localhost:" + port}, TLS: tt.tls, User: "root", Password: "pw"})
			if (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if err == nil {
				check(t, c.Close())
			} else if !errors.Is(err, omero.Offline) {
				t.Errorf("got %v, want an Offline", err)
			}
		})
	}
}
