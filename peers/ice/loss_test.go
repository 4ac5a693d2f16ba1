//go:build peer

package ice_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"omerods/internal/ice"
)

// lostCall returns how a connection loss ended a call.
func lostCall(t *testing.T, what string, err error) *ice.ConnectionLostError {
	t.Helper()
	var lost *ice.ConnectionLostError
	if !errors.As(err, &lost) {
		t.Fatalf("%s: got %v, want a lost connection", what, err)
	}
	return lost
}

// TestRouterIsKilled kills the router while a call is being executed.
func TestRouterIsKilled(t *testing.T) {
	w := newWorld(t, nil)
	c := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	before := c.call("count")[0].(int32)
	held := c.hold("killed")
	w.router.signal(syscall.SIGKILL)
	if lost := lostCall(t, "call under way", <-held); !lost.Sent {
		t.Errorf("call under way: got %v, not sent, though it was executed", lost)
	}
	w.comesBack(t, c, before)
}

// TestRouterIsAskedToEnd ends the router while a call is being executed: it
// waits for the server's answer.
func TestRouterIsAskedToEnd(t *testing.T) {
	w := newWorld(t, nil)
	c := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	before := c.call("count")[0].(int32)
	held := c.hold("ended")
	w.router.terminate()
	w.release(t, "ended")
	if err := <-held; err != nil {
		t.Errorf("call under way: %v", err)
	}
	w.comesBack(t, c, before)
}

// comesBack looks at what is left of a session whose router has ended, starts
// the router anew and logs in again.
func (w *world) comesBack(t *testing.T, c *client, before int32) {
	t.Helper()
	<-c.s.Conn().Done()
	_, err := c.try("count")
	if lost := lostCall(t, "later call", err); lost.Sent {
		t.Errorf("later call: got %v, sent", lost)
	}
	<-w.router.done
	if _, err := ice.Dial(within(t), w.address("ssl"), ice.DialOptions{TLS: w.tls()}); err == nil {
		t.Error("connected to a router that has ended")
	}
	if !w.startRouter() {
		t.Fatal("the router does not start again")
	}
	c = w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	if after := c.call("count")[0].(int32); after != before+1 {
		t.Errorf("%d calls executed, want 1", after-before)
	}
}

// release has the server answer the call that hold made, without the router.
func (w *world) release(t *testing.T, group string) {
	t.Helper()
	conn := w.dial(t, ice.Address{Scheme: "tcp", Host: "127.0.0.1", Port: w.server}, ice.DialOptions{})
	op := defs().Interface(echoID).Operation("hold")
	params, err := defs().EncodeParams(ice.Encoding10, op.In, []any{group, int32(2), int32(2)})
	if err != nil {
		t.Fatal(err)
	}
	r := &ice.Request{Identity: ice.Identity{Name: "echo"}, Operation: op.Name, Params: params}
	reply, err := conn.Invoke(within(t), r)
	if err != nil || reply.Status != ice.StatusOK {
		t.Fatalf("direct call: %+v, %v", reply, err)
	}
}

// hold makes a call that the server does not answer before another one comes.
// The channel has its error once it has ended. The server has the call when hold returns.
func (c *client) hold(group string) <-chan error {
	c.t.Helper()
	held := make(chan error, 1)
	go func() {
		_, err := c.try("hold", group, int32(1), int32(2))
		held <- err
	}()
	ctx := within(c.t)
	for c.call("waiting", group)[0] != int32(1) {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			c.t.Fatal("the server did not get the call")
		}
	}
	return held
}

// TestRouterEndsIdle ends the router when nothing is under way. It then says
// goodbye.
func TestRouterEndsIdle(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			w := newWorld(t, nil)
			c := w.login(t, scheme, ice.Encoding10, ice.DialOptions{})
			w.router.terminate()
			<-c.s.Conn().Done()
			if err := c.s.Conn().Err(); errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want a graceful end", err)
			}
			_, err := c.try("whoAmI")
			if lost := lostCall(t, "later call", err); lost.Sent {
				t.Errorf("later call: got %v, sent", lost)
			}
		})
	}
}

