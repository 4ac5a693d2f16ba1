package omero

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"omerods/internal/ice"
)

const (
	processInterface    = "::omero::grid::ImportProcess"
	repositoryInterface = "::omero::grid::ManagedRepository"
	// hasherSHA1 is the algorithm that uploads are checked with.
	hasherSHA1 = "SHA1-160"
	// importKey marks the import job of a fileset, by which it is found again
	// when nothing else is known of it.
	importKey = InfoPrefix + "import"
)

// InfoPrefix begins the keys of import info that are marks of this program and
// say nothing of the import.
const InfoPrefix = "omerods."

// ImportSpec says what to import and how.
type ImportSpec struct {
	// ClientPaths are the files in the order that matters: the server opens
	// the first with its reader. Where they differ from what the reader
	// expects of the folders, images are missed; send those that were recorded.
	ClientPaths []string
	// Reader is the class that read the files before, "" when not known.
	Reader string
	// Info is recorded with the import.
	Info []Pair
	// Target is a dataset for images or a screen for plates; zero leaves them
	// in none.
	Target Ref
	// Name of the images; "" takes the file's. With several series each gets
	// its own name behind it.
	Name        string
	Description string
	// Annotations are given to each image or plate.
	Annotations []Annotation
	// SkipStats leaves out the scan for the darkest and brightest pixel, which
	// takes long for large images.
	SkipStats bool
	// Thumbnails are otherwise made when somebody looks.
	Thumbnails bool
}

// Import is a running import. It belongs to the connection it began on: when
// that breaks before Finish, it has failed and is to be aborted.
type Import struct {
	c       *Client
	l       *link
	process *ice.Proxy
	fileset int64
	files   []string // the client paths
	group   int64    // it runs in; only if inGroup
	inGroup bool

	mu     sync.Mutex // guards the fields below
	hashes []string
	closed bool
}

// ImportResult is what an import made.
type ImportResult struct {
	Fileset int64
	Images  []int64 // in the order of their series
	Plates  []int64
}

// BeginImport registers a fileset on the server, in the group of ctx. The
// files are then brought with Upload, in any order and several at a time; at
// the end comes Finish, or Abort.
func (c *Client) BeginImport(ctx context.Context, spec ImportSpec) (*Import, error) {
	fs, settings, key, err := c.importObjects(spec)
	if err != nil {
		return nil, fmt.Errorf("begin import: %w", err)
	}
	l, p, err := c.importFileset(ctx, fs, settings)
	if err != nil {
		return nil, fmt.Errorf("begin import: %w", c.forget(ctx, key, err))
	}
	i := &Import{c: c, l: l, process: p, files: slices.Clone(spec.ClientPaths), hashes: make([]string, len(spec.ClientPaths))}
	i.group, i.inGroup = groupOf(ctx)
	i.fileset, err = c.filesetOfImport(ctx, key)
	if err != nil {
		i.close(ctx)
		return nil, fmt.Errorf("begin import: %w", c.forget(ctx, key, err))
	}
	return i, nil
}

// importFileset registers a fileset. It is tried again only when it was surely
// not done.
func (c *Client) importFileset(ctx context.Context, fs, settings *ice.Object) (*link, *ice.Proxy, error) {
	for try := 1; ; try++ {
		l, err := c.acquire(ctx)
		if err != nil {
			return nil, nil, err
		}
		repo, err := c.repository(ctx, l)
		var p *ice.Proxy
		if err == nil {
			var res []any
			res, err = c.on(ctx, l, repo, repositoryInterface, "importFileset", fs, settings)
			p, err = result[*ice.Proxy]("importFileset", res, err)
		}
		if again(err) && try < linkTries && ctx.Err() == nil {
			continue
		}
		return l, p, err
	}
}

