package irodsview_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/irods"
)

// What a group may, its members may, in a collection that passes its rights
// on; and no longer when the right has been taken away.
func TestRightsOfAGroup(t *testing.T) {
	w := mount(t)
	ctx, group := t.Context(), "omerods_lab"
	shared := homeOfBob + "/shared"
	for _, err := range []error{
		w.AddGroup(ctx, group), w.AddToGroup(ctx, group, "alice"), w.AddToGroup(ctx, group, "bob"),
		w.MakeCollection(ctx, shared, "bob"), w.SetAccess(ctx, shared, group, "write"), w.SetInherit(ctx, shared, true),
		w.PutObject(ctx, shared+"/bobs", "bob", strings.NewReader("bob's")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.dir = filepath.Join(w.served.Mountpoint(), shared)
	if got := w.run("mkdir d; echo x > d/f; echo more >> bobs; cat bobs; mv d/f d/g; ls d; stat -c %a d/g bobs"); got != "bob'smore\ng\n644\n644\n" {
		t.Errorf("got %q", got)
	}
	bob := w.newClient("bob")
	e, err := bob.Stat(ctx, shared+"/d/g")
	if err != nil || e.Owner != "alice" {
		t.Errorf("bob sees %+v, %v", e, err)
	}
	if l, err := bob.Rights(ctx, shared+"/d/g", false); err != nil || l < irods.LevelWrite {
		t.Errorf("bob's right on what alice made: %v, %v", l, err)
	}
	if out, err := w.try("rm bobs"); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("removing somebody else's object: %q, %v", out, err)
	}
	if err := w.SetAccess(ctx, shared, group, "read"); err != nil {
		t.Fatal(err)
	}
	w.later()
	waitFor(t, func() bool { _, err := os.Create(w.dir + "/new"); return errors.Is(err, os.ErrPermission) })
	if out, err := w.try("cat bobs; echo x >> bobs"); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("with the right to read: %q, %v", out, err)
	}
}

// limitAlice sets the quota of a group that alice is in, until the test ends.
func (w *world) limitAlice(bytes int64) (change func(bytes int64)) {
	w.t.Helper()
	const group = "omerods_quota"
	set := func(bytes int64) {
		w.t.Helper()
		if err := w.SetQuota(context.Background(), group, "", bytes); err != nil {
			w.t.Fatal(err)
		}
	}
	ctx := w.t.Context()
	if err := errors.Join(w.AddGroup(ctx, group), w.AddToGroup(ctx, group, "alice")); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { set(0) })
	set(bytes)
	return set
}

// A write beyond the quota fails with the errno of that, at a call that the
// program looks at, and leaves nothing.
func TestQuotaExceeded(t *testing.T) {
	w := mount(t)
	limit := w.limitAlice(1 << 40)
	w.run("echo old > kept; head -c 2000000 /dev/zero > filling")
	limit(1_000_000)
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"cp " + big + " new", "cp " + big + " kept", "rsync -a " + big + " new", "cp filling new"} {
		out, err := w.try(command)
		if err == nil || !strings.Contains(out, "quota exceeded") {
			t.Errorf("%s: %q, %v", command, out, err)
		}
	}
	w.later()
	if got := w.run("ls -A; cat kept; stat -f -c %a ."); got != "filling\nkept\nold\n0\n" {
		t.Errorf("after it: %q", got)
	}
	limit(0)
	w.later()
	w.run("cp " + big + " new && cmp " + big + " new")
}

// On a resource that keeps two copies every file has two good replicas when
// its close has returned, and no two different sums.
func TestReplicatedResource(t *testing.T) {
	need(t, "rsync")
	w := newWorld(t)
	w.cfg.Resource = "omerodsTwo"
	w.client = w.newClient("alice")
	w.serve()
	if err := w.AddReplicated(t.Context(), "omerodsTwo", 2); err != nil {
		t.Fatal(err)
	}
	src := sample(t)
	w.run(fmt.Sprintf("cp -r %[1]s out; echo more >> out/'one byte'; cp %[1]s/big.bin out/empty; rsync -a %[1]s/ out2/; truncate -s 3 'out2/one byte'", src))
	for _, coll := range []string{home + "/out", home + "/out/sub", home + "/out2"} {
		entries, err := w.client.List(t.Context(), coll)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsCollection {
				continue
			}
			if len(e.Replicas) != 2 {
				t.Errorf("%s has %d replicas", e.Path, len(e.Replicas))
			}
			for _, r := range e.Replicas {
				if r.Status != irods.StatusGood || r.Checksum != "" && r.Checksum != e.Checksum || r.Size != e.Size {
					t.Errorf("%s: %+v", e.Path, r)
				}
			}
		}
	}
	w.objects(home)
	w.run("rm -r out out2; ls -A")
}

// An object that somebody is writing is busy, and stays as it is.
func TestLockedReplica(t *testing.T) {
	w := mount(t)
	ctx := t.Context()
	w.run("echo old > f; echo x > other; mkdir d")
	other := w.newClient("alice")
	h, err := other.OpenWrite(ctx, home+"/f", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.WriteAt(ctx, []byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	w.later()
	for _, command := range []string{"echo x > f", "echo x >> f", "rm f", "cp other f", "truncate -s 1 f", "mv other f"} {
		if out, err := w.try(command); err == nil || !strings.Contains(out, "busy") {
			t.Errorf("%s: %q, %v", command, out, err)
		}
	}
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
	w.later()
	waitFor(t, func() bool {
		out, err := w.try("cat f other; rm f && echo gone")
		return err == nil && out == "new\nx\ngone\n"
	})
}
