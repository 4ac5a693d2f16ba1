package irods_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/sandbox/irodsd"
)

// More files are open than there are connections, and others need some too.
func TestManyOpenFiles(t *testing.T) {
	z := anyZone(t)
	c, ctx := z.client(t, func(cfg *irods.Config) { cfg.MaxConnections = 3 }), ctxFor(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			p := fmt.Sprintf("%s/f%d", home, i)
			f, err := c.Create(ctx, p)
			if err != nil {
				t.Error(err)
				return
			}
			var want []byte
			for j := range 20 {
				b := bytes.Repeat([]byte{byte(i), byte(j)}, 100)
				if err := f.WriteAt(ctx, b, int64(len(want))); err != nil {
					t.Error(err)
					return
				}
				want = append(want, b...)
				if _, err := c.Stat(ctx, home); err != nil {
					t.Error(err)
				}
			}
			if err := f.Close(ctx); err != nil {
				t.Error(err)
			}
			r, err := c.OpenRead(ctx, p)
			if err != nil {
				t.Error(err)
				return
			}
			got := make([]byte, len(want)+1)
			n := 0
			for n < len(want) {
				m, err := r.ReadAt(ctx, got[n:n+500], int64(n))
				if err != nil || m == 0 {
					t.Errorf("read: %d, %v", m, err)
					break
				}
				n += m
			}
			if !bytes.Equal(got[:n], want) {
				t.Error("other bytes came back")
			}
			_ = r.Close(ctx)
		})
	}
	wg.Wait()
}

func TestCancelledCallReturnsAtOnce(t *testing.T) {
	var slow atomic.Bool
	z := serve(t, func(c *irodsd.Config) {
		c.Fault = func(api int, _ int64) irodsd.Fault {
			if slow.Load() && api == 633 {
				return irodsd.Fault{Delay: time.Hour}
			}
			return irodsd.Fault{}
		}
	})
	c := z.client(t)
	if err := c.Connect(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	slow.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Stat(ctx, home); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	slow.Store(false)
	// The abandoned answer must not be taken for this one.
	if e, err := c.Stat(ctxFor(t), "/tempZone/home/public"); err == nil && e.Path != "/tempZone/home/public" {
		t.Errorf("got %+v", e)
	}
	if _, err := c.List(ctxFor(t), home); err != nil {
		t.Error(err)
	}
}

func TestLostConnections(t *testing.T) {
	z := anyZone(t)
	r := z.relay(t)
	c, ctx := z.client(t, func(cfg *irods.Config) { cfg.Port = r.Port() }), ctxFor(t)
	put(t, c, home+"/f", bytes.Repeat([]byte("0123456789"), 1000))
	f, err := c.OpenRead(ctx, home+"/f")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	for i := range 3 {
		r.Cut()
		if n, err := f.ReadAt(ctx, buf, int64(10*i+2)); err != nil || n != 4 || string(buf) != "2345" {
			t.Errorf("a read after a cut: got %d %q, %v", n, buf[:n], err)
		}
		r.Cut()
		if _, err := c.List(ctx, home); err != nil {
			t.Errorf("a listing after a cut: %v", err)
		}
	}
	w, err := c.Create(ctx, home+"/w")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteAt(ctx, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	r.Cut()
	if err := w.WriteAt(ctx, []byte("y"), 1); !errors.Is(err, irods.ErrLost) {
		t.Errorf("a write after a cut: got %v, want the connection lost", err)
	}
	if err := w.Close(ctx); err == nil {
		t.Error("the close of a file that lost its connection succeeded")
	}
}
