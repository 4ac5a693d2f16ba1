package irods

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// AVU is one metadata triple: attribute, value, units.
type AVU struct {
	Name, Value, Units string
}

// AVUs returns the metadata of a data object or collection, sorted.
func (c *Client) AVUs(ctx context.Context, path string, isCollection bool) ([]AVU, error) {
	if isCollection {
		all, err := c.CollectionAVUs(ctx, []string{path}, "")
		return all[path], err
	}
	var avus []AVU
	err := c.withPath(ctx, "read metadata", path, repeatable, func(cn *conn) error {
		avus = nil
		dir, name := parentOf(path), strings.TrimPrefix(path[strings.LastIndexByte(path, '/'):], "/")
		q := &query{
			zone: zoneOf(path),
			sel: []column{
				common.ICAT_COLUMN_META_DATA_ATTR_NAME, common.ICAT_COLUMN_META_DATA_ATTR_VALUE, common.ICAT_COLUMN_META_DATA_ATTR_UNITS,
				common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_DATA_NAME,
			},
			where: []condition{equal(common.ICAT_COLUMN_COLL_NAME, dir), equal(common.ICAT_COLUMN_DATA_NAME, name)},
		}
		rows, err := q.run(ctx, cn)
		for _, r := range rows {
			if r[3] == dir && r[4] == name {
				avus = append(avus, AVU{r[0], r[1], r[2]})
			}
		}
		return err
	})
	sortAVUs(avus)
	return avus, err
}

func sortAVUs(avus []AVU) {
	slices.SortFunc(avus, func(a, b AVU) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Units, b.Units))
	})
}

// maxAny is how many values one condition may list.
const maxAny = 50

// CollectionAVUs returns those metadata of several collections whose names
// begin with prefix; collections without any are left out. It asks once for
// all of them.
func (c *Client) CollectionAVUs(ctx context.Context, colls []string, prefix string) (map[string][]AVU, error) {
	byZone := map[string][]string{}
	for _, p := range colls {
		if err := CheckPath(p); err != nil {
			return nil, describe(err, "read metadata", p)
		}
		byZone[zoneOf(p)] = append(byZone[zoneOf(p)], p)
	}
	found := map[string][]AVU{}
	for _, zone := range slices.Sorted(maps.Keys(byZone)) {
		for some := range slices.Chunk(byZone[zone], maxAny) {
			q := &query{
				zone: zone,
				sel: []column{
					common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_META_COLL_ATTR_NAME,
					common.ICAT_COLUMN_META_COLL_ATTR_VALUE, common.ICAT_COLUMN_META_COLL_ATTR_UNITS,
				},
				where: []condition{anyOf(common.ICAT_COLUMN_COLL_NAME, some)},
			}
			if prefix != "" {
				q.where = append(q.where, prefixed(common.ICAT_COLUMN_META_COLL_ATTR_NAME, prefix))
			}
			err := c.with(ctx, "read metadata", some[0], repeatable, func(cn *conn) error {
				rows, err := q.run(ctx, cn)
				for _, p := range some {
					delete(found, p)
				}
				for _, r := range rows {
					if slices.Contains(some, r[0]) && strings.HasPrefix(r[1], prefix) {
						found[r[0]] = append(found[r[0]], AVU{r[1], r[2], r[3]})
					}
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	for _, avus := range found {
		sortAVUs(avus)
	}
	return found, nil
}

// ChangeAVUs removes and adds metadata of one data object or collection:
// all of it or, with an error, nothing.
func (c *Client) ChangeAVUs(ctx context.Context, path string, isCollection bool, remove, add []AVU) error {
	if err := CheckPath(path); err != nil {
		return describe(err, "change metadata", path)
	}
	type operation struct {
		Operation string `json:"operation"`
		Attribute string `json:"attribute"`
		Value     string `json:"value"`
		Units     string `json:"units,omitempty"`
	}
	operations := make([]operation, 0, len(remove)+len(add))
	for _, a := range remove {
		operations = append(operations, operation{"remove", a.Name, a.Value, a.Units})
	}
	for _, a := range add {
		if err := CheckAVU(a); err != nil {
			return describe(err, "change metadata", path)
		}
		operations = append(operations, operation{"add", a.Name, a.Value, a.Units})
	}
	if len(operations) == 0 {
		return nil
	}
	kind := "data_object"
	if isCollection {
		kind = "collection"
	}
	r, err := jsonRequest(common.ATOMIC_APPLY_METADATA_OPERATIONS_APN, map[string]any{
		"admin_mode": false, "entity_name": path, "entity_type": kind, "operations": operations,
	})
	if err != nil {
		return describe(errorf(ErrInvalid, "%w", err), "change metadata", path)
	}
	var rep *reply
	err = c.with(ctx, "change metadata", path, repeatable, func(cn *conn) error {
		var err error
		if rep, err = cn.exchange(ctx, r, nil); err == nil && rep.status < 0 {
			e := statusError(rep)
			var why struct {
				Message string `json:"error_message"`
			}
			if decodeJSON(rep.body, &why) == nil && why.Message != "" {
				e.Reason += ": " + why.Message
			}
			cn.rollback(ctx, c.Home())
			return e
		}
		return err
	})
	return err
}

// CheckAVU says why metadata cannot be stored, nil if it can.
func CheckAVU(a AVU) error {
	switch {
	case a.Name == "":
		return errorf(ErrInvalid, "iRODS stores no metadata without a name")
	case a.Value == "":
		return errorf(ErrInvalid, "iRODS stores no empty values (of %s)", a.Name)
	}
	for _, s := range []string{a.Name, a.Value, a.Units} {
		if len(s) > maxAVU {
			return errorf(ErrValueTooLong, "a part of the metadata is %d bytes long, iRODS stores at most %d", len(s), maxAVU)
		}
		if err := checkText("metadata", s); err != nil {
			return err
		}
	}
	return nil
}

// maxAVU is the size of the catalogue's fields for metadata.
const maxAVU = 2700
