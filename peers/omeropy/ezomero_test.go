//go:build peer

package omeropy

import (
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// ez is what ezomero_all.py prints.
type ez struct {
	Lists  map[string]any
	Pixels map[string]any
	Posts  struct {
		Project, Dataset, Alone, Screen, Image, Copied, Map, ROI int64
		Same                                                     []bool
		Pairs                                                    []map[string]any
		Comment, File                                            []any
		Shapes                                                   []string
		Equal                                                    []map[string]any
	}
	Printed struct {
		Text     string
		Switched bool
		Group    int64
	}
}

func TestEzomero(t *testing.T) {
	s := box.Store()
	image, dataset, project := object(t, "Image", "glomerulus.ome.tiff"), object(t, "Dataset", "Confocal"), object(t, "Project", "Kidney")
	plate, screen := object(t, "Plate", "Plate 7"), object(t, "Screen", "Drug screen")
	var got ez
	newPerson(t, "ada").script(&got, "ezomero_all.py", text(image.ID), text(dataset.ID), text(project.ID), text(plate.ID), text(screen.ID))
	t.Run("lists", func(t *testing.T) { wantEzLists(t, got.Lists, image, dataset, project, plate) })
	t.Run("pixels", func(t *testing.T) {
		for what, want := range map[string]any{
			"shape": []int{1, 3, 5, 256, 256}, "plane": true, "part": true, "part shape": []int{1, 2, 2, 40, 30}, "padded": []any{[]int{1, 1, 1, 10, 10}, true, 0},
		} {
			same(t, what, got.Pixels[what], want)
		}
	})
	t.Run("posts", func(t *testing.T) { wantEzPosts(t, &got) })
	t.Run("groups", func(t *testing.T) {
		for _, want := range []string{"lab", "private", "Kidney", "Retina"} {
			if !strings.Contains(got.Printed.Text, want) {
				t.Errorf("%s is not printed:\n%s", want, got.Printed.Text)
			}
		}
		if !got.Printed.Switched || got.Printed.Group != groupID(t, "private") {
			t.Errorf("got %+v", got.Printed)
		}
	})
	if s.Get("Project", got.Posts.Project) == nil {
		t.Error("the project was not made")
	}
}

func wantEzLists(t *testing.T, got map[string]any, image, dataset, project, plate *store.Row) {
	s, lab, private, ada := box.Store(), groupID(t, "lab"), groupID(t, "private"), userID(t, "ada")
	datasets := children(s.Collection("Project", project.ID, "datasetLinks"))
	images := func(datasets ...int64) (out []int64) {
		for _, d := range datasets {
			out = append(out, children(s.Collection("Dataset", d, "imageLinks"))...)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	// ezomero looks into all groups.
	mine := func(class string, keep func(*store.Row) bool) (ids []int64) {
		s.Each(class, func(r *store.Row) bool {
			if (r.Group == lab || r.Group == private && r.Owner == ada) && keep(r) {
				ids = append(ids, r.ID)
			}
			return true
		})
		return ids
	}
	all := func(*store.Row) bool { return true }
	well := s.Collection("Plate", plate.ID, "wells")
	run := s.Collection("Plate", plate.ID, "plateAcquisitions")
	var onPlate, inWell, inRun []int64
	for _, w := range well {
		for _, f := range s.Collection("Well", w.ID, "wellSamples") {
			onPlate = append(onPlate, f.Ref("image"))
			if w.ID == well[0].ID {
				inWell = append(inWell, f.Ref("image"))
			}
			if f.Ref("plateAcquisition") == run[0].ID {
				inRun = append(inRun, f.Ref("image"))
			}
		}
	}
	for _, list := range [][]int64{onPlate, inWell, inRun} {
		slices.Sort(list)
	}
	kinds := make(map[string][]int64)
	for _, l := range s.Collection("Image", image.ID, "annotationLinks") {
		a := s.Get("Annotation", l.Ref("child"))
		kinds[a.Class.Name] = append(kinds[a.Class.Name], a.ID)
	}
	entry, file := s.Collection("Fileset", image.Ref("fileset"), "usedFiles")[0], filesOf(image)[0]
	inProject := linked("ProjectDatasetLink")
	for what, want := range map[string]any{
		"datasets": datasets, "images": images(dataset.ID), "images of project": images(datasets...),
		"loose datasets":  mine("Dataset", func(r *store.Row) bool { return !inProject(r) }),
		"projects":        mine("Project", all),
		"screens":         mine("Screen", all),
		"wells":           idsOf(well),
		"runs":            idsOf(run),
		"images of plate": onPlate, "images of well": inWell, "images of run": inRun, "well at": well[5].ID,
		"maps": kinds["MapAnnotation"], "tags": kinds["TagAnnotation"], "comments": kinds["CommentAnnotation"], "files": kinds["FileAnnotation"],
		"rois": idsOf(s.Collection("Image", image.ID, "rois")), "group": lab, "user": userID(t, "juergen"),
		"paths":  [][]string{{file.Text("path") + file.Text("name")}, {"/" + entry.Text("clientPath")}},
		"levels": [][]int{{256, 256}}, "series": image.Get("series"), "by name": []int64{image.ID}, "by pair": []int64{image.ID}, "by tag": []int64{image.ID},
	} {
		switch what { // made by the program after it listed them
		case "projects", "loose datasets", "screens":
			want = slices.DeleteFunc(want.([]int64), func(id int64) bool { return !slices.Contains(sorted(got[what].([]any)), id) })
			if len(want.([]int64)) < 1 {
				t.Errorf("no %s", what)
			}
		}
		same(t, what, got[what], want)
	}
	if got["well at"] != float64(well[5].ID) || well[5].Get("row") != int32(1) || well[5].Get("column") != int32(2) {
		t.Errorf("well at row 1, column 2: got %v", got["well at"])
	}
}

func wantEzPosts(t *testing.T, got *ez) {
	s, p := box.Store(), got.Posts
	project, dataset := wantRow(t, "Project", p.Project), wantRow(t, "Dataset", p.Dataset)
	same(t, "project", []string{project.Text("name"), project.Text("description")}, []string{"ez Projekt ü", "mit Beschreibung"})
	same(t, "dataset", []string{dataset.Text("name"), dataset.Text("description")}, []string{"ez Daten", "neue Beschreibung"})
	same(t, "in the project", children(s.Collection("Project", p.Project, "datasetLinks")), []int64{p.Dataset, p.Alone})
	same(t, "in the dataset", children(s.Collection("Dataset", p.Dataset, "imageLinks")), []int64{p.Image, p.Copied})
	same(t, "linked", children(s.Collection("Dataset", p.Alone, "imageLinks")), []int64{p.Image})
	same(t, "screen", wantRow(t, "Screen", p.Screen).Text("name"), "ez Screen")
	same(t, "pixels", p.Same, []bool{true, true})
	if px := s.Collection("Image", p.Copied, "pixels")[0]; px.Get("sizeC") != int32(2) || wantRow(t, "Image", p.Copied).Text("name") != "ez Kopie" {
		t.Errorf("copy: got %v", px.Values)
	}
	same(t, "pairs", p.Pairs, []any{map[string]any{"größe": "5 µm", "n": "3"}, map[string]any{"neu": []string{"1", "2"}}})
	m := wantRow(t, "Annotation", p.Map)
	same(t, "stored pairs", members(m), map[string]any{"ns": "ez/changed", "mapValue": [][]string{{"neu", "1"}, {"neu", "2"}}})
	comment := wantRow(t, "Annotation", int64(p.Comment[0].(float64)))
	same(t, "comment", []any{p.Comment[1], comment.Text("textValue"), comment.Text("ns")}, []any{"Kommentar ä", "Kommentar ä", "ez/comment"})
	file := s.Get("OriginalFile", wantRow(t, "Annotation", int64(p.File[0].(float64))).Ref("file"))
	same(t, "file", []any{p.File[1], p.File[2], file.Text("name")}, []any{"werte ü.csv", "a,b\n1,2\n", "werte ü.csv"})
	roi, shapes := wantRow(t, "Roi", p.ROI), s.Collection("Roi", p.ROI, "shapes")
	same(t, "roi", []any{roi.Text("name"), roi.Text("description"), roi.Ref("image"), len(shapes)}, []any{"ez ROI", "Form", p.Image, 7})
	var kinds []string
	for _, sh := range shapes {
		kinds = append(kinds, sh.Class.Name)
	}
	same(t, "shapes", p.Shapes, kinds)
	for i, differences := range p.Equal {
		if len(differences) > 0 {
			t.Errorf("%s came back otherwise: %v", p.Shapes[i], differences)
		}
	}
	if len(p.Equal) != 7 || shapes[1].Get("strokeColor") != int32(-0xffff01) || shapes[2].Get("fillColor") != int32(0x01020304) {
		t.Errorf("colours: got %v and %v", shapes[1].Get("strokeColor"), shapes[2].Get("fillColor"))
	}
}
