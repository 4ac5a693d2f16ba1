package sandbox

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestStartThatFails: what was started is ended, and the reason told.
func TestStartThatFails(t *testing.T) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := Start(t.Context(), Config{IRODSPort: l.Addr().(*net.TCPAddr).Port})
	if err == nil {
		t.Fatalf("started at a port that is taken, with %v", s.Close())
	}
	if s != nil {
		t.Errorf("got a sandbox beside %v", err)
	}
}

// TestSettingsNameWholePaths: a mount with the settings of a sandbox may be
// made from any folder.
func TestSettingsNameWholePaths(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := Start(t.Context(), Config{StateDir: "state"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	settings, err := s.WriteSettings(s.Users()[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.CAFile(), settings.Config} {
		if _, err := os.Stat(path); err != nil || !filepath.IsAbs(path) {
			t.Errorf("%s: got %v, want the whole path of a file", path, err)
		}
	}
}
