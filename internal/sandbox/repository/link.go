package repository

import (
	"fmt"

	"omerods/internal/sandbox/store"
)

// annotate links the annotations that came with the settings to each image,
// also of a plate, which itself gets none.
func (w *writer) annotate() error {
	if w.settings.Annotate == nil {
		return nil
	}
	ids, err := w.settings.Annotate(w.a)
	if err != nil {
		return err
	}
	for _, o := range w.images {
		for _, id := range ids {
			if _, err := w.a.Create("ImageAnnotationLink", store.Values{"parent": o, "child": id}); err != nil {
				return err
			}
		}
	}
	return nil
}

// link puts what was made into the target: images into a dataset, plates into a
// screen.
func (w *writer) link() error {
	class, objects := "", w.images
	switch w.settings.TargetClass {
	case "":
		return nil
	case "Dataset":
		class = "DatasetImageLink"
	case "Screen":
		class, objects = "ScreenPlateLink", w.plates
	default:
		return &Failure{"import-request-failure", fmt.Errorf("unable to handle target: %s", w.settings.TargetClass)}
	}
	tx := w.a.Tx()
	target := tx.Get(tx.Model().Class(w.settings.TargetClass), w.settings.Target)
	if target == nil {
		return fmt.Errorf("no %s %d", w.settings.TargetClass, w.settings.Target)
	}
	if w.settings.Link != nil {
		if err := w.settings.Link(w.a, target); err != nil {
			return err
		}
	}
	for _, o := range objects {
		if _, err := w.a.Create(class, store.Values{"parent": target, "child": o}); err != nil {
			return err
		}
	}
	return nil
}
