package omeroview

import (
	"context"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// fileOf is the new file of a file annotation, 0 when the pack came without
// it. Annotations of one file share it.
func (f *finisher) fileOf(a *pack.Annotation) int64 {
	if id := f.spec.Files[a.ID]; id != 0 || a.File == nil {
		return id
	}
	for id, file := range f.spec.Files {
		if b := f.notes[id]; b != nil && b.File != nil && b.File.Path == a.File.Path {
			return file
		}
	}
	return 0
}

// annotated says whether anything of a kind has an annotation in the pack.
func (f *finisher) annotated(kind string) bool {
	for _, l := range f.spec.Document.Links {
		if l.From.Kind() == kind {
			return true
		}
	}
	return false
}

// findShapes finds the new shapes, if any has annotations.
func (f *finisher) findShapes(ctx context.Context) error {
	if !f.annotated(pack.KindShape) {
		return nil
	}
	var rois []int64
	for i := range f.spec.Document.ROIs {
		if ref, ok := f.at[f.spec.Document.ROIs[i].ID]; ok {
			rois = append(rois, ref.ID())
		}
	}
	shapes, err := f.client.ShapesOf(ctx, rois)
	if err != nil {
		return err
	}
	for i := range f.spec.Document.ROIs {
		r := &f.spec.Document.ROIs[i]
		now := shapes[f.at[r.ID].ID()]
		if len(now) != len(r.Shapes) {
			continue
		}
		for j := range r.Shapes {
			f.at[r.Shapes[j].ID] = omero.Existing(omero.KindShape, now[j])
		}
	}
	return nil
}
