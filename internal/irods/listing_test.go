package irods_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"omerods/internal/irods"
)

func TestListingCostsConstantRequests(t *testing.T) {
	defer irods.SetPageRows(400)()
	z := serve(t)
	r := z.relay(t)
	c, ctx := z.client(t, func(cfg *irods.Config) { cfg.Port = r.Port() }), ctxFor(t)
	dir := home + "/many"
	if err := c.Mkdir(ctx, dir); err != nil {
		t.Fatal(err)
	}
	for i := range 450 {
		if err := z.PutObject(ctx, fmt.Sprintf("%s/%04d", dir, i), "alice", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	r.Take()
	entries, self, err := c.ListRated(ctx, dir)
	if err != nil || len(entries) != 450 || self != irods.LevelOwn {
		t.Fatalf("got %d entries, level %v, %v", len(entries), self, err)
	}
	for i, e := range entries {
		if e.Name() != fmt.Sprintf("%04d", i) || e.Size != 1 || e.Level != irods.LevelOwn {
			t.Fatalf("entry %d: got %+v", i, e)
		}
	}
	// Who the user is, and one answer in full for the objects and
	// for their rights.
	if n := r.Take().Requests; n > 10 {
		t.Errorf("%d requests, want at most 10", n)
	}
	if _, _, err := c.ListRated(ctx, home+"/nothing"); !errors.Is(err, irods.ErrNotFound) {
		t.Errorf("nothing: got %v", err)
	}
}

func TestRightsOfGroups(t *testing.T) {
	z := anyZone(t)
	ctx := ctxFor(t)
	for _, err := range []error{
		z.AddGroup(ctx, "lab"), z.AddToGroup(ctx, "lab", "bob"),
		z.MakeCollection(ctx, home+"/shared", "alice"),
		z.SetAccess(ctx, home+"/shared", "lab", "write"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	bob := z.client(t, z.as("bob"))
	if l, err := bob.Rights(ctx, home+"/shared", true); err != nil || l != irods.LevelWrite {
		t.Errorf("got %v, %v, want write", l, err)
	}
	if ok, err := bob.Visible(ctx, home); err != nil || !ok {
		t.Errorf("visible: got %v, %v", ok, err)
	}
	if e, err := bob.StatRated(ctx, home+"/shared"); err != nil || e.Level != irods.LevelWrite || !e.IsCollection {
		t.Errorf("got %+v, %v, want a collection to write in", e, err)
	}
	some, err := bob.CollectionsRated(ctx, home, home+"/shared", "/tempZone/home/bob", "/tempZone/it's", "/tempZone/nothing")
	if err != nil || len(some) != 2 {
		t.Errorf("got %+v, %v, want two collections", some, err)
	}
	for _, e := range some {
		want := irods.LevelOwn
		if e.Name() == "shared" {
			want = irods.LevelWrite
		}
		if e.Level != want {
			t.Errorf("%s: got level %v, want %v", e.Path, e.Level, want)
		}
	}
	if _, err := bob.Stat(ctx, home); !errors.Is(err, irods.ErrNotFound) {
		t.Errorf("alice's home: got %v, want it invisible", err)
	}
}
