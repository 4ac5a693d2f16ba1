package omero_test

import (
	"reflect"
	"slices"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/sample"
)

// What is asked of a whole object is what is asked by ids, also when it takes
// several queries, and costs little where there is little.
func TestExtents(t *testing.T) {
	c := newCounted(t)
	cl := c.login(t, "ada")
	ctx := t.Context()
	b := sample.Bulk{User: "ada", Group: sample.LabGroup, Project: "P", Dataset: "shapes", Images: 700, Shapes: 7, FileBytes: 1}
	dataset, err := b.Fill(ctx, sample.Target{Store: c.store, Files: c.files})
	check(t, err)
	images, _, err := cl.ImagesOf(ctx, []int64{dataset})
	check(t, err)
	var ids, sets []int64
	for _, im := range images {
		ids, sets = append(ids, im.ID), append(sets, im.Fileset)
	}
	token, err := cl.ChangeToken(ctx, omero.KindDataset, dataset, "")
	check(t, err)
	x := token.Extent
	if x.Others(len(images)) {
		t.Error("each fileset has one image")
	}
	if !x.Others(len(images) - 1) {
		t.Error("a fileset has an image more than is known of")
	}
	all := omero.All(x, omero.KindImage, ids)
	same := func(name string, most int, ask func(s omero.Selection) (any, error), ids []int64, all omero.Selection) {
		t.Helper()
		want, err := ask(omero.These(ids))
		check(t, err)
		var got any
		requests, _ := c.requests(t, func() (_ int, err error) {
			got, err = ask(all)
			return 0, err
		})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s of the whole object are others than by ids", name)
		}
		if requests > most {
			t.Errorf("%s: %d requests, want at most %d", name, requests, most)
		}
	}
	// 4,900 shapes: regions, two parts of their order, no transforms; how many
	// of each of nine kinds, and those of three kinds.
	same("ROIs", 1+2+9+3, func(s omero.Selection) (any, error) { return cl.ROIsOf(ctx, s) }, ids, all)
	same("Pixels", 2, func(s omero.Selection) (any, error) { return cl.PixelsIn(ctx, s) }, ids, all)
	same("Settings", 4, func(s omero.Selection) (any, error) { return cl.SettingsOf(ctx, s) }, ids, all)
	same("Renderings", 0, func(s omero.Selection) (any, error) { return cl.RenderingsOf(ctx, s) }, ids, all)
	same("Annotations", 0, func(s omero.Selection) (any, error) {
		l, err := cl.AnnotationLinksOf(ctx, omero.KindImage, s)
		return len(l), err
	}, ids, all)
	same("Filesets", 3, func(s omero.Selection) (any, error) { return cl.FilesetsOf(ctx, s) }, sets, omero.All(x, omero.KindFileset, sets))
	same("ImportInfo", 1, func(s omero.Selection) (any, error) { return cl.ImportInfo(ctx, s) }, sets, omero.All(x, omero.KindFileset, sets))
	// The order in which the ids are named does not matter.
	slices.Reverse(ids)
	back, err := cl.ROIsOf(ctx, omero.All(x, omero.KindImage, ids))
	check(t, err)
	if len(back) != len(ids) {
		t.Errorf("%d regions, want %d", len(back), len(ids))
	}
}
