// Package relay stands between a client and a server on loopback: it makes
// them as slow as if they were far apart, counts what the client asks, and
// breaks connections. Tests and benchmarks use it.
//
// A delay is one of time only: bytes are held back, not thinned out, so the
// bandwidth stays that of the machine. What the relay can read it counts
// exactly: an iRODS connection without TLS. On any other connection (TLS, Ice)
// a request is whatever the client sends after it has received something,
// which is right for a client that waits for each answer, and counts the
// messages of a handshake.
package relay

import (
	"context"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"
)

// Verdict says what becomes of a request.
type Verdict int

// The verdicts. A connection that is dropped is reset on both sides.
const (
	Pass        Verdict = iota
	DropRequest         // the server never sees it
	DropReply           // the server gets it whole, its answer is lost
	Stall               // it waits here, and its connection with it, until the relay ends
)

// Counts are what clients did.
type Counts struct {
	// Connections were opened, and SetUp are the requests by which a client
	// logs in.
	Connections, SetUp int
	// Requests are all others.
	Requests int
	// ByAPI has the requests by their number in iRODS, those of SetUp
	// included; 0 is a connection that the relay cannot read.
	ByAPI map[int]int
}

// Relay passes connections on to one server. Its methods may be called at any
// time; it starts with no delay.
type Relay struct {
	target   string
	listener net.Listener
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	wg       sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	delay   time.Duration
	counts  Counts
	number  int64 // of the last request, as OnRequest sees it
	hook    func(n int64, api int) Verdict
	links   map[*link]struct{}
	refuse  bool
	stalled chan struct{} // closed when traffic goes on; nil while it does
}

// Listen starts a relay to the server at target, a host and port, on a free
// port of loopback. Close ends it.
func Listen(target string) (*Relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Relay{
		target: target, listener: l, ctx: ctx, stop: stop,
		links: make(map[*link]struct{}), counts: Counts{ByAPI: make(map[int]int)},
	}
	r.wg.Go(r.accept)
	return r, nil
}

// Port is where the relay listens on 127.0.0.1.
func (r *Relay) Port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// SetRoundTrip sets how much longer an answer takes than without the relay:
// half of it each way. Opening a connection takes one round trip more, as TCP
// does. What is under way keeps the delay it has.
func (r *Relay) SetRoundTrip(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = d
}

// OnRequest calls f at each request that is no part of a login, before it is
// passed on; n counts them from 1 since this call. f may kill the client, but
// must not call the relay. nil lets everything pass.
func (r *Relay) OnRequest(f func(n int64, api int) Verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hook, r.number = f, 0
}

// Take returns the counts since the last call of it.
func (r *Relay) Take() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts
	r.counts = Counts{ByAPI: make(map[int]int)}
	return c
}

// Counts returns what Take would, and leaves it.
func (r *Relay) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts
	c.ByAPI = maps.Clone(c.ByAPI)
	return c
}

// Refuse makes the server unreachable for new connections, or reachable again.
func (r *Relay) Refuse(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = on
}

// Stall holds all traffic, or lets it go on: the network is dead without
// anybody being told.
func (r *Relay) Stall(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case on && r.stalled == nil:
		r.stalled = make(chan struct{})
	case !on && r.stalled != nil:
		close(r.stalled)
		r.stalled = nil
	}
}

// Cut closes all connections in an orderly way, Reset abruptly, as when a
// server or a router between has died. Both return how many there were.
func (r *Relay) Cut() int { return r.end((*link).close) }

// Reset is Cut with a reset of each connection.
func (r *Relay) Reset() int { return r.end((*link).reset) }

func (r *Relay) end(how func(*link)) int {
	r.mu.Lock()
	all := make([]*link, 0, len(r.links))
	for l := range r.links {
		all = append(all, l)
	}
	r.mu.Unlock()
	for _, l := range all {
		how(l)
	}
	return len(all)
}

// Close ends the relay and all its connections and waits for that.
func (r *Relay) Close() {
	r.stop()
	_ = r.listener.Close()
	r.Stall(false)
	r.Reset()
	r.wg.Wait()
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		refuse := r.refuse
		r.mu.Unlock()
		if refuse {
			abort(client)
			continue
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil {
			abort(client)
			continue
		}
		l := newLink(r, client, server)
		r.mu.Lock()
		r.counts.Connections++
		r.links[l] = struct{}{}
		r.mu.Unlock()
		if r.ctx.Err() != nil {
			l.reset()
		}
		r.wg.Go(func() {
			l.run()
			r.mu.Lock()
			delete(r.links, l)
			r.mu.Unlock()
		})
	}
}

// roundTrip is the delay that counts now.
func (r *Relay) roundTrip() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delay
}

// setUp are the calls of a login: challenge, response, PAM, plug-ins old and
// new.
var setUp = map[int]bool{703: true, 704: true, 725: true, 1201: true, 110000: true}

// request counts a request and judges it.
func (r *Relay) request(api int) Verdict {
	r.mu.Lock()
	r.counts.ByAPI[api]++
	if setUp[api] {
		r.counts.SetUp++
		r.mu.Unlock()
		return Pass
	}
	r.counts.Requests++
	r.number++
	n, hook := r.number, r.hook
	r.mu.Unlock()
	if hook == nil {
		return Pass
	}
	return hook(n, api)
}

// wait holds the caller while traffic is stalled; false when the relay or the
// link ends.
func (r *Relay) wait(done <-chan struct{}) bool {
	for {
		r.mu.Lock()
		stalled := r.stalled
		r.mu.Unlock()
		if stalled == nil {
			return true
		}
		select {
		case <-stalled:
		case <-done:
			return false
		}
	}
}
