package irods

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// awayFor is how long a server that let us wait in vain is not asked
	// again: who comes meanwhile is told at once.
	awayFor = 5 * time.Second
	// unheardFor is how long the other machine may leave sent bytes without a
	// sign of having got them before the connection counts as broken.
	unheardFor = 30 * time.Second
)

// away remembers that the server does not answer. One caller at a time then
// finds out whether it does again; the others need not wait for that. A server
// that refuses at once is asked by everybody, because that costs nothing.
type away struct {
	mu     sync.Mutex // guards the fields below
	err    error      // why not; nil while it answers
	until  time.Time
	trying bool
}

// enter lets a caller try, who tells leave how it went, or says why not.
func (a *away) enter() (leave func(err error, slow bool), refused error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		if a.trying || now().Before(a.until) {
			return nil, a.err
		}
		a.trying = true
	}
	return a.leave, nil
}

func (a *away) leave(err error, slow bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trying = false
	switch {
	case errors.Is(err, ErrOffline) && slow:
		a.err, a.until = err, now().Add(awayFor)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // the caller's own
	default:
		a.err = nil
	}
}

// dialer makes sockets that notice a machine that has vanished.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 4},
		Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				// Where the system does not have it, the timeouts of the calls remain.
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheardFor.Milliseconds()))
			})
		},
	}
}

// hungUp tells, without asking the server, whether it has ended an idle
// connection: then there is something to read, be it only the end. So a
// restarted server costs no call its answer.
func (c *conn) hungUp() bool {
	s, ok := c.sock.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		quiet = errors.Is(err, unix.EAGAIN)
		return true
	})
	return err != nil || !quiet
}
