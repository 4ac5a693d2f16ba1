package omeroview

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/sandbox/store"
)

// allAccess is the policy of a server that gives everything away.
const allAccess = "+read,+write,+image,+plate"

// rich is a screen in which everything is set that OMERO has a place for.
type rich struct {
	*world
	screen, plate, run, well, field, reagent, foreign, image int64
}

func (w *world) actor() store.Actor {
	return store.Actor{User: w.c.Who().User, Group: w.c.Who().Group}
}

// write changes the server's store behind the client, as ada.
func (w *world) write(fn func(a *store.Author) error) {
	w.t.Helper()
	w.check(w.store.Write(w.actor(), fn))
	w.v.Invalidate()
}

// set changes properties of an object.
func (w *world) set(class string, id int64, v store.Values) {
	w.t.Helper()
	w.write(func(a *store.Author) error {
		row := a.Tx().Get(a.Tx().Model().Class(class), id).Clone()
		if err := a.Tx().Fill(row, v); err != nil {
			return err
		}
		a.Update(row)
		return nil
	})
}

// create makes an object.
func (w *world) create(class string, v store.Values) (id int64) {
	w.t.Helper()
	w.write(func(a *store.Author) error {
		row, err := a.Create(class, v)
		if err == nil {
			id = row.ID
		}
		return err
	})
	return id
}

// attach makes a file annotation on an object.
func (w *world) attach(class string, parent int64, name string) (id int64) {
	w.t.Helper()
	file, err := w.files.AddFile(w.actor(), name, "./", "text/plain", []byte("about a "+class))
	w.check(err)
	id = w.create("FileAnnotation", store.Values{"file": file})
	w.create(class+"AnnotationLink", store.Values{"parent": parent, "child": id})
	return id
}

func newRich(t *testing.T) *rich {
	r := &rich{world: policyWorld(t, allAccess)}
	r.screen, r.plate = r.object(screenPath), r.object(platePath)
	length := func(v float64, unit string) store.Quantity {
		return store.Quantity{Value: v, Unit: r.store.Model().Class("Plate").Property("wellOriginX").Enum.Values[unit]}
	}
	r.set("Plate", r.plate, store.Values{"description": "P <1>", "status": "done", "externalIdentifier": "BC-7", "rowNamingConvention": "number",
		"columnNamingConvention": "roman", "wellOriginX": length(1.5, "MILLIMETER"), "wellOriginY": length(-2, "REFERENCEFRAME"), "defaultSample": 1, "columns": nil})
	r.run = r.store.Collection("Plate", r.plate, "plateAcquisitions")[1].ID
	r.set("PlateAcquisition", r.run, store.Values{"name": "second", "description": "again", "startTime": time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC),
		"endTime": time.Date(2024, 5, 1, 9, 0, 0, 1e6, time.UTC), "maximumFieldCount": 0})
	r.well = r.store.Collection("Plate", r.plate, "wells")[5].ID // has no reagent
	r.set("Well", r.well, store.Values{"type": "control", "status": "empty?", "externalIdentifier": "W", "externalDescription": "a well",
		"red": 1, "green": 2, "blue": 3, "alpha": 4})
	field := r.store.Collection("Well", r.well, "wellSamples")[0]
	r.field, r.image = field.ID, field.Ref("image")
	r.set("WellSample", r.field, store.Values{"posX": length(12.5, "MICROMETER"), "posY": length(-3, "REFERENCEFRAME"),
		"timepoint": time.Date(2024, 5, 1, 8, 30, 0, 0, time.UTC)})
	r.reagent = r.store.Collection("Screen", r.screen, "reagents")[0].ID
	other := r.create("Screen", store.Values{"name": "Another screen"})
	r.foreign = r.create("Reagent", store.Values{"screen": other, "name": "of another", "reagentIdentifier": "X", "description": "d"})
	for _, id := range []int64{r.foreign, r.reagent} {
		r.create("WellReagentLink", store.Values{"parent": r.well, "child": id})
	}
	for class, id := range map[string]int64{"Screen": r.screen, "Plate": r.plate, "PlateAcquisition": r.run, "Well": r.well, "Image": r.image} {
		r.attach(class, id, "about "+class+".txt")
	}
	r.attach("Reagent", r.reagent, "reagent.txt")
	r.attach("Reagent", r.foreign, "foreign.txt")
	tag := r.create("TagAnnotation", store.Values{"textValue": "hit"})
	r.create("WellAnnotationLink", store.Values{"parent": r.well, "child": tag})
	return r
}

