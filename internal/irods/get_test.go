package irods_test

import (
	"bytes"
	"errors"
	"testing"

	"omerods/internal/irods"
)

func TestGet(t *testing.T) {
	z := serve(t)
	c := z.client(t)
	ctx := ctxFor(t)
	for _, n := range []int{0, 1, 10_000, 3 << 20} {
		path := home + "/object"
		want := bytes.Repeat([]byte{7}, n)
		put(t, c, path, want)
		if got, err := c.Get(ctx, path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("get of %d bytes: %d bytes, %v", n, len(got), err)
		}
		if err := c.Remove(ctx, path, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Get(ctx, home+"/nothing"); !errors.Is(err, irods.ErrNotFound) {
		t.Errorf("get of nothing: got %v", err)
	}
	// What the server would send through another port is refused, and nothing
	// is left open by it.
	large := home + "/large"
	f, err := c.Create(ctx, large)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.WriteAt(ctx, []byte{1}, 33<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(ctx, large); !errors.Is(err, irods.ErrInvalid) {
		t.Errorf("get of a large object: got %v", err)
	}
	if err := c.Remove(ctx, large, true); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
