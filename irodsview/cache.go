package irodsview

import (
	"context"
	"path"
	"sync"
	"time"

	"omerods/internal/irods"
)

// How long answers of the server are believed. Changes made through the view
// show at once, those of others within 5 s: the kernel keeps what it was told
// for a second more. A name that was looked up alone and not found is asked
// for again sooner, because programs wait for files to appear.
const (
	freshFor    = 4 * time.Second
	negativeFor = time.Second
)

// Bounds of one session's cache.
const (
	maxListings = 128
	maxSingles  = 4096
)

// known is what is known about a path.
type known struct {
	irods.Entry
	level irods.Level
	// rough says that existence is known and the rest may not be true. sized
	// says that of a rough entry only the modification time is unknown.
	rough, sized bool
	// bare says that the attributes are known, but neither id nor replicas.
	bare bool
	// virtual says that the collection itself cannot be seen, only something
	// below it.
	virtual bool
}

// listing is a collection's content.
type listing struct {
	when    time.Time
	entries map[string]known
	self    irods.Level // on the collection
	misses  int         // look-ups that it did not answer
	altered bool        // the session has changed something in it
}

type single struct {
	when  time.Time
	known known
	found bool
}

// session is one identity's view of the server: its client and a cache.
type session struct {
	client *irods.Client
	clock  func() time.Time

	mu       sync.Mutex // guards the fields below
	listings map[string]*listing
	singles  map[string]single
	passed   map[string]passed // by collection

	// seq counts the session's own changes; touched has the count of the last
	// one of each path, those before floor forgotten.
	seq, floor uint64
	touched    map[string]uint64
	// asking are the listings that the server is being asked for.
	asking map[string]*question

	zoneNames []string
	zonesWhen time.Time
	lastRoom  irods.Space
	roomWhen  time.Time
}

// sessions are the sessions of a view by client.
type sessions struct {
	mu  sync.Mutex // guards the field below
	all map[*irods.Client]*session
}

func (s *sessions) of(c *irods.Client, clock func() time.Time) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[*irods.Client]*session)
	}
	if s.all[c] == nil {
		s.all[c] = &session{client: c, clock: clock, listings: map[string]*listing{}, singles: map[string]single{}, touched: map[string]uint64{}, asking: map[string]*question{}}
	}
	return s.all[c]
}

func (s *sessions) each(do func(*session)) {
	s.mu.Lock()
	all := make([]*session, 0, len(s.all))
	for _, x := range s.all {
		all = append(all, x)
	}
	s.mu.Unlock()
	for _, x := range all {
		do(x)
	}
}

// Forget drops what is cached for a client that is not used any more.
func (v *View) Forget(c *irods.Client) {
	v.sessions.mu.Lock()
	defer v.sessions.mu.Unlock()
	delete(v.sessions.all, c)
}

// list returns a collection's content, cached or asked for.
func (s *session) list(ctx context.Context, coll string) (*listing, error) {
	s.mu.Lock()
	l := s.listings[coll]
	ok := l != nil && s.clock().Sub(l.when) < freshFor
	s.mu.Unlock()
	if ok {
		return l, nil
	}
	return s.ask(ctx, coll)
}

// askTries is how often a question is repeated whose answer was overtaken by
// a change of our own.
const askTries = 3

// question is a listing that the server is being asked for.
type question struct {
	changes []func(*listing) // of our own, made meanwhile
	void    bool             // something was moved

	done chan struct{} // closed with the answer, which is the fields below
	l    *listing
	err  error
}

// ask lists a collection on the server. Who asks for one that is already
// asked for waits for that answer. What the session changes there meanwhile is
// put into it: it may have it or not.
func (s *session) ask(ctx context.Context, coll string) (*listing, error) {
	for i := 1; ; i++ {
		s.mu.Lock()
		q := s.asking[coll]
		mine := q == nil || q.void
		if mine {
			q = &question{done: make(chan struct{})}
			s.asking[coll] = q
		}
		s.mu.Unlock()
		if mine {
			s.answer(ctx, coll, q)
		}
		select {
		case <-q.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case q.err != nil && !mine && ctx.Err() == nil && i < askTries:
			// Whoever asked may have been interrupted.
		case q.err != nil || !q.void || i == askTries:
			return q.l, q.err
		}
	}
}

// answer asks a question that others may wait for.
func (s *session) answer(ctx context.Context, coll string, q *question) {
	defer close(q.done)
	q.l, q.err = s.listNow(ctx, coll)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asking[coll] == q {
		delete(s.asking, coll)
	}
	if q.err != nil || q.void {
		return
	}
	for _, change := range q.changes {
		change(q.l)
	}
	if len(s.listings) >= maxListings {
		s.dropOldest()
	}
	s.listings[coll] = q.l
}

// alter notes a change of an entry, which do makes in its folder's listing;
// the lock is held.
func (s *session) alter(p string, do func(l *listing, name string)) {
	s.seq++
	if len(s.touched) >= maxSingles {
		clear(s.touched)
		s.floor = s.seq
	}
	s.touched[p] = s.seq
	delete(s.singles, p)
	dir, name := path.Split(p)
	dir = path.Clean(dir)
	if l := s.listings[dir]; l != nil {
		do(l, name)
		l.altered = true
	}
	if q := s.asking[dir]; q != nil {
		q.changes = append(q.changes, func(l *listing) { do(l, name) })
	}
}

