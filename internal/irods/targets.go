package irods

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Target is a collection that the user may make collections and data objects
// in, and in what is below it unless the rights there differ.
type Target struct {
	Path string
	Own  bool // the user may also give rights to others
}

// Targets are where a user may write. Collections below another one of them
// are left out.
type Targets struct {
	All []Target
	// Cut says that there are more than were looked at.
	Cut bool
}

const (
	// targetsFor is how long they are remembered: a program that is refused
	// one folder often asks for the next at once.
	targetsFor = 10 * time.Second
	// maxTargetRows bounds what is read of the catalogue.
	maxTargetRows = 5 * pageRows
	// maxConditions bounds the conditions of a query; iRODS takes 50.
	maxConditions = 40
)

type targetsCache struct {
	mu    sync.Mutex
	found Targets
	when  time.Time
}

// Targets finds the collections that the user may write to, by their own
// rights and by those of their groups: in two queries, unless there are more
// than a thousand entries. What an administrator may do besides is not in it.
func (c *Client) Targets(ctx context.Context) (Targets, error) {
	cache := &c.targets
	cache.mu.Lock()
	found, when := cache.found, cache.when
	cache.mu.Unlock()
	if !when.IsZero() && now().Sub(when) < targetsFor {
		return found, nil
	}
	err := c.with(ctx, "look for collections to write to", "", repeatable, func(cn *conn) error {
		id, err := c.who(ctx, cn)
		if err != nil {
			return err
		}
		// What is right below home is near the top, so that what is below
		// that need not be read.
		found, err = c.writable(ctx, cn, id, []condition{equal(common.ICAT_COLUMN_COLL_PARENT_NAME, "/"+c.cfg.Zone+"/home")}, 0)
		if err != nil {
			return err
		}
		where := []condition{
			notBelow("/" + c.cfg.Zone + "/trash"),
			{common.ICAT_COLUMN_COLL_NAME, "not like '/" + c.cfg.Zone + "/trash'"},
		}
		for _, t := range found.All {
			if len(where) == maxConditions {
				break
			}
			where = append(where, notBelow(t.Path))
		}
		rest, err := c.writable(ctx, cn, id, where, maxTargetRows)
		found = Targets{All: topmost(append(found.All, rest.All...)), Cut: rest.Cut}
		return err
	})
	if err != nil {
		return Targets{}, err
	}
	cache.mu.Lock()
	cache.found, cache.when = found, now()
	cache.mu.Unlock()
	return found, nil
}

func notBelow(path string) condition {
	return condition{common.ICAT_COLUMN_COLL_NAME, "not like '" + hard.Replace(path) + "/%'"}
}

// writable runs one query for collections with a right to write.
func (c *Client) writable(ctx context.Context, cn *conn, id identity, where []condition, limit int) (Targets, error) {
	var names []string
	for name, l := range levels {
		if l >= LevelCreate {
			names = append(names, name, strings.ReplaceAll(name, "_", " ")) // as before 4.3
		}
	}
	slices.Sort(names)
	var t Targets
	for ids := range slices.Chunk(id.ids, maxAny) {
		q := &query{
			sel: []column{common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_COLL_ACCESS_NAME}, zone: c.cfg.Zone, limit: limit,
			where: append(slices.Clone(where), anyOf(common.ICAT_COLUMN_COLL_ACCESS_USER_ID, ids), anyOf(common.ICAT_COLUMN_COLL_ACCESS_NAME, slices.Compact(names))),
		}
		rows, err := q.run(ctx, cn)
		if err != nil {
			return t, err
		}
		t.Cut = t.Cut || limit > 0 && len(rows) == limit
		for _, r := range rows {
			if l := parseLevel(r[1]); l >= LevelCreate && r[0] != "/" {
				t.All = append(t.All, Target{Path: r[0], Own: l == LevelOwn})
			}
		}
	}
	return t, nil
}

// topmost drops what is below another one, and the weaker of two entries of
// one path.
func topmost(all []Target) []Target {
	slices.SortFunc(all, func(a, b Target) int {
		if a.Path == b.Path && a.Own != b.Own {
			if a.Own {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Path+"/", b.Path+"/")
	})
	var out []Target
	for _, t := range all {
		if n := len(out); n > 0 && strings.HasPrefix(t.Path+"/", out[n-1].Path+"/") {
			continue
		}
		out = append(out, t)
	}
	return out
}

// Near sorts the targets by how far they are from a path: how many steps up
// and down lead there.
func (t Targets) Near(path string) []Target {
	out := slices.Clone(t.All)
	slices.SortStableFunc(out, func(a, b Target) int {
		return cmp.Or(cmp.Compare(Steps(path, a.Path), Steps(path, b.Path)), strings.Compare(a.Path, b.Path))
	})
	return out
}

// Steps counts the steps up and down from one path to another.
func Steps(from, to string) int {
	a, b := strings.Split(strings.Trim(from, "/"), "/"), strings.Split(strings.Trim(to, "/"), "/")
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	return len(a) + len(b) - 2*same
}
