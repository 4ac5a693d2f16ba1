//go:build peer

package ice_test

import (
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"omerods/internal/ice"
)

// relay stands between a client and the router: it records what the router
// sends and can end the connection in the middle of it.
type relay struct {
	t  *testing.T
	to string
	l  net.Listener
	wg sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	conns []net.Conn
	sent  []byte // by the router, over all connections
	left  int    // that the router may still send; negative for no limit

	// wanted, when not 0, is what the client's requests are made to say of
	// compression. It is set before the first connection.
	wanted byte
}

// newRelay listens until the end of the test.
func newRelay(t *testing.T, to ice.Address) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, to: net.JoinHostPort(to.Host, strconv.Itoa(to.Port)), l: l, left: -1}
	r.wg.Go(r.accept)
	t.Cleanup(func() {
		l.Close()
		r.cut()
		r.wg.Wait()
	})
	return r
}

func (r *relay) address(scheme string) ice.Address {
	return ice.Address{Scheme: scheme, Host: "127.0.0.1", Port: r.l.Addr().(*net.TCPAddr).Port}
}

func (r *relay) accept() {
	for {
		client, err := r.l.Accept()
		if err != nil {
			return
		}
		router, err := net.Dial("tcp", r.to)
		if err != nil {
			client.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, client, router)
		r.mu.Unlock()
		r.wg.Go(func() {
			if r.wanted == 0 {
				io.Copy(router, client)
			} else {
				r.rewrite(router, client)
			}
			router.Close()
			client.Close()
		})
		r.wg.Go(func() {
			io.Copy(tap{r, client}, router)
			router.Close()
			client.Close()
		})
	}
}

// rewrite passes on messages, their compression state changed.
func (r *relay) rewrite(router, client net.Conn) {
	head := make([]byte, ice.HeaderBytes)
	for {
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		size := int64(binary.LittleEndian.Uint32(head[10:]))
		head[9] = r.wanted
		if _, err := router.Write(head); err != nil {
			return
		}
		if _, err := io.CopyN(router, client, size-ice.HeaderBytes); err != nil {
			return
		}
	}
}

// tap is the way from the router to the client.
type tap struct {
	r      *relay
	client net.Conn
}

func (p tap) Write(b []byte) (int, error) {
	p.r.mu.Lock()
	pass := b
	if p.r.left >= 0 {
		pass = b[:min(len(b), p.r.left)]
		p.r.left -= len(pass)
	}
	if len(p.r.sent) < 1<<20 {
		p.r.sent = append(p.r.sent, pass...)
	}
	p.r.mu.Unlock()
	n, err := p.client.Write(pass)
	if err == nil && len(pass) < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

// allow ends the connection after the router has sent n more bytes.
func (r *relay) allow(n int) {
	r.mu.Lock()
	r.left = n
	r.mu.Unlock()
}

// cut ends all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
}

// headers returns the headers of the messages that the router sent.
func (r *relay) headers() []ice.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []ice.Header
	for b := r.sent; len(b) >= ice.HeaderBytes; {
		size := int(binary.LittleEndian.Uint32(b[10:]))
		all = append(all, ice.Header{Type: b[8], Compression: b[9], Size: size})
		b = b[min(max(size, ice.HeaderBytes), len(b)):]
	}
	return all
}
