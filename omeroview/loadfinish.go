package omeroview

import (
	"context"
	"errors"
	"slices"
	"strings"

	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/transfer"
)

// batchSize is how many objects one request makes at most, apart from the
// last one, which makes all containers at once.
const batchSize = 500

// finisher puts on the images of a load what its pack says, and then makes
// the containers.
type finisher struct {
	*loadDestination
	spec  transfer.FinishSpec
	notes map[pack.ID]*pack.Annotation
	// refs are the annotations as they are on the server.
	refs map[pack.ID]omero.Ref
	// reused are those of refs that were there before.
	reused map[pack.ID]bool
	// at are the other objects that exist before the commit and may be annotated.
	at map[pack.ID]omero.Ref
	// figures are the new descriptions of figures.
	figures map[pack.ID]string
	// left is what could not be restored, for the record of the load.
	left []string
	// parts are the plates of the pack with what they consist of.
	parts plateIDs
	// reagents are those that wells hold and that exist already.
	reagents map[pack.ID]omero.Ref
}

// Finish implements transfer.Destination.
func (d *loadDestination) Finish(ctx context.Context, spec transfer.FinishSpec) (transfer.Finished, bool, error) {
	ctx = d.in(ctx)
	f := &finisher{
		loadDestination: d, spec: spec, notes: map[pack.ID]*pack.Annotation{}, refs: map[pack.ID]omero.Ref{},
		at: map[pack.ID]omero.Ref{}, reused: map[pack.ID]bool{},
	}
	if err := f.prepare(ctx); err != nil {
		return transfer.Finished{}, true, err
	}
	made, err := f.commit(ctx)
	var failure *omero.Error
	switch {
	case err == nil:
	case errors.As(err, &failure) && failure.Unsure, ctx.Err() != nil: // who stops waiting learns no more either
		id, found, ferr := f.findLoad(ctx, spec.Load, omero.Kind(spec.Kind))
		if ferr != nil || !found {
			return transfer.Finished{}, false, loadError("say whether the objects were made", errors.Join(err, ferr))
		}
		made = transfer.Finished{Kind: spec.Kind, ID: id, New: f.newDatasets(ctx, id)}
	default:
		return transfer.Finished{}, true, loadError("make the objects", err)
	}
	made.Note = f.restoreDatasetColumns(ctx, made.New)
	// Objects that have their record show in spite of the mark.
	made.Marked = f.Unmark(ctx, spec.Load) != nil
	return made, true, nil
}

// prepare does everything that shows nowhere until the commit.
func (f *finisher) prepare(ctx context.Context) error {
	for i := range f.spec.Document.Annotations {
		a := &f.spec.Document.Annotations[i]
		f.notes[a.ID] = a
	}
	for id, n := range f.spec.Images {
		f.at[id] = omero.Existing(omero.KindImage, n)
	}
	if err := f.restoreImages(ctx); err != nil {
		return loadError("describe the images", err)
	}
	if err := f.bringPlates(ctx); err != nil {
		return loadError("make the plates", err)
	}
	if err := f.findReagents(ctx); err != nil {
		return loadError("look for reagents", err)
	}
	if err := f.dropImported(ctx); err != nil {
		return loadError("remove what the import made of the files", err)
	}
	if err := f.findFiles(ctx); err != nil {
		return loadError("find the files", err)
	}
	if err := f.restoreRenderings(ctx); err != nil {
		return loadError("restore the rendering settings", err)
	}
	if err := f.reuseTags(ctx); err != nil {
		return loadError("look for tags", err)
	}
	if err := f.rewriteFigures(ctx); err != nil {
		return loadError("point the figures at the new images", err)
	}
	if err := f.makeAnnotations(ctx); err != nil {
		return loadError("make the annotations", err)
	}
	if err := f.makeROIs(ctx); err != nil {
		return loadError("make the regions of interest", err)
	}
	if err := f.linkAnnotations(ctx); err != nil {
		return loadError("annotate the images", err)
	}
	if err := f.restoreTables(ctx); err != nil {
		return loadError("point the tables at the new objects", err)
	}
	return nil
}

// makeAnnotations makes all annotations that do not exist yet, unlinked.
func (f *finisher) makeAnnotations(ctx context.Context) error {
	used := f.used()
	var todo []*pack.Annotation
	for i := range f.spec.Document.Annotations {
		a := &f.spec.Document.Annotations[i]
		if _, have := f.refs[a.ID]; have || !used[a.ID] && a.Namespace != pack.FigureNamespace || strings.HasPrefix(a.Namespace, "omerods/") {
			continue
		}
		if a.Kind == pack.FileAnnotation && f.fileOf(a) == 0 {
			continue // a pack without its files, such as one of metadata only
		}
		todo = append(todo, a)
	}
	for part := range slices.Chunk(todo, batchSize) {
		b := f.client.NewBatch()
		refs := make([]omero.Ref, len(part))
		// Until it is linked to something nothing else tells whose it is.
		mark := b.Annotation(loadingMark("annotation", f.spec.Load))
		for i, a := range part {
			refs[i] = b.Annotation(f.annotation(a))
			b.Annotate(refs[i], mark)
		}
		saved, err := f.client.Save(ctx, b)
		if err != nil {
			return err
		}
		for i, a := range part {
			kind := omero.Kind(annotationClass[a.Kind])
			f.refs[a.ID] = omero.Existing(kind, saved.ID(refs[i]))
		}
	}
	return nil
}

