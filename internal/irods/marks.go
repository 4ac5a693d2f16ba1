package irods

import (
	"context"
	"slices"
	"strings"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// under makes a condition "column is the collection or one below it", which
// may match more (see equal).
func under(c column, coll string) condition {
	return condition{c, equal(c, coll).text + " || " + prefixed(c, coll+"/").text}
}

func isUnder(coll, p string) bool { return p == coll || strings.HasPrefix(p, coll+"/") }

// Below returns all data objects in a collection and in those below it, in
// one request for each thousand replicas.
func (c *Client) Below(ctx context.Context, coll string) ([]Entry, error) {
	if err := CheckPath(coll); err != nil {
		return nil, describe(err, "list", coll)
	}
	var entries []Entry
	err := c.with(ctx, "list", coll, repeatable, func(cn *conn) error {
		rows, err := objectQuery(zoneOf(coll), under(common.ICAT_COLUMN_COLL_NAME, coll)).run(ctx, cn)
		entries = slices.DeleteFunc(objects("", rows), func(e Entry) bool { return !isUnder(coll, parentOf(e.Path)) })
		return err
	})
	return entries, err
}

// AVUsBelow returns those metadata of all data objects in a collection and in
// those below it whose names begin with prefix, by path. Objects without any
// are left out.
func (c *Client) AVUsBelow(ctx context.Context, coll, prefix string) (map[string][]AVU, error) {
	if err := CheckPath(coll); err != nil {
		return nil, describe(err, "read metadata", coll)
	}
	var found map[string][]AVU
	err := c.with(ctx, "read metadata", coll, repeatable, func(cn *conn) error {
		found = map[string][]AVU{}
		q := &query{
			zone: zoneOf(coll),
			sel: []column{
				common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_DATA_NAME, common.ICAT_COLUMN_META_DATA_ATTR_NAME,
				common.ICAT_COLUMN_META_DATA_ATTR_VALUE, common.ICAT_COLUMN_META_DATA_ATTR_UNITS,
			},
			where: []condition{
				under(common.ICAT_COLUMN_COLL_NAME, coll), prefixed(common.ICAT_COLUMN_META_DATA_ATTR_NAME, prefix),
			},
		}
		rows, err := q.run(ctx, cn)
		for _, r := range rows {
			if isUnder(coll, r[0]) && strings.HasPrefix(r[2], prefix) {
				p := join(r[0], r[1])
				found[p] = append(found[p], AVU{r[2], r[3], r[4]})
			}
		}
		return err
	})
	for _, avus := range found {
		sortAVUs(avus)
	}
	return found, err
}

// Marked returns the collections and data objects of the zone that have the
// metadata name with that value.
func (c *Client) Marked(ctx context.Context, name, value string) (collections, objects []string, err error) {
	err = c.with(ctx, "find marks", "", repeatable, func(cn *conn) error {
		collections, objects = nil, nil
		q := &query{
			zone: c.cfg.Zone,
			sel:  []column{common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_META_COLL_ATTR_VALUE},
			where: []condition{
				equal(common.ICAT_COLUMN_META_COLL_ATTR_NAME, name), equal(common.ICAT_COLUMN_META_COLL_ATTR_VALUE, value),
			},
		}
		rows, err := q.run(ctx, cn)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r[1] == value {
				collections = append(collections, r[0])
			}
		}
		q = &query{
			zone: c.cfg.Zone,
			sel:  []column{common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_DATA_NAME, common.ICAT_COLUMN_META_DATA_ATTR_VALUE},
			where: []condition{
				equal(common.ICAT_COLUMN_META_DATA_ATTR_NAME, name), equal(common.ICAT_COLUMN_META_DATA_ATTR_VALUE, value),
			},
		}
		if rows, err = q.run(ctx, cn); err != nil {
			return err
		}
		for _, r := range rows {
			if r[2] == value {
				objects = append(objects, join(r[0], r[1]))
			}
		}
		return nil
	})
	slices.Sort(collections)
	slices.Sort(objects)
	return slices.Compact(collections), slices.Compact(objects), err
}
