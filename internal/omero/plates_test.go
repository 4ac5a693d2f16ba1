package omero_test

import (
	"errors"
	"slices"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// screenOf finds the sample screen with its plate.
func screenOf(t *testing.T, c *omero.Client) (omero.Screen, omero.Plate) {
	t.Helper()
	list, err := c.Containers(t.Context(), omero.KindScreen, group(t, c, sample.LabGroup).ID, c.Who().User)
	check(t, err)
	screens, err := c.Screens(t.Context(), []int64{byName(t, list, "Drug screen").ID})
	check(t, err)
	plates, links, err := c.PlatesOf(t.Context(), []int64{screens[0].ID})
	check(t, err)
	if len(plates) != 1 || len(links) != 1 || links[0].Parent != screens[0].ID || links[0].ID != plates[0].ID {
		t.Fatalf("got plates %+v, links %+v", plates, links)
	}
	return screens[0], plates[0]
}

func TestScreensAndPlates(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := t.Context()
	lab := group(t, c, sample.LabGroup)
	screen, plate := screenOf(t, c)
	if screen.Type != "compound" || screen.ProtocolIdentifier != "P-7" || screen.ProtocolDescription != "Incubated for 24 h" ||
		screen.ReagentSetIdentifier != "set 1" || screen.ReagentSetDescription != "Two drugs" || screen.Owner != c.Who().User {
		t.Errorf("screen: got %+v", screen)
	}
	if plate.Name != "Plate 7" || *plate.Rows != 2 || *plate.Columns != 3 || plate.RowNaming != "letter" || plate.ColumnNaming != "number" || plate.Group != lab.ID {
		t.Errorf("plate: got %+v", plate)
	}
	orphans, err := c.OrphanPlates(ctx, lab.ID, c.Who().User)
	check(t, err)
	if len(orphans) != 1 || orphans[0].Name != "Pilot plate" {
		t.Errorf("plates in no screen: got %+v", orphans)
	}
	if got, err := c.Plates(ctx, []int64{plate.ID, orphans[0].ID, 1 << 40}); err != nil || len(got) != 2 {
		t.Errorf("by id: got %+v, %v", got, err)
	}

	runs, err := c.RunsOf(ctx, []int64{plate.ID, orphans[0].ID})
	check(t, err)
	if len(runs) != 2 || runs[0].Plate != plate.ID || *runs[0].MaximumFields != 2 || runs[0].Name == runs[1].Name {
		t.Errorf("runs: got %+v", runs)
	}
	wells, err := c.WellsOf(ctx, []int64{plate.ID})
	check(t, err)
	var names []string
	for _, w := range wells {
		names = append(names, plate.WellName(w.Row, w.Column))
	}
	if !slices.Equal(names, []string{"A1", "A2", "A3", "B1", "B2", "B3"}) {
		t.Errorf("wells: got %v", names)
	}
	reagents, err := c.ReagentsOf(ctx, []int64{screen.ID})
	check(t, err)
	if len(reagents) != 2 || reagents[0].Name != "Nocodazole" || reagents[0].Identifier != "CHEBI:34892" || reagents[0].Screen != screen.ID {
		t.Errorf("reagents: got %+v", reagents)
	}
	in, err := c.ReagentsInWells(ctx, []int64{plate.ID})
	check(t, err)
	if len(in) != 5 || in[0].Parent != wells[0].ID || in[0].ID != reagents[0].ID || in[4].Parent != wells[4].ID {
		t.Errorf("reagents in wells: got %+v", in)
	}
}

// The fields are those that the server has, in the order of the wells.
func TestFieldsOfPlates(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	_, plate := screenOf(t, c)
	orphans, err := c.OrphanPlates(t.Context(), plate.Group, plate.Owner)
	check(t, err)
	fields, err := c.FieldsOf(t.Context(), []int64{plate.ID, orphans[0].ID})
	check(t, err)
	var want []omero.Field
	for _, p := range []int64{plate.ID, orphans[0].ID} {
		wells := s.store.Collection("Plate", p, "wells")
		slices.SortFunc(wells, func(a, b *store.Row) int {
			return int(a.Get("row").(int32)-b.Get("row").(int32))*1000 + int(a.Get("column").(int32)-b.Get("column").(int32))
		})
		for _, w := range wells {
			for n, ws := range s.store.Collection("Well", w.ID, "wellSamples") {
				im := s.store.Get("Image", ws.Ref("image"))
				run := ws.Ref("plateAcquisition")
				if run == store.None {
					run = 0
				}
				want = append(want, omero.Field{ID: ws.ID, Plate: p, Well: w.ID, Run: run, Index: n, Image: im.ID, ImageName: im.Text("name"), Fileset: im.Ref("fileset")})
			}
		}
	}
	if len(want) != 2*3*2*2+2 || !slices.Equal(fields, want) {
		t.Errorf("got  %+v\nwant %+v", fields, want)
	}
}

func TestWellNames(t *testing.T) {
	for _, tt := range []struct {
		rows, columns string
		row, column   int
		want          string
	}{
		{"", "", 0, 0, "A1"}, {"letter", "number", 7, 11, "H12"}, {"letter", "number", 25, 0, "Z1"}, {"letter", "number", 26, 0, "AA1"},
		{"letter", "number", 31, 47, "AF48"}, {"letter", "number", 702, 0, "AAA1"}, {"number", "letter", 1, 2, "2C"},
	} {
		p := omero.Plate{RowNaming: tt.rows, ColumnNaming: tt.columns}
		if got := p.WellName(tt.row, tt.column); got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
	}
}

func TestMakingAScreen(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	_, plate := screenOf(t, c)
	orphans, err := c.OrphanPlates(ctx, plate.Group, plate.Owner)
	check(t, err)
	wells, err := c.WellsOf(ctx, []int64{orphans[0].ID})
	check(t, err)
	want := omero.Screen{Container: omero.Container{Kind: omero.KindScreen, Name: "made", Description: "d"}, Type: "t", ProtocolIdentifier: "pi",
		ProtocolDescription: "pd", ReagentSetIdentifier: "ri", ReagentSetDescription: "rd"}
	b := c.NewBatch()
	sr := b.Screen(want)
	link := b.Link(sr, omero.Existing(omero.KindPlate, orphans[0].ID))
	rr := b.Reagent(sr, omero.Reagent{Name: "water", Identifier: "W", Description: "wet"})
	b.Link(omero.Existing(omero.KindWell, wells[0].ID), rr)
	saved, err := c.Save(ctx, b)
	check(t, err)
	got, err := c.Screens(ctx, []int64{saved.ID(sr)})
	check(t, err)
	want.ID, want.Meta = saved.ID(sr), got[0].Meta
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	reagents, err := c.ReagentsOf(ctx, []int64{want.ID})
	check(t, err)
	if r := reagents[0]; r.Name != "water" || r.Identifier != "W" || r.Description != "wet" {
		t.Errorf("got %+v", r)
	}
	in, err := c.ReagentsInWells(ctx, []int64{orphans[0].ID})
	check(t, err)
	if len(in) != 1 || in[0].Parent != wells[0].ID || in[0].ID != saved.ID(rr) {
		t.Errorf("got %+v", in)
	}
	if left, err := c.OrphanPlates(ctx, plate.Group, plate.Owner); err != nil || len(left) != 0 {
		t.Errorf("still in no screen: %+v, %v", left, err)
	}
	// The same link again, by the same user, is refused as what it is.
	b = c.NewBatch()
	b.Link(omero.Existing(omero.KindScreen, want.ID), omero.Existing(omero.KindPlate, orphans[0].ID))
	if _, err := c.Save(ctx, b); !errors.Is(err, omero.Exists) {
		t.Errorf("linked twice: got %v", err)
	}
	b = c.NewBatch()
	b.Reagent(omero.Existing(omero.KindPlate, plate.ID), omero.Reagent{})
	if _, err := c.Save(ctx, b); !errors.Is(err, omero.Invalid) {
		t.Errorf("a reagent of a plate: got %v", err)
	}
	// Back as it was, for the other tests.
	_, err = c.Delete(ctx, map[omero.Kind][]int64{"ScreenPlateLink": {saved.ID(link)}}, omero.DeleteOptions{})
	check(t, err)
	_, err = c.Delete(ctx, map[omero.Kind][]int64{omero.KindScreen: {want.ID}}, omero.DeleteOptions{})
	check(t, err)
}

// Everything that takes annotations takes them, and says so afterwards.
func TestAnnotationsOnEverything(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	screen, plate := screenOf(t, c)
	runs, err := c.RunsOf(ctx, []int64{plate.ID})
	check(t, err)
	wells, err := c.WellsOf(ctx, []int64{plate.ID})
	check(t, err)
	reagents, err := c.ReagentsOf(ctx, []int64{screen.ID})
	check(t, err)
	kidney := project(t, c, "Kidney")
	d, images := dataset(t, c, kidney.ID, "Confocal")
	sets, err := c.Filesets(ctx, []int64{images[0].Fileset})
	check(t, err)
	pixels, err := c.PixelsOf(ctx, []int64{images[0].ID})
	check(t, err)
	rois, err := c.ROIs(ctx, []int64{images[0].ID})
	check(t, err)
	note, err := c.Annotate(ctx, omero.Existing(omero.KindProject, kidney.ID), omero.Annotation{Kind: omero.CommentAnnotation, Text: "x"})
	check(t, err)
	for kind, id := range map[omero.Kind]int64{
		omero.KindProject: kidney.ID, omero.KindDataset: d.ID, omero.KindScreen: screen.ID, omero.KindPlate: plate.ID, omero.KindWell: wells[1].ID,
		omero.KindRun: runs[1].ID, omero.KindReagent: reagents[0].ID, omero.KindImage: images[0].ID, omero.KindFileset: sets[0].ID,
		omero.KindOriginalFile: sets[0].Entries[0].File.ID, omero.KindROI: rois[0].ID, omero.KindShape: rois[0].Shapes[0].ID,
		omero.KindChannel: pixels[0].Channels[0].ID, omero.KindUser: c.Who().User, omero.KindGroup: c.Who().Group, omero.KindAnnotation: note,
	} {
		object := omero.Existing(kind, id)
		switch kind {
		case omero.KindShape: // a reference names the class that the object has
			object = omero.Existing(omero.Kind(rois[0].Shapes[0].Kind), id)
		case omero.KindAnnotation:
			object = omero.Existing(omero.Kind(omero.CommentAnnotation), id)
		}
		made, err := c.Annotate(ctx, object, omero.Annotation{Kind: omero.CommentAnnotation, Text: string(kind)})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		links, err := c.AnnotationLinks(ctx, kind, []int64{id})
		check(t, err)
		i := slices.IndexFunc(links, func(l omero.AnnotationLink) bool { return l.Annotation == made })
		if i < 0 || links[i].Parent != id || links[i].Kind != kind || links[i].Owner != c.Who().User {
			t.Errorf("%s: got %+v", kind, links)
			continue
		}
		row := s.store.Get(string(kind)+"AnnotationLink", links[i].ID)
		if row == nil || row.Ref("parent") != id || row.Ref("child") != made {
			t.Errorf("%s: the server has %+v", kind, row)
		}
	}
}
