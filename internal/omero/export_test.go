package omero

import (
	"context"
	"time"
)

// CloseIdle closes everything on the server that is not in use right now.
func (c *Client) CloseIdle(ctx context.Context) { c.closeIdle(ctx, time.Time{}) }
