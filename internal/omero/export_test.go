package omero

import (
	"context"
	"time"
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
