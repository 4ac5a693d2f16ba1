//go:build peer

package omeropy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sessions are those in the store that still live, like "ada in lab".
func (p *person) sessions() (out []string) {
	p.t.Helper()
	for _, line := range strings.Split(p.omero("sessions", "list"), "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 4 && strings.Contains(line, "localhost") {
			out = append(out, strings.TrimSpace(cells[1])+" in "+strings.TrimSpace(cells[2]))
		}
	}
	return out
}

// wantSession checks that there is one session of a user in the store, and in
// which group.
func (p *person) wantSession(user, group string) {
	p.t.Helper()
	mine := p.sessions()
	if got, want := strings.Join(mine, ", "), user+" in "+group; got != want {
		p.t.Errorf("sessions: got %q, want %q", got, want)
	}
}

// TestSessionStore goes through what a person does with sessions.
func TestSessionStore(t *testing.T) {
	p := loggedIn(t, "ada")
	p.wantSession("ada", "lab")
	key := strings.TrimSpace(p.omero("sessions", "key"))
	if _, err := os.Stat(filepath.Join(p.home, "omero", "sessions", "localhost", "ada", key)); err != nil {
		t.Errorf("the key is not that of the file in the store: %v", err)
	}
	out := p.omero("sessions", "file")
	if !strings.HasSuffix(strings.TrimSpace(out), filepath.Join("localhost", "ada", key)) {
		t.Errorf("sessions file: %s", out)
	}

	private := groupID(t, "private")
	p.omero("sessions", "group", "private")
	if got := strings.TrimSpace(p.omero("sessions", "group")); got != named("ExperimenterGroup", private) {
		t.Errorf("group: got %s, want the private one", got)
	}
	p.wantSession("ada", "private")
	p.fails("", "sessions", "group", "guest")
	p.omero("sessions", "group", text(groupID(t, "lab")))
	p.wantSession("ada", "lab")

	if out := p.omero("sessions", "timeout"); !strings.HasPrefix(out, "600") {
		t.Errorf("timeout: got %s, want 600 s", out)
	}
	p.omero("sessions", "timeout", "1200")
	if out := p.omero("sessions", "timeout"); !strings.HasPrefix(out, "1200") {
		t.Errorf("timeout: got %s, want 1200 s", out)
	}

	// A login with the key joins; a login with the password finds the session
	// in the store.
	q := newPerson(t, "ada").with("OMERO_PASSWORD=")
	r := q.tryLogin("-k", key)
	if r.code != 0 || !strings.Contains(r.stderr, "Joined session for ada@localhost") {
		t.Errorf("login with a key: %d %s", r.code, r.stderr)
	}
	q.wantSession("ada", "lab")
	// omero-py does not make it the current one.
	rows := q.hql("select s.uuid from Session s where s.closed is null and s.owner.omeName = 'ada' and s.uuid = '"+key+"'", "-k", key, "-s", "localhost", "-p", q.port)
	wantRows(t, "own session", rows, [][]string{{key}})
	r = p.tryLogin("-u", "ada")
	if r.code != 0 || !strings.Contains(r.stderr, "Using session for ada@localhost") {
		t.Errorf("second login: %d %s", r.code, r.stderr)
	}

	p.omero("logout")
	if rows := p.sessions(); len(rows) != 0 {
		t.Errorf("sessions after the logout: %v", rows)
	}
	if rows := q.sessions(); len(rows) != 0 {
		t.Errorf("the session of the key outlived its end: %v", rows)
	}
	r = newPerson(t, "ada").tryLogin("-k", key)
	if r.code == 0 {
		t.Errorf("a session that has ended was joined: %s", r.stderr)
	}
}

// TestLoginGroup begins in another group than the default one.
func TestLoginGroup(t *testing.T) {
	p := newPerson(t, "ada")
	p.login("-u", "ada", "-g", "private")
	p.wantSession("ada", "private")
	p.omero("logout")
	if r := p.tryLogin("-u", "ada", "-g", "guest"); r.code == 0 || !strings.Contains(r.stderr, "guest") {
		t.Errorf("login into a group of others: %d %s", r.code, r.stderr)
	}
	p.omero("sessions", "clear", "--all")
}

// TestLoginRefused tries what must not let anybody in.
func TestLoginRefused(t *testing.T) {
	p := newPerson(t, "ada")
	for _, tc := range []struct{ password, says, flag, value string }{
		{"wrong", "Password check failed", "-u", "ada"},
		{"ada", "Password check failed", "-u", "nobody"},
		{"", "Bad session key", "-k", "00000000-0000-4000-8000-000000000000"},
	} {
		r := p.with("OMERO_PASSWORD="+tc.password).tryLogin(tc.flag, tc.value)
		if r.code == 0 || !strings.Contains(r.stderr, tc.says) {
			t.Errorf("login %s %s: got exit code %d, %s", tc.flag, tc.value, r.code, r.stderr)
		}
	}
	if rows := p.sessions(); len(rows) != 0 {
		t.Errorf("sessions: %v", rows)
	}
}

// TestLoginSudo has an administrator act as somebody else; nobody else may.
func TestLoginSudo(t *testing.T) {
	p := newPerson(t, "ada")
	p.with("OMERO_PASSWORD=omero").login("--sudo", "root", "-u", "grace")
	p.wantSession("grace", "lab")
	rows := p.hql("select p.name from Project p where p.name = 'Retina'")
	wantRows(t, "projects", rows, [][]string{{"Retina"}})
	if p.made("Project", "obj", "new", "Project", "name=by sudo") == 0 {
		t.Error("nothing made")
	}
	if owner := object(t, "Project", "by sudo").Owner; owner != userID(t, "grace") {
		t.Errorf("owner: got %d, want grace", owner)
	}
	p.omero("logout")
	if r := p.tryLogin("--sudo", "ada", "-u", "grace"); r.code == 0 {
		t.Errorf("ada became grace: %s", r.stderr)
	}
}

// TestSessionsWho lists who is logged in: a user sees names only, an
// administrator everything.
func TestSessionsWho(t *testing.T) {
	ada := loggedIn(t, "ada")
	loggedIn(t, "juergen")
	if out := ada.omero("sessions", "who"); !strings.Contains(out, "juergen") || !strings.Contains(out, "(*)") || !strings.Contains(out, "---") {
		t.Errorf("sessions who:\n%s", out)
	}
	root := newPerson(t, "ada").with("OMERO_USER=root", "OMERO_PASSWORD=omero")
	root.login("-u", "root")
	if out := root.omero("sessions", "who", "--show-uuid"); !strings.Contains(out, "juergen") || strings.Contains(out, "| ---") {
		t.Errorf("sessions who as root:\n%s", out)
	}
}
