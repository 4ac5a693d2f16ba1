package omero_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero"
)

// A plate is made with all that it can have, and then everything of it is
// changed; what is read is what was given.
func TestMakingAndChangingAPlate(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	number := func(n int) *int { return &n }
	micron := func(v float64) *omero.Quantity { return &omero.Quantity{Value: v, Unit: "µm"} }
	red := int32(-16776961)
	day := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)

	b := c.NewBatch()
	first := omero.Plate{Container: omero.Container{Kind: omero.KindPlate, Name: "built", Description: "by hand"}, Rows: number(8), Columns: number(12),
		RowNaming: "letter", ColumnNaming: "number", OriginX: micron(1.5), OriginY: &omero.Quantity{Value: 2, Unit: "mm"}, DefaultField: number(1),
		Status: "fine", ExternalIdentifier: "X-1"}
	run := omero.Run{Name: "r", Description: "d", Start: day, End: day.Add(time.Hour), MaximumFields: number(2)}
	well := omero.Well{Row: 2, Column: 3, Type: "t", Status: "s", ExternalIdentifier: "e", ExternalDescription: "ed", Color: &red}
	field := omero.Field{X: micron(-3), Y: micron(4), Timepoint: day}
	pr := b.Plate(first)
	rr := b.Run(pr, run)
	wr := b.Well(pr, well, []omero.NewField{
		{Field: field, Image: omero.Existing(omero.KindImage, images[1].ID), Run: rr},
		{Image: omero.Existing(omero.KindImage, images[0].ID)},
	})
	empty := b.Well(pr, omero.Well{Row: 2, Column: 4}, nil)
	saved, err := c.Save(ctx, b)
	check(t, err)
	plate := saved.ID(pr)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		_, err := c.Delete(ctx, map[omero.Kind][]int64{omero.KindPlate: {plate}}, omero.DeleteOptions{Keep: []string{"Image"}})
		check(t, err)
		left, err := c.ImagesByID(ctx, []int64{images[0].ID, images[1].ID})
		if err != nil || len(left) != 2 {
			t.Errorf("the images went with the plate: %v, %v", left, err)
		}
	})

	compare := func(what string, plateWant omero.Plate, runWant omero.Run, wellWant omero.Well, fieldWant omero.Field) {
		t.Helper()
		plates, err := c.Plates(ctx, []int64{plate})
		check(t, err)
		runs, err := c.RunsOf(ctx, []int64{plate})
		check(t, err)
		wells, err := c.WellsOf(ctx, []int64{plate})
		check(t, err)
		fields, err := c.FieldsOf(ctx, []int64{plate})
		check(t, err)
		if len(plates) != 1 || len(runs) != 1 || len(wells) != 2 || len(fields) != 2 {
			t.Fatalf("%s: got %v %v %v %v", what, plates, runs, wells, fields)
		}
		plateWant.ID, plateWant.Meta = plate, plates[0].Meta
		runWant.ID, runWant.Plate, runWant.Meta = saved.ID(rr), plate, runs[0].Meta
		wellWant.ID, wellWant.Plate, wellWant.Meta = saved.ID(wr), plate, wells[0].Meta
		fieldWant.ID, fieldWant.Plate, fieldWant.Well, fieldWant.Run = fields[0].ID, plate, saved.ID(wr), saved.ID(rr)
		fieldWant.Image, fieldWant.ImageName, fieldWant.Fileset = images[1].ID, images[1].Name, images[1].Fileset
		for _, x := range []struct{ got, want any }{{plates[0], plateWant}, {runs[0], runWant}, {wells[0], wellWant}, {fields[0], fieldWant}} {
			if !reflect.DeepEqual(x.got, x.want) {
				t.Errorf("%s: got %+v, want %+v", what, x.got, x.want)
			}
		}
		if f := fields[1]; f.Image != images[0].ID || f.Run != 0 || f.X != nil || !f.Timepoint.IsZero() || f.Index != 1 {
			t.Errorf("%s: the bare field became %+v", what, f)
		}
		if w := wells[1]; w.ID != saved.ID(empty) || w.Column != 4 || w.Color != nil || w.Type != "" {
			t.Errorf("%s: the bare well became %+v", what, w)
		}
	}
	compare("made", first, run, well, field)

	fields, err := c.FieldsOf(ctx, []int64{plate})
	check(t, err)
	blue := int32(0x0000ff80)
	second := omero.Plate{Container: omero.Container{Kind: omero.KindPlate, ID: plate, Name: "changed"}, RowNaming: "number", DefaultField: number(0)}
	run2, well2, field2 := omero.Run{ID: saved.ID(rr), MaximumFields: number(7)}, omero.Well{ID: saved.ID(wr), Row: 2, Column: 3, Color: &blue}, omero.Field{ID: fields[0].ID, Y: micron(0)}
	check(t, c.ChangePlates(ctx, []omero.Plate{second}))
	check(t, c.ChangeRuns(ctx, []omero.Run{run2}))
	check(t, c.ChangeWells(ctx, []omero.Well{well2}))
	check(t, c.ChangeFields(ctx, []omero.Field{field2}))
	compare("changed", second, run2, well2, field2)
	if err := c.ChangeRuns(ctx, []omero.Run{run2, {ID: 1 << 40}}); !errors.Is(err, omero.NotFound) {
		t.Errorf("a run that is not there: got %v", err)
	}
}