// importObjects makes what importFileset takes, with a key that finds the
// fileset again.
func (c *Client) importObjects(spec ImportSpec) (fs, settings *ice.Object, key string, err error) {
	if len(spec.ClientPaths) == 0 {
		return nil, nil, "", failure(Invalid, "import", "no files")
	}
	if key, err = newUUID(); err != nil {
		return nil, nil, "", err
	}
	info := make([]Pair, 0, len(spec.Info)+2)
	if spec.Reader != "" {
		info = append(info, Pair{ReaderKey, spec.Reader})
	}
	for _, p := range spec.Info {
		if p.Key != ReaderKey && p.Key != importKey {
			info = append(info, p)
		}
	}
	info = append(info, Pair{importKey, key})

	fs = c.fresh(string(KindFileset))
	entries := make([]any, len(spec.ClientPaths))
	for i, p := range spec.ClientPaths {
		entries[i] = c.fresh("FilesetEntry").Set("clientPath", c.rstring(p)).Set("fileset", fs)
	}
	job := c.fresh("UploadJob").Set("versionInfo", c.pairs(info))
	link := c.fresh("FilesetJobLink").Set("parent", fs).Set("child", job)
	fs.Set("usedFilesSeq", entries).Set("usedFilesLoaded", true).
		Set("jobLinksSeq", []any{link}).Set("jobLinksLoaded", true)

	settings = c.defs.New("::omero::grid::ImportSettings").
		Set("userSpecifiedName", c.optional(spec.Name)).
		Set("userSpecifiedDescription", c.optional(spec.Description)).
		Set("noStatsInfo", c.rbool(spec.SkipStats)).
		Set("doThumbnails", c.rbool(spec.Thumbnails)).
		Set("checksumAlgorithm", c.enumeration("ChecksumAlgorithm", hasherSHA1))
	if spec.Target != (Ref{}) {
		settings.Set("userSpecifiedTarget", c.object(spec.Target))
	}
	var annotations []any
	for _, a := range spec.Annotations {
		o, err := c.annotation(a)
		if err != nil {
			return nil, nil, "", err
		}
		annotations = append(annotations, o)
	}
	if annotations != nil {
		settings.Set("userSpecifiedAnnotationList", annotations)
	}
	return fs, settings, key, nil
}

// repository finds the managed repository. Asking for the list also makes the
// router let requests to it through.
func (c *Client) repository(ctx context.Context, l *link) (*ice.Proxy, error) {
	l.mu.Lock()
	repo := l.repo
	l.mu.Unlock()
	if repo != nil {
		return repo, nil
	}
	shared, err := l.open(ctx, "sharedResources")
	if err != nil {
		return nil, wrap("sharedResources", err)
	}
	res, err := c.on(ctx, l, shared, "::omero::grid::SharedResources", "repositories")
	m, err := result[*ice.Record]("repositories", res, err)
	if err != nil {
		return nil, err
	}
	proxies, _ := m.Get("proxies").([]any)
	for _, v := range proxies {
		p, ok := v.(*ice.Proxy)
		if !ok || p == nil {
			continue
		}
		res, err := c.on(ctx, l, p, repositoryInterface, "ice_isA", repositoryInterface)
		if is, err := result[bool]("ice_isA", res, err); err == nil && is {
			l.mu.Lock()
			l.repo = p
			l.mu.Unlock()
			return p, nil
		}
	}
	return nil, failure(Unsupported, "repositories", "no managed repository")
}

// filesetOfImport finds the fileset that an import has registered.
func (c *Client) filesetOfImport(ctx context.Context, key string) (int64, error) {
	ids, err := c.FilesetsByInfo(ctx, importKey, key)
	if err == nil && len(ids) == 0 {
		err = failure(Internal, "import", "the server registered no fileset")
	}
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// FilesetsByInfo lists the filesets whose import recorded a pair. A caller that
// gives its imports a mark of its own in [ImportSpec.Info] finds them again
// even when it ended before it learned their ids.
func (c *Client) FilesetsByInfo(ctx context.Context, key, value string) ([]int64, error) {
	rows, err := c.rows(ctx, `select l.parent.id from FilesetJobLink l, UploadJob j join j.versionInfo v `+
		`where l.child.id = j.id and v.name = :key and v.value = :value order by l.parent.id`, params{"key": key, "value": value})
	if err != nil {
		return nil, fmt.Errorf("filesets of an import: %w", err)
	}
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.id(0))
	}
	return unique(ids), nil
}

// Fileset is the id of the fileset, which has no images before Finish.
func (i *Import) Fileset() int64 { return i.fileset }

