package omeroview

import (
	"context"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// build makes a plate with everything in it, in requests of bounded size. The
// first makes the plate with a mark that keeps it out of sight, and by which it
// is found when the load fails.
func (f *finisher) build(ctx context.Context, p *pack.Plate) error {
	b := f.client.NewBatch()
	plate := b.Plate(f.plateOf(p, omero.Plate{}))
	b.Annotate(plate, b.Annotation(loadingMark("plate", f.spec.Load)))
	runs := make([]omero.Ref, len(p.Runs))
	for i := range p.Runs {
		runs[i] = b.Run(plate, runOf(&p.Runs[i], omero.Run{}))
	}
	saved, err := f.client.Save(ctx, b)
	if err != nil {
		return err
	}
	f.parts.plates[p.ID] = saved.ID(plate)
	plate = omero.Existing(omero.KindPlate, saved.ID(plate))
	number := runNumbers(p)
	for i := range p.Runs {
		f.parts.runs[p.Runs[i].ID] = saved.ID(runs[i])
		runs[i] = omero.Existing(omero.KindRun, saved.ID(runs[i]))
	}

	b = f.client.NewBatch()
	refs, size := map[pack.ID]omero.Ref{}, 0
	save := func() error {
		saved, err := f.client.Save(ctx, b)
		if err != nil {
			return err
		}
		for id, r := range refs {
			f.parts.wells[id] = saved.ID(r)
		}
		b, refs, size = f.client.NewBatch(), map[pack.ID]omero.Ref{}, 0
		return nil
	}
	for _, w := range byPlace(p) {
		var fields []omero.NewField
		for _, s := range f.samples(w) {
			field := omero.NewField{Field: fieldOf(s, omero.Field{}), Image: omero.Existing(omero.KindImage, f.spec.Images[s.Image])}
			if n := number[s.ID]; n > 0 {
				field.Run = runs[n-1]
			}
			fields = append(fields, field)
		}
		if size > 0 && size+1+len(fields) > batchSize {
			if err := save(); err != nil {
				return err
			}
		}
		refs[w.ID] = b.Well(plate, wellOf(w, omero.Well{}), fields)
		size += 1 + len(fields)
	}
	return save()
}

// plateOf is what a plate is to be. Of packs of others only the name and the
// description are known; a plate that was built for one has as many rows and
// columns as its wells need.
func (f *finisher) plateOf(p *pack.Plate, have omero.Plate) omero.Plate {
	out := have
	out.Kind, out.Name, out.Description = omero.KindPlate, f.nameOf(p.ID, p.Name, pack.KindPlate), p.Description
	if !f.spec.Ours {
		if have.ID == 0 {
			out.Rows, out.Columns = p.Rows, p.Columns
			needRows, needColumns := 1, 1
			for _, w := range p.Wells {
				needRows, needColumns = max(needRows, w.Row+1), max(needColumns, w.Column+1)
			}
			if out.Rows == nil {
				out.Rows = &needRows
			}
			if out.Columns == nil {
				out.Columns = &needColumns
			}
		}
		return out
	}
	out.Rows, out.Columns, out.RowNaming, out.ColumnNaming = p.Rows, p.Columns, p.RowNaming, p.ColumnNaming
	out.OriginX, out.OriginY, out.DefaultField = toQuantity(p.OriginX), toQuantity(p.OriginY), p.DefaultField
	out.Status, out.ExternalIdentifier = p.Status, p.ExternalIdentifier
	return out
}

func runOf(r *pack.Run, have omero.Run) omero.Run {
	out := have
	out.Name, out.Description, out.Start, out.End, out.MaximumFields = r.Name, r.Description, r.Start, r.End, r.MaximumFields
	return out
}

func wellOf(w *pack.Well, have omero.Well) omero.Well {
	out := have
	out.Row, out.Column, out.Type, out.Status, out.Color = w.Row, w.Column, w.Type, w.Status, w.Color
	out.ExternalIdentifier, out.ExternalDescription = w.ExternalIdentifier, w.ExternalDescription
	return out
}

func fieldOf(s *pack.WellSample, have omero.Field) omero.Field {
	out := have
	out.X, out.Y, out.Timepoint = toQuantity(s.X), toQuantity(s.Y), s.Timepoint
	return out
}
