package transfer

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"omerods/fs/tree"
)

// Looked is an object in OMERO whose folder somebody has looked up.
type Looked struct {
	Kind      string
	ID, Group int64
}

const (
	lookedFor = 30 * time.Second // how long ago is just now
	maxLooks  = 1000
)

// Looks remembers for a moment which objects' folders a command has looked up:
// a copying program does that with its source before it makes the folder of
// that name.
type Looks struct {
	now func() time.Time

	mu   sync.Mutex // guards the field below
	list []look     // the latest last
}

type look struct {
	Looked
	uid   uint32
	group int // of processes: rsync's several are one command
	name  string
	when  time.Time
}

// NewLooks returns an empty memory.
func NewLooks(now func() time.Time) *Looks { return &Looks{now: now} }

// Note remembers that the caller has looked up the folder of an object.
func (l *Looks) Note(ctx context.Context, name string, o Looked) {
	c, group := command(ctx)
	if group == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) >= maxLooks {
		l.list = append(l.list[:0], l.list[maxLooks/2:]...)
	}
	l.list = append(l.list, look{Looked: o, uid: c.UID, group: group, name: name, when: l.now()})
}

// Find returns the object whose folder of that name the caller has just looked
// up; ok is false when there is none, or more than one.
func (l *Looks) Find(ctx context.Context, name string) (found Looked, ok bool) {
	c, group := command(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.list {
		if group == 0 || k.group != group || k.uid != c.UID || k.name != name || l.now().Sub(k.when) > lookedFor {
			continue
		}
		if ok && k.Looked != found {
			return Looked{}, false
		}
		found, ok = k.Looked, true
	}
	return found, ok
}

// command returns the caller and the group of its processes, 0 when that
// cannot be seen.
func command(ctx context.Context) (tree.Caller, int) {
	c, ok := tree.CallerFrom(ctx)
	if !ok || c.TID == 0 {
		return c, 0
	}
	group, err := unix.Getpgid(int(c.TID))
	if err != nil {
		return c, 0
	}
	return c, group
}
