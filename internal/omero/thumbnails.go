package omero

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"omerods/internal/ice"
)

const (
	thumbnailInterface = "::omero::api::ThumbnailStore"
	// thumbnailsAtOnce is how many one request asks for: the server may have to
	// make them first.
	thumbnailsAtOnce = 50
)

// Thumbnails returns small pictures of images in JPEG form whose longer side
// has the given number of pixels, by the id of their pixels. Those that the
// server cannot make are missing.
func (c *Client) Thumbnails(ctx context.Context, pixels []int64, longest int) (map[int64][]byte, error) {
	ctx = queryContext(ctx)
	out := make(map[int64][]byte, len(pixels))
	pixels = unique(pixels)
	for try := 1; len(pixels) > 0; try++ {
		l, err := c.acquire(ctx)
		if err != nil {
			return nil, err
		}
		done, err := c.thumbnails(ctx, l, pixels, longest, out)
		pixels = pixels[done:]
		var gone *ice.RequestFailedError
		if err != nil && (try >= linkTries || ctx.Err() != nil || !errors.Is(err, Offline) && !errors.As(err, &gone)) {
			return nil, fmt.Errorf("thumbnails: %w", err)
		}
	}
	return out, nil
}

// thumbnails asks for pictures over one link until that breaks, and returns
// how many of the pixels were asked for.
func (c *Client) thumbnails(ctx context.Context, l *link, pixels []int64, longest int, out map[int64][]byte) (done int, err error) {
	store, err := l.open(ctx, "createThumbnailStore")
	if err != nil {
		return 0, wrap("open thumbnails", err)
	}
	defer func() {
		if l.alive() {
			c.closeProxy(ctx, l, store, thumbnailInterface)
		}
	}()
	for part := range slices.Chunk(pixels, thumbnailsAtOnce) {
		res, err := c.on(ctx, l, store, thumbnailInterface, "getThumbnailByLongestSideSet", c.rint(longest), slices.Clone(part))
		d, err := result[ice.Dict]("getThumbnailByLongestSideSet", res, err)
		if err != nil {
			return done, err
		}
		for _, p := range d {
			id, _ := p.Key.(int64)
			if jpeg, _ := p.Value.([]byte); len(jpeg) > 0 {
				out[id] = jpeg
			}
		}
		done += len(part)
	}
	return done, nil
}

// HasImages says whether any image with pixels or files belongs to an object.
func (c *Client) HasImages(ctx context.Context, kind Kind, id int64) (bool, error) {
	s, ok := scopes[kind]
	if !ok {
		return false, failure(Invalid, "images", "of a "+string(kind))
	}
	for _, part := range []string{"i.pixels", "i.fileset"} {
		r, _, err := c.first(ctx, "select max(x.id) from "+s.from+" join "+part+" x where "+s.where, params{"id": id})
		if err != nil || r.id(0) != 0 {
			return err == nil, wrap("images", err)
		}
	}
	return false, nil
}
