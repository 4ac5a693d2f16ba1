package omero_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"omerods/internal/omero"
)

func TestBatch(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	text, err := c.UploadFile(ctx, omero.FileSpec{Name: "notes.txt", Mimetype: "text/plain"}, strings.NewReader("hello"))
	check(t, err)
	if text.Size != 5 {
		t.Errorf("file: got %+v", text)
	}
	b := c.NewBatch()
	p := b.Container(omero.KindProject, "made", "by a test")
	d := b.Container(omero.KindDataset, "inside", "")
	b.Link(p, d)
	b.Link(d, omero.Existing(omero.KindImage, images[0].ID))
	set := b.Annotation(omero.Annotation{Kind: omero.TagAnnotation, Namespace: omero.NamespaceTagSet, Text: "set"})
	var made []omero.Ref
	for _, a := range []omero.Annotation{
		{Kind: omero.TagAnnotation, Text: "tag", Description: "d"}, {Kind: omero.CommentAnnotation, Text: "ü"},
		{Kind: omero.XMLAnnotation, Text: "<a/>"}, {Kind: omero.TermAnnotation, Text: "term"}, {Kind: omero.LongAnnotation, Long: -3},
		{Kind: omero.DoubleAnnotation, Double: 0.5}, {Kind: omero.BooleanAnnotation, Bool: true},
		{Kind: omero.TimestampAnnotation, Time: images[0].Created}, {Kind: omero.MapAnnotation, Pairs: []omero.Pair{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}}},
		{Kind: omero.FileAnnotation, File: text}, {Kind: omero.ListAnnotation},
	} {
		r := b.Annotation(a)
		b.Annotate(d, r)
		made = append(made, r)
	}
	b.Annotate(set, made[0])
	zero := 0
	red := int32(-16776961)
	roi := b.ROI(omero.Existing(omero.KindImage, images[0].ID), omero.ROI{Name: "r", Shapes: []omero.Shape{
		{Kind: omero.Rectangle, X: 1, Y: 2, Width: 3, Height: 4, TheZ: &zero, Fill: &red, StrokeWidth: &omero.Quantity{Value: 2, Unit: "pixel"}},
		{Kind: omero.Mask, X: 1, Width: 8, Height: 2, Bits: []byte{0xaa, 0x55}, Transform: &omero.Transform{A00: 1, A11: 1}},
		{Kind: omero.PathShape, D: "M 1 1"}, {Kind: omero.Polyline, Points: "1,2 3,4", MarkerEnd: "Arrow"},
	}})
	saved, err := c.Save(ctx, b)
	check(t, err)

	ds, imgs := dataset(t, c, saved.ID(p), "inside")
	if ds.ID != saved.ID(d) || len(imgs) != 1 || imgs[0].ID != images[0].ID {
		t.Errorf("made %+v with %+v", ds, imgs)
	}
	var ids []int64
	for _, r := range made {
		ids = append(ids, saved.ID(r))
	}
	notes, err := c.Annotations(ctx, ids)
	check(t, err)
	if len(notes) != len(made) {
		t.Fatalf("got %d annotations, want %d", len(notes), len(made))
	}
	if n := notes[0]; n.Text != "tag" || n.Description != "d" {
		t.Errorf("tag: %+v", n)
	}
	if n := notes[8]; !slices.Equal(n.Pairs, []omero.Pair{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}}) {
		t.Errorf("pairs: %+v", n.Pairs)
	}
	if n := notes[9]; n.File.Name != "notes.txt" || n.File.Hash != text.Hash {
		t.Errorf("file: %+v", n.File)
	}
	if n := notes[7]; !n.Time.Equal(images[0].Created) {
		t.Errorf("time: %v", n.Time)
	}
	sets, err := c.TagSetLinks(ctx, ids[:1])
	check(t, err)
	if len(sets) != 1 || sets[0].Parent != saved.ID(set) {
		t.Errorf("tag sets: %+v", sets)
	}
	rois, err := c.ROIs(ctx, []int64{images[0].ID})
	check(t, err)
	i := slices.IndexFunc(rois, func(r omero.ROI) bool { return r.ID == saved.ID(roi) })
	if i < 0 || len(rois[i].Shapes) != 4 {
		t.Fatalf("regions: %+v", rois)
	}
	rect, mask := rois[i].Shapes[0], rois[i].Shapes[1]
	if rect.Kind != omero.Rectangle || rect.Width != 3 || *rect.TheZ != 0 || rect.TheT != nil || *rect.Fill != red || *rect.StrokeWidth != (omero.Quantity{Value: 2, Unit: "pixel"}) {
		t.Errorf("rectangle: %+v", rect)
	}
	if !bytes.Equal(mask.Bits, []byte{0xaa, 0x55}) || mask.Transform == nil || mask.Transform.A11 != 1 {
		t.Errorf("mask: %+v", mask)
	}
	for _, bad := range []func(b *omero.Batch){
		func(b *omero.Batch) { b.Container(omero.KindImage, "x", "") },
		func(b *omero.Batch) { b.Link(p, p) },
		func(b *omero.Batch) { b.Annotation(omero.Annotation{Kind: "x"}) },
		func(b *omero.Batch) { b.Annotation(omero.Annotation{Kind: omero.FileAnnotation}) },
		func(b *omero.Batch) { b.Annotate(omero.Existing("Pixels", 1), made[0]) },
		func(b *omero.Batch) { b.ROI(p, omero.ROI{Shapes: []omero.Shape{{Kind: "Star"}}}) },
	} {
		b := c.NewBatch()
		bad(b)
		if _, err := c.Save(ctx, b); !errors.Is(err, omero.Invalid) {
			t.Errorf("got %v, want an Invalid", err)
		}
	}
}

