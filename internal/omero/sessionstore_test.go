package omero_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/omero"
)

// stored is a store as omero-py leaves it: the folder closed to others, the
// files not.
type stored struct {
	t   *testing.T
	dir string
}

func newStored(t *testing.T) stored {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "omero", "sessions")
	check(t, os.MkdirAll(dir, 0o700))
	return stored{t, dir}
}

func (s stored) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	check(s.t, os.MkdirAll(filepath.Dir(file), 0o755))
	check(s.t, os.WriteFile(file, []byte(text), 0o644))
}

// login does what "omero login" does; escaped is the host as a name of a file.
func (s stored) login(host, escaped, port, user, key string) {
	s.t.Helper()
	text := "omero.host=" + host + "\nomero.user=" + user + "\nomero.sess=" + key + "\n"
	if port != "" {
		text += "omero.port=" + port + "\n"
	} else {
		port = "4064"
	}
	s.write(escaped+"/"+user+"/"+key, text)
	s.write("._LASTHOST_", host)
	s.write("._LASTPORT_", port)
	s.write(escaped+"/._LASTUSER_", user)
	s.write(escaped+"/"+user+"/._LASTSESS_", key)
}

const (
	key1 = "11111111-1111-4111-8111-111111111111"
	key2 = "22222222-2222-4222-8222-222222222222"
	key3 = "33333333-3333-4333-8333-333333333333"
	key4 = "44444444-4444-4444-8444-444444444444"
)

func TestSessionsOfOmeroLogin(t *testing.T) {
	s := newStored(t)
	s.login("omero.example.org", "omero.example.org", "", "ada", key1)
	s.login("omero.example.org", "omero.example.org", "", "grace", key2)
	s.login("other.example.org", "other.example.org", "14064", "ada", key3)
	s.login("wss://web.example.org/omero-ws", "wss%3A%2F%2Fweb.example.org%2Fomero-ws", "", "juergen", key4)
	for _, tt := range []struct {
		user      string
		addresses []string
		key, at   string
	}{
		{"", nil, key4, "wss://web.example.org/omero-ws"},
		{"", []string{"omero.example.org"}, key2, "omero.example.org"},
		{"", []string{"OMERO.example.org:4064"}, key2, "OMERO.example.org:4064"},
		{"ada", []string{"omero.example.org"}, key1, "omero.example.org"},
		{"", []string{"other.example.org"}, key3, "ssl://other.example.org:14064"},
		{"", []string{"ssl://other.example.org:14064"}, key3, "ssl://other.example.org:14064"},
		{"", []string{"other.example.org:4064"}, "", ""},       // another server on that machine
		{"", []string{"tcp://omero.example.org:4064"}, "", ""}, // another transport
		{"", []string{"none.example.org", "web.example.org"}, key4, "wss://web.example.org/omero-ws"},
		{"", []string{"none.example.org"}, "", ""},
		{"nobody", []string{"omero.example.org"}, "", ""},
		{"../ada", []string{"omero.example.org"}, "", ""},
		{"juergen", nil, key4, "wss://web.example.org/omero-ws"},
	} {
		got, err := omero.FindSession(s.dir, tt.user, tt.addresses)
		if tt.key == "" {
			if !errors.Is(err, omero.ErrNoSession) {
				t.Errorf("%+v: got %+v, %v; want none", tt, got, err)
			}
			continue
		}
		if err != nil || got.Key != tt.key || got.Address != tt.at {
			t.Errorf("%+v: got %+v, %v", tt, got, err)
		}
	}
	// After "omero logout" the session is gone, and the last host and user stay.
	check(t, os.Remove(filepath.Join(s.dir, "omero.example.org", "grace", key2)))
	check(t, os.Remove(filepath.Join(s.dir, "omero.example.org", "grace", "._LASTSESS_")))
	if got, err := omero.FindSession(s.dir, "", []string{"omero.example.org"}); !errors.Is(err, omero.ErrNoSession) {
		t.Errorf("after logging out: got %+v, %v", got, err)
	}
	if _, err := omero.FindSession(filepath.Join(s.dir, "none"), "", nil); !errors.Is(err, omero.ErrNoSession) {
		t.Errorf("no store: got %v", err)
	}
}

