package mount

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/pack"
	"omerods/internal/sandbox"
)

// withPlates is the policy of a server that gives everything away.
const withPlates = "+read,+write,+image,+plate"

// packOf reads the transfer.xml of a folder.
func packOf(t *testing.T, dir string) (*pack.Document, *pack.Manifest) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, pack.TransferXML))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, m, err := pack.Decode(f, pack.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return doc, m
}

// verify runs sha1sum over a saved folder.
func (w *world) verify(saved string) {
	w.t.Helper()
	out := w.run("bash", "-c", `cd "$1" && sha1sum -c SHA1SUMS`, "sh", saved)
	if !strings.Contains(out, "transfer.xml: OK") || strings.Contains(out, "FAILED") {
		w.t.Errorf("sha1sum -c: %s", out)
	}
}

func (w *world) state(saved string) string { return attr(saved, "user.irods.avu.omerods::state") }

func TestSaveOfAScreen(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: withPlates})
	for kind, path := range map[string]string{
		"Screen": w.omero("screens", "Drug screen"), "Plate": w.omero("plates", "Pilot plate"),
	} {
		saved := w.home(filepath.Base(path))
		w.run("cp", "-r", path, saved)
		if got, want := listing(t, saved), listing(t, path); !slices.Equal(got, want) {
			t.Errorf("saved tree differs:\n got %q\nwant %q", got, want)
		}
		if got := w.state(saved); got != "finished" {
			t.Errorf("state: got %q, want finished", got)
		}
		w.verify(saved)
		if got := attr(saved, "user.irods.avu.omerods::kind"); got != kind {
			t.Errorf("kind: got %q, want %q", got, kind)
		}
		records := w.saveRecords(kind, w.id(path))
		if len(records) != 1 || pair(records[0], "state") != "finished" {
			t.Errorf("%s: OMERO has %d records of the save", kind, len(records))
		}
	}
	if got := attr(w.home("Drug screen"), "user.irods.avu.omero::library"); !strings.Contains(got, "small") {
		t.Errorf("the screen's key-value pair is not in iRODS: got %q", got)
	}
	// A plate of a screen is a pack of its own.
	plate, saved := w.omero("screens", "Drug screen", "Plate 7"), w.home("Plate 7")
	w.run("rsync", "-a", plate+"/", saved+"/")
	eventually(t, "the save is finished", func() bool { return w.state(saved) == "finished" })
	w.mount.omeroView.Invalidate()
	if out := w.run("rsync", "-ain", plate+"/", saved+"/"); out != "" {
		t.Errorf("rsync -ain after a save prints:\n%s", out)
	}
}

