package omero

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// TLSMode says how the server proves who it is.
type TLSMode string

// The modes of [TLS].
const (
	// TLSVerify asks for a certificate of the host name that the system's or
	// the given authorities vouch for.
	TLSVerify TLSMode = "verify"
	// TLSAuthority asks for a certificate that a given file vouches for, with
	// any host name: those that "omero certificates" makes have none.
	TLSAuthority TLSMode = "authority"
	// TLSPinned asks for a known public key.
	TLSPinned TLSMode = "pinned"
	// TLSInsecure takes any certificate.
	TLSInsecure TLSMode = "insecure"
)

// TLS says how the server proves who it is. The zero value is TLSVerify with
// the system's authorities.
type TLS struct {
	Mode TLSMode
	// CAFile holds certificates in PEM form, for TLSVerify and TLSAuthority.
	CAFile string
	// Key is the SHA-256 of the server's public key (its SubjectPublicKeyInfo)
	// in hex, for TLSPinned. It stays the same when a certificate is renewed.
	Key string
}

// config makes the settings for connections to host.
func (t TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	var roots *x509.CertPool
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificates: %w", err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificates: none in %s", t.CAFile)
		}
	}
	switch t.Mode {
	case TLSVerify, "":
		c.RootCAs = roots
	case TLSAuthority:
		if roots == nil {
			return nil, errors.New("certificates: no file of authorities given")
		}
		c.InsecureSkipVerify = true // the chain is checked below, without a name
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, roots) }
	case TLSPinned:
		want, err := hex.DecodeString(strings.ToLower(strings.ReplaceAll(t.Key, ":", "")))
		if err != nil || len(want) != sha256.Size {
			return nil, errors.New("pinned key: not a SHA-256 in hex")
		}
		c.InsecureSkipVerify = true // the key is checked below
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyKey(s, want) }
	case TLSInsecure:
		c.InsecureSkipVerify = true
	default:
		return nil, fmt.Errorf("TLS mode %q is none", t.Mode)
	}
	return c, nil
}

func verifyChain(s tls.ConnectionState, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	if _, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}

func verifyKey(s tls.ConnectionState, want []byte) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	got := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
	if subtle.ConstantTimeCompare(got[:], want) != 1 {
		return fmt.Errorf("the server's public key is another one than omero-key says: its SHA-256 is %x; "+
			"unless the administrators confirm that it was changed, somebody may be in between", got)
	}
	return nil
}
