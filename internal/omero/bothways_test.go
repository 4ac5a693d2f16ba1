package omero_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/sandbox/store"
)

// Every kind of shape comes back as it was sent, with all that it can have,
// and the server's own rows say the same.
func TestShapesBothWays(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	p := pictured(t, c)
	z, tt, ch, fill, stroke, locked := 0, 1, 2, int32(-16776961), int32(0x00ff007f), true
	styled := func(sh omero.Shape) omero.Shape {
		sh.TheZ, sh.TheT, sh.TheC, sh.Fill, sh.Stroke, sh.Locked = &z, &tt, &ch, &fill, &stroke, &locked
		sh.FillRule, sh.StrokeDash, sh.FontFamily, sh.FontStyle = "even-odd", "1 2", "serif", "Bold"
		sh.StrokeWidth, sh.FontSize = &omero.Quantity{Value: 1.5, Unit: "µm"}, &omero.Quantity{Value: 9, Unit: "pt"}
		sh.Transform = &omero.Transform{A00: 1, A10: 0.25, A01: -0.5, A11: 2, A02: 100, A12: -7}
		sh.Text = "Zelle <3> & ü"
		return sh
	}
	bits := make([]byte, 1000)
	for i := range bits {
		bits[i] = byte(i * 37)
	}
	var want []omero.Shape
	for _, sh := range []omero.Shape{
		{Kind: omero.Rectangle, X: 1.5, Y: -2, Width: 3, Height: 4.25},
		{Kind: omero.Ellipse, X: 10, Y: 11, RadiusX: 2.5, RadiusY: 0.5},
		{Kind: omero.PointShape, X: 0, Y: 1e6},
		{Kind: omero.Line, X1: 1, Y1: 2, X2: 3, Y2: 4, MarkerStart: "Arrow", MarkerEnd: "Circle"},
		{Kind: omero.Polygon, Points: "0,0 1.5,2 3,4"},
		{Kind: omero.Polyline, Points: "0,0 5,5", MarkerStart: "Square", MarkerEnd: "Arrow"},
		{Kind: omero.Label, X: 3, Y: 4},
		{Kind: omero.Mask, X: 1, Y: 2, Width: 100, Height: 80, Bits: bits},
		{Kind: omero.PathShape, D: "M 0 0 L 10 10 z"},
		{Kind: omero.Ellipse, Y: 1, RadiusY: 2, Null: []string{"x", "radiusX"}}, {Kind: omero.Line, Null: []string{"x1", "y1", "x2", "y2"}},
	} {
		want = append(want, sh, styled(sh)) // bare, and with everything
	}
	b := c.NewBatch()
	r := b.ROI(omero.Existing(omero.KindImage, p.Image), omero.ROI{Name: "all", Description: "of them", Shapes: want})
	saved, err := c.Save(ctx, b)
	check(t, err)
	rois, err := c.ROIs(ctx, []int64{p.Image})
	check(t, err)
	if len(rois) != 1 || rois[0].ID != saved.ID(r) || rois[0].Name != "all" || rois[0].Description != "of them" || rois[0].Owner != c.Who().User {
		t.Fatalf("got %+v", rois)
	}
	rows := s.store.Collection("Roi", saved.ID(r), "shapes")
	if len(rois[0].Shapes) != len(want) || len(rows) != len(want) {
		t.Fatalf("got %d shapes, the server has %d, want %d", len(rois[0].Shapes), len(rows), len(want))
	}
	for i, got := range rois[0].Shapes {
		want[i].ID = rows[i].ID
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", want[i].Kind, got, want[i])
		}
		row := rows[i]
		if row.Class.Name != string(want[i].Kind) || (row.Ref("transform") != store.None) != (want[i].Transform != nil) {
			t.Errorf("%s: the server has %+v", want[i].Kind, row)
		}
		if m, _ := row.Get("bytes").([]byte); !bytes.Equal(m, want[i].Bits) {
			t.Errorf("%s: the server has %d bits", want[i].Kind, len(m)*8)
		}
		if v, _ := row.Get("x").(float64); row.Class.Property("x") != nil && v != want[i].X {
			t.Errorf("%s: the server has x %v, want %v", want[i].Kind, v, want[i].X)
		}
		if want[i].Transform != nil {
			m := s.store.Get("AffineTransform", row.Ref("transform"))
			if m.Get("a01") != -0.5 || m.Get("a12") != -7.0 {
				t.Errorf("%s: the server has %+v", want[i].Kind, m)
			}
		}
	}
}

