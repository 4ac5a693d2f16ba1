package omeroview

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// restoreRenderings makes the settings that the owners of the images had the
// user's own. Those that the import has made alike are left alone; those of
// others stay in the pack.
func (f *finisher) restoreRenderings(ctx context.Context) error {
	want := map[int64]omero.Rendering{}
	for i := range f.spec.Document.Images {
		im := &f.spec.Document.Images[i]
		id, ok := f.spec.Images[im.ID]
		if r := ownersRendering(im); ok && r != nil {
			want[id] = toRendering(r)
		}
	}
	if len(want) == 0 {
		return nil
	}
	images := make([]int64, 0, len(want))
	for id := range want {
		images = append(images, id)
	}
	slices.Sort(images)
	have, err := f.client.Renderings(ctx, images)
	if err != nil {
		return err
	}
	for _, r := range have {
		image := r.Image
		if r.Owner != f.client.Who().User {
			continue
		}
		r.ID, r.Image, r.Owner = 0, 0, 0
		if reflect.DeepEqual(r, want[image]) {
			delete(want, image)
		}
	}
	images = slices.DeleteFunc(images, func(id int64) bool { _, ok := want[id]; return !ok })
	for part := range slices.Chunk(images, batchSize) {
		pixels, err := f.client.PixelsOf(ctx, part)
		if err != nil {
			return err
		}
		var settings []omero.PixelsRendering
		for _, p := range pixels {
			r := want[p.Image]
			if len(r.Channels) != p.SizeC {
				f.left = append(f.left, fmt.Sprintf("rendering settings of image %d: they are of %d channels, it has %d", p.Image, len(r.Channels), p.SizeC))
				continue
			}
			settings = append(settings, omero.PixelsRendering{Pixels: p, Rendering: r})
		}
		if err := f.client.SaveRenderings(ctx, settings); err != nil {
			return err
		}
	}
	return nil
}

// ownersRendering is how the owner of an image looks at it, or the only user
// who has settings for it; nil for neither.
func ownersRendering(im *pack.Image) *pack.Rendering {
	for i := range slices.Backward(im.Renderings) { // the newest count
		if r := &im.Renderings[i]; r.Owner == im.Details.Owner {
			return r
		}
	}
	if len(im.Renderings) == 1 {
		return &im.Renderings[0]
	}
	return nil
}

func toRendering(r *pack.Rendering) omero.Rendering {
	out := omero.Rendering{Name: r.Name, Model: r.Model, DefaultZ: r.DefaultZ, DefaultT: r.DefaultT, Compression: r.Compression,
		CodomainStart: r.CodomainStart, CodomainEnd: r.CodomainEnd, BitResolution: r.BitResolution}
	for _, c := range r.Channels {
		out.Channels = append(out.Channels, omero.ChannelRendering(c))
	}
	return out
}
