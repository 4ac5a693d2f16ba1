package omeroview

import (
	"cmp"
	"context"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// Bounds of a load of how images were taken.
const (
	settingsRead  = 1000 // images are read at once
	settingsWrite = 100  // images are changed by one call
)

// restorer makes images that an import has just made what the pack says of
// them: it changes what differs, makes what is missing and removes what is left
// over. Each call makes or changes whole images, so nothing hangs in the air
// when one fails.
type restorer struct {
	*finisher
	instruments map[pack.ID]*pack.Instrument // the pack's
	experiments map[pack.ID]*pack.Experiment
	owner       map[pack.ID]pack.ID // the instruments of parts

	imported map[int64]*omero.Instrument // instruments of the images in turn
	purposes map[int64]*omero.Experiment // experiments of these images
	// refs are the instruments, their parts and the experiments of the pack as
	// they are on the server.
	refs map[pack.ID]omero.Ref
	// claimed is what of the import stands for something of the pack.
	claimed map[claim]bool
	// logical is what was said of each logical channel first: channels of
	// several images may share one.
	logical map[int64]pack.Channel
	// spare is what of the import stands for nothing of the pack.
	spare map[omero.Kind][]int64

	b     *omero.Batch
	fresh []pack.ID // whose refs are new in the batch
	// drop are the filter sets that get other filters, those for excitation
	// under true.
	drop map[bool][]int64
}

type claim struct {
	kind omero.Kind
	id   int64
}

// target is an object that is being changed, or a new one of the batch.
type target struct {
	ref  omero.Ref
	edit *omero.Edit // nil for a new one
}

// wanted pairs an image of the pack with the new one.
type wanted struct {
	image *pack.Image
	id    int64
}

// restoreImages gives the new images their names and descriptions, and those
// of packs of ours all else that can be said of them.
func (f *finisher) restoreImages(ctx context.Context) error {
	doc := f.spec.Document
	r := &restorer{finisher: f, instruments: make(map[pack.ID]*pack.Instrument), experiments: make(map[pack.ID]*pack.Experiment),
		owner: make(map[pack.ID]pack.ID), refs: make(map[pack.ID]omero.Ref), claimed: make(map[claim]bool), spare: make(map[omero.Kind][]int64), logical: make(map[int64]pack.Channel)}
	for i := range doc.Instruments {
		r.instruments[doc.Instruments[i].ID] = &doc.Instruments[i]
		r.ownParts(&doc.Instruments[i])
	}
	for i := range doc.Experiments {
		r.experiments[doc.Experiments[i].ID] = &doc.Experiments[i]
	}
	var todo []wanted
	for i := range doc.Images {
		if id, ok := f.spec.Images[doc.Images[i].ID]; ok {
			todo = append(todo, wanted{&doc.Images[i], id})
		}
	}
	slices.SortFunc(todo, func(a, b wanted) int { return cmp.Compare(a.id, b.id) })
	for part := range slices.Chunk(todo, settingsRead) {
		if err := r.images(ctx, part); err != nil {
			return err
		}
	}
	return r.removeSpare(ctx)
}

func (r *restorer) images(ctx context.Context, todo []wanted) error {
	ids := make([]int64, len(todo))
	for i, w := range todo {
		ids[i] = w.id
	}
	var t taken
	var err error
	if t.images, err = r.client.ImageSettings(ctx, ids); err != nil {
		return err
	}
	now := make(map[int64]*omero.ImageSettings, len(t.images))
	for i := range t.images {
		now[t.images[i].ID] = &t.images[i]
	}
	if r.spec.Ours {
		if t.instruments, err = r.client.Instruments(ctx, omero.These(t.instrumentIDs())); err != nil {
			return err
		}
		if err := r.dropPartNotes(ctx, &t, ids); err != nil {
			return err
		}
		var ids []int64
		for i := range t.images {
			ids = append(ids, t.images[i].Experiment)
		}
		experiments, err := r.client.Experiments(ctx, ids)
		if err != nil {
			return err
		}
		r.purposes = make(map[int64]*omero.Experiment, len(experiments))
		for i := range experiments {
			r.purposes[experiments[i].ID] = &experiments[i]
		}
		r.imported = t.instrumentsByID()
	}
	for part := range slices.Chunk(todo, settingsWrite) {
		r.b, r.drop = r.client.NewBatch(), make(map[bool][]int64)
		for _, w := range part {
			if im := now[w.id]; im != nil {
				r.image(w.image, im)
			}
		}
		if err := r.save(ctx); err != nil {
			return err
		}
		if err := r.planes(ctx, part, now); err != nil {
			return err
		}
	}
	return nil
}

// save makes and changes what has been gathered.
func (r *restorer) save(ctx context.Context) error {
	for excitation, ids := range r.drop {
		if err := r.client.DropFilters(ctx, ids, excitation); err != nil {
			return err
		}
	}
	saved, err := r.client.Save(ctx, r.b)
	if err != nil {
		return err
	}
	for _, id := range r.fresh {
		r.refs[id] = saved.Existing(r.refs[id])
		r.at[id] = r.refs[id]
	}
	r.fresh = nil
	return nil
}

// image changes what differs of an image.
func (r *restorer) image(want *pack.Image, now *omero.ImageSettings) {
	e := target{omero.Existing(omero.KindImage, now.ID), r.b.Change(omero.Existing(omero.KindImage, now.ID))}
	next := *now
	if want.Name != "" || r.spec.Ours {
		next.Name = &want.Name
	}
	if now.Description == nil && want.Description != "" || now.Description != nil && *now.Description != want.Description {
		next.Description = nil
		if want.Description != "" {
			next.Description = &want.Description
		}
	}
	if !r.spec.Ours {
		e.edit.Fields(now, next)
		return
	}
	next.Acquired = want.Acquired
	if want.Archived != nil {
		next.Archived = want.Archived
	}
	if want.Partial != nil {
		next.Partial = want.Partial
	}
	e.edit.Fields(now, next)
	r.point(e, "instrument", omero.KindInstrument, now.Instrument, r.instrument(want.Instrument, now.Instrument))
	r.point(e, "experiment", omero.KindExperiment, now.Experiment, r.experiment(want.Experiment, now.Experiment))
	r.imageSettings(e, want, now)
	if want.Pixels != nil && now.Pixels != nil {
		r.pixels(want.Pixels, now.Pixels, now.Instrument)
	}
}

// point makes a member name another object than now, if it does not already,
// and gives up the other one.
func (r *restorer) point(of target, member string, kind omero.Kind, now int64, want omero.Ref) {
	switch {
	case of.edit == nil:
		r.b.Name(of.ref, member, want)
	case want.ID() != now || want.New():
		of.edit.Refer(member, want)
		if now != 0 {
			r.spare[kind] = append(r.spare[kind], now)
		}
	}
}

// hold gives an object the one that it has for itself in a member: the one it
// has is changed, or a new one made; want is nil for none. It returns what
// became of it. What others have too is left to them.
func (r *restorer) hold(of target, member string, kind omero.Kind, nowID int64, now, want any) target {
	own := claim{kind, nowID}
	switch {
	case want == nil:
		if nowID != 0 {
			r.point(of, member, kind, nowID, omero.Ref{})
		}
		return target{}
	case nowID != 0 && !r.claimed[own]:
		r.claimed[own] = true
		ref := omero.Existing(kind, nowID)
		return target{ref, r.b.Change(ref).Fields(now, want)}
	}
	ref := r.b.Object(kind, want, nil)
	if of.edit == nil {
		r.b.Name(of.ref, member, ref)
	} else {
		of.edit.Refer(member, ref)
	}
	return target{ref: ref}
}

func (r *restorer) imageSettings(e target, want *pack.Image, now *omero.ImageSettings) {
	if want.Stage == nil {
		r.holdStage(e, now.Stage, nil)
	} else {
		s := want.Stage
		r.holdStage(e, now.Stage, &omero.Stage{Name: &s.Name, X: toQuantity(s.X), Y: toQuantity(s.Y), Z: toQuantity(s.Z)})
	}
	env := cmp.Or(now.Environment, new(omero.Environment))
	if want.Environment == nil {
		r.hold(e, "imagingEnvironment", omero.KindEnvironment, env.ID, env, nil)
	} else {
		next := omero.Environment{Map: toPairs(want.Environment.Map)}
		copyFields(&next, want.Environment)
		r.hold(e, "imagingEnvironment", omero.KindEnvironment, env.ID, env, &next)
	}
	os := cmp.Or(now.Objective, new(omero.ObjectiveSettings))
	if want.Objective == nil {
		r.hold(e, "objectiveSettings", omero.KindObjectiveSettings, os.ID, os, nil)
		return
	}
	var next omero.ObjectiveSettings
	copyFields(&next, want.Objective)
	t := r.hold(e, "objectiveSettings", omero.KindObjectiveSettings, os.ID, os, &next)
	r.part(t, "objective", os.Objective, want.Objective.Objective, now.Instrument)
}

func (r *restorer) holdStage(e target, now, want *omero.Stage) {
	old := cmp.Or(now, new(omero.Stage))
	if want == nil {
		r.hold(e, "stageLabel", omero.KindStageLabel, old.ID, old, nil)
		return
	}
	r.hold(e, "stageLabel", omero.KindStageLabel, old.ID, old, want)
}

// part makes a member name a part of an instrument of the pack; candidate is
// the instrument that the import made for the image.
func (r *restorer) part(of target, member string, now int64, want pack.ID, candidate int64) {
	ref := r.partRef(want, candidate)
	switch {
	case of.edit == nil:
		r.b.Name(of.ref, member, ref)
	case ref.New() || ref.ID() != now:
		of.edit.Refer(member, ref)
	}
}

func toPairs(list []pack.Pair) (out []omero.Pair) {
	for _, p := range list {
		out = append(out, omero.Pair{Key: p.Key, Value: p.Value})
	}
	return out
}
