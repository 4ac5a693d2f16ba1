package pack

// eachInstrumentText visits the texts of instruments and experiments.
func eachInstrumentText(d *Document, visit textVisit) {
	for i := range d.Instruments {
		in := &d.Instruments[i]
		if in.Microscope != nil {
			fieldTexts(in.ID, in.Microscope, "", 0, visit)
		}
		for j := range in.LightSources {
			fieldTexts(in.LightSources[j].ID, &in.LightSources[j], "", 0, visit)
			eachPairText(in.LightSources[j].ID, in.LightSources[j].Map, visit)
		}
		for j := range in.Detectors {
			fieldTexts(in.Detectors[j].ID, &in.Detectors[j], "", 0, visit)
		}
		for j := range in.Objectives {
			fieldTexts(in.Objectives[j].ID, &in.Objectives[j], "", 0, visit)
		}
		for j := range in.FilterSets {
			fieldTexts(in.FilterSets[j].ID, &in.FilterSets[j], "", 0, visit)
		}
		for j := range in.Filters {
			fieldTexts(in.Filters[j].ID, &in.Filters[j], "", 0, visit)
		}
		for j := range in.Dichroics {
			fieldTexts(in.Dichroics[j].ID, &in.Dichroics[j], "", 0, visit)
		}
		for j := range in.OTFs {
			fieldTexts(in.OTFs[j].ID, &in.OTFs[j], "", 0, visit)
		}
	}
	for i := range d.Experiments {
		x := &d.Experiments[i]
		fieldTexts(x.ID, x, "", 0, visit)
		visitOptional(visit, x.ID, "Description", x.Description)
		for j := range x.Manipulations {
			m := &x.Manipulations[j]
			fieldTexts(m.ID, m, "", 0, visit)
			visitOptional(visit, m.ID, "Description", m.Description)
		}
	}
}

func eachPairText(of ID, pairs []Pair, visit textVisit) {
	for i := range pairs {
		visit(of, "PairKey", i, &pairs[i].Key)
		visit(of, "PairValue", i, &pairs[i].Value)
	}
}
