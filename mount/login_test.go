package mount

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox"
)

func writeFile(t *testing.T, file, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// omeroLoggedIn makes what "omero login" leaves, and returns the variables
// that name it.
func omeroLoggedIn(t *testing.T, host, port, user, key string) func(string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sessions")
	writeFile(t, filepath.Join(dir, host, user, key), "omero.host="+host+"\nomero.port="+port+"\nomero.user="+user+"\nomero.sess="+key+"\n", 0o644)
	writeFile(t, filepath.Join(dir, "._LASTHOST_"), host, 0o644)
	writeFile(t, filepath.Join(dir, host, "._LASTUSER_"), user, 0o644)
	writeFile(t, filepath.Join(dir, host, user, "._LASTSESS_"), key, 0o644)
	return func(name string) string {
		if name == "OMERO_SESSIONDIR" {
			return dir
		}
		return ""
	}
}

func TestHowOMEROIsLoggedInTo(t *testing.T) {
	env := omeroLoggedIn(t, "omero.example.org", "14064", "ada", "the-key")
	dir := t.TempDir()
	password := writeFile(t, filepath.Join(dir, "pw"), "geheim\n", 0o600)
	session := writeFile(t, filepath.Join(dir, "key"), "filed-key\n", 0o600)
	for name, tt := range map[string]struct {
		set                 func(*Config)
		user, password, key string
		address             string
		err                 string // "" for none
	}{
		"nothing":              {func(*Config) {}, "", "", "the-key", "ssl://omero.example.org:14064", ""},
		"the same server":      {func(c *Config) { c.OMEROServers = []string{"omero.example.org"} }, "", "", "the-key", "ssl://omero.example.org:14064", ""},
		"the same user":        {func(c *Config) { c.OMEROUser = "ada" }, "", "", "the-key", "ssl://omero.example.org:14064", ""},
		"another server":       {func(c *Config) { c.OMEROServers = []string{"other.example.org"} }, "", "", "", "", "other.example.org"},
		"another user":         {func(c *Config) { c.OMEROUser = "grace" }, "", "", "", "", "omero-password-file"},
		"a password":           {func(c *Config) { c.OMEROServers, c.OMEROUser, c.OMEROPassword = []string{"h"}, "u", "p" }, "u", "p", "", "h", ""},
		"a file of a password": {func(c *Config) { c.OMEROServers, c.OMEROUser, c.OMEROPasswordFile = []string{"h"}, "u", password }, "u", "geheim", "", "h", ""},
		"a key":                {func(c *Config) { c.OMEROServers, c.OMEROSessionKey = []string{"h"}, "k" }, "", "", "k", "h", ""},
		"a file of a key":      {func(c *Config) { c.OMEROServers, c.OMEROSessionFile = []string{"h"}, session }, "", "", "filed-key", "h", ""},
	} {
		c := Default()
		c.Mountpoint = "/m"
		tt.set(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := c.omeroLogin(env, slog.New(slog.DiscardHandler))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want an error that names %s", name, err, tt.err)
			}
			continue
		}
		if err != nil || got.User != tt.user || got.Password != tt.password || got.SessionKey != tt.key || !slices.Equal(got.Addresses, []string{tt.address}) {
			t.Errorf("%s: got %q %q %q at %q, %v", name, got.User, got.Password, got.SessionKey, got.Addresses, err)
		}
	}
}

func TestFilesOfSecretsMustBePrivate(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "pw"), "geheim\n", 0o600)
	if got, err := secretFile("password file", file); err != nil || got != "geheim" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secretFile("password file", file); err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: got %v, want a refusal without the password", err)
	}
	if _, err := secretFile("session file", writeFile(t, filepath.Join(t.TempDir(), "k"), "\n", 0o600)); err == nil || !strings.Contains(err.Error(), "session file") {
		t.Errorf("an empty file: got %v", err)
	}
}

// A mount that joined a session ends without ending it.
func TestMountJoinsTheSessionOfOmeroLogin(t *testing.T) {
	w := newWorldAlone(t, sandbox.Config{})
	c := w.config()
	oc, err := c.omeroLogin(os.Getenv, testLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	login, err := omero.Connect(t.Context(), oc) // what "omero login" does
	if err != nil {
		t.Fatal(err)
	}
	defer login.Close()
	key, err := login.SessionKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	scheme, address, _ := strings.Cut(c.OMEROServers[0], "://")
	if address == "" {
		scheme, address = "ssl", scheme
	}
	i := strings.LastIndexByte(address, ':')
	env := omeroLoggedIn(t, address[:i], address[i+1:], c.OMEROUser, key)
	t.Setenv("OMERO_SESSIONDIR", env("OMERO_SESSIONDIR"))
	w.unmount()
	if scheme != "ssl" {
		t.Fatalf("the sandbox serves %s", c.OMEROServers[0])
	}
	w.remount(func(c *Config) { c.OMEROServers, c.OMEROUser, c.OMEROPassword, c.OMEROPasswordFile = nil, "", "", "" })
	if got, err := w.mount.omero.SessionKey(t.Context()); err != nil || got != key {
		t.Errorf("the mount's session is %q, %v", got, err)
	}
	if list, err := os.ReadDir(w.omero("projects")); err != nil || len(list) == 0 {
		t.Errorf("projects: %d, %v", len(list), err)
	}
	w.unmount()
	if _, err := login.EventContext(t.Context()); err != nil {
		t.Errorf("the session ended with the mount: %v", err)
	}
}
