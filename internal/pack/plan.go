package pack

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Import is one import that a load has to make: a set of files, and the images
// that come of it.
type Import struct {
	// Fileset is the fileset that was saved; "" in packs of others and for an
	// image that had no original files.
	Fileset ID
	// Path is the file, or the folder when Folder is set, without a slash at the
	// end.
	Path string
	// Folder says that the document does not list the files: everything below
	// Path belongs to the set, and CandidateMains has to find the first.
	Folder bool
	// Entries are the files in order; nil when Folder is set. The size of an
	// entry is negative when the document does not say it.
	Entries []Entry
	// Reader is the class that read the files, "" when not known.
	Reader string
	// Images are the document's images that the import makes, in the order in
	// which the importer makes them.
	Images []ID
}

// ImportPlan lists the imports that make the document's images, in the order
// in which the document lists filesets and images.
func (d *Document) ImportPlan() []Import {
	var plan []Import
	for i := range d.Filesets {
		f := &d.Filesets[i]
		p := f.Folder
		if len(f.Entries) == 1 {
			p = f.Entries[0].Path
		}
		plan = append(plan, Import{Fileset: f.ID, Path: p, Entries: f.Entries, Reader: f.Reader, Images: f.Images})
	}
	at := make(map[string]int) // path → place in plan
	for i := range d.Images {
		im := &d.Images[i]
		if im.Fileset != "" {
			continue
		}
		j, ok := at[im.Path]
		if !ok {
			j = len(plan)
			at[im.Path] = j
			plan = append(plan, newImport(im.Path))
		}
		plan[j].Images = append(plan[j].Images, im.ID)
	}
	for _, j := range at {
		slices.SortFunc(plan[j].Images, ID.Compare)
	}
	return plan
}

func newImport(p string) Import {
	if folder, ok := strings.CutSuffix(p, "/"); ok {
		return Import{Path: folder, Folder: true}
	}
	return Import{Path: p, Entries: []Entry{{Path: p, ClientPath: p, Size: -1}}}
}

// FileInfo is a file below a folder.
type FileInfo struct {
	Path string // relative to the folder
	Size int64
}

// mostCandidates is how many files are worth a try as the first of a set.
const mostCandidates = 5

// mainNames are ends of the names of files that a reader is opened with, of
// formats that consist of several files. The first are the surest.
var mainNames = []string{
	".companion.ome", ".vsi", ".zattrs", "zarr.json", ".zgroup", ".mrxs", ".ndpis", ".afi",
	".xdce", ".htd", ".mea", "index.idx.xml", "index.ref.xml", ".wpi", ".nd", ".mvd2",
	".lei", ".oif", ".xlef", ".lof", ".ics", ".ids", ".afm", ".sld", ".sldy", ".vws", ".db1",
	".flex", ".msr", ".dcm", "dicomdir", ".hdr", ".pcoraw", ".ome.xml", ".ome.tiff", ".ome.tif",
	".ome.tf2", ".ome.tf8", ".ome.btf",
}

// CandidateMains guesses which file of a folder the reader is to be opened
// with, the likeliest first: files with the name of a known main file, then
// those directly in the folder, the largest first. There are at most five.
func CandidateMains(files []FileInfo) []string {
	type candidate struct {
		FileInfo
		rank, depth int
	}
	var list []candidate
	for _, f := range files {
		name := strings.ToLower(path.Base(f.Path))
		rank := slices.IndexFunc(mainNames, func(end string) bool { return strings.HasSuffix(name, end) })
		depth := strings.Count(f.Path, "/")
		if rank < 0 {
			if rank = len(mainNames); depth > 0 {
				continue
			}
		}
		list = append(list, candidate{f, rank, depth})
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.depth, b.depth),
			cmp.Compare(b.Size, a.Size), strings.Compare(a.Path, b.Path))
	})
	var mains []string
	for _, c := range list[:min(len(list), mostCandidates)] {
		mains = append(mains, c.Path)
	}
	return mains
}