func TestDocumentOfAScreen(t *testing.T) {
	r := newRich(t)
	for _, path := range []string{screenPath, platePath} {
		doc, m := r.decode(path)
		if problems := pack.Problems(doc); len(problems) > 0 {
			t.Errorf("readers would stumble over %s: %q", path, problems)
		}
		r.plateIsTold(doc)
		whole := path == screenPath
		if whole != (len(doc.Screens) == 1) {
			t.Fatalf("%s: %d screens", path, len(doc.Screens))
		}
		var outside, inside []pack.ID
		for _, x := range doc.Reagents {
			outside = append(outside, x.ID)
			if x.Details.Owner != pack.NewID(pack.KindUser, r.c.Who().User) {
				t.Errorf("a reagent belongs to %q", x.Details.Owner)
			}
		}
		if whole {
			for _, x := range doc.Screens[0].Reagents {
				inside = append(inside, x.ID)
			}
			want := pack.Screen{ID: pack.NewID(pack.KindScreen, r.screen), Name: "Drug screen", Description: "Two runs on a small plate", Type: "compound",
				ProtocolIdentifier: "P-7", ProtocolDescription: "Incubated for 24 h", ReagentSetIdentifier: "set 1", ReagentSetDescription: "Two drugs"}
			got := doc.Screens[0]
			if got.ID != want.ID || got.Name != want.Name || got.Description != want.Description || got.Type != want.Type || got.ProtocolIdentifier != want.ProtocolIdentifier ||
				got.ProtocolDescription != want.ProtocolDescription || got.ReagentSetIdentifier != want.ReagentSetIdentifier || got.ReagentSetDescription != want.ReagentSetDescription {
				t.Errorf("screen: got %+v", got)
			}
		}
		foreign := pack.NewID(pack.KindReagent, r.foreign)
		if len(inside) > 0 && !slices.Equal(outside, []pack.ID{foreign}) || slices.Contains(inside, foreign) || len(inside)+len(outside) != 3 {
			t.Errorf("%s: reagents %q in the screen, %q outside", path, inside, outside)
		}
		r.annotationsAreTold(doc, whole)
		r.manifestIsTheFolder(path, m)
	}
}

// plateIsTold compares the plate in a document with what was set.
func (r *rich) plateIsTold(doc *pack.Document) {
	t := r.t
	t.Helper()
	p := doc.Plates[0]
	if p.Description != "P <1>" || p.Status != "done" || p.ExternalIdentifier != "BC-7" || p.RowNaming != "number" || p.ColumnNaming != "roman" ||
		*p.OriginX != (pack.Quantity{Value: 1.5, Unit: "mm"}) || *p.OriginY != (pack.Quantity{Value: -2, Unit: pack.ReferenceFrame}) ||
		*p.DefaultField != 1 || *p.Rows != 2 || p.Columns != nil || len(p.Wells) != 6 || len(p.Runs) != 2 {
		t.Errorf("plate: got %+v", p)
	}
	run := p.Runs[1]
	if run.Name != "second" || run.Description != "again" || run.Start.Hour() != 8 || run.End.Nanosecond() != 1e6 || *run.MaximumFields != 0 || len(run.Samples) != 12 ||
		run.Details.Created.IsZero() {
		t.Errorf("run: got %+v", run)
	}
	w := p.Wells[5]
	if w.ID != pack.NewID(pack.KindWell, r.well) || w.Row != 1 || w.Column != 2 || w.Type != "control" || w.Status != "empty?" || w.ExternalIdentifier != "W" ||
		w.ExternalDescription != "a well" || *w.Color != 0x01020304 || w.Details.Owner == "" ||
		!slices.Equal(w.Reagents, []pack.ID{pack.NewID(pack.KindReagent, r.foreign), pack.NewID(pack.KindReagent, r.reagent)}) {
		t.Errorf("well: got %+v", w)
	}
	s := w.Samples[0]
	if s.ID != pack.NewID(pack.KindWellSample, r.field) || s.Image != pack.NewID(pack.KindImage, r.image) || *s.X != (pack.Quantity{Value: 12.5, Unit: pack.Micrometer}) ||
		*s.Y != (pack.Quantity{Value: -3, Unit: pack.ReferenceFrame}) || s.Timepoint.Minute() != 30 {
		t.Errorf("field: got %+v", s)
	}
	// Each field is in the run that the server says.
	taken := make(map[pack.ID]pack.ID)
	for _, run := range p.Runs {
		for _, s := range run.Samples {
			taken[s] = run.ID
		}
	}
	fields := 0
	for _, w := range p.Wells {
		id, _ := w.ID.Number()
		for i, row := range r.store.Collection("Well", id, "wellSamples") {
			fields++
			if w.Samples[i].ID != pack.NewID(pack.KindWellSample, row.ID) || taken[w.Samples[i].ID] != pack.NewID(pack.KindRun, row.Ref("plateAcquisition")) {
				t.Errorf("field %d of %s: got %+v in %s", i, w.ID, w.Samples[i], taken[w.Samples[i].ID])
			}
		}
	}
	if fields != 24 || len(doc.Images) != 24 || len(doc.Filesets) != 1 {
		t.Errorf("%d fields, %d images, %d filesets", fields, len(doc.Images), len(doc.Filesets))
	}
}

