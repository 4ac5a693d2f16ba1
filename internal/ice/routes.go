package ice

import (
	"context"
	"errors"
)

// announce tells the router about an object before its first use. Calls that
// come meanwhile wait for the same answer.
func (s *Session) announce(ctx context.Context, p *Proxy, context map[string]string) error {
	if p.Identity == RouterIdentity {
		return nil
	}
	for {
		s.mu.Lock()
		r := s.routes[p.Identity]
		mine := r == nil
		if mine {
			r = &route{done: make(chan struct{})}
			s.routes[p.Identity] = r
		}
		s.mu.Unlock()
		if mine {
			err := s.addProxy(ctx, p, context)
			s.announced(p.Identity, r, err)
			return err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		// The one who asked may have given up for a reason of its own.
		if r.err == nil || !isContextError(r.err) {
			return r.err
		}
	}
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// announced ends an announcement; a failed one is forgotten.
func (s *Session) announced(id Identity, r *route, err error) {
	s.mu.Lock()
	if err != nil && s.routes[id] == r {
		delete(s.routes, id)
	}
	s.mu.Unlock()
	r.err = err
	close(r.done)
}

// addProxy announces an object and forgets those that the router dropped for
// it.
func (s *Session) addProxy(ctx context.Context, p *Proxy, context map[string]string) error {
	router := &Proxy{Identity: RouterIdentity}
	results, err := s.invoke(ctx, router, s.routerOperation("addProxies"), s.enc, []any{[]any{p}}, context)
	if err != nil {
		return err
	}
	evicted, _ := results[0].([]any)
	for _, e := range evicted {
		if q, ok := e.(*Proxy); ok && q.Identity != p.Identity {
			s.forgetRoute(q.Identity)
		}
	}
	return nil
}

// forgetRoute has the object announced again before its next use. An
// announcement that is under way is left alone.
func (s *Session) forgetRoute(id Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.routes[id]; r != nil {
		select {
		case <-r.done:
			delete(s.routes, id)
		default:
		}
	}
}
