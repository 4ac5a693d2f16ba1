package wild

import "omerods/internal/sandbox/store"

// makeAcquisition gives images an instrument and all that was measured.
func (m *maker) makeAcquisition() error {
	for _, image := range m.images {
		if m.chance(2) {
			continue
		}
		if err := m.acquire(image); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) acquire(image *store.Row) error {
	scope, err := m.create("Microscope", m.fill("Microscope", nil))
	if err != nil {
		return err
	}
	instrument, err := m.create("Instrument", store.Values{"microscope": scope})
	if err != nil {
		return err
	}
	parts := map[string][]*store.Row{}
	for _, class := range []string{"Objective", "Detector", "Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource", "Dichroic", "Filter"} {
		for range m.r.IntN(3) {
			fixed := store.Values{"instrument": instrument}
			if class == "Filter" {
				r, err := m.create("TransmittanceRange", m.fill("TransmittanceRange", nil))
				if err != nil {
					return err
				}
				fixed["transmittanceRange"] = r
			}
			row, err := m.create(class, m.fill(class, fixed))
			if err != nil {
				return err
			}
			parts[class] = append(parts[class], row)
			if row.Class.IsA(m.t.Store.Model().Class("LightSource")) {
				parts["LightSource"] = append(parts["LightSource"], row)
			}
		}
	}
	if err := m.filterSets(instrument, parts); err != nil {
		return err
	}
	v := store.Values{"instrument": instrument, "acquisitionDate": m.time()}
	if m.chance(2) {
		if v["experiment"], err = m.create("Experiment", m.fill("Experiment", nil)); err != nil {
			return err
		}
	}
	if v["imagingEnvironment"], err = m.create("ImagingEnvironment", m.fill("ImagingEnvironment", nil)); err != nil {
		return err
	}
	if v["stageLabel"], err = m.create("StageLabel", m.fill("StageLabel", nil)); err != nil {
		return err
	}
	if o := parts["Objective"]; len(o) > 0 {
		if v["objectiveSettings"], err = m.create("ObjectiveSettings", m.fill("ObjectiveSettings", store.Values{"objective": pick(m, o)})); err != nil {
			return err
		}
	}
	if err := m.change(image, v); err != nil {
		return err
	}
	return m.measured(image, parts)
}

// filterSets makes sets of an instrument's filters, and a transfer function.
func (m *maker) filterSets(instrument *store.Row, parts map[string][]*store.Row) error {
	for range m.r.IntN(3) {
		fixed := store.Values{"instrument": instrument, "dichroic": "-"}
		if d := parts["Dichroic"]; len(d) > 0 {
			fixed["dichroic"] = pick(m, d)
		}
		set, err := m.create("FilterSet", m.fill("FilterSet", fixed))
		if err != nil {
			return err
		}
		parts["FilterSet"] = append(parts["FilterSet"], set)
		for _, f := range parts["Filter"] {
			if err := m.link(pick(m, []string{"FilterSetExcitationFilterLink", "FilterSetEmissionFilterLink"}), set, f); err != nil {
				return err
			}
		}
	}
	if o := parts["Objective"]; len(o) > 0 && m.chance(2) {
		_, err := m.create("OTF", m.fill("OTF", store.Values{"instrument": instrument, "objective": pick(m, o), "filterSet": "-"}))
		return err
	}
	return nil
}

// measured sets what belongs to the pixels, channels and planes.
func (m *maker) measured(image *store.Row, parts map[string][]*store.Row) error {
	pixels := m.pixels(image)
	v := store.Values{}
	for _, name := range []string{"physicalSizeX", "physicalSizeY", "physicalSizeZ", "timeIncrement"} {
		v[name] = m.value(pixels.Class.Property(name))
	}
	if err := m.change(pixels, v); err != nil {
		return err
	}
	for _, c := range m.t.Store.Collection("Pixels", pixels.ID, "channels") {
		if m.chance(2) {
			continue
		}
		fixed := store.Values{"name": "-", "samplesPerPixel": "-", "photometricInterpretation": "-", "otf": "-", "filterSet": "-", "detectorSettings": "-", "lightSourceSettings": "-", "lightPath": "-"}
		var err error
		if d := parts["Detector"]; len(d) > 0 {
			if fixed["detectorSettings"], err = m.create("DetectorSettings", m.fill("DetectorSettings", store.Values{"detector": pick(m, d)})); err != nil {
				return err
			}
		}
		if s := parts["FilterSet"]; len(s) > 0 {
			fixed["filterSet"] = pick(m, s)
		}
		if l := parts["LightSource"]; len(l) > 0 {
			if fixed["lightSourceSettings"], err = m.create("LightSettings", m.fill("LightSettings", store.Values{"lightSource": pick(m, l), "microbeamManipulation": "-"})); err != nil {
				return err
			}
		}
		if f := parts["Filter"]; len(f) > 0 {
			path, err := m.lightPath(f, parts["Dichroic"])
			if err != nil {
				return err
			}
			fixed["lightPath"] = path
		}
		if err := m.change(m.t.Store.Get("LogicalChannel", c.Ref("logicalChannel")), m.fill("LogicalChannel", fixed)); err != nil {
			return err
		}
	}
	return m.planes(pixels)
}

func (m *maker) lightPath(filters, dichroics []*store.Row) (*store.Row, error) {
	v := store.Values{}
	if len(dichroics) > 0 {
		v["dichroic"] = pick(m, dichroics)
	}
	path, err := m.create("LightPath", v)
	if err != nil {
		return nil, err
	}
	for _, f := range filters {
		if err := m.link(pick(m, []string{"LightPathExcitationFilterLink", "LightPathEmissionFilterLink"}), path, f); err != nil {
			return nil, err
		}
	}
	return path, nil
}

// planes says when and where some planes were taken.
func (m *maker) planes(pixels *store.Row) error {
	size := func(name string) int { n, _ := pixels.Get(name).(int32); return int(n) }
	for z := range size("sizeZ") {
		for c := range size("sizeC") {
			for t := range size("sizeT") {
				if m.chance(2) {
					continue
				}
				if _, err := m.create("PlaneInfo", m.fill("PlaneInfo", store.Values{"pixels": pixels, "theZ": z, "theC": c, "theT": t})); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
