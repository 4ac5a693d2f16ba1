package omeroview

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"omerods/internal/omero"
)

// dropImported removes the regions, and for packs of ours the annotations,
// that the import itself has made of what the files say: the pack has them as
// they were in OMERO, perhaps changed. What others have drawn or written
// meanwhile is theirs.
func (f *finisher) dropImported(ctx context.Context) error {
	images := f.images()
	rois, err := f.client.ROIs(ctx, images)
	if err != nil {
		return err
	}
	doomed := map[omero.Kind][]int64{}
	for _, r := range rois {
		if r.Owner == f.client.Who().User {
			doomed[omero.KindROI] = append(doomed[omero.KindROI], r.ID)
		}
	}
	if len(doomed) > 0 {
		if _, err := f.client.Delete(ctx, doomed, omero.DeleteOptions{}); err != nil {
			return err
		}
	}
	if !f.spec.Ours {
		return nil
	}
	return f.dropNotes(ctx, omero.KindImage, images)
}

// dropPartNotes removes the annotations that an import has made of planes,
// channels, instruments and their parts, before any of these is given up.
func (f *finisher) dropPartNotes(ctx context.Context, t *taken, images []int64) error {
	links, err := f.client.PlaneAnnotationLinks(ctx, omero.These(images))
	if err != nil {
		return err
	}
	all := make([]omero.Image, len(images))
	for i, id := range images {
		all[i].ID = id
	}
	for _, p := range t.annotated(all) {
		more, err := f.client.AnnotationLinks(ctx, p.kind, p.ids)
		if err != nil {
			return err
		}
		links = append(links, more...)
	}
	return f.dropLinked(ctx, links)
}

// dropNotes removes the annotations of some objects but for the mark of the
// load.
func (f *finisher) dropNotes(ctx context.Context, kind omero.Kind, objects []int64) error {
	links, err := f.client.AnnotationLinks(ctx, kind, objects)
	if err != nil {
		return err
	}
	return f.dropLinked(ctx, links)
}

// dropLinked removes what these links lead to, as far as the import has made
// it: annotations of the user that are not older than the filesets and that
// nothing else has. A script may have put a tag on what has just come.
func (f *finisher) dropLinked(ctx context.Context, links []omero.AnnotationLink) error {
	if len(links) == 0 {
		return nil
	}
	since, err := f.imported(ctx)
	if err != nil {
		return err
	}
	ids := make([]int64, len(links))
	for i, l := range links {
		ids[i] = l.Annotation
	}
	notes, err := f.client.Annotations(ctx, ids)
	if err != nil {
		return err
	}
	me := f.client.Who().User
	made := map[int64]omero.Kind{}
	for _, a := range notes {
		if a.Namespace != LoadingNamespace && a.Owner == me && !a.Created.Before(since) {
			made[a.ID] = omero.Kind(a.Kind)
		}
	}
	if len(made) == 0 {
		return nil
	}
	links = slices.DeleteFunc(links, func(l omero.AnnotationLink) bool { return made[l.Annotation] == "" || l.Owner != me })
	if err := f.client.Unannotate(ctx, links); err != nil {
		return err
	}
	free, err := f.client.UnlinkedAnnotations(ctx, slices.Sorted(maps.Keys(made)))
	if err != nil || len(free) == 0 {
		return err
	}
	doomed := map[omero.Kind][]int64{}
	for _, id := range free {
		doomed[made[id]] = append(doomed[made[id]], id)
	}
	_, err = f.client.Delete(ctx, doomed, omero.DeleteOptions{})
	return err
}

// imported is when the first fileset of the load was begun, by the server's
// clock: nothing that its imports have made is older.
func (f *finisher) imported(ctx context.Context) (time.Time, error) {
	images, err := f.client.ImagesByID(ctx, f.images())
	if err != nil {
		return time.Time{}, err
	}
	sets := make([]int64, len(images))
	for i, im := range images {
		sets[i] = im.Fileset
	}
	filesets, err := f.client.Filesets(ctx, sets)
	if err != nil {
		return time.Time{}, err
	}
	if len(filesets) == 0 {
		return time.Time{}, errors.New("the filesets of the load are not there any more")
	}
	return slices.MinFunc(filesets, func(a, b omero.Fileset) int { return a.Created.Compare(b.Created) }).Created, nil
}
