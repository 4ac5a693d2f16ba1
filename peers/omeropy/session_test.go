//go:build peer

package omeropy

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/omero"
)

// TestSessionIsJoined joins the session that omero-py stores, leaves it open
// for omero-py, and finds none once omero-py has logged out.
func TestSessionIsJoined(t *testing.T) {
	p := newPerson(t, "ada")
	p.omero("login", "-s", "localhost", "-p", p.port, "-u", "ada")
	env := func(name string) string {
		for _, v := range p.environ() {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
	dir, err := omero.SessionDir(env)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(p.home, "omero", "sessions"); dir != want {
		t.Errorf("sessions are looked for in %s, want %s", dir, want)
	}
	for _, at := range [][]string{nil, {"localhost"}, {"localhost:" + p.port}} {
		s, err := omero.FindSession(dir, "", at)
		if err != nil {
			t.Fatal(err)
		}
		if key := strings.TrimSpace(p.omero("sessions", "key")); s.Key != key || s.User != "ada" {
			t.Errorf("at %v: found another session than omero-py's, of %q", at, s.User)
		}
		resume := called.Pause() // what our client calls is not omero-py's
		c, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{s.Address}, SessionKey: s.Key, TLS: omero.TLS{CAFile: box.CAFile()}})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Who().UserName; got != "ada" {
			t.Errorf("joined as %q", got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		resume()
	}
	// It is open for omero-py still, which asks for no password.
	if r := p.run("omero", "login", "-s", "localhost", "-p", p.port, "-u", "ada"); r.code != 0 || !strings.Contains(r.stderr, "Using session") {
		t.Errorf("omero login afterwards: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	p.omero("logout")
	if _, err := omero.FindSession(dir, "", nil); !errors.Is(err, omero.ErrNoSession) {
		t.Errorf("after omero logout: got %v", err)
	}
}