// annotationClass names the classes of OMERO for the kinds of packs.
var annotationClass = map[pack.AnnotationKind]omero.AnnotationKind{
	pack.MapAnnotation: omero.MapAnnotation, pack.TagAnnotation: omero.TagAnnotation,
	pack.CommentAnnotation: omero.CommentAnnotation, pack.XMLAnnotation: omero.XMLAnnotation,
	pack.TermAnnotation: omero.TermAnnotation, pack.FileAnnotation: omero.FileAnnotation,
	pack.LongAnnotation: omero.LongAnnotation, pack.DoubleAnnotation: omero.DoubleAnnotation,
	pack.BooleanAnnotation: omero.BooleanAnnotation, pack.TimestampAnnotation: omero.TimestampAnnotation,
	pack.ListAnnotation: omero.ListAnnotation,
}

func (f *finisher) annotation(a *pack.Annotation) omero.Annotation {
	out := omero.Annotation{
		Kind: annotationClass[a.Kind], Namespace: a.Namespace, Name: a.Name, Description: a.Description,
		Text: a.Text, Long: a.Long, Double: a.Double, Bool: a.Bool, Time: a.Time, Null: a.Null,
	}
	for _, p := range a.Pairs {
		out.Pairs = append(out.Pairs, omero.Pair{Key: p.Key, Value: p.Value})
	}
	if a.Kind == pack.FileAnnotation {
		out.File.ID = f.fileOf(a)
		if text, ok := f.figures[a.ID]; ok {
			out.Description = text
		}
	}
	return out
}

// makeROIs draws the regions on the new images.
func (f *finisher) makeROIs(ctx context.Context) error {
	byID := map[pack.ID]*pack.ROI{}
	for i := range f.spec.Document.ROIs {
		byID[f.spec.Document.ROIs[i].ID] = &f.spec.Document.ROIs[i]
	}
	var todo []drawing
	for _, im := range f.spec.Document.Images {
		for _, id := range im.ROIs {
			if roi, image := byID[id], f.spec.Images[im.ID]; roi != nil && image != 0 {
				todo = append(todo, drawing{image, roi})
			}
		}
	}
	for part := range drawn(todo) {
		b := f.client.NewBatch()
		refs := make([]omero.Ref, len(part))
		for i, d := range part {
			refs[i] = b.ROI(omero.Existing(omero.KindImage, d.image), toROI(d.roi))
		}
		saved, err := f.client.Save(ctx, b)
		if err != nil {
			return err
		}
		for i, d := range part {
			f.at[d.roi.ID] = omero.Existing(omero.KindROI, saved.ID(refs[i]))
		}
	}
	return f.findShapes(ctx)
}

// linkAnnotations links annotations to what is there and to each other. Links
// to containers are part of the commit.
func (f *finisher) linkAnnotations(ctx context.Context) error {
	inSet, err := f.setMembers(ctx)
	if err != nil {
		return err
	}
	type pair struct{ object, note omero.Ref }
	var todo []pair
	// Two people may have given an object the same tag, or tags of one text.
	seen := map[pair]bool{}
	for _, l := range f.spec.Document.Links {
		note, ok := f.refs[l.To]
		if !ok {
			continue
		}
		object, ok := f.at[l.From]
		if !ok {
			if object, ok = f.refs[l.From]; !ok || f.reused[l.From] && !f.isMember(l) || inSet[pair{object, note}] {
				continue
			}
		}
		if p := (pair{object, note}); !seen[p] {
			seen[p] = true
			todo = append(todo, p)
		}
	}
	for part := range slices.Chunk(todo, batchSize) {
		b := f.client.NewBatch()
		for _, p := range part {
			b.Annotate(p.object, p.note)
		}
		if _, err := f.client.Save(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// setMembers are the links from tag sets to tags that exist already.
func (f *finisher) setMembers(ctx context.Context) (map[struct{ object, note omero.Ref }]bool, error) {
	tag := omero.Kind(omero.TagAnnotation)
	var members []int64
	for id, a := range f.notes {
		if ref, ok := f.refs[id]; ok && a.Kind == pack.TagAnnotation {
			members = append(members, ref.ID())
		}
	}
	links, err := f.client.TagSetLinks(ctx, members)
	if err != nil {
		return nil, err
	}
	in := map[struct{ object, note omero.Ref }]bool{}
	for _, l := range links {
		in[struct{ object, note omero.Ref }{omero.Existing(tag, l.Parent), omero.Existing(tag, l.Annotation)}] = true
	}
	return in, nil
}
