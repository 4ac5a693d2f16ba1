package omeroview

import (
	"context"
	"maps"
	"slices"
	"strings"

	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/transfer"
)

// commit makes all containers, all links and the record of the load in one
// call, so that there is no half of it. A plate in no screen is there already
// with all that the pack says of it, and hidden: with the record it shows.
func (f *finisher) commit(ctx context.Context) (transfer.Finished, error) {
	doc := f.spec.Document
	b := f.client.NewBatch()
	made := map[pack.ID]omero.Ref{}
	top := pack.ID("")
	for _, p := range doc.Projects {
		made[p.ID] = b.Container(omero.KindProject, f.nameOf(p.ID, p.Name, pack.KindProject), p.Description)
		if top == "" && f.spec.Kind == pack.KindProject {
			top = p.ID
		}
	}
	for _, d := range doc.Datasets {
		made[d.ID] = b.Container(omero.KindDataset, f.nameOf(d.ID, d.Name, pack.KindDataset), d.Description)
		if top == "" && f.spec.Kind == pack.KindDataset {
			top = d.ID
		}
	}
	for _, p := range doc.Projects {
		for _, id := range p.Datasets {
			if r, ok := made[id]; ok {
				b.Link(made[p.ID], r)
			}
		}
	}
	for _, d := range doc.Datasets {
		for _, id := range d.Images {
			if image, ok := f.spec.Images[id]; ok {
				b.Link(made[d.ID], omero.Existing(omero.KindImage, image))
			}
		}
	}
	f.screens(b, made)
	if f.spec.Kind == pack.KindScreen && len(doc.Screens) > 0 {
		top = doc.Screens[0].ID
	}
	f.makeFolders(b, made)
	for _, l := range doc.Links {
		object, isMade := made[l.From]
		note, known := f.refs[l.To]
		if isMade && known {
			b.Annotate(object, note)
		}
	}
	if f.parent != (omero.Ref{}) && top != "" {
		b.Link(f.parent, made[top])
	}
	record, shown := b.Annotation(f.loadRecord()), f.recorded()
	if top != "" {
		b.Annotate(made[top], record)
	} else {
		for _, r := range shown {
			b.Annotate(r, record)
		}
	}
	saved, err := f.client.Save(ctx, b)
	if err != nil {
		return transfer.Finished{}, err
	}
	out := transfer.Finished{Kind: f.spec.Kind, New: map[pack.ID]int64{}}
	for id, r := range made {
		out.New[id] = saved.ID(r)
	}
	for id, n := range f.spec.Images {
		out.New[id] = n
	}
	for _, ids := range []map[pack.ID]int64{f.parts.plates, f.parts.runs, f.parts.wells} {
		maps.Copy(out.New, ids)
	}
	switch {
	case top != "":
		out.ID = out.New[top]
	case len(shown) > 0:
		out.ID = shown[0].ID()
	}
	return out, nil
}

// nameOf is the name of a container: the top one of the place is called as
// its folder says.
func (f *finisher) nameOf(id pack.ID, name, kind string) string {
	first := pack.ID("")
	switch {
	case kind != f.spec.Kind:
	case kind == pack.KindProject:
		first = f.spec.Document.Projects[0].ID
	case kind == pack.KindDataset:
		first = f.spec.Document.Datasets[0].ID
	case kind == pack.KindScreen:
		first = f.spec.Document.Screens[0].ID
	case kind == pack.KindPlate:
		first = f.spec.Document.Plates[0].ID
	}
	if id == first && f.spec.TopName != "" {
		return f.spec.TopName
	}
	return name
}

// images are the new images by their id.
func (f *finisher) images() []int64 {
	var ids []int64
	for _, id := range f.spec.Images {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func toROI(r *pack.ROI) omero.ROI {
	out := omero.ROI{Name: r.Name, Description: r.Description}
	for i := range r.Shapes {
		out.Shapes = append(out.Shapes, toShape(&r.Shapes[i]))
	}
	return out
}

func toShape(s *pack.Shape) omero.Shape {
	out := omero.Shape{
		Kind: omero.ShapeKind(s.Kind),
		X:    s.X, Y: s.Y, Width: s.Width, Height: s.Height, RadiusX: s.RadiusX, RadiusY: s.RadiusY,
		X1: s.X1, Y1: s.Y1, X2: s.X2, Y2: s.Y2, Points: s.Points, D: s.D, Bits: s.Bits,
		MarkerStart: s.MarkerStart, MarkerEnd: s.MarkerEnd,
		TheZ: s.TheZ, TheT: s.TheT, TheC: s.TheC,
		Text: s.Text, Fill: s.Fill, FillRule: s.FillRule, Stroke: s.Stroke, StrokeDash: s.StrokeDash,
		StrokeWidth: toQuantity(s.StrokeWidth), FontSize: toQuantity(s.FontSize), FontFamily: s.FontFamily,
		FontStyle: s.FontStyle, Locked: s.Locked,
	}
	for _, m := range s.Null {
		out.Null = append(out.Null, strings.ToLower(m[:1])+m[1:])
	}
	if s.Transform != nil {
		t := omero.Transform(*s.Transform)
		out.Transform = &t
	}
	return out
}

func toQuantity(q *pack.Quantity) *omero.Quantity {
	if q == nil {
		return nil
	}
	return &omero.Quantity{Value: q.Value, Unit: q.Unit}
}
