package mount

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/internal/check"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/store"
)

// attr reads an extended attribute, "" when there is none.
func attr(path, name string) string {
	buf := make([]byte, 4096)
	n, err := unix.Getxattr(path, name, buf)
	for errors.Is(err, unix.EINTR) { // by a signal of the Go runtime
		n, err = unix.Getxattr(path, name, buf)
	}
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

// id is the number of the OMERO object at a path.
func (w *world) id(path string) int64 {
	w.t.Helper()
	id, err := strconv.ParseInt(attr(path, "user.omero.id"), 10, 64)
	if err != nil {
		w.t.Fatalf("%s has no id: %v", path, err)
	}
	return id
}

// listing lists everything below a folder with type and size.
func listing(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if e.IsDir() {
			out = append(out, rel+"/")
		} else {
			out = append(out, fmt.Sprintf("%s %d", rel, info.Size()))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// saveRecords counts the records of saves on an object.
func (w *world) saveRecords(class string, id int64) (records []*store.Row) {
	s := w.sandbox.Store()
	s.Each(class+"AnnotationLink", func(l *store.Row) bool {
		if a := s.Get("Annotation", l.Ref("child")); l.Ref("parent") == id && a != nil && a.Text("ns") == "omerods/save" {
			records = append(records, a)
		}
		return true
	})
	return records
}

func pair(row *store.Row, key string) string {
	values, _ := row.Get("mapValue").([]store.NamedValue)
	for _, v := range values {
		if v.Name == key {
			return v.Value
		}
	}
	return ""
}

func TestSaveAndLoadByEveryProgram(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	project := w.omero("projects", "Kidney")
	id := w.id(project)
	want := describe(w.sandbox.Store(), "Project", id)
	if !strings.Contains(want, "Mask") || !strings.Contains(want, "MapAnnotation") || !strings.Contains(want, "FileAnnotation") {
		t.Fatalf("the sample study is too poor to test with:\n%s", want)
	}
	source := listing(t, project)
	n := 0
	for name, copyTo := range copiers {
		n++
		t.Run(name, func(t *testing.T) {
			w.t = t
			defer func() { w.t = t }()
			saved := w.home(fmt.Sprintf("Kidney %d", n))
			if out, code := copyTo(w, project, saved); code != 0 {
				why, _, _ := Why(saved)
				t.Fatalf("save: exit code %d\n%s%s", code, out, why)
			}
			if got := listing(t, saved); !slices.Equal(got, source) {
				t.Errorf("saved tree differs:\n got %q\nwant %q", got, source)
			}
			eventually(t, "the save is finished", func() bool { return attr(saved, "user.irods.avu.omerods::state") == "finished" })
			out := w.run("bash", "-c", `cd "$1" && sha1sum -c SHA1SUMS`, "sh", saved)
			if !strings.Contains(out, "transfer.xml: OK") || strings.Contains(out, "FAILED") {
				t.Errorf("sha1sum -c: %s", out)
			}
			if r, err := check.Pack(t.Context(), saved, check.Options{}); err != nil || r.Verdict != check.Sound || len(r.Notes) != 0 {
				t.Errorf("check: %+v, %v", r, err)
			}
			found := false
			for _, r := range w.saveRecords("Project", id) {
				if strings.HasSuffix(pair(r, "target"), w.logical(filepath.Base(saved))) {
					found = true
					if pair(r, "state") != "finished" || !strings.HasPrefix(pair(r, "verified"), "yes") {
						t.Errorf("record in OMERO: %v", r.Get("mapValue"))
					}
				}
			}
			if !found {
				t.Error("OMERO does not know of the save")
			}

			before := w.sandbox.Store().Count("Project")
			loaded := w.omero("projects", fmt.Sprintf("Back by %s", name))
			if out, code := copyTo(w, saved, loaded); code != 0 {
				why, _, _ := Why(loaded)
				t.Fatalf("load: exit code %d\n%s%s", code, out, why)
			}
			if got := w.sandbox.Store().Count("Project"); got != before+1 {
				t.Fatalf("got %d new projects, want 1", got-before)
			}
			eventually(t, "the loaded project shows", func() bool { return attr(loaded, "user.omero.id") != "" })
			newID := w.id(loaded)
			if newID == id {
				t.Fatal("the load made no new project")
			}
			if got := describe(w.sandbox.Store(), "Project", newID); got != want {
				t.Errorf("the loaded project differs:\n--- got\n%s\n--- want\n%s", got, want)
			}
			if got := describe(w.sandbox.Store(), "Project", id); got != want {
				t.Errorf("the old project was changed:\n%s", got)
			}
			w.sameOriginals(project, loaded)
			w.noMarksLeft()
		})
	}
}

// sameOriginals compares the original files of two projects, whose names may
// differ in their ids.
func (w *world) sameOriginals(a, b string) {
	w.t.Helper()
	sums := func(dir string) []string {
		var out []string
		for _, l := range strings.Split(w.run("bash", "-c", `cd "$1" && find . -type f ! -name transfer.xml ! -name SHA1SUMS ! -name README.html ! -path './thumbnails/*' -exec sha1sum {} +`, "sh", dir), "\n") {
			if sum, _, ok := strings.Cut(strings.TrimPrefix(l, `\`), " "); ok {
				out = append(out, sum)
			}
		}
		slices.Sort(out)
		return out
	}
	x, y := sums(a), sums(b)
	if len(x) < 5 || !slices.Equal(x, y) {
		w.t.Errorf("the files of %s and %s differ:\n%q\n%q", a, b, x, y)
	}
}

// noMarksLeft checks that no image is still marked as being loaded, and that no
// fileset is without images.
func (w *world) noMarksLeft() {
	w.t.Helper()
	s := w.sandbox.Store()
	s.Each("Annotation", func(a *store.Row) bool {
		if a.Text("ns") == "omerods/loading" {
			w.t.Errorf("annotation %d marks a load that is over", a.ID)
		}
		return true
	})
	has := map[int64]bool{}
	s.Each("Image", func(i *store.Row) bool { has[i.Ref("fileset")] = true; return true })
	s.Each("Fileset", func(f *store.Row) bool {
		if !has[f.ID] {
			w.t.Errorf("fileset %d has no images", f.ID)
		}
		return true
	})
}

func TestThreeCopiesAreTheSame(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	project := w.omero("projects", "Kidney")
	sums := func(dir string) string {
		return w.run("bash", "-c", `cd "$1" && find . -type f -exec sha1sum {} + | sort`, "sh", dir)
	}
	before := sums(project)
	var first string
	for _, name := range []string{"cp -a", "rsync -a", "tar"} {
		saved := w.home("by " + name)
		if out, code := copiers[name](w, project, saved); code != 0 {
			why, _, _ := Why(saved)
			t.Fatalf("%s: exit code %d\n%s%s", name, code, out, why)
		}
		eventually(t, "the save is finished", func() bool { return attr(saved, "user.irods.avu.omerods::state") == "finished" })
		got := sums(saved)
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("%s makes another copy:\n%s\nthan the first:\n%s", name, got, first)
		}
	}
	if first != before {
		t.Errorf("the copies differ from the project:\n%s\n%s", first, before)
	}
	if len(w.saveRecords("Project", w.id(project))) != 3 {
		t.Errorf("got %d records of saves in OMERO, want 3", len(w.saveRecords("Project", w.id(project))))
	}
	// The records are bookkeeping: nothing of the pack may have changed.
	w.mount.omeroView.Invalidate()
	if got := sums(project); got != before {
		t.Errorf("the project's files changed after the save:\n%s\n%s", got, before)
	}
	if out := w.run("rsync", "-ain", project+"/", w.home("by rsync -a")+"/"); out != "" {
		t.Errorf("rsync -ain after a save prints:\n%s", out)
	}
}

func TestWhatExistsIsNeverOverwritten(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	project, saved := w.omero("projects", "Kidney"), w.home("Kidney")
	w.run("cp", "-r", project, saved)
	want := describe(w.sandbox.Store(), "Project", w.id(project))
	projects := w.sandbox.Store().Count("Project")

	out, code := w.try("cp", "-r", saved, w.omero("projects"))
	if code == 0 || !strings.Contains(out, "File exists") {
		t.Errorf("cp -r onto a name that exists: exit code %d\n%s", code, out)
	}
	text, ok, err := Why(project)
	if err != nil || !ok || !strings.Contains(text, "exists in OMERO") {
		t.Errorf("why: %q, %v, %v", text, ok, err)
	}
	if out, code := w.try("rsync", "-a", saved+"/", project+"/"); code != 0 && code != 23 {
		t.Errorf("rsync -a of a project onto itself: exit code %d\n%s", code, out)
	}
	if out, code := w.try("mv", project, w.home("moved")); code == 0 || !strings.Contains(out, "not permitted") {
		t.Errorf("mv out of omero/: exit code %d\n%s", code, out)
	}
	if out, code := w.try("rm", "-r", project); code == 0 {
		t.Errorf("rm -r of a live project: exit code %d\n%s", code, out)
	}
	if got := describe(w.sandbox.Store(), "Project", w.id(project)); got != want {
		t.Errorf("the project was changed:\n%s\n%s", got, want)
	}
	if got := w.sandbox.Store().Count("Project"); got != projects {
		t.Errorf("got %d projects, want %d", got, projects)
	}

	// The saved collection is written once, too.
	for _, c := range [][]string{
		{"cp", filepath.Join(saved, "SHA1SUMS"), filepath.Join(saved, "transfer.xml")},
		{"mkdir", filepath.Join(saved, "new")},
		{"cp", filepath.Join(saved, "SHA1SUMS"), filepath.Join(saved, "new")},
		{"mv", filepath.Join(saved, "SHA1SUMS"), filepath.Join(saved, "OTHER")},
	} {
		if out, code := w.try(c[0], c[1:]...); code == 0 {
			t.Errorf("%q in a finished save was accepted: %s", c, out)
		}
	}
	w.run("mv", saved, w.home("Kidney renamed"))
	w.run("touch", w.home("Kidney renamed"))
	w.run("rm", "-r", w.home("Kidney renamed"))
}

func TestASecondLoadMakesASecondProject(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	saved := w.home("Kidney")
	w.run("cp", "-r", w.omero("projects", "Kidney"), saved)
	before := w.sandbox.Store().Count("Project")
	for _, name := range []string{"One", "Two"} {
		w.run("cp", "-r", saved, w.omero("projects", name))
	}
	if got := w.sandbox.Store().Count("Project"); got != before+2 {
		t.Errorf("got %d new projects, want 2", got-before)
	}
	if w.id(w.omero("projects", "One")) == w.id(w.omero("projects", "Two")) {
		t.Error("both names lead to one project")
	}
}

func TestLoadsGoToOnesOwnPlaces(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	saved := w.home("Kidney")
	w.run("cp", "-r", w.omero("projects", "Kidney"), saved)
	before := w.sandbox.Store().Count("Fileset")
	for _, c := range []struct{ to, message, why string }{
		{filepath.Join(w.dir, "omero/lab/grace/projects/Kidney"), "Permission denied", "omero/lab/ada/projects"},
		{w.omero("datasets", "Kidney"), "Invalid argument", "projects"},
		{w.omero("screens", "Kidney"), "Invalid argument", "projects"},
	} {
		out, code := w.try("cp", "-r", saved, c.to)
		if code == 0 || !strings.Contains(out, c.message) {
			t.Errorf("%s: exit code %d, want %q in\n%s", c.to, code, c.message, out)
		}
		if text, ok, err := Why(c.to); err != nil || !ok || !strings.Contains(text, c.why) {
			t.Errorf("why %s: %q, %v, want %q in it", c.to, text, err, c.why)
		}
		if _, err := os.Stat(c.to); err == nil {
			t.Errorf("%s is there", c.to)
		}
	}
	eventually(t, "what was uploaded is removed", func() bool { return w.sandbox.Store().Count("Fileset") == before })
	w.noMarksLeft()
}

func TestDatasetSaveAndLoad(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	dataset := w.omero("projects", "Kidney", "Confocal")
	want := describe(w.sandbox.Store(), "Dataset", w.id(dataset))
	saved := w.home("Confocal")
	w.run("cp", "-r", dataset, saved)
	if got := attr(saved, "user.irods.avu.omerods::state"); got != "finished" {
		t.Errorf("state: got %q, want finished", got)
	}
	w.run("cp", "-r", saved, w.omero("datasets", "Confocal"))
	if got := describe(w.sandbox.Store(), "Dataset", w.id(w.omero("datasets", "Confocal"))); got != want {
		t.Errorf("the loaded dataset differs:\n--- got\n%s\n--- want\n%s", got, want)
	}
}
