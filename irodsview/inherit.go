package irodsview

import (
	"context"
	"slices"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// Collections that pass their rights on, as those of groups do: what is made in
// one has the collection's rights and nothing else, so whoever may only write
// there can neither rename nor remove it. Content is therefore stored in the
// home of the user, who owns it there, is given the rights of the collection,
// and then moved.

// passed is the access list that a collection passes on to what is made in it,
// empty if it does not.
type passed struct {
	when time.Time
	list []irods.Access
}

// passedOn returns that list without the user's own entry.
func (s *session) passedOn(ctx context.Context, coll string) ([]irods.Access, error) {
	s.mu.Lock()
	p, ok := s.passed[coll]
	s.mu.Unlock()
	if ok && s.clock().Sub(p.when) < freshFor {
		return p.list, nil
	}
	_, list, err := s.client.Inheritance(ctx, coll)
	if err != nil {
		return nil, err
	}
	user, zone := s.client.User()
	list = slices.DeleteFunc(list, func(a irods.Access) bool { return a.User == user && a.Zone == zone })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.passed == nil || len(s.passed) > maxPassed {
		s.passed = map[string]passed{}
	}
	s.passed[coll] = passed{s.clock(), list}
	return list, nil
}

// levelBelow is what the user has on what they make in a collection.
func (s *session) levelBelow(ctx context.Context, coll string) irods.Level {
	l, err := s.rights(ctx, coll)
	if err != nil || l < irods.LevelCreate || l >= irods.LevelOwn {
		return irods.LevelOwn
	}
	if list, err := s.passedOn(ctx, coll); err == nil && len(list) == 0 {
		return irods.LevelOwn
	}
	return l
}

// maxPassed bounds the collections that are remembered.
const maxPassed = 1000

// staging returns the folder of the temporary object for content of a folder.
func (d *draft) staging(ctx context.Context, dir *node) *node {
	home := func() *node { return d.view.nodes.at(d.s.client.Home(), tree.KindDir) }
	if l, err := d.s.rights(ctx, dir.path()); err == nil && l < irods.LevelCreate {
		return home()
	}
	if d.s.levelBelow(ctx, dir.path()) < irods.LevelOwn {
		return home()
	}
	return dir
}

// passOn gives content that was stored elsewhere the rights that it would have
// if it had been made in its folder.
func (d *draft) passOn(ctx context.Context) error {
	dir := d.node.up()
	if d.tmpDir == dir {
		return nil
	}
	list, err := d.s.passedOn(ctx, dir.path())
	if err != nil || len(list) == 0 {
		return err
	}
	return d.s.client.Grant(ctx, d.tmpPath(), list)
}
