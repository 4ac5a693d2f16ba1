//go:build peer

package omeropy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// TestUnpack has omero-cli-transfer unpack what the mount shows of projects,
// datasets and images, as folders and as tars, and compares what it makes with
// the originals.
func TestUnpack(t *testing.T) {
	ada := newPerson(t, "ada")
	dir := mounted(t, "ada")
	for _, c := range []struct{ class, name, path string }{
		{"Project", "Kidney", "omero/lab/ada/projects/Kidney"},
		{"Dataset", "Confocal", "omero/lab/ada/projects/Kidney/Confocal"},
		{"Dataset", "Calibration", "omero/lab/ada/datasets/Calibration"},
		{"Project", "Kidney", "tars/lab/ada/projects/Kidney.tar"},
		{"Dataset", "Confocal", "tars/lab/ada/projects/Kidney/Confocal.tar"},
		{"Dataset", "Calibration", "tars/lab/ada/datasets/Calibration.tar"},
		{"Image", "first light.tif", "tars/lab/ada/images/first light.tif.tar"},
	} {
		t.Run(c.path, func(t *testing.T) {
			ada.t = t
			source := oldest(t, c.class, c.name)
			before := highest(c.class)
			var out struct {
				Images        map[string]int64
				Files, Listed int
			}
			args := []string{filepath.Join(dir, c.path)}
			if filepath.Ext(c.path) == ".tar" {
				args = append(args, t.TempDir())
			}
			ada.script(&out, "transfer_unpack.py", args...)
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
	for _, id := range childrenOf("ImageAnnotationLink", image) {
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

// TestBothUnpackTheSame has packs that omero-cli-transfer wrote unpacked by the
// tool and loaded by the mount, and compares the two results.
func TestBothUnpackTheSame(t *testing.T) {
	ada := transferring(t)
	dir := mounted(t, "ada")
	ada.pack(oldest(t, "Dataset", "Confocal"), "confocal.tar")
	ada.pack(oldest(t, "Image", "glomerulus.ome.tiff"), "glomerulus.tar")
	packs := []struct{ class, section, folder string }{
		{"Dataset", "datasets", ada.extract("confocal.tar")},
		{"Image", "images", ada.extract("glomerulus.tar")},
	}
	if real := realPacks(); real != "" {
		for _, name := range []string{"valid_single_dataset.zip", "valid_single_image.tar"} {
			if out, err := tool(t, "cp", filepath.Join(real, name), ada.home); err != nil {
				t.Fatal(out)
			}
		}
		packs = append(packs, struct{ class, section, folder string }{"Dataset", "datasets", ada.extract("valid_single_dataset.zip")},
			struct{ class, section, folder string }{"Image", "images", ada.extract("valid_single_image.tar")})
	}
	for _, c := range packs {
		t.Run(filepath.Base(c.folder), func(t *testing.T) {
			ada.t = t
			results := func(than int64) (texts []string) {
				for _, r := range newer(c.class, than) {
					texts = append(texts, describe(c.class, r.ID, unpacked))
				}
				return texts
			}
			before := highest(c.class)
			ada.script(new(any), "transfer_unpack.py", c.folder)
			theirs := results(before)
			before = highest(c.class)
			loadPack(t, dir, c.folder, c.section, filepath.Base(c.folder))
			if ours := results(before); len(ours) == 0 || !slices.Equal(ours, theirs) {
				t.Errorf("--- the mount\n%s--- the tool\n%s", strings.Join(ours, ""), strings.Join(theirs, ""))
			}
		})
	}
}

// realPacks is a folder with packs of a real server, "" when there is none.
func realPacks() string {
	for _, dir := range []string{os.Getenv("OMERODS_TEST_PACKS"), "../../../shared/data/packs"} {
		if _, err := os.Stat(filepath.Join(dir, "valid_single_image.tar")); dir != "" && err == nil {
			return dir
		}
	}
	return ""
}
