//go:build peer

package omeropy

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// givePlates lets the server give the original files of plates away, or not.
func givePlates(t *testing.T, policy []store.NamedValue) {
	t.Helper()
	lab := box.Store().Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == sample.LabGroup })
	err := box.Store().Write(store.Root, func(a *store.Author) error {
		g := lab.Clone()
		if err := a.Tx().Fill(g, store.Values{"config": policy}); err != nil {
			return err
		}
		a.Update(g)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestUnpackPlates has omero-cli-transfer unpack what the mount shows of a
// screen and of a plate alone: it finds the plates that the imports make, and puts the
// annotations onto screen, plates and wells.
func TestUnpackPlates(t *testing.T) {
	givePlates(t, []store.NamedValue{{Name: "omero.policy.binary_access", Value: "+plate"}})
	t.Cleanup(func() { givePlates(t, nil) })
	ada := newPerson(t, "ada")
	dir := mounted(t, "ada")
	for _, c := range []struct {
		class, name, path, plate string
		images                   int
	}{
		{"Screen", "Drug screen", "screens/Drug screen", "Plate 7", 24},
		{"Plate", "Plate 7", "screens/Drug screen/Plate 7", "Plate 7", 24},
	} {
		t.Run(c.class+" "+c.name, func(t *testing.T) {
			ada.t = t
			source := oldest(t, c.class, c.name)
			plate := oldest(t, "Plate", c.plate)
			before, beforePlates := highest(c.class), highest("Plate")
			var out struct {
				Images        map[string]int64
				Files, Listed int
			}
			ada.script(&out, "transfer_unpack.py", filepath.Join(dir, "omero", "lab", "ada", c.path))
			made, plates := newer(c.class, before), newer("Plate", beforePlates)
			if len(made) != 1 || len(plates) != 1 || len(out.Images) != c.images || out.Listed != c.images || out.Files != 1 {
				t.Fatalf("got %d new objects, %d plates, %d of %d images in %d files", len(made), len(plates), len(out.Images), out.Listed, out.Files)
			}
			if made[0].Text("name") != c.name || c.class == "Screen" && made[0].Text("description") != source.Text("description") {
				t.Errorf("got %q, %q", made[0].Text("name"), made[0].Text("description"))
			}
			if got, want := plateGraph(plates[0]), plateGraph(plate); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if c.class == "Screen" {
				links := childrenOf("ScreenPlateLink", made[0].ID)
				if !slices.Equal(links, []int64{plates[0].ID}) {
					t.Errorf("the new screen has plates %v, want %d", links, plates[0].ID)
				}
				if n := len(childrenOf("ScreenAnnotationLink", made[0].ID)); n != 1 {
					t.Errorf("the new screen has %d annotations, want 1", n)
				}
			}
		})
	}
}

// plateGraph tells what unpack restores of a plate.
func plateGraph(plate *store.Row) (out []string) {
	s := box.Store()
	notes := func(class string, id int64) (out []string) {
		for _, a := range childrenOf(class+"AnnotationLink", id) {
			if r := s.Get("Annotation", a); r.Text("ns") != provenance {
				out = append(out, fmt.Sprint(r.Class.Name, r.Text("textValue"), r.Get("mapValue")))
			}
		}
		slices.Sort(out)
		return out
	}
	out = append(out, fmt.Sprintf("%s %q", plate.Text("name"), notes("Plate", plate.ID)))
	for _, w := range s.Collection("Plate", plate.ID, "wells") {
		var images []string
		for _, ws := range s.Collection("Well", w.ID, "wellSamples") {
			images = append(images, s.Get("Image", ws.Ref("image")).Text("name"))
		}
		out = append(out, fmt.Sprintf("%v %v %q %q", w.Get("row"), w.Get("column"), images, notes("Well", w.ID)))
	}
	slices.Sort(out)
	return out
}
