package irods

import (
	"context"
	"strconv"
	"strings"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Space is room in bytes; a zero Total means unknown.
type Space struct {
	Total, Free uint64
}

// Space returns the room that the user has: what their quota leaves, else the
// free space that the resource for new data states. Many servers state none.
func (c *Client) Space(ctx context.Context) (Space, error) {
	var s Space
	err := c.with(ctx, "ask for space", "", repeatable, func(cn *conn) error {
		var err error
		if s, err = c.quota(ctx, cn); err != nil || s.Total > 0 {
			return err
		}
		q := &query{sel: []column{common.ICAT_COLUMN_R_FREE_SPACE, common.ICAT_COLUMN_R_RESC_NAME}}
		if c.cfg.Resource != "" {
			q.where = []condition{equal(common.ICAT_COLUMN_R_RESC_NAME, c.cfg.Resource)}
		}
		rows, err := q.run(ctx, cn)
		for _, r := range rows {
			if free, err := strconv.ParseUint(strings.TrimSpace(r[0]), 10, 64); err == nil && free > s.Free {
				s = Space{Total: free, Free: free}
			}
		}
		return err
	})
	return s, err
}

// quota returns the tightest quota of the user and of the groups they are in;
// since iRODS 4.3 only groups get any. The catalogue keeps limits, how far each
// is exceeded, and what each user has on each resource; the last two are as of
// the time when the administrator last let them be computed.
func (c *Client) quota(ctx context.Context, cn *conn) (Space, error) {
	id, err := c.who(ctx, cn)
	if err != nil {
		return Space{}, err
	}
	limits := &query{where: []condition{anyOf(common.ICAT_COLUMN_QUOTA_USER_ID, id.ids)}, sel: []column{
		common.ICAT_COLUMN_QUOTA_LIMIT, common.ICAT_COLUMN_QUOTA_RESC_ID, common.ICAT_COLUMN_QUOTA_OVER,
	}}
	rows, err := limits.run(ctx, cn)
	if err != nil || len(rows) == 0 {
		return Space{}, err
	}
	used := map[string]int64{} // by resource; "0" is all together
	usage := &query{where: []condition{anyOf(common.ICAT_COLUMN_QUOTA_USAGE_USER_ID, id.ids)}, sel: []column{
		common.ICAT_COLUMN_QUOTA_USAGE, common.ICAT_COLUMN_QUOTA_USAGE_RESC_ID,
	}}
	uses, err := usage.run(ctx, cn)
	if err != nil {
		return Space{}, err
	}
	for _, r := range uses {
		used[r[1]] += parseInt(r[0])
		if r[1] != "0" {
			used["0"] += parseInt(r[0])
		}
	}
	var s Space
	for _, r := range rows {
		limit, over := parseInt(r[0]), parseInt(r[2])
		if limit <= 0 {
			continue
		}
		// What the others of a group have is in how far it is exceeded only.
		left := limit - used[r[1]]
		if over != 0 {
			left = min(left, -over)
		}
		if free := uint64(max(0, left)); s.Total == 0 || free < s.Free {
			s = Space{Total: uint64(limit), Free: free}
		}
	}
	return s, nil
}
