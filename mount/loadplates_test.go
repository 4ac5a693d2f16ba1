package mount

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/store"
)

// everyPolicy lets a server hand out the original files of plates.
const everyPolicy = "+read,+write,+image,+plate"

func TestScreenSaveAndLoadByEveryProgram(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy})
	screen := w.omero("screens", "Drug screen")
	id := w.id(screen)
	want := describe(w.sandbox.Store(), "Screen", id)
	if !strings.Contains(want, "Nocodazole") || !strings.Contains(want, "run 2") || !strings.Contains(want, "concentration") {
		t.Fatalf("the sample screen is too poor to test with:\n%s", want)
	}
	for name, copyTo := range copiers {
		t.Run(name, func(t *testing.T) {
			w.t = t
			defer func() { w.t = t }()
			saved := w.home("screen by " + name)
			if out, code := copyTo(w, screen, saved); code != 0 {
				why, _, _ := Why(saved)
				t.Fatalf("save: exit code %d\n%s%s", code, out, why)
			}
			plates := w.sandbox.Store().Count("Plate")
			loaded := w.omero("screens", "Back by "+name)
			if out, code := copyTo(w, saved, loaded); code != 0 {
				why, _, _ := Why(loaded)
				t.Fatalf("load: exit code %d\n%s%s", code, out, why)
			}
			eventually(t, "the loaded screen shows", func() bool { return attr(loaded, "user.omero.id") != "" })
			if got := describe(w.sandbox.Store(), "Screen", w.id(loaded)); got != want {
				t.Errorf("the loaded screen differs:\n--- got\n%s\n--- want\n%s", got, want)
			}
			if got := w.sandbox.Store().Count("Plate"); got != plates+1 {
				t.Errorf("got %d new plates, want 1", got-plates)
			}
			if got := describe(w.sandbox.Store(), "Screen", id); got != want {
				t.Errorf("the old screen was changed:\n%s", got)
			}
			w.noMarksLeft()
		})
	}
}

// study changes what the sandbox's server has, as its first user would with
// another client.
type study struct {
	w     *world
	a     *store.Author
	owner int64
}

