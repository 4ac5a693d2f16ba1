package mount

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/sandbox"
)

// tars is a path below the first user's folder among the tars.
func (w *world) tars(parts ...string) string {
	return filepath.Join(append([]string{w.dir, "tars", "lab", "ada"}, parts...)...)
}

// Whatever program unpacks a tar, it makes what the folder of the pack is, and
// the sums agree.
func TestProgramsReadTars(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	kidney, folder := w.tars("projects", "Kidney.tar"), w.omero("projects", "Kidney")
	for name, script := range map[string]string{
		"tar":            `tar xf "$1"`,
		"tar by a pipe":  `set -o pipefail; cat "$1" | tar xf -`,
		"bsdtar":         `bsdtar xf "$1"`,
		"python":         `python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(filter="data")' "$1"`,
		"python, stream": `python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r|").extractall(filter="data")' "$1"`,
		"copied by cp":   `cp "$1" ../copied.tar && tar xf ../copied.tar`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if out := w.run("bash", "-e", "-c", `cd "$2"; `+script, "bash", kidney, dir); out != "" {
				t.Errorf("it says: %s", out)
			}
			w.run("bash", "-c", `cd "$1" && sha1sum --quiet -c SHA1SUMS`, "bash", dir)
			w.run("diff", "-r", folder, dir)
		})
	}
	names := strings.Fields(w.run("tar", "tf", kidney))
	if len(names) < 3 || names[0] != "transfer.xml" || names[1] != "SHA1SUMS" {
		t.Errorf("tar lists %.5q first", names)
	}
}

// A read that was cut off goes on where it ended.
func TestResumedReadsOfATar(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	kidney := w.tars("projects", "Kidney.tar")
	whole, err := os.ReadFile(kidney)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, script := range map[string]string{
		"dd":    `dd if="$1" of="$2" bs=10007 count=20 status=none; dd if="$1" of="$2" bs=10007 skip=20 seek=20 conv=notrunc status=none`,
		"curl":  `head -c 123457 "$1" >"$2"; curl -sS -C - -o "$2" "file://$1"`,
		"rsync": `head -c 99999 "$1" >"$2"; rsync --append "$1" "$2"`,
		"tail":  `head -c 54321 "$1" >"$2"; tail -c +54322 "$1" >>"$2"`,
	} {
		to := filepath.Join(dir, name)
		w.run("bash", "-e", "-c", script, "bash", kidney, to)
		if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(whole), err)
		}
	}
}
