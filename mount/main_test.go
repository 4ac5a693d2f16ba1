package mount

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/internal/sandbox"
)

// world is a pair of sandbox servers, mounted.
type world struct {
	t       testing.TB
	sandbox *sandbox.Sandbox
	mount   *Mount
	at      place
	dir     string // the mount point
	stopped bool
}

// newWorld starts servers and mounts them as the first user of the sample. The
// test shares nothing with others, so it runs beside them.
func newWorld(t testing.TB, cfg sandbox.Config) *world {
	t.Helper()
	beside(t)
	return newWorldAlone(t, cfg)
}

// running are the tests that run beside others already.
var running sync.Map

// beside lets a test run at the same time as others: they wait a lot, for
// programs to end and for folders to be quiet. Parts of a test stay in order.
func beside(t testing.TB) {
	if p, ok := t.(*testing.T); ok && !strings.Contains(p.Name(), "/") {
		if _, twice := running.LoadOrStore(p.Name(), true); !twice {
			p.Parallel()
		}
	}
}

// newWorldAlone is newWorld for a test that changes what others see, such as
// the environment.
func newWorldAlone(t testing.TB, cfg sandbox.Config) *world {
	t.Helper()
	needFuse(t)
	if cfg.StateDir == "" {
		cfg.StateDir = t.TempDir()
	}
	s, err := sandbox.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sandbox: s, dir: filepath.Join(t.TempDir(), "mnt")}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.settle()
	t.Cleanup(func() {
		w.unmount()
		if err := s.Close(); err != nil {
			t.Errorf("sandbox: %v", err)
		}
	})
	w.remount()
	return w
}

func needFuse(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("/dev/fuse is missing")
	}
	t.Skip("/dev/fuse is missing: this test needs a real mount")
}

// config is that of the sandbox's first user, with what the test changes.
func (w *world) config(change ...func(*Config)) Config {
	w.t.Helper()
	settings, err := w.sandbox.WriteSettings(w.sandbox.Users()[0])
	if err != nil {
		w.t.Fatal(err)
	}
	w.direct(settings)
	c := Default()
	if err := Load(&c, settings.Config, func(string) string { return "" }); err != nil {
		w.t.Fatal(err)
	}
	c.Mountpoint = w.dir
	for _, f := range change {
		f(&c)
	}
	return c
}

func testLogger(t testing.TB) *slog.Logger {
	out := io.Discard
	if testing.Verbose() {
		out = os.Stderr
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func (w *world) remount(change ...func(*Config)) {
	w.t.Helper()
	m, err := Start(context.Background(), w.config(change...), testLogger(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	w.mount, w.stopped = m, false
}

func (w *world) unmount() {
	w.t.Helper()
	if w.stopped || w.mount == nil {
		return
	}
	w.stopped = true
	if err := w.mount.Stop(); err != nil {
		w.t.Errorf("unmount: %v", err)
	}
	if used := w.mount.spool.Used(); used != 0 {
		w.t.Errorf("the spool still holds %d bytes", used)
	}
}

// omero is a path below the first user's folder in the lab.
func (w *world) omero(parts ...string) string {
	return filepath.Join(append([]string{w.dir, "omero", "lab", "ada"}, parts...)...)
}

// home is a path below the first user's iRODS home.
func (w *world) home(parts ...string) string {
	return filepath.Join(append([]string{w.dir, "irods", w.at.home}, parts...)...)
}

// logical is the iRODS path of what home returns.
func (w *world) logical(parts ...string) string {
	return w.at.home + "/" + strings.Join(parts, "/")
}

// run runs a program and fails the test unless it exits with 0.
func (w *world) run(name string, args ...string) string {
	w.t.Helper()
	out, code := w.try(name, args...)
	if code != 0 {
		why, _, _ := Why(args[len(args)-1])
		w.t.Fatalf("%s %q: exit code %d\n%s%s", name, args, code, out, why)
	}
	return out
}

// try runs a program and returns what it printed, and its exit code.
func (w *world) try(name string, args ...string) (string, int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		w.t.Fatalf("%s %q hangs\n%s", name, args, out)
	}
	if err != nil && cmd.ProcessState == nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// copiers are the programs that people copy folders with: each copies src to
// the new name dst.
var copiers = map[string]func(w *world, src, dst string) (string, int){
	"cp -r":    func(w *world, src, dst string) (string, int) { return w.try("cp", "-r", src, dst) },
	"cp -a":    func(w *world, src, dst string) (string, int) { return w.try("cp", "-a", src, dst) },
	"rsync -a": func(w *world, src, dst string) (string, int) { return w.try("rsync", "-a", src+"/", dst+"/") },
	"tar": func(w *world, src, dst string) (string, int) {
		if err := os.Mkdir(dst, 0o755); err != nil {
			return err.Error(), 1
		}
		return w.try("bash", "-o", "pipefail", "-c", `tar -C "$1" -cf - . | tar -C "$2" -xf -`, "tar", src, dst)
	},
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for 30 s: %s", what)
		}
	}
}
