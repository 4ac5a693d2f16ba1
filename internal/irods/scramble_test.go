package irods

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type vector struct {
	UID      int
	MTime    int64
	Password string
	File     string
}

func vectors(t *testing.T, name string) []vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(text, &vs); err != nil || len(vs) < 16 {
		t.Fatalf("%s: %d vectors, %v", name, len(vs), err)
	}
	return vs
}

func TestPasswordFilesOfOthers(t *testing.T) {
	for _, name := range []string{"irodsA-python-3.3.0.json", "irodsA-icommands.json"} {
		for _, v := range vectors(t, name) {
			got, err := unscramble([]byte(v.File), v.UID)
			if err != nil || got != v.Password {
				t.Errorf("%s: uid %d: got %q, %v; want %q", name, v.UID, got, err, v.Password)
			}
			if _, err := unscramble([]byte(v.File), v.UID+1); err == nil {
				t.Errorf("%s: uid %d: the file of another user was read", name, v.UID)
			}
		}
	}
}

// The Python client and ours choose the same key, so the files are equal.
func TestPasswordFileForOthers(t *testing.T) {
	for _, v := range vectors(t, "irodsA-python-3.3.0.json") {
		got := scramble(v.Password, v.UID, time.Unix(v.MTime, 0))
		if string(got) != strings.TrimRight(v.File, "\x00")+"\x00" {
			t.Errorf("uid %d, %q: got %q, want %q", v.UID, v.Password, got, v.File)
		}
	}
}

func TestPasswordFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "new", ".irodsA")
	for _, secret := range []string{"first", "sec ond/2", "pässword", "x"} {
		if err := WriteSecret(file, secret, 4711); err != nil {
			t.Fatal(err)
		}
		if got, err := readSecret(file, 4711); err != nil || got != secret {
			t.Errorf("got %q, %v; want %q", got, err, secret)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v; want 0600", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %d files, %v; want no temporary one left", len(entries), err)
	}
	if _, err := readSecret(file, 4712); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("another user's file: got %v", err)
	}
	// A link, such as one into a folder that is backed up, stays a link.
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteSecret(link, "through", 1); err != nil {
		t.Fatal(err)
	}
	if got, err := readSecret(file, 1); err != nil || got != "through" {
		t.Errorf("through a link: got %q, %v", got, err)
	}
}

func TestTemporaryPassword(t *testing.T) {
	text := scramble("pw"+temporaryFlag, 7, time.Unix(1780000000, 0))
	if got, err := unscramble(text, 7); err != nil || got != "pw" {
		t.Errorf("got %q, %v; want pw", got, err)
	}
}
