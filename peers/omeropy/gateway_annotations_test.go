//go:build peer

package omeropy

import (
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

type annotated struct {
	Read struct {
		All         map[string][]any
		ByNamespace []int64 `json:"by namespace"`
		One         [][]string
		Counts      map[string]int
		Count       map[string]int
		Links       [][]any
		Files       map[string][]any
		Sets        map[string][]int64
		Ratings     []int64
		Service     []int64
	}
	Written struct {
		Project int64
		Made    map[string]int64
		File    []any
		Left    []string
	}
}

func TestGatewayAnnotations(t *testing.T) {
	s, image := box.Store(), object(t, "Image", "glomerulus.ome.tiff")
	var got annotated
	newPerson(t, "ada").script(&got, "gateway_annotations.py", text(image.ID))
	t.Run("read", func(t *testing.T) { wantAnnotations(t, image, &got) })
	t.Run("written", func(t *testing.T) {
		w := got.Written
		project := wantRow(t, "Project", w.Project)
		for kind, value := range map[string]any{
			"TagAnnotation": "Etikett €", "LongAnnotation": int64(1) << 40, "DoubleAnnotation": 0.1, "BooleanAnnotation": false,
			"XmlAnnotation": "<a b='ü'/>", "TermAnnotation": "GO:1", "TimestampAnnotation": store.Time(1700000000123),
			"MapAnnotation": [][]string{{"neu", "1"}}, "CommentAnnotation": nil,
		} {
			a := s.Get("Annotation", w.Made[kind])
			if value == nil {
				if a != nil {
					t.Errorf("%s was not removed", kind)
				}
				continue
			}
			if a == nil || a.Class.Name != kind || a.Text("ns") != "peer/"+kind+"Wrapper" || a.Owner != userID(t, "ada") {
				t.Errorf("%s: got %v", kind, a)
				continue
			}
			m := members(a)
			delete(m, "ns")
			if len(m) != 1 {
				t.Errorf("%s: got %v", kind, m)
			}
			for _, v := range m {
				same(t, kind, v, value)
			}
		}
		var left []string
		for _, l := range s.Collection("Project", project.ID, "annotationLinks") {
			left = append(left, s.Get("Annotation", l.Ref("child")).Class.Name)
		}
		slices.Sort(left)
		same(t, "left", w.Left, left)
		if slices.Contains(left, "TagAnnotation") || len(left) != 8 {
			t.Errorf("left: %v", left)
		}
		file := wantRow(t, "OriginalFile", int64(w.File[1].(float64)))
		if file.Text("name") != "Anhang ü.bin" || file.Text("hash") != w.File[2] || file.Get("size") != int64(256*5000) || file.Text("mimetype") != "application/x-peer" || w.File[3] != true {
			t.Errorf("file: got %v, %v", file.Values, w.File)
		}
		if a := wantRow(t, "Annotation", int64(w.File[0].(float64))); a.Ref("file") != file.ID || a.Text("description") != "größer" {
			t.Errorf("file annotation: got %v", a.Values)
		}
	})
}

// wantAnnotations compares what was read on an image with all that is linked to
// it.
func wantAnnotations(t *testing.T, image *store.Row, got *annotated) {
	s, r := box.Store(), got.Read
	owner := func(id int64) string { return s.Get("Experimenter", id).Text("omeName") }
	kinds, links, files := map[string]int{}, [][]any{}, map[string][]any{}
	var inNamespace, service []int64
	var ratings []any
	for _, l := range s.Collection("Image", image.ID, "annotationLinks") {
		a := s.Get("Annotation", l.Ref("child"))
		kinds[a.Class.Name]++
		links = append(links, []any{a.ID, owner(l.Owner)})
		var ns any
		if a.Get("ns") != nil {
			ns = a.Text("ns")
		}
		same(t, "annotation "+text(a.ID), r.All[text(a.ID)], []any{a.Class.Name, ns, owner(a.Owner), members(a)})
		switch a.Class.Name {
		case "MapAnnotation", "TagAnnotation":
			service = append(service, a.ID)
		case "FileAnnotation":
			f := s.Get("OriginalFile", a.Ref("file"))
			files[text(a.ID)] = []any{f.Text("name"), f.Get("size"), f.Text("hash"), f.Text("mimetype")}
		}
		if strings.HasSuffix(a.Text("ns"), "/rating") {
			ratings = append(ratings, a.Get("longValue"))
		}
		if a.Text("ns") == "example.org/pipeline" {
			inNamespace = append(inNamespace, a.ID)
			same(t, "one", r.One, members(a)["mapValue"])
		}
	}
	if len(kinds) < 10 {
		t.Errorf("the sample study has annotations of %d kinds only: %v", len(kinds), kinds)
	}
	slices.SortFunc(links, func(a, b []any) int { return int(a[0].(int64) - b[0].(int64)) })
	slices.Sort(service)
	same(t, "links", r.Links, links)
	same(t, "files", r.Files, files)
	same(t, "by namespace", r.ByNamespace, inNamespace)
	same(t, "by the service", r.Service, service)
	same(t, "ratings", r.Ratings, ratings)
	for _, kind := range []string{"TagAnnotation", "FileAnnotation", "CommentAnnotation", "MapAnnotation"} {
		same(t, "number of "+kind, []int{r.Counts[kind], r.Count[kind]}, []int{kinds[kind], kinds[kind]})
	}
	sets := make(map[string][]int64)
	s.Each("TagAnnotation", func(a *store.Row) bool {
		if strings.HasSuffix(a.Text("ns"), "/tagset") && a.Owner == userID(t, "ada") {
			tags := children(s.Collection("Annotation", a.ID, "annotationLinks"))
			slices.Sort(tags)
			sets[a.Text("textValue")] = tags
		}
		return true
	})
	same(t, "tag sets", r.Sets, sets)
}
