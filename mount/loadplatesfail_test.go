package mount

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/store"
)

// counts are how many objects the server has of what a load makes.
func (w *world) counts() map[string]int {
	n := map[string]int{}
	for _, class := range []string{"Screen", "Reagent", "Plate", "PlateAcquisition", "Well", "WellSample", "Image", "Fileset", "Annotation", "ScreenPlateLink", "Roi"} {
		n[class] = w.sandbox.Store().Count(class)
	}
	return n
}

// A load whose connection breaks after any of its changes either is there as a
// whole or leaves nothing.
func TestFailedLoadsOfPlatesLeaveNothing(t *testing.T) {
	var left atomic.Int64 // changes until the connection breaks
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy, OMEROFault: func(op string, _ int64) blitz.Fault {
		for _, change := range []string{".saveAndReturnIds", ".saveArray", ".submit"} {
			if strings.HasSuffix(op, change) && left.Load() > 0 && left.Add(-1) == 0 {
				return blitz.FaultAfter
			}
		}
		return blitz.FaultNone
	}})
	s := w.sandbox.Store()
	screen := s.Get("Screen", w.id(w.omero("screens", "Drug screen")))
	pilot := s.Get("Plate", w.id(w.omero("plates", "Pilot plate")))
	seven := s.Get("Plate", w.id(w.omero("screens", "Drug screen", "Plate 7")))
	w.study(pilot, func(st *study) error {
		_, err := st.a.Create("ScreenPlateLink", store.Values{"parent": screen, "child": pilot})
		return errors.Join(err, st.well(pilot, 4, 4, nil), st.set(seven, store.Values{"status": "changed"}))
	})
	saved := w.home("screen")
	w.run("cp", "-r", w.omero("screens", "Drug screen"), saved)
	want := describe(s, "Screen", screen.ID)
	before, failed := w.counts(), 0
	for n := int64(1); ; n++ {
		left.Store(n)
		loaded := w.omero("screens", fmt.Sprintf("Broken %d", n))
		_, code := w.try("cp", "-r", saved, loaded)
		rest := left.Swap(0)
		name := fmt.Sprintf("broken after change %d", n)
		if code == 0 {
			if got := describe(s, "Screen", w.id(loaded)); got != want {
				t.Errorf("%s: made\n%s", name, got)
			}
			w.noMarksLeft()
			before = w.counts()
			if rest > 0 {
				break // there are no more changes
			}
			continue
		}
		failed++
		for deadline := time.Now().Add(20 * time.Second); !maps.Equal(w.counts(), before); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				text, _, _ := Why(loaded)
				t.Fatalf("%s: got %v, want %v\n%s", name, w.counts(), before, text)
			}
		}
		if _, err := os.Stat(loaded); err == nil {
			t.Errorf("%s: %s is there", name, loaded)
		}
	}
	if failed < 5 {
		t.Errorf("only %d loads failed", failed)
	}
}

// What a load has made shows when it is whole, not before: neither the plate of
// the import, about to be deleted, nor the one built in its place, whose wells
// are about to be made.
func TestPlatesBeingLoadedAreHidden(t *testing.T) {
	for op, nth := range map[string]int64{".submit": 1, ".saveAndReturnIds": 2} {
		t.Run(op, func(t *testing.T) { hiddenUntilDone(t, op, nth) })
	}
}

func hiddenUntilDone(t *testing.T, op string, nth int64) {
	var left atomic.Int64
	reached, goOn := make(chan struct{}), make(chan struct{})
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy, OMEROFault: func(name string, _ int64) blitz.Fault {
		if strings.HasSuffix(name, op) && left.Load() > 0 && left.Add(-1) == 0 {
			close(reached)
			<-goOn
		}
		return blitz.FaultNone
	}})
	s := w.sandbox.Store()
	pilot := s.Get("Plate", w.id(w.omero("plates", "Pilot plate")))
	w.study(pilot, func(st *study) error { return st.well(pilot, 5, 5, nil) }) // no import makes that
	saved := w.home("Pilot plate")
	w.run("cp", "-r", w.omero("plates", "Pilot plate"), saved)
	plates := s.Count("Plate")
	failed := make(chan string, 1)
	left.Store(nth)
	go func() {
		defer close(failed)
		if out, code := w.try("cp", "-r", saved, w.omero("plates", "Second")); code != 0 {
			failed <- out
		}
	}()
	listed := func() string {
		w.mount.omeroView.Invalidate()
		entries, err := os.ReadDir(w.omero("plates"))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			if attr(w.omero("plates", e.Name()), "user.omero.id") != "" {
				names = append(names, e.Name())
			}
		}
		return strings.Join(names, ", ")
	}
	select {
	case <-reached:
		if got := listed(); got != "Pilot plate" || s.Count("Plate") != plates+1 {
			t.Errorf("during the load plates/ has %s, and the server %d new plates, want 1", got, s.Count("Plate")-plates)
		}
		close(goOn)
	case out, bad := <-failed:
		t.Fatalf("the load ended before it came to %s: %s %v", op, out, bad)
	}
	for out := range failed {
		t.Errorf("the load failed: %s", out)
	}
	if got := listed(); got != "Pilot plate, Second" || s.Count("Plate") != plates+1 {
		t.Errorf("after the load plates/ has %s", got)
	}
}
