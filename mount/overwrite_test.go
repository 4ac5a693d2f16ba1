package mount

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/irodsd"
)

// irodsClient is another client of the first user.
func (w *world) irodsClient() *irods.Client {
	w.t.Helper()
	mine := w.config()
	cfg, err := irods.LoadEnvironment(irods.Environment{File: mine.IRODSEnvironment})
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Password = cmp.Or(mine.IRODSPassword, cfg.Password)
	c, err := irods.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// overwritten checks a file that a killed mount was changing: it is the same
// object, whole, and nothing is left beside it.
func overwritten(w *world, c *irods.Client, what, name string, before irods.Entry, contents ...[]byte) {
	w.t.Helper()
	ctx := w.t.Context()
	got, err := os.ReadFile(w.home(name))
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	whole := false
	for _, want := range contents {
		whole = whole || bytes.Equal(got, want)
	}
	if !whole {
		w.t.Errorf("%s: the file has %d bytes %.20q that nobody wrote", what, len(got), got)
	}
	e, err := c.Stat(ctx, w.logical(name))
	if err != nil || e.ID != before.ID || !e.Good() || e.Size != int64(len(got)) {
		w.t.Errorf("%s: got %+v, %v, want the id %d", what, e, err, before.ID)
	}
	if sum, err := c.Checksum(ctx, w.logical(name), true); err != nil || sum != e.Checksum {
		w.t.Errorf("%s: registered is %s, the content has %s, %v", what, e.Checksum, sum, err)
	}
	if avus, err := c.AVUs(ctx, w.logical(name), false); err != nil || len(avus) != 1 || avus[0].Value != "kept" {
		w.t.Errorf("%s: metadata %v, %v", what, avus, err)
	}
	if left, err := c.Find(ctx, ".omerods-%"); err != nil || len(left) > 0 {
		w.t.Errorf("%s: left %v, %v", what, left, err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.config().StateDir, "*.overwrite")); len(left) > 0 {
		w.t.Errorf("%s: left in the journal: %v", what, left)
	}
}

// A mount that is killed at any request of an overwrite leaves the old content
// or the new one, in the same object.
func TestKilledWhileOverwriting(t *testing.T) {
	w := newDoomed(t, sandbox.Config{})
	c := w.irodsClient()
	old, small, large := []byte("old\n"), []byte("new and longer\n"), bytes.Repeat([]byte("0123456789abcde\n"), 9<<16)
	src := t.TempDir()
	for name, data := range map[string][]byte{"small": small, "large": large} {
		if err := os.WriteFile(filepath.Join(src, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []string{"small", "large"} {
		for n := int64(1); ; n++ {
			name := fmt.Sprintf("%s %d", size, n)
			if err := os.WriteFile(w.home(name), old, 0o644); err != nil {
				t.Fatal(err)
			}
			w.run("setfattr", "-n", "user.irods.avu.a", "-v", "kept", w.home(name))
			before, err := c.Stat(t.Context(), w.logical(name))
			if err != nil {
				t.Fatal(err)
			}
			code, over := w.killedAt(n, "cp", filepath.Join(src, size), w.home(name))
			want := [][]byte{old, map[string][]byte{"small": small, "large": large}[size]}
			if code == 0 {
				want = want[1:]
			}
			what := fmt.Sprintf("killed at request %d while %s is written", n, size)
			overwritten(w.world, c, what, name, before, want...)
			if over {
				if code != 0 || n < 5 {
					t.Errorf("%s: exit code %d after less than %d requests", size, code, n)
				}
				break
			}
		}
	}
	w.v.stop()
}

// What a server has done half when the mount is killed is done again at the
// next start.
func TestHalfOverwrittenIsFinished(t *testing.T) {
	var w *doomed
	var c *irods.Client
	var armed, cut atomic.Bool
	const writeObject, copyObject = 676, 696
	w = newDoomed(t, sandbox.Config{IRODSFault: func(api int, _ int64) irodsd.Fault {
		if cut.Load() && api == writeObject {
			return irodsd.Fault{DropBefore: true}
		}
		if api != copyObject || !armed.CompareAndSwap(true, false) {
			return irodsd.Fault{}
		}
		// As far as a server came that lost its storage at that moment.
		f, err := c.OpenWrite(t.Context(), w.logical("f"), true)
		if err == nil {
			err = f.WriteAt(t.Context(), []byte("hal"), 0)
		}
		if err != nil {
			t.Error(err)
		}
		cut.Store(true)
		if err := f.WriteAt(t.Context(), []byte("f"), 3); err == nil {
			t.Error("a write on a connection that is cut")
		}
		cut.Store(false)
		_ = syscall.Kill(int(w.k.pid.Load()), syscall.SIGKILL)
		return irodsd.Fault{DropBefore: true}
	}})
	if err := os.WriteFile(w.home("f"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.run("setfattr", "-n", "user.irods.avu.a", "-v", "kept", w.home("f"))
	look := w.irodsClient()
	before, err := look.Stat(t.Context(), w.logical("f"))
	if err != nil {
		t.Fatal(err)
	}
	c = w.irodsClient()
	w.k.pid.Store(int64(w.v.cmd.Process.Pid))
	armed.Store(true)
	when := "2020-02-03 04:05:06 UTC"
	if out, code := w.try("bash", "-c", `echo complete >"$1" && touch -d "$2" "$1"`, "sh", w.home("f"), when); code == 0 {
		t.Errorf("the program heard of nothing: %s", out)
	}
	w.v.kill()
	if e, err := look.Stat(t.Context(), w.logical("f")); err != nil || e.Good() {
		t.Errorf("the file is not half written: %+v, %v", e, err)
	}
	journal, err := filepath.Glob(filepath.Join(w.world.config().StateDir, "*.overwrite"))
	if err != nil || len(journal) != 1 {
		t.Fatalf("the journal has %v, %v", journal, err)
	}
	if i, err := os.Stat(journal[0]); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the journal's mode is %v, %v", i, err)
	}
	if text, err := os.ReadFile(journal[0]); err != nil || strings.Contains(string(text), "password") {
		t.Errorf("the journal says %s, %v", text, err)
	}
	w.v = startVictim(t, w.bin, w.config, w.dir)
	overwritten(w.world, look, "half overwritten", "f", before, []byte("complete\n"))
	w.v.stop()
}
