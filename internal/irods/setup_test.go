package irods_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/sandbox/irodsd"
)

// person answers the questions of a setup and remembers them.
type person struct {
	answers  map[string]string
	password string
	asked    []string
}

func (p *person) setup(home string) irods.Setup {
	return irods.Setup{
		Environment: irods.Environment{Getenv: func(k string) string { return map[string]string{"HOME": home}[k] }},
		Ask: func(_ context.Context, question, byDefault string) (string, error) {
			p.asked = append(p.asked, question)
			if a, ok := p.answers[question]; ok {
				return a, nil
			}
			if byDefault == "" {
				return "", errors.New("there is no terminal to ask at")
			}
			return byDefault, nil
		},
		Password: func(_ context.Context, question string) (string, error) {
			p.asked = append(p.asked, question)
			return p.password, nil
		},
	}
}

func keysIn(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// Who has no files at all answers five questions, and is logged in ever after.
func TestSetupFromNothing(t *testing.T) {
	z := serve(t)
	home := t.TempDir()
	p := &person{password: secret, answers: map[string]string{"Host name of the iRODS server": "127.0.0.1",
		"Port": strconv.Itoa(z.port), "User name": " alice ", "Zone": "tempZone"}}
	s := p.setup(home)
	done, err := s.Run(ctxFor(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.asked) != 5 || p.asked[4] != "iRODS password of alice#tempZone" {
		t.Errorf("asked %q", p.asked)
	}
	file := filepath.Join(home, ".irods", "irods_environment.json")
	keys := keysIn(t, file)
	if keys["irods_port"] != float64(z.port) || keys["irods_user_name"] != "alice" || keys["irods_client_server_policy"] != nil {
		t.Errorf("without TLS: wrote %v", keys)
	}
	if text := done.Text(); strings.Contains(text, secret) || !strings.Contains(text, "alice#tempZone@127.0.0.1") || !strings.Contains(text, "without TLS") {
		t.Errorf("says %q", text)
	}
	for _, name := range []string{"", "irods_environment.json", ".irodsA"} {
		info, err := os.Stat(filepath.Join(home, ".irods", name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q: %v, %v; want it to be the user's alone", name, info.Mode(), err)
		}
	}
	c, err := irods.LoadEnvironment(s.Environment)
	if err != nil || c.Password != secret {
		t.Errorf("afterwards: got %q, %v", c.Password, err)
	}

	// A second time only the password is asked for, and a wrong one changes
	// nothing.
	p.asked, p.password = nil, "wrong"
	if _, err := p.setup(home).Run(ctxFor(t)); !errors.Is(err, irods.ErrLogin) {
		t.Errorf("wrong password: got %v", err)
	}
	if c, err := irods.LoadEnvironment(s.Environment); err != nil || c.Password != secret || len(p.asked) != 1 {
		t.Errorf("after a wrong password: got %q, %v, asked %q", c.Password, err, p.asked)
	}
}

// What the file had stays; what would hide the new password goes; TLS that was
// there once is required from then on.
func TestSetupKeepsWhatItDoesNotKnow(t *testing.T) {
	serverTLS, ca := certificate(t, "irods.example")
	z := serve(t, func(c *irodsd.Config) { c.TLS, c.Negotiation = serverTLS, irodsd.DontCare })
	home := t.TempDir()
	file := filepath.Join(home, "zone", "env.json")
	write(t, file, []byte(`{"irods_host": "127.0.0.1", "irods_port": `+strconv.Itoa(z.port)+`, "irods_user_name": "bob", "irods_zone_name": "tempZone",
		"irods_ssl_server_name": "irods.example", "irods_user_password": "old", "site_key": {"a": [1, 2]}, "irods_connection_pool_refresh_time_in_seconds": 1000000}`))
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	p := &person{password: secret}
	s := p.setup(home)
	s.Environment.File = file
	s.Given = map[string]string{"irods_user_name": "alice", "irods_ssl_ca_certificate_file": ca}
	done, err := s.Run(ctxFor(t))
	if err != nil {
		t.Fatal(err)
	}
	keys := keysIn(t, file)
	for k, want := range map[string]any{
		"irods_user_name": "alice", "irods_user_password": nil, "irods_connection_pool_refresh_time_in_seconds": 1e6,
		"irods_client_server_policy": "CS_NEG_REQUIRE", "irods_ssl_verify_server": "hostname", "irods_encryption_key_size": 32.0,
		"irods_authentication_file": filepath.Join(home, "zone", ".irodsA"), "irods_ssl_ca_certificate_file": ca,
	} {
		if keys[k] != want {
			t.Errorf("%s: got %v, want %v", k, keys[k], want)
		}
	}
	if _, ok := keys["site_key"].(map[string]any); !ok || len(done.Dropped) != 1 {
		t.Errorf("site_key: got %v; dropped %v", keys["site_key"], done.Dropped)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode: got %v, %v; want it as it was", info.Mode(), err)
	}
	c, err := irods.LoadEnvironment(s.Environment)
	if err != nil || c.Password != secret || c.User != "alice" {
		t.Errorf("afterwards: got %q for %q, %v", c.Password, c.User, err)
	}
}

func TestSetupPAM(t *testing.T) {
	serverTLS, ca := certificate(t, "irods.example")
	z := serve(t, func(c *irodsd.Config) {
		c.TLS, c.Negotiation = serverTLS, irodsd.Require
		c.PAM = func(user, password string) bool { return password == "unix password" }
	})
	home := t.TempDir()
	given := map[string]string{"irods_host": "127.0.0.1", "irods_port": strconv.Itoa(z.port), "irods_user_name": "alice",
		"irods_zone_name": "tempZone", "irods_authentication_scheme": "pam_password", "irods_ssl_ca_certificate_file": ca}
	p := &person{password: "unix password"}
	s := p.setup(home)
	s.Given, s.PAMHours = given, 5
	if _, err := s.Run(ctxFor(t)); !errors.Is(err, irods.ErrInsecure) {
		t.Fatalf("wrong host name: got %v, want it refused", err)
	}
	if _, err := os.Stat(filepath.Join(home, ".irods")); !os.IsNotExist(err) {
		t.Errorf("a refused setup left files: %v", err)
	}
	given["irods_ssl_server_name"] = "irods.example"
	if _, err := s.Run(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	c, err := irods.LoadEnvironment(s.Environment)
	if err != nil || c.Password != "" || c.PAMToken == "" || c.PAMToken == "unix password" {
		t.Fatalf("got password %q, token %q, %v; want the token alone", c.Password, c.PAMToken, err)
	}
	later, err := irods.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	if err := later.Connect(ctxFor(t)); err != nil {
		t.Errorf("with the token: %v", err)
	}
	given["irods_authentication_scheme"] = "native"
	if _, err := s.Run(ctxFor(t)); err == nil || !strings.Contains(err.Error(), "only a PAM login") {
		t.Errorf("hours of a native login: got %v", err)
	}
}

func TestSetupRefusesByName(t *testing.T) {
	p := &person{password: "x"}
	for says, given := range map[string]map[string]string{
		"irods_host is not set, and there is no terminal": {},
		"irods_zone_name is not set":                      {"irods_host": "h", "irods_user_name": "u"},
		`"openid" is not supported`:                       {"irods_host": "h", "irods_user_name": "u", "irods_zone_name": "z", "irods_authentication_scheme": "openid"},
		"irods_port":                                      {"irods_host": "h", "irods_user_name": "u", "irods_zone_name": "z", "irods_port": "many"},
	} {
		s := p.setup(t.TempDir())
		s.Given = given
		if _, err := s.Run(ctxFor(t)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}
