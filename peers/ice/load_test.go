//go:build peer

package ice_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/internal/ice"
)

// TestCompressedReplies has the requests say that compressed answers are
// welcome. The client itself never asks for them.
func TestCompressedReplies(t *testing.T) {
	w := newWorld(t, nil)
	for _, enc := range encodings {
		t.Run(enc.String(), func(t *testing.T) {
			r := newRelay(t, w.address("tcp"), 1)
			c := w.loginAt(t, r.address("tcp"), enc, ice.DialOptions{})
			for _, size := range []int64{0, 1000, 300000} {
				if got := c.call("blob", size)[0].([]byte); !bytes.Equal(got, pattern(int(size))) {
					t.Errorf("%d bytes came back different", size)
				}
			}
			sameLines(t, "graph", describe(c.call("build")[0]), graphLines)
			if !slices.ContainsFunc(r.replies(), compressed) {
				t.Errorf("the router compressed nothing: %v", r.replies())
			}
		})
	}
}

// pattern is what the server's blobs hold.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range min(n, 256) {
		b[i] = byte(i)
	}
	for done := 256; done < n; done *= 2 {
		copy(b[done:], b[:done])
	}
	return b
}

// TestManyCallsInFlight has the server answer none of 200 calls before all
// have come, and then the last one first.
func TestManyCallsInFlight(t *testing.T) {
	const calls = 200
	w := newWorld(t, nil)
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			c := w.login(t, scheme, ice.Encoding10, ice.DialOptions{})
			orders := make([]int32, calls)
			var wg sync.WaitGroup
			for i := range calls {
				wg.Go(func() {
					results, err := c.try("hold", scheme, int32(i), int32(calls))
					if err != nil || results[1] != int32(i) {
						t.Errorf("call %d: got %v, %v", i, results, err)
						return
					}
					orders[i] = results[0].(int32)
				})
			}
			wg.Wait()
			slices.Sort(orders)
			for i, o := range orders {
				if o != int32(i) {
					t.Fatalf("orders %v", orders)
				}
			}
		})
	}
}

func TestOneway(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		op := defs().Interface(echoID).Operation("note")
		want := c.call("notes")[0].([]string)
		for i := range 50 {
			text := fmt.Sprint(c.enc, " ", i)
			params, err := defs().EncodeParams(c.enc, op.In, []any{text})
			if err != nil {
				t.Fatal(err)
			}
			r := &ice.Request{Identity: c.echo.Identity, Operation: op.Name, Mode: op.Mode, Params: params}
			if err := c.s.Conn().InvokeOneway(within(t), r); err != nil {
				t.Fatal(err)
			}
			want = append(want, text)
		}
		slices.Sort(want)
		// Nothing says when the server has executed them.
		ctx := within(t)
		for {
			got := slices.Sorted(slices.Values(c.call("notes")[0].([]string)))
			if slices.Equal(got, want) {
				return
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				t.Fatalf("got %v, want %v", got, want)
			}
		}
	})
}

const mebibyte = 1 << 20

func TestLargeMessages(t *testing.T) {
	w := newWorld(t, nil)
	c := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	const size = 60 * mebibyte
	want := pattern(size)
	if got := c.call("blob", int64(size))[0].([]byte); !bytes.Equal(got, want) {
		t.Errorf("got %d other bytes", len(got))
	}
	if got := c.call("measure", want)[0]; got != int64(size) {
		t.Errorf("the server got %v bytes, want %d", got, size)
	}
	// What exceeds the limit of the client is not sent.
	if _, err := c.try("measure", pattern(64*mebibyte)); !errors.Is(err, ice.ErrTooLarge) {
		t.Errorf("request above the limit: got %v", err)
	}
	if got := c.call("measure", want[:1000])[0]; got != int64(1000) {
		t.Errorf("afterwards the server got %v bytes", got)
	}
	// The router does not take such a reply from the server, and says so.
	var unknown *ice.UnknownError
	if _, err := c.try("blob", int64(64*mebibyte)); !errors.As(err, &unknown) ||
		!strings.Contains(unknown.Text, "MemoryLimitException") {
		t.Errorf("reply above the limit of the router: got %v", err)
	}
	if got := c.call("whoAmI")[0]; got != "echo" {
		t.Errorf("afterwards: got %v", got)
	}
}

// TestMessagesAboveOneLimit has a router that accepts more than the client,
// and a client that sends more than the router accepts.
func TestMessagesAboveOneLimit(t *testing.T) {
	w := newWorld(t, map[string]string{"Ice.MessageSizeMax": "71680"})
	const size = 64*mebibyte - 100 // the reply is a little larger
	c := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	if got := c.call("blob", int64(size))[0].([]byte); len(got) != size {
		t.Errorf("just below the limit: got %d bytes, want %d", len(got), size)
	}
	var lost *ice.ConnectionLostError
	var protocol *ice.ProtocolError
	_, err := c.try("blob", int64(64*mebibyte))
	if !errors.As(err, &lost) || !lost.Sent || !errors.As(err, &protocol) {
		t.Errorf("reply above the limit of the client: got %#v", err)
	}
	if _, err := c.try("whoAmI"); !errors.As(err, &lost) || lost.Sent {
		t.Errorf("afterwards: got %#v, want that nothing was sent", err)
	}

	c = w.login(t, "tcp", ice.Encoding10, ice.DialOptions{MaxMessageBytes: 80 * mebibyte})
	if got := c.call("measure", pattern(69*mebibyte))[0]; got != int64(69*mebibyte) {
		t.Errorf("the server got %v bytes", got)
	}
	_, err = c.try("measure", pattern(71*mebibyte))
	if !errors.As(err, &lost) || !lost.Sent {
		t.Errorf("request above the limit of the router: got %#v", err)
	}
}
