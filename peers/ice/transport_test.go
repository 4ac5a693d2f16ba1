//go:build peer

package ice_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"

	"omerods/internal/ice"
)

// TestTransports makes calls over each transport, small and large ones, so
// that messages take several frames and records.
func TestTransports(t *testing.T) {
	w := newWorld(t, nil)
	for _, scheme := range schemes {
		for _, enc := range encodings {
			t.Run(scheme+" "+enc.String(), func(t *testing.T) {
				c := w.login(t, scheme, enc, ice.DialOptions{})
				for _, n := range []int{0, 1, 50, 80, 125, 126, 1000, 65480, 65535, 65536, 200000, 3 << 20} {
					want := pattern(n)
					if got := c.call("blob", int64(n))[0].([]byte); !bytes.Equal(got, want) {
						t.Errorf("%d bytes came back different", n)
					}
					if got := c.call("measure", want)[0]; got != int64(n) {
						t.Errorf("the server got %v bytes, want %d", got, n)
					}
				}
				sameLines(t, "graph", describe(c.call("echoNode", build(defs()))[0]), graphLines)
			})
		}
	}
}

// TestTLSVersions has one side or the other insist on a version.
func TestTLSVersions(t *testing.T) {
	rows := map[string]struct {
		settings map[string]string
		max      uint16
		want     uint16
	}{
		"both":                {nil, 0, tls.VersionTLS13},
		"client wants 1.2":    {nil, tls.VersionTLS12, tls.VersionTLS12},
		"router wants 1.2":    {map[string]string{"IceSSL.Protocols": "TLS1_2", "IceSSL.ProtocolVersionMax": "TLS1_2"}, 0, tls.VersionTLS12},
		"router wants 1.3":    {map[string]string{"IceSSL.Protocols": "TLS1_3"}, 0, tls.VersionTLS13},
		"as OMERO sets it up": {map[string]string{"IceSSL.Ciphers": "HIGH", "IceSSL.Protocols": "TLS1_0,TLS1_1,TLS1_2,TLS1_3"}, 0, tls.VersionTLS13},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, r.settings)
			for _, scheme := range []string{"ssl", "wss"} {
				version := uint16(0)
				cfg := w.tls()
				cfg.MaxVersion = r.max
				cfg.VerifyConnection = func(s tls.ConnectionState) error {
					version = s.Version
					return nil
				}
				c := w.login(t, scheme, ice.Encoding10, ice.DialOptions{TLS: cfg})
				if got := c.call("blob", int64(1<<20))[0].([]byte); len(got) != 1<<20 {
					t.Errorf("%s: got %d bytes", scheme, len(got))
				}
				if version != r.want {
					t.Errorf("%s: got %s, want %s", scheme, tls.VersionName(version), tls.VersionName(r.want))
				}
			}
		})
	}
}

func TestRefusedTLS(t *testing.T) {
	w := newWorld(t, map[string]string{"IceSSL.Protocols": "TLS1_3"})
	for _, scheme := range []string{"ssl", "wss"} {
		old := w.tls()
		old.MaxVersion = tls.VersionTLS12
		if _, err := ice.Dial(within(t), w.address(scheme), ice.DialOptions{TLS: old}); err == nil {
			t.Errorf("%s: a router with TLS 1.3 only accepts TLS 1.2", scheme)
		}
		stranger := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		_, err := ice.Dial(within(t), w.address(scheme), ice.DialOptions{TLS: stranger})
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			t.Errorf("%s: unknown certificate: got %v", scheme, err)
		}
		other := w.tls()
		other.ServerName = "example.org"
		_, err = ice.Dial(within(t), w.address(scheme), ice.DialOptions{TLS: other})
		var host x509.HostnameError
		if !errors.As(err, &host) {
			t.Errorf("%s: other host: got %v", scheme, err)
		}
	}
	// Each port speaks one protocol.
	for _, wrong := range [][2]string{{"tcp", "ws"}, {"ws", "tcp"}, {"ssl", "tcp"}} {
		addr := w.address(wrong[1])
		addr.Scheme = wrong[0]
		opts := ice.DialOptions{TLS: w.tls(), ConnectTimeout: 1e9}
		if _, err := ice.Dial(within(t), addr, opts); err == nil {
			t.Errorf("connected by %s to %s", wrong[0], wrong[1])
		}
	}
}
