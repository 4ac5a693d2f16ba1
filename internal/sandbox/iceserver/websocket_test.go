package iceserver_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

// listenWebSocket runs a server that answers with the parameters it was sent.
func listenWebSocket(t *testing.T) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := iceserver.New(iceserver.Config{MaxMessageBytes: limit,
		Handler: func(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
			return &ice.Reply{Params: r.Params}
		}})
	done := make(chan error, 1)
	go func() { done <- s.ServeWebSocket(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().(*net.TCPAddr)
}

func TestWebSocketClient(t *testing.T) {
	at := listenWebSocket(t)
	c, err := ice.Dial(t.Context(), ice.Address{Scheme: "ws", Host: "127.0.0.1", Port: at.Port}, ice.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, n := range []int{6, 80, 125, 126, 127, 4096, 4097, 65535, 65536, 500000} {
		params := bytes.Repeat([]byte{7}, n)
		copy(params, []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), 1, 0})
		r, err := c.Invoke(t.Context(), &ice.Request{Identity: ice.Identity{Name: "object"}, Operation: "op", Params: params})
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if !bytes.Equal(r.Params, params) {
			t.Errorf("%d bytes came back different", n)
		}
	}
}

const upgradeRequest = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ice.zeroc.com\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// upgrade sends a request for an upgrade and returns the answer.
func upgrade(t *testing.T, at *net.TCPAddr, request string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	nc, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(nc, request)
	br := bufio.NewReader(nc)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return nc, br, resp
}

func TestWebSocketHandshake(t *testing.T) {
	at := listenWebSocket(t)
	// The key and its answer are the example of RFC 6455, section 1.3.
	_, _, resp := upgrade(t, at, upgradeRequest)
	if got := resp.Header.Get("Sec-Websocket-Accept"); resp.StatusCode != 101 || got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s and %q", resp.Status, got)
	}
	for _, change := range [][2]string{
		{"GET", "PUT"}, {"Upgrade: websocket", "Upgrade: other"}, {"Connection: Upgrade", "Connection: close"},
		{"Version: 13", "Version: 8"}, {"ice.zeroc.com", "chat"}, {"Sec-WebSocket-Key", "X-Key"},
	} {
		nc, br, resp := upgrade(t, at, strings.Replace(upgradeRequest, change[0], change[1], 1))
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %s", change[1], resp.Status)
		}
		if _, err := br.ReadByte(); err == nil {
			t.Errorf("%s: the connection goes on", change[1])
		}
		nc.Close()
	}
}

// frame returns a frame as a client sends it, with a mask of zeros.
func frame(head, size byte, payload []byte) []byte {
	return append([]byte{head, 0x80 | size, 0, 0, 0, 0}, payload...)
}

func TestWebSocketFrames(t *testing.T) {
	at := listenWebSocket(t)
	req := message(t, ping(1, "op"))
	first, second := req[:10], req[10:]
	rows := []struct {
		what       string
		send, want []byte // want is the beginning of the answer, nil for the end
	}{
		{"in parts", append(frame(0x02, 10, first), frame(0x80, byte(len(second)), second)...), []byte{0x82, 25, 'I', 'c', 'e', 'P'}},
		{"a ping between", append(frame(0x89, 2, []byte("hi")), frame(0x82, byte(len(req)), req)...), []byte{0x8a, 2, 'h', 'i', 0x82, 25, 'I'}},
		{"the end", frame(0x88, 2, []byte{3, 0xe8}), []byte{0x88, 2, 3, 0xe8}},
		{"no mask", append([]byte{0x82, byte(len(req))}, req...), nil},
		{"an extension", frame(0xc2, byte(len(req)), req), nil},
		{"text", frame(0x81, byte(len(req)), req), nil},
		{"a long ping", append([]byte{0x89, 0xfe, 0, 126, 0, 0, 0, 0}, make([]byte, 126)...), nil},
	}
	for _, r := range rows {
		t.Run(r.what, func(t *testing.T) {
			nc, br, _ := upgrade(t, at, upgradeRequest)
			validation := make([]byte, 2+ice.HeaderBytes)
			if _, err := io.ReadFull(br, validation); err != nil || validation[0] != 0x82 || validation[1] != ice.HeaderBytes {
				t.Fatalf("got % x, %v", validation, err)
			}
			nc.Write(r.send)
			got := make([]byte, max(len(r.want), 1))
			_, err := io.ReadFull(br, got)
			if r.want == nil && err == nil || r.want != nil && !bytes.Equal(got, r.want) {
				t.Errorf("got % x (%v), want % x", got, err, r.want)
			}
		})
	}
}

// TestClosingConnectionExecutesNothing sends a request after the server has
// said that it executes no more.
func TestClosingConnectionExecutesNothing(t *testing.T) {
	var late []string
	seen := make(chan string, 10)
	nc := start(t, func(_ context.Context, c *iceserver.Conn, r *ice.Request) *ice.Reply {
		seen <- r.Operation
		if r.Operation == "leave" {
			c.Close()
		}
		return nil
	})
	nc.Write(message(t, ping(1, "leave")))
	if m, err := ice.ReadMessage(nc, limit); err != nil || !m.Close {
		t.Fatalf("got %+v (%v), want the end announced", m, err)
	}
	nc.Write(message(t, ping(2, "late")))
	nc.Write(ice.CloseMessage())
	if m, err := ice.ReadMessage(nc, limit); err == nil {
		t.Errorf("got %+v, want the end", m)
	}
	for len(seen) > 0 {
		late = append(late, <-seen)
	}
	if fmt.Sprint(late) != "[leave]" {
		t.Errorf("executed %v", late)
	}
}