// untouched tells whether an entry was not changed since; the lock is held.
func (s *session) untouched(p string, since uint64) bool {
	return s.touched[p] <= since && s.floor <= since
}

// listNow asks the server for a collection's content and the rights there.
func (s *session) listNow(ctx context.Context, coll string) (*listing, error) {
	when := s.clock()
	entries, self, err := s.client.ListRated(ctx, coll)
	if err != nil && (!isNotFound(err) || !s.isVeiled(coll)) {
		return nil, err
	}
	l := &listing{when: when, entries: make(map[string]known, len(entries)), self: self}
	for _, e := range entries {
		name := path.Base(e.Path)
		if !hidden(name) {
			l.entries[name] = known{Entry: e.Entry, level: e.Level}
		}
	}
	s.addStandard(coll, l.entries)
	return l, nil
}

func (s *session) dropOldest() {
	var oldest string
	var when time.Time
	for p, l := range s.listings {
		if oldest == "" || l.when.Before(when) {
			oldest, when = p, l.when
		}
	}
	delete(s.listings, oldest)
}

// names returns a snapshot of a listing.
func (s *session) names(l *listing) map[string]known {
	s.mu.Lock()
	defer s.mu.Unlock()
	snapshot := make(map[string]known, len(l.entries))
	for n, k := range l.entries {
		snapshot[n] = k
	}
	return snapshot
}

// again counts a look-up that the listing did not answer, and tells whether to
// ask for the listing again instead of for the name alone: at once in a folder
// that a program is writing to, else after three of them, and later where a
// listing costs more.
func (l *listing) again() bool {
	l.misses++
	return l.misses > max(3, len(l.entries)/200) || l.altered && len(l.entries) < 1000
}

// stat returns what is at a path; irods.ErrNotFound when nothing is.
func (s *session) stat(ctx context.Context, p string) (known, error) {
	dir, name := path.Split(p)
	dir = path.Clean(dir)
	s.mu.Lock()
	again := false
	if l := s.listings[dir]; l != nil {
		k, ok := l.entries[name]
		if s.clock().Sub(l.when) < freshFor && !k.rough {
			s.mu.Unlock()
			if !ok {
				return known{}, notFound(p)
			}
			return k, nil
		}
		again = !s.wasCollection(p) && l.again()
	}
	if one, ok := s.singles[p]; ok {
		age := s.clock().Sub(one.when)
		if one.found && age < freshFor {
			s.mu.Unlock()
			return one.known, nil
		} else if !one.found && age < negativeFor {
			s.mu.Unlock()
			return known{}, notFound(p)
		}
	}
	s.mu.Unlock()
	if again {
		l, err := s.ask(ctx, dir)
		if err != nil {
			return known{}, err
		}
		s.mu.Lock()
		k, ok := l.entries[name]
		s.mu.Unlock()
		if !ok {
			return known{}, notFound(p)
		}
		return k, nil
	}
	return s.statNow(ctx, p)
}

// has tells whether something is known to be at a path, without asking.
func (s *session) has(p string) bool {
	dir, name := path.Split(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.listings[path.Clean(dir)]
	if l == nil || s.clock().Sub(l.when) >= freshFor {
		return false
	}
	_, ok := l.entries[name]
	return ok
}

func notFound(p string) error {
	return &irods.Error{Op: "stat", Path: p, Class: irods.ErrNotFound, Reason: "there is nothing of that name, or it may not be seen"}
}

// statNow asks the server what is at a path.
func (s *session) statNow(ctx context.Context, p string) (known, error) {
	if hidden(path.Base(p)) {
		return known{}, notFound(p)
	}
	var k known
	var err error
	for i := 1; ; i++ {
		s.mu.Lock()
		seq := s.seq
		s.mu.Unlock()
		k, err = s.query(ctx, p)
		if err != nil && !isNotFound(err) {
			return known{}, err
		}
		s.mu.Lock()
		if s.untouched(p, seq) {
			break
		}
		s.mu.Unlock()
		if i == askTries {
			return k, err
		}
	}
	defer s.mu.Unlock()
	if len(s.singles) >= maxSingles {
		clear(s.singles)
	}
	if err == nil {
		s.singles[p] = single{when: s.clock(), known: k, found: true}
		s.fill(p, k)
	} else {
		s.singles[p] = single{when: s.clock()}
	}
	return k, err
}

// fill puts news about one entry into its folder's listing. The listing keeps
// its age.
func (s *session) fill(p string, k known) {
	dir, name := path.Split(p)
	if l := s.listings[path.Clean(dir)]; l != nil {
		if old, ok := l.entries[name]; ok && (old.rough || old.bare) {
			l.entries[name] = k
		}
	}
}

func (s *session) query(ctx context.Context, p string) (known, error) {
	if k, ok, err := s.lookAgain(ctx, p); ok || err != nil {
		return k, err
	}
	e, err := s.client.StatRated(ctx, p)
	if isNotFound(err) {
		return s.veiled(ctx, p, err)
	}
	return known{Entry: e.Entry, level: e.Level}, err
}
