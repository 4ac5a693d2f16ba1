package omeroview

import (
	"omerods/internal/omero"
	"omerods/internal/pack"
)

// partID names a part of an instrument if the pack has it.
func (b *documenter) partID(kind string, id int64) pack.ID {
	if n := pack.NewID(kind, id); id != 0 && b.parts[n] {
		return n
	}
	return ""
}

// filterIDs names the filters that the pack has.
func (b *documenter) filterIDs(ids []int64) (out []pack.ID) {
	for _, id := range ids {
		if n := b.partID(pack.KindFilter, id); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// acquisition describes the instruments and experiments, each once.
func (b *documenter) acquisition() {
	for i := range b.g.taken.instruments {
		b.noteParts(&b.g.taken.instruments[i])
	}
	for i := range b.g.taken.instruments {
		b.doc.Instruments = append(b.doc.Instruments, b.instrument(&b.g.taken.instruments[i]))
	}
	for i := range b.g.taken.experiments {
		x := &b.g.taken.experiments[i]
		out := pack.Experiment{ID: pack.NewID(pack.KindExperiment, x.ID)}
		copyFields(&out, x)
		for k := range x.Manipulations {
			m := pack.Manipulation{ID: pack.NewID(pack.KindManipulation, x.Manipulations[k].ID)}
			copyFields(&m, &x.Manipulations[k])
			for l := range x.Manipulations[k].Lights {
				if s := b.lightSettings(&x.Manipulations[k].Lights[l]); s != nil {
					m.Lights = append(m.Lights, *s)
				}
			}
			out.Manipulations = append(out.Manipulations, m)
		}
		b.parts[out.ID] = true
		b.doc.Experiments = append(b.doc.Experiments, out)
	}
}

// noteParts notes what may be referred to.
func (b *documenter) noteParts(in *omero.Instrument) {
	note := func(kind string, id int64) { b.parts[pack.NewID(kind, id)] = true }
	note(pack.KindInstrument, in.ID)
	for i := range in.Objectives {
		note(pack.KindObjective, in.Objectives[i].ID)
	}
	for i := range in.Detectors {
		note(pack.KindDetector, in.Detectors[i].ID)
	}
	for i := range in.LightSources {
		note(pack.KindLightSource, in.LightSources[i].ID)
	}
	for i := range in.Filters {
		note(pack.KindFilter, in.Filters[i].ID)
	}
	for i := range in.Dichroics {
		note(pack.KindDichroic, in.Dichroics[i].ID)
	}
	for i := range in.FilterSets {
		note(pack.KindFilterSet, in.FilterSets[i].ID)
	}
	for i := range in.OTFs {
		note(pack.KindOTF, in.OTFs[i].ID)
	}
}

func (b *documenter) instrument(in *omero.Instrument) pack.Instrument {
	out := pack.Instrument{ID: pack.NewID(pack.KindInstrument, in.ID)}
	if in.Microscope != nil {
		out.Microscope = new(pack.Microscope)
		copyFields(out.Microscope, in.Microscope)
	}
	for i := range in.LightSources {
		l := pack.LightSource{ID: pack.NewID(pack.KindLightSource, in.LightSources[i].ID), Map: packPairs(in.LightSources[i].Map)}
		copyFields(&l, &in.LightSources[i])
		l.Pump = b.partID(pack.KindLightSource, in.LightSources[i].Pump)
		out.LightSources = append(out.LightSources, l)
	}
	for i := range in.Detectors {
		d := pack.Detector{ID: pack.NewID(pack.KindDetector, in.Detectors[i].ID)}
		copyFields(&d, &in.Detectors[i])
		out.Detectors = append(out.Detectors, d)
	}
	for i := range in.Objectives {
		o := pack.Objective{ID: pack.NewID(pack.KindObjective, in.Objectives[i].ID)}
		copyFields(&o, &in.Objectives[i])
		out.Objectives = append(out.Objectives, o)
	}
	for i := range in.Filters {
		f := pack.Filter{ID: pack.NewID(pack.KindFilter, in.Filters[i].ID)}
		copyFields(&f, &in.Filters[i])
		if t := in.Filters[i].Transmission; t != nil {
			f.Transmission = new(pack.Transmission)
			copyFields(f.Transmission, t)
		}
		out.Filters = append(out.Filters, f)
	}
	for i := range in.Dichroics {
		d := pack.Dichroic{ID: pack.NewID(pack.KindDichroic, in.Dichroics[i].ID)}
		copyFields(&d, &in.Dichroics[i])
		out.Dichroics = append(out.Dichroics, d)
	}
	for i := range in.FilterSets {
		s := pack.FilterSet{ID: pack.NewID(pack.KindFilterSet, in.FilterSets[i].ID)}
		copyFields(&s, &in.FilterSets[i])
		s.Excitation, s.Emission = b.filterIDs(in.FilterSets[i].Excitation), b.filterIDs(in.FilterSets[i].Emission)
		s.Dichroic = b.partID(pack.KindDichroic, in.FilterSets[i].Dichroic)
		out.FilterSets = append(out.FilterSets, s)
	}
	for i := range in.OTFs {
		o := pack.OTF{ID: pack.NewID(pack.KindOTF, in.OTFs[i].ID)}
		copyFields(&o, &in.OTFs[i])
		o.Objective = b.partID(pack.KindObjective, in.OTFs[i].Objective)
		o.FilterSet = b.partID(pack.KindFilterSet, in.OTFs[i].FilterSet)
		out.OTFs = append(out.OTFs, o)
	}
	return out
}

func packPairs(list []omero.Pair) (out []pack.Pair) {
	for _, p := range list {
		out = append(out, pack.Pair{Key: p.Key, Value: p.Value})
	}
	return out
}

func (b *documenter) lightSettings(s *omero.LightSettings) *pack.LightSettings {
	id := pack.ID("")
	if s != nil {
		id = b.partID(pack.KindLightSource, s.LightSource)
	}
	if id == "" {
		return nil
	}
	out := &pack.LightSettings{LightSource: id}
	copyFields(out, s)
	return out
}

// describeTaking says how an image was taken.
func (b *documenter) describeTaking(out *pack.Image, im *omero.ImageSettings) {
	if im == nil {
		return
	}
	out.Archived, out.Partial = im.Archived, im.Partial
	out.Instrument = b.partID(pack.KindInstrument, im.Instrument)
	out.Experiment = b.partID(pack.KindExperiment, im.Experiment)
	if im.Objective != nil {
		if id := b.partID(pack.KindObjective, im.Objective.Objective); id != "" {
			out.Objective = &pack.ObjectiveSettings{Objective: id}
			copyFields(out.Objective, im.Objective)
		}
	}
	if im.Environment != nil {
		out.Environment = &pack.Environment{Map: packPairs(im.Environment.Map)}
		copyFields(out.Environment, im.Environment)
	}
	if s := im.Stage; s != nil {
		out.Stage = &pack.StageLabel{X: packQuantity(s.X), Y: packQuantity(s.Y), Z: packQuantity(s.Z)}
		if s.Name != nil {
			out.Stage.Name = *s.Name
		}
	}
	if out.Pixels == nil || im.Pixels == nil {
		return
	}
	copyFields(out.Pixels, im.Pixels)
	out.Pixels.Channels = nil
	for i := range im.Pixels.Channels {
		out.Pixels.Channels = append(out.Pixels.Channels, b.channel(&im.Pixels.Channels[i]))
	}
	if p := b.g.taken.planes[im.ID]; p != nil {
		out.Pixels.Planes = make([]pack.Plane, len(p.Planes))
		for i := range p.Planes {
			out.Pixels.Planes[i] = pack.Plane(p.Planes[i])
			if b.planesNoted && len(b.owners[packRef{kind: omero.KindPlaneInfo, id: p.IDs[i]}]) > 0 {
				out.Pixels.NotedPlanes = append(out.Pixels.NotedPlanes, pack.NotedPlane{ID: pack.NewID(pack.KindPlane, p.IDs[i]), Index: i})
			}
		}
		b.g.taken.planes[im.ID] = nil // there may be very many
	}
}

func (b *documenter) channel(ch *omero.ChannelSettings) pack.Channel {
	l := &ch.Logical
	out := pack.Channel{ID: pack.NewID(pack.KindChannel, ch.ID), Color: ch.Color(), LookupTable: ch.LookupTable}
	copyFields(&out, l)
	out.FilterSet = b.partID(pack.KindFilterSet, l.FilterSet)
	out.OTF = b.partID(pack.KindOTF, l.OTF)
	out.Light = b.lightSettings(l.LightSettings)
	if d := l.Detector; d != nil {
		if id := b.partID(pack.KindDetector, d.Detector); id != "" {
			out.Detector = &pack.DetectorSettings{Detector: id}
			copyFields(out.Detector, d)
		}
	}
	if p := l.LightPath; p != nil {
		out.LightPath = &pack.LightPath{Excitation: b.filterIDs(p.Excitation), Emission: b.filterIDs(p.Emission),
			Dichroic: b.partID(pack.KindDichroic, p.Dichroic)}
		if len(b.owners[packRef{kind: omero.KindLightPath, id: p.ID}]) > 0 {
			out.LightPath.ID = pack.NewID(pack.KindLightPath, p.ID)
		}
	}
	return out
}
