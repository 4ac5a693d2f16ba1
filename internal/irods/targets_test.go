package irods_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/sandbox/irodsd"
)

func TestTargets(t *testing.T) {
	var queries atomic.Int64
	z := serve(t, func(c *irodsd.Config) {
		c.Fault = func(api int, _ int64) irodsd.Fault {
			if api == 702 {
				queries.Add(1)
			}
			return irodsd.Fault{}
		}
	})
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	step(z.AddGroup(ctx, "lab"))
	step(z.AddToGroup(ctx, "lab", "alice"))
	for path, owner := range map[string]string{"/tempZone/projects": "rods"} {
		step(z.MakeCollection(ctx, path, owner))
	}
	for _, p := range []string{"/tempZone/projects/lab", "/tempZone/projects/it's a, 100%", "/tempZone/projects/lab/in", "/tempZone/projects/seen",
		"/tempZone/home/alice/mine", "/tempZone/home/bob/shared", "/tempZone/home/bob/shared/below"} {
		owner := "rods"
		if p == "/tempZone/home/alice/mine" {
			owner = "alice"
		}
		step(z.MakeCollection(ctx, p, owner))
	}
	step(z.SetAccess(ctx, "/tempZone/projects/lab", "lab", "write"))
	step(z.SetAccess(ctx, "/tempZone/projects/lab/in", "alice", "own"))
	step(z.SetAccess(ctx, "/tempZone/projects/it's a, 100%", "public", "write"))
	step(z.SetAccess(ctx, "/tempZone/projects/seen", "alice", "read"))
	step(z.SetAccess(ctx, "/tempZone/home/bob/shared/below", "alice", "write"))

	c := z.client(t)
	got, err := c.Targets(ctxFor(t))
	step(err)
	if n := queries.Load(); n > 4 { // the user's ids take two
		t.Errorf("%d queries", n)
	}
	want := []irods.Target{{Path: "/tempZone/home/alice", Own: true}, {Path: "/tempZone/home/bob/shared/below"}, {Path: "/tempZone/home/lab", Own: true},
		{Path: "/tempZone/projects/it's a, 100%"}, {Path: "/tempZone/projects/lab"}}
	// Every user may write to what is public.
	got.All = slices.DeleteFunc(got.All, func(t irods.Target) bool { return t.Path == "/tempZone/home/public" })
	if !slices.Equal(got.All, want) || got.Cut {
		t.Errorf("got %v, want %v", got, want)
	}
	for path, nearest := range map[string]string{
		"/tempZone/home/alice": "/tempZone/home/alice", "/tempZone/projects/seen": "/tempZone/projects/it's a, 100%",
		"/tempZone/home/bob": "/tempZone/home/alice", "/tempZone/home/bob/shared": "/tempZone/home/bob/shared/below",
	} {
		if near := got.Near(path); near[0].Path != nearest {
			t.Errorf("nearest to %s: got %v, want %s", path, near[0].Path, nearest)
		}
	}
	before := queries.Load()
	if _, err := c.Targets(ctxFor(t)); err != nil || queries.Load() != before {
		t.Errorf("asked again at once: %v, %d queries", err, queries.Load()-before)
	}
}

// Who has very many collections of their own gets an answer all the same.
func TestTargetsOfManyCollections(t *testing.T) {
	var queries atomic.Int64
	z := serve(t, func(c *irodsd.Config) {
		c.Fault = func(api int, _ int64) irodsd.Fault {
			queries.Add(1)
			return irodsd.Fault{}
		}
	})
	c := z.client(t)
	ctx := context.Background()
	for i := range 1500 {
		if err := c.Mkdir(ctx, fmt.Sprintf("/tempZone/home/alice/c%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	before := queries.Load()
	got, err := c.Targets(ctxFor(t))
	if err != nil || got.Cut || len(got.All) == 0 || got.All[0].Path != "/tempZone/home/alice" {
		t.Errorf("got %d targets, cut %v, %v", len(got.All), got.Cut, err)
	}
	if n := queries.Load() - before; n > 4 {
		t.Errorf("%d requests", n)
	}
}
