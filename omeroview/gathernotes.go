package omeroview

import (
	"context"
	"strings"

	"omerods/internal/omero"
)

// parents are objects of one kind that may have annotations.
type parents struct {
	kind omero.Kind
	ids  []int64
}

// annotated lists everything in a pack that may have annotations, apart from
// annotations and attached files.
func (g *gathered) annotated() []parents {
	var rois, shapes, sets, files, folders []int64
	for _, f := range g.folders {
		folders = append(folders, f.ID)
	}
	for _, r := range g.rois {
		rois = append(rois, r.ID)
		for _, s := range r.Shapes {
			shapes = append(shapes, s.ID)
		}
	}
	for id, fs := range g.binaries.filesets {
		sets = append(sets, id)
		for _, e := range fs.Entries {
			files = append(files, e.File.ID)
		}
	}
	list := []parents{
		{omero.KindDataset, idsOf(g.datasets)}, {omero.KindImage, imageIDs(g.shown)}, {omero.KindROI, rois},
		{omero.KindShape, shapes}, {omero.KindFileset, sets}, {omero.KindOriginalFile, files},
		{omero.KindFolder, folders},
	}
	if g.ref.kind == omero.KindProject {
		list = append(list, parents{omero.KindProject, []int64{g.ref.id}})
	}
	return append(append(list, g.plates.annotated()...), g.taken.annotated(g.shown)...)
}

// gatherNotes asks for the annotations of everything in the pack, for the
// annotations of these and of their files, and for the sets that the tags
// belong to.
func (a *account) gatherNotes(ctx context.Context, g *gathered) error {
	var ids []int64
	ask := func(kind omero.Kind, parents omero.Selection) error {
		links, err := a.c.AnnotationLinksOf(ctx, kind, parents)
		g.links = append(g.links, links...)
		for _, l := range links {
			ids = append(ids, l.Annotation)
		}
		return err
	}
	for _, p := range g.annotated() {
		if err := ask(p.kind, g.all(p.kind, p.ids)); err != nil {
			return err
		}
	}
	planes, err := a.c.PlaneAnnotationLinks(ctx, g.images())
	if err != nil {
		return err
	}
	g.links = append(g.links, planes...)
	for _, l := range planes {
		ids = append(ids, l.Annotation)
	}
	if g.figures, err = a.c.FiguresIn(ctx, g.ref.kind, g.ref.id); err != nil {
		return err
	}
	for _, f := range g.figures {
		ids = append(ids, f.Annotation)
	}
	first, err := a.c.Annotations(ctx, ids)
	if err != nil {
		return err
	}
	ids = nil
	var about, files []int64
	for _, n := range first {
		if !own(n) {
			about, files = append(about, n.ID), append(files, n.File.ID)
		}
	}
	if err := ask(omero.KindAnnotation, omero.These(about)); err != nil {
		return err
	}
	if err := ask(omero.KindOriginalFile, omero.These(files)); err != nil {
		return err
	}
	sets, err := a.c.TagSetLinks(ctx, append(about, ids...))
	if err != nil {
		return err
	}
	g.links = append(g.links, sets...)
	for _, l := range sets {
		ids = append(ids, l.Parent)
	}
	second, err := a.c.Annotations(ctx, ids)
	if err != nil {
		return err
	}
	g.keep(append(first, second...))
	return nil
}

// keep takes the annotations that belong into the pack, and the links whose
// ends are both in it, each once: they may have come by both ends.
func (g *gathered) keep(notes []omero.Annotation) {
	in := make(map[int64]bool, len(notes))
	for _, n := range notes {
		if in[n.ID] || own(n) || n.Kind == omero.FileAnnotation && n.File.ID == 0 {
			continue
		}
		in[n.ID] = true
		g.notes = append(g.notes, n)
	}
	links := g.links
	g.links = nil
	seen := make(map[packRef]bool)
	for _, l := range links {
		if !in[l.Annotation] || l.Kind == omero.KindAnnotation && !in[l.Parent] || seen[packRef{kind: l.Kind, id: l.ID}] {
			continue
		}
		seen[packRef{kind: l.Kind, id: l.ID}] = true
		g.links = append(g.links, l)
	}
}

// own says whether an annotation is our bookkeeping.
func own(n omero.Annotation) bool { return strings.HasPrefix(n.Namespace, OwnNamespaces) }
