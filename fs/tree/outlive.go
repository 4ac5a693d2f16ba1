package tree

import (
	"context"
	"time"
)

// InterruptGrace is how long a change that a server makes with one answer goes
// on after its program was interrupted or killed. Giving it up would not undo
// it: it would happen a moment later, under the eyes of the next program.
// People can still leave a server that does not answer.
const InterruptGrace = 5 * time.Second

// Outlive returns a context that ends d after ctx.
func Outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(d):
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel() }
}
