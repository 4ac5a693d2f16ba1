//go:build peer

package omeropy

import (
	"slices"
	"testing"
)

// writing is what gateway_write.py prints.
type writing struct {
	Graph struct {
		ID       int64
		Datasets [][]any
		Loaded   int
	}
	Arrays struct {
		Link, IDs []int64
		Twice     string
	}
	Conflicts map[string]any
	Wrapped   []any
	ROI       struct {
		ID     int64
		Shapes []string
	}
	Image struct {
		ID, Parent, Dataset int64
		Same                []bool
		Size                []int
		Type                string
		Ranges              [][]float64
		TrueRanges          [][]float64 `json:"true ranges"`
	}
	Settings map[string]any
	Deleting struct {
		Dry           string
		There         bool
		Gone          []any
		Kept, Refused []any
		Head          []any
		Link          int64
	}
	Moving struct {
		Done             []string
		Groups           []int64
		Inside, Datasets []int64
		Hidden           any
	}
	Others struct {
		Rights  map[string][]bool
		Comment int64
		Refused string
	}
	Sessions map[string]any
}

func TestGatewayWrites(t *testing.T) {
	s := box.Store()
	ada, lab, private := userID(t, "ada"), groupID(t, "lab"), groupID(t, "private")
	image, retina := object(t, "Image", "glomerulus.ome.tiff"), object(t, "Project", "Retina")
	if retina.Owner == ada || image.Owner != ada {
		t.Fatal("the sample study has other owners than this test knows")
	}
	var got writing
	newPerson(t, "ada").script(&got, "gateway_write.py", text(image.ID), text(retina.ID))

	t.Run("saved", func(t *testing.T) {
		p := wantRow(t, "Project", got.Graph.ID)
		var want [][]any
		for _, l := range s.Collection("Project", p.ID, "datasetLinks") {
			want = append(want, []any{l.Ref("child"), wantRow(t, "Dataset", l.Ref("child")).Text("name")})
		}
		same(t, "graph", got.Graph.Datasets, want)
		same(t, "name and size", []any{p.Text("name"), got.Graph.Loaded, p.Owner, p.Group}, []any{"graph ü", 2, ada, lab})
		l := wantRow(t, "ProjectDatasetLink", got.Arrays.Link[0])
		same(t, "link", got.Arrays.Link[1:], []int64{l.Ref("parent"), l.Ref("child")})
		same(t, "link again", got.Arrays.Twice, "ValidationException")
		if len(got.Arrays.IDs) != 50 || wantRow(t, "Dataset", got.Arrays.IDs[49]).Text("name") != "many 49" {
			t.Errorf("ids: got %v", got.Arrays.IDs)
		}
		w := wantRow(t, "Project", int64(got.Wrapped[0].(float64)))
		same(t, "renamed", []any{got.Wrapped[1], w.Text("name"), w.Text("description")}, []any{"danach €", "danach €", "Zeile\nzwei"})
	})
	t.Run("refused", func(t *testing.T) {
		for what, want := range map[string]string{
			"stale": "OptimisticLockException", "foreign": "SecurityViolation", "foreign link": "ReadOnlyGroupSecurityViolation",
			"nameless": "ValidationException", "missing": "ValidationException", "in the other group": "nothing",
		} {
			same(t, what, got.Conflicts[what], want)
		}
		if r := s.Get("Project", retina.ID); r.Text("name") != "Retina" || r.Version != retina.Version || len(s.Collection("Project", r.ID, "datasetLinks")) != 1 {
			t.Errorf("grace's project was changed: %v", r.Values)
		}
		if r := wantRow(t, "Project", int64(got.Conflicts["id"].(float64))); r.Text("name") != "one" {
			t.Errorf("after the conflict: %s", r.Text("name"))
		}
	})
	t.Run("roi", func(t *testing.T) {
		r := wantRow(t, "Roi", got.ROI.ID)
		shapes := s.Collection("Roi", r.ID, "shapes")
		if r.Ref("image") != image.ID || r.Text("name") != "von Python" || len(shapes) != 2 {
			t.Fatalf("got %v with %d shapes", r.Values, len(shapes))
		}
		same(t, "kinds", got.ROI.Shapes, []string{shapes[0].Class.Name, shapes[1].Class.Name})
		same(t, "box", members(shapes[0]), map[string]any{"x": 1.5, "y": 2.0, "width": 3.0, "height": 4.0, "theZ": 0, "textValue": "ß", "strokeWidth": []any{2.5, "PIXEL"}})
		same(t, "line", members(shapes[1]), map[string]any{"points": "1,2 3,4"})
	})
	t.Run("image", func(t *testing.T) { wantCreated(t, &got) })
	t.Run("deleted", func(t *testing.T) {
		d := got.Deleting
		same(t, "dry", []any{d.Dry, d.There}, []any{"Delete2Response", true})
		same(t, "gone", d.Gone, []any{nil, nil})
		same(t, "only the link", []any{d.Kept, s.Get("ProjectDatasetLink", d.Link) == nil}, []any{[]any{0, "kept"}, true})
		same(t, "refused", d.Refused, []any{"CmdError", "GraphException", true})
		same(t, "head", d.Head, []any{nil, true})
	})
	t.Run("moved", func(t *testing.T) {
		m := got.Moving
		same(t, "moves", []any{m.Done, m.Groups, m.Inside, m.Hidden}, []any{[]string{"DoAllRsp", "DoAllRsp"}, []int64{private, private}, m.Datasets, nil})
		for _, id := range m.Datasets {
			if g := wantRow(t, "Dataset", id).Group; g != private {
				t.Errorf("dataset %d is in group %d", id, g)
			}
		}
	})
	t.Run("others", func(t *testing.T) {
		// edit, delete, link, annotate, chgrp, chown, owned, leader
		for who, want := range map[string][]bool{
			"ada":     {true, true, true, true, true, false, true, false},
			"juergen": {false, false, false, true, false, false, false, false},
			"grace":   {true, true, true, true, false, true, false, true},
		} {
			same(t, "rights of "+who, got.Others.Rights[who], want)
		}
		same(t, "deleting a comment of another", got.Others.Refused, "CmdError")
		if s.Get("Annotation", got.Others.Comment) != nil {
			t.Error("juergen's comment is still there")
		}
	})
	t.Run("sessions", func(t *testing.T) {
		for what, want := range map[string]any{
			"su": []any{"grace", "root", "lab", false}, "admin": []any{true, s.Count("AdminPrivilege")}, "joined": []any{true, "ada"}, "alive": true,
			"bad": []any{false, "PermissionDeniedException"}, "insecure": []any{true, false, "ada"}, "switched": []any{true, "private", "ObjectNotExistException"},
		} {
			same(t, what, got.Sessions[what], want)
		}
		if p := wantRow(t, "Project", int64(got.Sessions["made"].(float64))); p.Owner != userID(t, "grace") || p.Group != lab {
			t.Errorf("made by sudo: of %d in %d", p.Owner, p.Group)
		}
	})
}

