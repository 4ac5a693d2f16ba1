package irodsview

import (
	"context"
	"sync"
	"time"

	"omerods/internal/irods"
)

// leftovers are temporary objects whose removal failed: a server keeps an
// object locked until it notices that a connection to it is gone. The removal
// is tried again until it works or the view is closed.
type leftovers struct {
	mu   sync.Mutex // guards the field below
	list []leftover
}

type leftover struct {
	client *irods.Client
	dir    *node // may be renamed meanwhile
	name   string
	next   time.Time // when it is tried again
	pause  time.Duration
}

// leftTick is how often leftovers are looked at, leftPause the longest time
// until the removal of one is tried again.
const (
	leftTick  = time.Second
	leftPause = 5 * time.Minute
)

func (l *leftovers) add(o leftover) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, o)
}

// sweep tries to remove what has waited long enough, or all. A server that hangs does not hold up
// the other work of the house for long.
func (v *View) sweep(ctx context.Context, all bool) {
	ctx, cancel := context.WithTimeout(ctx, silentWait)
	defer cancel()
	l := &v.leftovers
	l.mu.Lock()
	list := l.list
	l.list = nil
	l.mu.Unlock()
	for _, o := range list {
		now := v.cfg.Clock()
		if !all && now.Before(o.next) {
			l.add(o)
			continue
		}
		p := joinPath(o.dir.path(), o.name)
		if err := o.client.Remove(ctx, p, true); err != nil && !isNotFound(err) {
			o.pause = min(max(2*o.pause, leftTick), leftPause)
			o.next = now.Add(o.pause)
			l.add(o)
		}
	}
}

// forgetLeftovers says what stays when the view ends, and whether nothing does.
func (v *View) forgetLeftovers(ctx context.Context) bool {
	v.sweep(ctx, true)
	v.leftovers.mu.Lock()
	defer v.leftovers.mu.Unlock()
	for _, o := range v.leftovers.list {
		v.log.Warn("a temporary object stays until the next start", "path", joinPath(o.dir.path(), o.name))
	}
	return len(v.leftovers.list) == 0
}
