package fstest_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

// fake is a test that may fail.
type fake struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (f *fake) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fake) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }

// end runs the cleanups and returns what failed.
func (f *fake) end() string {
	for _, c := range slices.Backward(f.cleanups) {
		c()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.failures, "\n")
}

func TestMountLeavesNothing(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("x"))
	f := &fake{TB: t}
	dir := fstest.Mount(f, mt.Root())
	if got, err := os.ReadFile(dir + "/f"); err != nil || string(got) != "x" {
		t.Errorf("got %q %v", got, err)
	}
	if failed := f.end(); failed != "" {
		t.Error(failed)
	}
	if _, err := os.Stat(dir + "/f"); !os.IsNotExist(err) {
		t.Errorf("still mounted: %v", err)
	}
}

func TestMountTellsOfOpenHandles(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("x"))
	f := &fake{TB: t}
	open, err := os.Open(fstest.Mount(f, mt.Root()) + "/f")
	if err != nil {
		t.Fatal(err)
	}
	failed := f.end()
	for _, want := range []string{"1 handles left open", "busy"} {
		if !strings.Contains(failed, want) {
			t.Errorf("got %q, want %q", failed, want)
		}
	}
	open.Close()
}

func TestMountTellsOfPanics(t *testing.T) {
	f := &fake{TB: t}
	dir := fstest.Mount(f, panics{memtree.New().Root()})
	_, _ = os.ReadDir(dir)
	if failed := f.end(); !strings.Contains(failed, "panicked: oh") {
		t.Errorf("got %q", failed)
	}
}

// panics is a root that cannot be listed.
type panics struct{ tree.Dir }

func (panics) List(context.Context) ([]tree.Entry, error) { panic("oh") }
