package irodsview

import (
	"context"
	"errors"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// patience returns a context that ends when the server has taken too long for
// a call in which it works through a data object. what says what it has not
// done, for whoever waits for the close of a file.
func patience(ctx context.Context, c *irods.Client, what, p string, bytes int64) (context.Context, context.CancelFunc) {
	most := c.WorkTime(bytes)
	return context.WithTimeoutCause(ctx, most, tree.Errorf(tree.ErrOffline,
		"%s: the iRODS server has not %s of %d bytes within %s", p, what, bytes, most.Round(time.Second)).
		WithAdvice("It hangs or is overloaded: ask its administrator, and copy the file again."))
}

// checksum lets the server compute and register the checksum of an object.
func checksum(ctx context.Context, c *irods.Client, p string, bytes int64) (string, error) {
	ctx, cancel := patience(ctx, c, "computed the checksum", p, bytes)
	defer cancel()
	return c.Checksum(ctx, p, true)
}

// copyInside lets the server copy an object.
func copyInside(ctx context.Context, c *irods.Client, from, to string, replace bool, bytes int64) error {
	ctx, cancel := patience(ctx, c, "made the copy", from, bytes)
	defer cancel()
	return c.Copy(ctx, from, to, replace)
}

// silent tells whether a call failed because the server did not answer in
// time; to try it again would take as long.
func silent(err error) bool {
	var told *tree.Error
	return errors.As(err, &told) && errors.Is(told.Class, tree.ErrOffline)
}

// silentWait is how long a server that has been silent is given to remove a
// temporary object, before that is left for later.
const silentWait = 10 * time.Second