// Masks that together exceed a message are loaded by several.
func TestManyLargeMasks(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	p := pictured(t, c)
	const side = 4096 // 2 MiB of bits
	var want [][]byte
	for n := range 10 {
		bits := bytes.Repeat([]byte{byte(n + 1)}, side*side/8)
		want = append(want, bits)
		b := c.NewBatch()
		b.ROI(omero.Existing(omero.KindImage, p.Image), omero.ROI{Shapes: []omero.Shape{{Kind: omero.Mask, Width: side, Height: side, Bits: bits}}})
		_, err := c.Save(ctx, b)
		check(t, err)
	}
	rois, err := c.ROIs(ctx, []int64{p.Image})
	check(t, err)
	for i, r := range rois {
		if len(r.Shapes) != 1 || !bytes.Equal(r.Shapes[0].Bits, want[i]) {
			t.Errorf("mask %d is another", i)
		}
	}
	if len(rois) != len(want) {
		t.Errorf("got %d regions", len(rois))
	}
}

// Every kind of annotation comes back as it was sent.
func TestAnnotationsBothWays(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	file, err := c.UploadFile(ctx, omero.FileSpec{Name: "zählung.csv", Path: "/from/here/", Mimetype: "text/csv"}, strings.NewReader("a,b\n"))
	check(t, err)
	at := time.Date(2020, 2, 29, 12, 30, 15, 123e6, time.UTC)
	want := []omero.Annotation{
		{Kind: omero.TagAnnotation, Text: "Färbung"},
		{Kind: omero.CommentAnnotation, Text: "zwei\nZeilen"},
		{Kind: omero.XMLAnnotation, Text: `<a b="c">&amp;</a>`},
		{Kind: omero.TermAnnotation, Text: "UBERON:0000074"},
		{Kind: omero.LongAnnotation, Long: -1 << 62},
		{Kind: omero.DoubleAnnotation, Double: 1e-300},
		{Kind: omero.BooleanAnnotation, Bool: true},
		{Kind: omero.BooleanAnnotation, Bool: false},
		{Kind: omero.TimestampAnnotation, Time: at},
		{Kind: omero.LongAnnotation, Null: true}, {Kind: omero.DoubleAnnotation, Null: true},
		{Kind: omero.BooleanAnnotation, Null: true}, {Kind: omero.TimestampAnnotation, Null: true},
		{Kind: omero.FileAnnotation, File: file},
		{Kind: omero.MapAnnotation, Pairs: []omero.Pair{{Key: "k", Value: "2"}, {Key: "k", Value: "1"}, {Key: "", Value: ""}, {Key: "ü", Value: strings.Repeat("x", 5000)}}},
		{Kind: omero.MapAnnotation},
		{Kind: omero.ListAnnotation},
	}
	for i := range want { // all that each may have besides
		if i%2 == 0 {
			want[i].Namespace, want[i].Name, want[i].Description = "example.org/ns", "a name", "what it is"
		}
	}
	b := c.NewBatch()
	project := b.Container(omero.KindProject, "annotated", "")
	var refs []omero.Ref
	for _, a := range want {
		r := b.Annotation(a)
		b.Annotate(project, r)
		refs = append(refs, r)
	}
	saved, err := c.Save(ctx, b)
	check(t, err)
	var ids []int64
	for i, r := range refs {
		want[i].ID = saved.ID(r)
		ids = append(ids, want[i].ID)
	}
	got, err := c.Annotations(ctx, ids)
	check(t, err)
	if len(got) != len(want) {
		t.Fatalf("got %d annotations, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].Owner != c.Who().User || got[i].Created.IsZero() {
			t.Errorf("%s: got %+v", want[i].Kind, got[i].Meta)
		}
		want[i].Meta = got[i].Meta
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", want[i].Kind, got[i], want[i])
		}
		for _, v := range []string{"longValue", "doubleValue", "boolValue", "timeValue"} {
			row := s.store.Get("Annotation", ids[i])
			if p := row.Class.Property(v); p != nil && (row.Value(p) == nil) != want[i].Null {
				t.Errorf("%s: the server has %v", want[i].Kind, row.Value(p))
			}
		}
		if row := s.store.Get("Annotation", ids[i]); row.Class.Name != string(want[i].Kind) || row.Text("ns") != want[i].Namespace {
			t.Errorf("%s: the server has %+v", want[i].Kind, row)
		}
	}
	links, err := c.AnnotationLinks(ctx, omero.KindProject, []int64{saved.ID(project)})
	check(t, err)
	var linked []int64
	for _, l := range links {
		linked = append(linked, l.Annotation)
	}
	slices.Sort(linked)
	slices.Sort(ids)
	if !slices.Equal(linked, ids) {
		t.Errorf("linked are %v, want %v", linked, ids)
	}
}

