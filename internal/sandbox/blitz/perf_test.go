package blitz

import (
	"fmt"
	"testing"
	"time"

	"omerods/internal/sandbox/store"
)

// TestListingOfTenThousandImages keeps the listing of a big dataset within a
// time that only a scan of it, and not of the server, allows.
func TestListingOfTenThousandImages(t *testing.T) {
	const many = 10000
	f := serve(t, Config{})
	c := f.login("ada", "write")
	d := c.named("Dataset", "d")
	err := f.store.Write(store.Actor{User: f.users["ada"], Group: f.groups["write"]}, func(a *store.Author) error {
		for i := range many {
			img, err := a.Create("Image", store.Values{"name": fmt.Sprint("image ", i)})
			if err != nil {
				return err
			}
			if _, err := a.Create("DatasetImageLink", store.Values{"parent": d, "child": img}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const query = "select i.id, i.name, i.fileset.id, i.series, i.acquisitionDate, i.details.owner.id, i.details.updateEvent.time from DatasetImageLink l join l.child i where l.parent.id = :id order by i.id"
	began := time.Now()
	rows := c.project(query, map[string]any{"id": d})
	took := time.Since(began)
	if len(rows) != many {
		t.Fatalf("got %d rows, want %d", len(rows), many)
	}
	t.Logf("%d rows in %v", many, took)
	if took > 5*time.Second {
		t.Errorf("listing %d images took %v", many, took)
	}
}
