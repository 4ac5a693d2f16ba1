package mount

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"omerods/internal/sandbox"
)

// A save into a place where the user may not write is refused at its first
// call, with the place where they may; the mount lists all such places.
func TestSaveWhereOneMayNotWrite(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	s := w.sandbox.IRODS()
	ctx := t.Context()
	bob := w.sandbox.Users()[1].Name
	for _, err := range []error{
		s.MakeCollection(ctx, "/tempZone/home/"+bob+"/closed", bob), s.MakeCollection(ctx, "/tempZone/home/"+bob+"/open", bob),
		s.SetAccess(ctx, "/tempZone/home/"+bob, "ada", "read"), s.SetAccess(ctx, "/tempZone/home/"+bob+"/closed", "ada", "read"),
		s.SetAccess(ctx, "/tempZone/home/"+bob+"/open", "ada", "write"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	closed := filepath.Join(w.dir, "irods", sandbox.Zone, "home", bob, "closed")
	target := filepath.Join(closed, "Kidney")
	if out, code := w.try("cp", "-r", w.omero("projects", "Kidney"), target); code == 0 || !strings.Contains(out, "Permission denied") {
		t.Errorf("cp: exit code %d, %q; want permission denied", code, out)
	}
	if err := os.Mkdir(target, 0o755); !errors.Is(err, syscall.EACCES) {
		t.Errorf("mkdir: got %v, want EACCES", err)
	}
	why, ok, err := Why(target)
	if err != nil || !ok || !strings.Contains(why, "the nearest collection where you may is /tempZone/home/"+bob+"/open") {
		t.Errorf("why: got %q, %v, %v", why, ok, err)
	}

	got, err := ReadTargets(w.dir, "irods/tempZone/home/"+bob+"/closed")
	if err != nil {
		t.Fatal(err)
	}
	if got.Home != "irods/tempZone/home/ada" || !got.Complete || len(got.Targets) < 2 || got.Targets[0].Path != "irods/tempZone/home/"+bob+"/open" {
		t.Errorf("from there: got %+v", got)
	}
	fromHome, err := ReadTargets(w.dir, "omero/lab/ada")
	if err != nil || fromHome.Targets[0] != (Target{"irods/tempZone/home/ada", true}) {
		t.Errorf("from home: got %+v, %v", fromHome, err)
	}
	lines := strings.Split(strings.TrimSpace(fromHome.Text(w.dir)), "\n")
	if !slices.Contains(lines, filepath.Join(w.dir, "irods/tempZone/home/"+bob+"/open")) {
		t.Errorf("text: got %q", lines)
	}
	for _, l := range lines {
		if err := os.Mkdir(filepath.Join(l, "made"), 0o755); err != nil {
			t.Errorf("%s is listed: %v", l, err)
		}
	}
}

// The list of targets costs nothing as long as nobody reads it, and says why
// when the server is away.
func TestTargetsOfAServerThatIsAway(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	if err := w.sandbox.IRODS().Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadDir(filepath.Join(w.dir, ControlDir)); err != nil {
		t.Errorf("the folder: %v", err)
	}
	if _, err := ReadTargets(w.dir, ""); !errors.Is(err, syscall.ETIMEDOUT) || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("got %v, want ETIMEDOUT with the reason", err)
	}
}
