package omeroview

import (
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// notesOf lists the annotations of a dataset or plate and of all that it holds.
func (b *documenter) notesOf(p packRef) []int64 {
	p.nested = false // as annotations know it
	notes := append(slices.Clone(b.owners[p]), b.notesOfPlate(p)...)
	of := func(kind omero.Kind, id int64) { notes = append(notes, b.owners[packRef{kind: kind, id: id}]...) }
	in := make(map[int64]bool)
	for _, im := range b.in[p.id] {
		in[im.ID] = true
		of(omero.KindImage, im.ID)
		if s := b.taken[im.ID]; s != nil {
			for _, n := range b.g.taken.notable(s, b.scopes) {
				of(n.kind, n.id)
			}
		}
		if p := b.g.taken.planes[im.ID]; p != nil && b.planesNoted {
			for _, id := range p.IDs {
				of(omero.KindPlaneInfo, id)
			}
		}
		if fs := b.g.binaries.filesets[im.Fileset]; fs != nil {
			of(omero.KindFileset, fs.ID)
			for _, e := range fs.Entries {
				of(omero.KindOriginalFile, e.File.ID)
			}
		}
	}
	for _, f := range b.g.figures {
		if in[f.Image] {
			notes = append(notes, f.Annotation)
		}
	}
	rois := make(map[int64]bool)
	for _, r := range b.g.rois {
		if !in[r.Image] {
			continue
		}
		rois[r.ID] = true
		of(omero.KindROI, r.ID)
		for _, s := range r.Shapes {
			of(omero.KindShape, s.ID)
		}
	}
	for _, id := range b.foldersWith(in, rois) {
		of(omero.KindFolder, id)
	}
	return b.withNotes(notes)
}

// withNotes adds the annotations of annotations and of attached files.
func (b *documenter) withNotes(notes []int64) []int64 {
	all := slices.Clone(notes)
	for _, id := range notes {
		all = append(all, b.owners[packRef{kind: omero.KindAnnotation, id: id}]...)
		if n := b.noteByID[id]; n != nil && n.File.ID != 0 {
			all = append(all, b.owners[packRef{kind: omero.KindOriginalFile, id: n.File.ID}]...)
		}
	}
	return all
}

// attachments gives the files of annotations their places in a folder. A file
// that has one already is the same as there.
func (b *documenter) attachments(dir string, notes []int64) {
	slices.Sort(notes)
	var list []omero.Annotation
	for _, id := range slices.Compact(notes) {
		if n := b.noteByID[id]; n != nil {
			list = append(list, *n)
		}
	}
	files := newAttachmentList(list)
	for _, id := range files.order {
		f := files.files[id].File
		path := dir + attachmentsName + "/" + files.names.names[id]
		b.file(pack.File{Path: path, Size: f.Size, Hash: f.Hash, Algorithm: f.Hasher, MediaType: f.Mimetype, Required: true,
			SameAs: b.attached[f.ID], Kind: pack.Attached, Annotation: pack.NewID(pack.KindAnnotation, id)})
		if b.attached[f.ID] == "" {
			b.attached[f.ID] = path
		}
	}
}
