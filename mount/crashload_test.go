package mount

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/store"
)

// counted adds what a load makes beside the tree: attached files and how the
// images were taken.
func (d *doomed) counted() map[string]int {
	n := d.counts()
	for _, class := range []string{"OriginalFile", "Instrument", "Experiment", "LogicalChannel", "ObjectiveSettings", "Project", "Dataset"} {
		n[class] = d.sandbox.Store().Count(class)
	}
	// A server keeps the folders of imports that are gone.
	d.sandbox.Store().Each("OriginalFile", func(r *store.Row) bool {
		if r.Text("mimetype") == "Directory" {
			n["OriginalFile"]--
		}
		return true
	})
	return n
}

// A mount that is killed at any request of a load of a screen with plates, or
// of a tar, leaves either the whole object or nothing once it has been mounted
// again, and then the same command works.
func TestMountKilledDuringALoad(t *testing.T) {
	for _, c := range []struct {
		name, class, section, suffix string
		source, command              []string
		points                       []int64
	}{
		{"screen", "Screen", "screens", "", []string{"omero", "screens", "Drug screen"}, []string{"cp", "-r"}, []int64{40, 75, 105, 130}},
		{"tar", "Project", "projects", ".tar", []string{"tars", "projects", "Kidney.tar"}, []string{"cp"}, []int64{30, 70, 110, 150}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newDoomed(t, sandbox.Config{BinaryAccess: everyPolicy})
			s := w.sandbox.Store()
			place := w.omero
			if c.suffix != "" {
				place = w.tars
			}
			source := place(c.source[1:]...)
			local := filepath.Join(t.TempDir(), "pack"+c.suffix)
			w.run(c.command[0], append(c.command[1:len(c.command):len(c.command)], source, local)...)
			want := describe(s, c.class, w.id(w.omero(c.section, c.source[2][:len(c.source[2])-len(c.suffix)])))
			before := w.counted()
			points, soak := c.points, os.Getenv("OMERODS_SOAK") != ""
			for i := 0; soak || i < len(points); i++ {
				n := int64(i + 1)
				if !soak {
					n = points[i]
				}
				object := fmt.Sprintf("Loaded %d", n)
				target := place(c.section, object+c.suffix)
				args := append(c.command[1:len(c.command):len(c.command)], local, target)
				name := fmt.Sprintf("killed at request %d", n)
				code, over := w.killedAt(n, c.command[0], args...)
				made := s.Count(c.class) > before[c.class]
				if !made {
					if code == 0 {
						t.Errorf("%s: the command said it worked, and nothing was made", name)
					}
					for deadline := time.Now().Add(20 * time.Second); !maps.Equal(w.counted(), before); time.Sleep(20 * time.Millisecond) {
						if time.Now().After(deadline) {
							t.Fatalf("%s: got %v, want %v", name, w.counted(), before)
						}
					}
					w.run(c.command[0], args...)
				}
				if got := describe(s, c.class, w.id(w.omero(c.section, object))); got != want {
					t.Errorf("%s: made %s\nwant %s", name, got, want)
				}
				eventually(t, name+": no marks are left", func() bool { return w.marks() == 0 })
				before = w.counted()
				if over {
					if i == 0 {
						t.Error("the load ended before the mount was killed")
					}
					break
				}
			}
			w.v.stop()
			w.noMarksLeft()
		})
	}
}
