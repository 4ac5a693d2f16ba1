package transfer

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/task"
)

// marks are the metadata of ours on a collection.
type marks struct {
	state     State // "" for a collection that is no save
	id        string
	heartbeat time.Time
	writer    string // the mount that has not let go of it
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
		case avuWriter:
			m.writer = a.Value
		case avuHeartbeat:
			m.heartbeat, _ = time.Parse(time.RFC3339, a.Value) // unreadable counts as long ago
		}
	}
	return m
}

// value returns the value of one mark, "" when it is not there.
func (m marks) value(name string) string {
	for _, a := range m.all {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

func (m marks) number(name string) int64 {
	n, _ := strconv.ParseInt(m.value(name), 10, 64) // what is no number counts as none
	return n
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

// fresh returns the marks that a collection has on the server now.
func (c *stateCache) fresh(ctx context.Context, coll string) (marks, error) {
	avus, err := c.archive.CollectionAVUs(ctx, []string{coll}, avuPrefix)
	if err != nil {
		return marks{}, fmt.Errorf("read the marks of %s: %w", coll, err)
	}
	m := marksOf(avus[coll])
	c.set(coll, m)
	return m, nil
}

// mark sets the state of a collection that has the marks have, and replaces
// all its other marks of ours by more, in one call. A nil more changes the
// state only.
func (c *stateCache) mark(ctx context.Context, coll string, have marks, state State, more []AVU) error {
	if more == nil {
		more = slices.DeleteFunc(slices.Clone(have.all), func(a AVU) bool { return a.Name == avuState })
	}
	want := append([]AVU{{Name: avuState, Value: string(state)}}, more...)
	return c.replace(ctx, coll, have, want)
}

// replace makes want the marks of a collection in place of those it has.
func (c *stateCache) replace(ctx context.Context, coll string, have marks, want []AVU) error {
	return c.replaceAll(ctx, coll, have.all, want)
}

// replaceAll makes want the metadata of a collection or data object in place
// of have.
func (c *stateCache) replaceAll(ctx context.Context, p string, have, want []AVU) error {
	if err := c.change(ctx, p, have, want); err != nil {
		return fmt.Errorf("mark %s as %s: %w", p, marksOf(want).state, err)
	}
	c.set(p, marksOf(want))
	return nil
}

// change makes want of have in one call. When its answer is lost it looks
// whether it has happened.
func (c *stateCache) change(ctx context.Context, p string, have, want []AVU) error {
	remove, add := difference(have, want)
	if len(remove)+len(add) == 0 {
		return nil
	}
	err := c.archive.ChangeAVUs(ctx, p, remove, add)
	if err == nil {
		return nil
	}
	now, rerr := c.archive.AVUs(ctx, p)
	if rerr != nil || slices.ContainsFunc(remove, func(a AVU) bool { return slices.Contains(now, a) }) ||
		slices.ContainsFunc(add, func(a AVU) bool { return !slices.Contains(now, a) }) {
		return err
	}
	return nil
}

// difference says what has to be removed and added to make want of have.
func difference(have, want []AVU) (remove, add []AVU) {
	for _, a := range have {
		if !slices.Contains(want, a) {
			remove = append(remove, a)
		}
	}
	for _, a := range want {
		if !slices.Contains(have, a) && !slices.Contains(add, a) {
			add = append(add, a)
		}
	}
	return remove, add
}

// processOf is the process that makes a request, 0 when it cannot be seen.
func processOf(ctx context.Context) int {
	c, _ := tree.CallerFrom(ctx)
	return task.Process(c.TID)
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
	w.Source, w.Open = nil, nil
	if isTarName(w.Path) {
		w.Tar = nil // it is judged, and may have many members
	}
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
	if _, file := r.files[p]; file { // most are, and to look at all for each would take long
		delete(r.files, p)
		return
	}
	maps.DeleteFunc(r.files, func(k string, _ Written) bool { return k == p || strings.HasPrefix(k, p+"/") })
}

func (r *recentFiles) move(from, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.files, to) // what was there is replaced
	moved := []string{from}
	if _, file := r.files[from]; !file {
		moved = slices.DeleteFunc(slices.Collect(maps.Keys(r.files)), func(k string) bool { return !strings.HasPrefix(k, from+"/") })
	}
	for _, k := range moved {
		w := r.files[k]
		delete(r.files, k)
		if w.Path = to + strings.TrimPrefix(k, from); isTarName(w.Path) {
			w.Tar = nil
		}
		r.files[w.Path] = w
		r.order = append(r.order, w.Path)
	}
}
