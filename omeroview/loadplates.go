package omeroview

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// livePlate is a plate that the import of a load's files has made.
type livePlate struct {
	omero.Plate
	runs   []omero.Run
	wells  []omero.Well
	fields map[int64][]omero.Field // by well
	taken  bool                    // it has become a plate of the pack
}

// plateIDs are the new ids of what plates consist of.
type plateIDs struct {
	plates, runs, wells map[pack.ID]int64
}

// bringPlates sees to it that there is a plate for each of the pack and none
// besides. A plate that the import has made with the same wells, images and
// runs becomes that of the pack: whatever else of it differs is changed. Where
// there is none, or one of another layout, as when somebody has put images into
// wells by a script, the plate is built anew: a server takes the fields of a
// well only together with it. New ids rise as those in the pack do.
//
// None of it shows before the commit: imported plates are hidden for the marks
// of their images, built ones for their own.
func (f *finisher) bringPlates(ctx context.Context) error {
	f.parts = plateIDs{map[pack.ID]int64{}, map[pack.ID]int64{}, map[pack.ID]int64{}}
	live, err := f.livePlates(ctx)
	if err != nil {
		return err
	}
	plates := f.spec.Document.Plates
	became := make([]*livePlate, len(plates))
	last := int64(0)
	for i := range plates {
		l := f.candidate(&plates[i], live)
		if l == nil || f.spec.Ours && (l.ID < last || !f.sameLayout(&plates[i], l)) {
			last = 1<<63 - 1
			continue
		}
		became[i], l.taken, last = l, true, max(last, l.ID)
	}
	if err := f.dropPlates(ctx, live); err != nil {
		return err
	}
	if err := f.adopt(ctx, became); err != nil {
		return err
	}
	for i, l := range became {
		if l == nil {
			if err := f.build(ctx, &plates[i]); err != nil {
				return err
			}
		}
	}
	for kind, ids := range map[omero.Kind]map[pack.ID]int64{omero.KindPlate: f.parts.plates, omero.KindRun: f.parts.runs, omero.KindWell: f.parts.wells} {
		for id, n := range ids {
			f.at[id] = omero.Existing(kind, n)
		}
	}
	return nil
}

// livePlates finds the plates that the new images are in, by their images.
func (f *finisher) livePlates(ctx context.Context) (map[int64]*livePlate, error) {
	ids, err := f.client.PlatesWith(ctx, f.images())
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	plates, err := f.client.Plates(ctx, ids)
	if err != nil {
		return nil, err
	}
	runs, err := f.client.RunsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	wells, err := f.client.WellsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	fields, err := f.client.FieldsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID, byImage := map[int64]*livePlate{}, map[int64]*livePlate{}
	for _, p := range plates {
		byID[p.ID] = &livePlate{Plate: p, fields: map[int64][]omero.Field{}}
	}
	for _, r := range runs {
		byID[r.Plate].runs = append(byID[r.Plate].runs, r)
	}
	for _, w := range wells {
		byID[w.Plate].wells = append(byID[w.Plate].wells, w)
	}
	for _, s := range fields {
		p := byID[s.Plate]
		p.fields[s.Well] = append(p.fields[s.Well], s)
		byImage[s.Image] = p
	}
	return byImage, nil
}

// candidate is the plate that the first image of a pack's plate is in, nil when
// there is none or another plate of the pack has it.
func (f *finisher) candidate(p *pack.Plate, byImage map[int64]*livePlate) *livePlate {
	for i := range p.Wells {
		if samples := f.samples(&p.Wells[i]); len(samples) > 0 {
			l := byImage[f.spec.Images[samples[0].Image]]
			if l == nil || l.taken {
				return nil
			}
			return l
		}
	}
	return nil
}

// samples are the fields of a well whose images have been loaded.
func (f *finisher) samples(w *pack.Well) []*pack.WellSample {
	var list []*pack.WellSample
	for i := range w.Samples {
		if f.spec.Images[w.Samples[i].Image] != 0 {
			list = append(list, &w.Samples[i])
		}
	}
	return list
}

// byPlace lists the wells of a plate by row and column.
func byPlace(p *pack.Plate) []*pack.Well {
	list := make([]*pack.Well, len(p.Wells))
	for i := range p.Wells {
		list[i] = &p.Wells[i]
	}
	slices.SortStableFunc(list, func(a, b *pack.Well) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column))
	})
	return list
}

// runNumbers says in which run a field was taken, from 1.
func runNumbers(p *pack.Plate) map[pack.ID]int {
	number := map[pack.ID]int{}
	for i := range p.Runs {
		for _, id := range p.Runs[i].Samples {
			number[id] = i + 1
		}
	}
	return number
}

