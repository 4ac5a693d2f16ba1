package irods

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// pool keeps the connections of one client, at most max of them.
//
// An open data object needs the connection that it was opened on, but not all
// the time. Between its calls it parks the connection here. When everything
// is in use, whoever needs a connection takes the one that has been parked
// longest: its data object is closed and will be opened again by its owner.
// So any number of data objects can be open, and nobody waits for somebody
// who waits.
type pool struct {
	dial           func(context.Context) (*conn, error)
	max            int
	idle, lifetime time.Duration

	mu      sync.Mutex // guards the fields below; never held during a call
	free    []*conn    // the one used last is the last
	parked  []*parking // the one parked longest is the first
	total   int        // all connections, those being made included
	waiting []chan struct{}
	closed  bool
}

// parking is a parked connection with a descriptor open on it.
type parking struct {
	cn   *conn
	fd   int
	file *File
	// taken is closed when somebody else has taken the connection and closed
	// the descriptor; err says how that went. It is made by the taker.
	taken chan struct{}
	err   error
}

// checkAfter is how long a connection may have been idle before a call that
// must not be repeated trusts it unasked.
const checkAfter = 5 * time.Second

func newPool(maximum int, idle, lifetime time.Duration, dial func(context.Context) (*conn, error)) *pool {
	return &pool{dial: dial, max: maximum, idle: idle, lifetime: lifetime}
}

// get returns a connection that belongs to the caller until put or park. With
// sure it answered a moment ago.
func (p *pool) get(ctx context.Context, sure bool) (*conn, error) {
	for {
		cn, err := p.take(ctx)
		if err != nil {
			return nil, err
		}
		if cn == nil {
			continue
		}
		if p.usable(ctx, cn, sure) {
			return cn, nil
		}
		if ctx.Err() != nil {
			return nil, interrupted(ctx)
		}
	}
}

// usable tells whether a connection can be used, and drops it otherwise.
func (p *pool) usable(ctx context.Context, cn *conn, sure bool) bool {
	age := now().Sub(cn.lastUsed)
	if age > p.idle || now().Sub(cn.opened) > p.lifetime || cn.broken ||
		cn.served > 0 && cn.hungUp() || sure && age > checkAfter && !cn.alive(ctx) {
		p.drop(cn)
		return false
	}
	return true
}

// take returns a connection, or nil when the caller should try again.
func (p *pool) take(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return nil, errorf(ErrOffline, "the client is closed")
	case len(p.free) > 0:
		cn := p.free[len(p.free)-1]
		p.free = p.free[:len(p.free)-1]
		p.mu.Unlock()
		return cn, nil
	case p.total < p.max:
		p.total++
		p.mu.Unlock()
		cn, err := p.dial(ctx)
		if err != nil {
			p.forget()
			return nil, err
		}
		return cn, nil
	}
	if k := p.stealLocked(); k != nil {
		p.mu.Unlock()
		k.err = closeDescriptor(ctx, k.cn, k)
		k.file.closed()
		close(k.taken)
		return k.cn, nil
	}
	wake := make(chan struct{})
	p.waiting = append(p.waiting, wake)
	p.mu.Unlock()
	select {
	case <-wake:
		return nil, nil
	case <-ctx.Done():
		p.mu.Lock()
		if i := slices.Index(p.waiting, wake); i >= 0 {
			p.waiting = slices.Delete(p.waiting, i, i+1)
		} else {
			p.wakeLocked() // the turn was ours and goes to the next
		}
		p.mu.Unlock()
		return nil, interrupted(ctx)
	}
}

// stealLocked takes the connection that has been parked longest, of those
// whose data object may be closed.
func (p *pool) stealLocked() *parking {
	for i, k := range p.parked {
		if k.file.forks > 0 {
			continue
		}
		p.parked = slices.Delete(p.parked, i, i+1)
		k.taken = make(chan struct{})
		k.file.grant = nil
		return k
	}
	return nil
}

func (p *pool) wakeLocked() {
	if len(p.waiting) > 0 {
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// put gives a connection back; a broken one is replaced when it is needed.
func (p *pool) put(cn *conn) {
	p.mu.Lock()
	if cn.broken || p.closed {
		p.mu.Unlock()
		p.drop(cn)
		return
	}
	p.free = append(p.free, cn)
	p.wakeLocked()
	p.mu.Unlock()
}

// drop closes a connection that is in nobody's hands any more.
func (p *pool) drop(cn *conn) {
	cn.close()
	p.forget()
}

func (p *pool) forget() {
	p.mu.Lock()
	p.total--
	p.wakeLocked()
	p.mu.Unlock()
}

// park puts a connection aside for the owner of a descriptor on it.
func (p *pool) park(cn *conn, fd int, f *File) *parking {
	k := &parking{cn: cn, fd: fd, file: f}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		k.taken = make(chan struct{})
		k.err = errorf(ErrLost, "the client is closed")
		close(k.taken)
		cn.broken = true
		_ = cn.sock.Close()
		p.total--
		return k
	}
	p.parked = append(p.parked, k)
	p.wakeLocked()
	return k
}

// unpark gives the owner its connection back, or nil when somebody took it;
// then err says how the descriptor's close went.
func (p *pool) unpark(ctx context.Context, k *parking) (cn *conn, err error) {
	p.mu.Lock()
	if i := slices.Index(p.parked, k); i >= 0 {
		p.parked = slices.Delete(p.parked, i, i+1)
		p.mu.Unlock()
		return k.cn, nil
	}
	p.mu.Unlock()
	select {
	case <-k.taken:
		return nil, k.err
	case <-ctx.Done():
		return nil, interrupted(ctx)
	}
}

// flush closes all idle connections.
func (p *pool) flush() {
	p.closeIf(func(*conn) bool { return true })
}

func (p *pool) closeIf(old func(*conn) bool) {
	p.mu.Lock()
	var drop []*conn
	p.free = slices.DeleteFunc(p.free, func(cn *conn) bool {
		if old(cn) {
			drop = append(drop, cn)
			return true
		}
		return false
	})
	p.mu.Unlock()
	for _, cn := range drop {
		p.drop(cn)
	}
}

// expireLoop closes connections that nobody has used for long.
func (p *pool) expireLoop(ctx context.Context) {
	tick := time.NewTicker(max(p.idle/4, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.closeIf(func(cn *conn) bool { return now().Sub(cn.lastUsed) > p.idle })
		}
	}
}

// close closes all connections that nobody is using; those in use follow when
// they are put back.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	free, parked := p.free, p.parked
	p.free, p.parked = nil, nil
	// Forks first.
	slices.SortStableFunc(parked, func(a, b *parking) int { return cmp.Compare(b.file.rank(), a.file.rank()) })
	for _, k := range parked {
		k.taken = make(chan struct{})
	}
	p.total -= len(free) + len(parked)
	for len(p.waiting) > 0 {
		p.wakeLocked()
	}
	p.mu.Unlock()
	for _, cn := range free {
		cn.close()
	}
	for _, k := range parked {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		k.err = closeDescriptor(ctx, k.cn, k)
		cancel()
		k.cn.close()
		close(k.taken)
	}
}
