package irodsview

import (
	"context"
	"path"
	"slices"

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

// lookAtTop asks about all collections at the top of the zone at once: who
// goes to one goes through others.
func (s *session) lookAtTop(ctx context.Context) error {
	z := "/" + s.client.Zone()
	all := append(standards(s.client), s.client.Home(), z+"/home/public")
	when := s.clock()
	found, err := s.client.CollectionsRated(ctx, all...)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range standards(s.client) {
		s.singles[p] = single{when: when, known: veiledCollection(p), found: true}
	}
	for _, e := range found {
		s.singles[e.Path] = single{when: when, known: known{Entry: e.Entry, level: e.Level}, found: true}
	}
	return nil
}
