package irodsview_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"omerods/internal/sandbox/irodsd"
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
