//go:build peer

package omeropy

import (
	"fmt"
	"path/filepath"
	"testing"

	"omerods/internal/sandbox/store"
)

// TestUnpack has omero-cli-transfer unpack what the mount shows of a project
// and of a dataset, and compares what it makes with the originals.
func TestUnpack(t *testing.T) {
	ada := newPerson(t, "ada")
	dir := mounted(t, "ada")
	for _, c := range []struct{ class, name, path string }{
		{"Project", "Kidney", "projects/Kidney"},
		{"Dataset", "Confocal", "projects/Kidney/Confocal"},
		{"Dataset", "Calibration", "datasets/Calibration"},
	} {
		t.Run(c.class+" "+c.name, func(t *testing.T) {
			ada.t = t
			source := oldest(t, c.class, c.name)
			before := highest(c.class)
			var out struct {
				Images        map[string]int64
				Files, Listed int
			}
			ada.script(&out, "transfer_unpack.py", filepath.Join(dir, "omero", "lab", "ada", c.path))
			rows := newer(c.class, before)
			if len(rows) != 1 || len(out.Images) != out.Listed || out.Listed == 0 {
				t.Fatalf("got %d new objects, and %d of %d images", len(rows), len(out.Images), out.Listed)
			}
			if got, want := describe(c.class, rows[0].ID, unpacked), describe(c.class, source.ID, unpacked); got != want {
				t.Errorf("--- got\n%s--- want\n%s", got, want)
			}
			for old, id := range out.Images {
				if got := "Image:" + origin(id); got != old {
					t.Errorf("image %d says that it was %s, want %s", id, got, old)
				}
			}
		})
	}
}

// origin is the id that an unpacked image had, as its annotation says.
func origin(image int64) string {
	for _, id := range children("ImageAnnotationLink", image) {
		a := box.Store().Get("Annotation", id)
		if a.Text("ns") != provenance {
			continue
		}
		pairs, _ := a.Get("mapValue").([]store.NamedValue)
		for _, p := range pairs {
			if p.Name == "origin_image_id" {
				return p.Value
			}
		}
	}
	return fmt.Sprintf("nothing, of %d", image)
}
