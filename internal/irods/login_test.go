package irods_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/sandbox/irodsd"
)

func TestPasswordIsNotOnTheWire(t *testing.T) {
	z := serve(t)
	r := newRelay(t, z.port)
	c := z.client(t, func(cfg *irods.Config) { cfg.Port = r.port })
	if err := c.Connect(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	seen := r.bytes()
	if !bytes.Contains(seen, []byte("RODS_CONNECT")) {
		t.Fatal("the relay saw no login")
	}
	// The JSON calls travel as base64, at any alignment.
	for _, s := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))[:20],
		base64.StdEncoding.EncodeToString([]byte("x" + secret))[4:24], base64.StdEncoding.EncodeToString([]byte("xx" + secret))[4:24]} {
		if bytes.Contains(seen, []byte(s)) {
			t.Errorf("the password crossed the wire as %q", s)
		}
	}
}

func TestRefusedLogins(t *testing.T) {
	z := serve(t)
	for _, tt := range []struct {
		name   string
		change func(*irods.Config)
		code   int
		says   string
	}{
		{"wrong password", func(c *irods.Config) { c.Password = "no" }, -826000, "wrong password: alice#tempZone"},
		{"unknown user", func(c *irods.Config) { c.User = "nobody" }, -827000, "does not know the user: nobody#tempZone"},
		{"user proxies", func(c *irods.Config) { c.ClientUser = "bob" }, -39000, "may not act for other users"},
		{"proxied user unknown", func(c *irods.Config) {
			c.User, c.Password, c.ClientUser = "rods", "admin-"+secret, "nobody"
		}, -832000, "for nobody#tempZone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := z.client(t, tt.change).Connect(ctxFor(t))
			if !errors.Is(err, irods.ErrLogin) || irods.Code(err) != tt.code {
				t.Fatalf("got %v (%d), want a refused login with %d", err, irods.Code(err), tt.code)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %q, want it to say %q", err, tt.says)
			}
		})
	}
}

func TestProxyActsForTheClient(t *testing.T) {
	z := serve(t)
	c := z.client(t, func(c *irods.Config) { c.User, c.Password, c.ClientUser = "rods", "admin-"+secret, "alice" })
	if err := c.Mkdir(ctxFor(t), "/tempZone/home/alice/made"); err != nil {
		t.Fatal(err)
	}
	e, err := c.Stat(ctxFor(t), "/tempZone/home/alice/made")
	if err != nil || e.Owner != "alice" {
		t.Errorf("got owner %q (%v), want alice", e.Owner, err)
	}
	if err := c.Mkdir(ctxFor(t), "/tempZone/home/bob/made"); !errors.Is(err, irods.ErrDenied) {
		t.Errorf("got %v, want a denial: alice may not write to bob's home", err)
	}
}

func TestSchemesAreRefusedByName(t *testing.T) {
	for _, scheme := range []string{"openid", "pam_interactive", "gsi", "krb"} {
		_, err := irods.New(irods.Config{Host: "h", User: "u", Zone: "z", Scheme: scheme})
		if err == nil || !strings.Contains(err.Error(), scheme) {
			t.Errorf("%s: got %v, want an error naming it", scheme, err)
		}
	}
}

func TestTLS(t *testing.T) {
	serverTLS, ca := certificate(t, "irods.example")
	z := serve(t, func(c *irodsd.Config) { c.TLS, c.Negotiation = serverTLS, irodsd.DontCare })
	named := func(c *irods.Config) { c.TLS.ServerName = "irods.example" }
	trusted := func(c *irods.Config) { c.TLS.CAFile = ca }
	for _, tt := range []struct {
		name   string
		change []func(*irods.Config)
		class  error
	}{
		{"verified", []func(*irods.Config){named, trusted}, nil},
		{"not trusted", []func(*irods.Config){named}, irods.ErrInsecure},
		{"wrong name", []func(*irods.Config){trusted}, irods.ErrInsecure},
		{"cert checks the chain", []func(*irods.Config){func(c *irods.Config) { c.TLS.Verify = irods.VerifyCert }}, irods.ErrInsecure},
		{"cert ignores the name", []func(*irods.Config){trusted, func(c *irods.Config) { c.TLS.Verify = irods.VerifyCert }}, nil},
		{"none checks nothing", []func(*irods.Config){func(c *irods.Config) { c.TLS.Verify = irods.VerifyNone }}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, z.port)
			c := z.client(t, append(tt.change, func(c *irods.Config) { c.Port = r.port })...)
			err := c.Connect(ctxFor(t))
			if !errors.Is(err, tt.class) {
				t.Fatalf("got %v, want %v", err, tt.class)
			}
			if err == nil && bytes.Contains(r.bytes(), []byte("BinBytesBuf_PI")) {
				t.Error("the login was not encrypted")
			}
		})
	}
}

func TestPAM(t *testing.T) {
	serverTLS, ca := certificate(t, "irods.example")
	pam := func(user, password string) bool { return user == "alice" && password == "unix password" }
	z := serve(t, func(c *irodsd.Config) { c.TLS, c.Negotiation, c.PAM = serverTLS, irodsd.DontCare, pam })
	use := func(password string) func(*irods.Config) {
		return func(c *irods.Config) {
			c.Scheme, c.Password, c.TLS.CAFile, c.TLS.ServerName = "pam_password", password, ca, "irods.example"
		}
	}
	if err := z.client(t, use("unix password")).Connect(ctxFor(t)); err != nil {
		t.Errorf("right password: %v", err)
	}
	if err := z.client(t, use("wrong")).Connect(ctxFor(t)); !errors.Is(err, irods.ErrLogin) {
		t.Errorf("wrong password: got %v, want a refused login", err)
	}
	plain := serve(t, func(c *irodsd.Config) { c.PAM = pam })
	if err := plain.client(t, use("unix password")).Connect(ctxFor(t)); !errors.Is(err, irods.ErrInsecure) {
		t.Errorf("without TLS: got %v, want it refused", err)
	}
}

func TestPolicies(t *testing.T) {
	serverTLS, _ := certificate(t, "irods.example")
	z := serve(t, func(c *irodsd.Config) { c.TLS, c.Negotiation = serverTLS, irodsd.Require })
	err := z.client(t, func(c *irods.Config) { c.TLS.Policy = irods.TLSNever }).Connect(ctxFor(t))
	if !errors.Is(err, irods.ErrInsecure) {
		t.Errorf("server requires, client refuses: got %v", err)
	}
	z = serve(t)
	err = z.client(t, func(c *irods.Config) { c.TLS.Policy = irods.TLSRequire }).Connect(ctxFor(t))
	if !errors.Is(err, irods.ErrInsecure) {
		t.Errorf("server refuses, client requires: got %v", err)
	}
}

func TestOffline(t *testing.T) {
	c, err := irods.New(irods.Config{Host: "127.0.0.1", Port: 1, User: "u", Zone: "z"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 4 { // the library's pool blocks for ever at the third
		if err := c.Connect(ctxFor(t)); !errors.Is(err, irods.ErrOffline) {
			t.Errorf("got %v, want unreachable", err)
		}
	}
}
