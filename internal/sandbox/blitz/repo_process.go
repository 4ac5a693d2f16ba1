package blitz

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// runningSet has the imports that are not closed yet.
type runningSet struct {
	running   map[*importProcess]bool // guarded by runningMu
	runningMu sync.Mutex
}

func (r *runningSet) add(p *importProcess) {
	r.runningMu.Lock()
	defer r.runningMu.Unlock()
	r.running[p] = true
}

func (r *runningSet) remove(p *importProcess) {
	r.runningMu.Lock()
	defer r.runningMu.Unlock()
	delete(r.running, p)
}

// listImports returns the imports that are not closed and whose filesets the
// caller may edit, of all sessions.
func (r *repo) listImports(_ context.Context, c *Call) ([]any, error) {
	r.runningMu.Lock()
	running := slices.Collect(maps.Keys(r.running))
	r.runningMu.Unlock()
	slices.SortFunc(running, func(a, b *importProcess) int { return cmp.Compare(a.im.Fileset, b.im.Fileset) })
	proxies := []any{}
	err := c.View(func(tx *store.Tx, who *Caller) error {
		for _, p := range running {
			row := tx.Get(tx.Model().Class("Fileset"), p.im.Fileset)
			if row != nil && who.CanRead(tx, row) && who.Rights(tx, row).Edit {
				proxies = append(proxies, p.proxy)
			}
		}
		return nil
	})
	return []any{proxies}, err
}

// importProcess is one import of a client.
type importProcess struct {
	repo     *repo
	call     Call // the one that began it: its session, its context
	im       *repository.Import
	settings *ice.Object
	proxy    *ice.Proxy

	mu        sync.Mutex // guards the fields below
	uploaders map[int32]*uploader
	handle    *ice.Proxy // nil before the upload was verified
}

// uploader is the open store of one file of an import.
type uploader struct {
	rawFile
	p     *importProcess
	index int32
	proxy *ice.Proxy
}

// Close implements Closer: only it makes the checksum of the file.
func (u *uploader) Close(ctx context.Context) error {
	u.p.mu.Lock()
	if u.p.uploaders[u.index] == u {
		delete(u.p.uploaders, u.index)
	}
	u.p.mu.Unlock()
	return u.rawFile.Close(ctx)
}

// Method implements Servant.
func (p *importProcess) Method(operation string) Method {
	switch operation {
	case "getUploader":
		return p.getUploader
	case "getUploadOffset":
		return p.getUploadOffset
	case "verifyUpload":
		return p.verifyUpload
	case "getHandle":
		return func(context.Context, *Call) ([]any, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.handle == nil {
				return []any{nil}, nil
			}
			return []any{p.handle}, nil
		}
	case "getImportSettings":
		return func(context.Context, *Call) ([]any, error) { return []any{p.settings}, nil }
	}
	return nil
}

// Close implements Closer. The fileset stays, and an import that runs goes on.
func (p *importProcess) Close(context.Context) error {
	p.repo.remove(p)
	return nil
}

// getUploader returns the store that takes a file. A file whose store is still
// open gets the same one again; in the mode "r" it can only be read.
func (p *importProcess) getUploader(_ context.Context, c *Call) ([]any, error) {
	i := Arg[int32](c, 0)
	if i < 0 || int(i) >= len(p.im.Files) {
		return nil, Fail(APIUsage, "no file %d of %d", i, len(p.im.Files))
	}
	mode := c.Context["omero.fs.mode"]
	if mode != "" && mode != "r" && mode != "rw" {
		return nil, Fail(APIUsage, "unknown mode %q", mode)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.uploaders[i]; u != nil {
		return []any{u.proxy}, nil
	}
	u := &uploader{rawFile: rawFile{srv: p.repo.srv, files: p.repo.files, fixed: true}, p: p, index: i}
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row := tx.Get(tx.Model().Class("OriginalFile"), p.im.Files[i])
		if row == nil || !who.CanRead(tx, row) {
			return Fail(Validation, "file %d of the import is gone", i)
		}
		u.actor = who.Actor()
		u.actor.Group = row.Group
		u.writable = mode != "r" && who.Rights(tx, row).Edit
		return nil
	})
	if err != nil {
		return nil, err
	}
	if u.raw, err = p.repo.files.OpenRaw(p.im.Files[i], u.writable); err != nil {
		return nil, diskError(err)
	}
	u.proxy = c.Session.Activate(newUUID()+"omero.api.RawFileStore", "::omero::api::RawFileStore", u, true)
	p.uploaders[i] = u
	return []any{u.proxy}, nil
}

// getUploadOffset tells how many bytes of a file have arrived as long as its
// store is open, 0 after that.
func (p *importProcess) getUploadOffset(_ context.Context, c *Call) ([]any, error) {
	i := Arg[int32](c, 0)
	if i < 0 || int(i) >= len(p.im.Files) {
		return nil, Fail(APIUsage, "no file %d of %d", i, len(p.im.Files))
	}
	p.mu.Lock()
	u := p.uploaders[i]
	p.mu.Unlock()
	if u == nil {
		return []any{int64(0)}, nil
	}
	n, err := p.im.Size(int(i))
	return one(n, diskError(err))
}

