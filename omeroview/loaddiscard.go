package omeroview

import (
	"context"
	"errors"
	"slices"
	"time"

	"omerods/internal/omero"
)

// loadingMark is the annotation that hides what is being loaded.
func loadingMark(kind, load string) omero.Annotation {
	return omero.Annotation{
		Kind: omero.CommentAnnotation, Namespace: LoadingNamespace, Description: load,
		Text: "omerods is loading this " + kind + "; it is removed when the load does not finish",
	}
}

// Discard implements transfer.Destination. Nothing is removed of a load that
// has its record, for it did commit, but what is left of its mark. Of others, the filesets go with their images
// and the plates that came of them or were built, and the annotations that it
// made, but for filesets of which an image has been put into a dataset or into
// another plate meanwhile.
func (d *loadDestination) Discard(ctx context.Context, load string, filesets, files []int64) error {
	ctx = d.in(ctx)
	record, err := d.client.OwnAnnotations(ctx, omero.MapAnnotation, LoadNamespace, load)
	switch {
	case err != nil:
		return err
	case len(record) > 0:
		return d.Unmark(ctx, load)
	}
	marked, err := d.client.FilesetsByInfo(ctx, omero.InfoPrefix+"load", load)
	if err != nil {
		return err
	}
	filesets = slices.Concat(filesets, marked)
	slices.Sort(filesets)
	filesets = slices.Compact(filesets)
	keep, err := d.datasetsHold(ctx, filesets)
	if err != nil {
		return err
	}
	kept := len(keep) > 0
	filesets = slices.DeleteFunc(filesets, func(id int64) bool { return keep[id] })
	// A fileset that stays keeps the plates it has images in, and these may keep
	// others.
	var plates []int64
	for {
		var held map[int64]bool
		if plates, held, err = d.client.PlatesOfFilesets(ctx, filesets); err != nil {
			return err
		}
		before := len(filesets)
		filesets = slices.DeleteFunc(filesets, func(id int64) bool { return held[id] })
		if len(filesets) == before {
			break
		}
		kept = true
	}
	built, err := d.client.MarkedPlates(ctx, LoadingNamespace, load)
	if err != nil {
		return err
	}
	linked, err := d.client.LinkedPlates(ctx, built)
	if err != nil {
		return err
	}
	for _, id := range built {
		// When something stays, its images may be in them.
		if !kept && !linked[id] && !slices.Contains(plates, id) {
			plates = append(plates, id)
		}
	}
	if kept {
		files = nil // somebody has made use of what is there
	}
	// Images in wells do not go without these, nor with them unless their whole
	// fileset does: all in one request.
	doomed := map[omero.Kind][]int64{omero.KindFileset: filesets, omero.KindPlate: plates}
	if err := d.remove(ctx, doomed); err != nil {
		return err
	}
	// Annotations that something else has got meanwhile, such as a tag, are left.
	notes, err := d.client.MarkedAnnotations(ctx, LoadingNamespace, load)
	if err != nil {
		return err
	}
	if notes, err = d.client.UnlinkedAnnotations(ctx, notes); err != nil {
		return err
	}
	return errors.Join(
		d.remove(ctx, map[omero.Kind][]int64{omero.KindAnnotation: notes}),
		d.remove(ctx, map[omero.Kind][]int64{omero.KindOriginalFile: files}),
		d.Unmark(ctx, load))
}

// remove deletes what is there of some objects.
func (d *loadDestination) remove(ctx context.Context, targets map[omero.Kind][]int64) error {
	_, err := d.client.Delete(ctx, targets, omero.DeleteOptions{})
	if errors.Is(err, omero.NotFound) {
		return nil
	}
	return err
}

// datasetsHold says of which filesets an image is in a dataset.
func (d *loadDestination) datasetsHold(ctx context.Context, filesets []int64) (map[int64]bool, error) {
	images, err := d.client.ImagesOfFilesets(ctx, filesets)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(images))
	for i, im := range images {
		ids[i] = im.ID
	}
	linked, err := d.client.LinkedImages(ctx, ids)
	if err != nil {
		return nil, err
	}
	in := map[int64]bool{}
	for _, im := range images {
		if linked[im.ID] {
			in[im.Fileset] = true
		}
	}
	return in, nil
}

// Unmark implements transfer.Destination.
func (d *loadDestination) Unmark(ctx context.Context, load string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	ids, err := d.client.OwnAnnotations(ctx, omero.CommentAnnotation, LoadingNamespace, load)
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = d.client.Delete(ctx, map[omero.Kind][]int64{omero.Kind(omero.CommentAnnotation): ids}, omero.DeleteOptions{})
	return err
}