// By OMERO's default nobody gets the originals of plates.
func TestSaveOfARefusedPlate(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	screen, saved := w.omero("screens", "Drug screen"), w.home("Drug screen")
	out, code := w.try("cp", "-r", screen, saved)
	if code != 1 || !strings.Contains(out, "Permission denied") {
		t.Errorf("cp -r: exit code %d, want 1 and a refusal in\n%s", code, out)
	}
	eventually(t, "the save is partial", func() bool { return w.state(saved) == "partial" })
	reason := attr(saved, "user.irods.avu.omerods::reason")
	if !strings.Contains(reason, "policy of this OMERO server") || !strings.Contains(reason, "+plate") {
		t.Errorf("the reason says nothing of the policy: %q", reason)
	}
	for _, path := range []string{screen, saved} {
		if text, ok, err := Why(path); err != nil || !ok || !strings.Contains(text, "omero.policy.binary_access") {
			t.Errorf("why %s: %q, %v", path, text, err)
		}
	}
	records := w.saveRecords("Screen", w.id(screen))
	if len(records) != 1 || pair(records[0], "state") != "partial" || !strings.Contains(pair(records[0], "verified"), "policy") {
		t.Errorf("OMERO has %d records of the save: %v", len(records), records)
	}

	// Without the plate's images, the rest is whole.
	w.unmount()
	w.remount(func(c *Config) { c.SkipRefused = true })
	saved = w.home("Drug screen without images")
	w.run("cp", "-r", screen, saved)
	if got := w.state(saved); got != "finished" {
		t.Errorf("state: got %q, want finished", got)
	}
	w.verify(saved)
	doc, m := packOf(t, saved)
	if len(doc.LeftOut) != 24 || len(doc.Images) != 0 || len(doc.Filesets) != 0 || len(doc.Plates[0].Wells) != 6 {
		t.Errorf("got %d images left out, %d images, %d filesets", len(doc.LeftOut), len(doc.Images), len(doc.Filesets))
	}
	for _, f := range m.Files {
		if f.Kind == pack.Original {
			t.Errorf("%s is in the manifest", f.Path)
		}
	}
	if got := attr(saved, "user.irods.avu.omerods::left-out"); !strings.Contains(got, "24") {
		t.Errorf("left out: got %q", got)
	}
	for _, r := range w.saveRecords("Screen", w.id(screen)) {
		if strings.HasSuffix(pair(r, "target"), "without images") && !strings.Contains(pair(r, "verified"), "without 24 images") {
			t.Errorf("record in OMERO: %v", r.Get("mapValue"))
		}
	}
	// What the server gives is as it was.
	project := w.home("Kidney")
	w.run("cp", "-r", w.omero("projects", "Kidney"), project)
	if doc, _ := packOf(t, project); len(doc.LeftOut) != 0 || w.state(project) != "finished" {
		t.Errorf("%d images of a project are left out; state %q", len(doc.LeftOut), w.state(project))
	}
}

// An original file that is gone from the server's disk, or has lost its end, is
// an error, never an empty file or one of zeros.
func TestSaveOfLostOriginals(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	dataset := w.omero("projects", "Kidney", "Confocal")
	original := filepath.Join(dataset, "glomerulus.ome.tiff")
	_, m := packOf(t, dataset)
	sum := m.ByPath()["glomerulus.ome.tiff"].Hash
	onDisk := w.onDisk(sum)
	content, err := os.ReadFile(onDisk)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"gone":  func() error { return os.Remove(onDisk) },
		"short": func() error { return os.WriteFile(onDisk, content[:len(content)/2], 0o600) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		out, code := w.try("cp", original, filepath.Join(t.TempDir(), "copy"))
		if code != 1 || !strings.Contains(out, "Input/output error") {
			t.Errorf("%s: exit code %d\n%s", name, code, out)
		}
		if text, ok, err := Why(original); err != nil || !ok || !strings.Contains(text, "has lost the original files") {
			t.Errorf("%s: why: %q, %v", name, text, err)
		}
	}
	saved := w.home("Confocal")
	if out, code := w.try("cp", "-r", dataset, saved); code != 1 {
		t.Errorf("cp -r: exit code %d\n%s", code, out)
	}
	eventually(t, "the save is partial", func() bool { return w.state(saved) == "partial" })

	w.unmount()
	w.remount(func(c *Config) { c.SkipRefused = true })
	if out, code := w.try("cat", original); code != 1 {
		t.Errorf("cat: exit code %d\n%s", code, out)
	}
	saved = w.home("Confocal without it")
	w.run("cp", "-r", dataset, saved)
	doc, _ := packOf(t, saved)
	if len(doc.LeftOut) != 1 || doc.LeftOut[0].Reason != pack.Lost || len(doc.LeftOut[0].In) != 1 || w.state(saved) != "finished" {
		t.Errorf("left out: %+v; state %q", doc.LeftOut, w.state(saved))
	}
	w.verify(saved)
}

// onDisk finds an original file of the sandbox's server by its SHA-1.
func (w *world) onDisk(sum string) string {
	w.t.Helper()
	out := w.run("bash", "-c", `find "$1" -type f -exec sha1sum {} + | grep "^$2"`, "sh", filepath.Join(w.sandbox.Dir(), "omero", "data"), sum)
	_, path, ok := strings.Cut(strings.TrimSpace(out), "  ")
	if !ok || strings.Contains(path, "\n") {
		w.t.Fatalf("no one file has the sum %s: %q", sum, out)
	}
	return path
}