// verifyUpload compares checksums and, when all agree, starts the import.
func (p *importProcess) verifyUpload(_ context.Context, c *Call) ([]any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handle != nil {
		return []any{p.handle}, nil
	}
	failing, err := p.im.Verify(Arg[[]string](c, 0))
	if err != nil {
		return nil, diskError(err)
	}
	if len(failing) > 0 {
		sums := ice.Dict{}
		for i := range p.im.Files {
			if sum, bad := failing[i]; bad {
				sums = append(sums, ice.Pair{Key: int32(i), Value: sum})
			}
		}
		ex := Fail("::omero::ChecksumValidationException", "A checksum mismatch has occured.")
		ex.Values["failingChecksums"] = sums
		return nil, ex
	}
	call := p.call
	request, err := p.request()
	if err != nil {
		return nil, err
	}
	p.handle, err = call.Start(request, repository.Steps, p.run)
	return one(p.handle, err)
}

// request describes the import as clients see it on the handle. Its objects are
// loaded: that is where clients learn the fileset from.
func (p *importProcess) request() (*ice.Object, error) {
	s := p.repo.srv
	var activity, log *ice.Object
	err := p.call.View(func(tx *store.Tx, who *Caller) error {
		m := tx.Model()
		link := tx.Get(m.Class("FilesetJobLink"), p.im.JobLink)
		fileset, file := tx.Get(m.Class("Fileset"), p.im.Fileset), tx.Get(m.Class("OriginalFile"), p.im.LogFile)
		if link == nil || fileset == nil || file == nil {
			return Fail(Validation, "the fileset of the import is gone")
		}
		loaded := p.call.Objects(tx, who, link, fileset, tx.Get(m.Class("Job"), link.Ref("child")), file)
		activity, log = loaded[0].(*ice.Object), loaded[3].(*ice.Object)
		activity.Set("parent", loaded[1]).Set("child", loaded[2])
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.defs.New("::omero::grid::ImportRequest").
		Set("clientUuid", p.call.Context["omero.client.uuid"]).Set("repoUuid", p.repo.files.UUID()).
		Set("process", p.proxy).Set("activity", activity).Set("settings", p.settings).Set("logFile", log).
		Set("location", s.defs.New("::omero::grid::ImportLocation").
			Set("sharedPath", p.im.Prefix()).Set("usedFiles", p.im.Paths())), nil
}

// run works on the import in the background.
func (p *importProcess) run(ctx context.Context, c *Call, req *ice.Object, t *Task) (*ice.Object, error) {
	settings, autoClose := p.runSettings()
	if autoClose {
		defer func() {
			if err := c.Session.Deactivate(context.WithoutCancel(ctx), p.proxy.Identity); err != nil {
				c.Server.log.Warn("close import", "err", err)
			}
		}()
	}
	out, err := p.im.Run(ctx, settings, t.Step)
	if err != nil {
		return p.failed(req, err)
	}
	rsp := c.Server.defs.New("::omero::grid::ImportResponse")
	err = c.View(func(tx *store.Tx, who *Caller) error {
		m := tx.Model()
		var rows []*store.Row
		for _, part := range []struct {
			class string
			ids   []int64
		}{{"Pixels", out.Pixels}, {"Plate", out.Plates}, {"Image", out.Images}} {
			for _, id := range part.ids {
				row := tx.Get(m.Class(part.class), id)
				if row == nil {
					return Fail(Validation, "%s %d is gone", part.class, id)
				}
				rows = append(rows, row)
			}
		}
		objects := c.Objects(tx, who, rows...)
		n := len(out.Pixels)
		rsp.Set("pixels", objects[:n:n]).Set("objects", objects[n:])
		return nil
	})
	return rsp, err
}

// failed makes the answer of an import that went wrong.
func (p *importProcess) failed(req *ice.Object, err error) (*ice.Object, error) {
	var fail *repository.Failure
	if !errors.As(err, &fail) {
		return nil, diskError(err)
	}
	message := fail.Err.Error()
	params := ice.Dict{{Key: "message", Value: message}, {Key: "stacktrace", Value: javaClass(fail.Err) + ": " + message}}
	if fail.Name == "import-file-exception" {
		params = append(params, ice.Pair{Key: "filename", Value: p.im.Paths()[0]})
	}
	return p.repo.srv.Err(req, fail.Name, params), nil
}

// javaClass is the class of the exception that a server has where this one has
// err; its name begins the stack trace.
func javaClass(err error) string {
	var ex *iceserver.Exception
	switch {
	case errors.Is(err, imaging.ErrUnknownFormat):
		return "loci.formats.UnknownFormatException"
	case errors.Is(err, imaging.ErrMissing):
		return "java.io.FileNotFoundException"
	case errors.Is(err, imaging.ErrDamaged):
		return "loci.formats.FormatException"
	case errors.As(err, &ex):
		return "omero." + shortName(ex.ID)
	}
	return "java.lang.RuntimeException"
}
