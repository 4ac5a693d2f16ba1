package omeroview

import (
	"context"
	"path"
	"slices"
	"strings"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// binaries is where the pixels of some images are.
type binaries struct {
	filesets map[int64]*omero.Fileset     // those with files
	left     map[int64]pack.LeftOutReason // filesets that are not shown, none of them in filesets
	pixels   map[int64]*omero.Pixels      // by image, of images without files
}

// binaries asks for the files of images, or of all images of the object of an
// extent.
func (a *account) binaries(ctx context.Context, images []omero.Image, x *omero.Extent) (*binaries, error) {
	b := &binaries{filesets: make(map[int64]*omero.Fileset), pixels: make(map[int64]*omero.Pixels)}
	var ids []int64
	for _, im := range images {
		ids = append(ids, im.Fileset)
	}
	sets, err := a.c.FilesetsOf(ctx, omero.All(x, omero.KindFileset, ids))
	if err != nil {
		return nil, err
	}
	if b.left, err = a.leftOut(ctx, sets); err != nil {
		return nil, err
	}
	for i := range sets {
		if len(sets[i].Entries) > 0 && b.left[sets[i].ID] == "" {
			b.filesets[sets[i].ID] = &sets[i]
		}
	}
	var bare []int64
	for _, im := range images {
		if b.filesets[im.Fileset] == nil && b.left[im.Fileset] == "" {
			bare = append(bare, im.ID)
		}
	}
	pixels, err := a.c.PixelsOf(ctx, bare)
	if err != nil {
		return nil, err
	}
	for i := range pixels {
		if b.pixels[pixels[i].Image] == nil { // the first pixels of an image are its pixels
			b.pixels[pixels[i].Image] = &pixels[i]
		}
	}
	return b, nil
}

// item is what one fileset, or one image without original files, is in a
// folder: a file or a folder of files.
type item struct {
	// id is that of the oldest image of the fileset: people know images by
	// their ids, not filesets.
	id      int64
	image   omero.Image    // the oldest one that is shown
	images  []int64        // those shown, by id
	fileset *omero.Fileset // nil for an image without files
	paths   []string       // of the files below the item's folder; nil for a single file
	pixels  *omero.Pixels  // of an image without files; nil when it has none at all
}

// folder says whether the item is a folder of files.
func (it *item) folder() bool { return it.paths != nil }

// shelf are the items of one folder.
type shelf struct {
	items []*item // by id
	byID  map[int64]*item
	names *nameTable
}

// shelf arranges images that are shown in one folder. It depends on nothing
// but the images, their files and the rules.
func (b *binaries) shelf(images []omero.Image, rules nameRules) *shelf {
	s := &shelf{byID: make(map[int64]*item)}
	sets := make(map[int64]*item)
	images, _ = b.split(images)
	for _, im := range images {
		fs := b.filesets[im.Fileset]
		it := sets[im.Fileset]
		if fs == nil {
			it = nil
		}
		if it == nil {
			it = &item{id: im.ID, image: im, fileset: fs}
			if fs != nil {
				it.id = slices.Min(append([]int64{im.ID}, fs.Images...))
				it.paths = folderPaths(fs)
				sets[im.Fileset] = it
			} else {
				it.pixels = b.pixels[im.ID]
			}
			s.items = append(s.items, it)
			s.byID[it.id] = it
		}
		it.images = append(it.images, im.ID)
		if im.ID < it.image.ID {
			it.image = im
		}
	}
	named := make([]Named, len(s.items))
	for i, it := range s.items {
		slices.Sort(it.images)
		named[i] = Named{it.id, it.wanted()}
	}
	slices.SortFunc(s.items, func(x, y *item) int { return int(min(max(x.id-y.id, -1), 1)) })
	s.names = assignNames(named, rules)
	return s
}

// wanted is the name an item would have alone.
func (it *item) wanted() string {
	if it.fileset == nil {
		return exportName(it.image.Name)
	}
	name := entryName(it.fileset.Entries[0])
	if it.folder() {
		name += filesetSuffix
	}
	return name
}

// exportName is the name of the OME-TIFF of an image.
func exportName(image string) string {
	lower := strings.ToLower(image)
	for _, ext := range []string{".ome.tiff", ".ome.tif"} {
		if strings.HasSuffix(lower, ext) {
			return image
		}
	}
	if image == "" {
		image = unnamed
	}
	return image + ".ome.tiff"
}

func entryName(e omero.FilesetEntry) string {
	if e.ClientPath != "" {
		return path.Base(path.Clean("/" + e.ClientPath))
	}
	return e.File.Name
}

// groupingExtensions are those of formats whose readers take files of similar
// names beside the one they are given, so that a single file is safe only in a
// folder of its own.
var groupingExtensions = map[string]bool{
	".dcm": true, ".dicom": true, ".nd": true, ".stk": true, ".lei": true, ".ics": true, ".ids": true,
	".hdr": true, ".img": true, ".nhdr": true, ".afi": true, ".vms": true, ".vmu": true, ".xdce": true,
	".htd": true, ".mea": true, ".res": true, ".mdb": true, ".c01": true, ".dib": true, ".pnl": true,
	".r3d": true, ".tnb": true, ".cfg": true, ".seq": true, ".par": true, ".fdf": true,
}

// folderPaths says where the files of a fileset lie below its folder, in the
// order of its entries; nil when it is a single file that needs no folder.
func folderPaths(fs *omero.Fileset) []string {
	if len(fs.Entries) == 1 && !groupingExtensions[strings.ToLower(path.Ext(entryName(fs.Entries[0])))] {
		return nil
	}
	paths := omero.RelativePaths(fs.Entries)
	dirs, taken := make(map[string]bool), make(map[string]bool)
	for i, p := range paths {
		parts := strings.Split(p, "/")
		for j := range parts {
			parts[j] = fit(lookalike(parts[j]), "", maxFileName)
			if j > 0 {
				dirs[strings.Join(parts[:j], "/")] = true
			}
		}
		paths[i] = strings.Join(parts, "/")
	}
	for i, p := range paths {
		if taken[p] || dirs[p] {
			// Two names that look alike once what is forbidden is replaced.
			dir, name := path.Split(p)
			p = dir + fit(name, mark(fs.Entries[i].File.ID), maxFileName)
			paths[i] = p
		}
		taken[p] = true
	}
	return paths
}
