package mount

import (
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/sandbox"
)

// A save whose folder cannot be made is told of on the object that it was to
// be of, when the program leaves no doubt which that is.
func TestRefusedFolderIsToldInOMERO(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	project := w.id(w.omero("projects", "Kidney"))
	elsewhere := filepath.Join(w.dir, "irods", sandbox.Zone, "home", "grace")
	w.must(w.sandbox.IRODS().SetAccess(t.Context(), "/"+sandbox.Zone+"/home/grace", "ada", "read"))
	target := "/" + sandbox.Zone + "/home/grace/Kidney"
	told := func() (states []string) {
		for _, r := range w.saveRecords("Project", project) {
			if strings.HasSuffix(pair(r, "target"), target) {
				states = append(states, pair(r, "state")+": "+pair(r, "verified"))
			}
		}
		return states
	}
	// mkdir alone has looked up nothing, and what another program did is no hint.
	w.run("ls", w.omero("projects", "Kidney"))
	if out, code := w.try("setsid", "-w", "mkdir", filepath.Join(elsewhere, "Kidney")); code == 0 || !strings.Contains(out, "Permission denied") {
		t.Errorf("mkdir exits with %d: %s", code, out)
	}
	if got := told(); len(got) > 0 {
		t.Errorf("OMERO says %q though nobody copied", got)
	}
	for _, program := range []string{`cp -r "$1" "$2"`, `rsync -a "$1" "$2"`} {
		// The kernel knows the folder's name for a second.
		w.remountNow()
		out, code := w.try("setsid", "-w", "bash", "-c", program, "sh", w.omero("projects", "Kidney"), elsewhere)
		if code == 0 || !strings.Contains(out, "Permission denied") {
			t.Errorf("%s exits with %d: %s", program, code, out)
		}
		eventually(t, "OMERO says that it failed", func() bool { return len(told()) == 1 })
		if got := told()[0]; !strings.HasPrefix(got, "failed: no: the folder could not be made") {
			t.Errorf("%s: OMERO says %q", program, got)
		}
		why, _, err := Why(filepath.Join(elsewhere, "Kidney"))
		if err != nil || !strings.Contains(why, "nearest collection where you may") || !strings.Contains(why, "failed") {
			t.Errorf("%s: why: %s %v", program, why, err)
		}
	}
	w.must(w.sandbox.IRODS().SetAccess(t.Context(), "/"+sandbox.Zone+"/home/grace", "ada", "write"))
	w.remountNow()
	w.run("cp", "-r", w.omero("projects", "Kidney"), elsewhere)
	if got := told(); len(got) != 1 || !strings.HasPrefix(got[0], "finished") {
		t.Errorf("after a save that worked OMERO says %q", got)
	}
}
