package omeroview

import (
	"cmp"
	"slices"
	"strings"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

func (b *documenter) details(m omero.Meta) pack.Details {
	return pack.Details{Owner: pack.NewID(pack.KindUser, m.Owner), Group: pack.NewID(pack.KindGroup, m.Group),
		Created: m.Created, Updated: m.Updated, Permissions: b.perms[m.Group]}
}

func (b *documenter) people() {
	for _, u := range b.g.users {
		b.doc.Users = append(b.doc.Users, pack.User{ID: pack.NewID(pack.KindUser, u.ID), Login: u.Name, FirstName: u.First,
			MiddleName: u.Middle, LastName: u.Last, Email: u.Email, Institution: u.Institution})
	}
	for _, g := range b.g.groups {
		b.doc.Groups = append(b.doc.Groups, pack.Group{ID: pack.NewID(pack.KindGroup, g.ID), Name: g.Name,
			Description: g.Description, Permissions: g.Permissions})
	}
}

func (b *documenter) containers() {
	o := b.g.object
	b.doc.Origin.Object = pack.NewID(string(b.g.ref.kind), o.ID)
	b.doc.Origin.Name = o.Name
	b.doc.Origin.Owner = pack.NewID(pack.KindUser, o.Owner)
	b.doc.Origin.Group = pack.NewID(pack.KindGroup, o.Group)
	if b.g.ref.kind == omero.KindProject {
		p := pack.Project{ID: pack.NewID(pack.KindProject, o.ID), Name: o.Name, Description: o.Description, Details: b.details(o.Meta)}
		for _, d := range b.g.datasets {
			p.Datasets = append(p.Datasets, pack.NewID(pack.KindDataset, d.ID))
		}
		b.doc.Projects = []pack.Project{p}
	}
	for _, d := range b.g.datasets {
		ds := pack.Dataset{ID: pack.NewID(pack.KindDataset, d.ID), Name: d.Name, Description: d.Description, Details: b.details(d.Meta)}
		for _, im := range b.in[d.ID] {
			if b.hasFile(im) {
				ds.Images = append(ds.Images, pack.NewID(pack.KindImage, im.ID))
			}
		}
		b.doc.Datasets = append(b.doc.Datasets, ds)
	}
}

// hasFile says whether there is anything of the image's pixels in the pack.
func (b *documenter) hasFile(im omero.Image) bool {
	return b.g.binaries.filesets[im.Fileset] != nil || b.places[im.ID] != ""
}

func (b *documenter) images() {
	all := append(slices.Clone(b.g.shown), b.g.others...)
	slices.SortFunc(all, func(x, y omero.Image) int { return cmp.Compare(x.ID, y.ID) })
	for _, im := range all {
		if !b.hasFile(im) {
			continue
		}
		out := pack.Image{ID: pack.NewID(pack.KindImage, im.ID), Name: im.Name, Description: im.Description, Acquired: im.Acquired,
			Series: im.Series, Pixels: packPixels(b.pixels[im.ID]), Renderings: b.settings[im.ID], ROIs: b.rois[im.ID],
			Details: b.details(im.Meta)}
		if b.g.binaries.filesets[im.Fileset] != nil {
			out.Fileset = pack.NewID(pack.KindFileset, im.Fileset)
		} else {
			out.Path, out.Series = b.places[im.ID], 0
		}
		b.describeTaking(&out, b.taken[im.ID])
		b.doc.Images = append(b.doc.Images, out)
	}
}

func packPixels(p *omero.Pixels) *pack.Pixels {
	if p == nil {
		return nil
	}
	out := &pack.Pixels{SizeX: p.SizeX, SizeY: p.SizeY, SizeZ: p.SizeZ, SizeC: p.SizeC, SizeT: p.SizeT, Type: p.Type, Order: p.Order,
		SignificantBits: p.SignificantBits, SHA1: p.SHA1, PhysicalX: packQuantity(p.PhysicalX), PhysicalY: packQuantity(p.PhysicalY),
		PhysicalZ: packQuantity(p.PhysicalZ), TimeIncrement: packQuantity(p.TimeIncrement)}
	return out
}

func packRendering(r omero.Rendering) pack.Rendering {
	out := pack.Rendering{Owner: pack.NewID(pack.KindUser, r.Owner), Name: r.Name, Model: r.Model, DefaultZ: r.DefaultZ, DefaultT: r.DefaultT,
		Compression: r.Compression, CodomainStart: r.CodomainStart, CodomainEnd: r.CodomainEnd, BitResolution: r.BitResolution}
	for _, c := range r.Channels {
		out.Channels = append(out.Channels, pack.ChannelRendering{Active: c.Active, Start: c.Start, End: c.End, Family: c.Family,
			Coefficient: c.Coefficient, NoiseReduction: c.NoiseReduction, Reverse: c.Reverse, Color: c.Color, LookupTable: c.LookupTable})
	}
	return out
}

func packQuantity(q *omero.Quantity) *pack.Quantity {
	if q == nil {
		return nil
	}
	return &pack.Quantity{Value: q.Value, Unit: q.Unit}
}

func (b *documenter) filesets() {
	ids := make([]int64, 0, len(b.placed))
	for id := range b.placed {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		fs := b.g.binaries.filesets[id]
		out := pack.Fileset{ID: pack.NewID(pack.KindFileset, id), Folder: b.folders[id], Details: b.details(fs.Meta)}
		for i, e := range fs.Entries {
			out.Entries = append(out.Entries, pack.Entry{ClientPath: e.ClientPath, Path: b.filePaths[id][i],
				File: pack.NewID(pack.KindFile, e.File.ID), Size: e.File.Size, Hash: e.File.Hash, Algorithm: e.File.Hasher,
				MediaType: e.File.Mimetype, Modified: e.File.Modified})
		}
		for _, im := range fs.Images {
			out.Images = append(out.Images, pack.NewID(pack.KindImage, im))
		}
		for _, p := range b.g.info[id] {
			switch {
			case p.Key == omero.ReaderKey:
				out.Reader = p.Value
			case !strings.HasPrefix(p.Key, omero.InfoPrefix):
				out.Info = append(out.Info, pack.Pair{Key: p.Key, Value: p.Value})
			}
		}
		b.doc.Filesets = append(b.doc.Filesets, out)
	}
}

func (b *documenter) regions() {
	if len(b.g.rois) > 0 {
		b.doc.ROIs = make([]pack.ROI, 0, len(b.g.rois))
	}
	for i := range b.g.rois {
		r := &b.g.rois[i]
		out := pack.ROI{ID: pack.NewID(pack.KindROI, r.ID), Name: r.Name, Description: r.Description, Details: b.details(r.Meta)}
		if len(r.Shapes) > 0 {
			out.Shapes = make([]pack.Shape, len(r.Shapes))
		}
		for j, s := range r.Shapes {
			out.Shapes[j] = packShape(s)
		}
		r.Shapes = nil // there may be very many
		b.doc.ROIs = append(b.doc.ROIs, out)
	}
}

func packShape(s omero.Shape) pack.Shape {
	out := pack.Shape{ID: pack.NewID(pack.KindShape, s.ID), Kind: pack.ShapeKind(s.Kind), X: s.X, Y: s.Y, Width: s.Width, Height: s.Height,
		RadiusX: s.RadiusX, RadiusY: s.RadiusY, X1: s.X1, Y1: s.Y1, X2: s.X2, Y2: s.Y2, Points: s.Points, D: s.D, Bits: s.Bits,
		MarkerStart: s.MarkerStart, MarkerEnd: s.MarkerEnd, TheZ: s.TheZ, TheT: s.TheT, TheC: s.TheC, Text: s.Text, Fill: s.Fill,
		FillRule: s.FillRule, Stroke: s.Stroke, StrokeDash: s.StrokeDash, StrokeWidth: packQuantity(s.StrokeWidth),
		FontSize: packQuantity(s.FontSize), FontFamily: s.FontFamily, FontStyle: s.FontStyle, Locked: s.Locked}
	for _, m := range s.Null {
		out.Null = append(out.Null, strings.ToUpper(m[:1])+m[1:])
	}
	if t := s.Transform; t != nil {
		out.Transform = &pack.Transform{A00: t.A00, A10: t.A10, A01: t.A01, A11: t.A11, A02: t.A02, A12: t.A12}
	}
	return out
}

// annotationKinds are the pack's words for the server's classes.
var annotationKinds = map[omero.AnnotationKind]pack.AnnotationKind{
	omero.TagAnnotation: pack.TagAnnotation, omero.CommentAnnotation: pack.CommentAnnotation, omero.XMLAnnotation: pack.XMLAnnotation,
	omero.TermAnnotation: pack.TermAnnotation, omero.LongAnnotation: pack.LongAnnotation, omero.DoubleAnnotation: pack.DoubleAnnotation,
	omero.BooleanAnnotation: pack.BooleanAnnotation, omero.TimestampAnnotation: pack.TimestampAnnotation,
	omero.FileAnnotation: pack.FileAnnotation, omero.MapAnnotation: pack.MapAnnotation, omero.ListAnnotation: pack.ListAnnotation,
}

func (b *documenter) annotations() {
	notes := slices.Clone(b.g.notes)
	slices.SortFunc(notes, func(x, y omero.Annotation) int { return cmp.Compare(x.ID, y.ID) })
	in := make(map[int64]bool, len(notes))
	for _, n := range notes {
		out := pack.Annotation{ID: pack.NewID(pack.KindAnnotation, n.ID), Kind: annotationKinds[n.Kind], Namespace: n.Namespace, Name: n.Name,
			Description: n.Description, Text: n.Text, Long: n.Long, Double: n.Double, Bool: n.Bool, Time: n.Time, Null: n.Null, Details: b.details(n.Meta)}
		for _, p := range n.Pairs {
			out.Pairs = append(out.Pairs, pack.Pair{Key: p.Key, Value: p.Value})
		}
		if n.Kind == omero.FileAnnotation {
			path := b.attached[n.File.ID]
			if path == "" {
				continue
			}
			out.File = &pack.Attachment{ID: pack.NewID(pack.KindFile, n.File.ID), Name: n.File.Name, Dir: n.File.Path, Path: path,
				Size: n.File.Size, Hash: n.File.Hash, Algorithm: n.File.Hasher, MediaType: n.File.Mimetype, Modified: n.File.Modified}
		}
		in[n.ID] = true
		b.doc.Annotations = append(b.doc.Annotations, out)
	}
	objects := make(map[pack.ID]bool)
	for _, im := range b.doc.Images {
		objects[im.ID] = true
	}
	links := slices.Clone(b.g.links)
	slices.SortStableFunc(links, func(x, y omero.AnnotationLink) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Parent, y.Parent), cmp.Compare(x.ID, y.ID))
	})
	for _, l := range links {
		from := pack.NewID(packKind(l.Kind), l.Parent)
		if !in[l.Annotation] || l.Kind == omero.KindAnnotation && !in[l.Parent] || l.Kind == omero.KindImage && !objects[from] {
			continue
		}
		b.doc.Links = append(b.doc.Links, pack.Link{From: from, To: pack.NewID(pack.KindAnnotation, l.Annotation),
			By: pack.NewID(pack.KindUser, l.Owner), At: l.Created})
	}
}

// packKind is the pack's word for a class of the server.
func packKind(k omero.Kind) string {
	if k == omero.KindROI {
		return pack.KindROI
	}
	return string(k)
}
