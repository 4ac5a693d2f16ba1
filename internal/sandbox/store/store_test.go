package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"omerods/internal/omero/slice"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir, Definitions: slice.Definitions()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestModelInverses(t *testing.T) {
	m, err := NewModel(slice.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[[2]string]string{
		{"Project", "datasetLinks"}:                      "ProjectDatasetLink.parent",
		{"Dataset", "projectLinks"}:                      "ProjectDatasetLink.child",
		{"Image", "pixels"}:                              "Pixels.image",
		{"Fileset", "usedFiles"}:                         "FilesetEntry.fileset",
		{"Well", "wellSamples"}:                          "WellSample.well",
		{"PlateAcquisition", "wellSample"}:               "WellSample.plateAcquisition",
		{"TagAnnotation", "annotationLinks"}:             "AnnotationAnnotationLink.parent",
		{"Experimenter", "groupExperimenterMap"}:         "GroupExperimenterMap.child",
		{"OriginalFile", "pixelsFileMaps"}:               "PixelsOriginalFileMap.parent",
		{"RenderingDef", "waveRendering"}:                "ChannelBinding.renderingDef",
		{"UploadJob", "originalFileLinks"}:               "JobOriginalFileLink.parent",
		{"LightPath", "excitationFilterLink"}:            "LightPathExcitationFilterLink.parent",
		{"Filter", "excitationFilterLink"}:               "FilterSetExcitationFilterLink.child",
		{"MicrobeamManipulation", "lightSourceSettings"}: "LightSettings.microbeamManipulation",
	} {
		p := m.Class(path[0]).Property(path[1])
		if p == nil || p.Inverse == nil || p.Inverse.String() != want {
			t.Errorf("%v: got %v, want %s", path, p, want)
		}
	}
	if c := m.Class("ome.model.core.Image"); c != m.Class("Image") || c == nil {
		t.Error("no class by its Java name")
	}
	if m.Class("ome.model.roi.Image") != nil {
		t.Error("found a class in the wrong Java package")
	}
}

func project(t *testing.T, s *Store, name string) *Row {
	t.Helper()
	var row *Row
	err := s.Write(Root, func(a *Author) (err error) {
		row, err = a.Create("Project", Values{"name": name})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestJournalSurvivesAndTornTailIsCut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := Open(Config{Dir: dir, Definitions: slice.Definitions()}); !errors.Is(err, ErrLocked) {
		t.Errorf("second open: got %v, want ErrLocked", err)
	}
	p := project(t, s, "größe \x00\xff")
	last := project(t, s, "lost")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, journalName)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-3); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir)
	if got := s.Get("Project", p.ID); got == nil || got.Text("name") != p.Text("name") || got.Created != p.Created {
		t.Errorf("got %+v, want %+v", got, p)
	}
	if got := s.Get("Project", last.ID); got != nil {
		t.Errorf("torn transaction applied: %+v", got)
	}
	if n := project(t, s, "next").ID; n != last.ID {
		t.Errorf("id after the torn transaction: got %d, want %d", n, last.ID)
	}
}

func TestCompactKeepsRowsAndSequences(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	keep := project(t, s, "keep")
	gone := project(t, s, "gone")
	if err := s.Write(Root, func(a *Author) error { a.Delete(gone); return nil }); err != nil {
		t.Fatal(err)
	}
	f, err := s.compact(filepath.Join(dir, journalName))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir)
	if got := s.Get("Project", keep.ID); got == nil || got.Text("name") != "keep" {
		t.Errorf("got %+v, want the project", got)
	}
	if s.Get("Project", gone.ID) != nil {
		t.Error("deleted project is back")
	}
	if n := project(t, s, "next").ID; n != gone.ID+1 {
		t.Errorf("id after compacting: got %d, want %d", n, gone.ID+1)
	}
	if n, want := s.Count("PixelsType"), len(pixelBits); n != want {
		t.Errorf("got %d pixel types, want %d", n, want)
	}
}

func TestConstraintsRollBack(t *testing.T) {
	s := open(t, "")
	p := project(t, s, "p")
	var d, link *Row
	err := s.Write(Root, func(a *Author) (err error) {
		if d, err = a.Create("Dataset", Values{"name": "d"}); err != nil {
			return err
		}
		link, err = a.Create("ProjectDatasetLink", Values{"parent": p, "child": d})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		rule Rule
		fn   func(*Author) error
	}{
		{"null name", RuleRequired, func(a *Author) error { _, err := a.Create("Project", nil); return err }},
		{"missing child", RuleForeign, func(a *Author) error {
			_, err := a.Create("ProjectDatasetLink", Values{"parent": p, "child": 999})
			return err
		}},
		{"second link", RuleUnique, func(a *Author) error {
			_, err := a.Create("ProjectDatasetLink", Values{"parent": p, "child": d})
			return err
		}},
		{"project with links", RuleForeign, func(a *Author) error { a.Delete(p); return nil }},
		{"user name", RuleUnique, func(a *Author) error {
			_, err := a.Create("Experimenter", Values{"omeName": "root", "firstName": "", "lastName": "", "ldap": false})
			return err
		}},
		{"enumeration", RuleUnique, func(a *Author) error { _, err := a.Create("Format", Values{"value": "Fake"}); return err }},
	} {
		before := s.Count("EventLog")
		err := s.Write(Root, func(a *Author) error {
			if _, err := a.Create("Screen", Values{"name": "half"}); err != nil {
				return err
			}
			return tc.fn(a)
		})
		var broken *ConstraintError
		if !errors.As(err, &broken) || broken.Rule != tc.rule {
			t.Errorf("%s: got %v, want a broken %s rule", tc.name, err, tc.rule)
		}
		if n := s.Count("EventLog"); n != before || s.Count("Screen") != 0 {
			t.Errorf("%s: half a transaction was kept", tc.name)
		}
	}
	// Both ends may go in one transaction, in any order.
	if err := s.Write(Root, func(a *Author) error { a.Delete(p); a.Delete(link); a.Delete(d); return nil }); err != nil {
		t.Error(err)
	}
	if got := s.Collection("Project", p.ID, "datasetLinks"); len(got) != 0 {
		t.Errorf("index still holds %v", got)
	}
}

func TestOrderedCollectionCountsPositions(t *testing.T) {
	s := open(t, "")
	var roi *Row
	err := s.Write(Root, func(a *Author) (err error) {
		if roi, err = a.Create("Roi", nil); err != nil {
			return err
		}
		for _, class := range []string{"Rectangle", "Point", "Ellipse"} {
			if _, err := a.Create(class, Values{"roi": roi}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range s.Collection("Roi", roi.ID, "shapes") {
		if want := []string{"Rectangle", "Point", "Ellipse"}[i]; r.Class.Name != want || int(r.Position) != i {
			t.Errorf("shape %d: got %s at %d", i, r.Class.Name, r.Position)
		}
	}
}
