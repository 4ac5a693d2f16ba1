package transfer

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// marks are the metadata of ours on a collection.
type marks struct {
	state     State // "" for a collection that is no save
	id        string
	heartbeat time.Time
	all       []AVU
}

func marksOf(avus []AVU) marks {
	m := marks{all: avus}
	for _, a := range avus {
		switch a.Name {
		case avuState:
			m.state = State(a.Value)
		case avuSave:
			m.id = a.Value
		case avuHeartbeat:
			m.heartbeat, _ = time.Parse(time.RFC3339, a.Value) // unreadable counts as long ago
		}
	}
	return m
}

const (
	stateTTL  = 5 * time.Second
	maxStates = 20000
)

// stateCache remembers for a moment which collections are saves, so that a
// copy of many files does not ask about their folders for each.
type stateCache struct {
	archive Archive
	now     func() time.Time

	mu    sync.Mutex // guards the field below
	known map[string]cachedMarks
}

type cachedMarks struct {
	marks
	until time.Time
}

func newStateCache(a Archive, now func() time.Time) *stateCache {
	return &stateCache{archive: a, now: now, known: map[string]cachedMarks{}}
}

// get returns the marks of each collection that has any.
func (c *stateCache) get(ctx context.Context, collections []string) (map[string]marks, error) {
	out := make(map[string]marks, len(collections))
	var ask []string
	now := c.now()
	c.mu.Lock()
	for _, coll := range collections {
		if k, ok := c.known[coll]; ok && now.Before(k.until) {
			out[coll] = k.marks
		} else {
			ask = append(ask, coll)
		}
	}
	c.mu.Unlock()
	if len(ask) == 0 {
		return out, nil
	}
	avus, err := c.archive.CollectionAVUs(ctx, ask, avuPrefix)
	if err != nil {
		return nil, fmt.Errorf("read the marks of %s: %w", path.Base(ask[0]), err)
	}
	for _, coll := range ask {
		m := marksOf(avus[coll])
		out[coll] = m
		c.set(coll, m)
	}
	return out, nil
}

func (c *stateCache) set(coll string, m marks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if len(c.known) >= maxStates {
		maps.DeleteFunc(c.known, func(_ string, k cachedMarks) bool { return now.After(k.until) })
		if len(c.known) >= maxStates {
			clear(c.known)
		}
	}
	c.known[coll] = cachedMarks{marks: m, until: now.Add(stateTTL)}
}

// forget drops what is known of p and everything below.
func (c *stateCache) forget(p string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.known, func(k string, _ cachedMarks) bool {
		return k == p || strings.HasPrefix(k, p+"/")
	})
}

// mark sets the state of a collection and replaces all its other marks of
// ours by more, in one call.
func (c *stateCache) mark(ctx context.Context, coll string, state State, more []AVU) error {
	avus, err := c.archive.CollectionAVUs(ctx, []string{coll}, avuPrefix)
	if err != nil {
		return fmt.Errorf("read the marks of %s: %w", coll, err)
	}
	if more == nil { // only the state changes
		more = slices.DeleteFunc(slices.Clone(avus[coll]), func(a AVU) bool { return a.Name == avuState })
	}
	want := append([]AVU{{Name: avuState, Value: string(state)}}, more...)
	var remove, add []AVU
	for _, a := range avus[coll] {
		if !slices.Contains(want, a) {
			remove = append(remove, a)
		}
	}
	for _, a := range want {
		if !slices.Contains(avus[coll], a) && !slices.Contains(add, a) {
			add = append(add, a)
		}
	}
	if len(remove)+len(add) > 0 {
		if err := c.archive.ChangeAVUs(ctx, coll, remove, add); err != nil {
			return fmt.Errorf("mark %s as %s: %w", coll, state, err)
		}
	}
	c.set(coll, marksOf(want))
	return nil
}

// maxRecent bounds how many files written lately are remembered with their sums.
const maxRecent = 200000

// recentFiles remembers the sums of files written lately: a program may bring
// them before the transfer.xml that says what they should be.
type recentFiles struct {
	mu    sync.Mutex // guards the fields below
	files map[string]Written
	order []string // oldest first, may hold names that are gone
}

func newRecentFiles() *recentFiles { return &recentFiles{files: map[string]Written{}} }

func (r *recentFiles) add(w Written) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.Source = nil
	if _, known := r.files[w.Path]; !known {
		r.order = append(r.order, w.Path)
	}
	r.files[w.Path] = w
	for len(r.files) > maxRecent || len(r.order) > 2*maxRecent {
		delete(r.files, r.order[0])
		r.order = r.order[1:]
	}
}

func (r *recentFiles) get(p string) (Written, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.files[p]
	return w, ok
}

func (r *recentFiles) drop(p string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.files, func(k string, _ Written) bool { return k == p || strings.HasPrefix(k, p+"/") })
}

func (r *recentFiles) move(from, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range slices.Collect(maps.Keys(r.files)) {
		if k != from && !strings.HasPrefix(k, from+"/") {
			continue
		}
		w := r.files[k]
		delete(r.files, k)
		w.Path = to + strings.TrimPrefix(k, from)
		r.files[w.Path] = w
		r.order = append(r.order, w.Path)
	}
}
