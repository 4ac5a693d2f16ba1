package pack

func (e *encoder) plates() {
	for i := range e.doc.Plates {
		p, _ := tamePlate(&e.doc.Plates[i])
		e.x.start("Plate")
		plateAttrs(e.x, &p, e.name)
		e.x.element("Description", p.Description)
		index := int64(0)
		for j := range p.Wells {
			e.well(&p.Wells[j], &index)
		}
		e.refList("AnnotationRef", e.refs[p.ID])
		record := e.plateRecord(i)
		e.ref("AnnotationRef", record)
		e.ref("AnnotationRef", nextID(record))
		for j := range p.Runs {
			e.run(&p.Runs[j])
		}
		e.x.end()
	}
}

func plateAttrs(x *xmlWriter, p *Plate, name func(string, ID)) {
	x.attr("ID", string(p.ID))
	name(p.Name, p.ID)
	x.optional("Status", p.Status)
	x.optional("ExternalIdentifier", p.ExternalIdentifier)
	x.optional("ColumnNamingConvention", p.ColumnNaming)
	x.optional("RowNamingConvention", p.RowNaming)
	x.quantity("WellOriginX", p.OriginX)
	x.quantity("WellOriginY", p.OriginY)
	x.optInt("Rows", p.Rows)
	x.optInt("Columns", p.Columns)
	x.optInt("FieldIndex", p.DefaultField)
}

// well writes one well; index counts the samples of the plate.
func (e *encoder) well(w *Well, index *int64) {
	x := e.x
	x.start("Well")
	x.attr("ID", string(w.ID))
	x.int("Column", int64(w.Column))
	x.int("Row", int64(w.Row))
	x.optional("ExternalDescription", w.ExternalDescription)
	x.optional("ExternalIdentifier", w.ExternalIdentifier)
	x.optional("Type", w.Type)
	x.color("Color", w.Color)
	for i := range w.Samples {
		s := &w.Samples[i]
		x.start("WellSample")
		x.attr("ID", string(s.ID))
		x.quantity("PositionX", s.X)
		x.quantity("PositionY", s.Y)
		x.time("Timepoint", s.Timepoint)
		x.int("Index", *index)
		*index++
		if s.Image != "" {
			e.ref("ImageRef", s.Image)
		}
		x.end()
	}
	for _, r := range w.Reagents {
		if e.reagents[r] {
			e.ref("ReagentRef", r) // the schema allows of one
			break
		}
	}
	e.refList("AnnotationRef", e.refs[w.ID])
	x.end()
}

// reagentsShown reports whether the OME element of a well has all its reagents.
func (e *encoder) reagentsShown(w *Well) bool {
	return len(w.Reagents) == 0 || len(w.Reagents) == 1 && e.reagents[w.Reagents[0]]
}

func (e *encoder) run(r *Run) {
	x := e.x
	x.start("PlateAcquisition")
	x.attr("ID", string(r.ID))
	x.optional("Name", r.Name)
	x.time("EndTime", r.End)
	x.time("StartTime", r.Start)
	if positive(r.MaximumFields) {
		x.optInt("MaximumFieldCount", r.MaximumFields)
	}
	x.element("Description", r.Description)
	e.refList("WellSampleRef", r.Samples)
	e.refList("AnnotationRef", e.refs[r.ID])
	x.end()
}

// platePath is the path by which readers find the plate that an import made,
// among all whose files were somewhere below it. They import below a "." where
// the pack begins; with it, the path is of no plate but those of a pack. It is
// that of its last image. Readers stumble over a plate without one; that of a
// plate without images is a path that no import has, so that they make a plate.
func (e *encoder) platePath(p *Plate) string {
	for i := len(p.Wells) - 1; i >= 0; i-- {
		for j := len(p.Wells[i].Samples) - 1; j >= 0; j-- {
			if im := e.images[p.Wells[i].Samples[j].Image]; im != nil {
				return "./" + e.path(im)
			}
		}
	}
	return TransferXML
}