// A plate of an import is found by its images, hidden while they are marked,
// and goes with an import that is given up.
func TestPlatesOfAnImport(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	const mark, done = "test/loading", "test/load"
	name := "hcs&plates=1&plateRows=1&plateCols=2&fields=1&sizeX=8&sizeY=8.fake"
	imp, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"home/" + name},
		Annotations: []omero.Annotation{{Kind: omero.CommentAnnotation, Namespace: mark, Text: "m"}}})
	check(t, err)
	_, _, err = imp.Upload(ctx, 0, strings.NewReader("x"))
	check(t, err)
	res, err := imp.Finish(ctx, nil)
	check(t, err)
	if len(res.Plates) != 1 || len(res.Images) != 2 {
		t.Fatalf("got %+v", res)
	}
	plate, group := res.Plates[0], c.Who().Group
	with, err := c.PlatesWith(ctx, res.Images)
	check(t, err)
	own, held, err := c.PlatesOfFilesets(ctx, []int64{res.Fileset})
	check(t, err)
	if len(with) != 1 || with[0] != plate || len(own) != 1 || own[0] != plate || len(held) != 0 {
		t.Errorf("got %v, %v, %v, want plate %d alone", with, own, held, plate)
	}
	hidden := func() bool {
		t.Helper()
		set, err := c.UnfinishedPlates(ctx, group, mark, done)
		check(t, err)
		return set[plate]
	}
	if !hidden() {
		t.Error("a plate of marked images counts as finished")
	}
	record, err := c.Annotate(ctx, omero.Existing(omero.KindPlate, plate), omero.Annotation{Kind: omero.MapAnnotation, Namespace: done, Description: "load 1"})
	check(t, err)
	if hidden() {
		t.Error("a plate with a record counts as unfinished")
	}
	_, err = c.Delete(ctx, map[omero.Kind][]int64{omero.Kind(omero.MapAnnotation): {record}}, omero.DeleteOptions{})
	check(t, err)
	_, err = c.Annotate(ctx, omero.Existing(omero.KindPlate, plate), omero.Annotation{Kind: omero.CommentAnnotation, Namespace: mark, Description: "load 1", Text: "m"})
	check(t, err)
	if marked, err := c.MarkedPlates(ctx, mark, "load 1"); err != nil || len(marked) != 1 || marked[0] != plate || !hidden() {
		t.Errorf("got %v, %v, want plate %d", marked, err, plate)
	}
	// In a screen it is not the import's any more.
	b := c.NewBatch()
	screen := b.Container(omero.KindScreen, "holds it", "")
	b.Link(screen, omero.Existing(omero.KindPlate, plate))
	saved, err := c.Save(ctx, b)
	check(t, err)
	own, held, err = c.PlatesOfFilesets(ctx, []int64{res.Fileset})
	if err != nil || len(own) != 0 || !held[res.Fileset] {
		t.Errorf("in a screen: got %v, %v, %v", own, held, err)
	}
	_, err = c.Delete(ctx, map[omero.Kind][]int64{omero.KindScreen: {saved.ID(screen)}}, omero.DeleteOptions{Keep: []string{"Plate"}})
	check(t, err)
	check(t, imp.Abort(ctx))
	if s.store.Get("Plate", plate) != nil || s.store.Get("Fileset", res.Fileset) != nil {
		t.Error("the import was given up, and its plate or fileset is there")
	}
}
