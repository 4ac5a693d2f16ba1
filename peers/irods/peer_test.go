//go:build peer

// Package irods holds the sandbox's iRODS server, and the mount on it, to
// python-irodsclient, unmodified: the newest one and that of Debian 12. It
// needs the environments that scripts/irods-py makes; "make peer-irods" runs
// it.
package irods

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/irodsd"
	"omerods/mount"
)

// programLimit ends a program that hangs; it is no measure of speed.
const programLimit = 5 * time.Minute

const (
	newest = "newest" // from PyPI
	debian = "debian"
	user   = "ada"
	other  = "bob"
	second = "secondResc"
	home   = "/" + sandbox.Zone + "/home/" + user
)

var (
	environments string
	box          *sandbox.Sandbox // shared by all tests; each has its own collection
	requests     counter
)

// counter has the requests to the iRODS server by number.
type counter struct {
	mu sync.Mutex
	of map[int]int
}

func (c *counter) note(api int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[int]int{}
	}
	c.of[api]++
}

func (c *counter) get(api int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[api]
}

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	if environments = os.Getenv("OMERODS_IRODS_PY"); environments == "" {
		return 1, errors.New("OMERODS_IRODS_PY names no Python environments; run: make peer-irods")
	}
	ctx := context.Background()
	box, err = sandbox.Start(ctx, sandbox.Config{IRODSFault: func(api int, _ int64) irodsd.Fault {
		requests.note(api)
		return irodsd.Fault{}
	}})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	if err := errors.Join(
		box.IRODS().AddUser(ctx, other, "rodsuser", "bob's"), box.IRODS().AddUser(ctx, "anonymous", "rodsuser", ""),
		box.IRODS().AddResource(ctx, second),
	); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// job is what a program is told.
type job map[string]any

// python runs one of the programs in this folder with a library and decodes
// its answer into out.
func python(t *testing.T, library, program string, more job, out any) {
	t.Helper()
	if stderr, err := tryPython(library, program, more, out); err != nil {
		t.Fatalf("%s %s: %v\n%s", library, program, err, stderr)
	}
}

func tryPython(library, program string, more job, out any) (stderr string, err error) {
	j := job{
		"port": box.IRODSPort(), "zone": sandbox.Zone, "user": user, "other": other, "admin": "rods", "ca": box.CAFile(),
		"resource": "demoResc", "second": second, "denied": "/" + sandbox.Zone + "/home/" + other + "/denied",
	}
	passwords := map[string]string{"rods": "rods", other: "bob's", "anonymous": "", "nobody": "x"}
	for _, u := range box.Users() {
		passwords[u.Name] = u.Password
	}
	j["passwords"] = passwords
	for k, v := range more {
		j[k] = v
	}
	in, err := json.Marshal(j)
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(program)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), programLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(environments, library, "bin", "python"), path)
	cmd.Dir = os.TempDir()
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + os.TempDir(), "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, errors bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, &errors
	if err := cmd.Run(); err != nil {
		return errors.String(), err
	}
	d := json.NewDecoder(&stdout)
	d.UseNumber()
	return errors.String(), d.Decode(out)
}

// libraries runs a test with each library, in a collection of its own.
func libraries(t *testing.T, run func(t *testing.T, library, coll string)) {
	for _, library := range []string{newest, debian} {
		t.Run(library, func(t *testing.T) { run(t, library, home+"/"+t.Name()) })
	}
}

// mounted mounts both servers as the user and returns the mount point.
func mounted(t *testing.T) string {
	t.Helper()
	settings, err := box.WriteSettings(box.Users()[0])
	if err != nil {
		t.Fatal(err)
	}
	c := mount.Default()
	if err := mount.Load(&c, settings.Config, func(string) string { return "" }); err != nil {
		t.Fatal(err)
	}
	c.Mountpoint = t.TempDir()
	m, err := mount.Start(context.Background(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return c.Mountpoint
}

// below is the place of an iRODS path in a mount.
func below(dir, logical string) string { return filepath.Join(dir, "irods", logical) }
