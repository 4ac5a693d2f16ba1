package graph

import (
	"context"
	"slices"
	"strings"
	"testing"

	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// study is a server's store with the sample study, and the project in it.
func study(t *testing.T) (*store.Store, *store.Row) {
	t.Helper()
	s, err := store.Open(store.Config{Definitions: slice.Definitions()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	files, err := repository.Open(t.TempDir(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := files.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := sample.Load(context.Background(), sample.Target{Store: s, Files: files}); err != nil {
		t.Fatal(err)
	}
	return s, find(t, s, "Project", "name", "Kidney")
}

func find(t *testing.T, s *store.Store, class, field, text string) *store.Row {
	t.Helper()
	row := s.Find(class, func(r *store.Row) bool { return r.Text(field) == text })
	if row == nil {
		t.Fatalf("no %s %q", class, text)
	}
	return row
}

// in finds within a transaction.
func in(t *testing.T, a *store.Author, class, field, text string) *store.Row {
	t.Helper()
	for row := range a.Tx().Rows(a.Tx().Model().Class(class)) {
		if row.Text(field) == text {
			return row
		}
	}
	t.Fatalf("no %s %q", class, text)
	return nil
}

func read(t *testing.T, s *store.Store, row *store.Row) *Graph {
	t.Helper()
	g, err := Read(s, row.Class.Name, row.ID, Options{Hide: Own})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func write(t *testing.T, s *store.Store, fn func(a *store.Author) error) {
	t.Helper()
	if err := s.Write(store.Actor{User: 2, Group: 3}, fn); err != nil {
		t.Fatal(err)
	}
}

func patterns(t *testing.T, s *store.Store, texts ...string) (out []Pattern) {
	t.Helper()
	for _, text := range texts {
		p, err := ParsePattern(s.Model(), text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// Two servers filled in the same way at other times hold the same, but for
// when and where.
func TestEqualStudiesAreEqual(t *testing.T) {
	s1, p1 := study(t)
	s2, p2 := study(t)
	// The ids of the second are others.
	a, b := read(t, s1, p1), read(t, s2, p2)
	if len(a.Nodes) != len(b.Nodes) || len(a.Nodes) < 300 {
		t.Errorf("got %d and %d objects", len(a.Nodes), len(b.Nodes))
	}
	when := []string{"*.details.creationEvent", "*.details.updateEvent", "OriginalFile.mtime", "Fileset.templatePrefix", "OriginalFile.repo", "Job.*"}
	for _, d := range Compare(a, b, patterns(t, s1, when...)) {
		t.Error(d)
	}
	for i := range when {
		less := slices.Delete(slices.Clone(when), i, i+1)
		if len(Compare(a, b, patterns(t, s1, less...))) == 0 {
			t.Errorf("without %s the graphs are equal, too", when[i])
		}
	}
}

// Whatever is changed, added or taken away shows, where it is.
func TestEveryChangeShows(t *testing.T) {
	s, project := study(t)
	for _, c := range []struct {
		name, want string
		change     func(a *store.Author) error
	}{
		{"a field", `Roi.description`, func(a *store.Author) error {
			row := a.Tx().Get(a.Tx().Model().Class("Roi"), in(t, a, "Roi", "name", "glomerulus").ID).Clone()
			err := a.Tx().Fill(row, store.Values{"description": "other"})
			a.Update(row)
			return err
		}},
		{"an association", `DatasetImageLink`, func(a *store.Author) error {
			link := a.Tx().Get(a.Tx().Model().Class("DatasetImageLink"), 1)
			a.Delete(link)
			return nil
		}},
		{"a second link to the same", `ImageAnnotationLink.*`, func(a *store.Author) error {
			image := in(t, a, "Image", "name", "segmentation (drawn)")
			_, err := a.Create("ImageAnnotationLink", store.Values{"parent": image, "child": in(t, a, "Annotation", "textValue", "Phalloidin")})
			return err
		}},
		{"a class that nothing else has", `ImagingEnvironment.*`, func(a *store.Author) error {
			env, err := a.Create("ImagingEnvironment", store.Values{"humidity": 0.5})
			if err != nil {
				return err
			}
			row := a.Tx().Get(a.Tx().Model().Class("Image"), in(t, a, "Image", "name", "tubules").ID).Clone()
			err = a.Tx().Fill(row, store.Values{"imagingEnvironment": env})
			a.Update(row)
			return err
		}},
		{"an order", `Channel.pixels`, func(a *store.Author) error {
			m := a.Tx().Model()
			image := in(t, a, "Image", "name", "tubules")
			pixels := a.Tx().Collection(m.Class("Image").Property("pixels"), image.ID)[0]
			channels := a.Tx().Collection(m.Class("Pixels").Property("channels"), pixels.ID)
			first, second := channels[0].Clone(), channels[1].Clone()
			first.Position, second.Position = second.Position, first.Position
			a.Tx().Put(first)
			a.Tx().Put(second)
			return nil
		}},
		{"an owner", `Dataset.details.owner`, func(a *store.Author) error {
			row := a.Tx().Get(a.Tx().Model().Class("Dataset"), in(t, a, "Dataset", "name", "Confocal").ID).Clone()
			row.Owner = store.RootUser
			a.Tx().Put(row)
			return nil
		}},
		{"one tag in place of two", `ImageAnnotationLink`, func(a *store.Author) error {
			// A tag of the same words, on one of two images.
			old := in(t, a, "Annotation", "textValue", "DAPI")
			image := in(t, a, "Image", "name", "tubules")
			m := a.Tx().Model()
			for _, id := range slices.Clone(a.Tx().RefIDs(m.Class("ImageAnnotationLink").Property("parent"), image.ID)) {
				if link := a.Tx().Get(m.Class("ImageAnnotationLink"), id); link.Ref("child") == old.ID {
					tag, err := a.Create("TagAnnotation", store.Values{"textValue": "DAPI", "description": "a stain"})
					if err != nil {
						return err
					}
					l := link.Clone()
					if err := a.Tx().Fill(l, store.Values{"child": tag}); err != nil {
						return err
					}
					a.Tx().Put(l)
				}
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := read(t, s, project)
			write(t, s, c.change)
			found := Compare(before, read(t, s, project), patterns(t, s, "*.version", "*.details.updateEvent"))
			if len(found) == 0 {
				t.Fatal("no difference was found")
			}
			if !slices.ContainsFunc(found, func(d Difference) bool { return strings.HasPrefix(d.Class+"."+d.Field, c.want) }) {
				t.Errorf("no difference in %s among %v", c.want, found)
			}
			if len(found) > 12 {
				t.Errorf("%d differences for one change: %v", len(found), found)
			}
		})
	}
}

// What is elsewhere does not show.
func TestChangesElsewhereDoNotShow(t *testing.T) {
	s, project := study(t)
	before := read(t, s, project)
	write(t, s, func(a *store.Author) error {
		p, err := a.Create("Project", store.Values{"name": "another"})
		if err != nil {
			return err
		}
		// Shared with the first: a dataset, a tag, and a tag set with a new tag.
		if _, err := a.Create("ProjectDatasetLink", store.Values{"parent": p, "child": in(t, a, "Dataset", "name", "Confocal")}); err != nil {
			return err
		}
		if _, err := a.Create("ProjectAnnotationLink", store.Values{"parent": p, "child": in(t, a, "Annotation", "textValue", "DAPI")}); err != nil {
			return err
		}
		tag, err := a.Create("TagAnnotation", store.Values{"textValue": "new"})
		if err != nil {
			return err
		}
		_, err = a.Create("AnnotationAnnotationLink", store.Values{"parent": in(t, a, "Annotation", "textValue", "Stains"), "child": tag})
		if err != nil {
			return err
		}
		ours, err := a.Create("MapAnnotation", store.Values{"ns": "omerods/save"})
		if err != nil {
			return err
		}
		_, err = a.Create("ProjectAnnotationLink", store.Values{"parent": project, "child": ours})
		return err
	})
	for _, d := range Compare(before, read(t, s, project), nil) {
		t.Error(d)
	}
}

func TestPatternsNameWhatThereIs(t *testing.T) {
	s, _ := study(t)
	for _, text := range []string{"Image", "Nothing.name", "Image.nothing", "*.name"} {
		if _, err := ParsePattern(s.Model(), text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
