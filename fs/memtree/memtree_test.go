package memtree

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"omerods/fs/tree"
)

func TestHooks(t *testing.T) {
	mt := New()
	mt.WriteFile("a/b", []byte("x"))
	root := mt.Root()
	look := func() error {
		_, err := root.Lookup(t.Context(), "a")
		return err
	}
	mt.Fail(OpLookup, "b", tree.ErrDenied)
	if err := look(); err != nil {
		t.Errorf("another path: %v", err)
	}
	mt.Fail(OpLookup, "a", tree.ErrDenied)
	if err := look(); !errors.Is(err, tree.ErrDenied) {
		t.Errorf("got %v", err)
	}
	mt.Fail(OpLookup, "a", nil)
	if err := look(); err != nil {
		t.Errorf("taken away: %v", err)
	}
	if n := mt.Count(OpLookup); n != 3 {
		t.Errorf("counted %d", n)
	}
	ctx, cancel := context.WithTimeout(tree.WithCaller(t.Context(), tree.Caller{UID: 7}), time.Millisecond)
	defer cancel()
	mt.Delay(OpList, "*", time.Minute)
	if _, err := root.List(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("delayed: got %v", err)
	}
	if c := mt.Callers(OpList); len(c) != 1 || c[0].UID != 7 {
		t.Errorf("callers: %v", c)
	}
	entered, release := mt.Block(OpLookup, "*")
	done := make(chan error)
	go func() { done <- look() }()
	<-entered
	release()
	if err := <-done; err != nil {
		t.Errorf("released: %v", err)
	}
}

func TestHandles(t *testing.T) {
	mt := New()
	ctx := t.Context()
	f, h, err := mt.Root().(tree.Creator).Create(ctx, "f", tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt(ctx, []byte("end"), 5); err != nil {
		t.Fatal(err)
	}
	mt.Fail(OpFlush, "f", tree.ErrQuota)
	if err := h.Flush(ctx); !errors.Is(err, tree.ErrQuota) {
		t.Errorf("got %v", err)
	}
	mt.Fail(OpFlush, "f", nil)
	if err := h.Flush(ctx); !errors.Is(err, tree.ErrQuota) {
		t.Errorf("without writes: got %v, want the last result", err)
	}
	if _, err := h.WriteAt(ctx, []byte("begin"), 0); err != nil {
		t.Fatal(err)
	}
	if err := h.Flush(ctx); err != nil {
		t.Errorf("after a write: got %v", err)
	}
	r, err := f.Open(ctx, tree.OpenOptions{Read: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.(tree.WriteHandle); ok {
		t.Error("a handle for reading can write")
	}
	if n := mt.OpenHandles(); n != 2 {
		t.Errorf("%d handles", n)
	}
	r.Release(ctx)
	h.Release(ctx)
	if n := mt.OpenHandles(); n != 0 {
		t.Errorf("%d handles", n)
	}
	if got, _ := mt.ReadFile("f"); !bytes.Equal(got, []byte("beginend")) {
		t.Errorf("got %q", got)
	}
}
