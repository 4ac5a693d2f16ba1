package wild

import (
	"slices"
	"testing"

	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/graph"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// fill makes the study of a seed on a server of its own.
func fill(t *testing.T, c Config) (*store.Store, *Study) {
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
	target := sample.Target{Store: s, Files: files}
	if _, err := sample.People(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	made, err := Fill(t.Context(), target, c)
	if err != nil {
		t.Fatal(err)
	}
	return s, made
}

// Equal seeds give equal studies, and over some seeds there is an object of
// every class that projects can hold.
func TestSeeds(t *testing.T) {
	classes := map[string]bool{}
	others, guests := false, false // settings of others, images of others
	for seed := range uint64(30) {
		s, made := fill(t, Config{Seed: seed})
		again, madeAgain := fill(t, Config{Seed: seed})
		if len(made.Projects) == 0 || len(made.Projects) != len(madeAgain.Projects) {
			t.Fatalf("seed %d: got %d and %d projects", seed, len(made.Projects), len(madeAgain.Projects))
		}
		var ignore []graph.Pattern
		for _, p := range []string{"*.details.creationEvent", "*.details.updateEvent", "OriginalFile.mtime", "Fileset.templatePrefix", "OriginalFile.repo", "FilesetJobLink.*"} {
			ignore = append(ignore, graph.Pattern(p))
		}
		wasMade := slices.Concat(madeAgain.Projects, madeAgain.Screens, madeAgain.Plates)
		for i, o := range slices.Concat(made.Projects, made.Screens, made.Plates) {
			a, err := graph.Read(s, o.Class, o.ID, graph.Options{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := graph.Read(again, o.Class, wasMade[i].ID, graph.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range graph.Compare(a, b, ignore) {
				t.Errorf("seed %d: %s", seed, d)
			}
			for _, n := range a.Nodes {
				classes[n.Class.Name] = true
			}
			a.Each("Image", func(image *store.Row) {
				for _, pixels := range s.Collection("Image", image.ID, "pixels") {
					for _, def := range s.Collection("Pixels", pixels.ID, "settings") {
						others = others || def.Owner != image.Owner
					}
				}
				guests = guests || image.Owner != s.Get("Project", made.Projects[0].ID).Owner
			})
		}
	}
	if !others || !guests {
		t.Errorf("settings of others: %v, images of others: %v", others, guests)
	}
	for _, name := range []string{
		"Mask", "Path", "Label", "AffineTransform", "Folder", "MapAnnotation", "XmlAnnotation", "ListAnnotation", "FileAnnotation", "TagAnnotation",
		"ShapeAnnotationLink", "ChannelAnnotationLink", "AnnotationAnnotationLink", "FilesetAnnotationLink", "OriginalFileAnnotationLink",
		"Laser", "Detector", "Objective", "Filter", "Dichroic", "LightPath", "ImagingEnvironment", "PlaneInfo", "RenderingDef", "ReverseIntensityContext",
		"Screen", "Plate", "PlateAcquisition", "Well", "WellSample", "Reagent", "WellReagentLink", "ScreenPlateLink", "PlateAcquisitionAnnotationLink", "WellAnnotationLink", "ReagentAnnotationLink",
	} {
		if !classes[name] {
			t.Errorf("no study has a %s", name)
		}
	}
}

// What a feature makes does not depend on whether others are left out.
func TestWithout(t *testing.T) {
	_, all := fill(t, Config{Seed: 5})
	s, fewer := fill(t, Config{Seed: 5, Without: map[string]bool{Notes: true, MoreNotes: true, PartNotes: true, Others: true, Screens: true, Guests: true}})
	if len(all.Projects) != len(fewer.Projects) || len(all.Orphans) != len(fewer.Orphans) {
		t.Errorf("got %v and %v", all, fewer)
	}
	if n := s.Count("Annotation"); n != 0 {
		t.Errorf("got %d annotations, want none", n)
	}
}
