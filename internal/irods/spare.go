package irods

import "context"

// spared is how many connections are left to others by those who take only
// what nobody else needs.
const spared = 2

// spare returns a connection that nobody needs now, nil when there is none.
func (p *pool) spare(ctx context.Context) (*conn, error) {
	for {
		p.mu.Lock()
		var cn *conn
		switch n := len(p.free); {
		case p.closed, p.max-p.total+n <= spared:
			p.mu.Unlock()
			return nil, nil
		case n > 0:
			cn = p.free[n-1]
			p.free = p.free[:n-1]
		default:
			p.total++
		}
		p.mu.Unlock()
		if cn == nil {
			cn, err := p.dial(ctx)
			if err != nil {
				p.forget()
			}
			return cn, err
		}
		if usable := p.usable(ctx, cn, true); usable || ctx.Err() != nil {
			if !usable {
				return nil, interrupted(ctx)
			}
			return cn, nil
		}
	}
}

// reserve counts a fork of a file that has a grant, which keeps the file from
// being closed by the pool; nil when it has none.
func (p *pool) reserve(f *File) *grant {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.grant != nil {
		f.forks++
	}
	return f.grant
}

// unreserve ends what reserve began. The file may be closed now.
func (p *pool) unreserve(f *File) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.forks--; f.forks == 0 {
		p.wakeLocked()
	}
}

// granted tells whether a file has a grant, allow gives it one.
func (p *pool) granted(f *File) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f.grant != nil
}

func (p *pool) allow(f *File, g *grant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.grant = g
}
