package irodsview

import (
	"context"
	"path"
	"slices"
	"strings"

	"omerods/internal/irods"
)

// isVeiled tells whether a collection was found to be there although it
// cannot be seen itself.
func (s *session) isVeiled(coll string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return standard(s.client, coll) || s.singles[coll].known.virtual
}

// addStandard adds the collections that every zone has to their folder's
// listing.
func (s *session) addStandard(coll string, entries map[string]known) {
	for _, name := range []string{"home", "trash"} {
		p := path.Join(coll, name)
		if _, ok := entries[name]; !ok && standard(s.client, p) {
			entries[name] = veiledCollection(p)
		}
	}
}

func veiledCollection(p string) known {
	return known{Entry: irods.Entry{Path: p, IsCollection: true}, level: irods.LevelRead, virtual: true}
}

// veiled looks whether a collection that cannot be seen has something below
// it that can: strict servers do not show /zone/home to the users who live in
// it. err is the answer otherwise.
func (s *session) veiled(ctx context.Context, p string, err error) (known, error) {
	// Where the folder above can be seen, what is not there is not veiled.
	if !s.isVeiled(path.Dir(p)) {
		return known{}, err
	}
	visible, verr := s.client.Visible(ctx, p)
	switch {
	case verr != nil:
		return known{}, verr
	case visible:
		return veiledCollection(p), nil
	}
	return known{}, err
}

// standard tells collections that every zone has.
func standard(c *irods.Client, p string) bool { return slices.Contains(standards(c), p) }

func standards(c *irods.Client) []string {
	z := "/" + c.Zone()
	return []string{z, z + "/home", z + "/trash", z + "/trash/home"}
}

// wasCollection tells whether there was a collection at a path when it was
// asked for; the lock is held.
func (s *session) wasCollection(p string) bool {
	k := s.singles[p].known
	dir, name := path.Split(p)
	if l := s.listings[path.Clean(dir)]; l != nil && !k.IsCollection {
		k = l.entries[name]
	}
	return k.IsCollection && !k.virtual
}

// maxAgain and maxAgainBytes bound how many collections are asked about at
// once: iRODS takes 2,175 bytes of one condition (MAX_NAME_LEN * 2 in its
// general_query.cpp) and answers a longer one with USER_STRLEN_TOOLONG.
const (
	maxAgain      = 30
	maxAgainBytes = 2000
)

// againBytes is what paths take in a condition.
func againBytes(paths ...string) (n int) {
	for _, p := range paths {
		n += len(p) + len(" || like ''")
	}
	return n
}

// lookAgain asks about a collection that every zone has, or that was there
// when it was asked for before, and about others of that kind with it: who
// goes to one goes through those above it, and comes again. ok is false for
// what may be something else.
func (s *session) lookAgain(ctx context.Context, p string) (k known, ok bool, err error) {
	when := s.clock()
	top := standards(s.client)
	s.mu.Lock()
	if !slices.Contains(top, p) && !s.wasCollection(p) {
		s.mu.Unlock()
		return known{}, false, nil
	}
	seq := s.seq
	ask := append(top, s.client.Home(), top[1]+"/public")
	if !slices.Contains(ask, p) {
		ask = append(ask, p)
	}
	for q, one := range s.singles {
		old := when.Sub(one.when)
		if len(ask) < maxAgain && againBytes(ask...)+againBytes(q) <= maxAgainBytes && one.known.IsCollection && !one.known.virtual && old > freshFor/2 && old < 4*freshFor && !slices.Contains(ask, q) {
			ask = append(ask, q)
		}
	}
	s.mu.Unlock()
	zone := top[0]
	ask = slices.DeleteFunc(ask, func(q string) bool { return q != zone && !strings.HasPrefix(q, zone+"/") })
	if !slices.Contains(ask, p) {
		return known{}, false, nil // of another zone
	}
	found, err := s.client.CollectionsRated(ctx, ask...)
	if err != nil {
		return known{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	news := map[string]known{}
	for _, q := range top[:len(standards(s.client))] {
		news[q] = veiledCollection(q)
	}
	for _, e := range found {
		news[e.Path] = known{Entry: e.Entry, level: e.Level}
	}
	for _, q := range ask {
		n, there := news[q]
		switch {
		case !s.untouched(q, seq):
		case there:
			s.singles[q] = single{when: when, known: n, found: true}
		default:
			delete(s.singles, q)
		}
	}
	k, ok = news[p]
	return k, ok, nil
}
