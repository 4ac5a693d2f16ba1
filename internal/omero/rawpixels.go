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
		data, err := r.tile(ctx, z, ch, t, x, y, w, h)
		var gone *ice.RequestFailedError
		if err == nil || try == 2 || ctx.Err() != nil || !errors.Is(err, Offline) && !errors.As(err, &gone) {
			if err != nil {
				return nil, fmt.Errorf("read pixels %d: %w", r.id, err)
			}
			return data, nil
		}
		r.mu.Lock()
		r.store, r.link = nil, nil
		r.mu.Unlock()
	}
}

// tile is called by the owner of the turn.
func (r *RemotePixels) tile(ctx context.Context, z, ch, t, x, y, w, h int) ([]byte, error) {
	r.mu.Lock()
	store, l := r.store, r.link
	r.used = r.c.now()
	r.mu.Unlock()
	if store == nil || !l.alive() {
		var err error
		if l, err = r.c.acquire(ctx); err != nil {
			return nil, err
		}
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

// Thumbnails returns small pictures of images in JPEG form whose longer side
// has the given number of pixels, by the id of their pixels. Those that the
// server cannot make are missing.
func (c *Client) Thumbnails(ctx context.Context, pixels []int64, longest int) (map[int64][]byte, error) {
	l, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	const iface = "::omero::api::ThumbnailStore"
	store, err := l.open(queryContext(ctx), "createThumbnailStore")
	if err != nil {
		return nil, wrap("thumbnails", err)
	}
	defer c.closeProxy(ctx, l, store, iface)
	out := make(map[int64][]byte, len(pixels))
	const atOnce = 50
	for len(pixels) > 0 {
		n := min(atOnce, len(pixels))
		res, err := c.on(queryContext(ctx), l, store, iface, "getThumbnailByLongestSideSet", c.rint(longest), append([]int64{}, pixels[:n]...))
		d, err := result[ice.Dict]("getThumbnailByLongestSideSet", res, err)
		if err != nil {
			return nil, fmt.Errorf("thumbnails: %w", err)
		}
		for _, p := range d {
			id, _ := p.Key.(int64)
			if jpeg, _ := p.Value.([]byte); len(jpeg) > 0 {
				out[id] = jpeg
			}
		}
		pixels = pixels[n:]
	}
	return out, nil
}
