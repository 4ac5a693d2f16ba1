package irodsview_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/irodsd/status"
)

const apiCopy = 696

// A server that goes away when it has written the new content into a file, and
// before anybody knows that it is right, does not cost the content: what the
// program wrote is kept until the file has it.
func TestServerGoneBeforeTheNewContentIsVerified(t *testing.T) {
	var w *world
	var armed, copied atomic.Bool
	w = mount(t, withFault(func(api int, _ int64) irodsd.Fault {
		if api == apiCopy && armed.Load() {
			copied.Store(true)
		}
		if api == apiChecksum && copied.Load() {
			w.relay.Refuse(true)
			return irodsd.Fault{DropBefore: true}
		}
		return irodsd.Fault{}
	}))
	w.run("echo old > f")
	armed.Store(true)
	if err := os.WriteFile(filepath.Join(w.dir, "f"), []byte("new\n"), 0o600); !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("writing: got %v, want an error", err)
	}
	armed.Store(false)
	copied.Store(false)
	w.relay.Refuse(false)
	journal, err := filepath.Glob(filepath.Join(w.state, "*.overwrite"))
	if err != nil || len(journal) != 1 {
		t.Errorf("the journal has %q, %v, want one entry", journal, err)
	}
	kept, err := w.client.Find(t.Context(), ".omerods-%")
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 {
		t.Errorf("%d temporary objects, want the one with what was written", len(kept))
	}
	w.remount()
	if _, err := w.view.Cleanup(t.Context(), w.client); err != nil {
		t.Error(err)
	}
	compare(t, w.objects(home), map[string]string{"f": "new\n"})
	for _, j := range journal {
		if _, err := os.Stat(j); err == nil {
			t.Error("the entry of the journal is still there")
		}
	}
}

// Where the storage still has the folder of a collection that was removed, a
// server refuses to rename a data object to that name. A new file gets there as
// a copy; one that exists stays, for a copy would not be the same object.
func TestStorageHasAFolderOfTheName(t *testing.T) {
	const apiRename = 627
	var armed atomic.Bool
	w := mount(t, withFault(func(api int, _ int64) irodsd.Fault {
		if api == apiRename && armed.Load() {
			return irodsd.Fault{Code: status.Code(-528000 - int(syscall.EISDIR))}
		}
		return irodsd.Fault{}
	}))
	w.run("echo there > old")
	armed.Store(true)
	w.run("echo new > name")
	if err := os.Rename(filepath.Join(w.dir, "old"), filepath.Join(w.dir, "moved")); !errors.Is(err, syscall.EIO) {
		t.Errorf("moving what exists: got %v, want an input/output error", err)
	}
	w.run("cp old moved; rm old")
	armed.Store(false)
	compare(t, w.objects(home), map[string]string{"name": "new\n", "moved": "there\n"})
}
