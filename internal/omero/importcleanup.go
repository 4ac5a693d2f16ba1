package omero

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// cleanupTime bounds what is done after a failure.
const cleanupTime = 2 * time.Minute

// forget removes what an import that failed to begin has left: the server may
// have registered the fileset without anybody learning of it. It returns why
// the import failed, and why something may still be there.
func (c *Client) forget(ctx context.Context, key string, why error) error {
	var e *Error
	if !errors.As(why, &e) && ctx.Err() == nil {
		return why
	}
	if e != nil && !e.Unsure && e.Class != Offline && ctx.Err() == nil {
		return why // the server has refused it
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	ids, err := c.FilesetsByInfo(ctx, importKey, key)
	if err == nil && len(ids) > 0 {
		err = c.deleteFilesets(ctx, ids)
	}
	if err != nil {
		return errors.Join(why, fmt.Errorf("a fileset without images may be left: %w", err))
	}
	return why
}

// deleteFilesets deletes filesets and the plates that came of them, without
// which their images do not go. It tries once more when the connection breaks
// meanwhile: an id is never given to another object.
func (c *Client) deleteFilesets(ctx context.Context, ids []int64) error {
	for try := 1; ; try++ {
		plates, _, err := c.PlatesOfFilesets(ctx, ids)
		if err == nil {
			_, err = c.Delete(ctx, map[Kind][]int64{KindFileset: ids, KindPlate: plates}, DeleteOptions{})
		}
		if errors.Is(err, NotFound) {
			return nil
		}
		if !errors.Is(err, Offline) || try == 3 {
			return err
		}
		if left, err := c.Filesets(ctx, ids); err == nil && len(left) == 0 {
			return nil
		}
	}
}

// UnfinishedFilesets lists the filesets of an owner that have no images: what
// is left of imports that did not end. Those registered after a time are left
// out, for they may still be under way.
func (c *Client) UnfinishedFilesets(ctx context.Context, owner int64, before time.Time) ([]int64, error) {
	rows, err := c.rows(ctx, `select s.id from Fileset s where s.details.owner.id = :uid and s.details.creationEvent.time < :before `+
		`and not exists (select i.id from Image i where i.fileset = s) order by s.id`, params{"uid": owner, "before": before})
	if err != nil {
		return nil, fmt.Errorf("unfinished filesets: %w", err)
	}
	ids := make([]int64, len(rows))
	for n, r := range rows {
		ids[n] = r.id(0)
	}
	return ids, nil
}
