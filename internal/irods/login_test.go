package irods_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/sandbox/irodsd"
)

func TestPasswordIsNotOnTheWire(t *testing.T) {
	z := serve(t)
	r := newWiretap(t, z.port)
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
	for _, scheme := range []string{"openid", "pam_interactive", "gsi", "krb", "irods", "natve"} {
		_, err := irods.New(irods.Config{Host: "h", User: "u", Zone: "z", Scheme: scheme})
		if err == nil || !strings.Contains(err.Error(), scheme) {
			t.Errorf("%s: got %v, want an error naming it", scheme, err)
		}
		if !strings.Contains(err.Error(), "native") {
			t.Errorf("%s: got %v, want it to say what to do", scheme, err)
		}
	}
}

func TestTLS(t *testing.T) {
	serverTLS, ca := certificate(t, "irods.example")
	z := serve(t, func(c *irodsd.Config) { c.TLS, c.Negotiation = serverTLS, irodsd.DontCare })
	named := func(c *irods.Config) { c.TLS.ServerName = "irods.example" }
	trusted := func(c *irods.Config) { c.TLS.CAFile = ca }
	advice := map[string]string{"not trusted": "irods_ssl_ca_certificate_file", "wrong name": "irods_ssl_server_name"}
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
		{"none alone is verified", []func(*irods.Config){func(c *irods.Config) { c.TLS.Verify = irods.VerifyNone }}, irods.ErrInsecure},
		{"none, allowed by name, checks nothing", []func(*irods.Config){func(c *irods.Config) { c.TLS.Verify, c.AllowUnverified = irods.VerifyNone, true }}, nil},
		{"allowed by name alone", []func(*irods.Config){func(c *irods.Config) { c.AllowUnverified = true }}, irods.ErrInsecure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newWiretap(t, z.port)
			c := z.client(t, append(tt.change, func(c *irods.Config) { c.Port = r.port })...)
			err := c.Connect(ctxFor(t))
			if !errors.Is(err, tt.class) {
				t.Fatalf("got %v, want %v", err, tt.class)
			}
			if says := advice[tt.name]; says != "" && !strings.Contains(err.Error(), says) {
				t.Errorf("got %q, which does not say %q", err, says)
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
	r := newWiretap(t, plain.port)
	elsewhere := func(c *irods.Config) { c.Port = r.port }
	if err := plain.client(t, use("unix password"), elsewhere).Connect(ctxFor(t)); !errors.Is(err, irods.ErrInsecure) {
		t.Errorf("without TLS: got %v, want it refused", err)
	}
	if bytes.Contains(r.bytes(), []byte("BinBytesBuf_PI")) || bytes.Contains(r.bytes(), []byte("pamPassword")) {
		t.Error("without TLS: the login began")
	}
	if err := plain.client(t, use("unix password")).Connect(ctxFor(t)); !errors.Is(err, irods.ErrInsecure) {
		t.Errorf("without TLS: got %v, want it refused", err)
	}
}

// The two ways of a PAM login, the token that it leaves, and its end.
func TestPAMToken(t *testing.T) {
	for _, release := range []string{"rods5.0.2", "rods4.3.0", "rods4.2.12"} {
		t.Run(release, func(t *testing.T) {
			serverTLS, ca := certificate(t, "irods.example")
			var clock atomic.Int64
			clock.Store(time.Now().Unix())
			z := serve(t, func(c *irodsd.Config) {
				c.TLS, c.Negotiation, c.Release = serverTLS, irodsd.Require, release
				c.PAM = func(user, password string) bool { return user == "alice" && password == "unix; a_ttl=9&<p>" }
				c.Clock = func() time.Time { return time.Unix(clock.Load(), 0) }
			})
			pam := func(c *irods.Config) {
				c.Scheme, c.Password, c.PAMHours = "PAM", "unix; a_ttl=9&<p>", 2
				c.TLS.CAFile, c.TLS.ServerName = ca, "irods.example"
			}
			first := z.client(t, pam)
			if err := first.Connect(ctxFor(t)); err != nil {
				t.Fatal(err)
			}
			token := first.Token()
			use := func(c *irods.Config) { c.Password, c.PAMToken = "", token }
			if err := z.client(t, pam, use).Connect(ctxFor(t)); err != nil {
				t.Errorf("with the token: %v", err)
			}
			clock.Add(3 * 3600)
			err := z.client(t, pam, use).Connect(ctxFor(t))
			if !errors.Is(err, irods.ErrLogin) || !strings.Contains(err.Error(), "expired; omerods init") {
				t.Errorf("after its end: got %v, want it called expired, with what to do", err)
			}
			// A mount that has the password gets a new token by itself.
			if err := z.client(t, pam, func(c *irods.Config) { c.PAMToken = token }).Connect(ctxFor(t)); err != nil {
				t.Errorf("with the password too: %v", err)
			}
			err = z.client(t, pam, func(c *irods.Config) { c.PAMHours = 10000 }).Connect(ctxFor(t))
			if !errors.Is(err, irods.ErrLogin) || !strings.Contains(err.Error(), "that long") {
				t.Errorf("too many hours: got %v", err)
			}
		})
	}
}

// A mount outlives its password: who logs in anew, by whatever program,
// replaces the file, and the mount goes on with that.
func TestSecretThatWasReplaced(t *testing.T) {
	serverTLS, ca := certificate(t, "irods.example")
	var clock atomic.Int64
	clock.Store(time.Now().Unix())
	z := serve(t, func(c *irodsd.Config) {
		c.TLS, c.Negotiation = serverTLS, irodsd.Require
		c.Clock = func() time.Time { return time.Unix(clock.Load(), 0) }
	})
	file := filepath.Join(t.TempDir(), ".irodsA")
	vars := map[string]string{"HOME": "/nonexistent", "IRODS_HOST": "127.0.0.1", "IRODS_PORT": strconv.Itoa(z.port), "IRODS_USER_NAME": "alice",
		"IRODS_ZONE_NAME": "tempZone", "IRODS_AUTHENTICATION_FILE": file, "IRODS_SSL_CA_CERTIFICATE_FILE": ca, "IRODS_SSL_SERVER_NAME": "irods.example"}
	load := func() irods.Config {
		t.Helper()
		c, err := irods.LoadEnvironment(irods.Environment{Getenv: func(k string) string { return vars[k] }})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	put := func(text string) {
		t.Helper()
		if err := irods.WriteSecret(file, text, os.Getuid()); err != nil {
			t.Fatal(err)
		}
	}
	connect := func(cfg irods.Config) error {
		t.Helper()
		c, err := irods.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.Connect(ctxFor(t))
	}

	put("old")
	cfg := load()
	if err := connect(cfg); !errors.Is(err, irods.ErrLogin) || !strings.Contains(err.Error(), "wrong password") {
		t.Errorf("an old password: got %v", err)
	}
	put(secret)
	if err := connect(cfg); err != nil {
		t.Errorf("after a new one was stored: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	cfg = load()
	if err := connect(cfg); !errors.Is(err, irods.ErrLogin) || !strings.Contains(err.Error(), "no password") {
		t.Errorf("without a file: got %v", err)
	}

	vars["IRODS_AUTHENTICATION_SCHEME"] = "pam_password"
	token := func() string {
		t.Helper()
		cfg := load()
		cfg.Password, cfg.PAMToken, cfg.Reread = secret, "", nil
		c, err := irods.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Connect(ctxFor(t)); err != nil {
			t.Fatal(err)
		}
		return c.Token()
	}
	put(token())
	cfg = load()
	clock.Add(100 * 24 * 3600)
	if err := connect(cfg); !errors.Is(err, irods.ErrLogin) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired token: got %v", err)
	}
	put(token())
	if err := connect(cfg); err != nil {
		t.Errorf("after a new token was stored: %v", err)
	}
}

func TestNativeOfOlderServers(t *testing.T) {
	z := serve(t, func(c *irodsd.Config) { c.Release = "rods4.2.12" })
	if err := z.client(t).Connect(ctxFor(t)); err != nil {
		t.Error(err)
	}
	err := z.client(t, func(c *irods.Config) { c.Password = "no" }).Connect(ctxFor(t))
	if !errors.Is(err, irods.ErrLogin) || !strings.Contains(err.Error(), "wrong password: alice#tempZone") {
		t.Errorf("got %v", err)
	}
}

func TestNothingToLogInWith(t *testing.T) {
	z := serve(t)
	err := z.client(t, func(c *irods.Config) { c.Password, c.SecretFile = "", "/x/.irodsA" }).Connect(ctxFor(t))
	if !errors.Is(err, irods.ErrLogin) || !strings.Contains(err.Error(), "no password of alice#tempZone in /x/.irodsA: omerods init") {
		t.Errorf("got %v", err)
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
