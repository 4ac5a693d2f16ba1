package pack

// readInstrument reads an Instrument of OME or of the omerods/pack part.
func readInstrument(e *element) Instrument {
	var in Instrument
	e.fields(&in)
	e.children(func(c *element) {
		switch c.name.Local {
		case "Microscope":
			in.Microscope = new(Microscope)
			c.fields(in.Microscope)
			c.skip()
		case string(Laser), string(Arc), string(Filament), string(LED), string(GenericSource):
			in.LightSources = append(in.LightSources, readLight(c))
		case "Detector":
			in.Detectors = append(in.Detectors, readFlat[Detector](c))
		case "Objective":
			in.Objectives = append(in.Objectives, readFlat[Objective](c))
		case "FilterSet":
			var s FilterSet
			c.fields(&s)
			readFilters(c, &s.Excitation, &s.Dichroic, &s.Emission)
			in.FilterSets = append(in.FilterSets, s)
		case "Filter":
			in.Filters = append(in.Filters, readFilter(c))
		case "Dichroic":
			in.Dichroics = append(in.Dichroics, readFlat[Dichroic](c))
		case "OTF":
			in.OTFs = append(in.OTFs, readFlat[OTF](c))
		default:
			c.skip()
		}
	})
	return in
}

// readFlat reads an element that is all attributes.
func readFlat[T any](e *element) T {
	var v T
	e.fields(&v)
	e.skip()
	return v
}

func readLight(e *element) LightSource {
	l := LightSource{Kind: LightKind(e.name.Local)}
	e.fields(&l)
	e.children(func(c *element) {
		switch c.name.Local {
		case "Pump":
			l.Pump = refTo(c)
		case "Map":
			l.Map = readPairs(c)
		default:
			c.skip()
		}
	})
	return l
}

func readFilter(e *element) Filter {
	var f Filter
	e.fields(&f)
	e.children(func(c *element) {
		if c.name.Local != "TransmittanceRange" {
			c.skip()
			return
		}
		t := readFlat[Transmission](c)
		f.Transmission = &t
	})
	return f
}

func readFilters(e *element, excitation *[]ID, dichroic *ID, emission *[]ID) {
	e.children(func(c *element) {
		switch c.name.Local {
		case "ExcitationFilterRef":
			*excitation = append(*excitation, refTo(c))
		case "DichroicRef":
			*dichroic = refTo(c)
		case "EmissionFilterRef":
			*emission = append(*emission, refTo(c))
		default:
			c.skip()
		}
	})
}

// readPairs reads the pairs of a map to its end.
func readPairs(e *element) (pairs []Pair) {
	e.children(func(c *element) {
		if c.name.Local != "M" {
			c.skip()
			return
		}
		key := c.get("K")
		pairs = append(pairs, Pair{Key: key, Value: c.text()})
	})
	return pairs
}

func readExperiment(e *element) Experiment {
	var ex Experiment
	e.fields(&ex)
	e.children(func(c *element) {
		switch c.name.Local {
		case "Description":
			ex.Description = new(c.text())
		case KindManipulation:
			ex.Manipulations = append(ex.Manipulations, readManipulation(c))
		default:
			c.skip()
		}
	})
	return ex
}

func readManipulation(e *element) Manipulation {
	var m Manipulation
	e.fields(&m)
	e.children(func(c *element) {
		switch c.name.Local {
		case "Description":
			m.Description = new(c.text())
		case "LightSourceSettings":
			m.Lights = append(m.Lights, readFlat[LightSettings](c))
		default:
			c.skip()
		}
	})
	return m
}

func readEnvironment(e *element) *Environment {
	env := new(Environment)
	e.fields(env)
	e.children(func(c *element) {
		if c.name.Local == "Map" {
			env.Map = readPairs(c)
		} else {
			c.skip()
		}
	})
	return env
}

func readObjective(e *element) *ObjectiveSettings {
	s := readFlat[ObjectiveSettings](e)
	return &s
}

// readTaking reads how a channel was taken, to the end of its element.
func readTaking(e *element, ch *Channel) {
	e.children(func(c *element) {
		switch c.name.Local {
		case "LightSourceSettings":
			v := readFlat[LightSettings](c)
			ch.Light = &v
		case "DetectorSettings":
			v := readFlat[DetectorSettings](c)
			ch.Detector = &v
		case "FilterSetRef":
			ch.FilterSet = refTo(c)
		case "LightPath":
			p := &LightPath{ID: c.id("ID")}
			readFilters(c, &p.Excitation, &p.Dichroic, &p.Emission)
			ch.LightPath = p
		default:
			c.skip()
		}
	})
}

// applyAcquisition replaces what OME-XML could not say exactly.
func (p *part) applyAcquisition(doc *Document) {
	instruments := byID(doc.Instruments, func(i *Instrument) ID { return i.ID })
	for _, in := range p.instruments {
		if at := instruments[in.ID]; at != nil {
			*at = in
		}
	}
	experiments := byID(doc.Experiments, func(x *Experiment) ID { return x.ID })
	for _, x := range p.experiments {
		if at := experiments[x.ID]; at != nil {
			*at = x
		}
	}
}
