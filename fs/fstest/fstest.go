// Package fstest mounts trees for tests.
package fstest

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"omerods/fs"
	"omerods/fs/tree"
)

// Option changes how [Mount] mounts.
type Option func(*fs.Options)

// Mount mounts the tree in a folder of the test and returns the folder. At
// the end of the test it unmounts and fails the test if a handler panicked, a
// handle was left open, or the mount was busy.
//
// It skips the test where /dev/fuse is missing, but not where CI is set: a
// machine that is to run the tests must be able to.
func Mount(t testing.TB, root tree.Dir, opts ...Option) string {
	t.Helper()
	return Serve(t, root, opts...).Mountpoint()
}

// Serve is [Mount] for a test that needs the server.
func Serve(t testing.TB, root tree.Dir, opts ...Option) *fs.Server {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no mount possible: %v", err)
		}
		t.Skipf("NOT TESTED: no mount possible here: %v", err)
	}
	o := fs.DefaultOptions()
	o.Logger = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o.PanicHandler = func(value any) { t.Errorf("a handler panicked: %v", value) }
	for _, opt := range opts {
		opt(&o)
	}
	s, err := fs.Mount(context.Background(), root, t.TempDir(), o)
	if err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() { end(t, s) })
	return s
}

// endTimeout is how long a test's mount may take to go away.
const endTimeout = 10 * time.Second

func end(t testing.TB, s *fs.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	select {
	case <-s.Done():
		return // the test ended it
	default:
	}
	// RELEASE comes after close(2) has returned.
	for wait := time.Millisecond; s.OpenHandles() > 0 && wait < time.Second; wait *= 2 {
		time.Sleep(wait)
	}
	if n := s.OpenHandles(); n > 0 {
		t.Errorf("%d handles left open", n)
	}
	err := s.Unmount(ctx)
	if err == nil {
		return
	}
	t.Errorf("unmount: %v", err)
	// Who is inside would keep it alive.
	if err := s.Abort(); err != nil {
		t.Errorf("abort: %v", err)
	}
	if err := s.Detach(ctx); err != nil {
		t.Errorf("detach: %v", err)
	}
	select {
	case <-s.Done():
	case <-ctx.Done():
		t.Errorf("the mount does not end")
	}
}

// testWriter logs to the test.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}
