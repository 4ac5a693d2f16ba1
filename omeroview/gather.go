package omeroview

import (
	"context"

	"omerods/internal/omero"
)

// gathered is everything that is said of a pack, as the server has it.
type gathered struct {
	ref      packRef
	extent   *omero.Extent // how much there is; nil when not all of it belongs to the pack
	object   omero.Container
	datasets []omero.Container // of a project; of a dataset itself alone
	plates   *gatheredPlates   // of a screen; of a plate itself alone; otherwise nil
	members  []omero.Child     // images in datasets or plates
	shown    []omero.Image     // images in the datasets or plates, by id
	others   []omero.Image     // further images of the same filesets
	left     []omero.Image     // that would be shown if their files could be had
	binaries *binaries
	info     map[int64][]omero.Pair // of the imports, by fileset
	pixels   []omero.Pixels
	settings []omero.Rendering
	taken    taken
	rois     []omero.ROI
	folders  []omero.Folder
	figures  []omero.Figure
	links    []omero.AnnotationLink
	notes    []omero.Annotation
	users    []omero.User
	groups   []omero.Group
}

// gather asks for all that belongs to a pack, of which its state has the
// extent. Of what is not there nothing is asked; the number of queries for what
// is does not depend on how much that is, up to some thousand rows of a kind.
func (a *account) gather(ctx context.Context, p packRef, x *omero.Extent) (*gathered, error) {
	g, err := a.gatherShown(ctx, p, x)
	if err != nil {
		return nil, err
	}
	if err := a.gatherImages(ctx, g); err != nil {
		return nil, err
	}
	if err := a.gatherNotes(ctx, g); err != nil {
		return nil, err
	}
	return g, a.gatherPeople(ctx, g)
}

// gatherShown asks for what a pack shows: its datasets or plates, their images
// and the files of these.
func (a *account) gatherShown(ctx context.Context, p packRef, x *omero.Extent) (*gathered, error) {
	g := &gathered{ref: p, extent: x}
	var err error
	if g.object, err = a.c.Container(ctx, p.kind, p.id); err != nil {
		return nil, err
	}
	switch p.kind {
	case omero.KindScreen, omero.KindPlate:
		err = a.gatherPlates(ctx, g)
	case omero.KindImage:
		err = a.gatherImagePack(ctx, g)
	default:
		err = a.gatherDatasets(ctx, g)
	}
	if err != nil {
		return nil, err
	}
	if g.binaries, err = a.binaries(ctx, g.shown, x); err != nil {
		return nil, err
	}
	g.shown, g.left = g.binaries.split(g.shown)
	if len(g.left) > 0 {
		g.extent = nil
	}
	return g, nil
}

// gatherDatasets asks for the datasets of a project, and for the images of
// those or of the one dataset.
func (a *account) gatherDatasets(ctx context.Context, g *gathered) (err error) {
	g.datasets = []omero.Container{g.object}
	if g.ref.kind == omero.KindProject {
		if g.datasets, _, err = a.c.DatasetsOf(ctx, []int64{g.ref.id}); err != nil {
			return err
		}
	}
	g.shown, g.members, err = a.c.ImagesOf(ctx, idsOf(g.datasets))
	return err
}

func idsOf(list []omero.Container) []int64 {
	ids := make([]int64, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	return ids
}

// all are all objects of a kind in the pack, which have the ids.
func (g *gathered) all(kind omero.Kind, ids []int64) omero.Selection {
	return omero.All(g.extent, kind, ids)
}

// images are the images that the pack shows.
func (g *gathered) images() omero.Selection { return g.all(omero.KindImage, imageIDs(g.shown)) }

func imageIDs(list []omero.Image) []int64 {
	ids := make([]int64, len(list))
	for i, im := range list {
		ids[i] = im.ID
	}
	return ids
}

// gatherImages asks for the files, the pixels and the regions of the images,
// and for further images of the same filesets: readers of packs count them.
func (a *account) gatherImages(ctx context.Context, g *gathered) (err error) {
	sets := make([]int64, 0, len(g.binaries.filesets))
	for id := range g.binaries.filesets {
		sets = append(sets, id)
	}
	filesets := g.all(omero.KindFileset, sets)
	if err := a.gatherOthers(ctx, g, filesets); err != nil {
		return err
	}
	if g.info, err = a.c.ImportInfo(ctx, filesets); err != nil {
		return err
	}
	if g.pixels, err = a.c.PixelsIn(ctx, g.images()); err != nil {
		return err
	}
	others, err := a.c.PixelsOf(ctx, imageIDs(g.others))
	if err != nil {
		return err
	}
	g.pixels = append(g.pixels, others...)
	if g.settings, err = a.c.RenderingsOf(ctx, g.images()); err != nil {
		return err
	}
	if err := a.gatherTaken(ctx, g); err != nil {
		return err
	}
	if g.rois, err = a.c.ROIsOf(ctx, g.images()); err != nil {
		return err
	}
	rois := make([]int64, len(g.rois))
	for i, r := range g.rois {
		rois[i] = r.ID
	}
	g.folders, err = a.c.Folders(ctx, g.images(), g.all(omero.KindROI, rois))
	return err
}

// gatherOthers asks for images of the same filesets that are not shown.
func (a *account) gatherOthers(ctx context.Context, g *gathered, filesets omero.Selection) error {
	inSets := 0 // each image once, in however many datasets it is
	for _, im := range g.shown {
		if im.Fileset != 0 {
			inSets++
		}
	}
	if g.extent != nil && !g.extent.Others(inSets) {
		return nil
	}
	all, err := a.c.ImagesIn(ctx, filesets)
	if err != nil {
		return err
	}
	known := make(map[int64]bool, len(g.shown))
	for _, im := range g.shown {
		known[im.ID] = true
	}
	for _, im := range all {
		if !known[im.ID] {
			g.others = append(g.others, im)
		}
	}
	return nil
}

// gatherPeople asks for the users and groups that are named.
func (a *account) gatherPeople(ctx context.Context, g *gathered) (err error) {
	users, groups := []int64{g.object.Owner}, []int64{g.object.Group}
	add := func(m omero.Meta) {
		users, groups = append(users, m.Owner), append(groups, m.Group)
	}
	for _, d := range g.datasets {
		add(d.Meta)
	}
	g.plates.people(add)
	for _, im := range g.shown {
		add(im.Meta)
	}
	for _, im := range g.others {
		add(im.Meta)
	}
	for _, fs := range g.binaries.filesets {
		add(fs.Meta)
	}
	for _, r := range g.rois {
		add(r.Meta)
	}
	for _, f := range g.folders {
		add(f.Meta)
	}
	for _, n := range g.notes {
		add(n.Meta)
	}
	for _, l := range g.links {
		users = append(users, l.Owner)
	}
	for _, r := range g.settings {
		users = append(users, r.Owner)
	}
	if g.users, err = a.c.UsersByID(ctx, users); err != nil {
		return err
	}
	g.groups, err = a.c.GroupsByID(ctx, groups)
	return err
}
