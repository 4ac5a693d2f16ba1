package iceserver_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

const limit = 1 << 20

// start runs a server and returns a plain connection to it, on which the
// validation has been read.
func start(t *testing.T, h iceserver.Handler) net.Conn {
	t.Helper()
	addr, _ := listen(t, iceserver.Config{Handler: h, MaxMessageBytes: limit})
	return connect(t, addr)
}

func listen(t *testing.T, cfg iceserver.Config) (addr string, s *iceserver.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = iceserver.New(cfg)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String(), s
}

func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	first := make([]byte, ice.HeaderBytes)
	if _, err := io.ReadFull(nc, first); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, ice.ValidateMessage()) {
		t.Fatalf("got %x first, want a validation", first)
	}
	return nc
}

func message(t *testing.T, r *ice.Request) []byte {
	t.Helper()
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ping(id int32, operation string) *ice.Request {
	return &ice.Request{ID: id, Identity: ice.Identity{Name: "object"}, Operation: operation,
		Mode: ice.Idempotent, Params: ice.EmptyEncapsulation(ice.Encoding10)}
}

func answer(t *testing.T, nc net.Conn) *ice.Reply {
	t.Helper()
	m, err := ice.ReadMessage(nc, limit)
	if err != nil {
		t.Fatal(err)
	}
	if m.Reply == nil {
		t.Fatalf("got %+v, want a reply", m)
	}
	return m.Reply
}

func void(context.Context, *iceserver.Conn, *ice.Request) *ice.Reply {
	return &ice.Reply{Params: ice.EmptyEncapsulation(ice.Encoding10)}
}

func TestRepliesCarryTheID(t *testing.T) {
	nc := start(t, void)
	nc.Write(ice.ValidateMessage()) // a heartbeat has no answer
	for _, id := range []int32{7, 3, 1 << 30} {
		nc.Write(message(t, ping(id, "op")))
		if r := answer(t, nc); r.ID != id || r.Status != ice.StatusOK {
			t.Errorf("got reply %d status %d, want %d, 0", r.ID, r.Status, id)
		}
	}
}

func TestMessagesThatEndTheConnection(t *testing.T) {
	good := message(t, ping(1, "op"))
	change := func(at int, b ...byte) []byte {
		c := append([]byte(nil), good...)
		copy(c[at:], b)
		return c
	}
	rows := map[string][]byte{
		"wrong magic":      change(0, 'X'),
		"protocol version": change(4, 2),
		"message type":     change(8, 9),
		"size too small":   change(10, 13, 0, 0, 0),
		"size too large":   change(10, 1, 0, 16, 0),
		"cut off":          good[:len(good)-1],
		"trailing bytes":   append(change(10, byte(len(good)+1)), 0),
		"web request":      []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"close":            ice.CloseMessage(),
	}
	for name, msg := range rows {
		t.Run(name, func(t *testing.T) {
			nc := start(t, void)
			nc.Write(msg)
			if name == "cut off" {
				nc.(*net.TCPConn).CloseWrite()
			}
			if rest, err := io.ReadAll(nc); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %x (%v), want the end", rest, err)
			}
		})
	}
}

