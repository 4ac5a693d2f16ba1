package irods_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"omerods/internal/irods"
)

func randomBytes(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), 7}).Read(data)
	return data
}

// readAll reads a data object as another client sees it; it must be at rest.
func readAll(t *testing.T, c *irods.Client, path string) []byte {
	t.Helper()
	e, err := c.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Good() {
		t.Errorf("%s has no good replica", path)
	}
	f, err := c.OpenRead(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	buf := make([]byte, 1<<20)
	for {
		n, err := f.ReadAt(t.Context(), buf, int64(len(all)))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		all = append(all, buf[:n]...)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return all
}

func TestForksWriteOneReplica(t *testing.T) {
	z := serve(t)
	c, ctx := z.client(t), t.Context()
	const path, block = "/tempZone/home/alice/shared", 100_003
	data := randomBytes(7*block + 5)
	f, err := c.Create(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	f.Share()
	if fork, err := f.Fork(ctx); fork != nil || err != nil {
		t.Fatalf("a fork before anything was written: got %v, %v", fork, err)
	}
	if err := f.WriteAt(ctx, data[:block], 0); err != nil {
		t.Fatal(err)
	}
	files := []*irods.File{f}
	for range 3 {
		fork, err := f.Fork(ctx)
		if fork == nil || err != nil {
			t.Fatalf("got %v, %v", fork, err)
		}
		files = append(files, fork)
	}
	var wg sync.WaitGroup
	for i, f := range files {
		wg.Go(func() {
			for off := (i + 1) * block; off < len(data); off += len(files) * block {
				if err := f.WriteAt(ctx, data[off:min(off+block, len(data))], int64(off)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := z.client(t).OpenWrite(ctx, path, false); !errors.Is(err, irods.ErrBusy) {
		t.Errorf("open by another client: got %v, want it locked", err)
	}
	for i := range files {
		if err := files[len(files)-1-i].Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if got := readAll(t, z.client(t), path); !bytes.Equal(got, data) {
		t.Error("the content differs")
	}
}

func TestForksGiveWay(t *testing.T) {
	z := serve(t)
	c := z.client(t, func(cfg *irods.Config) { cfg.MaxConnections = 4 })
	ctx := t.Context()
	const path, block = "/tempZone/home/alice/shared", 50_000
	data := randomBytes(4 * block)
	f, err := c.Create(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	f.Share()
	write := func(f *irods.File, n int) error {
		return f.WriteAt(ctx, data[n*block:(n+1)*block], int64(n*block))
	}
	if err := write(f, 0); err != nil {
		t.Fatal(err)
	}
	fork, err := f.Fork(ctx)
	if fork == nil || err != nil {
		t.Fatalf("got %v, %v", fork, err)
	}
	if more, err := f.Fork(ctx); more != nil || err != nil {
		t.Fatalf("the last connections belong to others: got %v, %v", more, err)
	}
	if err := write(fork, 1); err != nil {
		t.Fatal(err)
	}
	// Others take all connections but that of f, which must not be closed
	// before its fork.
	readers := make([]*irods.File, 3)
	for i := range readers {
		other := "/tempZone/home/alice/" + string(rune('a'+i))
		if err := z.client(t).Put(ctx, other, []byte("x"), sha(t, []byte("x"))); err != nil {
			t.Fatal(err)
		}
		if readers[i], err = c.OpenRead(ctx, other); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(fork, 2); !errors.Is(err, irods.ErrNoFork) {
		t.Fatalf("got %v, want no connection for a fork", err)
	}
	if err := fork.Close(ctx); err != nil {
		t.Error(err)
	}
	// Now f may lose its connection too; it is opened again.
	for i := range readers {
		for range 2 {
			if _, err := readers[i].ReadAt(ctx, make([]byte, 1), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	fourth, err := c.OpenRead(ctx, "/tempZone/home/alice/a")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 3} {
		if err := write(f, n); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range append(readers, fourth, f) {
		if err := file.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if got := readAll(t, z.client(t), path); !bytes.Equal(got, data) {
		t.Error("the content differs")
	}
}

func sha(t *testing.T, data []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(data)
	return sum[:]
}
