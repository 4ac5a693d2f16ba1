//go:build peer

package irods

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A project saved by cp -r is found from Python by its AVUs, and what iRODS
// has is what its checksums say.
func TestSavedPack(t *testing.T) {
	dir := mounted(t)
	coll := home + "/Kidney"
	ctx, cancel := context.WithTimeout(context.Background(), programLimit)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "cp", "-r", filepath.Join(dir, "omero/lab", user, "projects/Kidney"), below(dir, home)).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	local := 0
	count := func(args ...string) int {
		out, err := exec.CommandContext(ctx, "find", args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(out), "\n")
	}
	local = count(below(dir, coll), "-type", "f")
	libraries(t, func(t *testing.T, library, _ string) {
		var got struct {
			Saved         []string
			Kinds         map[string][][]string
			Wrong         [][]string
			Files, Marked int
			Size          int64
		}
		python(t, library, "pack.py", job{"coll": coll}, &got)
		if !slices.Contains(got.Saved, coll) {
			t.Errorf("found %q by the state, want %s among them", got.Saved, coll)
		}
		names := map[string]string{}
		for _, a := range got.Kinds[coll] {
			names[a[0]] = a[1]
		}
		for name, want := range map[string]string{"omerods::state": "finished", "omerods::kind": "Project", "omerods::owner": user} {
			if names[name] != want {
				t.Errorf("%s is %q, want %q (of %q)", name, names[name], want, names)
			}
		}
		if len(got.Wrong) > 0 {
			t.Errorf("checksums that are not of the bytes: %q", got.Wrong)
		}
		if got.Files != local || local == 0 || got.Marked == 0 {
			t.Errorf("%d files, %d of them with what OMERO knows; the mount has %d", got.Files, got.Marked, local)
		}
	})
}
