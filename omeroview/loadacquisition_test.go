package omeroview

import (
	"slices"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/sandbox/graph"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
	"omerods/internal/sandbox/wild"
	"omerods/internal/transfer"
)

// takenGraph writes down how an image was taken, and nothing else of it.
func (w *world) takenGraph(image int64) *graph.Graph {
	w.t.Helper()
	cut := map[string][]string{
		"Image":   {"fileset", "format", "series", "rois", "annotationLinks", "folderLinks"},
		"Pixels":  {"sizeX", "sizeY", "sizeZ", "sizeC", "sizeT", "sha1", "pixelsType", "dimensionOrder", "settings", "thumbnails", "pixelsFileMaps"},
		"Channel": {"statsInfo"},
	}
	g, err := graph.Read(w.store, "Image", image, graph.Options{Cut: func(row *store.Row, field string) bool {
		return slices.Contains(cut[row.Class.Name], field)
	}})
	w.check(err)
	return g
}

// Whatever an import made of how an image was taken becomes what the pack
// says, be it of another image: parts change, come and go. A second time
// nothing changes, and nothing is left over.
func TestAcquisitionBecomesThatOfThePack(t *testing.T) {
	w := ownWorld(t)
	all := map[string]bool{wild.Folders: true, wild.Regions: true, wild.Rendering: true, wild.Notes: true, wild.MoreNotes: true, wild.PartNotes: true, wild.Others: true}
	for seed := range uint64(16) {
		if _, err := wild.Fill(t.Context(), sample.Target{Store: w.store, Files: w.files, SetPassword: w.blitz.SetPassword}, wild.Config{Seed: seed, Without: all}); err != nil {
			t.Fatal(err)
		}
	}
	type kind struct {
		group    int64
		channels int
	}
	byKind := map[kind][]int64{}
	w.store.Each("Image", func(r *store.Row) bool {
		pixels := w.store.Collection("Image", r.ID, "pixels")
		if r.Owner == w.c.Who().User && len(pixels) == 1 {
			k := kind{r.Group, len(w.store.Collection("Pixels", pixels[0].ID, "channels"))}
			byKind[k] = append(byKind[k], r.ID)
		}
		return true
	})
	w.v.Invalidate()
	ignore := []graph.Pattern{"*.details.owner", "*.details.group", "*.details.permissions", "*.details.creationEvent", "*.details.updateEvent", "*.version"}
	pairs := 0
	for k, images := range byKind {
		// Most have no instrument: two that have one, one and none, none and one.
		with := func(image int64) bool { return w.store.Get("Image", image).Ref("instrument") != store.None }
		slices.SortStableFunc(images, func(a, b int64) int {
			switch {
			case with(a) == with(b):
				return 0
			case with(a):
				return -1
			}
			return 1
		})
		n := slices.IndexFunc(images, func(id int64) bool { return !with(id) })
		if n > 4 && n < len(images) {
			images = append(images[:n-4:n-4], images[n-4], images[len(images)-1], images[n], images[n-3], images[n-2], images[n-1])
		}
		for i := 0; i+1 < len(images); i += 2 {
			if !with(images[i]) && !with(images[i+1]) {
				continue
			}
			pairs++
			from, to := images[i], images[i+1]
			doc, _, err := w.v.PackDocument(t.Context(), omero.KindImage, from)
			w.check(err)
			f := &finisher{loadDestination: &loadDestination{client: w.c, group: k.group}, at: map[pack.ID]omero.Ref{},
				spec: transfer.FinishSpec{Document: doc, Ours: true, Images: map[pack.ID]int64{pack.NewID(pack.KindImage, from): to}}}
			want := w.takenGraph(from)
			w.check(f.restoreImages(f.in(t.Context())))
			got := w.takenGraph(to)
			for _, d := range graph.Compare(want, got, ignore) {
				t.Errorf("image %d like %d: %s", to, from, d)
			}
			w.check(f.restoreImages(f.in(t.Context())))
			for _, n := range graph.Compare(got, w.takenGraph(to), []graph.Pattern{}) {
				t.Errorf("image %d once more: %s", to, n)
			}
		}
	}
	if pairs < 5 {
		t.Fatalf("only %d pairs of images", pairs)
	}
	used := map[int64]bool{}
	w.store.Each("Image", func(r *store.Row) bool { used[r.Ref("instrument")] = true; return true })
	w.store.Each("Instrument", func(r *store.Row) bool {
		if !used[r.ID] {
			t.Errorf("instrument %d is left over", r.ID)
		}
		return true
	})
}