// TestConnectionDiesInReply ends the connection after n bytes of a reply.
func TestConnectionDiesInReply(t *testing.T) {
	const size = 1 << 20
	w := newWorld(t, nil)
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			for _, n := range []int{0, 1, 13, 14, 15, 100, 16 << 10, 500000, size} {
				r := newRelay(t, w.address(scheme), 0)
				c := w.loginAt(t, r.address(scheme), ice.Encoding10, ice.DialOptions{})
				if got := c.call("blob", int64(1000))[0].([]byte); !bytes.Equal(got, pattern(1000)) {
					t.Error("the relay changes the bytes")
				}
				r.allow(n)
				_, err := c.try("blob", int64(size))
				if lost := lostCall(t, "call", err); !lost.Sent {
					t.Errorf("after %d bytes: got %v, not sent, though it was executed", n, lost)
				}
				_, err = c.try("whoAmI")
				if lost := lostCall(t, "later call", err); lost.Sent {
					t.Errorf("after %d bytes, later call: got %v, sent", n, lost)
				}
			}
		})
	}
}

// TestIdleConnections leaves one connection without any message, which the
// router ends, and one with nothing but heartbeats, which it keeps.
func TestIdleConnections(t *testing.T) {
	w := newWorld(t, map[string]string{"Glacier2.SessionTimeout": "3"})
	for _, scheme := range []string{"ssl", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			kept := w.login(t, scheme, ice.Encoding10, ice.DialOptions{HeartbeatInterval: 300 * time.Millisecond})
			// One after the other, so that twice the router's patience passes.
			for range 2 {
				idle := w.login(t, scheme, ice.Encoding10, ice.DialOptions{HeartbeatInterval: -1})
				select {
				case <-idle.s.Conn().Done():
				case <-kept.s.Conn().Done():
					t.Fatalf("the connection with heartbeats ended: %v", kept.s.Conn().Err())
				case <-within(t).Done():
					t.Fatal("the router keeps an idle connection")
				}
				t.Logf("idle connection: %v", idle.s.Conn().Err())
				_, err := idle.try("whoAmI")
				if lost := lostCall(t, "call on the ended connection", err); lost.Sent {
					t.Errorf("got %v, sent", lost)
				}
			}
			if got := kept.call("whoAmI")[0]; got != "echo" {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestAbandonedCall has nobody wait any more for a reply that then comes.
func TestAbandonedCall(t *testing.T) {
	w := newWorld(t, nil)
	c := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		_, err := c.s.CallName(ctx, c.echo, echoID, "hold", nil, "abandoned", int32(1), int32(2))
		ended <- err
	}()
	for c.call("waiting", "abandoned")[0] != int32(1) {
		if t.Context().Err() != nil {
			t.Fatal("the server did not get the call")
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	// Its reply comes while nobody waits for it.
	if got := c.call("hold", "abandoned", int32(2), int32(2)); got[1] != int32(2) {
		t.Errorf("got %v", got)
	}
	c.call("whoAmI")
}

// routerSays is a reply by which the router tells of its own connection to the
// server.
func routerSays(t *testing.T, what string, err error, exception string) {
	t.Helper()
	var unknown *ice.UnknownError
	if !errors.As(err, &unknown) || unknown.Status != ice.StatusUnknownLocal || !strings.Contains(unknown.Text, "Ice::"+exception) {
		t.Errorf("%s: got %v, want status 5 with %s", what, err, exception)
	}
}

// TestServerLeaves has the server end its connection with the router.
func TestServerLeaves(t *testing.T) {
	w := newWorld(t, nil)
	c := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	_, err := c.try("leave", "abrupt", false)
	routerSays(t, "call that may have been executed", err, "ConnectionLostException")
	if got := c.call("leaveAgain", "again", false)[0]; got != int32(2) {
		t.Errorf("the router sends an idempotent call %v times, want 2", got)
	}
	if got := c.call("leave", "graceful", true)[0]; got != int32(1) {
		t.Errorf("got %v, want 1", got)
	}
	c.call("whoAmI")
}

// TestServerIsKilled leaves the router alone.
func TestServerIsKilled(t *testing.T) {
	w := newWorld(t, nil)
	c := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{})
	held := c.hold("lost")
	w.behind.signal(syscall.SIGKILL)
	routerSays(t, "call under way", <-held, "ConnectionLostException")
	<-w.behind.done
	_, err := c.try("whoAmI")
	routerSays(t, "later call", err, "ConnectionRefusedException")
	// A refused login does not mean that the password is wrong.
	conn := w.dial(t, w.address("ssl"), ice.DialOptions{})
	_, err = ice.Login(within(t), conn, defs(), ice.Credentials{User: "ada", Password: w.password})
	var ex *ice.UserException
	if !errors.As(err, &ex) || ex.IDs[0] != "::Glacier2::PermissionDeniedException" || ex.Get("reason") != "internal server error" {
		t.Errorf("login: got %v", err)
	}
}
