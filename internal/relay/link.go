package relay

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// chunkBytes is how much is read at once, and heldBytes how much each
	// direction of a connection holds back at most: 3 GB/s for 20 ms.
	chunkBytes = 256 << 10
	heldBytes  = 64 << 20
)

// link is one connection through the relay.
type link struct {
	relay          *Relay
	client, server net.Conn
	opened         time.Time

	once sync.Once
	done chan struct{} // closed when the link ends

	// replied says that the server has sent something since the client's last
	// request; only for what cannot be read.
	replied atomic.Bool
	// doomed says that the link ends with the server's next byte.
	doomed atomic.Bool
}

func newLink(r *Relay, client, server net.Conn) *link {
	l := &link{relay: r, client: client, server: server, opened: time.Now(), done: make(chan struct{})}
	l.replied.Store(true)
	return l
}

// close ends the link, reset abruptly.
func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

func (l *link) reset() {
	l.once.Do(func() {
		close(l.done)
		abort(l.client)
		abort(l.server)
	})
}

// abort closes a connection with a reset.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// run passes bytes both ways until the link ends.
func (l *link) run() {
	var wg sync.WaitGroup
	up, down := newLine(l, l.client, l.server), newLine(l, l.server, l.client)
	scan := &scanner{link: l}
	up.look = scan.look
	down.look = func([]byte) (int, Verdict) {
		l.replied.Store(true)
		if l.doomed.Load() {
			return 0, DropRequest
		}
		return 0, Pass
	}
	for _, f := range []func(){up.read, up.write, down.read, down.write} {
		wg.Go(f)
	}
	wg.Wait()
	l.close()
}

// line is one direction of a link. What is read waits in the queue for its
// time.
type line struct {
	link     *link
	from, to net.Conn
	// look judges what was read. The verdict holds from the returned offset.
	look  func([]byte) (int, Verdict)
	queue chan chunk
}

type chunk struct {
	due  time.Time
	data []byte
}

var buffers = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

func newLine(l *link, from, to net.Conn) *line {
	return &line{link: l, from: from, to: to, queue: make(chan chunk, heldBytes/chunkBytes)}
}

// read fills the queue until the sender ends, whose end is passed on.
func (n *line) read() {
	defer close(n.queue)
	for {
		buf := buffers.Get().(*[chunkBytes]byte)
		m, err := n.from.Read(buf[:])
		if m > 0 && !n.take(buf[:m]) {
			return
		}
		if err != nil {
			if err != io.EOF {
				n.link.reset()
			}
			return
		}
	}
}

// take puts bytes in the queue as far as their verdict allows; false ends the
// direction.
func (n *line) take(data []byte) bool {
	delay := n.link.relay.roundTrip()
	due := time.Now().Add(delay / 2)
	if n.from == n.link.client {
		// Until the server's answer to a SYN is back the client has nothing
		// to send.
		if first := n.link.opened.Add(delay + delay/2); due.Before(first) {
			due = first
		}
	}
	upTo, verdict := n.look(data)
	if verdict == Pass || verdict == DropReply {
		upTo = len(data)
	}
	if upTo > 0 {
		select {
		case n.queue <- chunk{due, data[:upTo]}:
		case <-n.link.done:
			return false
		}
	}
	switch verdict {
	case DropRequest:
		n.link.reset()
		return false
	case Stall:
		<-n.link.done
		return false
	}
	return true
}

// write empties the queue.
func (n *line) write() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for c := range n.queue {
		if wait := time.Until(c.due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-n.link.done:
				return
			}
		}
		if !n.link.relay.wait(n.link.done) {
			return
		}
		if _, err := n.to.Write(c.data); err != nil {
			n.link.reset()
			return
		}
		buffers.Put((*[chunkBytes]byte)(c.data[:chunkBytes:chunkBytes]))
	}
	if tcp, ok := n.to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}