// wantCreated checks an image that was made of arrays.
func wantCreated(t *testing.T, got *writing) {
	s, i := box.Store(), got.Image
	row := wantRow(t, "Image", i.ID)
	pixels := s.Collection("Image", i.ID, "pixels")[0]
	same(t, "name", []any{row.Text("name"), row.Text("description"), row.Get("fileset")}, []any{"numpy äö", "d", nil})
	same(t, "size", i.Size, []any{pixels.Get("sizeX"), pixels.Get("sizeY"), pixels.Get("sizeZ"), pixels.Get("sizeC"), pixels.Get("sizeT")})
	same(t, "size", i.Size, []int{12, 10, 2, 3, 2})
	same(t, "type", i.Type, "uint16")
	same(t, "ranges", i.Ranges, i.TrueRanges)
	if len(i.Same) != 12 || slices.Contains(i.Same, false) {
		t.Errorf("planes came back otherwise: %v", i.Same)
	}
	if len(pixels.Text("sha1")) != 40 || i.Parent != i.Dataset || !slices.Contains(children(s.Collection("Dataset", i.Dataset, "imageLinks")), i.ID) {
		t.Errorf("sum %q, in dataset %d", pixels.Text("sha1"), i.Parent)
	}
	top := func(c int) float64 { return i.TrueRanges[c][1] }
	same(t, "settings kept", got.Settings["kept"], []any{
		[]any{false, "0000FF", 0, top(0)}, []any{true, "FF0080", 10, 200}, []any{false, "FF0000", 0, top(2)},
	})
	same(t, "settings reset", got.Settings["reset"], []any{[]any{true, top(0)}, []any{true, top(1)}, []any{true, top(2)}})
	same(t, "names", got.Settings["names"], []string{"eins", "zwei", "2"})
	var names []string
	for _, ch := range s.Collection("Pixels", pixels.ID, "channels") {
		names = append(names, s.Get("LogicalChannel", ch.Ref("logicalChannel")).Text("name"))
	}
	same(t, "stored names", names, []string{"eins", "zwei", ""})
	defs := s.Collection("Pixels", pixels.ID, "settings")
	if len(defs) != 1 || defs[0].Owner != row.Owner {
		t.Errorf("%d rendering settings, want one of the owner", len(defs))
	}
}
