package blitz

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"sort"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// maxRead is the largest read from a file, in bytes.
const maxRead = 64_000_000

// ServeFiles adds what has to do with bytes: the shared resources, the managed
// repository with the import, the raw stores and thumbnails. It is called
// before Serve; the caller closes files after the server.
func (s *Server) ServeFiles(files *repository.Managed) {
	if s.dir != files.Dir() { // deletions must find what files keeps
		if s.tempDir {
			os.RemoveAll(s.dir) // new and empty
		}
		s.dir, s.tempDir = files.Dir(), false
	}
	r := &repo{srv: s, files: files}
	r.running = make(map[*importProcess]bool)
	r.id = ice.Identity{Name: "PublicRepository-" + files.UUID()}
	s.AddGlobal(r.id, "::omero::grid::ManagedRepository", r)
	s.Register(Service{
		Interface: "::omero::grid::SharedResources", Name: "omero.grid.SharedResources", Getter: "sharedResources",
		New: func(*Call) (Servant, error) { return r.shared(), nil },
	})
	for _, svc := range []struct {
		name, getter string
		make         func() Servant
	}{
		{"RawFileStore", "createRawFileStore", func() Servant { return &rawFile{srv: s, files: files} }},
		{"RawPixelsStore", "createRawPixelsStore", func() Servant { return &rawPixels{srv: s, files: files} }},
		{"ThumbnailStore", "createThumbnailStore", func() Servant { return &thumbnails{srv: s, files: files} }},
		{"Exporter", "createExporter", func() Servant { return &exporter{files: files} }},
	} {
		s.Register(Service{
			Interface: "::omero::api::" + svc.name, Name: "omero.api." + svc.name, Getter: svc.getter, Stateful: true,
			New: func(*Call) (Servant, error) { return svc.make(), nil },
		})
	}
}

// diskError turns an error of package repository into what the client gets.
func diskError(err error) error {
	var naming *repository.NamingError
	var ex *iceserver.Exception
	var broken *store.ConstraintError
	switch {
	case err == nil, errors.As(err, &ex), errors.As(err, &broken), errors.Is(err, store.ErrClosed), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &naming):
		ex := Fail("::omero::FilePathNamingException", "%v", naming)
		ex.Values["illegalFilePath"] = naming.Path
		ex.Values["illegalCodePoints"] = naming.CodePoints
		ex.Values["illegalPrefixes"] = naming.Prefixes
		ex.Values["illegalSuffixes"] = naming.Suffixes
		ex.Values["illegalNames"] = naming.Names
		return ex
	case errors.Is(err, repository.ErrUpload):
		return Fail(APIUsage, "%v", err)
	case errors.Is(err, repository.ErrNoData), errors.Is(err, fs.ErrNotExist):
		return Fail(ResourceProblem, "Cannot find path: %v", err)
	}
	return Fail(ResourceProblem, "%v", err)
}

// repo is the managed repository as clients see it.
type repo struct {
	srv   *Server
	files *repository.Managed
	id    ice.Identity

	runningSet
}

// shared are the shared resources: the way to the repositories. Scripts and
// tables are not served.
func (r *repo) shared() Methods {
	none := func(context.Context, *Call) ([]any, error) { return []any{nil}, nil }
	return Methods{
		"repositories":        r.repositories,
		"getScriptRepository": none,
		"acquireProcessor":    none,
		"newTable":            none,
		"openTable":           none,
		"addProcessor":        ignore,
		"removeProcessor":     ignore,
		"areTablesEnabled":    func(context.Context, *Call) ([]any, error) { return []any{false}, nil },
	}
}

// repositories lists the one repository there is, and opens it to the session.
func (r *repo) repositories(_ context.Context, c *Call) (out []any, err error) {
	c.Session.Admit(r.id)
	// Asked before the view is open: a second one inside it would wait behind a
	// writer that waits for the first.
	row := r.files.Description()
	err = c.View(func(tx *store.Tx, who *Caller) error {
		out = []any{r.srv.defs.NewRecord("::omero::grid::RepositoryMap").
			Set("descriptions", c.Objects(tx, who, row)).
			Set("proxies", []any{r.srv.proxy(r.id)})}
		return nil
	})
	return out, err
}

