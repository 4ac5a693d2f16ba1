package mount

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/pack"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/graph"
)

// numbered is the end of a name that an older object has too.
var numbered = regexp.MustCompile(` \[\d+\]`)

// document reads the transfer.xml of a folder, without what says when and where
// it was made.
func document(t *testing.T, dir string) *graph.Graph {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "transfer.xml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // it was only read
	doc, _, err := pack.Decode(f, pack.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	doc.Packed, doc.Origin.Name = time.Time{}, ""
	for i := range doc.Filesets {
		doc.Filesets[i].Info = nil // what an import wrote down of itself
		for j := range doc.Filesets[i].Entries {
			e := &doc.Filesets[i].Entries[j]
			e.Path = numbered.ReplaceAllString(e.Path, " [id]")
		}
	}
	// An image without original files has one after a load.
	for i := range doc.Images {
		im := &doc.Images[i]
		if !strings.Contains(im.Name, "(drawn)") {
			continue
		}
		doc.Filesets = slices.DeleteFunc(doc.Filesets, func(f pack.Fileset) bool { return f.ID == im.Fileset })
		im.Path, im.Fileset = "", ""
		if im.Pixels != nil {
			im.Pixels.SHA1 = "" // nobody had counted it
		}
	}
	return graph.OfValue(doc, reflect.TypeFor[pack.ID]())
}

// TestTheLoadedSavesTheSame saves what was loaded: both packs say the same.
func TestTheLoadedSavesTheSame(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	// The dates, whose it is now, and the name that the load was given.
	other := []graph.Pattern{"*.Details.Created", "*.Details.Updated", "*.Details.Owner", "*.Modified", "Link.At", "Link.By", "User.*", "Project.Name"}
	for _, name := range []string{"Zebrafish ／ heart", "Kidney"} {
		first, second := w.home(name), w.home(name+" again")
		w.run("cp", "-r", w.omero("projects", name), first)
		w.run("cp", "-r", first, w.omero("projects", name+" again"))
		w.run("cp", "-r", w.omero("projects", name+" again"), second)
		same(t, name, document(t, first), document(t, second), other)
	}
}