// sameLayout says whether a plate has the wells of a pack's plate, with the
// same images in the same order, taken in the same runs.
func (f *finisher) sameLayout(p *pack.Plate, l *livePlate) bool {
	if len(p.Runs) != len(l.runs) || len(p.Wells) != len(l.wells) {
		return false
	}
	number, has := runNumbers(p), map[int64]int{}
	for i, r := range l.runs {
		has[r.ID] = i + 1
	}
	for i, w := range byPlace(p) {
		lw := l.wells[i]
		samples, fields := f.samples(w), l.fields[lw.ID]
		if w.Row != lw.Row || w.Column != lw.Column || len(samples) != len(fields) {
			return false
		}
		for k, s := range samples {
			if f.spec.Images[s.Image] != fields[k].Image || number[s.ID] != has[fields[k].Run] {
				return false
			}
		}
	}
	return true
}

// dropPlates removes the plates that are not to be, without their images.
func (f *finisher) dropPlates(ctx context.Context, byImage map[int64]*livePlate) error {
	var ids []int64
	for _, l := range byImage {
		if !l.taken {
			ids = append(ids, l.ID)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		_, err := f.client.Delete(ctx, map[omero.Kind][]int64{omero.KindPlate: {id}}, omero.DeleteOptions{Keep: []string{"Image"}})
		if err != nil {
			return err
		}
	}
	return nil
}

// adopt makes imported plates what the pack says.
func (f *finisher) adopt(ctx context.Context, became []*livePlate) error {
	var plates []omero.Plate
	var runs []omero.Run
	var wells []omero.Well
	var fields []omero.Field
	for i, l := range became {
		if l == nil {
			continue
		}
		p := &f.spec.Document.Plates[i]
		f.parts.plates[p.ID] = l.ID
		plates = differing(plates, f.plateOf(p, l.Plate), l.Plate)
		if !f.spec.Ours {
			f.adoptWells(p, l)
			continue
		}
		for k := range p.Runs {
			f.parts.runs[p.Runs[k].ID] = l.runs[k].ID
			runs = differing(runs, runOf(&p.Runs[k], l.runs[k]), l.runs[k])
		}
		for k, w := range byPlace(p) {
			f.parts.wells[w.ID] = l.wells[k].ID
			wells = differing(wells, wellOf(w, l.wells[k]), l.wells[k])
			for n, s := range f.samples(w) {
				have := l.fields[l.wells[k].ID][n]
				fields = differing(fields, fieldOf(s, have), have)
			}
		}
	}
	if err := f.dropPlateNotes(ctx, became); err != nil {
		return err
	}
	if err := f.client.ChangePlates(ctx, plates); err != nil {
		return err
	}
	if err := f.client.ChangeRuns(ctx, runs); err != nil {
		return err
	}
	if err := f.client.ChangeWells(ctx, wells); err != nil {
		return err
	}
	return f.client.ChangeFields(ctx, fields)
}

// adoptWells finds the wells that a pack of others speaks of by their places.
func (f *finisher) adoptWells(p *pack.Plate, l *livePlate) {
	at := map[[2]int]int64{}
	for _, w := range l.wells {
		at[[2]int{w.Row, w.Column}] = w.ID
	}
	for i := range p.Wells {
		if id := at[[2]int{p.Wells[i].Row, p.Wells[i].Column}]; id != 0 {
			f.parts.wells[p.Wells[i].ID] = id
		}
	}
}

// differing adds what is to be unless that is so.
func differing[T any](list []T, want, have T) []T {
	if reflect.DeepEqual(want, have) {
		return list
	}
	return append(list, want)
}

// dropPlateNotes removes what the import itself has put on the plates, their
// runs and wells: the pack has their annotations as they were in OMERO.
func (f *finisher) dropPlateNotes(ctx context.Context, became []*livePlate) error {
	if !f.spec.Ours {
		return nil
	}
	ids := map[omero.Kind][]int64{}
	for _, l := range became {
		if l == nil {
			continue
		}
		ids[omero.KindPlate] = append(ids[omero.KindPlate], l.ID)
		for _, r := range l.runs {
			ids[omero.KindRun] = append(ids[omero.KindRun], r.ID)
		}
		for _, w := range l.wells {
			ids[omero.KindWell] = append(ids[omero.KindWell], w.ID)
		}
	}
	for kind, list := range ids {
		if err := f.dropNotes(ctx, kind, list); err != nil {
			return err
		}
	}
	return nil
}
