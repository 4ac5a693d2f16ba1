package blitz

import (
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// An import of a plate marks the images of it, not the plate; and its images
// go only with it.
func TestImagesOfAPlate(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	note := c.fresh("CommentAnnotation", map[string]any{"textValue": "mark"})
	objects := c.imports(nil, map[string]any{"userSpecifiedAnnotationList": []any{note}},
		upload{"hcs&plates=1&plateRows=1&plateCols=2&fields=2&plateAcqs=1&sizeX=16&sizeY=16.fake", []byte("x")})
	plate, images := objects[0], objects[1:]
	if n := len(c.ids("select l.id from ImageAnnotationLink l where l.child.textValue = 'mark'", nil)); n != 4 || len(images) != 4 {
		t.Errorf("the mark is on %d of %d images, want 4 of 4", n, len(images))
	}
	if n := len(c.ids("select l.id from PlateAnnotationLink l", nil)); n != 0 {
		t.Errorf("the plate got %d annotations, want 0", n)
	}
	fileset := f.store.Get("Image", images[0]).Ref("fileset")
	for _, req := range []*ice.Object{c.delete2("Fileset", fileset), c.delete2("Image", images...)} {
		if rsp := c.run(req); !rsp.IsA("::omero::cmd::GraphException") {
			t.Errorf("images without their fields: got %s", rsp.Class.ID)
		}
	}
	// The plate without its images, for which a client excludes them.
	keep := f.defs.New("::omero::cmd::graphs::ChildOption").Set("excludeType", []string{"Image"})
	got := c.deleted(c.delete2("Plate", plate).Set("childOptions", []any{keep}).Set("dryRun", true))
	if got["ome.model.screen.Plate"] != 1 || got["ome.model.screen.WellSample"] != 4 || got["ome.model.core.Image"] != 0 {
		t.Errorf("a plate without its images: %v", got)
	}
	both := c.delete2("Fileset", fileset)
	both.Set("targetObjects", append(both.Get("targetObjects").(ice.Dict), ice.Pair{Key: "Plate", Value: []int64{plate}}))
	c.deleted(both)
	f.wantGone("both together", "Plate", plate, true)
	f.wantGone("both together", "Fileset", fileset, true)
	f.wantGone("both together", "Image", images[3], true)
}

// The fields of a well are a list, whose element comes only within it.
func TestFieldsAreSavedWithTheirWell(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	plate, a, b := c.named("Plate", "p"), c.named("Image", "a"), c.named("Image", "b")
	field := func(image int64) *ice.Object {
		return c.fresh("WellSample", map[string]any{"image": c.ref("Image", image)})
	}
	well := c.fresh("Well", map[string]any{"plate": c.ref("Plate", plate), "row": int32(1), "column": int32(2)})
	well.Set("wellSamplesSeq", []any{field(b), field(a)}).Set("wellSamplesLoaded", true)
	id := c.save(well)[0]
	fields := f.store.Collection("Well", id, "wellSamples")
	if len(fields) != 2 || fields[0].Ref("image") != b || fields[1].Ref("image") != a {
		t.Fatalf("fields: got %v", fields)
	}
	_, err := c.trySave(field(a).Set("well", c.ref("Well", id)))
	wantException(t, "a field alone", err, Validation)
	if n := f.store.Count("WellSample"); n != 2 {
		t.Errorf("got %d fields, want 2", n)
	}
	if w := f.store.Get("Well", id); w.Ref("plate") != plate || w.Get("row") != int32(1) || w.Ref("plate") == store.None {
		t.Errorf("well: got %v", w.Values)
	}
}
