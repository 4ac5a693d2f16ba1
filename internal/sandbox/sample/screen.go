package sample

import (
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// screen makes a screen with one plate, whose wells hold reagents, and a plate
// in no screen.
func (s *study) screen() error {
	l := s.ada
	screen, err := l.create("Screen", store.Values{
		"name": "Drug screen", "description": "Two runs on a small plate", "type": "compound",
		"protocolIdentifier": "P-7", "protocolDescription": "Incubated for 24 h", "reagentSetIdentifier": "set 1", "reagentSetDescription": "Two drugs",
	})
	if err != nil {
		return err
	}
	fake := imaging.NamedFile{Name: "plate 7&plates=1&plateRows=2&plateCols=3&fields=2&plateAcqs=2&sizeX=64&sizeY=48&sizeC=2.fake"}
	out, err := l.load(sources(home+"/screen", fake), "loci.formats.in.FakeReader", repository.Settings{TargetClass: "Screen", Target: screen.ID})
	if err != nil {
		return err
	}
	if err := l.rename("Plate", out.Plates[0], "Plate 7"); err != nil {
		return err
	}
	wells := l.t.Store.Collection("Plate", out.Plates[0], "wells")
	if err := s.reagents(screen, wells); err != nil {
		return err
	}
	if err := s.screenNotes(screen, l.t.Store.Get("Plate", out.Plates[0]), wells[0]); err != nil {
		return err
	}

	fake = imaging.NamedFile{Name: "pilot&plates=1&plateRows=1&plateCols=2&fields=1&sizeX=32&sizeY=24.fake"}
	if out, err = l.load(sources(home+"/screen", fake), "loci.formats.in.FakeReader", repository.Settings{}); err != nil {
		return err
	}
	return l.rename("Plate", out.Plates[0], "Pilot plate")
}

// reagents makes two reagents and puts them into wells by turns; the last well
// stays without.
func (s *study) reagents(screen *store.Row, wells []*store.Row) error {
	var made []*store.Row
	for _, v := range []store.Values{
		{"name": "Nocodazole", "reagentIdentifier": "CHEBI:34892", "description": "stops microtubules"},
		{"name": "DMSO", "reagentIdentifier": "CHEBI:28262"},
	} {
		v["screen"] = screen
		r, err := s.ada.create("Reagent", v)
		if err != nil {
			return err
		}
		made = append(made, r)
	}
	for i, w := range wells[:len(wells)-1] {
		if _, err := s.ada.create("WellReagentLink", store.Values{"parent": w, "child": made[i%len(made)]}); err != nil {
			return err
		}
	}
	return nil
}

// screenNotes says something about a screen, a plate, a run and a well.
func (s *study) screenNotes(screen, plate, well *store.Row) error {
	run := s.ada.t.Store.Collection("Plate", plate.ID, "plateAcquisitions")[0]
	for _, a := range []struct {
		on    string
		row   *store.Row
		kind  string
		value store.Values
	}{
		{"Screen", screen, "MapAnnotation", store.Values{"ns": nsMap, "mapValue": []store.NamedValue{{Name: "library", Value: "small"}}}},
		{"Plate", plate, "CommentAnnotation", store.Values{"textValue": "Dried out at the edge."}},
		{"PlateAcquisition", run, "CommentAnnotation", store.Values{"textValue": "The lamp was new."}},
		{"Well", well, "MapAnnotation", store.Values{"ns": nsMap, "mapValue": []store.NamedValue{{Name: "concentration", Value: "5 µM"}}}},
	} {
		if _, err := s.ada.annotate(a.on, a.row, a.kind, a.value); err != nil {
			return err
		}
	}
	return nil
}