func TestChanges(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	b := c.NewBatch()
	pr, dr := b.Container(omero.KindProject, "to be changed", "p"), b.Container(omero.KindDataset, "inside", "d")
	b.Link(pr, dr)
	for _, im := range images {
		b.Link(dr, omero.Existing(omero.KindImage, im.ID))
	}
	made, err := c.Save(ctx, b)
	check(t, err)
	kidney, d := omero.Container{ID: made.ID(pr)}, omero.Container{ID: made.ID(dr)}
	for kind, id := range map[omero.Kind]int64{omero.KindProject: kidney.ID, omero.KindDataset: d.ID} {
		check(t, c.Rename(ctx, kind, id, "renamed"))
		o, err := c.Container(ctx, kind, id)
		check(t, err)
		if o.Name != "renamed" {
			t.Errorf("%s: got %q", kind, o.Name)
		}
	}
	if _, again := dataset(t, c, kidney.ID, "renamed"); len(again) != len(images) {
		t.Errorf("renaming lost images: %d of %d", len(again), len(images))
	}
	check(t, c.Rename(ctx, omero.KindImage, images[0].ID, "new"))
	got, err := c.ImagesByID(ctx, []int64{images[0].ID})
	check(t, err)
	if got[0].Name != "new" || got[0].Fileset != images[0].Fileset || got[0].Description != images[0].Description {
		t.Errorf("image: got %+v, was %+v", got[0], images[0])
	}
	if err := c.Rename(ctx, omero.KindProject, 1<<40, "x"); !errors.Is(err, omero.NotFound) {
		t.Errorf("no such project: got %v", err)
	}
	other, err := c.Create(ctx, omero.KindProject, "other", "", omero.Ref{})
	check(t, err)
	check(t, c.Move(ctx, omero.Existing(omero.KindDataset, d.ID), omero.Existing(omero.KindProject, kidney.ID), omero.Existing(omero.KindProject, other)))
	if moved, _ := dataset(t, c, other, "renamed"); moved.ID != d.ID {
		t.Errorf("moved: %+v", moved)
	}
	left, _, err := c.DatasetsOf(ctx, []int64{kidney.ID})
	check(t, err)
	if slices.ContainsFunc(left, func(x omero.Container) bool { return x.ID == d.ID }) {
		t.Error("it is in both places")
	}
	deleted, err := c.Delete(ctx, map[omero.Kind][]int64{omero.KindProject: {other}}, omero.DeleteOptions{Keep: []string{"Dataset"}})
	check(t, err)
	if !slices.Contains(deleted["Project"], other) {
		t.Errorf("deleted: %v", deleted)
	}
	if _, err := c.Container(ctx, omero.KindDataset, d.ID); err != nil {
		t.Errorf("the dataset is gone too: %v", err)
	}
	if _, err := c.Delete(ctx, map[omero.Kind][]int64{omero.KindImage: {1 << 40}}, omero.DeleteOptions{}); err != nil && !errors.Is(err, omero.NotFound) && !errors.Is(err, omero.Internal) && !errors.Is(err, omero.Invalid) {
		t.Errorf("no such image: %v", err)
	}
}