func TestOnewayAndBatch(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	nc := start(t, func(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
		mu.Lock()
		seen = append(seen, r.Operation)
		mu.Unlock()
		return void(context.Background(), nil, nil)
	})
	batch, err := ice.EncodeBatch([]*ice.Request{ping(0, "b1"), ping(0, "b2"), ping(0, "b3")})
	if err != nil {
		t.Fatal(err)
	}
	nc.Write(batch)
	nc.Write(message(t, ping(0, "oneway")))
	// Nothing of that is answered: the next message is the reply to this.
	nc.Write(message(t, ping(5, "twoway")))
	if r := answer(t, nc); r.ID != 5 {
		t.Errorf("got reply %d, want 5", r.ID)
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		mu.Lock()
		all := strings.Join(seen, " ")
		n := len(seen)
		mu.Unlock()
		if n == 5 {
			if strings.Index(all, "b1") > strings.Index(all, "b2") || strings.Index(all, "b2") > strings.Index(all, "b3") {
				t.Errorf("a batch was executed out of order: %s", all)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("executed %q, want five operations", all)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestCompressedRequest sends the compressed request that a real client sent.
func TestCompressedRequest(t *testing.T) {
	data, err := os.ReadFile("../../ice/testdata/vectors/compress.query.projection.e10.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Messages []struct {
			Type, Hex, Operation, Params string
			Compression                  byte
		}
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	got := make(chan *ice.Request, 1)
	nc := start(t, func(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
		got <- r
		return nil
	})
	for _, m := range v.Messages {
		if m.Type != "request" || m.Compression != 2 {
			continue
		}
		raw, err := hex.DecodeString(m.Hex)
		if err != nil {
			t.Fatal(err)
		}
		nc.Write(raw)
		select {
		case r := <-got:
			if r.Operation != m.Operation || hex.EncodeToString(r.Params) != m.Params {
				t.Errorf("got %s %x, want %s %s", r.Operation, r.Params, m.Operation, m.Params)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("the request did not arrive")
		}
		return
	}
	t.Fatal("no compressed request was recorded")
}

func TestHandlerPanics(t *testing.T) {
	nc := start(t, func(context.Context, *iceserver.Conn, *ice.Request) *ice.Reply { panic("bug") })
	nc.Write(message(t, ping(1, "op")))
	if r := answer(t, nc); r.Status != ice.StatusUnknown || !strings.Contains(r.Text, "bug") {
		t.Errorf("got %+v, want an unknown error", r)
	}
	nc.Write(message(t, ping(2, "op")))
	answer(t, nc)
}

func TestReplyAboveTheLimit(t *testing.T) {
	large := append([]byte{0, 0, 32, 0, 1, 0}, make([]byte, 2*limit-6)...)
	nc := start(t, func(context.Context, *iceserver.Conn, *ice.Request) *ice.Reply { return &ice.Reply{Params: large} })
	nc.Write(message(t, ping(1, "op")))
	if r := answer(t, nc); r.Status != ice.StatusUnknownLocal {
		t.Errorf("got %+v, want an error instead of a large reply", r)
	}
}

func TestConcurrentRequests(t *testing.T) {
	release := make(chan struct{})
	nc := start(t, func(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
		if r.Operation == "wait" {
			<-release
		}
		return void(context.Background(), nil, nil)
	})
	nc.Write(message(t, ping(1, "wait")))
	nc.Write(message(t, ping(2, "now")))
	if r := answer(t, nc); r.ID != 2 {
		t.Errorf("got reply %d first, want 2", r.ID)
	}
	close(release)
	if r := answer(t, nc); r.ID != 1 {
		t.Errorf("got reply %d, want 1", r.ID)
	}
}

func TestConnectionState(t *testing.T) {
	closed := make(chan string, 2)
	var once sync.Once
	nc := start(t, func(ctx context.Context, c *iceserver.Conn, r *ice.Request) *ice.Reply {
		once.Do(func() {
			c.SetValue("key", "kept")
			c.OnClose(func() { closed <- "first" })
			c.OnClose(func() { closed <- "second" })
		})
		if c.Value("key") != "kept" || c.Value("other") != nil || c.RemoteAddr() == nil {
			return nil
		}
		return void(context.Background(), nil, nil)
	})
	for id := int32(1); id < 3; id++ {
		nc.Write(message(t, ping(id, "op")))
		answer(t, nc)
	}
	nc.Close()
	for _, want := range []string{"second", "first"} {
		select {
		case got := <-closed:
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("no hook was called")
		}
	}
}

func TestCloseTellsIdleClients(t *testing.T) {
	running := make(chan struct{}, 1)
	addr, s := listen(t, iceserver.Config{Handler: func(ctx context.Context, c *iceserver.Conn, _ *ice.Request) *ice.Reply {
		running <- struct{}{}
		<-ctx.Done()
		<-c.Done()
		return nil
	}})
	idle, busy := connect(t, addr), connect(t, addr)
	busy.Write(message(t, ping(1, "op")))
	<-running
	s.Close()
	if m, err := ice.ReadMessage(idle, limit); err != nil || !m.Close {
		t.Errorf("idle: got %+v (%v), want the end announced", m, err)
	}
	if m, err := ice.ReadMessage(busy, limit); err == nil {
		t.Errorf("busy: got %+v, want the end without a promise", m)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("the port is still open")
	}
}

// TestRequestsToTheClient has a handler call an object of its client.
func TestRequestsToTheClient(t *testing.T) {
	nc := start(t, func(_ context.Context, c *iceserver.Conn, req *ice.Request) *ice.Reply {
		back := ping(0, "told")
		if req.Operation == "ask" {
			back.ID = 5
		}
		if err := c.Oneway(back); (err != nil) != (req.Operation == "ask") {
			t.Errorf("%s: got %v", req.Operation, err)
		}
		return &ice.Reply{Params: ice.EmptyEncapsulation(ice.Encoding10)}
	})
	nc.Write(message(t, ping(1, "tell")))
	m, err := ice.ReadMessage(nc, limit)
	if err != nil || len(m.Requests) != 1 || m.Requests[0].Operation != "told" || m.Requests[0].ID != 0 {
		t.Fatalf("got %+v, %v, want a request", m, err)
	}
	if r := answer(t, nc); r.ID != 1 {
		t.Errorf("got reply %d, want 1", r.ID)
	}
	// An answer that nobody would take is not asked for.
	nc.Write(message(t, ping(2, "ask")))
	if r := answer(t, nc); r.ID != 2 {
		t.Errorf("got reply %d, want 2", r.ID)
	}
}
