//go:build peer

package irods

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newsLimit is how soon the mount shows what others did in iRODS.
const newsLimit = 5 * time.Second

// watch is a point in time from which a mount may need newsLimit.
type watch struct {
	t     *testing.T
	start time.Time
}

func newWatch(t *testing.T) watch { return watch{t, time.Now()} }

// shows looks until a file holds what it should. Each look may be long, so
// what counts is when it began.
func (w watch) shows(path string, want []byte) {
	w.t.Helper()
	for {
		began := time.Now()
		got, err := os.ReadFile(path)
		if err == nil && bytes.Equal(got, want) {
			return
		}
		if began.Sub(w.start) > newsLimit {
			w.t.Errorf("%s: %d bytes %.20q, %v, want %d bytes %.20q after %v", path, len(got), got, err, len(want), want, newsLimit)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// gone looks until a name is no longer there.
func (w watch) gone(path string) {
	w.t.Helper()
	for {
		began := time.Now()
		_, err := os.Stat(path)
		if os.IsNotExist(err) {
			return
		}
		if began.Sub(w.start) > newsLimit {
			w.t.Errorf("%s is still there after %v: %v", path, newsLimit, err)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// What Python does the mount shows within five seconds, also where it has just
// looked; what is written through the mount Python has at once.
func TestMountAndPythonSeeEachOther(t *testing.T) {
	dir := mounted(t)
	libraries(t, func(t *testing.T, library, coll string) {
		at := below(dir, coll)
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		var old []byte
		for i, data := range [][]byte{[]byte("first"), bytes.Repeat([]byte("second "), 1<<20), {}, []byte("third")} {
			for _, name := range []string{"kept", fmt.Sprintf("new%d", i)} {
				_, _ = os.ReadDir(at) // what it has cached now is old soon
				_, _ = os.ReadFile(filepath.Join(at, name))
				file := filepath.Join(t.TempDir(), "data")
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				var got struct{ Before string }
				python(t, library, "write.py", job{"path": coll + "/" + name, "file": file}, &got)
				newWatch(t).shows(filepath.Join(at, name), data)
				if name == "kept" && i > 0 && got.Before != sha2(old) {
					t.Errorf("before: %q, want %q", got.Before, sha2(old))
				}
			}
			// The mount's turn.
			old = fmt.Appendf(nil, "%s by the mount, %d", data, i)
			if err := os.WriteFile(filepath.Join(at, "kept"), old, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var got struct{ Before string }
		python(t, library, "write.py", job{"path": coll + "/kept", "remove": true}, &got)
		newWatch(t).gone(filepath.Join(at, "kept"))
		if got.Before != sha2(old) {
			t.Errorf("before the removal: %q, want %q", got.Before, sha2(old))
		}
	})
}

// xattr looks until an extended attribute has a value.
func (w watch) xattr(path, name, want string) {
	w.t.Helper()
	buf := make([]byte, 4096)
	for {
		began := time.Now()
		n, err := unix.Getxattr(path, name, buf)
		if err == nil && string(buf[:n]) == want {
			return
		}
		if began.Sub(w.start) > newsLimit {
			w.t.Errorf("%s of %s: %q, %v, want %q after %v", name, path, buf[:max(n, 0)], err, want, newsLimit)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func setXattr(t *testing.T, path, name, value string) {
	t.Helper()
	if err := unix.Setxattr(path, name, []byte(value), 0); err != nil {
		t.Error(err)
	}
}