// Upload brings one file, by its place in the list of client paths, and
// returns its SHA-1 in hex and its size. A file may be brought again when that
// failed.
func (i *Import) Upload(ctx context.Context, entry int, r io.Reader) (sha1 string, size int64, err error) {
	if entry < 0 || entry >= len(i.hashes) {
		return "", 0, failure(Invalid, "upload", fmt.Sprintf("no file %d", entry))
	}
	ctx = i.context(ctx)
	res, err := i.c.on(ctx, i.l, i.process, processInterface, "getUploader", int32(entry))
	store, err := result[*ice.Proxy]("getUploader", res, err)
	if err != nil {
		return "", 0, fmt.Errorf("upload: %w", err)
	}
	sha1, size, err = i.c.sendFile(ctx, i.l, store, r)
	if err != nil {
		return "", size, fmt.Errorf("upload: %w", err)
	}
	i.mu.Lock()
	i.hashes[entry] = sha1
	i.mu.Unlock()
	return sha1, size, nil
}

// context keeps the calls of an import in the group that it began in.
func (i *Import) context(ctx context.Context) context.Context {
	if i.inGroup {
		return InGroup(ctx, i.group)
	}
	return ctx
}

// Finish has the server check all files and read their metadata, and returns
// what that made. Nil is fine for progress. When it fails, the fileset is
// still there and is to be aborted.
func (i *Import) Finish(ctx context.Context, progress func(Progress)) (ImportResult, error) {
	ctx = i.context(ctx)
	i.mu.Lock()
	hashes := append([]string{}, i.hashes...)
	i.mu.Unlock()
	for n, h := range hashes {
		if h == "" {
			return ImportResult{}, failure(Invalid, "import", fmt.Sprintf("file %d was not uploaded", n))
		}
	}
	res, err := i.c.on(ctx, i.l, i.process, processInterface, "verifyUpload", hashes)
	handle, err := result[*ice.Proxy]("verifyUpload", res, err)
	if err != nil {
		return ImportResult{}, fmt.Errorf("verify upload: %w", damaged(err, i.files))
	}
	i.close(ctx)
	answer, err := i.c.await(ctx, i.l, handle, progress)
	if answer != nil && answer.IsA("::omero::cmd::ERR") {
		return ImportResult{}, importProblem(answer, i.files)
	}
	if err != nil {
		if ctx.Err() != nil {
			// Closed before its end, the request is cancelled on the server: what
			// it was making is about to be removed.
			i.c.closeProxy(ctx, i.l, handle, handleInterface)
		}
		return ImportResult{}, fmt.Errorf("import: %w", err)
	}
	return i.c.ImportedBy(ctx, i.fileset)
}

// ImportedBy returns what the import of a fileset made.
func (c *Client) ImportedBy(ctx context.Context, fileset int64) (ImportResult, error) {
	images, err := c.ImagesOfFilesets(ctx, []int64{fileset})
	if err != nil {
		return ImportResult{}, err
	}
	out := ImportResult{Fileset: fileset}
	for _, im := range images {
		out.Images = append(out.Images, im.ID)
	}
	rows, err := c.rows(ctx, `select distinct p.id from WellSample s join s.image i join s.well w join w.plate p `+
		`where i.fileset.id = :id order by p.id`, params{"id": fileset})
	if err != nil {
		return ImportResult{}, fmt.Errorf("plates: %w", err)
	}
	for _, r := range rows {
		out.Plates = append(out.Plates, r.id(0))
	}
	return out, nil
}

// Abort ends the import and deletes the fileset with everything in it. It also
// works after Finish, and when the context of the import has been cancelled.
func (i *Import) Abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(i.context(ctx)), cleanupTime)
	defer cancel()
	i.close(ctx)
	return i.c.deleteFilesets(ctx, []int64{i.fileset})
}

// close frees the process on the server, once.
func (i *Import) close(ctx context.Context) {
	i.mu.Lock()
	first := !i.closed
	i.closed = true
	i.mu.Unlock()
	if first && i.l.alive() {
		i.c.closeProxy(ctx, i.l, i.process, processInterface)
	}
}
