package omeroview

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

const home = "lab/ada"

func TestTree(t *testing.T) {
	w := newWorld(t)
	var root []string
	entries, err := w.v.Root().List(t.Context())
	w.check(err)
	for _, e := range entries {
		root = append(root, e.Name)
	}
	slices.Sort(root)
	if !slices.Equal(root, []string{"lab", "private"}) {
		t.Errorf("groups: got %q", root)
	}
	if got := w.names(home); !slices.Equal(got, []string{"projects", "datasets", "screens", "plates", "images"}) {
		t.Errorf("sections: got %q", got)
	}
	if got := w.names(home + "/projects"); !slices.Contains(got, "Kidney") {
		t.Errorf("projects: got %q", got)
	}
	datasets := w.names(home + "/projects/Kidney")
	if datasets[0] != "transfer.xml" || datasets[1] != "SHA1SUMS" {
		t.Errorf("a project begins with %q", datasets[:2])
	}
	controls := 0
	for _, name := range datasets {
		if len(name) > maxPackName {
			t.Errorf("%q has %d bytes", name, len(name))
		}
		if strings.HasPrefix(name, "Controls") {
			controls++
		}
	}
	if controls != 2 || !slices.Contains(datasets, "Controls") || !slices.Contains(datasets, "Slides ／ H&E") {
		t.Errorf("datasets: got %q", datasets)
	}
	for _, path := range []string{"nobody", home + "/x", home + "/projects/x", home + "/projects/Kidney/x", home + "/projects/Kidney/Confocal/x",
		home + "/projects/Kidney/Confocal/glomerulus.ome.tiff/x", "lab/nobody"} {
		if _, err := w.find(path); !errors.Is(err, tree.ErrNotFound) && !errors.Is(err, tree.ErrNotDir) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// Every entry of a listing is found by its name, has the number and the kind
// that the listing said, and whole seconds; no two have one number.
func TestEntriesAgreeWithListings(t *testing.T) {
	w := newWorld(t)
	seen := make(map[uint64]string)
	w.walk(home, func(path string, e tree.Entry) {
		a := w.attr(path)
		if a.Kind != e.Kind || a.Ino != e.Ino || a.Ino == 0 {
			t.Errorf("%s: listed as %v %x, is %v %x", path, e.Kind, e.Ino, a.Kind, a.Ino)
		}
		if other, ok := seen[a.Ino]; ok {
			t.Errorf("%s and %s have one number", path, other)
		}
		seen[a.Ino] = path
		if a.UID != 65534 || a.Mtime.IsZero() || a.Mtime.Nanosecond() != 0 {
			t.Errorf("%s: uid %d, time %v", path, a.UID, a.Mtime)
		}
		generated := slices.Contains([]string{transferName, sumsName, readmeName}, e.Name) || strings.HasSuffix(e.Name, ".jpg")
		if generated != (e.Node == nil) {
			t.Errorf("%s: the listing has attributes: %v", path, e.Node != nil)
		}
		if e.Name == transferName && a.Ino>>63 != 0 || e.Name != transferName && a.Ino>>63 != 1 {
			t.Errorf("%s: number %x", path, a.Ino)
		}
		if e.Kind == tree.KindDir && a.Mode&0o1000 == 0 || e.Kind == tree.KindFile && a.Mode != 0o444 {
			t.Errorf("%s: mode %o, %d bytes", path, a.Mode, a.Size)
		}
	})
	if len(seen) < 20 {
		t.Errorf("only %d entries", len(seen))
	}
	if a := w.attr(home + "/projects"); a.Mode != 0o1777 {
		t.Errorf("own projects: mode %o", a.Mode)
	}
	if a := w.attr("lab/grace/projects"); a.Mode != 0o1555 {
		t.Errorf("projects of another: mode %o", a.Mode)
	}
}

func TestLiveObjectsStay(t *testing.T) {
	w := newWorld(t)
	kidney := home + "/projects/Kidney"
	for dir, name := range map[string]string{home + "/projects": "Kidney", kidney: "Confocal", kidney + "/Confocal": "glomerulus.ome.tiff",
		kidney + "/Controls": transferName} {
		d := w.at(dir)
		r, ok := d.(tree.Remover)
		if !ok {
			t.Fatalf("%s removes nothing at all", dir)
		}
		for _, err := range []error{r.Unlink(t.Context(), name), r.Rmdir(t.Context(), name),
			d.(tree.Renamer).Rename(t.Context(), name, w.v.Root(), "x", tree.RenameOptions{})} {
			var e *tree.Error
			if !errors.Is(err, tree.ErrNotPermitted) || !errors.As(err, &e) || e.Advice == "" {
				t.Errorf("%s/%s: got %v", dir, name, err)
			}
		}
		if err := r.Unlink(t.Context(), "x"); !errors.Is(err, tree.ErrNotFound) {
			t.Errorf("%s/x: got %v", dir, err)
		}
	}
	if _, err := w.at(kidney+"/Confocal/glomerulus.ome.tiff").(tree.File).Open(t.Context(), tree.OpenOptions{Write: true}); !errors.Is(err, tree.ErrExists) {
		t.Errorf("open for writing: got %v", err)
	}
}

func TestNamesFollowTheServer(t *testing.T) {
	w := newWorld(t)
	kidney := w.object(home + "/projects/Kidney")
	t.Cleanup(func() {
		if err := w.c.Rename(omero.InGroup(context.Background(), w.c.Who().Group), omero.KindProject, kidney, "Kidney"); err != nil {
			t.Error(err)
		}
	})
	ino := w.attr(home + "/projects/Kidney").Ino
	w.check(w.c.Rename(w.lab(), omero.KindProject, kidney, "Niere"))
	if _, err := w.find(home + "/projects/Kidney"); err != nil {
		t.Errorf("a listing is kept for a while: %v", err)
	}
	w.v.Invalidate()
	if got := w.attr(home + "/projects/Niere").Ino; got != ino {
		t.Errorf("the number changed with the name: %x, %x", ino, got)
	}
	if _, err := w.find(home + "/projects/Kidney"); !errors.Is(err, tree.ErrNotFound) {
		t.Errorf("the old name: %v", err)
	}
}

// A server that is gone is never an empty folder.
func TestOffline(t *testing.T) {
	w := ownWorld(t)
	section := w.at(home + "/projects").(tree.Dir)
	kidney := w.at(home + "/projects/Kidney").(tree.Dir)
	file := w.at(home + "/projects/Kidney/Confocal/glomerulus.ome.tiff").(tree.File)
	w.check(w.blitz.Close())
	w.v.Invalidate()
	for name, err := range map[string]error{
		"list":   second(section.List(t.Context())),
		"pack":   second(kidney.List(t.Context())),
		"lookup": second(section.Lookup(t.Context(), "Kidney")),
		"attr":   second(file.Attr(t.Context())),
	} {
		if !errors.Is(err, tree.ErrOffline) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