func (w *world) study(like *store.Row, change func(s *study) error) {
	w.t.Helper()
	err := w.sandbox.Store().Write(store.Actor{User: like.Owner, Group: like.Group}, func(a *store.Author) error {
		return change(&study{w: w, a: a, owner: like.Owner})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mount.omeroView.Invalidate()
}

func (s *study) get(class string, id int64) *store.Row {
	tx := s.a.Tx()
	return tx.Get(tx.Model().Class(class), id)
}

func (s *study) in(class string, id int64, collection string) []*store.Row {
	tx := s.a.Tx()
	return tx.Collection(tx.Model().Class(class).Property(collection), id)
}

// set changes an object.
func (s *study) set(row *store.Row, values store.Values) error {
	now := s.a.Tx().Get(row.Class, row.ID).Clone()
	if err := s.a.Tx().Fill(now, values); err != nil {
		return err
	}
	s.a.Update(now)
	return nil
}

// well makes a well with fields.
func (s *study) well(plate *store.Row, row, column int, run *store.Row, images ...*store.Row) error {
	w, err := s.a.Create("Well", store.Values{"plate": plate, "row": row, "column": column})
	if err != nil {
		return err
	}
	for _, im := range images {
		v := store.Values{"well": w, "image": im}
		if run != nil {
			v["plateAcquisition"] = run
		}
		if _, err := s.a.Create("WellSample", v); err != nil {
			return err
		}
	}
	return nil
}

// deletions counts the plates that were deleted so far.
func (w *world) deletions(entity string) (n int) {
	w.sandbox.Store().Each("EventLog", func(r *store.Row) bool {
		if r.Text("action") == "DELETE" && r.Text("entityType") == entity {
			n++
		}
		return true
	})
	return n
}

// roundTrip saves and loads a pack and compares what came of it.
func (w *world) roundTrip(class, section, name string) (oldID, newID int64) {
	w.t.Helper()
	live := w.omero(section, name)
	oldID = w.id(live)
	want := describe(w.sandbox.Store(), class, oldID)
	saved, loaded := w.home(section+" "+name), w.omero(section, "Loaded "+name)
	w.run("cp", "-r", live, saved)
	w.run("cp", "-r", saved, loaded)
	newID = w.id(loaded)
	if got := describe(w.sandbox.Store(), class, newID); got != want {
		w.t.Errorf("the loaded %s differs:\n--- got\n%s\n--- want\n%s", class, got, want)
	}
	if got := describe(w.sandbox.Store(), class, oldID); got != want {
		w.t.Errorf("the old %s was changed:\n%s", class, got)
	}
	w.noMarksLeft()
	return oldID, newID
}

// Everything of a plate that can be edited in OMERO comes back, on the plate
// that the import makes.
func TestEditedPlatesComeBack(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy})
	s := w.sandbox.Store()
	plate := s.Get("Plate", w.id(w.omero("screens", "Drug screen", "Plate 7")))
	micron := s.Model().Class("Plate").Property("wellOriginX").Enum.Values["MICROMETER"]
	length := func(v float64) store.Quantity { return store.Quantity{Value: v, Unit: micron} }
	day := time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC)
	w.study(plate, func(st *study) error {
		runs, wells := st.in("Plate", plate.ID, "plateAcquisitions"), st.in("Plate", plate.ID, "wells")
		fields := st.in("Well", wells[1].ID, "wellSamples")
		return errors.Join(
			st.set(plate, store.Values{"description": "of the week", "defaultSample": 1, "rowNamingConvention": "number", "columnNamingConvention": "letter",
				"wellOriginX": length(1.5), "wellOriginY": length(-2), "rows": 4, "columns": 6, "status": "done", "externalIdentifier": "B-12"}),
			st.set(runs[0], store.Values{"name": "first <pass>", "description": "cold", "startTime": day, "endTime": day.Add(time.Hour), "maximumFieldCount": 9}),
			st.set(runs[1], store.Values{"name": nil, "maximumFieldCount": nil}),
			st.set(wells[0], store.Values{"type": "control", "status": "ok", "externalIdentifier": "e1", "externalDescription": "d1",
				"red": 255, "green": 128, "blue": 0, "alpha": 64}),
			st.set(fields[0], store.Values{"posX": length(12.25), "posY": length(-1e-3), "timepoint": day}),
			st.set(fields[1], store.Values{"posX": length(0)}),
		)
	})
	deleted := w.deletions("ome.model.screen.Plate")
	w.roundTrip("Screen", "screens", "Drug screen")
	if got := w.deletions("ome.model.screen.Plate"); got != deleted {
		t.Errorf("%d plates that fitted were built anew", got-deleted)
	}
	w.roundTrip("Plate", "plates", "Pilot plate")
}

// Plates that no import makes as they are: somebody has put images into wells,
// taken others out, and added runs.
func TestPlatesThatImportsDoNotMake(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy})
	s := w.sandbox.Store()
	screen, seven := w.omero("screens", "Drug screen"), s.Get("Plate", w.id(w.omero("screens", "Drug screen", "Plate 7")))
	pilot := s.Get("Plate", w.id(w.omero("plates", "Pilot plate")))
	drawn := imageNamed(t, s, "drawn")
	w.study(seven, func(st *study) error {
		wells := st.in("Plate", seven.ID, "wells")
		taken := st.in("Well", wells[2].ID, "wellSamples")
		late, err := st.a.Create("PlateAcquisition", store.Values{"plate": seven, "name": "late"})
		if err != nil {
			return err
		}
		st.a.Delete(taken[3])
		// An image of this plate in a second well, and one that has no file at all.
		return errors.Join(
			st.well(seven, 1, 7, nil),
			st.well(seven, 3, 3, late, st.get("Image", taken[3].Ref("image")), drawn, st.get("Image", taken[0].Ref("image"))),
		)
	})
	// A plate of the images of two filesets, in another order than theirs.
	var mixed *store.Row
	w.study(pilot, func(st *study) (err error) {
		if mixed, err = st.a.Create("Plate", store.Values{"name": "Mixed"}); err != nil {
			return err
		}
		var images []*store.Row
		for _, p := range []*store.Row{pilot, seven} {
			for _, well := range st.in("Plate", p.ID, "wells") {
				for _, f := range st.in("Well", well.ID, "wellSamples") {
					images = append(images, st.get("Image", f.Ref("image")))
				}
			}
		}
		slices.Reverse(images)
		return errors.Join(st.well(mixed, 0, 0, nil, images[:3]...), st.well(mixed, 0, 1, nil, images[3:]...))
	})
	for _, c := range []struct{ class, section, name string }{{"Screen", "screens", "Drug screen"}, {"Plate", "plates", "Mixed"}} {
		before := s.Count("Plate")
		_, id := w.roundTrip(c.class, c.section, c.name)
		if got := s.Count("Plate"); got != before+1 {
			t.Errorf("%s: got %d new plates, want 1", c.name, got-before)
		}
		if id == 0 {
			t.Errorf("%s: no id", c.name)
		}
	}
	if _, err := os.Stat(screen); err != nil {
		t.Error(err)
	}
}

