package omeroview

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"omerods/fs/fstest"
)

// run runs a program and returns what it printed.
func run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Programs copy a project out of a real mount; what they made agrees with its
// SHA1SUMS, whichever program it was, and a second rsync has nothing to do.
func TestCopyingOutOfAMount(t *testing.T) {
	w := newWorld(t)
	mnt := fstest.Mount(t, w.v.Root())
	projects := filepath.Join(mnt, "lab", "ada", "projects")
	dst := t.TempDir()
	t.Cleanup(func() {
		// Folders are copied with the modes they have in the mount.
		if out, err := exec.Command("chmod", "-R", "u+w", dst).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	for _, prog := range []struct{ dir, script string }{
		{"cp", "cp -a \"$1/Kidney\" cp/"},
		{"rsync", "rsync -a \"$1/Kidney\" rsync/"},
		{"tar", "tar -C \"$1\" -cf - Kidney | tar -C tar -xf -"},
	} {
		if _, err := exec.LookPath(prog.dir); err != nil {
			t.Logf("no %s", prog.dir)
			continue
		}
		if err := os.Mkdir(filepath.Join(dst, prog.dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if out, err := run(t, dst, "sh", "-c", prog.script, "sh", projects); err != nil {
			t.Fatalf("%s: %v\n%s", prog.dir, err, out)
		}
		copied := filepath.Join(dst, prog.dir, "Kidney")
		if out, err := run(t, copied, "sha1sum", "--quiet", "-c", sumsName); err != nil {
			t.Errorf("%s: %v\n%s", prog.dir, err, out)
		}
		if out, err := run(t, dst, "diff", "-r", filepath.Join(projects, "Kidney"), copied); err != nil {
			t.Errorf("%s: %v\n%s", prog.dir, err, out)
		}
		if prog.dir == "rsync" {
			out, err := run(t, dst, "rsync", "-ain", "--no-o", "--no-g", filepath.Join(projects, "Kidney"), "rsync/")
			if err != nil || out != "" {
				t.Errorf("a second rsync: %v\n%s", err, out)
			}
		}
	}
	out, err := run(t, dst, "mv", filepath.Join(projects, "Kidney"), dst+"/moved")
	if err == nil {
		t.Errorf("mv succeeded: %s", out)
	}
	if _, err := os.Stat(filepath.Join(projects, "Kidney", transferName)); err != nil {
		t.Errorf("after mv: %v", err)
	}
	out, err = run(t, dst, "ls", "-f", filepath.Join(projects, "Kidney"))
	if names := strings.Fields(out); err != nil || len(names) < 3 || names[0] != "." || names[2] != transferName {
		t.Errorf("transfer.xml does not come first: %q, %v", out, err)
	}
}
