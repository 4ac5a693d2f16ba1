package sample

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// maxAttachmentBytes is the largest file that is attached to its dataset
// because it is no image.
const maxAttachmentBytes = 16 << 20

// Note tells what became of a file that is no image.
type Note struct {
	Path string // relative to the folder
	What string
}

// Folder is the outcome of FromFolder.
type Folder struct {
	Project int64
	Images  int
	Notes   []Note
}

// FromFolder imports all images below dir as a project named after it, as the
// given user in the given group: one dataset for each folder that has images,
// files that belong together as one fileset. Other files are attached to the
// dataset of their folder or left out; notes say which.
func FromFolder(ctx context.Context, t Target, dir, user, group string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("read the folder of images: %w", err)
	}
	u := t.Store.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == user })
	g := t.Store.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == group })
	if u == nil || g == nil {
		return nil, fmt.Errorf("no user %s or no group %s", user, group)
	}
	f := &folder{
		loader: loader{ctx: ctx, t: t, actor: store.Actor{User: u.ID, Group: g.ID}},
		dir:    dir, fsys: os.DirFS(dir), datasets: map[string]*store.Row{}, taken: map[string]bool{}, out: new(Folder),
	}
	if f.project, err = f.create("Project", store.Values{"name": filepath.Base(dir), "description": "Imported from " + dir}); err != nil {
		return nil, err
	}
	f.out.Project = f.project.ID
	return f.out, f.all()
}

// folder is a folder on its way into the server.
type folder struct {
	loader
	dir      string
	fsys     fs.FS
	project  *store.Row
	datasets map[string]*store.Row // by folder
	taken    map[string]bool       // files of filesets that have been imported
	out      *Folder
}

func (f *folder) note(p, format string, args ...any) {
	f.out.Notes = append(f.out.Notes, Note{p, fmt.Sprintf(format, args...)})
}

// all imports what there is: documents that speak of other files before those
// files, all else by name.
func (f *folder) all() error {
	files, err := f.files()
	if err != nil {
		return err
	}
	sort.SliceStable(files, func(i, j int) bool {
		a, b := strings.HasSuffix(strings.ToLower(files[i]), ".companion.ome"), strings.HasSuffix(strings.ToLower(files[j]), ".companion.ome")
		return a && !b
	})
	var others []string
	for _, p := range files {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		if f.taken[p] {
			continue
		}
		set, err := imaging.Read(f.fsys, p)
		switch {
		case errors.Is(err, imaging.ErrUnknownFormat):
			others = append(others, p)
			continue
		case err != nil:
			f.note(p, "not imported: %v", err)
			continue
		}
		if err := f.fileset(set); err != nil {
			return err
		}
	}
	for _, p := range others {
		if err := f.other(p); err != nil {
			return err
		}
	}
	return nil
}

// files returns the regular files below the folder, sorted; hidden ones and
// what file managers leave behind are not among them.
func (f *folder) files() ([]string, error) {
	var out []string
	err := fs.WalkDir(f.fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == "." {
				return err
			}
			f.note(p, "not readable: %v", err)
			return nil
		}
		name := d.Name()
		if p != "." && (strings.HasPrefix(name, ".") || name == "Thumbs.db") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			out = append(out, p)
		} else if !d.IsDir() {
			f.note(p, "not a regular file")
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

// fileset imports files that belong together.
func (f *folder) fileset(set *imaging.Fileset) error {
	d, err := f.datasetOf(path.Dir(set.Files[0]))
	if err != nil {
		return err
	}
	var files []source
	for _, p := range set.Files {
		f.taken[p] = true
		files = append(files, source{
			clientPath: filepath.ToSlash(f.dir) + "/" + p,
			open:       func() (io.ReadCloser, error) { return f.fsys.Open(p) },
		})
	}
	out, err := f.load(files, set.Reader, into(d))
	var fail *repository.Failure
	if errors.As(err, &fail) {
		f.note(set.Files[0], "not imported: %v", fail)
		return nil
	}
	if err != nil {
		return err
	}
	f.out.Images += len(out.Images)
	return nil
}

// datasetOf returns the dataset of a folder.
func (f *folder) datasetOf(dir string) (*store.Row, error) {
	if d := f.datasets[dir]; d != nil {
		return d, nil
	}
	name := dir
	if dir == "." {
		name = filepath.Base(f.dir)
	}
	d, err := f.dataset(f.project, name, "")
	if err != nil {
		return nil, err
	}
	f.datasets[dir] = d
	return d, nil
}

// other attaches a file that is no image to the dataset of its folder, or to
// the project when there is none.
func (f *folder) other(p string) error {
	if f.taken[p] {
		return nil
	}
	info, err := fs.Stat(f.fsys, p)
	if err != nil || info.Size() > maxAttachmentBytes {
		f.note(p, "left out: no image, and too large to attach")
		return nil
	}
	data, err := fs.ReadFile(f.fsys, p)
	if err != nil {
		f.note(p, "not readable: %v", err)
		return nil
	}
	class, parent, where := "Project", f.project, "project"
	if d := f.datasets[path.Dir(p)]; d != nil {
		class, parent, where = "Dataset", d, "dataset"
	}
	f.note(p, "no image; attached to its %s", where)
	return f.attach(class, parent, path.Base(p), "application/octet-stream", data)
}
