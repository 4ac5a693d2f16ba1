package omero

import (
	"context"
	"fmt"
)

// Folder holds images, regions and other folders.
type Folder struct {
	ID          int64
	Name        string
	Description string
	Parent      int64 // 0 for none
	Images      []int64
	ROIs        []int64
	Meta
}

// folderDepth is how many folders around one belong to an object.
const folderDepth = 4

// Folders returns the folders that hold any of the images or regions, by id,
// with these of their content, and up to four folders around each.
func (c *Client) Folders(ctx context.Context, images, rois Selection) ([]Folder, error) {
	var withImages, withROIs []row
	err := together(ctx, func(ctx context.Context) (err error) {
		withImages, err = c.rowsOf(ctx, `select fl.parent.id, fl.child.id, fl.id from FolderImageLink fl where fl.child.id in (:ids) order by fl.id`, images, "FolderImageLink")
		return err
	}, func(ctx context.Context) (err error) {
		withROIs, err = c.rowsOf(ctx, `select fl.parent.id, fl.child.id, fl.id from FolderRoiLink fl where fl.child.id in (:ids) order by fl.id`, rois, "FolderRoiLink")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("folders: %w", err)
	}
	var ids []int64
	for _, r := range append(withImages[:len(withImages):len(withImages)], withROIs...) {
		ids = append(ids, r.id(0))
	}
	var list []Folder
	known := make(map[int64]bool)
	for range folderDepth + 1 {
		rows, err := c.rowsFor(ctx, `select f.id, f.name, f.description, p.id, `+meta("f")+` from Folder f left outer join f.parentFolder p `+
			`where f.id in (:ids) order by f.id`, unique(ids))
		if err != nil {
			return nil, fmt.Errorf("folders: %w", err)
		}
		ids = nil
		for _, r := range rows {
			if f := (Folder{ID: r.id(0), Name: r.str(1), Description: r.str(2), Parent: r.id(3), Meta: r.meta(4)}); !known[f.ID] {
				known[f.ID] = true
				list, ids = append(list, f), append(ids, f.Parent)
			}
		}
	}
	at := make(map[int64]*Folder, len(list))
	for i := range list {
		at[list[i].ID] = &list[i]
		if !known[list[i].Parent] {
			list[i].Parent = 0
		}
	}
	for _, r := range withImages {
		if f := at[r.id(0)]; f != nil {
			f.Images = appendOnce(f.Images, r.id(1))
		}
	}
	for _, r := range withROIs {
		if f := at[r.id(0)]; f != nil {
			f.ROIs = appendOnce(f.ROIs, r.id(1))
		}
	}
	return list, nil
}

// appendOnce leaves out what is there because another user linked it too.
func appendOnce(ids []int64, id int64) []int64 {
	if len(ids) > 0 && ids[len(ids)-1] == id {
		return ids
	}
	return append(ids, id)
}

// foldersOf is a query for the ids of the folders that belong to images.
func foldersOf(images string) string {
	holding := `select h.id from Folder h where h.id in (select fl.parent.id from FolderImageLink fl where fl.child.id in (` + images + `)) ` +
		`or h.id in (select gl.parent.id from FolderRoiLink gl where gl.child.image.id in (` + images + `))`
	around := ""
	for n := range folderDepth {
		around += fmt.Sprintf(` or f.id in (select p%d.id from Folder h `, n)
		from := "h"
		for k := range n + 1 {
			around += fmt.Sprintf(`join %s.parentFolder p%d `, from, k)
			from = fmt.Sprintf("p%d", k)
		}
		around += `where h.id in (` + holding + `))`
	}
	return `select f.id from Folder f where f.id in (` + holding + `)` + around
}

// Folder adds a new folder, in another one unless that is the zero Ref.
func (b *Batch) Folder(f Folder, parent Ref) Ref {
	if b.err != nil {
		return Ref{kind: string(KindFolder)}
	}
	o := b.c.fresh(string(KindFolder)).Set("name", b.c.rstring(f.Name)).Set("description", b.c.optional(f.Description))
	if parent != (Ref{}) {
		o.Set("parentFolder", b.c.object(parent))
	}
	return b.add(string(KindFolder), o, nil)
}
