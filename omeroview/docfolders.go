package omeroview

import (
	"cmp"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// listFolders describes the folders with what of them is in the pack.
func (b *documenter) listFolders() {
	there := make(map[pack.ID]bool, len(b.doc.Images))
	for i := range b.doc.Images {
		there[b.doc.Images[i].ID] = true
	}
	list := slices.Clone(b.g.folders)
	slices.SortFunc(list, func(x, y omero.Folder) int { return cmp.Compare(x.ID, y.ID) })
	for _, f := range list {
		out := pack.Folder{ID: pack.NewID(pack.KindFolder, f.ID), Name: f.Name, Description: f.Description, Details: b.details(f.Meta)}
		if f.Parent != 0 {
			out.Parent = pack.NewID(pack.KindFolder, f.Parent)
		}
		for _, id := range f.Images {
			if im := pack.NewID(pack.KindImage, id); there[im] {
				out.Images = append(out.Images, im)
			}
		}
		for _, id := range f.ROIs {
			out.ROIs = append(out.ROIs, pack.NewID(pack.KindROI, id))
		}
		b.doc.Folders = append(b.doc.Folders, out)
	}
}

// foldersWith lists the folders that hold some of the images or regions, and
// those around them.
func (b *documenter) foldersWith(images, rois map[int64]bool) []int64 {
	parent := make(map[int64]int64, len(b.g.folders))
	for _, f := range b.g.folders {
		parent[f.ID] = f.Parent
	}
	in := make(map[int64]bool)
	for _, f := range b.g.folders {
		holds := slices.ContainsFunc(f.Images, func(id int64) bool { return images[id] }) ||
			slices.ContainsFunc(f.ROIs, func(id int64) bool { return rois[id] })
		for id := f.ID; holds && id != 0 && !in[id]; id = parent[id] {
			in[id] = true
		}
	}
	ids := make([]int64, 0, len(in))
	for id := range in {
		ids = append(ids, id)
	}
	return ids
}

// makeFolders adds new folders for those of the pack to a batch, with what they
// hold.
func (f *finisher) makeFolders(b *omero.Batch, made map[pack.ID]omero.Ref) {
	for _, folder := range f.spec.Document.FoldersFromTop() {
		ref := b.Folder(omero.Folder{Name: folder.Name, Description: folder.Description}, made[folder.Parent])
		made[folder.ID] = ref
		for _, id := range slices.Concat(folder.Images, folder.ROIs) {
			if o, ok := f.at[id]; ok {
				b.Link(ref, o)
			}
		}
	}
}
