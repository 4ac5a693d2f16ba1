package pack

import "slices"

// instruments writes the instruments as far as OME-XML can say them; part those
// whole of which it cannot say everything.
func (e *encoder) instruments() {
	for i := range e.doc.Instruments {
		in, _ := tameInstrument(&e.doc.Instruments[i])
		writeInstrument(e.x, &in)
	}
}

func (e *encoder) partInstruments() {
	for i := range e.doc.Instruments {
		if _, exact := tameInstrument(&e.doc.Instruments[i]); !exact {
			writeInstrument(e.x, &e.doc.Instruments[i])
		}
	}
}

func writeInstrument(x *xmlWriter, in *Instrument) {
	x.start(KindInstrument)
	x.fields(in)
	if in.Microscope != nil {
		writePart(x, "Microscope", in.Microscope, nil)
	}
	for i := range in.LightSources {
		l := &in.LightSources[i]
		writePart(x, string(l.Kind), l, func() {
			if l.Pump != "" {
				writeRef(x, "Pump", l.Pump)
			}
			if len(l.Map) > 0 {
				writePairs(x, "Map", l.Map)
			}
		})
	}
	for i := range in.Detectors {
		writePart(x, "Detector", &in.Detectors[i], nil)
	}
	for i := range in.Objectives {
		writePart(x, "Objective", &in.Objectives[i], nil)
	}
	for i := range in.FilterSets {
		s := &in.FilterSets[i]
		writePart(x, "FilterSet", s, func() { writeFilters(x, s.Excitation, s.Dichroic, s.Emission) })
	}
	for i := range in.Filters {
		f := &in.Filters[i]
		writePart(x, "Filter", f, func() {
			if f.Transmission != nil {
				writePart(x, "TransmittanceRange", f.Transmission, nil)
			}
		})
	}
	for i := range in.Dichroics {
		writePart(x, "Dichroic", &in.Dichroics[i], nil)
	}
	for i := range in.OTFs {
		writePart(x, "OTF", &in.OTFs[i], nil)
	}
	x.end()
}

// writePart writes an element with the fields of what v points to.
func writePart(x *xmlWriter, name string, v any, children func()) {
	x.start(name)
	x.fields(v)
	if children != nil {
		children()
	}
	x.end()
}

func writeRef(x *xmlWriter, name string, id ID) {
	x.start(name)
	x.attr("ID", string(id))
	x.end()
}

// writeFilters writes the references of filter sets and light paths.
func writeFilters(x *xmlWriter, excitation []ID, dichroic ID, emission []ID) {
	for _, id := range excitation {
		writeRef(x, "ExcitationFilterRef", id)
	}
	if dichroic != "" {
		writeRef(x, "DichroicRef", dichroic)
	}
	for _, id := range emission {
		writeRef(x, "EmissionFilterRef", id)
	}
}

func writePairs(x *xmlWriter, name string, pairs []Pair) {
	x.start(name)
	for _, p := range pairs {
		x.start("M")
		x.attr("K", p.Key)
		if p.Value != "" {
			x.text(p.Value)
		}
		x.end()
	}
	x.end()
}

// experiments are written like the instruments.
func (e *encoder) experiments() {
	for i := range e.doc.Experiments {
		ex, _ := tameExperiment(&e.doc.Experiments[i])
		writeExperiment(e.x, &ex)
	}
}

func (e *encoder) partExperiments() {
	for i := range e.doc.Experiments {
		if _, exact := tameExperiment(&e.doc.Experiments[i]); !exact {
			writeExperiment(e.x, &e.doc.Experiments[i])
		}
	}
}

func writeExperiment(x *xmlWriter, ex *Experiment) {
	writePart(x, KindExperiment, ex, func() {
		writeText(x, "Description", ex.Description)
		for i := range ex.Manipulations {
			m := &ex.Manipulations[i]
			writePart(x, KindManipulation, m, func() {
				writeText(x, "Description", m.Description)
				for j := range m.Lights {
					writePart(x, "LightSourceSettings", &m.Lights[j], nil)
				}
			})
		}
	})
}

// writeText writes an element with text, also an empty one.
func writeText(x *xmlWriter, name string, text *string) {
	if text != nil {
		x.start(name)
		x.text(*text)
		x.end()
	}
}

// writeEnvironment writes an ImagingEnvironment.
func writeEnvironment(x *xmlWriter, env *Environment) {
	writePart(x, "ImagingEnvironment", env, func() {
		if len(env.Map) > 0 {
			writePairs(x, "Map", env.Map)
		}
	})
}

