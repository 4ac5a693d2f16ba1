package ice_test

import (
	"context"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

// noLeaks fails the test when goroutines are left at its end.
func noLeaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		deadline := time.Now().Add(5 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<16)
				t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
				return
			}
			runtime.Gosched()
		}
	})
}

// within returns a context that ends the test's patience.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// serve runs a server and returns its address.
func serve(t *testing.T, cfg iceserver.Config) ice.Address {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := iceserver.New(cfg)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	scheme := "tcp"
	if cfg.TLS != nil {
		scheme = "ssl"
	}
	return ice.Address{Scheme: scheme, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

func dial(t *testing.T, addr ice.Address, opts ice.DialOptions) *ice.Conn {
	t.Helper()
	c, err := ice.Dial(within(t), addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func request(op string, params []byte) *ice.Request {
	if params == nil {
		params = ice.EmptyEncapsulation(ice.Encoding10)
	}
	return &ice.Request{Identity: ice.Identity{Name: "object"}, Operation: op, Params: params}
}

// echo returns the parameters of a request.
func echo(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
	return &ice.Reply{Params: r.Params}
}

// bytesOf returns an encapsulation of a content.
func bytesOf(n int, b byte) []byte {
	e := ice.EmptyEncapsulation(ice.Encoding10)
	n += len(e)
	e[0], e[1], e[2], e[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return append(e, []byte(strings.Repeat(string([]byte{b}), n-len(e)))...)
}

// script runs a hand-made server for one connection.
func script(t *testing.T, f func(nc net.Conn)) ice.Address {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(10 * time.Second))
		f(nc)
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return ice.Address{Scheme: "tcp", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}
