package omeroview

import (
	"context"
	"strings"
	"sync"
	"time"
)

// loadTimeout bounds the time for one listing.
const loadTimeout = 5 * time.Minute

// memo remembers answers of the server for a while. Several callers who ask
// for the same wait for one request.
type memo struct {
	mu      sync.Mutex // guards the fields below
	entries map[string]*memoEntry
	swept   time.Time
}

type memoEntry struct {
	done  chan struct{} // closed when the rest is set
	value any
	err   error
	until time.Time
}

// tarKey begins the keys of the tars of states. What is under way there clears
// the memo itself, when it meets a pack for the first time.
const tarKey = "tar/"

// clear forgets everything but what is kept under some keys, and tars that are
// being laid out: they belong to one state, whatever changes, and to lay out the
// same twice at once would take twice as long. Requests under way still answer
// those who wait.
func (m *memo) clear(keep ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.entries
	m.entries = make(map[string]*memoEntry)
	for _, key := range keep {
		if e := old[key]; e != nil {
			m.entries[key] = e
		}
	}
	for key, e := range old {
		if strings.HasPrefix(key, tarKey) && !e.answered() {
			m.entries[key] = e
		}
	}
}

// answered says whether the answer is there.
func (e *memoEntry) answered() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// remember returns the answer under a key, asking load when there is none or
// it is too old. load is not cancelled when one of the callers gives up. What
// failed is asked anew by the next caller.
func remember[T any](ctx context.Context, a *account, key string, load func(ctx context.Context) (T, error)) (T, error) {
	return await[T](ctx, a.entry(key, true, func(ctx context.Context) (any, error) { return load(ctx) }))
}

// rememberMade is remember for what is made of one state of a pack, which its
// key names. It never becomes untrue, so that its age counts from when it was
// there: making it may take longer than a listing is kept.
func rememberMade[T any](ctx context.Context, a *account, key string, load func(ctx context.Context) (T, error)) (T, error) {
	return await[T](ctx, a.entry(key, false, func(ctx context.Context) (any, error) { return load(ctx) }))
}

// await waits for the answer of an entry.
func await[T any](ctx context.Context, e *memoEntry) (T, error) {
	var zero T
	select {
	case <-e.done:
	case <-ctx.Done():
		return zero, ctx.Err()
	}
	if e.err != nil {
		return zero, e.err
	}
	return e.value.(T), nil
}

// entry finds the entry of a key or begins one. ages says that its answer may
// become untrue from the moment in which it is asked for.
func (a *account) entry(key string, ages bool, load func(ctx context.Context) (any, error)) *memoEntry {
	now := a.v.now()
	m := &a.memo
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[key]; e != nil {
		select {
		case <-e.done:
			if now.Before(e.until) {
				return e
			}
		default:
			return e
		}
	}
	if m.entries == nil {
		m.entries = make(map[string]*memoEntry)
	}
	m.sweep(now, a.v.cfg.ListTime)
	e := &memoEntry{done: make(chan struct{})}
	m.entries[key] = e
	a.v.wg.Go(func() {
		ctx, cancel := context.WithTimeout(a.v.run, loadTimeout)
		defer cancel()
		e.value, e.err = load(ctx)
		from := now
		if !ages {
			from = a.v.now()
		}
		e.until = from.Add(a.v.cfg.ListTime)
		if e.err != nil {
			m.mu.Lock()
			if m.entries[key] == e {
				delete(m.entries, key)
			}
			m.mu.Unlock()
		}
		close(e.done)
	})
	return e
}

// sweep drops what is too old, so that a walk through a large server leaves no
// trace in memory. m.mu is held.
func (m *memo) sweep(now time.Time, every time.Duration) {
	if now.Sub(m.swept) < every {
		return
	}
	m.swept = now
	for key, e := range m.entries {
		select {
		case <-e.done:
			if !now.Before(e.until) {
				delete(m.entries, key)
			}
		default:
		}
	}
}
