package mount

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox"
)

// tars is a path below the first user's folder among the tars.
func (w *world) tars(parts ...string) string {
	return filepath.Join(append([]string{w.dir, "tars", "lab", "ada"}, parts...)...)
}

// Whatever program unpacks a tar, it makes what the folder of the pack is, and
// the sums agree.
func TestProgramsReadTars(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: withPlates})
	kidney, folder := w.tars("projects", "Kidney.tar"), w.omero("projects", "Kidney")
	// A fileset in two datasets is in the tar once.
	w.link("Dataset", w.id(filepath.Join(folder, "Controls")), "Image", w.id(filepath.Join(folder, "Confocal", "tubules.companion.ome.fileset")))
	w.mount.omeroView.Invalidate()
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
	if list := w.run("tar", "tvf", kidney); !strings.Contains(list, "Controls/tubules.companion.ome.fileset/tubules.companion.ome link to Confocal/tubules.companion.ome.fileset/") {
		t.Errorf("no link to the files that are there already:\n%s", list)
	}
	// The same of every kind of pack.
	for tar, folder := range map[string]string{
		w.tars("projects", "Kidney", "Confocal.tar"):    w.omero("projects", "Kidney", "Confocal"),
		w.tars("datasets", "Calibration.tar"):           w.omero("datasets", "Calibration"),
		w.tars("screens", "Drug screen.tar"):            w.omero("screens", "Drug screen"),
		w.tars("screens", "Drug screen", "Plate 7.tar"): w.omero("screens", "Drug screen", "Plate 7"),
		w.tars("plates", "Pilot plate.tar"):             w.omero("plates", "Pilot plate"),
		w.tars("images", "first light.tif.tar"):         "",
	} {
		dir := t.TempDir()
		w.run("tar", "-C", dir, "-xf", tar)
		w.run("bash", "-c", `cd "$1" && sha1sum --quiet -c SHA1SUMS`, "bash", dir)
		if folder != "" {
			w.run("diff", "-r", folder, dir)
		}
	}
}

// link puts an object of the first user into another.
func (w *world) link(parentKind string, parent int64, childKind string, child int64) {
	w.t.Helper()
	c := w.mount.omero
	b := c.NewBatch()
	b.Link(omero.Existing(omero.Kind(parentKind), parent), omero.Existing(omero.Kind(childKind), child))
	if _, err := c.Save(omero.InGroup(w.t.Context(), c.Who().Group), b); err != nil {
		w.t.Fatal(err)
	}
}

// Nothing in tars/ is changed, moved or removed, and nothing is moved there.
func TestTarsStay(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	kidney, folder := w.tars("projects", "Kidney.tar"), w.tars("projects", "Kidney")
	here, there := w.home("mine.tar"), w.home("theirs.tar")
	if err := os.WriteFile(here, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"out":             os.Rename(kidney, there),
		"to a file":       os.Rename(kidney, here),
		"in":              os.Rename(here, filepath.Join(folder, "mine.tar")),
		"over":            os.Rename(here, kidney),
		"to omero":        os.Rename(kidney, w.omero("projects", "Other")),
		"from omero":      os.Rename(w.omero("projects", "Kidney"), w.tars("projects", "Other")),
		"within":          os.Rename(kidney, w.tars("projects", "Other.tar")),
		"nested":          os.Rename(filepath.Join(folder, "Confocal.tar"), there),
		"unlink":          os.Remove(kidney),
		"unlink nested":   os.Remove(filepath.Join(folder, "Confocal.tar")),
		"rmdir":           os.Remove(folder),
		"new in a folder": os.WriteFile(filepath.Join(folder, "new.tar"), nil, 0o644),
		"mkdir":           os.Mkdir(filepath.Join(folder, "new"), 0o755),
	} {
		if !errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: got %v, want EPERM", what, err)
		}
	}
	if _, err := os.OpenFile(kidney, os.O_WRONLY, 0); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("open for writing: got %v", err)
	}
	if out, code := w.try("mv", kidney, there); code == 0 {
		t.Errorf("mv: %s", out)
	}
	if _, err := os.Stat(kidney); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(here); string(data) != "mine" {
		t.Errorf("got %q, %v", data, err)
	}
}

// A tar is copied into iRODS as any file; one that could not be whole is not
// copied at all, and the reason names the file.
func TestTarsAreCopied(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	kidney, saved := w.tars("projects", "Kidney.tar"), w.home("Kidney.tar")
	w.run("cp", kidney, saved)
	w.run("cmp", kidney, saved)
	w.run("rsync", "-a", "--no-o", "--no-g", kidney, w.home("by rsync.tar"))
	w.run("cmp", kidney, w.home("by rsync.tar"))

	plate := w.tars("plates", "Pilot plate.tar")
	if out, code := w.try("cp", plate, w.home()); code == 0 || !strings.Contains(out, "Permission denied") {
		t.Errorf("cp of a refused plate: %d, %s", code, out)
	}
	if why, _, err := Why(plate); err != nil || !strings.Contains(why, "pilot&plates") || !strings.Contains(why, "binary_access") {
		t.Errorf("why: %s, %v", why, err)
	}
	if _, err := os.Stat(w.home("Pilot plate.tar")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a tar is left: %v", err)
	}
	w.unmount()
	w.remount(func(c *Config) { c.SkipRefused = true })
	if names := w.run("tar", "tf", plate); !strings.HasPrefix(names, "transfer.xml\nSHA1SUMS\n") || strings.Contains(names, "pilot&plates") {
		t.Errorf("without what is refused: %s", names)
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

// A tar that is open stays the one that it was, also in the kernel's cache,
// while its path leads to the new state of the pack.
func TestOpenTarWhileThePackChanges(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	path := w.tars("projects", "Kidney", "Confocal.tar")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	was, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(before)/2)
	if _, err := io.ReadFull(f, got); err != nil {
		t.Fatal(err)
	}
	image := w.id(w.omero("projects", "Kidney", "Confocal", "segmentation (drawn).ome.tiff"))
	c := w.mount.omero
	if err := c.Rename(omero.InGroup(t.Context(), c.Who().Group), omero.KindImage, image, strings.Repeat("a longer name ", 2000)); err != nil {
		t.Fatal(err)
	}
	w.mount.omeroView.Invalidate()
	eventually(t, "the change shows", func() bool {
		now, err := os.Stat(path)
		return err == nil && !os.SameFile(was, now) && now.Size() > was.Size()
	})
	after, err := os.ReadFile(path)
	if err != nil || bytes.Equal(after, before) || !bytes.Contains(after, []byte("a longer name a longer name")) {
		t.Errorf("the new tar has %d bytes, %v", len(after), err)
	}
	rest, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(append(got, rest...), before) {
		t.Errorf("the open tar went on with %d bytes of %d, %v", len(rest), len(before)-len(got), err)
	}
	if now, err := f.Stat(); err != nil || now.Size() != was.Size() {
		t.Errorf("the open tar has %d bytes now, %v", now.Size(), err)
	}
}
