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

// relay stands between a client and a server: it records what both send and
// can end the connection in the middle of a message of the server.
type relay struct {
	t  *testing.T
	to string
	l  net.Listener

	// wanted, when not 0, is what the client's requests are made to say of
	// compression.
	wanted byte

	wg sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	conns []net.Conn
	sent  []byte // by the server, over all connections
	asked []byte // by the client
	left  int    // that the server may still send; negative for no limit
}

// newRelay listens until the end of the test.
func newRelay(t *testing.T, to ice.Address, wanted byte) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, to: net.JoinHostPort(to.Host, strconv.Itoa(to.Port)), l: l, wanted: wanted, left: -1}
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
		server, err := net.Dial("tcp", r.to)
		if err != nil {
			client.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, client, server)
		r.mu.Unlock()
		r.wg.Go(func() {
			if r.wanted == 0 {
				io.Copy(server, io.TeeReader(client, record{r}))
			} else {
				r.rewrite(server, client)
			}
			server.Close()
			client.Close()
		})
		r.wg.Go(func() {
			io.Copy(tap{r, client}, server)
			server.Close()
			client.Close()
		})
	}
}

// rewrite passes on messages, their compression state changed.
func (r *relay) rewrite(server, client net.Conn) {
	head := make([]byte, ice.HeaderBytes)
	for {
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		size := int64(binary.LittleEndian.Uint32(head[10:]))
		head[9] = r.wanted
		if _, err := server.Write(head); err != nil {
			return
		}
		if _, err := io.CopyN(server, client, size-ice.HeaderBytes); err != nil {
			return
		}
	}
}

// record keeps the first bytes of what a client sends.
type record struct{ r *relay }

func (w record) Write(b []byte) (int, error) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if len(w.r.asked) < 1<<20 {
		w.r.asked = append(w.r.asked, b...)
	}
	return len(b), nil
}

// tap is the way from the server to the client.
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

// allow ends the connection after the server has sent n more bytes.
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

// replies and requests return the headers of the messages that were sent over
// the only connection.
func (r *relay) replies() []ice.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return headers(r.sent)
}

func (r *relay) requests() []ice.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return headers(r.asked)
}

func compressed(h ice.Header) bool { return h.Compression == 2 }

func headers(b []byte) []ice.Header {
	var all []ice.Header
	for len(b) >= ice.HeaderBytes {
		size := int(binary.LittleEndian.Uint32(b[10:]))
		all = append(all, ice.Header{Type: b[8], Compression: b[9], Size: size})
		b = b[min(max(size, ice.HeaderBytes), len(b)):]
	}
	return all
}
