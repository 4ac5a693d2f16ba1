package relay_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/relay"
	"omerods/internal/sandbox/irodsd"
)

// between is an iRODS client of a server with a relay between them.
func between(t *testing.T) (*irods.Client, *relay.Relay) {
	t.Helper()
	s, err := irodsd.New(irodsd.Config{StateDir: t.TempDir(), AdminPassword: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	if err := s.AddUser(t.Context(), "alice", "rodsuser", "secret"); err != nil {
		t.Fatal(err)
	}
	r := listen(t, l.Addr().String())
	c, err := irods.New(irods.Config{Host: "127.0.0.1", Port: r.Port(), User: "alice", Zone: "tempZone", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, r
}

func listen(t *testing.T, target string) *relay.Relay {
	t.Helper()
	r, err := relay.Listen(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestCountsRequestsApartFromLogins(t *testing.T) {
	c, r := between(t)
	if err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := r.Take()
	if got.Connections != 1 || got.Requests != 1 || got.SetUp == 0 || got.ByAPI[702] != 1 {
		t.Errorf("to connect: got %+v, want one connection and request, and a login", got)
	}
	if err := c.Mkdir(t.Context(), c.Home()+"/a"); err != nil {
		t.Fatal(err)
	}
	f, err := c.Create(t.Context(), c.Home()+"/a/large")
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("<MsgHeader_PI><type>RODS_API_REQ</type>"), 100_000)
	if err := f.WriteAt(t.Context(), want, 0); err != nil {
		t.Fatal(err)
	}
	have := make([]byte, len(want)+1)
	if n, err := f.ReadAt(t.Context(), have, 0); err != nil || !bytes.Equal(have[:n], want) {
		t.Errorf("read back: %d of %d bytes, %v", n, len(want), err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Create, write, seek, read, close, besides the collection.
	if got := r.Take(); got.Connections != 0 || got.Requests != 6 || got.SetUp != 0 {
		t.Errorf("to write and read: got %+v, want 6 requests", got)
	}
}

func TestDelayIsARoundTrip(t *testing.T) {
	c, r := between(t)
	const d = 30 * time.Millisecond
	r.SetRoundTrip(d)
	start := time.Now()
	if err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := r.Take()
	// One for the connection, one for its negotiation, one for each request.
	if took, least := time.Since(start), time.Duration(2+got.SetUp+got.Requests)*d; took < least {
		t.Errorf("connected in %v, want at least %v", took, least)
	}
}

func TestDroppedRequestsAndReplies(t *testing.T) {
	c, r := between(t)
	for _, step := range []struct {
		verdict relay.Verdict
		made    bool
	}{{relay.DropRequest, false}, {relay.DropReply, true}} {
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("%s/%d", c.Home(), step.verdict)
		seen := 0
		r.OnRequest(func(n int64, api int) relay.Verdict {
			if api == 681 {
				seen = int(n)
				return step.verdict
			}
			return relay.Pass
		})
		if err := c.Mkdir(t.Context(), path); !errors.Is(err, irods.ErrLost) {
			t.Errorf("verdict %d: got %v, want a lost connection", step.verdict, err)
		}
		r.OnRequest(nil)
		_, err := c.Stat(t.Context(), path)
		if step.made != (err == nil) || seen != 1 {
			t.Errorf("verdict %d at request %d: made is %v, want %v", step.verdict, seen, err == nil, step.made)
		}
	}
}

func TestStalledTrafficGoesOn(t *testing.T) {
	c, r := between(t)
	if err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Stall(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Stat(ctx, c.Home()); err == nil {
		t.Error("an answer came through")
	}
	r.Stall(false)
	if _, err := c.Stat(t.Context(), c.Home()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if r.Reset() == 0 {
		t.Error("there was nothing to reset")
	}
	if _, err := c.Stat(t.Context(), c.Home()); err != nil {
		t.Errorf("on a new connection: %v", err)
	}
	r.Cut()
	r.Refuse(true)
	if _, err := c.Stat(t.Context(), c.Home()); !errors.Is(err, irods.ErrOffline) {
		t.Errorf("got %v, want that the server is offline", err)
	}
	r.Refuse(false)
	if _, err := c.Stat(t.Context(), c.Home()); err != nil {
		t.Errorf("at last: %v", err)
	}
}

// TestOpaqueConnection passes what the relay cannot read, here TLS' first
// bytes and noise, and counts its turns.
func TestOpaqueConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	r := listen(t, l.Addr().String())
	r.SetRoundTrip(2 * time.Millisecond)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.Port()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const turns = 5
	for i := range turns {
		out := bytes.Repeat([]byte{0x16, 3, 1, byte(i)}, 50_000)
		go func() { _, _ = c.Write(out) }()
		in := make([]byte, len(out))
		if _, err := io.ReadFull(c, in); err != nil || !bytes.Equal(in, out) {
			t.Fatalf("turn %d: %v", i, err)
		}
	}
	if got := r.Take(); got.Requests < turns || got.ByAPI[0] != got.Requests {
		t.Errorf("got %+v, want %d requests", got, turns)
	}
	// A handshake with it fails, but ends.
	if err := tls.Client(c, &tls.Config{ServerName: "x"}).HandshakeContext(t.Context()); err == nil {
		t.Error("an echo is no TLS server")
	}
}
