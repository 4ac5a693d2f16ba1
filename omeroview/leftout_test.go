package omeroview

import (
	"errors"
	"slices"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
	"omerods/internal/sandbox/store"
)

// skipping gives a view of the same server that leaves out what it cannot have.
func (w *world) skipping() *world {
	w.t.Helper()
	mine := *w
	mine.cache = w.t.TempDir()
	var err error
	mine.v, err = New(Config{Client: clientOf(w), CacheDir: mine.cache, UID: 65534, GID: 65534, ListTime: time.Hour, Version: "test", SkipRefused: true})
	w.check(err)
	w.t.Cleanup(func() {
		if err := mine.v.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return &mine
}

// labPolicy adds words to the policy of binary access in the laboratory.
func (w *world) labPolicy(words string) {
	w.t.Helper()
	w.check(w.store.Write(store.Root, func(a *store.Author) error {
		g := a.Tx().Get(a.Tx().Model().Class("ExperimenterGroup"), w.c.Who().Group).Clone()
		if err := a.Tx().Fill(g, store.Values{"config": []store.NamedValue{{Name: "omero.policy.binary_access", Value: words}}}); err != nil {
			return err
		}
		a.Update(g)
		return nil
	}))
	w.v.Invalidate()
}

// With SkipRefused a folder and its pack leave out what the server refuses: a
// fileset as a whole, wherever it is shown, and nothing else. What the policy
// gives later is there again.
func TestWhatIsRefusedIsLeftOut(t *testing.T) {
	w := ownWorld(t).skipping()
	whole, _ := w.decode(kidneyPath)
	if len(whole.LeftOut) != 0 || !slices.Contains(w.names(kidneyPath+"/Confocal"), "positions.ome.tiff") {
		t.Fatalf("left out of a project: %+v", whole.LeftOut)
	}
	// One image of a file of three becomes a field of the plate.
	path := kidneyPath + "/Confocal/positions.ome.tiff"
	image := w.object(path)
	well := w.store.Collection("Plate", w.object(platePath), "wells")[0].ID
	w.create("WellSample", store.Values{"well": well, "image": image})
	tag := w.create("TagAnnotation", store.Values{"textValue": "of an image that is left out"})
	w.create("ImageAnnotationLink", store.Values{"parent": image, "child": tag})
	roi := w.create("Roi", store.Values{"image": image})
	w.create("Point", store.Values{"roi": roi, "x": 1.0, "y": 1.0})

	if got := w.names(kidneyPath + "/Confocal"); slices.Contains(got, "positions.ome.tiff") || !slices.Contains(got, "glomerulus.ome.tiff") {
		t.Errorf("the dataset: got %q", got)
	}
	if _, err := w.find(path); !errors.Is(err, tree.ErrNotFound) {
		t.Errorf("what is left out is found: %v", err)
	}
	doc, m := w.decode(kidneyPath)
	w.manifestIsTheFolder(kidneyPath, m)
	if len(doc.Images) != len(whole.Images)-3 || len(doc.Filesets) != len(whole.Filesets)-1 || len(doc.LeftOut) != 3 {
		t.Errorf("%d of %d images, %d of %d filesets, %d left out", len(doc.Images), len(whole.Images), len(doc.Filesets), len(whole.Filesets), len(doc.LeftOut))
	}
	dataset := pack.NewID(pack.KindDataset, w.object(kidneyPath+"/Confocal"))
	for _, l := range doc.LeftOut {
		if l.Reason != pack.Refused || l.Fileset == "" || l.Name == "" || !slices.Equal(l.In, []pack.ID{dataset}) {
			t.Errorf("left out: %+v", l)
		}
	}
	if slices.ContainsFunc(doc.Annotations, func(a pack.Annotation) bool { return a.ID == pack.NewID(pack.KindAnnotation, tag) }) ||
		slices.ContainsFunc(doc.ROIs, func(r pack.ROI) bool { return r.ID == pack.NewID(pack.KindROI, roi) }) {
		t.Error("something of an image that is left out is in the pack")
	}

	plate, m := w.decode(platePath)
	w.manifestIsTheFolder(platePath, m)
	samples := 0
	for _, well := range plate.Plates[0].Wells {
		for _, s := range well.Samples {
			samples++
			if s.Image != "" {
				t.Errorf("%s shows %s", s.ID, s.Image)
			}
		}
	}
	if len(plate.Images) != 0 || len(plate.LeftOut) != 25 || samples != 25 || plate.LeftOut[0].In[0].Kind() != pack.KindWellSample {
		t.Errorf("%d images, %d left out, %d fields", len(plate.Images), len(plate.LeftOut), samples)
	}

	before := w.attr(platePath + "/" + transferName)
	w.labPolicy("+plate")
	plate, m = w.decode(platePath)
	w.manifestIsTheFolder(platePath, m)
	if len(plate.LeftOut) != 0 || len(plate.Images) != 27 { // all of the file of three
		t.Errorf("with +plate: %d images, %d left out", len(plate.Images), len(plate.LeftOut))
	}
	if after := w.attr(platePath + "/" + transferName); !after.Mtime.After(before.Mtime) {
		t.Errorf("transfer.xml has the time %v, had %v", after.Mtime, before.Mtime)
	}
	if doc, _ := w.decode(kidneyPath); len(doc.LeftOut) != 0 || len(doc.Images) != len(whole.Images) {
		t.Errorf("with +plate: %d images, %d left out", len(doc.Images), len(doc.LeftOut))
	}
}
