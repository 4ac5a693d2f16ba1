package pack

// instruments checks the ids and units of instruments and experiments.
func (c *checker) instruments(d *Document) {
	for i := range d.Instruments {
		in := &d.Instruments[i]
		c.id(in.ID, KindInstrument)
		for j := range in.LightSources {
			l := &in.LightSources[j]
			c.id(l.ID, KindLightSource)
			c.fieldUnits(l.ID, l)
			switch l.Kind {
			case Laser, Arc, Filament, LED, GenericSource:
			default:
				c.fail(ErrInvalid, "%s is of no known kind", l.ID)
			}
		}
		for j := range in.Detectors {
			c.id(in.Detectors[j].ID, KindDetector)
			c.fieldUnits(in.Detectors[j].ID, &in.Detectors[j])
		}
		for j := range in.Objectives {
			c.id(in.Objectives[j].ID, KindObjective)
			c.fieldUnits(in.Objectives[j].ID, &in.Objectives[j])
		}
		for j := range in.FilterSets {
			c.id(in.FilterSets[j].ID, KindFilterSet)
		}
		for j := range in.Filters {
			c.id(in.Filters[j].ID, KindFilter)
			if t := in.Filters[j].Transmission; t != nil {
				c.fieldUnits(in.Filters[j].ID, t)
			}
		}
		for j := range in.Dichroics {
			c.id(in.Dichroics[j].ID, KindDichroic)
		}
		for j := range in.OTFs {
			c.id(in.OTFs[j].ID, KindOTF)
		}
	}
	for i := range d.Experiments {
		c.id(d.Experiments[i].ID, KindExperiment)
		for j := range d.Experiments[i].Manipulations {
			m := &d.Experiments[i].Manipulations[j]
			c.id(m.ID, KindManipulation)
			for k := range m.Lights {
				c.fieldUnits(m.ID, &m.Lights[k])
			}
		}
	}
}

// parts checks what instruments and experiments refer to.
func (c *checker) parts(d *Document) {
	for i := range d.Instruments {
		in := &d.Instruments[i]
		for j := range in.LightSources {
			c.mayRefer(in.LightSources[j].ID, KindLightSource, in.LightSources[j].Pump)
		}
		for j := range in.FilterSets {
			s := &in.FilterSets[j]
			c.refers(s.ID, KindFilter, s.Excitation)
			c.refers(s.ID, KindFilter, s.Emission)
			c.mayRefer(s.ID, KindDichroic, s.Dichroic)
		}
		for j := range in.OTFs {
			o := &in.OTFs[j]
			c.refers(o.ID, KindObjective, []ID{o.Objective})
			c.mayRefer(o.ID, KindFilterSet, o.FilterSet)
		}
	}
	for i := range d.Experiments {
		for j := range d.Experiments[i].Manipulations {
			m := &d.Experiments[i].Manipulations[j]
			for k := range m.Lights {
				c.refers(m.ID, KindLightSource, []ID{m.Lights[k].LightSource})
			}
		}
	}
}

// mayRefer checks a reference that need not be there.
func (c *checker) mayRefer(from ID, kind string, to ID) {
	if to != "" {
		c.refers(from, kind, []ID{to})
	}
}

// taking checks what an image refers to for how it was taken.
func (c *checker) taking(im *Image) {
	c.mayRefer(im.ID, KindInstrument, im.Instrument)
	c.mayRefer(im.ID, KindExperiment, im.Experiment)
	if im.Objective != nil {
		c.refers(im.ID, KindObjective, []ID{im.Objective.Objective})
	}
	if im.Pixels == nil {
		return
	}
	for i := range im.Pixels.Channels {
		ch := &im.Pixels.Channels[i]
		c.mayRefer(ch.ID, KindFilterSet, ch.FilterSet)
		c.mayRefer(ch.ID, KindOTF, ch.OTF)
		if ch.Detector != nil {
			c.refers(ch.ID, KindDetector, []ID{ch.Detector.Detector})
		}
		if ch.Light != nil {
			c.refers(ch.ID, KindLightSource, []ID{ch.Light.LightSource})
		}
		if p := ch.LightPath; p != nil {
			c.refers(ch.ID, KindFilter, p.Excitation)
			c.refers(ch.ID, KindFilter, p.Emission)
			c.mayRefer(ch.ID, KindDichroic, p.Dichroic)
		}
	}
}
