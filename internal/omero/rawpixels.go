package omero

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"omerods/internal/ice"
)

const pixelStoreInterface = "::omero::api::RawPixelsStore"

// RemotePixels reads the pixels of an image. It may be used by many
// goroutines; their reads follow each other.
type RemotePixels struct {
	c     *Client
	id    int64
	group int64

	turn chan struct{} // holds one token; the owner may use the store

	mu    sync.Mutex // guards the fields below
	store *ice.Proxy
	link  *link
	used  time.Time
}

// OpenPixels opens pixels by their id.
func (c *Client) OpenPixels(p Pixels) *RemotePixels {
	r := &RemotePixels{c: c, id: p.ID, group: p.Group, turn: make(chan struct{}, 1)}
	if r.group == 0 {
		r.group = AllGroups
	}
	c.register(r)
	return r
}

// Tile reads w by h pixels from x, y of one plane: rows from top to bottom,
// numbers in big-endian order.
func (r *RemotePixels) Tile(ctx context.Context, z, ch, t, x, y, w, h int) ([]byte, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx = InGroup(ctx, r.group)
	for try := 1; ; try++ {
		l, err := r.c.acquire(ctx)
		if err != nil {
			return nil, fmt.Errorf("read pixels %d: %w", r.id, err)
		}
		data, err := r.tile(ctx, l, z, ch, t, x, y, w, h)
		if err == nil {
			return data, nil
		}
		var gone *ice.RequestFailedError
		if try >= linkTries || ctx.Err() != nil || !errors.Is(err, Offline) && !errors.As(err, &gone) {
			return nil, fmt.Errorf("read pixels %d: %w", r.id, err)
		}
		r.mu.Lock()
		r.store, r.link = nil, nil
		r.mu.Unlock()
	}
}

// tile is called by the owner of the turn. A store is opened over l.
func (r *RemotePixels) tile(ctx context.Context, l *link, z, ch, t, x, y, w, h int) ([]byte, error) {
	r.mu.Lock()
	store := r.store
	if store != nil && r.link.alive() {
		l = r.link
	} else {
		store = nil
	}
	r.used = r.c.now()
	r.mu.Unlock()
	if store == nil {
		var err error
		if store, err = l.open(ctx, "createRawPixelsStore"); err != nil {
			return nil, wrap("open pixels", err)
		}
		if _, err := r.c.on(ctx, l, store, pixelStoreInterface, "setPixelsId", r.id, false); err != nil {
			r.c.closeProxy(ctx, l, store, pixelStoreInterface)
			return nil, err
		}
		r.mu.Lock()
		r.store, r.link = store, l
		r.mu.Unlock()
	}
	res, err := r.c.on(ctx, l, store, pixelStoreInterface, "getTile", int32(z), int32(ch), int32(t), int32(x), int32(y), int32(w), int32(h))
	return result[[]byte]("getTile", res, err)
}

// closeIdle closes the store on the server when it was last used before a time.
func (r *RemotePixels) closeIdle(ctx context.Context, before time.Time) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
		r.closeStore(ctx, before)
	default: // in use
	}
}

// closeStore is closeIdle for the owner of the turn.
func (r *RemotePixels) closeStore(ctx context.Context, before time.Time) {
	r.mu.Lock()
	if !before.IsZero() && r.used.After(before) {
		r.mu.Unlock()
		return
	}
	store, l := r.store, r.link
	r.store, r.link = nil, nil
	r.mu.Unlock()
	if store != nil && l.alive() {
		r.c.closeProxy(InGroup(ctx, r.group), l, store, pixelStoreInterface)
	}
}

// Close frees the store on the server. It waits for a read under way.
func (r *RemotePixels) Close() error {
	r.c.unregister(r)
	r.turn <- struct{}{}
	r.closeStore(context.Background(), time.Time{})
	<-r.turn
	return nil
}