// writeChannel writes a channel with how it was taken.
func writeChannel(x *xmlWriter, c *Channel) {
	x.start("Channel")
	channelAttrs(x, c)
	if c.Light != nil {
		writePart(x, "LightSourceSettings", c.Light, nil)
	}
	if c.Detector != nil {
		writePart(x, "DetectorSettings", c.Detector, nil)
	}
	if c.FilterSet != "" {
		writeRef(x, "FilterSetRef", c.FilterSet)
	}
	if p := c.LightPath; p != nil {
		x.start("LightPath")
		x.optional("ID", string(p.ID))
		writeFilters(x, p.Excitation, p.Dichroic, p.Emission)
		x.end()
	}
	x.end()
}

// tameInstrument makes what OME-XML allows of an instrument.
func tameInstrument(in *Instrument) (Instrument, bool) {
	out, exact := *in, len(in.OTFs) == 0
	out.OTFs = nil
	if in.Microscope != nil {
		m := *in.Microscope
		tameFields(&m, &exact)
		out.Microscope = &m
	}
	out.LightSources = tameEach(in.LightSources, &exact)
	for i := range out.LightSources {
		tameLight(&out.LightSources[i], &exact)
	}
	out.Detectors = tameEach(in.Detectors, &exact)
	out.Objectives = tameEach(in.Objectives, &exact)
	out.FilterSets = tameEach(in.FilterSets, &exact)
	out.Dichroics = tameEach(in.Dichroics, &exact)
	out.Filters = tameEach(in.Filters, &exact)
	for i := range out.Filters {
		if t := out.Filters[i].Transmission; t != nil {
			tamed := *t
			tameFields(&tamed, &exact)
			out.Filters[i].Transmission = &tamed
		}
	}
	return out, exact
}

// tameLight takes away what is of another kind of light source.
func tameLight(l *LightSource, exact *bool) {
	var types []string
	switch l.Kind {
	case Laser:
		types = lasers
	case Arc:
		types = arcs
	case Filament:
		types = filaments
	}
	among(&l.Type, types, exact)
	kept := LightSource{ID: l.ID, Kind: l.Kind, Maker: l.Maker, Power: l.Power, Type: l.Type}
	switch l.Kind {
	case Laser:
		kept = *l
		kept.Map = nil
	case GenericSource:
		kept.Map = l.Map
	}
	if len(kept.Map) != len(l.Map) || kept.Pump != l.Pump || kept.Medium != l.Medium || kept.Pulse != l.Pulse || kept.Wavelength != l.Wavelength ||
		kept.FrequencyMultiplication != l.FrequencyMultiplication || kept.Tuneable != l.Tuneable || kept.PockelCell != l.PockelCell ||
		kept.RepetitionRate != l.RepetitionRate {
		*exact = false
	}
	*l = kept
}

// tameEach tames a copy of a list.
func tameEach[T any](list []T, exact *bool) []T {
	out := slices.Clone(list)
	for i := range out {
		tameFields(&out[i], exact)
	}
	return out
}

func tameExperiment(in *Experiment) (Experiment, bool) {
	out, exact := *in, len(in.Manipulations) == 0
	out.Manipulations = nil
	tameFields(&out, &exact)
	return out, exact
}

// tameObjective and tameEnvironment take nil for none.
func tameObjective(in *ObjectiveSettings) (*ObjectiveSettings, bool) {
	if in == nil {
		return nil, true
	}
	out, exact := *in, true
	tameFields(&out, &exact)
	return &out, exact
}

func tameEnvironment(in *Environment) (*Environment, bool) {
	if in == nil {
		return nil, true
	}
	out, exact := *in, true
	tameFields(&out, &exact)
	return &out, exact
}

// tameTaking tames how a channel was taken.
func tameTaking(c *Channel, exact *bool) {
	if c.Detector != nil {
		d := *c.Detector
		tameFields(&d, exact)
		c.Detector = &d
	}
	if c.Light != nil {
		l := *c.Light
		tameFields(&l, exact)
		c.Light = &l
	}
	if c.OTF != "" {
		c.OTF, *exact = "", false
	}
	if c.LightPath != nil && c.LightPath.ID != "" {
		p := *c.LightPath
		p.ID, *exact = "", false
		c.LightPath = &p
	}
}
