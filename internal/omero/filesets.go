package omero

import (
	"context"
	"fmt"
	"path"
	"time"
)

// OriginalFile is a file on the server.
type OriginalFile struct {
	ID       int64
	Path     string // its folder in the repository, with a slash at the end
	Name     string
	Size     int64  // bytes
	Hash     string // hex, "" when not known
	Hasher   string // algorithm of Hash, such as "SHA1-160"
	Mimetype string
	// Modified is the file's own time, or when it was registered.
	Modified time.Time
	Group    int64
}

// FilesetEntry is one file of a fileset.
type FilesetEntry struct {
	ClientPath string // where it was when it was imported
	File       OriginalFile
}

// Fileset is a set of files that were imported together.
type Fileset struct {
	ID int64
	// Prefix is the folder in the repository below which the server put it.
	Prefix string
	// Entries are in the order of the import: a reader is opened with the first.
	Entries []FilesetEntry
	// Images are all its images in the order of their series, as far as the
	// user sees them.
	Images []int64
	Meta
}

// Pair is a key with a value.
type Pair struct{ Key, Value string }

func fileColumns(alias string) string {
	return fmt.Sprintf("%[1]s.id, %[1]s.path, %[1]s.name, %[1]s.size, %[1]s.hash, h.value, %[1]s.mimetype, %[1]s.mtime, "+
		"%[1]s.details.creationEvent.time, %[1]s.details.group.id", alias)
}

func (r row) file(i int) OriginalFile {
	f := OriginalFile{ID: r.id(i), Path: r.str(i + 1), Name: r.str(i + 2), Size: r.id(i + 3), Hash: r.str(i + 4),
		Hasher: r.str(i + 5), Mimetype: r.str(i + 6), Modified: r.time(i + 7), Group: r.id(i + 9)}
	if f.Modified.IsZero() {
		f.Modified = r.time(i + 8)
	}
	return f
}

// Filesets returns filesets with their files and images, in the order of their
// ids; those that are gone are missing. The number of queries does not depend
// on how many files or images there are, up to 1000 filesets each.
func (c *Client) Filesets(ctx context.Context, ids []int64) ([]Fileset, error) {
	return c.FilesetsOf(ctx, These(ids))
}

// FilesetsOf is [Client.Filesets] of a selection.
func (c *Client) FilesetsOf(ctx context.Context, ids Selection) ([]Fileset, error) {
	var sets, entries, images []row
	err := together(ctx, func(ctx context.Context) (err error) {
		sets, err = c.rowsOf(ctx, `select s.id, s.templatePrefix, `+meta("s")+` from Fileset s where s.id in (:ids) order by s.id`, ids, "Fileset")
		return err
	}, func(ctx context.Context) (err error) {
		entries, err = c.rowsOf(ctx, `select s.id, e.clientPath, `+fileColumns("f")+`, index(e) from Fileset s join s.usedFiles e `+
			`join e.originalFile f left outer join f.hasher h where s.id in (:ids) order by s.id, index(e)`, ids, "FilesetEntry")
		return err
	}, func(ctx context.Context) (err error) {
		images, err = c.rowsOf(ctx, `select i.fileset.id, i.id from Image i where i.fileset.id in (:ids) `+
			`order by i.fileset.id, i.series, i.id`, ids, imagesOfFilesets)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("filesets: %w", err)
	}
	list := make([]Fileset, len(sets))
	at := make(map[int64]*Fileset, len(sets))
	for i, r := range sets {
		list[i] = Fileset{ID: r.id(0), Prefix: r.str(1), Meta: r.meta(2)}
		at[list[i].ID] = &list[i]
	}
	for _, r := range entries {
		if s := at[r.id(0)]; s != nil {
			s.Entries = append(s.Entries, FilesetEntry{ClientPath: r.str(1), File: r.file(2)})
		}
	}
	for _, r := range images {
		if s := at[r.id(0)]; s != nil {
			s.Images = append(s.Images, r.id(1))
		}
	}
	return list, nil
}

// ImportInfo returns what was recorded of the software that imported each
// fileset; "bioformats.reader" is the class that read the files.
func (c *Client) ImportInfo(ctx context.Context, filesets Selection) (map[int64][]Pair, error) {
	rows, err := c.rowsOf(ctx, `select l.parent.id, v.name, v.value from FilesetJobLink l, UploadJob j join j.versionInfo v `+
		`where l.child.id = j.id and l.parent.id in (:ids) order by l.parent.id, index(v)`, filesets, "")
	if err != nil {
		return nil, fmt.Errorf("import info: %w", err)
	}
	info := make(map[int64][]Pair)
	for _, r := range rows {
		info[r.id(0)] = append(info[r.id(0)], Pair{Key: r.str(1), Value: r.str(2)})
	}
	return info, nil
}

// ReaderKey is the key of the reader's class in the import info.
const ReaderKey = "bioformats.reader"

// OriginalFiles returns files by their ids; those that are gone are missing.
func (c *Client) OriginalFiles(ctx context.Context, ids []int64) ([]OriginalFile, error) {
	rows, err := c.rowsFor(ctx, `select `+fileColumns("f")+` from OriginalFile f left outer join f.hasher h `+
		`where f.id in (:ids) order by f.id`, unique(ids))
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	files := make([]OriginalFile, len(rows))
	for i, r := range rows {
		files[i] = r.file(0)
	}
	return files, nil
}

// ArchivedFiles returns the original files of images that were imported before
// OMERO 5, which have no fileset, by image; most images have none.
func (c *Client) ArchivedFiles(ctx context.Context, images []int64) (map[int64][]OriginalFile, error) {
	rows, err := c.rowsFor(ctx, `select p.image.id, `+fileColumns("f")+` from PixelsOriginalFileMap m join m.parent f join m.child p `+
		`left outer join f.hasher h where p.image.id in (:ids) order by p.image.id, f.id`, unique(images))
	if err != nil {
		return nil, fmt.Errorf("archived files: %w", err)
	}
	files := make(map[int64][]OriginalFile)
	for _, r := range rows {
		files[r.id(0)] = append(files[r.id(0)], r.file(1))
	}
	return files, nil
}

// RelativePaths returns the place of each entry below the folder that all of
// them have in common, by their client paths.
func RelativePaths(entries []FilesetEntry) []string {
	clean := make([]string, len(entries))
	for i, e := range entries {
		p := e.ClientPath
		if p == "" {
			p = e.File.Path + e.File.Name
		}
		clean[i] = path.Clean("/" + p)
	}
	return stripCommon(clean)
}

// stripCommon takes the longest common folder off absolute paths.
func stripCommon(paths []string) []string {
	if len(paths) == 0 {
		return nil
	}
	common := path.Dir(paths[0])
	for _, p := range paths[1:] {
		for common != "/" && !hasDir(p, common) {
			common = path.Dir(common)
		}
	}
	out := make([]string, len(paths))
	for i, p := range paths {
		if common != "/" {
			p = p[len(common):]
		}
		out[i] = p[1:]
	}
	return out
}

func hasDir(p, dir string) bool {
	return len(p) > len(dir) && p[:len(dir)] == dir && p[len(dir)] == '/'
}
