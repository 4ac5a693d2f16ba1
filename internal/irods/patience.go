package irods

import (
	"context"
	"time"
)

// workRate is the least that is expected of a server which works through the
// bytes of a data object, in bytes per second.
const workRate = 16 << 20

// WorkTime is how long a server may take for a call in which it works through
// so many bytes: to compute a checksum, to copy. It gives no sign of life
// meanwhile, so nothing but the time tells a slow one from one that hangs.
func (c *Client) WorkTime(bytes int64) time.Duration { return workTime(2*c.cfg.Timeout, bytes) }

func workTime(least time.Duration, bytes int64) time.Duration {
	return least + time.Duration(bytes/workRate)*time.Second
}

// wait is how long the answer to a request may take. For calls that may take
// long the caller's deadline counts, where it is later than ours.
func (c *conn) wait(ctx context.Context, r *request) time.Duration {
	if !r.slow {
		return c.timeout
	}
	if end, ok := ctx.Deadline(); ok {
		return max(c.slowTimeout, end.Sub(now())+time.Second)
	}
	return c.slowTimeout
}