func TestReplaceMap(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	kidney := omero.Existing(omero.KindProject, project(t, c, "Kidney").ID)
	record := func(target, state string) int64 {
		id, err := c.ReplaceMap(ctx, kidney, "test/save", "target", target, []omero.Pair{{Key: "target", Value: target}, {Key: "state", Value: state}})
		check(t, err)
		return id
	}
	a1, b, a2 := record("a", "saving"), record("b", "saving"), record("a", "finished")
	if a1 != a2 || a1 == b {
		t.Errorf("got annotations %d, %d, %d", a1, b, a2)
	}
	notes, err := c.Annotations(ctx, []int64{a1, b})
	check(t, err)
	if len(notes) != 2 || notes[0].Pairs[1].Value != "finished" || notes[1].Pairs[1].Value != "saving" {
		t.Errorf("got %+v", notes)
	}
}

func TestChangeToken(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	kidney := project(t, c, "Kidney")
	d, images := dataset(t, c, kidney.ID, "Confocal")
	token := func() [2]string {
		p, err := c.ChangeToken(t.Context(), omero.KindProject, kidney.ID, "omerods/")
		check(t, err)
		ds, err := c.ChangeToken(t.Context(), omero.KindDataset, d.ID, "omerods/")
		check(t, err)
		if p.Newest.IsZero() {
			t.Error("no newest event")
		}
		return [2]string{p.Hash, ds.Hash}
	}
	image := omero.Existing(omero.KindImage, images[0].ID)
	var comment int64
	for _, step := range []struct {
		name   string
		change func() error
		moves  bool
	}{
		{"nothing", func() error { return nil }, false},
		{"an image renamed", func() error { return c.Rename(ctx, omero.KindImage, images[0].ID, "x") }, true},
		{"a comment", func() (err error) {
			comment, err = c.Annotate(ctx, image, omero.Annotation{Kind: omero.CommentAnnotation, Text: "c"})
			return err
		}, true},
		{"the comment deleted", func() error {
			_, err := c.Delete(ctx, map[omero.Kind][]int64{omero.Kind(omero.CommentAnnotation): {comment}}, omero.DeleteOptions{})
			return err
		}, true},
		{"our own record", func() error {
			_, err := c.Annotate(ctx, omero.Existing(omero.KindProject, kidney.ID), omero.Annotation{Kind: omero.MapAnnotation, Namespace: "omerods/save"})
			return err
		}, false},
		{"a region", func() error {
			b := c.NewBatch()
			b.ROI(image, omero.ROI{Shapes: []omero.Shape{{Kind: omero.PointShape, X: 1}}})
			_, err := c.Save(ctx, b)
			return err
		}, true},
		{"something elsewhere", func() error {
			_, err := c.Create(ctx, omero.KindProject, "elsewhere", "", omero.Ref{})
			return err
		}, false},
	} {
		before := token()
		check(t, step.change())
		after := token()
		for i, of := range []string{"project", "dataset"} {
			if moved := before[i] != after[i]; moved != step.moves {
				t.Errorf("%s: token of the %s changed: %v, want %v", step.name, of, moved, step.moves)
			}
		}
	}
	if _, err := c.ChangeToken(ctx, omero.KindProject, 1<<40, ""); !errors.Is(err, omero.NotFound) {
		t.Errorf("no such project: %v", err)
	}
}

// Others' data is neither deleted nor renamed in a group where members may
// only annotate.
func TestRightsOfOthers(t *testing.T) {
	ada, juergen := common.login(t, "ada"), common.login(t, "juergen")
	kidney := project(t, ada, "Kidney")
	ctx := inLab(t, juergen)
	if _, err := juergen.Delete(ctx, map[omero.Kind][]int64{omero.KindProject: {kidney.ID}}, omero.DeleteOptions{}); !errors.Is(err, omero.Denied) {
		t.Errorf("delete: got %v", err)
	}
	if err := juergen.Rename(ctx, omero.KindProject, kidney.ID, "mine"); !errors.Is(err, omero.Denied) {
		t.Errorf("rename: got %v", err)
	}
	rights, err := juergen.RightsOn(ctx, omero.KindProject, []int64{kidney.ID})
	check(t, err)
	if r := rights[kidney.ID]; r.Edit || r.Delete || !r.Annotate {
		t.Errorf("rights: got %+v", r)
	}
	id, err := juergen.Annotate(ctx, omero.Existing(omero.KindProject, kidney.ID), omero.Annotation{Kind: omero.CommentAnnotation, Text: "nice"})
	check(t, err)
	if _, err := juergen.Delete(ctx, map[omero.Kind][]int64{omero.Kind(omero.CommentAnnotation): {id}}, omero.DeleteOptions{}); err != nil {
		t.Errorf("delete one's own comment: %v", err)
	}
}
