//go:build peer

package omeropy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// reading is what gateway_read.py prints.
type reading struct {
	Who struct {
		User, Context  []any
		Member, Leader []int64
		Admin, Leads   bool
		Secure         bool
		Colleagues     []string
		Default        string
		Summary        [][]int64
		Privileges     []string
	}
	Classes  map[string][]int64
	Filtered map[string]any
	Tree     [][]any
	Parents  map[string]any
	Plates   []struct {
		Name   string
		Grid   map[string]int
		Fields []int
		Runs   []string
		Wells  [][]any
		Screen string
	}
	Orphans map[string][]string
	Groups  map[string][]string
	Alive   bool
	Version string

	Searched []int64
	Planes   []int
}

func idsOf(rows []*store.Row) []int64 {
	out := make([]int64, len(rows))
	for i, r := range rows {
		out[i] = r.ID
	}
	return out
}

// children are the ends of links.
func children(links []*store.Row) []int64 {
	out := make([]int64, len(links))
	for i, l := range links {
		out[i] = l.Ref("child")
	}
	return out
}

func where(rows []*store.Row, keep func(*store.Row) bool) []*store.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r *store.Row) bool { return !keep(r) })
}

// linked reports whether something links to an object, as its parent.
func linked(link string) func(*store.Row) bool {
	seen := make(map[int64]bool)
	box.Store().Each(link, func(l *store.Row) bool {
		seen[l.Ref("child")] = true
		return true
	})
	return func(r *store.Row) bool { return seen[r.ID] }
}