// A file gets another content in its place, shorter or longer.
func TestReplaceFile(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	file, err := c.UploadFile(ctx, omero.FileSpec{Name: "x.json", Mimetype: "application/json"}, strings.NewReader("0123456789"))
	check(t, err)
	for _, text := range []string{"short", "", strings.Repeat("long", 1000)} {
		got, err := c.ReplaceFile(ctx, file.ID, strings.NewReader(text))
		check(t, err)
		sum := sha1.Sum([]byte(text))
		if got.ID != file.ID || got.Size != int64(len(text)) || got.Hash != hex.EncodeToString(sum[:]) {
			t.Errorf("%d bytes: got %+v", len(text), got)
		}
		data := make([]byte, len(text))
		r := c.OpenFile(got)
		if _, err := r.ReadAt(ctx, data, 0); err != nil && err != io.EOF || string(data) != text {
			t.Errorf("%d bytes: read %q, %v", len(text), data, err)
		}
		check(t, r.Close())
	}
}

// Figures belong to the object that has the image that their description
// names, and move its token.
func TestFiguresIn(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	kidney := project(t, c, "Kidney")
	d, images := dataset(t, c, kidney.ID, "Confocal")
	other, _ := dataset(t, c, kidney.ID, "Controls")
	file, err := c.UploadFile(ctx, omero.FileSpec{Name: "f"}, strings.NewReader("{}"))
	check(t, err)
	token := func(id int64) string {
		tk, err := c.ChangeToken(ctx, omero.KindDataset, id, "")
		check(t, err)
		return tk.Hash
	}
	before, beforeOther := token(d.ID), token(other.ID)
	b := c.NewBatch()
	var figures []omero.Ref
	for _, about := range []string{fmt.Sprintf(`{"name": "a", "imageId": %d}`, images[0].ID), `{"imageId": "x"}`, `{"imageId": 99999999}`, "words", ""} {
		figures = append(figures, b.Annotation(omero.Annotation{Kind: omero.FileAnnotation, Namespace: omero.NamespaceFigure, Description: about, File: file}))
	}
	saved, err := c.Save(ctx, b)
	check(t, err)
	for _, of := range []struct {
		kind omero.Kind
		id   int64
		want int
	}{{omero.KindProject, kidney.ID, 1}, {omero.KindDataset, d.ID, 1}, {omero.KindDataset, other.ID, 0}, {omero.KindImage, images[0].ID, 1}} {
		got, err := c.FiguresIn(ctx, of.kind, of.id)
		check(t, err)
		if len(got) != of.want || of.want == 1 && (got[0].Annotation != saved.ID(figures[0]) || got[0].Image != images[0].ID) {
			t.Errorf("%s %d: got %+v, want %d", of.kind, of.id, got, of.want)
		}
	}
	if token(d.ID) == before || token(other.ID) != beforeOther {
		t.Error("the token of the dataset stays, or that of another moves")
	}
	after := token(d.ID)
	_, err = c.ReplaceFile(ctx, file.ID, strings.NewReader(`{"panels": []}`))
	check(t, err)
	if token(d.ID) == after {
		t.Error("the token stays when the figure is drawn anew")
	}
}
