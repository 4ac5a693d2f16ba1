package pack

func (d *decoder) image(e *element) {
	im := Image{ID: e.id("ID"), Name: e.get("Name")}
	e.children(func(c *element) {
		if d.common(c, im.ID, &im.Description, &im.Details) {
			return
		}
		switch c.name.Local {
		case "AcquisitionDate":
			im.Acquired = d.lenientTime(c)
		case "StageLabel":
			im.Stage = &StageLabel{
				Name: c.get("Name"),
				X:    c.quantity("X", ReferenceFrame),
				Y:    c.quantity("Y", ReferenceFrame),
				Z:    c.quantity("Z", ReferenceFrame),
			}
			c.skip()
		case "ExperimentRef":
			im.Experiment = refTo(c)
		case "InstrumentRef":
			im.Instrument = refTo(c)
		case "ObjectiveSettings":
			im.Objective = readObjective(c)
		case "ImagingEnvironment":
			im.Environment = readEnvironment(c)
		case "Pixels":
			im.Pixels = readPixels(c)
		case "ROIRef":
			im.ROIs = append(im.ROIs, refTo(c))
		default:
			c.skip()
		}
	})
	d.doc.Images = append(d.doc.Images, im)
}

// readPixels reads a Pixels element of OME or of the omerods/pack part.
func readPixels(e *element) *Pixels {
	p := &Pixels{
		Order:           e.get("DimensionOrder"),
		Type:            e.get("Type"),
		SignificantBits: e.optInt("SignificantBits"),
		SizeX:           e.int("SizeX"),
		SizeY:           e.int("SizeY"),
		SizeZ:           e.int("SizeZ"),
		SizeC:           e.int("SizeC"),
		SizeT:           e.int("SizeT"),
		PhysicalX:       e.quantity("PhysicalSizeX", Micrometer),
		PhysicalY:       e.quantity("PhysicalSizeY", Micrometer),
		PhysicalZ:       e.quantity("PhysicalSizeZ", Micrometer),
		TimeIncrement:   e.quantity("TimeIncrement", Second),
		WaveStart:       e.optInt("WaveStart"),
		WaveIncrement:   e.optInt("WaveIncrement"),
		Methodology:     e.optText("Methodology"),
	}
	e.children(func(c *element) {
		switch c.name.Local {
		case "Channel":
			ch := readChannel(c)
			readTaking(c, &ch)
			p.Channels = append(p.Channels, ch)
		case "Plane":
			p.Planes = append(p.Planes, readPlane(c))
		default:
			c.skip()
		}
	})
	return p
}

func readChannel(e *element) Channel {
	return Channel{
		ID:              e.id("ID"),
		Name:            e.optText("Name"),
		Color:           e.color("Color"),
		LookupTable:     e.optText("LookupTable"),
		Excitation:      e.quantity("ExcitationWavelength", Nanometer),
		Emission:        e.quantity("EmissionWavelength", Nanometer),
		Fluor:           e.optText("Fluor"),
		Illumination:    e.get("IlluminationType"),
		ContrastMethod:  e.get("ContrastMethod"),
		AcquisitionMode: e.get("AcquisitionMode"),
		Pinhole:         e.quantity("PinholeSize", Micrometer),
		NDFilter:        e.optFloat("NDFilter"),
		PockelCell:      e.optInt("PockelCellSetting"),
		Samples:         e.optInt("SamplesPerPixel"),
		Photometric:     e.get("PhotometricInterpretation"),
		OTF:             e.id("OTF"),
	}
}

func (d *decoder) screen(e *element) {
	s := Screen{
		ID: e.id("ID"), Name: e.get("Name"), Type: e.get("Type"),
		ProtocolIdentifier:    e.get("ProtocolIdentifier"),
		ProtocolDescription:   e.get("ProtocolDescription"),
		ReagentSetIdentifier:  e.get("ReagentSetIdentifier"),
		ReagentSetDescription: e.get("ReagentSetDescription"),
	}
	e.children(func(c *element) {
		switch {
		case d.common(c, s.ID, &s.Description, &s.Details):
		case c.name.Local == "PlateRef":
			s.Plates = append(s.Plates, refTo(c))
		case c.name.Local == "Reagent":
			r := Reagent{ID: c.id("ID"), Name: c.get("Name"), Identifier: c.get("ReagentIdentifier")}
			c.children(func(c *element) {
				if !d.common(c, r.ID, &r.Description, &Details{}) {
					c.skip()
				}
			})
			s.Reagents = append(s.Reagents, r)
		default:
			c.skip()
		}
	})
	d.doc.Screens = append(d.doc.Screens, s)
}

func (d *decoder) plate(e *element) {
	p := readPlate(e)
	e.children(func(c *element) {
		switch {
		case d.common(c, p.ID, &p.Description, &p.Details):
		case c.name.Local == "Well":
			p.Wells = append(p.Wells, d.well(c))
		case c.name.Local == "PlateAcquisition":
			p.Runs = append(p.Runs, d.run(c))
		default:
			c.skip()
		}
	})
	d.doc.Plates = append(d.doc.Plates, p)
}

// readPlate reads the attributes of a plate, of OME or of the omerods/pack part.
func readPlate(e *element) Plate {
	return Plate{
		ID: e.id("ID"), Name: e.get("Name"), Status: e.get("Status"),
		ExternalIdentifier: e.get("ExternalIdentifier"),
		RowNaming:          e.get("RowNamingConvention"),
		ColumnNaming:       e.get("ColumnNamingConvention"),
		Rows:               e.optInt("Rows"),
		Columns:            e.optInt("Columns"),
		OriginX:            e.quantity("WellOriginX", ReferenceFrame),
		OriginY:            e.quantity("WellOriginY", ReferenceFrame),
		DefaultField:       e.optInt("FieldIndex"),
	}
}

func (d *decoder) well(e *element) Well {
	w := Well{
		ID: e.id("ID"), Row: e.int("Row"), Column: e.int("Column"),
		Type:                e.get("Type"),
		ExternalIdentifier:  e.get("ExternalIdentifier"),
		ExternalDescription: e.get("ExternalDescription"),
		Color:               e.color("Color"),
	}
	e.children(func(c *element) {
		switch {
		case c.name.Local == "WellSample":
			w.Samples = append(w.Samples, readSample(c))
		case c.name.Local == "ReagentRef":
			w.Reagents = append(w.Reagents, refTo(c))
		case !d.common(c, w.ID, new(string), &Details{}):
			c.skip()
		}
	})
	return w
}

func readSample(e *element) WellSample {
	s := WellSample{
		ID: e.id("ID"), Timepoint: e.time("Timepoint"),
		X: e.quantity("PositionX", ReferenceFrame),
		Y: e.quantity("PositionY", ReferenceFrame),
	}
	e.children(func(c *element) {
		if c.name.Local == "ImageRef" {
			s.Image = c.id("ID")
		}
		c.skip()
	})
	return s
}

func (d *decoder) run(e *element) Run {
	r := Run{
		ID: e.id("ID"), Name: e.get("Name"),
		Start: e.time("StartTime"), End: e.time("EndTime"),
		MaximumFields: e.optInt("MaximumFieldCount"),
	}
	e.children(func(c *element) {
		switch {
		case d.common(c, r.ID, &r.Description, &Details{}):
		case c.name.Local == "WellSampleRef":
			r.Samples = append(r.Samples, refTo(c))
		default:
			c.skip()
		}
	})
	return r
}
