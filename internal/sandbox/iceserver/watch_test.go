package iceserver_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

// TestHeartbeatsWhileBusy has a request that takes until the client has seen
// heartbeats.
func TestHeartbeatsWhileBusy(t *testing.T) {
	release := make(chan struct{})
	addr, _ := listen(t, iceserver.Config{HeartbeatInterval: 20 * time.Millisecond,
		Handler: func(context.Context, *iceserver.Conn, *ice.Request) *ice.Reply {
			<-release
			return void(context.Background(), nil, nil)
		}})
	nc := connect(t, addr)
	nc.Write(message(t, ping(1, "op")))
	for range 3 {
		m, err := ice.ReadMessage(nc, limit)
		if err != nil || m.Reply != nil || m.Close {
			t.Fatalf("got %+v (%v), want a heartbeat", m, err)
		}
	}
	close(release)
	for {
		m, err := ice.ReadMessage(nc, limit)
		if err != nil {
			t.Fatal(err)
		}
		if m.Reply != nil {
			return
		}
	}
}

// TestIdleConnectionEnds has three connections: one with nothing, which ends;
// one with heartbeats and one with a request under way, which do not.
func TestIdleConnectionEnds(t *testing.T) {
	release := make(chan struct{})
	addr, _ := listen(t, iceserver.Config{IdleTimeout: 800 * time.Millisecond,
		Handler: func(_ context.Context, _ *iceserver.Conn, r *ice.Request) *ice.Reply {
			if r.Operation == "wait" {
				<-release
			}
			return void(context.Background(), nil, nil)
		}})
	beating, busy := connect(t, addr), connect(t, addr)
	busy.Write(message(t, ping(1, "wait")))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-time.After(20 * time.Millisecond):
				beating.Write(ice.ValidateMessage())
			case <-stop:
				return
			}
		}
	}()
	for range 2 {
		idle := connect(t, addr)
		if m, err := ice.ReadMessage(idle, limit); !errors.Is(err, io.EOF) {
			t.Errorf("got %+v (%v), want the end without a word", m, err)
		}
	}
	close(stop)
	<-stopped
	beating.Write(message(t, ping(7, "op")))
	if r := answer(t, beating); r.ID != 7 {
		t.Errorf("got reply %d, want 7", r.ID)
	}
	close(release)
	for {
		m, err := ice.ReadMessage(busy, limit)
		if err != nil {
			t.Fatal(err)
		}
		if m.Reply != nil {
			return
		}
	}
}
