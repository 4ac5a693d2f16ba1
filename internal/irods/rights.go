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

// identityFor is how long group memberships are remembered. They change more
// seldom than rights, and asking is a request of its own.
const identityFor = 20 * time.Second

type identityCache struct {
	mu   sync.Mutex
	id   identity
	when time.Time
}

func (c *identityCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.when = time.Time{}
}

// get returns the identity that was asked for last, and whether it is still
// believed.
func (c *identityCache) get() (id identity, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id, len(c.id.ids) > 0 && now().Sub(c.when) < identityFor
}

func (c *identityCache) set(id identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.when = id, now()
}

// whoQuery asks for the user's ids. Everybody is in at least one group, the
// one that is only them.
func (c *Client) whoQuery() *query {
	return &query{
		sel: []column{common.ICAT_COLUMN_USER_ID, common.ICAT_COLUMN_USER_TYPE, common.ICAT_COLUMN_COLL_USER_GROUP_ID},
		where: []condition{
			{common.ICAT_COLUMN_USER_NAME, "= '" + c.cfg.ClientUser + "'"},
			{common.ICAT_COLUMN_USER_ZONE, "= '" + c.cfg.ClientZone + "'"},
		},
	}
}

func identityOf(rows []row) identity {
	var id identity
	for _, r := range rows {
		for _, each := range []string{r[0], r[2]} {
			if !slices.Contains(id.ids, each) {
				id.ids = append(id.ids, each)
			}
		}
		id.admin = id.admin || r[1] == "rodsadmin"
	}
	slices.Sort(id.ids)
	return id
}

// who returns the user's ids, asked for when they are older than that.
func (c *Client) who(ctx context.Context, cn *conn) (identity, error) {
	if id, fresh := c.identity.get(); fresh {
		return id, nil
	}
	rows, err := c.whoQuery().run(ctx, cn)
	if err != nil {
		return identity{}, err
	}
	id := identityOf(rows)
	c.identity.set(id)
	return id, nil
}

// runAs runs queries that depend on who the user is. Whether that is still
// true is asked with them; if not, they are run again.
func (c *Client) runAs(ctx context.Context, cn *conn, queries func(identity) []*query) (identity, [][]row, error) {
	id, fresh := c.identity.get()
	if len(id.ids) == 0 {
		var err error
		if id, err = c.who(ctx, cn); err != nil {
			return id, nil, err
		}
		fresh = true
	}
	for {
		all := queries(id)
		if !fresh {
			all = append(all, c.whoQuery())
		}
		answers, err := runAll(ctx, cn, all...)
		if err != nil || fresh {
			return id, answers, err
		}
		last := len(answers) - 1
		now := identityOf(answers[last])
		c.identity.set(now)
		if now.admin == id.admin && slices.Equal(now.ids, id.ids) {
			return id, answers[:last], nil
		}
		id, fresh = now, true
	}
}

// Rights returns the level of the user, groups included, on one data object
// or collection. It costs one request.
func (c *Client) Rights(ctx context.Context, path string, isCollection bool) (Level, error) {
	level := LevelNone
	err := c.withPath(ctx, "read rights", path, repeatable, func(cn *conn) error {
		a := accessOf(path)
		if isCollection {
			a = accessTo(path)
		}
		id, all, err := c.runAs(ctx, cn, a.queries)
		if err != nil {
			return err
		}
		found := map[string]Level{}
		a.collect(found, all)
		if level = found[path]; id.admin {
			level = LevelOwn
		}
		return nil
	})
	return level, err
}

// access is a question for the rights on some items.
type access struct {
	collections bool
	zone        string
	where       []condition
}

// accessOf asks for one data object, accessTo for one collection, and
// accessBelow for what is in one.
func accessOf(path string) access {
	return access{false, zoneOf(path), []condition{
		equal(common.ICAT_COLUMN_COLL_NAME, parentOf(path)),
		equal(common.ICAT_COLUMN_DATA_NAME, path[strings.LastIndexByte(path, '/')+1:]),
	}}
}

func accessTo(colls ...string) access {
	return access{true, zoneOf(colls[0]), []condition{anyOf(common.ICAT_COLUMN_COLL_NAME, colls)}}
}

func accessBelow(coll string, collections bool) access {
	c := common.ICAT_COLUMN_COLL_NAME
	if collections {
		c = common.ICAT_COLUMN_COLL_PARENT_NAME
	}
	return access{collections, zoneOf(coll), []condition{equal(c, coll)}}
}

// queries select the access entries of the user and their groups; of an
// administrator's rights they do not tell, so there are none.
func (a access) queries(id identity) []*query {
	if id.admin {
		return nil
	}
	sel := []column{common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_DATA_ACCESS_NAME, common.ICAT_COLUMN_DATA_NAME}
	user := common.ICAT_COLUMN_DATA_ACCESS_USER_ID
	if a.collections {
		sel = []column{common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_COLL_ACCESS_NAME}
		user = common.ICAT_COLUMN_COLL_ACCESS_USER_ID
	}
	var queries []*query
	for ids := range slices.Chunk(id.ids, maxAny) {
		queries = append(queries, &query{zone: a.zone, sel: sel, where: append(slices.Clone(a.where), anyOf(user, ids))})
	}
	return queries
}

// collect notes the highest level of each item that the answers tell of.
func (a access) collect(found map[string]Level, answers [][]row) {
	for _, rows := range answers {
		for _, r := range rows {
			at := r[0]
			if !a.collections {
				at = join(r[0], r[2])
			}
			found[at] = max(found[at], parseLevel(r[1]))
		}
	}
}
