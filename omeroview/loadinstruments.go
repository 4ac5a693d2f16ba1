package omeroview

import (
	"cmp"
	"context"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// ownParts notes which instrument has which part.
func (r *restorer) ownParts(in *pack.Instrument) {
	for i := range in.Objectives {
		r.owner[in.Objectives[i].ID] = in.ID
	}
	for i := range in.Detectors {
		r.owner[in.Detectors[i].ID] = in.ID
	}
	for i := range in.LightSources {
		r.owner[in.LightSources[i].ID] = in.ID
	}
	for i := range in.Filters {
		r.owner[in.Filters[i].ID] = in.ID
	}
	for i := range in.Dichroics {
		r.owner[in.Dichroics[i].ID] = in.ID
	}
	for i := range in.FilterSets {
		r.owner[in.FilterSets[i].ID] = in.ID
	}
	for i := range in.OTFs {
		r.owner[in.OTFs[i].ID] = in.ID
	}
}

// partRef finds a part of an instrument of the pack, whose instrument is
// restored first unless that has been done.
func (r *restorer) partRef(id pack.ID, candidate int64) omero.Ref {
	if id == "" {
		return omero.Ref{}
	}
	if _, ok := r.refs[id]; !ok {
		r.instrument(r.owner[id], candidate)
	}
	return r.refs[id]
}

// note keeps what stands for something of the pack.
func (r *restorer) note(id pack.ID, ref omero.Ref) omero.Ref {
	r.refs[id] = ref
	if ref.New() {
		r.fresh = append(r.fresh, id)
	} else {
		r.at[id] = ref
	}
	return ref
}

// instrument restores an instrument: the one that the import made for an image
// of it becomes what the pack says, unless it stands for another one already.
func (r *restorer) instrument(id pack.ID, candidate int64) omero.Ref {
	in := r.instruments[id]
	if in == nil {
		return omero.Ref{}
	}
	if ref, ok := r.refs[id]; ok {
		return ref
	}
	now := r.imported[candidate]
	own := claim{omero.KindInstrument, candidate}
	var t target
	if now == nil || r.claimed[own] {
		now = new(omero.Instrument)
		t = target{ref: r.note(id, r.b.Object(omero.KindInstrument, nil, nil))}
	} else {
		r.claimed[own] = true
		ref := r.note(id, omero.Existing(omero.KindInstrument, candidate))
		t = target{ref, r.b.Change(ref)}
	}
	stand := cmp.Or(now.Microscope, new(omero.Microscope))
	if in.Microscope == nil {
		r.hold(t, "microscope", omero.KindMicroscope, stand.ID, stand, nil)
	} else {
		var next omero.Microscope
		copyFields(&next, in.Microscope)
		r.hold(t, "microscope", omero.KindMicroscope, stand.ID, stand, &next)
	}
	r.instrumentParts(t.ref, in, now)
	return t.ref
}

func (r *restorer) instrumentParts(of omero.Ref, in *pack.Instrument, now *omero.Instrument) {
	restoreParts(r, of, omero.KindObjective, in.Objectives, now.Objectives, func(v *pack.Objective) pack.ID { return v.ID }, func(v *omero.Objective) int64 { return v.ID })
	restoreParts(r, of, omero.KindDetector, in.Detectors, now.Detectors, func(v *pack.Detector) pack.ID { return v.ID }, func(v *omero.Detector) int64 { return v.ID })
	restoreParts(r, of, omero.KindDichroic, in.Dichroics, now.Dichroics, func(v *pack.Dichroic) pack.ID { return v.ID }, func(v *omero.Dichroic) int64 { return v.ID })
	r.lightSources(of, in.LightSources, now.LightSources)

	filters := restoreParts(r, of, omero.KindFilter, in.Filters, now.Filters, func(v *pack.Filter) pack.ID { return v.ID }, func(v *omero.Filter) int64 { return v.ID })
	for i, t := range filters {
		was := at(now.Filters, i)
		old := cmp.Or(was.Transmission, new(omero.Transmission))
		if in.Filters[i].Transmission == nil {
			r.hold(t, "transmittanceRange", omero.KindTransmission, old.ID, old, nil)
			continue
		}
		var next omero.Transmission
		copyFields(&next, in.Filters[i].Transmission)
		r.hold(t, "transmittanceRange", omero.KindTransmission, old.ID, old, &next)
	}
	sets := restoreParts(r, of, omero.KindFilterSet, in.FilterSets, now.FilterSets, func(v *pack.FilterSet) pack.ID { return v.ID }, func(v *omero.FilterSet) int64 { return v.ID })
	for i, t := range sets {
		was, want := at(now.FilterSets, i), &in.FilterSets[i]
		r.optional(t, "dichroic", was.Dichroic, want.Dichroic, 0)
		r.setFilters(t, true, was.Excitation, want.Excitation)
		r.setFilters(t, false, was.Emission, want.Emission)
	}
	otfs := restoreParts(r, of, omero.KindOTF, in.OTFs, now.OTFs, func(v *pack.OTF) pack.ID { return v.ID }, func(v *omero.OTF) int64 { return v.ID })
	for i, t := range otfs {
		was := at(now.OTFs, i)
		r.part(t, "objective", was.Objective, in.OTFs[i].Objective, 0)
		r.optional(t, "filterSet", was.FilterSet, in.OTFs[i].FilterSet, 0)
	}
}

// at is an element of a list, an empty one behind its end.
func at[T any](list []T, i int) T {
	if i < len(list) {
		return list[i]
	}
	return *new(T)
}

// restoreParts restores the parts of one kind, the first one to the first that
// is there, and so on: imports keep the order of the files.
func restoreParts[P, O any](r *restorer, of omero.Ref, kind omero.Kind, want []P, now []O, id func(*P) pack.ID, nowID func(*O) int64) []target {
	out := make([]target, len(want))
	for i := range want {
		var next O
		copyFields(&next, &want[i])
		if i < len(now) {
			ref := r.note(id(&want[i]), omero.Existing(kind, nowID(&now[i])))
			out[i] = target{ref, r.b.Change(ref).Fields(now[i], next)}
			continue
		}
		out[i] = target{ref: r.note(id(&want[i]), r.b.Object(kind, next, map[string]omero.Ref{"instrument": of}))}
	}
	for i := len(want); i < len(now); i++ {
		r.spare[kind] = append(r.spare[kind], nowID(&now[i]))
	}
	return out
}

// lightSources are like other parts, but one cannot become another kind: they
// are matched within each kind.
func (r *restorer) lightSources(of omero.Ref, want []pack.LightSource, now []omero.LightSource) {
	left := make(map[omero.Kind][]omero.LightSource)
	for _, l := range now {
		left[l.Kind] = append(left[l.Kind], l)
	}
	targets, was := make([]target, len(want)), make([]omero.LightSource, len(want))
	for i := range want {
		next := omero.LightSource{Map: toPairs(want[i].Map)}
		copyFields(&next, &want[i])
		if have := left[next.Kind]; len(have) > 0 {
			was[i], left[next.Kind] = have[0], have[1:]
			ref := r.note(want[i].ID, omero.Existing(next.Kind, was[i].ID))
			targets[i] = target{ref, r.b.Change(ref).Fields(was[i], next)}
			continue
		}
		targets[i] = target{ref: r.note(want[i].ID, r.b.Object(next.Kind, next, map[string]omero.Ref{"instrument": of}))}
	}
	for kind, have := range left {
		for _, l := range have {
			r.spare[kind] = append(r.spare[kind], l.ID)
		}
	}
	for i, t := range targets {
		switch {
		case want[i].Kind != pack.Laser:
		case want[i].Pump != "":
			r.part(t, "pump", was[i].Pump, want[i].Pump, 0)
		case t.edit != nil && was[i].Pump != 0:
			t.edit.Refer("pump", omero.Ref{})
		}
	}
}

// experiment restores an experiment, like an instrument.
func (r *restorer) experiment(id pack.ID, candidate int64) omero.Ref {
	want := r.experiments[id]
	if want == nil {
		return omero.Ref{}
	}
	if ref, ok := r.refs[id]; ok {
		return ref
	}
	var next omero.Experiment
	copyFields(&next, want)
	own := claim{omero.KindExperiment, candidate}
	if now := r.purposes[candidate]; now != nil && !r.claimed[own] && len(now.Manipulations)+len(want.Manipulations) == 0 {
		r.claimed[own] = true
		ref := r.note(id, omero.Existing(omero.KindExperiment, candidate))
		r.b.Change(ref).Fields(now, next)
		return ref
	}
	ref := r.note(id, r.b.Object(omero.KindExperiment, next, nil))
	for i := range want.Manipulations {
		var m omero.Manipulation
		copyFields(&m, &want.Manipulations[i])
		of := r.note(want.Manipulations[i].ID, r.b.Object(omero.KindManipulation, m, map[string]omero.Ref{"experiment": ref}))
		for j := range want.Manipulations[i].Lights {
			l := &want.Manipulations[i].Lights[j]
			var s omero.LightSettings
			copyFields(&s, l)
			r.b.Object(omero.KindLightSettings, s, map[string]omero.Ref{"lightSource": r.partRef(l.LightSource, 0), "microbeamManipulation": of})
		}
	}
	return ref
}

// spareOrder lists what is removed before what: an object goes when nothing
// names it any more.
var spareOrder = []omero.Kind{
	omero.KindLogicalChannel, omero.KindObjectiveSettings, omero.KindDetectorSettings, omero.KindLightSettings, omero.KindLightPath,
	omero.KindStageLabel, omero.KindEnvironment, omero.KindOTF, omero.KindFilterSet, omero.KindObjective, omero.KindDetector,
	omero.KindLaser, omero.KindArc, omero.KindFilament, omero.KindLED, omero.KindGeneric, omero.KindFilter, omero.KindDichroic,
	omero.KindTransmission, omero.KindExperiment, omero.KindInstrument, omero.KindMicroscope,
}

// removeSpare deletes what of the import stands for nothing of the pack, if
// nothing else needs it.
func (r *restorer) removeSpare(ctx context.Context) error {
	for _, kind := range spareOrder {
		ids := slices.DeleteFunc(r.spare[kind], func(id int64) bool { return r.claimed[claim{kind, id}] })
		if len(ids) == 0 {
			continue
		}
		family := kind
		if isLight(kind) {
			family = omero.KindLightSource
		}
		ids, err := r.client.Unreferenced(ctx, family, ids)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			continue
		}
		if _, err := r.client.Delete(ctx, map[omero.Kind][]int64{kind: ids}, omero.DeleteOptions{Keep: keptWithout(kind)}); err != nil {
			return err
		}
	}
	return nil
}

// keptWithout lists the classes of parts that stay when something goes that
// named them. An instrument takes its parts along.
func keptWithout(kind omero.Kind) (keep []string) {
	if kind == omero.KindInstrument {
		return nil
	}
	for _, part := range []omero.Kind{omero.KindInstrument, omero.KindObjective, omero.KindDetector, omero.KindLightSource, omero.KindFilter,
		omero.KindDichroic, omero.KindFilterSet} {
		if part != kind && (part != omero.KindLightSource || !isLight(kind)) {
			keep = append(keep, string(part))
		}
	}
	return keep
}

func isLight(kind omero.Kind) bool {
	switch kind {
	case omero.KindLaser, omero.KindArc, omero.KindFilament, omero.KindLED, omero.KindGeneric:
		return true
	}
	return false
}
