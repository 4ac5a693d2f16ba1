package omeroview

import (
	"cmp"
	"context"
	"slices"

	"omerods/internal/omero"
)

// gatherImagePack asks for the images of the pack of one: those of its fileset
// with it, wherever else they are shown, because an import of the files makes
// all of them. They count as members of the image.
func (a *account) gatherImagePack(ctx context.Context, g *gathered) (err error) {
	if g.shown, err = a.c.ImagesByID(ctx, []int64{g.ref.id}); err != nil {
		return err
	}
	if len(g.shown) == 0 {
		return errChanged
	}
	if fs := g.shown[0].Fileset; fs != 0 {
		all, err := a.c.ImagesOfFilesets(ctx, []int64{fs})
		if err != nil {
			return err
		}
		slices.SortFunc(all, func(x, y omero.Image) int { return cmp.Compare(x.ID, y.ID) })
		g.shown = all
	}
	for _, im := range g.shown {
		g.members = append(g.members, omero.Child{Parent: g.ref.id, ID: im.ID})
	}
	return nil
}
