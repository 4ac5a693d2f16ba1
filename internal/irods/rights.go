package irods

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Level is what a user may do with a data object or collection; a higher one
// includes the lower ones.
type Level int

// The levels that matter here. The finer ones of iRODS 4.3 lie between them.
const (
	LevelNone Level = iota
	LevelReadMetadata
	LevelRead
	LevelModifyMetadata
	LevelCreate // new data objects and collections in a collection
	LevelWrite
	LevelOwn
)

// levels are the names of the access levels, old and new.
var levels = map[string]Level{
	"null": LevelNone, "execute": LevelNone, "read_annotation": LevelReadMetadata,
	"read_system_metadata": LevelReadMetadata, "read_metadata": LevelReadMetadata,
	"read_object": LevelRead, "write_annotation": LevelRead, "create_metadata": LevelRead,
	"modify_metadata": LevelModifyMetadata, "delete_metadata": LevelModifyMetadata,
	"administer_object": LevelModifyMetadata, "create_object": LevelCreate,
	"modify_object": LevelWrite, "delete_object": LevelWrite, "create_token": LevelWrite,
	"delete_token": LevelWrite, "curate": LevelWrite, "own": LevelOwn,
}

func parseLevel(name string) Level {
	return levels[strings.ReplaceAll(strings.TrimSpace(name), " ", "_")]
}

// identity are the catalogue's ids of a user and of all groups they are in,
// by which access is recorded.
type identity struct {
	ids   []string
	admin bool
}

// identityFor is how long group memberships are remembered.
const identityFor = time.Minute

type identityCache struct {
	mu   sync.Mutex
	id   identity
	when time.Time
}

// who returns the user's ids.
func (c *Client) who(ctx context.Context, cn *conn) (identity, error) {
	cache := &c.identity
	cache.mu.Lock()
	id, when := cache.id, cache.when
	cache.mu.Unlock()
	if len(id.ids) > 0 && now().Sub(when) < identityFor {
		return id, nil
	}
	me := []condition{
		{common.ICAT_COLUMN_USER_NAME, "= '" + c.cfg.ClientUser + "'"},
		{common.ICAT_COLUMN_USER_ZONE, "= '" + c.cfg.ClientZone + "'"},
	}
	q := &query{sel: []column{common.ICAT_COLUMN_USER_ID, common.ICAT_COLUMN_USER_TYPE}, where: me}
	rows, err := q.run(ctx, cn)
	if err != nil {
		return identity{}, err
	}
	id = identity{}
	for _, r := range rows {
		id.ids = append(id.ids, r[0])
		id.admin = id.admin || r[1] == "rodsadmin"
	}
	q = &query{sel: []column{common.ICAT_COLUMN_COLL_USER_GROUP_ID}, where: me}
	if rows, err = q.run(ctx, cn); err != nil {
		return identity{}, err
	}
	for _, r := range rows {
		if !slices.Contains(id.ids, r[0]) {
			id.ids = append(id.ids, r[0])
		}
	}
	cache.mu.Lock()
	cache.id, cache.when = id, now()
	cache.mu.Unlock()
	return id, nil
}

// IsAdmin tells whether the user is a rodsadmin, whose rights the access
// lists do not tell.
func (c *Client) IsAdmin(ctx context.Context) (bool, error) {
	admin := false
	err := c.with(ctx, "look up user", "", repeatable, func(cn *conn) error {
		id, err := c.who(ctx, cn)
		admin = id.admin
		return err
	})
	return admin, err
}

// Rights returns the level of the user, groups included, on one data object
// or collection.
func (c *Client) Rights(ctx context.Context, path string, isCollection bool) (Level, error) {
	level := LevelNone
	err := c.withPath(ctx, "read rights", path, repeatable, func(cn *conn) error {
		level = LevelNone
		var where []condition
		if isCollection {
			where = []condition{equal(common.ICAT_COLUMN_COLL_NAME, path)}
		} else {
			where = []condition{
				equal(common.ICAT_COLUMN_COLL_NAME, parentOf(path)),
				equal(common.ICAT_COLUMN_DATA_NAME, path[strings.LastIndexByte(path, '/')+1:]),
			}
		}
		return c.rights(ctx, cn, zoneOf(path), isCollection, where, func(p string, l Level) {
			if p == path {
				level = max(level, l)
			}
		})
	})
	return level, err
}

// ListRights returns the levels of the user on the collection and on all that
// is in it, by path; what is missing has none. It costs three requests for
// each thousand entries.
func (c *Client) ListRights(ctx context.Context, coll string) (map[string]Level, error) {
	found := map[string]Level{}
	err := c.withPath(ctx, "read rights", coll, repeatable, func(cn *conn) error {
		clear(found)
		add := func(p string, l Level) { found[p] = max(found[p], l) }
		self := []condition{equal(common.ICAT_COLUMN_COLL_NAME, coll)}
		for _, part := range []struct {
			collections bool
			where       []condition
		}{
			{true, self},
			{true, []condition{equal(common.ICAT_COLUMN_COLL_PARENT_NAME, coll)}},
			{false, self},
		} {
			if err := c.rights(ctx, cn, zoneOf(coll), part.collections, part.where, add); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// rights asks for the access entries of the user and their groups.
func (c *Client) rights(ctx context.Context, cn *conn, zone string, collections bool, where []condition, add func(string, Level)) error {
	id, err := c.who(ctx, cn)
	if err != nil || len(id.ids) == 0 {
		return err
	}
	q := &query{zone: zone, where: slices.Clone(where)}
	var user column
	if collections {
		q.sel = []column{common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_COLL_ACCESS_NAME}
		user = common.ICAT_COLUMN_COLL_ACCESS_USER_ID
	} else {
		q.sel = []column{common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_DATA_ACCESS_NAME, common.ICAT_COLUMN_DATA_NAME}
		user = common.ICAT_COLUMN_DATA_ACCESS_USER_ID
	}
	for ids := range slices.Chunk(id.ids, maxAny) {
		p := *q
		p.where = append(slices.Clone(q.where), anyOf(user, ids))
		rows, err := p.run(ctx, cn)
		if err != nil {
			return err
		}
		for _, r := range rows {
			at := r[0]
			if !collections {
				at = join(r[0], r[2])
			}
			add(at, parseLevel(r[1]))
		}
	}
	return nil
}
