package mount

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/transfer"
)

// failure is one line of the errors file.
type failure struct {
	Time   time.Time `json:"time"`
	Path   string    `json:"path"`
	Op     string    `json:"op"`
	Errno  string    `json:"errno"`
	Reason string    `json:"reason"`
	Advice string    `json:"advice,omitempty"`
	Count  int       `json:"count"`
}

// errorsText lists the caller's failures, the latest first.
func (m *Mount) errorsText(ctx context.Context) string {
	c, _ := tree.CallerFrom(ctx)
	list := []failure{}
	if server := m.server.Load(); server != nil {
		for _, f := range server.Errors().All(c.UID) {
			list = append(list, failure{
				Time: f.Time.UTC(), Path: f.Path, Op: f.Op, Errno: f.Errno.Error(),
				Reason: f.Reason, Advice: f.Advice, Count: f.Count,
			})
		}
	}
	return toJSON(list)
}

// Find returns the mount that path lies in, and path below it. The path need
// not exist.
func Find(path string) (mountpoint, below string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ControlDir, "version")); err == nil {
			below, err := filepath.Rel(dir, path)
			if below == "." {
				below = ""
			}
			return dir, below, err
		}
		if dir == filepath.Dir(dir) {
			return "", "", fmt.Errorf("%s is in no omerods mount", path)
		}
	}
}

// ReadStatus asks a mount how it is.
func ReadStatus(mountpoint string) (Status, error) {
	var s Status
	b, err := os.ReadFile(filepath.Join(mountpoint, ControlDir, "status.json"))
	if err != nil {
		return s, fmt.Errorf("%s is no omerods mount: %w", mountpoint, err)
	}
	return s, json.Unmarshal(b, &s)
}

// Why explains the last failure at a path, below it or, failing that, right
// above it. ok is false when nothing is known to have failed.
func Why(path string) (text string, ok bool, err error) {
	mountpoint, below, err := Find(path)
	if err != nil {
		return "", false, err
	}
	b, err := os.ReadFile(filepath.Join(mountpoint, ControlDir, "errors"))
	if err != nil {
		return "", false, err
	}
	var failures []failure
	if err := json.Unmarshal(b, &failures); err != nil {
		return "", false, err
	}
	st, err := ReadStatus(mountpoint)
	if err != nil {
		return "", false, err
	}
	var parts []string
	f, ok := match(failures, below)
	if ok {
		parts = append(parts, f.text(mountpoint))
	}
	for _, r := range st.Transfers {
		if t, told := transferText(r, below, f.Reason); told {
			parts = append(parts, t)
			break
		}
	}
	return strings.Join(parts, "\n"), len(parts) > 0, nil
}

// lookUp is how the filesystem calls the search of a name in a folder.
const lookUp = "look up"

// match finds the failure that a question about path means: the latest at or
// below it, otherwise at a temporary name of it, at the folder that holds it, otherwise one
// that kept the caller from getting there.
func match(list []failure, path string) (failure, bool) {
	for _, f := range list {
		if f.Path == path || path == "" || strings.HasPrefix(f.Path, path+"/") {
			return f, true
		}
	}
	for _, f := range list {
		// rsync writes a file under such a name.
		if filepath.Dir(f.Path) == filepath.Dir(path) && strings.HasPrefix(filepath.Base(f.Path), "."+filepath.Base(path)+".") {
			return f, true
		}
	}
	for above := filepath.Dir(path); above != "." && above != "/"; above = filepath.Dir(above) {
		for _, f := range list {
			if f.Path == above && (f.Op == lookUp || above == filepath.Dir(path)) {
				return f, true
			}
		}
	}
	return failure{}, false
}

func (f failure) text(mountpoint string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s\n", filepath.Join(mountpoint, f.Path), f.Op, f.Errno)
	fmt.Fprintf(&b, "  %s\n", f.Reason)
	if f.Advice != "" {
		fmt.Fprintf(&b, "  what to do: %s\n", f.Advice)
	}
	fmt.Fprintf(&b, "  at %s", f.Time.Local().Format(time.DateTime))
	if f.Count > 1 {
		fmt.Fprintf(&b, ", %d times", f.Count)
	}
	return b.String()
}

// transferText says how a save or load that path is of or in has ended. known
// is the reason that was told already.
func transferText(r transfer.Record, path, known string) (string, bool) {
	inside := r.Path == path || strings.HasPrefix(r.Path, path+"/") || strings.HasPrefix(path, r.Path+"/")
	if !inside || r.Reason == "" {
		return "", false
	}
	text := fmt.Sprintf("the %s at %s is %s", r.Direction, r.Path, r.State)
	if r.Reason != known {
		text += "\n  " + r.Reason
	}
	return text, true
}
