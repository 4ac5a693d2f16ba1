package mount

import (
	"path/filepath"
	"testing"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/sample"
)

// TestNoPlateIsLost is TestNothingIsLost for screens and plates.
func TestNoPlateIsLost(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy})
	other := newWorld(t, sandbox.Config{Empty: true, BinaryAccess: everyPolicy})
	model := w.sandbox.Store().Model()
	ignore := lost(t, model)
	for _, o := range []struct{ class, section, name string }{{"Screen", "screens", "Drug screen"}, {"Plate", "plates", "Pilot plate"}} {
		source := w.omero(o.section, o.name)
		id := w.id(source)
		before := readGraph(t, w.sandbox.Store(), o.class, id)
		saved := w.home(o.name)
		w.run("cp", "-r", source, saved)
		load := func(what string, to *world, dst string) {
			t.Helper()
			to.run("cp", "-r", saved, dst)
			same(t, o.name+" "+what, before, readGraph(t, to.sandbox.Store(), o.class, to.id(dst)), ignore)
		}
		load("beside the old one", w, w.omero(o.section, o.name+" again"))
		load("in another group", w, filepath.Join(w.dir, "omero", sample.PrivateGroup, "ada", o.section, o.name))
		w.remove(o.class, id)
		load("after the old one is gone", w, w.omero(o.section, o.name+" back"))
		load("on another server", other, other.omero(o.section, o.name))
	}
}
