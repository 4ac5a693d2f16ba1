package omeroview

import (
	"omerods/internal/omero"
	"omerods/internal/pack"
)

// notesOfReagents lists the annotations of a screen's own reagents.
func (b *documenter) notesOfReagents(p packRef) (notes []int64) {
	if b.g.plates == nil || p.kind != omero.KindScreen {
		return nil
	}
	for _, r := range b.g.plates.reagents {
		if r.Screen == p.id {
			notes = append(notes, b.owners[packRef{kind: omero.KindReagent, id: r.ID}]...)
		}
	}
	return notes
}

// notesOfPlate lists the annotations of a plate's runs, its wells and what these
// hold.
func (b *documenter) notesOfPlate(p packRef) (notes []int64) {
	g := b.g.plates
	if g == nil || p.kind != omero.KindPlate {
		return nil
	}
	for _, r := range g.runs {
		if r.Plate == p.id {
			notes = append(notes, b.owners[packRef{kind: omero.KindRun, id: r.ID}]...)
		}
	}
	in := make(map[int64]bool)
	for _, w := range g.wells {
		if w.Plate == p.id {
			in[w.ID] = true
			notes = append(notes, b.owners[packRef{kind: omero.KindWell, id: w.ID}]...)
		}
	}
	for _, h := range g.held {
		if in[h.Parent] {
			notes = append(notes, b.owners[packRef{kind: omero.KindReagent, id: h.ID}]...)
		}
	}
	return notes
}

// platesAndScreens describes screens and plates with all in them.
func (b *documenter) platesAndScreens() {
	g := b.g.plates
	if g == nil {
		return
	}
	var screen []pack.Reagent
	for _, r := range g.reagents {
		out := pack.Reagent{ID: pack.NewID(pack.KindReagent, r.ID), Name: r.Name, Description: r.Description, Identifier: r.Identifier,
			Details: b.details(r.Meta)}
		if g.screen != nil && r.Screen == g.screen.ID {
			screen = append(screen, out)
			continue
		}
		out.Screen = pack.NewID(pack.KindScreen, r.Screen)
		b.doc.Reagents = append(b.doc.Reagents, out)
	}
	if s := g.screen; s != nil {
		out := pack.Screen{ID: pack.NewID(pack.KindScreen, s.ID), Name: s.Name, Description: s.Description, Type: s.Type,
			ProtocolIdentifier: s.ProtocolIdentifier, ProtocolDescription: s.ProtocolDescription,
			ReagentSetIdentifier: s.ReagentSetIdentifier, ReagentSetDescription: s.ReagentSetDescription,
			Reagents: screen, Details: b.details(s.Meta)}
		for _, p := range g.plates {
			out.Plates = append(out.Plates, pack.NewID(pack.KindPlate, p.ID))
		}
		b.doc.Screens = []pack.Screen{out}
	}
	parts := b.plateParts()
	for _, p := range g.plates {
		out := pack.Plate{ID: pack.NewID(pack.KindPlate, p.ID), Name: p.Name, Description: p.Description, Status: p.Status,
			ExternalIdentifier: p.ExternalIdentifier, RowNaming: p.RowNaming, ColumnNaming: p.ColumnNaming, Rows: p.Rows, Columns: p.Columns,
			OriginX: packQuantity(p.OriginX), OriginY: packQuantity(p.OriginY), DefaultField: p.DefaultField, Details: b.details(p.Meta),
			Wells: parts.wells[p.ID], Runs: parts.runs[p.ID]}
		b.doc.Plates = append(b.doc.Plates, out)
	}
}

// plateParts are the wells and runs of plates, by plate.
type plateParts struct {
	wells map[int64][]pack.Well
	runs  map[int64][]pack.Run
}

func (b *documenter) plateParts() plateParts {
	g := b.g.plates
	held := make(map[int64][]pack.ID)
	for _, h := range g.held {
		held[h.Parent] = append(held[h.Parent], pack.NewID(pack.KindReagent, h.ID))
	}
	there := make(map[int64]bool, len(b.g.shown))
	for _, im := range b.g.shown {
		there[im.ID] = b.hasFile(im)
	}
	samples, taken := make(map[int64][]pack.WellSample), make(map[int64][]pack.ID)
	for _, f := range g.fields {
		s := pack.WellSample{ID: pack.NewID(pack.KindWellSample, f.ID), X: packQuantity(f.X), Y: packQuantity(f.Y), Timepoint: f.Timepoint}
		if there[f.Image] {
			s.Image = pack.NewID(pack.KindImage, f.Image)
		}
		samples[f.Well] = append(samples[f.Well], s)
		if f.Run != 0 {
			taken[f.Run] = append(taken[f.Run], s.ID)
		}
	}
	parts := plateParts{wells: make(map[int64][]pack.Well), runs: make(map[int64][]pack.Run)}
	for _, w := range g.wells {
		parts.wells[w.Plate] = append(parts.wells[w.Plate], pack.Well{ID: pack.NewID(pack.KindWell, w.ID), Row: w.Row, Column: w.Column, Type: w.Type,
			Status: w.Status, ExternalIdentifier: w.ExternalIdentifier, ExternalDescription: w.ExternalDescription, Color: w.Color,
			Reagents: held[w.ID], Samples: samples[w.ID], Details: b.details(w.Meta)})
	}
	for _, r := range g.runs {
		parts.runs[r.Plate] = append(parts.runs[r.Plate], pack.Run{ID: pack.NewID(pack.KindRun, r.ID), Name: r.Name, Description: r.Description,
			Start: r.Start, End: r.End, MaximumFields: r.MaximumFields, Samples: taken[r.ID], Details: b.details(r.Meta)})
	}
	return parts
}
