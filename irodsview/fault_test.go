package irodsview_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"omerods/fs/tree"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/irodsd/status"
	"omerods/irodsview"
)

// A connection that is cut at any request of a copy never makes a false
// success, nor leaves anything half done.
func TestCutAtEveryRequest(t *testing.T) {
	var armed, count atomic.Int64 // the request to cut, of those counted
	var after atomic.Bool
	w := mount(t, withFault(func(int, int64) irodsd.Fault {
		at := armed.Load()
		if at == 0 || count.Add(1) != at {
			return irodsd.Fault{}
		}
		return irodsd.Fault{DropBefore: !after.Load(), DropAfter: after.Load()}
	}))
	src := t.TempDir()
	small, large := []byte("small"), bytes.Repeat([]byte("0123456789abcdef"), 5<<16+1)
	for name, data := range map[string][]byte{"small": small, "large": large} {
		if err := os.WriteFile(filepath.Join(src, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, dropAfter := range []bool{false, true} {
		after.Store(dropAfter)
		for i := int64(1); ; i++ {
			dir := fmt.Sprintf("d%v%d", dropAfter, i)
			w.run("mkdir " + dir + " && echo -n old > " + dir + "/kept")
			count.Store(0)
			armed.Store(i)
			out, err := w.try(fmt.Sprintf("cp %[1]s/small %[1]s/large %[2]s/ && cp %[1]s/small %[2]s/kept && mv %[2]s/small %[2]s/moved", src, dir))
			armed.Store(0)
			done := count.Load() < i
			what := fmt.Sprintf("cut at %d, after %v, err %v %s", i, dropAfter, err, strings.TrimSpace(out))
			got := w.objects(home + "/" + dir)
			for name, data := range got {
				ok := data == string(small) || name == "large" && data == string(large) || name == "kept" && data == "old"
				if !ok && !strings.HasPrefix(name, ".omerods-") {
					t.Errorf("%s: %s has %d bytes that nobody wrote", what, name, len(data))
				}
			}
			if err == nil {
				compare(t, got, map[string]string{"large": string(large), "kept": string(small), "moved": string(small)})
				if t.Failed() {
					t.Fatal(what)
				}
			} else if len(got) > 5 {
				t.Errorf("%s: left %d objects", what, len(got))
			}
			left := 0
			for name := range got {
				if strings.HasPrefix(name, ".omerods-") {
					left++
				}
			}
			if left > 0 {
				t.Errorf("%s: %d temporary objects left", what, left)
			}
			if done {
				if err != nil {
					t.Fatalf("%s: no request was cut", what)
				}
				if i < 8 {
					t.Fatalf("a copy of three files took %d requests only", i)
				}
				break
			}
		}
	}
}

// Errors of the server reach the program as the errno that says what it is.
func TestServerErrorsReachTheProgram(t *testing.T) {
	var code atomic.Int64
	var api atomic.Int64
	w := mount(t, withFault(func(a int, _ int64) irodsd.Fault {
		if int64(a) == api.Load() {
			return irodsd.Fault{Code: status.Code(code.Load())}
		}
		return irodsd.Fault{}
	}))
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(t.TempDir(), "small")
	if err := os.WriteFile(small, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		api, code int64
		src, says string
	}{
		{606, -110000, small, "quota exceeded"},
		{606, -818000, small, "Permission denied"},
		{606, -314000, small, "Input/output error"},
		{627, -809000, small, "File exists"},
		{602, -818000, big, "Permission denied"},
		{676, -27028, big, "No space left"},
		{676, -110000, big, "quota exceeded"},
		{673, -27028, big, "No space left"},
		{629, -1803000, big, "busy"},
		{627, -406000, big, "busy"},
	} {
		name := fmt.Sprintf("f%d", i)
		api.Store(tt.api)
		code.Store(tt.code)
		out, err := w.try("cp " + tt.src + " " + name)
		api.Store(0)
		if err == nil || !strings.Contains(out, tt.says) {
			t.Errorf("%d answers %d: got %v %q, want %q", tt.api, tt.code, err, out, tt.says)
		}
		if out := w.run("ls -A"); out != "" {
			t.Errorf("%d answers %d: left %q", tt.api, tt.code, out)
		}
	}
	waitFor(t, func() bool { return len(w.objects(home)) == 0 })
}

// A mount that was killed leaves temporary objects, which the next one of the
// same user removes; those of a living one stay.
func TestCleanup(t *testing.T) {
	w := mount(t)
	ctx := t.Context()
	dead := ".omerods-0123456789ab-1"
	other := ".omerods-ba9876543210-1"
	for _, name := range []string{dead, other, ".omerods-not-ours"} {
		if err := w.PutObject(ctx, home+"/"+name, "alice", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	// The lock file of a process that is gone.
	if err := os.WriteFile(filepath.Join(w.state, "irods-0123456789ab.lock"), irodsview.LockText(""), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := w.run("ls -A"); out != ".omerods-not-ours\n" {
		t.Errorf("listed: %q", out)
	}
	f, err := os.Create(w.dir + "/writing")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 5<<20)); err != nil {
		t.Fatal(err)
	}
	n, err := w.view.Cleanup(ctx, w.client)
	if err != nil || n != 1 {
		t.Errorf("removed %d, %v, want 1", n, err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("the file being written: %v", err)
	}
	entries, err := w.client.List(ctx, home)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range entries {
		got[e.Name()] = true
	}
	for _, name := range []string{other, ".omerods-not-ours", "writing"} {
		if !got[name] {
			t.Errorf("%s is gone", name)
		}
	}
	if got[dead] {
		t.Errorf("%s is still there", dead)
	}
}

// The lock file of a killed mount goes when nothing of it is left, those of
// other accounts stay, and so does one whose saves could not be looked after.
func TestRecoverForgetsTheDead(t *testing.T) {
	w := mount(t)
	lock := func(instance string) string { return filepath.Join(w.state, "irods-"+instance+".lock") }
	ours, theirs := "0123456789ab", "ba9876543210"
	for instance, account := range map[string]string{ours: "", theirs: "bob#other@elsewhere:1247"} {
		if err := os.WriteFile(lock(instance), irodsview.LockText(account), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var asked []string
	offline := tree.Errorf(tree.ErrOffline, "no answer")
	for _, answer := range []error{offline, nil} {
		_, err := w.view.Recover(t.Context(), w.client, func(_ context.Context, instance string) error {
			asked = append(asked, instance)
			return answer
		})
		if !errors.Is(err, answer) {
			t.Errorf("got %v, want %v", err, answer)
		}
		if _, err := os.Stat(lock(ours)); (err == nil) != (answer != nil) {
			t.Errorf("with %v the lock file is there: %v", answer, err == nil)
		}
	}
	if fmt.Sprint(asked) != fmt.Sprint([]string{ours, ours}) {
		t.Errorf("asked about %v", asked)
	}
	if _, err := os.Stat(lock(theirs)); err != nil {
		t.Error("the lock file of another account is gone")
	}
	if !w.view.Dead(theirs) || w.view.Dead(ours) || w.view.Dead(w.view.Instance()) {
		t.Error("the living and the dead are mixed up")
	}
}

func TestOutageIsAnErrorNotAnEmptyFolder(t *testing.T) {
	w := mount(t, onSandbox)
	w.run("mkdir d; echo x > d/f; ls d")
	if err := w.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	w.later()
	waitFor(t, func() bool {
		out, err := w.try("ls d")
		if err == nil && out != "f\n" {
			t.Fatalf("ls: got %q and no error", out)
		}
		return err != nil && strings.Contains(out, "timed out")
	})
	if _, err := os.ReadFile(w.dir + "/d/f"); err == nil {
		t.Error("read: got no error")
	}
}