// A key that others could read, or have put there, is not used.
func TestSessionsThatOthersCanRead(t *testing.T) {
	s := newStored(t)
	s.login("h", "h", "", "ada", key1)
	check(t, os.Chmod(s.dir, 0o755))
	_, err := omero.FindSession(s.dir, "", nil)
	if !errors.Is(err, omero.Invalid) || !strings.Contains(err.Error(), "chmod 700 "+s.dir) {
		t.Errorf("an open store: got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "omero.sess") {
		t.Errorf("the error shows what is in the file: %v", err)
	}
	for _, f := range []string{"._LASTHOST_", "h/._LASTUSER_", "h/ada/._LASTSESS_", "h/ada/" + key1} {
		check(t, os.Chmod(filepath.Join(s.dir, f), 0o600))
	}
	if got, err := omero.FindSession(s.dir, "", nil); err != nil || got.Key != key1 {
		t.Errorf("closed files in an open store: got %+v, %v", got, err)
	}
	if os.Geteuid() == 0 {
		check(t, os.Chmod(s.dir, 0o700))
		check(t, os.Chown(filepath.Join(s.dir, "h/ada", key1), 12345, -1))
		if _, err := omero.FindSession(s.dir, "", nil); !errors.Is(err, omero.Invalid) || !strings.Contains(err.Error(), "another user") {
			t.Errorf("another's file: got %v", err)
		}
	}
}

func TestWhereSessionsAre(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"/s":                  {"OMERO_SESSIONDIR": "/s", "OMERO_USERDIR": "/u", "HOME": "/h"},
		"/old/omero/sessions": {"OMERO_SESSION_DIR": "/old", "OMERO_USERDIR": "/u", "HOME": "/h"},
		"/u/sessions":         {"OMERO_USERDIR": "/u", "HOME": "/h"},
		"/h/omero/sessions":   {"HOME": "/h"},
	} {
		if got, err := omero.SessionDir(func(k string) string { return env[k] }); err != nil || got != want {
			t.Errorf("%v: got %s, %v", env, got, err)
		}
	}
	if _, err := omero.SessionDir(func(string) string { return "" }); err == nil {
		t.Error("no home: got no error")
	}
}

// A session that is joined serves, and stays open for the others who use it.
func TestJoiningAStoredSession(t *testing.T) {
	c := common.login(t, "ada")
	key, err := c.SessionKey(t.Context())
	check(t, err)
	s := newStored(t)
	host := common.addr // tcp://127.0.0.1:PORT
	escaped := strings.NewReplacer(":", "%3A", "/", "%2F").Replace(host)
	s.login(host, escaped, "", "ada", key)
	found, err := omero.FindSession(s.dir, "", []string{common.addr})
	check(t, err)
	for range 2 {
		j, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{found.Address}, SessionKey: found.Key})
		check(t, err)
		if j.Who().UserName != "ada" || j.Who().SessionUUID != key {
			t.Errorf("joined as %+v", j.Who())
		}
		check(t, j.Close())
		if !common.open(key) {
			t.Fatal("the session ended with the client that joined it")
		}
	}
}

// The server's refusal repeats the key; ours does not.
func TestAnEndedSessionIsNotShown(t *testing.T) {
	_, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{common.addr}, SessionKey: key1})
	if !errors.Is(err, omero.LoginFailed) || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("got %v", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), key1) {
			t.Errorf("the error shows the key: %v", e)
		}
	}
	if text := fmt.Sprintf("%+v", err); strings.Contains(text, key1) {
		t.Errorf("the error shows the key: %s", text)
	}
}
