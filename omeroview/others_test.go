package omeroview

import (
	"errors"
	"slices"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/sandbox/store"
)

// as gives a view of the same server to another user.
func (w *world) as(user string) *world {
	w.t.Helper()
	mine := *w
	var err error
	mine.c, err = omero.Connect(w.t.Context(), omero.Config{Addresses: []string{w.addr}, User: user, Password: user})
	w.check(err)
	w.t.Cleanup(func() {
		if err := mine.c.Close(); err != nil {
			w.t.Error(err)
		}
	})
	mine.cache = w.t.TempDir()
	mine.v = mine.view(time.Hour)
	return &mine
}

// What other members of a group have is shown, described and read as far as
// the rights of the group go.
func TestObjectsOfOthers(t *testing.T) {
	w := policyWorld(t, allAccess)
	j := w.as("juergen")
	for _, path := range []string{kidneyPath, screenPath, platePath} {
		ours, m := w.decode(path)
		theirs, _ := j.decode(path)
		if len(theirs.Images) != len(ours.Images) || len(theirs.Links) != len(ours.Links) || len(theirs.Plates) != len(ours.Plates) {
			t.Errorf("%s: %d images and %d links, its owner sees %d and %d", path, len(theirs.Images), len(theirs.Links), len(ours.Images), len(ours.Links))
		}
		j.manifestIsTheFolder(path, m)
	}
	if a := j.attr(home + "/screens"); a.Mode != modeDir {
		t.Errorf("screens of another: mode %o", a.Mode)
	}
	root, err := j.v.Root().List(t.Context())
	w.check(err)
	if slices.ContainsFunc(root, func(e tree.Entry) bool { return e.Name == "private" }) {
		t.Error("a group of others is shown")
	}
	g := w.as("grace")
	if got := g.names("private/ada/projects"); len(got) != 0 {
		t.Errorf("grace sees %q in a private group", got)
	}
	if got := w.names("private/ada/projects"); len(got) != 1 {
		t.Errorf("ada sees %q in a private group", got)
	}
}

// A project may hold datasets and images of several members: all are in its
// pack, with their owners.
func TestPacksOfMixedOwners(t *testing.T) {
	w := policyWorld(t, allAccess)
	g := w.as("grace")
	retina := g.object("lab/grace/projects/Retina/Pilot")
	image := g.object("lab/grace/projects/Retina/Pilot/retina.ome.tiff")
	w.create("ProjectDatasetLink", store.Values{"parent": w.object(kidneyPath), "child": retina})
	w.create("DatasetImageLink", store.Values{"parent": w.object(kidneyPath + "/Controls"), "child": image})
	by, screen := g.c.Who().User, w.object(screenPath)
	w.check(w.store.Write(store.Actor{User: by, Group: g.c.Who().Group}, func(a *store.Author) error {
		plate, err := a.Create("Plate", store.Values{"name": "of grace"})
		if err != nil {
			return err
		}
		well, err := a.Create("Well", store.Values{"plate": plate, "row": 0, "column": 0})
		if err != nil {
			return err
		}
		if _, err := a.Create("WellSample", store.Values{"well": well, "image": image}); err != nil {
			return err
		}
		_, err = a.Create("ScreenPlateLink", store.Values{"parent": screen, "child": plate})
		return err
	}))
	for _, v := range []*world{w, g} {
		v.v.Invalidate()
		doc, m := v.decode(kidneyPath)
		owner := pack.NewID(pack.KindUser, by)
		i := slices.IndexFunc(doc.Datasets, func(d pack.Dataset) bool { return d.ID == pack.NewID(pack.KindDataset, retina) })
		if i < 0 || doc.Datasets[i].Details.Owner != owner || doc.User(owner) == nil {
			t.Fatalf("the dataset of grace: %d, users %+v", i, doc.Users)
		}
		i = slices.IndexFunc(doc.Images, func(im pack.Image) bool { return im.ID == pack.NewID(pack.KindImage, image) })
		if i < 0 || doc.Images[i].Details.Owner != owner {
			t.Errorf("the image of grace: %d", i)
		}
		v.manifestIsTheFolder(kidneyPath, m)
		doc, m = v.decode(screenPath)
		if len(doc.Plates) != 2 || doc.Plates[1].Details.Owner != owner || doc.User(owner) == nil {
			t.Errorf("plates: %d", len(doc.Plates))
		}
		v.manifestIsTheFolder(screenPath, m)
	}
	if _, err := g.find("lab/grace/plates/of grace"); !errors.Is(err, tree.ErrNotFound) {
		t.Errorf("a plate in a screen of another is shown alone: %v", err)
	}
}