// An import makes plates again of images whose plate is not in the pack: they
// go, and the images stay.
func TestPlatesThatAreNotInThePack(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy})
	s := w.sandbox.Store()
	pilot := s.Get("Plate", w.id(w.omero("plates", "Pilot plate")))
	w.study(pilot, func(st *study) error {
		dataset, err := st.a.Create("Dataset", store.Values{"name": "Loose"})
		if err != nil {
			return err
		}
		for _, well := range st.in("Plate", pilot.ID, "wells") {
			for _, f := range st.in("Well", well.ID, "wellSamples") {
				if _, err := st.a.Create("DatasetImageLink", store.Values{"parent": dataset, "child": f.Ref("image")}); err != nil {
					return err
				}
				st.a.Delete(f)
			}
			st.a.Delete(well)
		}
		st.a.Delete(pilot)
		return nil
	})
	plates, wells, fields := s.Count("Plate"), s.Count("Well"), s.Count("WellSample")
	w.roundTrip("Dataset", "datasets", "Loose")
	if s.Count("Plate") != plates || s.Count("Well") != wells || s.Count("WellSample") != fields {
		t.Errorf("got %d plates, %d wells, %d fields, want %d, %d, %d", s.Count("Plate"), s.Count("Well"), s.Count("WellSample"), plates, wells, fields)
	}
}

func imageNamed(t *testing.T, s *store.Store, name string) *store.Row {
	t.Helper()
	row := s.Find("Image", func(r *store.Row) bool { return strings.Contains(r.Text("name"), name) })
	if row == nil {
		t.Fatalf("no image %q", name)
	}
	return row
}

// A plate without its screen keeps the reagents in its wells: they are the same
// on the server that has them, and new elsewhere.
func TestReagentsOfAPlateAlone(t *testing.T) {
	w, other := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy}), newWorld(t, sandbox.Config{Empty: true})
	s := w.sandbox.Store()
	source, saved := w.omero("screens", "Drug screen", "Plate 7"), w.home("Plate 7")
	want := describe(s, "Plate", w.id(source))
	if !strings.Contains(want, "Nocodazole") {
		t.Fatalf("no reagents in\n%s", want)
	}
	w.run("cp", "-r", source, saved)
	reagents := s.Count("Reagent")
	w.run("cp", "-r", saved, w.omero("plates", "Alone"))
	if got := describe(s, "Plate", w.id(w.omero("plates", "Alone"))); got != want {
		t.Errorf("the plate alone differs:\n--- got\n%s\n--- want\n%s", got, want)
	}
	if got := s.Count("Reagent"); got != reagents {
		t.Errorf("got %d new reagents, want the old ones", got-reagents)
	}
	there := other.omero("plates", "Alone")
	other.run("cp", "-r", saved, there)
	if got := describe(other.sandbox.Store(), "Plate", other.id(there)); got != want {
		t.Errorf("the plate on another server differs:\n--- got\n%s\n--- want\n%s", got, want)
	}
	if got := other.sandbox.Store().Count("Screen"); got != 1 {
		t.Errorf("got %d screens for the reagents, want 1", got)
	}
	w.noMarksLeft()
	other.noMarksLeft()
}
