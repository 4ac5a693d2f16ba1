package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// nsAutoClose marks the annotation by which a client asks the server to close
// an import by itself.
const nsAutoClose = "openmicroscopy.org/omero/import/autoClose"

// importFileset begins an import: from now on the server waits for the files.
func (r *repo) importFileset(_ context.Context, c *Call) ([]any, error) {
	fileset, settings := Arg[*ice.Object](c, 0), Arg[*ice.Object](c, 1)
	if fileset == nil || settings == nil {
		return nil, Fail(APIUsage, "No paths provided")
	}
	upload := repository.Upload{}
	for _, v := range list(fileset.Get("usedFilesSeq")) {
		entry, _ := v.(*ice.Object)
		if entry == nil {
			return nil, Fail(APIUsage, "a fileset entry is null")
		}
		path, ok := unbox(entry.Get("clientPath")).(string)
		if !ok {
			return nil, Fail(APIUsage, "a fileset entry has no client path")
		}
		upload.ClientPaths = append(upload.ClientPaths, path)
	}
	if len(upload.ClientPaths) == 0 {
		return nil, Fail(APIUsage, "No paths provided")
	}
	info, err := uploadInfo(fileset)
	if err != nil {
		return nil, err
	}
	upload.VersionInfo = info
	algorithm := Arg[*ice.Object](c, 1).Get("checksumAlgorithm")
	if o, _ := algorithm.(*ice.Object); o == nil {
		return nil, Fail(APIUsage, "must specify checksum algorithm")
	}
	upload.Algorithm = r.algorithmName(algorithm.(*ice.Object))
	return one(r.begin(c, upload, settings))
}

// list returns a sequence, nil for anything else.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// uploadInfo reads what the upload job of a fileset says about its client.
func uploadInfo(fileset *ice.Object) ([]store.NamedValue, error) {
	links := list(fileset.Get("jobLinksSeq"))
	if len(links) == 0 {
		return nil, Fail(Validation, "Found no job link on creation")
	}
	if len(links) > 1 {
		return nil, Fail(Validation, "Found more than one job link. Link only updateJob on creation!")
	}
	link, _ := links[0].(*ice.Object)
	if link == nil {
		return nil, Fail(Validation, "Found null job link on creation")
	}
	job, _ := link.Get("child").(*ice.Object)
	if job == nil {
		return nil, Fail(Validation, "Found null-UploadJob on creation")
	}
	if !job.IsA("::omero::model::UploadJob") {
		return nil, Fail(Validation, "Found non-UploadJob on creation: %s", job.Class.ID)
	}
	info, _ := namedValues(job.Get("versionInfo")).([]store.NamedValue)
	return info, nil
}

// importPaths begins an import of paths with the settings of the server.
func (r *repo) importPaths(_ context.Context, c *Call) ([]any, error) {
	upload := repository.Upload{
		ClientPaths: Arg[[]string](c, 0), Algorithm: repository.DefaultAlgorithm,
		VersionInfo: []store.NamedValue{{Name: "bioformats.reader", Value: "Unknown"}},
	}
	settings := r.srv.defs.New("::omero::grid::ImportSettings").
		Set("checksumAlgorithm", r.srv.defs.New("::omero::model::ChecksumAlgorithm").Set("loaded", true).Set("value", r.srv.RString(upload.Algorithm)))
	return one(r.begin(c, upload, settings))
}

// begin makes the fileset and the object that the client follows it by.
func (r *repo) begin(c *Call, upload repository.Upload, settings *ice.Object) (*ice.Proxy, error) {
	who, err := c.writer()
	if err != nil {
		return nil, err
	}
	im, err := r.files.Begin(who.Actor(), upload)
	if err != nil {
		return nil, diskError(err)
	}
	p := &importProcess{repo: r, call: *c, im: im, settings: settings, uploaders: make(map[int32]*uploader)}
	p.call.Context = merge(c.Context, nil) // the context in which the import will run
	p.proxy = c.Session.Activate("ImportProcess-"+newUUID(), "::omero::grid::ImportProcess", p, false)
	r.add(p)
	return p.proxy, nil
}

// runSettings turns the client's settings into those of the import.
func (p *importProcess) runSettings() (repository.Settings, bool) {
	in := p.settings
	out := repository.Settings{}
	if target, _ := in.Get("userSpecifiedTarget").(*ice.Object); target != nil {
		out.TargetClass = shortName(target.Class.ID)
		out.Target, _ = unbox(target.Get("id")).(int64)
	}
	if s, ok := unbox(in.Get("userSpecifiedName")).(string); ok {
		out.Name = &s
	}
	if s, ok := unbox(in.Get("userSpecifiedDescription")).(string); ok {
		out.Description = &s
	}
	out.PhysicalSizes, _ = in.Get("userSpecifiedPixels").([]float64)
	if b, ok := unbox(in.Get("doThumbnails")).(bool); ok {
		out.Thumbnails = &b
	}
	out.NoStats, _ = unbox(in.Get("noStatsInfo")).(bool)
	var annotations []any
	autoClose := false
	for _, v := range list(in.Get("userSpecifiedAnnotationList")) {
		o, _ := v.(*ice.Object)
		if o == nil {
			continue
		}
		if ns, _ := unbox(o.Get("ns")).(string); ns == nsAutoClose {
			autoClose = true
			continue
		}
		annotations = append(annotations, o)
	}
	if len(annotations) > 0 {
		out.Annotate = func(a *store.Author) ([]int64, error) { return p.annotations(a, annotations) }
	}
	out.Link = p.mayLink
	return out, autoClose
}

// annotations saves the annotations of the settings, as IUpdate does.
func (p *importProcess) annotations(a *store.Author, list []any) ([]int64, error) {
	who, err := p.call.Caller(a.Tx())
	if err != nil {
		return nil, err
	}
	rows, _, err := p.call.SaveGraph(a.Tx(), who, list)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids, nil
}

// mayLink tells whether the caller may put something into a target.
func (p *importProcess) mayLink(a *store.Author, target *store.Row) error {
	who, err := p.call.Caller(a.Tx())
	if err != nil {
		return err
	}
	switch {
	case !who.CanRead(a.Tx(), target):
		return Fail(Validation, "no %s %d", target.Class.Name, target.ID)
	case target.Group != who.Actor().Group:
		return Fail(GroupViolation, "MIXED GROUP: %s %d is in group %d", target.Class.Name, target.ID, target.Group)
	case !who.Rights(a.Tx(), target).Link:
		return Fail(SecurityViolation, "linking to %s:Id_%d not permitted for %s", target.Class.Name, target.ID, who.Name)
	}
	return nil
}
