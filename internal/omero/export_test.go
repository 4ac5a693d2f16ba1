package omero

import (
	"context"
	"time"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// CloseIdle closes everything on the server that is not in use right now.
func (c *Client) CloseIdle(ctx context.Context) { c.closeIdle(ctx, time.Time{}) }

// EndSession ends another session, as an administrator does.
func (c *Client) EndSession(ctx context.Context, key string) error {
	l, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	return c.endSession(ctx, l, key)
}

// Rows counts the rows of a query, which are read page by page as lists are.
func (c *Client) Rows(ctx context.Context, hql string, p map[string]any) (int, error) {
	all, err := c.rows(ctx, hql, p)
	return len(all), err
}

// Page counts the rows of a query that are read at once.
func (c *Client) Page(ctx context.Context, hql string, p map[string]any, limit int) (int, error) {
	all, err := c.page(ctx, hql, p, 0, limit)
	return len(all), err
}

// DecodeRows counts the rows of an answer, which are decoded as those of a
// query are.
func DecodeRows(fields []ice.Field, data []byte) (int, error) {
	rows, _, err := ice.DecodeRows[row](slice.Definitions(), fields, data, plainCells)
	return len(rows), err
}
