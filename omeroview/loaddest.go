package omeroview

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/transfer"
)

// loadDestination makes the objects of one load in one group.
type loadDestination struct {
	client *omero.Client
	group  int64
	host   string
	// parent is the live container that the top object is put into, zero for
	// none.
	parent omero.Ref
}

var _ transfer.Destination = (*loadDestination)(nil)

// Name implements transfer.Destination.
func (d *loadDestination) Name() string { return d.host }

func (d *loadDestination) in(ctx context.Context) context.Context { return omero.InGroup(ctx, d.group) }

// Upload implements transfer.Destination.
func (d *loadDestination) Upload(ctx context.Context, spec transfer.FilesetSpec, begun func(int64)) (transfer.Upload, error) {
	ctx = d.in(ctx)
	is := omero.ImportSpec{
		Reader: spec.Reader, Thumbnails: true,
		Annotations: []omero.Annotation{loadingMark("image", spec.Load)},
	}
	is.Info = append(is.Info, omero.Pair{Key: omero.InfoPrefix + "load", Value: spec.Load})
	for _, p := range spec.Info {
		if strings.HasPrefix(p.Key, omero.InfoPrefix) {
			continue // it would be another load's mark
		}
		is.Info = append(is.Info, omero.Pair{Key: p.Key, Value: p.Value})
	}
	for _, f := range spec.Files {
		is.ClientPaths = append(is.ClientPaths, f.Name)
	}
	imp, err := d.client.BeginImport(ctx, is)
	if err != nil {
		return nil, loadError("begin the import", err)
	}
	begun(imp.Fileset())
	u := loadUpload{imp, d}
	for i, f := range spec.Files {
		hash, size, err := imp.Upload(ctx, i, &progressReader{r: io.NewSectionReader(f.Content, 0, f.Size), tell: spec.Progress})
		if err == nil && (size != f.Size || (f.SHA1 != nil && hash != fmt.Sprintf("%x", f.SHA1))) {
			err = fmt.Errorf("%s changed while it was sent", f.Name)
		}
		if err != nil {
			return nil, loadError("take the files", errors.Join(err, u.Abort(ctx)))
		}
	}
	return u, nil
}

// loadUpload is an uploaded fileset of a load.
type loadUpload struct {
	imp  *omero.Import
	dest *loadDestination
}

// Import implements transfer.Upload.
func (u loadUpload) Import(ctx context.Context) (transfer.Imported, error) {
	ctx = u.dest.in(ctx)
	res, err := u.imp.Finish(ctx, nil)
	if err != nil {
		return transfer.Imported{}, loadError("import", errors.Join(err, u.Abort(ctx)))
	}
	return transfer.Imported{Fileset: res.Fileset, Images: res.Images}, nil
}

// Abort implements transfer.Upload.
func (u loadUpload) Abort(ctx context.Context) error {
	if err := u.imp.Abort(u.dest.in(ctx)); err != nil {
		return fmt.Errorf("remove fileset %d: %w", u.imp.Fileset(), err)
	}
	return nil
}

// UploadFile implements transfer.Destination.
func (d *loadDestination) UploadFile(ctx context.Context, spec transfer.FileSpec, begun func(int64)) (int64, error) {
	f, err := d.client.UploadFile(d.in(ctx), omero.FileSpec{Name: spec.Name, Path: spec.Dir, Mimetype: spec.MediaType, Begun: begun},
		io.NewSectionReader(spec.Content, 0, spec.Size))
	if err != nil {
		return 0, loadError("store the attachment", err)
	}
	return f.ID, nil
}

// findLoad looks for what a load has made whose last answer was lost. It asks
// for a while, because the server may still be at it.
func (d *loadDestination) findLoad(ctx context.Context, load string, kind omero.Kind) (id int64, found bool, err error) {
	for try := range 4 {
		if try > 0 {
			select {
			case <-ctx.Done():
				return 0, false, ctx.Err()
			case <-time.After(time.Duration(try) * time.Second):
			}
		}
		var notes []int64
		notes, err = d.client.OwnAnnotations(ctx, omero.MapAnnotation, LoadNamespace, load)
		if err != nil || len(notes) == 0 {
			continue
		}
		if id, found, err = d.client.AnnotatedObject(ctx, kind, notes[0]); found {
			return id, true, nil
		}
	}
	return 0, false, err
}

// loadError puts a failure of the client into the words and classes of the
// tree.
func loadError(what string, err error) error {
	class := tree.ErrIO
	for from, to := range map[omero.Class]error{
		omero.Denied: tree.ErrDenied, omero.LoginFailed: tree.ErrDenied, omero.ReadOnly: tree.ErrReadOnly,
		omero.NoSpace: tree.ErrNoSpace, omero.Offline: tree.ErrOffline, omero.Timeout: tree.ErrOffline,
		omero.Busy: tree.ErrBusy, omero.CrossGroup: tree.ErrNotPermitted,
	} {
		if errors.Is(err, from) {
			class = to
		}
	}
	return tree.Errorf(class, "OMERO could not %s: %w", what, err)
}

// progressReader tells how much has been read.
type progressReader struct {
	r    io.Reader
	tell func(int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.tell != nil && n > 0 {
		p.tell(int64(n))
	}
	return n, err
}
