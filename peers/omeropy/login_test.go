//go:build peer

package omeropy

import (
	"strings"
	"testing"
)

// TestLogin logs in, sees the session in omero-py's store, and logs out.
func TestLogin(t *testing.T) {
	p := newPerson(t, "ada")
	p.omero("login", "-s", "localhost", "-p", p.port, "-u", "ada")
	if out := p.omero("sessions", "list"); !strings.Contains(out, "ada") || !strings.Contains(out, "Logged in") && !strings.Contains(out, "True") {
		t.Errorf("sessions list:\n%s", out)
	}
	p.omero("logout")
	if r := p.tryOMERO("sessions", "list"); strings.Contains(r.stdout, "ada") {
		t.Errorf("sessions list after logout:\n%s", r.stdout)
	}
}
