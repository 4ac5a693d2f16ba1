package mount

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/wild"
)

// failed are the seeds of studies that once lost something.
var failed = []uint64{803032793, 533366452, 724497860, 36228438}

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
			w, other := newWorld(t, sandbox.Config{Empty: true}), newWorld(t, sandbox.Config{Empty: true})
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

// surviving makes a study and saves and loads each of its objects.
func surviving(t *testing.T, w, other *world, seed uint64) {
	study, err := wild.Fill(t.Context(), w.sandbox.Target(), wild.Config{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	w.mount.omeroView.Invalidate()
	model := w.sandbox.Store().Model()
	ignore := lost(t, model)
	for _, o := range append(study.Projects, study.Orphans...) {
		section := strings.ToLower(o.Class) + "s"
		source := w.find(filepath.Join(w.dir, "omero", o.Group, "ada", section), o.ID)
		before := readGraph(t, w.sandbox.Store(), o.Class, o.ID)
		name := fmt.Sprintf("%s %d of %d", o.Class, o.ID, seed)
		saved := w.home(name)
		copier := []string{"cp -r", "tar"}[o.ID%2]
		w.copy(copier, source, saved)
		unchanged := readGraph(t, w.sandbox.Store(), o.Class, o.ID)
		same(t, name+" after the save", before, unchanged, nil)
		for what, dst := range map[string]struct {
			w    *world
			path string
		}{
			"beside the old one": {w, filepath.Join(w.dir, "omero", o.Group, "ada", section, name)},
			"on another server":  {other, other.omero(section, name)},
		} {
			dst.w.copy(copier, saved, dst.path)
			eventually(t, "the loaded object shows", func() bool { return attr(dst.path, "user.omero.id") != "" })
			after := readGraph(t, dst.w.sandbox.Store(), o.Class, dst.w.id(dst.path))
			same(t, name+" "+what, before, after, ignore)
		}
	}
}

// copy copies a folder to a new name.
func (w *world) copy(program, src, dst string) {
	w.t.Helper()
	if out, code := copiers[program](w, src, dst); code != 0 {
		why, _, _ := Why(dst)
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
