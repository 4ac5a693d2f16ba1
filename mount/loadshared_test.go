package mount

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/store"
	"omerods/omeroview"
)

// What several people have given an object is there once after a load, and for
// tags of one text the user's own serves all of them.
func TestLinksOfSeveralPeople(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	s := w.sandbox.Store()
	dataset := w.omero("projects", "Kidney", "Confocal")
	image := s.Get("Image", w.id(dataset+"/glomerulus.ome.tiff"))
	var tag, note *store.Row
	old := w.id(dataset)
	w.as("ada", func(_ *store.Author, create func(string, store.Values) *store.Row) {
		tag = create("TagAnnotation", store.Values{"textValue": "in focus"})
		note = create("CommentAnnotation", store.Values{"textValue": "seen by both"})
		for _, n := range []*store.Row{tag, note} {
			create("ImageAnnotationLink", store.Values{"parent": image, "child": n})
			create("DatasetAnnotationLink", store.Values{"parent": old, "child": n})
		}
	})
	w.as("juergen", func(_ *store.Author, create func(string, store.Values) *store.Row) {
		other := create("TagAnnotation", store.Values{"textValue": "in focus"})
		for _, n := range []*store.Row{tag, note, other} {
			create("ImageAnnotationLink", store.Values{"parent": image, "child": n})
			create("DatasetAnnotationLink", store.Values{"parent": old, "child": n})
		}
	})
	w.mount.omeroView.Invalidate()
	saved := w.home("Confocal")
	w.run("cp", "-r", dataset, saved)
	loaded := w.omero("datasets", "Again")
	w.run("cp", "-r", saved, loaded)
	fresh := s.Get("Image", w.id(loaded+"/glomerulus.ome.tiff"))
	for _, class := range []string{"Image", "Dataset"} {
		id := fresh.ID
		if class == "Dataset" {
			id = w.id(loaded)
		}
		texts := map[string]int{}
		for _, l := range s.Collection(class, id, "annotationLinks") {
			texts[s.Get("Annotation", l.Ref("child")).Text("textValue")]++
		}
		if texts["seen by both"] != 1 || texts["in focus"] < 1 {
			t.Errorf("the new %s has %v", class, texts)
		}
	}
	w.noMarksLeft()
}

// An image that has been loaded shows even if the mark that hid it before
// could not be taken off; the next mount takes it off.
func TestMarkThatStaysHidesNothing(t *testing.T) {
	var w *world
	var broken atomic.Bool
	w = newWorld(t, sandbox.Config{OMEROFault: func(op string, _ int64) blitz.Fault {
		if broken.Load() && strings.HasSuffix(op, ".submit") {
			committed := w.sandbox.Store().Find("MapAnnotation", func(r *store.Row) bool { return r.Text("ns") == omeroview.LoadNamespace })
			if committed != nil {
				return blitz.FaultBefore
			}
		}
		return blitz.FaultNone
	}})
	images, err := os.ReadDir(w.omero("images"))
	if err != nil {
		t.Fatal(err)
	}
	saved := t.TempDir() + "/image.tar"
	w.run("cp", w.tars("images", "first light.tif.tar"), saved)
	broken.Store(true)
	w.run("cp", saved, w.tars("images", "Again.tar"))
	if marks := w.marks(); marks == 0 {
		t.Error("the mark has been taken off; this test tests nothing")
	}
	w.mount.omeroView.Invalidate()
	now, err := os.ReadDir(w.omero("images"))
	if err != nil || len(now) != len(images)+1 {
		t.Errorf("images/ has %d entries after the load, %d before: %v", len(now), len(images), err)
	}
	broken.Store(false)
	w.unmount()
	w.remount()
	eventually(t, "the mark is taken off", func() bool { return w.marks() == 0 })
	w.noMarksLeft()
}

// marks is how many annotations mark something that is being loaded.
func (w *world) marks() (n int) {
	w.sandbox.Store().Each("Annotation", func(a *store.Row) bool {
		if a.Text("ns") == omeroview.LoadingNamespace {
			n++
		}
		return true
	})
	return n
}

// A script of the user may tag whatever has just been imported: the tag is
// neither deleted with what the import has made nor taken away. One that the
// script has just made may go from the image, but not from what else has it.
func TestTagsOfScriptsStay(t *testing.T) {
	var w *world
	var tag, fresh *store.Row
	var old int64
	var armed atomic.Bool
	w = newWorld(t, sandbox.Config{OMEROFault: func(op string, _ int64) blitz.Fault {
		if !strings.HasSuffix(op, ".saveArray") && !strings.HasSuffix(op, ".saveAndReturnIds") || w == nil || w.marks() == 0 || !armed.CompareAndSwap(true, false) {
			return blitz.FaultNone
		}
		s := w.sandbox.Store()
		var newest *store.Row
		s.Each("Image", func(r *store.Row) bool {
			if newest == nil || r.ID > newest.ID {
				newest = r
			}
			return true
		})
		err := s.Write(store.Actor{User: tag.Owner, Group: tag.Group}, func(a *store.Author) error {
			var err error
			if fresh, err = a.Create("TagAnnotation", store.Values{"textValue": "made by the script"}); err != nil {
				return err
			}
			for _, n := range []*store.Row{tag, fresh} {
				if _, err := a.Create("ImageAnnotationLink", store.Values{"parent": newest, "child": n}); err != nil {
					return err
				}
			}
			_, err = a.Create("DatasetAnnotationLink", store.Values{"parent": old, "child": fresh})
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return blitz.FaultNone
	}})
	s := w.sandbox.Store()
	dataset := w.omero("projects", "Kidney", "Confocal")
	saved := w.home("Confocal")
	old = w.id(dataset)
	w.run("cp", "-r", dataset, saved)
	w.as("ada", func(_ *store.Author, create func(string, store.Values) *store.Row) {
		tag = create("TagAnnotation", store.Values{"textValue": "just imported"})
		create("DatasetAnnotationLink", store.Values{"parent": old, "child": tag})
	})
	armed.Store(true)
	w.run("cp", "-r", saved, w.omero("datasets", "Again"))
	if armed.Load() {
		t.Fatal("the script has not run")
	}
	uses := map[int64]int{}
	for _, class := range []string{"DatasetAnnotationLink", "ImageAnnotationLink"} {
		s.Each(class, func(l *store.Row) bool {
			uses[l.Ref("child")]++
			return true
		})
	}
	if s.Get("Annotation", tag.ID) == nil || uses[tag.ID] != 2 {
		t.Errorf("the tag is there: %v, on %d objects, want 2", s.Get("Annotation", tag.ID) != nil, uses[tag.ID])
	}
	if s.Get("Annotation", fresh.ID) == nil || uses[fresh.ID] < 1 {
		t.Errorf("the script's new tag is there: %v, on %d objects", s.Get("Annotation", fresh.ID) != nil, uses[fresh.ID])
	}
}
