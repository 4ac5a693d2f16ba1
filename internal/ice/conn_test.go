package ice_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

func TestManyCallsOverOneConnection(t *testing.T) {
	noLeaks(t)
	c := dial(t, serve(t, iceserver.Config{Handler: echo}), ice.DialOptions{})
	ctx := within(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for k := range 20 {
				want := bytesOf(1+i*k*100, byte(i))
				r, err := c.Invoke(ctx, request("echo", want))
				if err != nil {
					t.Error(err)
					return
				}
				if string(r.Params) != string(want) {
					t.Errorf("call %d.%d: another answer", i, k)
				}
			}
		})
	}
	wg.Wait()
}

func TestOneway(t *testing.T) {
	noLeaks(t)
	seen := make(chan string, 1)
	c := dial(t, serve(t, iceserver.Config{Handler: func(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
		if r.ID == 0 {
			seen <- r.Operation
		}
		return &ice.Reply{Params: r.Params}
	}}), ice.DialOptions{})
	if err := c.InvokeOneway(within(t), request("forget", nil)); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "forget" {
		t.Errorf("got %s, want forget", got)
	}
	c.Close()
	var lost *ice.ConnectionLostError
	if err := c.InvokeOneway(within(t), request("forget", nil)); !errors.As(err, &lost) || lost.Sent {
		t.Errorf("got %v, want a lost connection with nothing sent", err)
	}
}

func TestCancelReturnsAtOnce(t *testing.T) {
	noLeaks(t)
	started, release := make(chan struct{}), make(chan struct{})
	c := dial(t, serve(t, iceserver.Config{Handler: func(ctx context.Context, c *iceserver.Conn, r *ice.Request) *ice.Reply {
		if r.Operation == "slow" {
			close(started)
			<-release
		}
		return &ice.Reply{Params: bytesOf(1, r.Operation[0])}
	}}), ice.DialOptions{})
	ctx, cancel := context.WithCancel(within(t))
	go func() {
		<-started
		cancel()
	}()
	if _, err := c.Invoke(ctx, request("slow", nil)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want cancelled", err)
	}
	// The late reply must not reach the next call.
	close(release)
	for range 10 {
		r, err := c.Invoke(within(t), request("fast", nil))
		if err != nil || r.Params[6] != 'f' {
			t.Fatalf("got %v (%v), want the reply of fast", r, err)
		}
	}
	if _, err := c.Invoke(ctx, request("fast", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from a cancelled context", err)
	}
}

func TestCloseEndsCalls(t *testing.T) {
	noLeaks(t)
	started := make(chan struct{})
	c := dial(t, serve(t, iceserver.Config{Handler: func(ctx context.Context, _ *iceserver.Conn, _ *ice.Request) *ice.Reply {
		close(started)
		<-ctx.Done()
		return nil
	}}), ice.DialOptions{})
	go func() {
		<-started
		c.Close()
	}()
	_, err := c.Invoke(within(t), request("wait", nil))
	var lost *ice.ConnectionLostError
	if !errors.As(err, &lost) || !lost.Sent || !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want a lost connection with the request sent", err)
	}
	if _, err = c.Invoke(within(t), request("wait", nil)); !errors.As(err, &lost) || lost.Sent {
		t.Errorf("got %v, want a lost connection with nothing sent", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestServerCloses(t *testing.T) {
	for _, graceful := range []bool{true, false} {
		t.Run(fmt.Sprint("graceful ", graceful), func(t *testing.T) {
			noLeaks(t)
			c := dial(t, serve(t, iceserver.Config{Handler: func(_ context.Context, c *iceserver.Conn, _ *ice.Request) *ice.Reply {
				if graceful {
					c.Close()
				} else {
					c.Abort()
				}
				return nil
			}}), ice.DialOptions{})
			_, err := c.Invoke(within(t), request("end", nil))
			var lost *ice.ConnectionLostError
			if !errors.As(err, &lost) || lost.Sent == graceful {
				t.Errorf("got %v, want a lost connection, sent %v", err, !graceful)
			}
			select {
			case <-c.Done():
			case <-within(t).Done():
				t.Fatal("the connection did not end")
			}
			if c.Err() == nil {
				t.Error("no reason for the end")
			}
		})
	}
}

func TestMessageLimits(t *testing.T) {
	noLeaks(t)
	addr := serve(t, iceserver.Config{MaxMessageBytes: 1 << 20, Handler: func(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
		return &ice.Reply{Params: bytesOf(int(r.Context[0].Value[0])<<12, 'x')}
	}})
	c := dial(t, addr, ice.DialOptions{MaxMessageBytes: 64 << 10})
	if _, err := c.Invoke(within(t), request("large", bytesOf(64<<10, 'x'))); !errors.Is(err, ice.ErrTooLarge) {
		t.Errorf("got %v, want too large", err)
	}
	r := request("small", nil)
	r.Context = []ice.ContextEntry{{Key: "size", Value: "\x01"}}
	if _, err := c.Invoke(within(t), r); err != nil {
		t.Errorf("after a refused message: %v", err)
	}
	r.Context[0].Value = "\x20"
	var lost *ice.ConnectionLostError
	var pe *ice.ProtocolError
	if _, err := c.Invoke(within(t), r); !errors.As(err, &lost) || !errors.As(err, &pe) {
		t.Errorf("got %v, want the connection ended by a large reply", err)
	}
}

func TestHeartbeats(t *testing.T) {
	noLeaks(t)
	beats := make(chan bool, 3)
	c := dial(t, script(t, func(nc net.Conn) {
		nc.Write(ice.ValidateMessage())
		nc.Write(ice.ValidateMessage()) // one from the server
		for range 3 {
			m, err := ice.ReadMessage(nc, 100)
			beats <- err == nil && len(m.Requests) == 0 && m.Reply == nil && !m.Close
		}
		io.Copy(io.Discard, nc)
	}), ice.DialOptions{HeartbeatInterval: 5 * time.Millisecond})
	for range 3 {
		select {
		case ok := <-beats:
			if !ok {
				t.Error("no heartbeat came")
			}
		case <-within(t).Done():
			t.Fatal("no heartbeat came in time")
		}
	}
	if c.Err() != nil {
		t.Errorf("the connection ended: %v", c.Err())
	}
}

func TestRequestsOfTheServerAreRefused(t *testing.T) {
	noLeaks(t)
	answer := make(chan *ice.Message, 1)
	c := dial(t, script(t, func(nc net.Conn) {
		nc.Write(ice.ValidateMessage())
		oneway := request("shutdown", nil)
		twoway := request("heartbeat", nil)
		twoway.ID = 17
		for _, r := range []*ice.Request{oneway, twoway} {
			b, _ := r.Encode()
			nc.Write(b)
		}
		batch, _ := ice.EncodeBatch([]*ice.Request{oneway})
		nc.Write(batch)
		m, _ := ice.ReadMessage(nc, 1000)
		answer <- m
		m, _ = ice.ReadMessage(nc, 1000)
		b, _ := (&ice.Reply{ID: m.Requests[0].ID, Params: bytesOf(1, 'k')}).Encode()
		nc.Write(b)
		io.Copy(io.Discard, nc)
	}), ice.DialOptions{})
	m := <-answer
	if m == nil || m.Reply == nil || m.Reply.ID != 17 || m.Reply.Status != ice.StatusObjectNotExist ||
		m.Reply.Operation != "heartbeat" || m.Reply.Identity.Name != "object" {
		t.Errorf("got %+v, want a refusal of request 17", m)
	}
	if _, err := c.Invoke(within(t), request("own", nil)); err != nil {
		t.Errorf("own call: %v", err)
	}
}

func TestDialRefusesStrangers(t *testing.T) {
	rows := map[string]string{
		"other protocol": "HTTP/1.1 400 Bad Request\r\n\r\n",
		"closes":         "",
		"no validation":  string(ice.CloseMessage()),
		"oversize":       "IceP\x01\x00\x01\x00\x03\x00\x0f\x00\x00\x00",
	}
	for name, text := range rows {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			addr := script(t, func(nc net.Conn) { nc.Write([]byte(text)) })
			if c, err := ice.Dial(within(t), addr, ice.DialOptions{}); err == nil {
				c.Close()
				t.Error("connected")
			}
		})
	}
	t.Run("silent", func(t *testing.T) {
		noLeaks(t)
		addr := script(t, func(nc net.Conn) { io.Copy(io.Discard, nc) })
		start := time.Now()
		_, err := ice.Dial(within(t), addr, ice.DialOptions{ConnectTimeout: 20 * time.Millisecond})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
			t.Errorf("got %v after %v, want a timeout", err, time.Since(start))
		}
	})
	t.Run("no TLS settings", func(t *testing.T) {
		if _, err := ice.Dial(within(t), ice.Address{Scheme: "ssl", Host: "127.0.0.1", Port: 1}, ice.DialOptions{}); err == nil {
			t.Error("connected")
		}
		if _, err := ice.Dial(within(t), ice.Address{Scheme: "udp", Host: "127.0.0.1", Port: 1}, ice.DialOptions{}); err == nil {
			t.Error("connected")
		}
	})
}

