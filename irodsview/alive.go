package irodsview

import (
	"context"
	"time"

	"omerods/fs/tree"
	"omerods/internal/task"
)

// cutOff tells whether the task that makes the request is being killed. Its
// descriptors are closed then like any others.
func cutOff(ctx context.Context) bool {
	caller, ok := tree.CallerFrom(ctx)
	return ok && task.Killed(caller.TID)
}

// aliveTick is how often an interrupted caller is looked at.
const aliveTick = 100 * time.Millisecond

// whileAlive returns a context that goes on when the caller is interrupted by
// a signal it handles, and ends with [tree.ErrCutOff] when it is being killed.
// A limit other than zero ends it too. The returned function frees it.
func whileAlive(ctx context.Context, limit time.Duration) (context.Context, func()) {
	caller, _ := tree.CallerFrom(ctx)
	out, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var stopLimit context.CancelFunc = func() {}
	if limit > 0 {
		out, stopLimit = context.WithTimeout(out, limit)
	}
	done := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		tick := time.NewTicker(aliveTick)
		defer tick.Stop()
		for caller.TID != 0 {
			if task.Dying(caller.TID) {
				cancel(tree.ErrCutOff)
				return
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return out, func() {
		close(done)
		<-watching
		stopLimit()
		cancel(nil)
	}
}
