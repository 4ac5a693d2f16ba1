package irods

import (
	"context"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Access is one entry of an access list.
type Access struct {
	User, Zone string // or a group
	Level      string // by its name in the catalogue
}

// Inheritance returns the access list that a collection passes on to what is
// made in it, and whether it does so at all. What is made in such a collection
// has that list and nothing else: who made it may have no more than the right
// to write it, and then neither renames nor removes it (db_reg_data_obj_op of
// the server's database plug-in).
func (c *Client) Inheritance(ctx context.Context, coll string) (on bool, list []Access, err error) {
	err = c.withPath(ctx, "read access list", coll, repeatable, func(cn *conn) error {
		on, list = false, nil
		where := []condition{equal(common.ICAT_COLUMN_COLL_NAME, coll)}
		q := &query{zone: zoneOf(coll), where: where, sel: []column{
			common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_COLL_INHERITANCE,
			common.ICAT_COLUMN_COLL_ACCESS_USER_ID, common.ICAT_COLUMN_COLL_ACCESS_NAME,
		}}
		rows, err := q.run(ctx, cn)
		if err != nil {
			return err
		}
		levelOf := map[string]string{}
		var ids []string
		for _, r := range rows {
			if r[0] == coll && r[1] == "1" {
				on = true
				levelOf[r[2]] = r[3]
				ids = append(ids, r[2])
			}
		}
		if !on {
			return nil
		}
		q = &query{zone: zoneOf(coll), where: []condition{anyOf(common.ICAT_COLUMN_USER_ID, ids)}, sel: []column{
			common.ICAT_COLUMN_USER_ID, common.ICAT_COLUMN_USER_NAME, common.ICAT_COLUMN_USER_ZONE,
		}}
		if rows, err = q.run(ctx, cn); err != nil {
			return err
		}
		for _, r := range rows {
			list = append(list, Access{User: r[1], Zone: r[2], Level: levelOf[r[0]]})
		}
		return nil
	})
	return on, list, err
}

// Grant gives rights on a data object or collection of one's own, all of them
// or none, in one request. It needs iRODS 4.2.9.
func (c *Client) Grant(ctx context.Context, path string, list []Access) error {
	type operation struct {
		Entity string `json:"entity_name"`
		Zone   string `json:"zone"`
		Level  string `json:"acl"`
	}
	operations := make([]operation, 0, len(list))
	for _, a := range list {
		operations = append(operations, operation{a.User, a.Zone, a.Level})
	}
	r, err := jsonRequest(atomicACL, map[string]any{"admin_mode": false, "logical_path": path, "operations": operations})
	if err == nil {
		_, err = c.change(ctx, "grant rights", path, repeatable, r)
	}
	return err
}

// atomicACL is ATOMIC_APPLY_ACL_OPERATIONS_APN of the server's API table.
const atomicACL common.APINumber = 20005