func TestBrokenStreamEndsCalls(t *testing.T) {
	rows := map[string]string{
		"bad magic":    strings.Repeat("x", 14),
		"half a reply": "IceP\x01\x00\x01\x00\x02\x00\x20\x00\x00\x00\x01\x00",
		"bad status":   "IceP\x01\x00\x01\x00\x02\x00\x13\x00\x00\x00\x01\x00\x00\x00\x08",
	}
	for name, text := range rows {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			c := dial(t, script(t, func(nc net.Conn) {
				nc.Write(ice.ValidateMessage())
				ice.ReadMessage(nc, 1000)
				nc.Write([]byte(text))
			}), ice.DialOptions{})
			_, err := c.Invoke(within(t), request("op", nil))
			var lost *ice.ConnectionLostError
			if !errors.As(err, &lost) || !lost.Sent {
				t.Errorf("got %v, want a lost connection", err)
			}
		})
	}
}

// TestWriteBlocks has a server that does not read: calls end with their
// context, and Close does not hang.
func TestWriteBlocks(t *testing.T) {
	noLeaks(t)
	stop := make(chan struct{})
	c := dial(t, script(t, func(nc net.Conn) {
		nc.Write(ice.ValidateMessage())
		<-stop
	}), ice.DialOptions{})
	ctx, cancel := context.WithTimeout(within(t), 50*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := c.Invoke(ctx, request("op", bytesOf(32<<20, 'x'))); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a deadline", err)
			}
		})
	}
	wg.Wait()
	start := time.Now()
	c.Close()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("close took %v", took)
	}
	close(stop)
}