func TestGatewayReads(t *testing.T) {
	var got reading
	newPerson(t, "ada").script(&got, "gateway_read.py", text(object(t, "Image", "glomerulus.ome.tiff").ID), text(object(t, "Plate", "Plate 7").ID))
	ada, lab, private := userID(t, "ada"), groupID(t, "lab"), groupID(t, "private")
	s := box.Store()
	t.Run("who", func(t *testing.T) {
		w := got.Who
		same(t, "user", w.User, []any{ada, "ada", "Ada Lovelace", "ada@example.org"})
		same(t, "context", w.Context, []any{ada, "ada", lab, "lab", false, []int64{lab, private, store.UserGroup}, []int64{}})
		same(t, "groups", w.Member, []int64{lab, private})
		same(t, "led", w.Leader, []int64{})
		same(t, "colleagues", w.Colleagues, []string{"grace", "juergen"})
		same(t, "owners and members", w.Summary, [][]int64{{userID(t, "grace")}, {ada, userID(t, "juergen")}})
		if w.Admin || w.Leads || !w.Secure || w.Default != "lab" || len(w.Privileges) != 0 || !got.Alive {
			t.Errorf("got %+v", w)
		}
		if !strings.HasPrefix(got.Version, "5.6.") {
			t.Errorf("the server is of version %q", got.Version)
		}
	})
	t.Run("classes", func(t *testing.T) {
		for class, ids := range got.Classes {
			want := idsOf(visible(class, lab))
			if class == "Experimenter" || class == "ExperimenterGroup" {
				want = nil
				s.Each(class, func(r *store.Row) bool { want = append(want, r.ID); return true })
			}
			if class == "OriginalFile" { // folders of the repository are everybody's
				ids = slices.DeleteFunc(ids, func(id int64) bool { return s.Get(class, id).Group == store.UserGroup })
			}
			if len(want) == 0 {
				t.Errorf("the sample study has no %s", class)
			}
			same(t, class, ids, want)
		}
	})
	t.Run("filters", func(t *testing.T) { wantFiltered(t, got.Filtered) })
	t.Run("tree", func(t *testing.T) {
		for _, p := range got.Tree {
			project := wantRow(t, "Project", int64(p[0].(float64)))
			links := s.Collection("Project", project.ID, "datasetLinks")
			same(t, "project", p[1:3], []any{project.Text("name"), len(links)})
			var ids []int64
			for _, v := range p[3].([]any) {
				d := v.([]any)
				dataset := wantRow(t, "Dataset", int64(d[0].(float64)))
				ids = append(ids, dataset.ID)
				images := children(s.Collection("Dataset", dataset.ID, "imageLinks"))
				same(t, "dataset", d[1:3], []any{dataset.Text("name"), len(images)})
				same(t, "images of "+dataset.Text("name"), sorted(d[3].([]any)), images)
			}
			slices.Sort(ids)
			same(t, "datasets of "+project.Text("name"), ids, children(links))
		}
		if n := len(visible("Project", lab)); len(got.Tree) != n {
			t.Errorf("got %d projects, want %d", len(got.Tree), n)
		}
	})
	t.Run("parents", func(t *testing.T) {
		i := object(t, "Image", "glomerulus.ome.tiff")
		at := func(event int64) any { return s.Get("Event", event).Get("time") }
		for what, want := range map[string]any{
			"parent": "Confocal", "ancestry": []string{"Confocal", "Kidney"}, "project": "Kidney", "well": []string{"Plate 7", "A1"},
			"owner": []string{"ada", "Ada Lovelace", "lab"}, "description": i.Text("description"),
			"rights": []bool{true, true, true, true, true, false, true},
			"dates":  []any{i.Get("acquisitionDate"), at(i.Created), at(i.Updated)},
		} {
			same(t, what, got.Parents[what], want)
		}
	})
	t.Run("plates", func(t *testing.T) {
		if len(got.Plates) != 1 {
			t.Fatalf("got %d plates, want 1", len(got.Plates))
		}
		p, plate := got.Plates[0], object(t, "Plate", "Plate 7")
		wells := s.Collection("Plate", plate.ID, "wells")
		same(t, "name and screen", []string{p.Name, p.Screen}, []string{"Plate 7", "Drug screen"})
		same(t, "size", []any{p.Grid["rows"], p.Grid["columns"], len(p.Runs), len(p.Wells)}, []any{2, 3, len(s.Collection("Plate", plate.ID, "plateAcquisitions")), len(wells)})
		for _, w := range p.Wells {
			well := wantRow(t, "Well", int64(w[0].(float64)))
			var images []int64
			for _, f := range s.Collection("Well", well.ID, "wellSamples") {
				images = append(images, f.Ref("image"))
			}
			same(t, fmt.Sprint("well ", well.ID), w[1:], []any{well.Get("row"), well.Get("column"), len(images), images})
		}
	})
	t.Run("search", func(t *testing.T) {
		same(t, "found", got.Searched, idsOf(where(visible("Project", lab), func(r *store.Row) bool { return strings.HasPrefix(r.Text("name"), "Zebraf") })))
		same(t, "largest plane", got.Planes, []int{3192, 3192})
	})
	t.Run("orphans", func(t *testing.T) {
		in := linked("ProjectDatasetLink")
		var want []string
		for _, d := range where(visible("Dataset", lab), func(r *store.Row) bool { return r.Owner == ada && !in(r) }) {
			want = append(want, d.Text("name"))
		}
		names := got.Orphans["Dataset"]
		slices.Sort(want)
		slices.Sort(names)
		same(t, "datasets", names, want)
		if !slices.Contains(got.Orphans["Image"], "first light.tif") || slices.Contains(got.Orphans["Plate"], "Plate 7") {
			t.Errorf("got %v", got.Orphans)
		}
	})
	t.Run("groups", func(t *testing.T) {
		var all, mine []string
		for _, p := range append(visible("Project", lab), where(visible("Project", private), func(r *store.Row) bool { return r.Owner == ada })...) {
			all = append(all, p.Text("name"))
			if p.Group == private {
				mine = append(mine, p.Text("name"))
			}
		}
		slices.Sort(all)
		slices.Sort(mine)
		same(t, "all", got.Groups["all"], all)
		same(t, "private", got.Groups["private"], mine)
	})
}