// Method implements Servant.
func (r *repo) Method(operation string) Method {
	switch operation {
	case "root":
		return func(_ context.Context, c *Call) ([]any, error) {
			row := r.files.Description() // before the view is open, see repositories
			return c.row(func(*store.Tx, *Caller) (*store.Row, error) { return row, nil })
		}
	case "list":
		return r.list
	case "listFiles":
		return r.listFiles
	case "treeList":
		return r.treeList
	case "fileExists":
		return func(_ context.Context, c *Call) ([]any, error) {
			ok, err := r.files.Exists(Arg[string](c, 0))
			return one(ok, diskError(err))
		}
	case "mimetype":
		return func(_ context.Context, c *Call) ([]any, error) {
			t, err := r.files.MediaType(Arg[string](c, 0))
			return one(t, diskError(err))
		}
	case "makeDir":
		return r.makeDir
	case "register":
		return r.register
	case "file":
		return r.file
	case "fileById":
		return func(_ context.Context, c *Call) ([]any, error) { return one(r.open(c, Arg[int64](c, 0), true)) }
	case "deletePaths":
		return r.deletePaths
	case "importFileset":
		return r.importFileset
	case "importPaths":
		return r.importPaths
	case "listImports":
		return r.listImports
	case "listChecksumAlgorithms":
		return r.listAlgorithms
	case "suggestChecksumAlgorithm":
		return r.suggestAlgorithm
	case "verifyChecksums":
		return r.verifyChecksums
	case "setChecksumAlgorithm":
		return r.setAlgorithm
	}
	return nil
}

