package omero_test

import (
	"errors"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// plateEdits are the changes of one kind of row of a screen or plate.
type plateEdits struct {
	t     *testing.T
	s     *server
	actor store.Actor
}

func (e plateEdits) write(fn func(a *store.Author) error) {
	e.t.Helper()
	check(e.t, e.s.store.Write(e.actor, fn))
}

func (e plateEdits) create(class string, v store.Values) (id int64) {
	e.write(func(a *store.Author) error {
		row, err := a.Create(class, v)
		if err == nil {
			id = row.ID
		}
		return err
	})
	return id
}

func (e plateEdits) edit(class string, id int64, v store.Values) {
	e.write(func(a *store.Author) error {
		row := a.Tx().Get(a.Tx().Model().Class(class), id).Clone()
		if err := a.Tx().Fill(row, v); err != nil {
			return err
		}
		a.Update(row)
		return nil
	})
}

func (e plateEdits) remove(class string, id int64) {
	e.write(func(a *store.Author) error {
		a.Delete(a.Tx().Get(a.Tx().Model().Class(class), id))
		return nil
	})
}

// Every edit, addition and removal of what a screen or plate consists of moves
// the tokens, and nothing else does.
func TestChangeTokenOfPlates(t *testing.T) {
	s := ownServer(t, blitz.Config{}, sample.Load)
	c := s.login(t, "ada")
	screen, plate := screenOf(t, c)
	pilot, err := c.OrphanPlates(t.Context(), plate.Group, plate.Owner)
	check(t, err)
	e := plateEdits{t, s, store.Actor{User: plate.Owner, Group: plate.Group}}
	wells := s.store.Collection("Plate", plate.ID, "wells")
	run := s.store.Collection("Plate", plate.ID, "plateAcquisitions")[0].ID
	well, field := wells[0].ID, s.store.Collection("Well", wells[0].ID, "wellSamples")[0]
	reagent := s.store.Collection("Screen", screen.ID, "reagents")[0].ID
	otherScreen := e.create("Screen", store.Values{"name": "other"})
	foreign := e.create("Reagent", store.Values{"screen": otherScreen, "name": "foreign"})
	tag := e.create("TagAnnotation", store.Values{"textValue": "t"})
	ours := e.create("TagAnnotation", store.Values{"textValue": "t", "ns": "omerods/save"})
	bare := e.create("Image", store.Values{"name": "bare", "series": 0, "archived": false, "partial": false})
	token := func() (tokens [2]string) {
		for i, id := range []int64{screen.ID, plate.ID} {
			tok, err := c.ChangeToken(t.Context(), []omero.Kind{omero.KindScreen, omero.KindPlate}[i], id, "omerods/")
			check(t, err)
			if tok.Newest.IsZero() {
				t.Error("no newest event")
			}
			tokens[i] = tok.Hash
		}
		return tokens
	}
	var added int64
	add := func(class string, v store.Values) func() { return func() { added = e.create(class, v) } }
	addedGoes := func(class string) func() { return func() { e.remove(class, added) } }
	edit := func(class string, id int64, v store.Values) func() { return func() { e.edit(class, id, v) } }
	type step struct {
		name          string
		change        func()
		screen, plate bool
	}
	steps := []step{
		{"nothing", func() {}, false, false},
		{"screen edited", edit("Screen", screen.ID, store.Values{"protocolIdentifier": "x"}), true, false},
		{"plate edited", edit("Plate", plate.ID, store.Values{"status": "x"}), true, true},
		{"run edited", edit("PlateAcquisition", run, store.Values{"name": "x"}), true, true},
		{"well edited", edit("Well", well, store.Values{"type": "x"}), true, true},
		{"field edited", edit("WellSample", field.ID, store.Values{"timepoint": s.store.Now()}), true, true},
		{"image edited", edit("Image", field.Ref("image"), store.Values{"name": "x"}), true, true},
		{"reagent edited", edit("Reagent", reagent, store.Values{"description": "x"}), true, true},
		{"run added", add("PlateAcquisition", store.Values{"plate": plate.ID}), true, true},
		{"run removed", addedGoes("PlateAcquisition"), true, true},
		{"well added", add("Well", store.Values{"plate": plate.ID, "row": 7, "column": 7}), true, true},
		{"well removed", addedGoes("Well"), true, true},
		{"field added", add("WellSample", store.Values{"well": well, "image": bare}), true, true},
		{"field removed", addedGoes("WellSample"), true, true},
		{"reagent added", add("Reagent", store.Values{"screen": screen.ID, "name": "n"}), true, false},
		{"reagent removed", addedGoes("Reagent"), true, false},
		{"reagent put into a well", add("WellReagentLink", store.Values{"parent": well, "child": foreign}), true, true},
		{"reagent of another screen edited", edit("Reagent", foreign, store.Values{"name": "x"}), true, true},
		{"tag on it", func() { e.create("ReagentAnnotationLink", store.Values{"parent": foreign, "child": tag}) }, true, true},
		{"reagent taken out of a well", addedGoes("WellReagentLink"), true, true},
		{"reagent that is nowhere edited", edit("Reagent", foreign, store.Values{"name": "y"}), false, false},
		{"plate added", add("ScreenPlateLink", store.Values{"parent": screen.ID, "child": pilot[0].ID}), true, false},
		{"well of that plate edited", edit("Well", s.store.Collection("Plate", pilot[0].ID, "wells")[0].ID, store.Values{"type": "x"}), true, false},
		{"plate removed", addedGoes("ScreenPlateLink"), true, false},
		{"well of that plate edited again", edit("Well", s.store.Collection("Plate", pilot[0].ID, "wells")[0].ID, store.Values{"type": "y"}), false, false},
		{"another screen edited", edit("Screen", otherScreen, store.Values{"name": "x"}), false, false},
	}
	for _, on := range []struct {
		class  string
		id     int64
		screen bool // only the screen has it
	}{
		{"Screen", screen.ID, true}, {"Plate", plate.ID, false}, {"PlateAcquisition", run, false}, {"Well", well, false}, {"Reagent", reagent, false},
		{"Image", field.Ref("image"), false},
	} {
		link := on.class + "AnnotationLink"
		steps = append(steps,
			step{"tag on " + on.class, add(link, store.Values{"parent": on.id, "child": tag}), true, !on.screen},
			step{"tag of " + on.class + " edited", edit("TagAnnotation", tag, store.Values{"description": on.class}), true, !on.screen},
			step{"tag off " + on.class, addedGoes(link), true, !on.screen},
			step{"our record on " + on.class, add(link, store.Values{"parent": on.id, "child": ours}), false, false})
	}
	for _, st := range steps {
		before := token()
		st.change()
		after := token()
		for i, want := range []bool{st.screen, st.plate} {
			if moved := before[i] != after[i]; moved != want {
				t.Errorf("%s: the token of the %s changed: %v, want %v", st.name, []string{"screen", "plate"}[i], moved, want)
			}
		}
	}
	if _, err := c.ChangeToken(t.Context(), omero.KindPlate, 1<<40, ""); !errors.Is(err, omero.NotFound) {
		t.Errorf("no such plate: %v", err)
	}
}
