package mount

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/graph"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

var fieldName = regexp.MustCompile("`([A-Z*][A-Za-z]*\\.[A-Za-z*.]+)`")

// lost reads the last column of docs/fidelity.md.
func lost(t testing.TB, m *store.Model) (patterns []graph.Pattern) {
	t.Helper()
	text, err := os.ReadFile("../docs/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], " ---") {
			continue
		}
		rows++
		found := fieldName.FindAllStringSubmatch(cells[4], -1)
		for _, match := range found {
			p, err := graph.ParsePattern(m, match[1])
			if err != nil {
				if m.Class(strings.SplitN(match[1], ".", 2)[0]) == nil {
					continue // the call that refuses it
				}
				t.Fatalf("docs/fidelity.md: %v", err)
			}
			patterns = append(patterns, p)
		}
	}
	if rows < 5 || len(patterns) < 5 {
		t.Fatalf("docs/fidelity.md: %d rows with %d fields", rows, len(patterns))
	}
	return patterns
}

// drawn tells the images without original files in studies for tests; after a
// load they have one. Everything else about them counts.
func drawn(image *store.Row) bool { return strings.Contains(image.Text("name"), "(drawn)") }

// othersLooks are the rendering settings of other users than the owner of the
// image, which docs/fidelity.md says the pack keeps and no load restores.
func othersLooks(s *store.Store) map[int64]bool {
	var all []*store.Row
	s.Each("RenderingDef", func(r *store.Row) bool { all = append(all, r); return true })
	looks := map[int64]bool{}
	for _, def := range all {
		pixels := s.Get("Pixels", def.Ref("pixels"))
		looks[def.ID] = s.Get("Image", pixels.Ref("image")).Owner != def.Owner
	}
	return looks
}

// readGraph writes down what a server has of an object.
func readGraph(t testing.TB, s *store.Store, class string, id int64) *graph.Graph {
	t.Helper()
	looks := othersLooks(s)
	hide := func(row *store.Row) bool { return graph.Own(row) || row.Class.Name == "RenderingDef" && looks[row.ID] }
	g, err := graph.Read(s, class, id, graph.Options{Hide: hide, Cut: func(row *store.Row, field string) bool {
		if row.Class.Name == class && row.ID == id && field == "name" {
			return true // which is called as the folder
		}
		return row.Class.Name == "Image" && drawn(row) && (field == "fileset" || field == "format")
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// same fails the test for what differs and may not.
func same(t testing.TB, what string, a, b *graph.Graph, ignore []graph.Pattern) {
	t.Helper()
	found := graph.Compare(a, b, ignore)
	for i, d := range found {
		if i == 40 {
			t.Errorf("%s: and %d more", what, len(found)-i)
			break
		}
		t.Errorf("%s: %s", what, d)
	}
}

// remove deletes an object, and what only it holds, as its owner.
func (w *world) remove(class string, id int64) {
	w.t.Helper()
	w.removeAll(map[omero.Kind][]int64{omero.Kind(class): {id}})
}

// removeAll deletes objects, and what only they hold, with one request.
func (w *world) removeAll(objects map[omero.Kind][]int64) {
	w.t.Helper()
	u := w.sandbox.Users()[0]
	c, err := omero.Connect(w.t.Context(), omero.Config{
		Addresses: []string{w.sandbox.OMEROAddress()}, User: u.Name, Password: u.Password, TLS: omero.TLS{CAFile: w.sandbox.CAFile()},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close() // nothing is kept in it
	if _, err := c.Delete(w.t.Context(), objects, omero.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.mount.omeroView.Invalidate()
}

// thumbnails draws small pictures of all images, as viewers have the server do.
func thumbnails(t testing.TB, s *store.Store) {
	t.Helper()
	err := s.Write(store.Actor{User: s.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == "ada" }).ID}, func(a *store.Author) error {
		for pixels := range a.Tx().Rows(a.Tx().Model().Class("Pixels")) {
			if _, err := a.Create("Thumbnail", store.Values{"pixels": pixels, "mimeType": "image/jpeg", "sizeX": 96, "sizeY": 96}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// loadRecord is what the annotation of a load says on an object.
func loadRecord(t testing.TB, s *store.Store, class string, id int64) map[string]string {
	t.Helper()
	record := map[string]string{}
	for _, l := range s.Collection(class, id, "annotationLinks") {
		if n := s.Get("Annotation", l.Ref("child")); n != nil && n.Text("ns") == "omerods/load" {
			pairs, _ := n.Get("mapValue").([]store.NamedValue)
			for _, p := range pairs {
				record[p.Name] += p.Value
			}
		}
	}
	return record
}

func createdAt(s *store.Store, class string, id int64) string {
	at, _ := s.Get("Event", s.Get(class, id).Created).Get("time").(store.Time)
	return time.UnixMilli(int64(at)).UTC().Format(time.RFC3339)
}

// TestNothingIsLost saves the sample's projects, deletes them, loads them into
// the same server and into another one, and compares what the servers hold.
func TestNothingIsLost(t *testing.T) {
	w, other := newWorld(t, sandbox.Config{}), newWorld(t, sandbox.Config{Empty: true})
	thumbnails(t, w.sandbox.Store())
	model := w.sandbox.Store().Model()
	all := lost(t, model)
	type loadedPair struct{ a, b *graph.Graph }
	var pairs []loadedPair
	for _, name := range []string{"Kidney", "Zebrafish ／ heart"} {
		source := w.omero("projects", name)
		id := w.id(source)
		before := readGraph(t, w.sandbox.Store(), "Project", id)
		created := createdAt(w.sandbox.Store(), "Project", id)
		saved := w.home(name)
		w.run("cp", "-r", source, saved)

		load := func(what string, to *world, dst string) {
			t.Helper()
			to.run("cp", "-r", saved, dst)
			after := readGraph(t, to.sandbox.Store(), "Project", to.id(dst))
			same(t, name+" "+what, before, after, all)
			pairs = append(pairs, loadedPair{before, after})
			record := loadRecord(t, to.sandbox.Store(), "Project", to.id(dst))
			for key, want := range map[string]string{
				"from owner": "ada (Ada Lovelace)", "from group": sample.LabGroup, "from object": fmt.Sprintf("Project:%d", id),
				"created": created, "from name": strings.ReplaceAll(name, "／", "/"),
			} {
				if record[key] != want {
					t.Errorf("%s %s: the record of the load says of %s %q, want %q", name, what, key, record[key], want)
				}
			}
			if record["images created"] == "" || record["provenance"] == "" {
				t.Errorf("%s %s: the record of the load is %q", name, what, record)
			}
		}
		load("beside the old one", w, w.omero("projects", name+" again"))
		load("in another group", w, filepath.Join(w.dir, "omero", sample.PrivateGroup, "ada", "projects", name))
		w.remove("Project", w.id(w.omero("projects", name+" again")))
		w.remove("Project", id)
		load("after the old one is gone", w, w.omero("projects", name+" back"))
		load("on another server", other, other.omero("projects", name))
	}
	// What is listed as lost has to be.
	for i, p := range all {
		rest := slices.Delete(slices.Clone(all), i, i+1)
		if !slices.ContainsFunc(pairs, func(l loadedPair) bool { return len(graph.Compare(l.a, l.b, rest)) > 0 }) {
			t.Errorf("%s is said to be lost, and is not", p)
		}
	}
}
