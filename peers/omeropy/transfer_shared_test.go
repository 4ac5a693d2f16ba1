//go:build peer

package omeropy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
	"omerods/mount"
)

// seed makes an object as ada in her laboratory.
func seed(t *testing.T, class string, v store.Values) (row *store.Row) {
	t.Helper()
	like := oldest(t, "Project", "Kidney")
	err := box.Store().Write(store.Actor{User: like.Owner, Group: like.Group}, func(a *store.Author) (err error) {
		row, err = a.Create(class, v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// loadPack copies a folder to a new name in a section of the mount, and waits
// for the load.
func loadPack(t *testing.T, dir, from, section, name string) {
	t.Helper()
	loadBy(t, dir, section, name, func(to string) []string { return []string{"cp", "-r", from, to} })
}

// loadBy is loadPack by a program: command says what to run.
func loadBy(t *testing.T, dir, section, name string, command func(to string) []string) {
	t.Helper()
	loaded := filepath.Join(dir, "omero", "lab", "ada", section, name)
	notes := highest("Annotation")
	c := command(loaded)
	if out, err := tool(t, c[0], c[1:]...); err != nil {
		why, _, _ := mount.Why(loaded)
		t.Fatalf("%s: %v\n%s%s", c[0], err, out, why)
	}
	// A pack whose files are not listed is loaded when the program has ended.
	eventually(t, "the pack is loaded", func() bool { return recorded(t, loaded, notes) })
}

// TestPackByProgram brings one pack, in which a fileset does not list its
// files, by other programs than cp: extracted into the mount, and by rsync.
func TestPackByProgram(t *testing.T) {
	ada := transferring(t)
	dir := mounted(t, "ada")
	source := oldest(t, "Dataset", "Confocal")
	ada.pack(source, "confocal.tar")
	archive, folder := filepath.Join(ada.home, "confocal.tar"), ada.extract("confocal.tar")
	for name, command := range map[string]func(to string) []string{
		"tar": func(to string) []string {
			return []string{"bash", "-c", `mkdir "$2" && tar -C "$2" -xf "$1"`, "bash", archive, to}
		},
		"rsync": func(to string) []string { return []string{"rsync", "-a", folder + "/", to + "/"} },
	} {
		t.Run(name, func(t *testing.T) {
			before := highest("Dataset")
			loadBy(t, dir, "datasets", "By "+name, command)
			rows := newer("Dataset", before)
			if len(rows) != 1 {
				t.Fatalf("got %d datasets, want 1", len(rows))
			}
			if got, want := describe("Dataset", rows[0].ID, nothing), describe("Dataset", source.ID, packed); got != want {
				t.Errorf("--- got\n%s--- want\n%s", got, want)
			}
		})
	}
}

// TestPacksOfSeveral packs several objects at once. The tool serialises each
// alone and joins the results, so that what they share is listed twice.
func TestPacksOfSeveral(t *testing.T) {
	ada := transferring(t)
	dir := mounted(t, "ada")
	for _, c := range []struct {
		class, section string
		names          []string
	}{
		{"Dataset", "datasets", []string{"Time-lapse", "Calibration"}},
		{"Image", "images", []string{"overview.png", "positions.ome.tiff [Kortex]"}},
	} {
		t.Run(c.class, func(t *testing.T) {
			ada.t = t
			arg, want := "", []string{}
			for _, name := range c.names {
				row := oldest(t, c.class, name)
				arg += fmt.Sprintf(",%d", row.ID)
				for _, r := range withSiblings(row) {
					want = append(want, describe(c.class, r.ID, packed))
				}
			}
			archive := c.class + "s.tar"
			ada.omero("transfer", "pack", c.class+":"+arg[1:], archive)
			before := highest(c.class)
			loadPack(t, dir, ada.extract(archive), c.section, "Several")
			var got []string
			for _, r := range newer(c.class, before) {
				got = append(got, describe(c.class, r.ID, nothing))
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("--- got\n%q\n--- want\n%q", got, want)
			}
		})
	}
}

// TestPackWithShared packs a project in which one image is in two datasets, and
// a dataset is in another project, too. What is shared stays one object, as do
// tags.
func TestPackWithShared(t *testing.T) {
	ada := transferring(t)
	dir := mounted(t, "ada")
	project := seed(t, "Project", store.Values{"name": "Shared"})
	other := seed(t, "Project", store.Values{"name": "Shared, too"})
	image := oldest(t, "Image", "overview.png")
	tag := seed(t, "TagAnnotation", store.Values{"textValue": "shared tag"})
	for _, name := range []string{"one", "two"} {
		d := seed(t, "Dataset", store.Values{"name": name})
		seed(t, "ProjectDatasetLink", store.Values{"parent": project, "child": d})
		seed(t, "ProjectDatasetLink", store.Values{"parent": other, "child": d})
		seed(t, "DatasetImageLink", store.Values{"parent": d, "child": image})
		seed(t, "DatasetAnnotationLink", store.Values{"parent": d, "child": tag})
	}
	ada.pack(project, "shared.tar")
	projects, images, tags := highest("Project"), highest("Image"), highest("TagAnnotation")
	loadPack(t, dir, ada.extract("shared.tar"), "projects", "Shared again")
	rows := newer("Project", projects)
	if len(rows) != 1 || len(newer("Image", images)) != 1 {
		t.Fatalf("got %d projects and %d images, want one of each", len(rows), len(newer("Image", images)))
	}
	if n := len(newer("TagAnnotation", tags)); n > 1 {
		t.Errorf("got %d tags, want one at most", n)
	}
	if got, want := describe("Project", rows[0].ID, nothing), describe("Project", project.ID, packed); got != want {
		t.Errorf("--- got\n%s--- want\n%s", got, want)
	}

	ada.omero("transfer", "pack", fmt.Sprintf("Project:%d,%d", project.ID, other.ID), "both.tar")
	projects, images = highest("Project"), highest("Image")
	datasets := highest("Dataset")
	loadPack(t, dir, ada.extract("both.tar"), "projects", "Both")
	if p, d, i := len(newer("Project", projects)), len(newer("Dataset", datasets)), len(newer("Image", images)); p != 2 || d != 2 || i != 1 {
		t.Errorf("two projects: got %d projects, %d datasets, %d images, want 2, 2 and 1", p, d, i)
	}
}

// TestPackWithFigure loads a pack with a figure: it is made anew, linked to
// nothing as OMERO.figure has it, and shows the new image.
func TestPackWithFigure(t *testing.T) {
	ada := transferring(t)
	dir := mounted(t, "ada")
	ada.pack(oldest(t, "Dataset", "Time-lapse"), "figure.tar", "--figure")
	from := ada.extract("figure.tar")
	found, err := filepath.Glob(filepath.Join(from, "figures", "Figure_*.json"))
	if err != nil || len(found) == 0 {
		t.Fatalf("the pack has no figure: %v", err)
	}
	notes, images := highest("FileAnnotation"), highest("Image")
	loadPack(t, dir, from, "datasets", "With figure")
	figures, made := newer("FileAnnotation", notes), newer("Image", images)
	if len(figures) != len(found) || len(made) != 1 {
		t.Fatalf("got %d file annotations and %d images, want %d and 1", len(figures), len(made), len(found))
	}
	for _, f := range figures {
		want := fmt.Sprintf(`"imageId":%d`, made[0].ID)
		if f.Text("ns") != "omero.web.figure.json" || !strings.Contains(strings.ReplaceAll(f.Text("description"), " ", ""), want) {
			t.Errorf("figure %d is described as %q, in %q", f.ID, f.Text("description"), f.Text("ns"))
		}
	}
}
