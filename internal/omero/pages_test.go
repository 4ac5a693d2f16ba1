package omero_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// beforePages has a function run before each page of a query but its first.
type beforePages struct {
	*server
	hook atomic.Pointer[func()]
	n    atomic.Int64
}

func newBeforePages(t *testing.T) *beforePages {
	t.Helper()
	b := new(beforePages)
	b.server = ownServer(t, blitz.Config{Fault: func(op string, _ int64) blitz.Fault {
		if f := b.hook.Load(); f != nil && op == "IQuery.projection" && b.n.Add(1) > 1 {
			(*f)()
		}
		return blitz.FaultNone
	}}, sample.People)
	return b
}

func (b *beforePages) do(fn func()) {
	b.n.Store(0)
	b.hook.Store(&fn)
}

// What goes while a long list is read does not take others out of it with
// their places, and what changes all the time is an error, not a list with
// gaps.
func TestRowsThatGoBetweenPages(t *testing.T) {
	s := newBeforePages(t)
	c := s.login(t, "ada")
	const many = 5100 // more than a page
	bulk := sample.Bulk{User: "ada", Group: sample.LabGroup, Dataset: "many", Images: many, FileBytes: 1}
	dataset, err := bulk.Fill(t.Context(), sample.Target{Store: s.store, Files: s.files})
	check(t, err)
	images, _, err := c.ImagesOf(t.Context(), []int64{dataset})
	check(t, err)
	if len(images) != many {
		t.Fatalf("got %d images, want %d", len(images), many)
	}
	unlink := func() {
		err := s.store.Write(store.Actor{User: c.Who().User, Group: c.Who().Group}, func(a *store.Author) error {
			links := a.Tx().Collection(a.Tx().Model().Class("Dataset").Property("imageLinks"), dataset)
			a.Delete(links[0])
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}

	gone := false
	s.do(func() {
		if !gone {
			gone = true
			unlink()
		}
	})
	left, _, err := c.ImagesOf(t.Context(), []int64{dataset})
	check(t, err)
	if !gone {
		t.Fatal("there was no second page")
	}
	ids := func(images []omero.Image) []int64 {
		out := make([]int64, len(images))
		for i, im := range images {
			out[i] = im.ID
		}
		slices.Sort(out)
		return out
	}
	if got, want := ids(left), ids(images)[1:]; !slices.Equal(got, want) {
		t.Errorf("got %d images, want the %d that are left", len(got), len(want))
	}

	s.do(unlink)
	if _, _, err := c.ImagesOf(t.Context(), []int64{dataset}); !errors.Is(err, omero.Conflict) {
		t.Errorf("got %v, want a Conflict", err)
	}
}