// annotationsAreTold checks that the links of every kind of object are there.
func (r *rich) annotationsAreTold(doc *pack.Document, whole bool) {
	r.t.Helper()
	count := make(map[string]int)
	for _, l := range doc.Links {
		count[l.From.Kind()]++
	}
	for kind, want := range map[string]int{pack.KindPlate: 2, pack.KindRun: 2, pack.KindWell: 3, pack.KindReagent: 2, pack.KindImage: 1} {
		if count[kind] != want {
			r.t.Errorf("%d annotations of %ss, want %d", count[kind], kind, want)
		}
	}
	if whole && count[pack.KindScreen] != 2 || !whole && count[pack.KindScreen] != 0 {
		r.t.Errorf("%d annotations of screens", count[pack.KindScreen])
	}
}

// A fileset that holds two plates is stored once in the pack of a screen; the
// pack of one plate lists all its images.
func TestFilesetOfTwoPlates(t *testing.T) {
	w := policyWorld(t, allAccess)
	im, err := w.c.BeginImport(w.lab(), omero.ImportSpec{ClientPaths: []string{"two&plates=2&plateRows=1&plateCols=2&fields=2.fake"},
		Target: omero.Existing(omero.KindScreen, w.object(screenPath))})
	w.check(err)
	_, _, err = im.Upload(w.lab(), 0, bytes.NewReader(nil))
	w.check(err)
	made, err := im.Finish(w.lab(), nil)
	w.check(err)
	w.v.Invalidate()
	doc, m := w.decode(screenPath)
	if len(doc.Plates) != 3 || len(doc.Filesets) != 2 {
		t.Fatalf("%d plates, %d filesets", len(doc.Plates), len(doc.Filesets))
	}
	var paths, same []string
	for _, f := range m.Files {
		if f.Fileset == pack.NewID(pack.KindFileset, made.Fileset) {
			paths, same = append(paths, f.Path), append(same, f.SameAs)
		}
	}
	if len(paths) != 2 || same[0] != "" || same[1] != paths[0] {
		t.Errorf("got %q, the same as %q", paths, same)
	}
	if problems := pack.Problems(doc); len(problems) > 0 {
		t.Errorf("readers would stumble: %q", problems)
	}
	for _, p := range doc.Plates[1:] {
		one, m := w.decode(screenPath + "/" + p.Name)
		fields := 0
		for _, well := range one.Plates[0].Wells {
			fields += len(well.Samples)
		}
		if len(one.Plates) != 1 || fields != 4 || len(one.Images) != 8 || len(one.Filesets) != 1 || len(one.Filesets[0].Images) != 8 {
			t.Errorf("%s: %d fields, %d images, filesets %+v", p.Name, fields, len(one.Images), one.Filesets)
		}
		w.manifestIsTheFolder(screenPath+"/"+p.Name, m)
	}
	w.manifestIsTheFolder(screenPath, m)
}

// A plate in two screens is shown in both, and in none as one of its own.
func TestPlateInTwoScreens(t *testing.T) {
	w := policyWorld(t, allAccess)
	second := w.create("Screen", store.Values{"name": "Second"})
	w.create("ScreenPlateLink", store.Values{"parent": second, "child": w.object(platePath)})
	w.create("ScreenPlateLink", store.Values{"parent": second, "child": w.object(home + "/plates/Pilot plate")})
	if got := w.names(home + "/screens/Second"); !slices.Equal(got, []string{transferName, sumsName, readmeName, thumbnailsName, "Plate 7", "Pilot plate"}) {
		t.Errorf("got %q", got)
	}
	if got := w.names(home + "/plates"); len(got) != 0 {
		t.Errorf("plates in no screen: got %q", got)
	}
	doc, _ := w.decode(home + "/screens/Second")
	if len(doc.Plates) != 2 || len(doc.Screens[0].Reagents) != 0 || len(doc.Reagents) != 2 || doc.Reagents[0].Screen != pack.NewID(pack.KindScreen, w.object(screenPath)) {
		t.Errorf("%d plates, reagents %+v and %+v", len(doc.Plates), doc.Screens[0].Reagents, doc.Reagents)
	}
}

// Saves of screens and plates are recorded in OMERO without changing the pack.
func TestSavesOfPlatesAreRecorded(t *testing.T) {
	w := policyWorld(t, allAccess)
	for path, kind := range map[string]omero.Kind{screenPath: omero.KindScreen, platePath: omero.KindPlate} {
		before := w.read(path + "/" + transferName)
		w.check(w.v.AnnotateSave(context.Background(), kind, w.object(path), w.c.Who().Group, "irods://x/P", []omero.Pair{{Key: "state", Value: "finished"}}))
		w.v.Invalidate()
		if !bytes.Equal(w.read(path+"/"+transferName), before) {
			t.Errorf("the record of a save changed %s", path)
		}
		links, err := w.c.AnnotationLinks(t.Context(), kind, []int64{w.object(path)})
		w.check(err)
		if len(links) != 2 {
			t.Errorf("%s: %d annotations, want that of the study and the record", path, len(links))
		}
	}
}