// sorted are numbers of JSON as ids in their order.
func sorted(list []any) []int64 {
	out := make([]int64, len(list))
	for i, v := range list {
		out[i] = int64(v.(float64))
	}
	slices.Sort(out)
	return out
}

// wantFiltered compares getObjects with its options.
func wantFiltered(t *testing.T, got map[string]any) {
	ada, lab, s := userID(t, "ada"), groupID(t, "lab"), box.Store()
	g := object(t, "Image", "glomerulus.ome.tiff")
	dataset := object(t, "Dataset", "Confocal")
	images := s.Collection("Dataset", dataset.ID, "imageLinks")
	byName := children(images)
	slices.SortStableFunc(byName, func(a, b int64) int {
		name := func(id int64) string { return strings.ToLower(s.Get("Image", id).Text("name")) }
		return strings.Compare(name(a), name(b))
	})
	inDataset, inWell := linked("DatasetImageLink"), map[int64]bool{}
	s.Each("WellSample", func(r *store.Row) bool { inWell[r.Ref("image")] = true; return true })
	inProject, inScreen := linked("ProjectDatasetLink"), linked("ScreenPlateLink")
	rois, shapes := []int64{}, map[string][]int64{}
	for _, r := range s.Collection("Image", g.ID, "rois") {
		rois = append(rois, r.ID)
		shapes[text(r.ID)] = idsOf(s.Collection("Roi", r.ID, "shapes"))
	}
	counts, sizes := map[string]int{}, map[string][]any{}
	for _, d := range visible("Dataset", lab) {
		counts[text(d.ID)] = len(s.Collection("Dataset", d.ID, "imageLinks"))
	}
	for _, p := range visible("Pixels", lab) {
		size := []any{}
		for _, n := range []string{"sizeX", "sizeY", "sizeZ", "sizeC", "sizeT"} {
			size = append(size, p.Get(n))
		}
		sizes[text(p.Ref("image"))] = append(size, s.Get("PixelsType", p.Ref("pixelsType")).Text("value"))
	}
	plate, screen := object(t, "Plate", "Plate 7"), object(t, "Screen", "Drug screen")
	var named []int64
	for _, d := range visible("Dataset", lab) {
		if d.Text("name") == "Controls" {
			named = append(named, d.ID)
		}
	}
	tag := s.Find("TagAnnotation", func(r *store.Row) bool { return r.Text("textValue") == "Färbung: LAMP1" })
	for what, want := range map[string]any{
		"glomerulus": g.ID, "owner": idsOf(where(visible("Project", lab), func(r *store.Row) bool { return r.Owner == ada })),
		"group": idsOf(visible("Project", lab)), "project": children(s.Collection("Project", object(t, "Project", "Kidney").ID, "datasetLinks")),
		"dataset": byName, "dataset page": children(images)[1:3],
		"orphaned images":   idsOf(where(visible("Image", lab), func(r *store.Row) bool { return !inDataset(r) && !inWell[r.ID] })),
		"orphaned datasets": idsOf(where(visible("Dataset", lab), func(r *store.Row) bool { return !inProject(r) })),
		"orphaned plates":   idsOf(where(visible("Plate", lab), func(r *store.Row) bool { return !inScreen(r) })),
		"screen":            children(s.Collection("Screen", screen.ID, "plateLinks")), "plate": idsOf(s.Collection("Plate", plate.ID, "wells")),
		"members": []int64{ada, userID(t, "grace"), userID(t, "juergen")}, "groups": []int64{store.UserGroup, lab, groupID(t, "private")},
		"rois": rois, "shapes": shapes, "attributes": named, "by name": screen.ID, "by ids": []int64{g.ID}, "none": nil,
		"counts": counts, "sizes": sizes, "tag": []int64{tag.ID},
	} {
		same(t, what, got[what], want)
	}
}
