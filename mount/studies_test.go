package mount

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/graph"
	"omerods/internal/sandbox/store"
	"omerods/internal/sandbox/wild"
)

// failed are the seeds of studies that once lost something.
var failed = []uint64{803032793, 533366452, 724497860, 36228438, 2010, 2032, 1045}

// TestStudiesSurvive saves random studies and loads them into the same and
// into another server. OMERODS_SEED runs one study, OMERODS_SOAK hundreds.
func TestStudiesSurvive(t *testing.T) {
	seeds := append([]uint64{}, failed...)
	n := 3
	if os.Getenv("OMERODS_SOAK") != "" {
		n = 300
	}
	for range n {
		seeds = append(seeds, rand.Uint64N(1e9))
	}
	if s := os.Getenv("OMERODS_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = []uint64{seed}
	}
	const together = 10 // studies on one pair of servers
	for i := 0; i < len(seeds); i += together {
		t.Run(fmt.Sprintf("servers %d", i/together), func(t *testing.T) {
			c := sandbox.Config{Empty: true, BinaryAccess: everyPolicy}
			w, other := newWorld(t, c), newWorld(t, c)
			for _, seed := range seeds[i:min(i+together, len(seeds))] {
				t.Run(fmt.Sprintf("OMERODS_SEED=%d", seed), func(t *testing.T) {
					w.t, other.t = t, t
					surviving(t, w, other, seed)
				})
				w.t, other.t = t, t
			}
		})
	}
}

// kept is a saved object of a study.
type kept struct {
	name, class, section string
	copier, saved        string
	before               *graph.Graph
}

// surviving makes a study and saves and loads each of its objects. Of every
// second study nothing is left on its server when the other one takes it in.
func surviving(t *testing.T, w, other *world, seed uint64) {
	study, err := wild.Fill(t.Context(), w.sandbox.Target(), wild.Config{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	w.mount.omeroView.Invalidate()
	ignore := lost(t, w.sandbox.Store().Model())
	var all []kept
	doomed := map[omero.Kind]map[int64]bool{}
	for _, o := range slices.Concat(study.Projects, study.Orphans, study.Screens, study.Plates) {
		section := strings.ToLower(o.Class) + "s"
		source := w.find(filepath.Join(w.dir, "omero", o.Group, "ada", section), o.ID)
		name := fmt.Sprintf("%s %d of %d", o.Class, o.ID, seed)
		k := kept{name: name, section: section, copier: []string{"cp -r", "tar"}[o.ID%2], saved: w.home(name), class: o.Class,
			before: readGraph(t, w.sandbox.Store(), o.Class, o.ID)}
		w.copy(k.copier, source, k.saved)
		keptLooks(t, w.sandbox.Store(), k.saved)
		same(t, name+" after the save", k.before, readGraph(t, w.sandbox.Store(), o.Class, o.ID), nil)
		k.load(t, w, filepath.Join(w.dir, "omero", o.Group, "ada", section, name), "beside the old one", ignore)
		all = append(all, k)
		for _, class := range []string{o.Class, "Image"} {
			if doomed[omero.Kind(class)] == nil {
				doomed[omero.Kind(class)] = map[int64]bool{}
			}
			k.before.Each(class, func(r *store.Row) { doomed[omero.Kind(class)][r.ID] = true })
		}
	}
	if seed%2 == 1 {
		objects := map[omero.Kind][]int64{}
		for class, ids := range doomed {
			objects[class] = slices.Sorted(maps.Keys(ids))
		}
		w.removeAll(objects)
	}
	for _, k := range all {
		k.load(t, other, other.omero(k.section, k.name), "on another server", ignore)
	}
}

// load loads what was saved and compares it with what there was.
func (k kept) load(t *testing.T, w *world, dst, what string, ignore []graph.Pattern) {
	t.Helper()
	w.copy(k.copier, k.saved, dst)
	eventually(t, "the loaded object shows", func() bool { return attr(dst, "user.omero.id") != "" })
	same(t, k.name+" "+what, k.before, readGraph(t, w.sandbox.Store(), k.class, w.id(dst)), ignore)
}

// keptLooks fails the test unless a pack has the settings that others than the
// owners of the images have for them.
func keptLooks(t *testing.T, s *store.Store, saved string) {
	t.Helper()
	file, err := os.Open(filepath.Join(saved, "transfer.xml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // only read
	doc, _, err := pack.Decode(file, pack.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[pack.ID]bool{}
	for _, d := range doc.Datasets {
		for _, id := range d.Images {
			shown[id] = true
		}
	}
	for _, p := range doc.Plates {
		for _, w := range p.Wells {
			for _, f := range w.Samples {
				shown[f.Image] = true
			}
		}
	}
	for _, image := range doc.Images {
		if !shown[image.ID] {
			continue // it is in a file with one that is
		}
		n, _ := image.ID.Number()
		var want, got []string
		for _, pixels := range s.Collection("Image", n, "pixels") {
			for _, def := range s.Collection("Pixels", pixels.ID, "settings") {
				want = append(want, string(pack.NewID(pack.KindUser, def.Owner)))
			}
		}
		for _, r := range image.Renderings {
			got = append(got, string(r.Owner))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the pack has settings of %q, want %q", image.ID, got, want)
		}
	}
}

// copy copies a folder to a new name.
func (w *world) copy(program, src, dst string) {
	w.t.Helper()
	if out, code := copiers[program](w, src, dst); code != 0 {
		why, _, _ := Why(dst)
		if from, found, _ := Why(filepath.Join(src, "transfer.xml")); found {
			why += from
		}
		w.t.Fatalf("%s %q %q: exit code %d\n%s%s", program, src, dst, code, out, why)
	}
}

// find is the path of an object in a folder.
func (w *world) find(dir string, id int64) string {
	w.t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); attr(path, "user.omero.id") == strconv.FormatInt(id, 10) {
			return path
		}
	}
	w.t.Fatalf("%s has no object %d", dir, id)
	return ""
}
