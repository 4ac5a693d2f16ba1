package irodsview

import (
	"errors"
	"path"
	"strings"
	"time"

	"omerods/internal/irods"
)

func isNotFound(err error) bool { return errors.Is(err, irods.ErrNotFound) }

// appeared notes that the session made something at a path.
func (s *session) appeared(k known) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alter(k.Path, func(l *listing, name string) { l.entries[name] = k })
}

// madeEmpty notes that the session made a collection just now, on which it has
// a level.
func (s *session) madeEmpty(coll string, level irods.Level) {
	s.appeared(known{Entry: irods.Entry{Path: coll, IsCollection: true, Modified: s.clock()}, level: level, bare: true})
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listings) >= maxListings {
		s.dropOldest()
	}
	s.listings[coll] = &listing{when: s.clock(), entries: map[string]known{}, self: level}
}

// vanished notes that a path and everything below it is no longer there.
func (s *session) vanished(p string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alter(p, func(l *listing, name string) { delete(l.entries, name) })
	s.dropBelow(p)
}

// changed notes that attributes of a path have changed.
func (s *session) changed(p string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alter(p, func(l *listing, name string) {
		if k, ok := l.entries[name]; ok {
			k.rough, k.sized = true, false
			l.entries[name] = k
		}
	})
}

// dated notes that the session set the modification time of a path.
func (s *session) dated(p string, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alter(p, func(l *listing, name string) {
		if k, ok := l.entries[name]; ok && (!k.rough || k.sized) {
			k.Modified, k.rough, k.sized = time.Unix(t.Unix(), 0), false, false
			l.entries[name] = k
		}
	})
}

// grown notes that the session changed what is in a collection. Its time is
// about now; the next answer of the server has it exactly.
func (s *session) grown(coll string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir, name := path.Split(coll)
	if one, ok := s.singles[coll]; ok && one.found {
		one.known.Modified = s.clock()
		s.singles[coll] = one
	}
	if l := s.listings[path.Clean(dir)]; l != nil {
		if k, ok := l.entries[name]; ok {
			k.Modified = s.clock()
			l.entries[name] = k
		}
	}
}

// moved notes that a path has become another, with all below it.
func (s *session) moved(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	s.floor = s.seq
	for _, q := range s.asking {
		q.void = true
	}
	dir, name := path.Split(from)
	var k known
	found := false
	if l := s.listings[path.Clean(dir)]; l != nil {
		k, found = l.entries[name]
		delete(l.entries, name)
	}
	s.dropBelow(from)
	s.dropBelow(to)
	dir, name = path.Split(to)
	if l := s.listings[path.Clean(dir)]; l != nil {
		if found {
			k.Path = to
			l.entries[name] = k
		} else {
			delete(s.listings, path.Clean(dir))
		}
	}
}

// dropBelow forgets everything at and below a path; the lock is held.
func (s *session) dropBelow(p string) {
	within := func(q string) bool { return q == p || strings.HasPrefix(q, p+"/") }
	for q := range s.listings {
		if within(q) {
			delete(s.listings, q)
		}
	}
	for q := range s.singles {
		if within(q) {
			delete(s.singles, q)
		}
	}
}
