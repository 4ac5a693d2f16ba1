package irods

import (
	"context"
	"slices"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Rated is an entry with what the user may do with it, groups included.
type Rated struct {
	Entry
	Level Level
}

// ListRated returns what the user can see in a collection, by name, with the
// rights there, and the user's level on the collection itself. It costs five
// requests for each four thousand rows, all of them in one round trip; one
// more when there is nothing, as in [Client.List].
func (c *Client) ListRated(ctx context.Context, coll string) (entries []Rated, self Level, err error) {
	err = c.withPath(ctx, "list", coll, repeatable, func(cn *conn) error {
		entries = nil
		rights := []access{accessTo(coll), accessBelow(coll, true), accessBelow(coll, false)}
		id, answers, err := c.runAs(ctx, cn, func(id identity) []*query {
			queries := listQueries(coll)
			for _, a := range rights {
				queries = append(queries, a.queries(id)...)
			}
			return queries
		})
		if err != nil {
			return err
		}
		found := map[string]Level{}
		each := (len(answers) - 2) / len(rights)
		for i, a := range rights {
			a.collect(found, answers[2+i*each:][:each])
		}
		level := func(path string) Level {
			if id.admin {
				return LevelOwn
			}
			return found[path]
		}
		for _, e := range listed(coll, answers) {
			entries = append(entries, Rated{e, level(e.Path)})
		}
		if self = level(coll); len(entries) > 0 || found[coll] > LevelNone {
			return nil
		}
		return checkCollection(ctx, cn, coll)
	})
	return entries, self, err
}

// StatRated describes what is at path, with the user's rights: in two requests
// for a collection and three for a data object, and two round trips.
func (c *Client) StatRated(ctx context.Context, path string) (Rated, error) {
	var r Rated
	err := c.withPath(ctx, "stat", path, repeatable, func(cn *conn) error {
		out, err := objStat(ctx, cn, path)
		if err != nil {
			return err
		}
		r = Rated{Entry: statEntry(path, out), Level: LevelOwn}
		var queries []*query
		a := accessTo(path)
		if !r.IsCollection {
			a = accessOf(path)
			queries = append(queries, replicaQuery(path, out))
		}
		others := len(queries)
		id, answers, err := c.runAs(ctx, cn, func(id identity) []*query { return append(queries[:others:others], a.queries(id)...) })
		if err != nil {
			return err
		}
		if !r.IsCollection {
			r.Entry = bestOf(r.Entry, answers[0])
		}
		if !id.admin {
			found := map[string]Level{}
			a.collect(found, answers[others:])
			r.Level = found[path]
		}
		return nil
	})
	return r, err
}

// CollectionsRated describes those of some collections of one zone that the
// user can see, with the rights there, in two requests and one round trip.
func (c *Client) CollectionsRated(ctx context.Context, paths ...string) ([]Rated, error) {
	var entries []Rated
	err := c.withPath(ctx, "look", paths[0], repeatable, func(cn *conn) error {
		entries = nil
		a := accessTo(paths...)
		id, answers, err := c.runAs(ctx, cn, func(id identity) []*query {
			return append(a.queries(id), &query{
				sel: collectionColumns, zone: a.zone, where: []condition{anyOf(common.ICAT_COLUMN_COLL_NAME, paths)},
			})
		})
		if err != nil {
			return err
		}
		last := len(answers) - 1
		found := map[string]Level{}
		a.collect(found, answers[:last])
		for _, e := range collections(answers[last]) {
			if !slices.Contains(paths, e.Path) {
				continue // a condition may match more, see equal
			}
			level := found[e.Path]
			if id.admin {
				level = LevelOwn
			}
			entries = append(entries, Rated{e, level})
		}
		return nil
	})
	return entries, err
}