// readable returns what of a directory the caller can see: paths and their
// rows.
func (r *repo) readable(c *Call, dir string) (paths []string, rows []*store.Row, err error) {
	all, err := r.files.List(dir)
	if err != nil {
		return nil, nil, diskError(err)
	}
	for _, p := range all {
		row, err := r.files.Lookup(p)
		if err != nil {
			continue // a name that no client can use
		}
		if row == nil {
			continue
		}
		err = c.View(func(tx *store.Tx, who *Caller) error {
			if who.CanRead(tx, row) {
				paths, rows = append(paths, p), append(rows, row)
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return paths, rows, nil
}

func (r *repo) list(_ context.Context, c *Call) ([]any, error) {
	paths, _, err := r.readable(c, Arg[string](c, 0))
	if paths == nil {
		paths = []string{}
	}
	return one(paths, err)
}

func (r *repo) listFiles(_ context.Context, c *Call) ([]any, error) {
	_, rows, err := r.readable(c, Arg[string](c, 0))
	if err != nil {
		return nil, err
	}
	return c.rows(func(*store.Tx, *Caller) ([]*store.Row, error) { return rows, nil })
}

// treeList describes a directory and what lies below it: a map from each name
// to a map with id, mimetype, size and, of directories, files.
func (r *repo) treeList(_ context.Context, c *Call) ([]any, error) {
	tree, err := r.tree(c, Arg[string](c, 0), 0)
	if err != nil {
		return nil, err
	}
	return []any{tree}, nil
}

// maxTreeDepth bounds treeList.
const maxTreeDepth = 100

func (r *repo) tree(c *Call, dir string, depth int) (*ice.Object, error) {
	if depth > maxTreeDepth {
		return nil, Fail(APIUsage, "the tree is too deep")
	}
	paths, rows, err := r.readable(c, dir)
	if err != nil {
		return nil, err
	}
	s := r.srv
	out := ice.Dict{}
	for i, row := range rows {
		size, _ := row.Get("size").(int64)
		entry := ice.Dict{
			{Key: "id", Value: s.RLong(row.ID)}, {Key: "mimetype", Value: s.RString(row.Text("mimetype"))}, {Key: "size", Value: s.RLong(size)},
		}
		if repository.IsDirectory(row) {
			below, err := r.tree(c, paths[i], depth+1)
			if err != nil {
				return nil, err
			}
			entry = append(entry, ice.Pair{Key: "files", Value: below})
		}
		out = append(out, ice.Pair{Key: path.Base(paths[i]), Value: s.rtype("RMap", entry)})
	}
	return s.rtype("RMap", out), nil
}

// writer is who writes into the repository by a call: not an answer to all
// groups, and somebody who may write in the group of the call.
func (c *Call) writer() (*Caller, error) {
	var out *Caller
	err := c.View(func(_ *store.Tx, who *Caller) error {
		if who.Group == AllGroups {
			return Fail(SecurityViolation, "files cannot be created in all groups: name one with omero.group")
		}
		if !who.canWriteIn(who.Group) {
			return Fail(SecurityViolation, "creating files in group %d not permitted for %s", who.Group, who.Name)
		}
		out = who
		return nil
	})
	return out, err
}

func (r *repo) makeDir(_ context.Context, c *Call) ([]any, error) {
	who, err := c.writer()
	if err != nil {
		return nil, err
	}
	return nil, diskError(r.files.MakeDir(who.Actor(), Arg[string](c, 0), Arg[bool](c, 1)))
}

// register makes a row for a file that is there but not known.
func (r *repo) register(_ context.Context, c *Call) ([]any, error) {
	who, err := c.writer()
	if err != nil {
		return nil, err
	}
	p := Arg[string](c, 0)
	if ok, err := r.files.Exists(p); err != nil || !ok {
		return nil, diskError(errors.Join(err, fs.ErrNotExist))
	}
	row, err := r.files.Lookup(p)
	if err == nil && row == nil {
		mimetype, _ := unbox(c.Args[1]).(string)
		row, err = r.files.Create(who.Actor(), p, mimetype)
	}
	if err != nil {
		return nil, diskError(err)
	}
	return c.row(func(*store.Tx, *Caller) (*store.Row, error) { return row, nil })
}

// file opens a file by its path; in a mode with "w" it makes one that is not
// there.
func (r *repo) file(_ context.Context, c *Call) ([]any, error) {
	p, mode := Arg[string](c, 0), Arg[string](c, 1)
	if mode != "r" && mode != "rw" {
		return nil, Fail(APIUsage, "unknown mode %q", mode)
	}
	row, err := r.files.Lookup(p)
	if err != nil {
		return nil, diskError(err)
	}
	if row == nil && mode == "r" {
		return nil, Fail(ResourceProblem, "Cannot find path: %s", p)
	}
	if row == nil {
		who, err := c.writer()
		if err != nil {
			return nil, err
		}
		if row, err = r.files.Create(who.Actor(), p, ""); err != nil {
			return nil, diskError(err)
		}
	}
	return one(r.open(c, row.ID, mode == "r"))
}

// open makes a store for one file of the repository.
func (r *repo) open(c *Call, id int64, readOnly bool) (*ice.Proxy, error) {
	if row := r.srv.store.Get("OriginalFile", id); row == nil || !r.files.Managed(row) {
		return nil, Fail(Validation, "file %d is not in this repository", id)
	}
	f := &rawFile{srv: r.srv, files: r.files, fixed: true}
	if err := f.set(c, id, readOnly); err != nil {
		return nil, err
	}
	return c.Session.Activate(newUUID()+"omero.api.RawFileStore", "::omero::api::RawFileStore", f, true), nil
}

// deletePaths deletes files, and what lies below directories when that is
// asked for.
func (r *repo) deletePaths(_ context.Context, c *Call) ([]any, error) {
	recursively := Arg[bool](c, 1)
	var ids []int64
	var add func(p string, row *store.Row) error
	add = func(p string, row *store.Row) error {
		if repository.IsDirectory(row) {
			paths, rows, err := r.readable(c, p)
			if err != nil {
				return err
			}
			if len(rows) > 0 && !recursively {
				return Fail("::omero::grid::FileDeleteException", "directory %s is not empty", p)
			}
			for i := range rows {
				if err := add(paths[i], rows[i]); err != nil {
					return err
				}
			}
		}
		ids = append(ids, row.ID)
		return nil
	}
	for _, p := range Arg[[]string](c, 0) {
		row, err := r.files.Lookup(p)
		if err != nil {
			return nil, diskError(err)
		}
		if row == nil {
			return nil, Fail(ResourceProblem, "Cannot find path: %s", p)
		}
		if err := add(p, row); err != nil {
			return nil, err
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	req := r.srv.defs.New("::omero::cmd::Delete2").Set("targetObjects", ice.Dict{{Key: "OriginalFile", Value: ids}})
	return one(c.Start(req, r.srv.stepsOf(req), r.srv.request(req)))
}
