package omeroview

import (
	"context"
	"maps"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// findFiles finds the new filesets, their files and the attached files, and
// has them say when they were changed, as the old ones did.
func (f *finisher) findFiles(ctx context.Context) error {
	var ids []int64
	for id, n := range f.spec.Filesets {
		f.at[id] = omero.Existing(omero.KindFileset, n)
		ids = append(ids, n)
	}
	if !f.spec.Ours && !f.annotated(pack.KindFile) {
		return nil
	}
	sets, err := f.client.Filesets(ctx, ids)
	if err != nil {
		return err
	}
	now := make(map[int64]*omero.Fileset, len(sets))
	for i := range sets {
		now[sets[i].ID] = &sets[i]
	}
	changes := map[int64]omero.FileChange{}
	for i := range f.spec.Document.Filesets {
		was := &f.spec.Document.Filesets[i]
		fs := now[f.spec.Filesets[was.ID]]
		if fs == nil || len(fs.Entries) != len(was.Entries) {
			continue
		}
		for j, e := range was.Entries { // the order of the import is that of the pack
			file := fs.Entries[j].File
			if e.File != "" {
				f.at[e.File] = omero.Existing(omero.KindOriginalFile, file.ID)
			}
			c := omero.FileChange{ID: file.ID, Modified: e.Modified}
			if e.Algorithm != file.Hasher {
				c.Hash, c.Hasher = e.Hash, e.Algorithm
			}
			changes[c.ID] = c
		}
	}
	for _, a := range f.notes {
		file := f.fileOf(a)
		if a.File == nil || file == 0 {
			continue
		}
		if a.File.ID != "" {
			f.at[a.File.ID] = omero.Existing(omero.KindOriginalFile, file)
		}
		c := omero.FileChange{ID: file, Modified: a.File.Modified}
		if a.File.Algorithm != pack.SHA1 {
			c.Hash, c.Hasher = a.File.Hash, a.File.Algorithm
		}
		changes[file] = c
	}
	if !f.spec.Ours {
		return nil
	}
	return f.client.ChangeFiles(ctx, slices.Collect(maps.Values(changes)))
}
