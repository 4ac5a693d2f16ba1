// Package sample fills the sandbox's OMERO server with a small study that looks
// like a laboratory's: drawn here, so that the binary carries no pictures, and
// the same on every run. It also imports a folder of real images.
package sample

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// Target is the server to be filled.
type Target struct {
	Store *store.Store
	Files *repository.Managed
	// SetPassword stores a user's password; nil leaves users without one.
	SetPassword func(user int64, password string) error
}

// Account is a user that can log in.
type Account struct {
	ID       int64
	Name     string
	Password string
	Group    string // the default group
}

// The groups of the study.
const (
	LabGroup     = "lab"     // members see and annotate each other's data
	PrivateGroup = "private" // members see their own data only
)

// Permission bits of the groups.
const (
	permPrivate  = -120 // rw----
	permAnnotate = -40  // rwra--
)

// Namespaces that OMERO's own clients use.
const (
	nsMap    = "openmicroscopy.org/omero/client/mapAnnotation"
	nsRating = "openmicroscopy.org/omero/insight/rating"
	nsTagSet = "openmicroscopy.org/omero/insight/tagset"
)

// loader writes as one user in one group.
type loader struct {
	ctx   context.Context
	t     Target
	actor store.Actor
}

// as returns a loader for another user or group.
func (l *loader) as(user, group int64) *loader {
	return &loader{ctx: l.ctx, t: l.t, actor: store.Actor{User: user, Group: group}}
}

// create makes one object.
func (l *loader) create(class string, v store.Values) (row *store.Row, err error) {
	err = l.t.Store.Write(l.actor, func(a *store.Author) error {
		row, err = a.Create(class, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make a %s: %w", class, err)
	}
	return row, nil
}

// rename gives an object another name, which may be longer than an import
// allows.
func (l *loader) rename(class string, id int64, name string) error {
	return l.t.Store.Write(l.actor, func(a *store.Author) error {
		row := a.Tx().Get(a.Tx().Model().Class(class), id).Clone()
		if err := a.Tx().Fill(row, store.Values{"name": name}); err != nil {
			return err
		}
		a.Update(row)
		return nil
	})
}

// source is a file to be imported: where it lay at its owner's, and its bytes.
type source struct {
	clientPath string
	open       func() (io.ReadCloser, error)
}

// sources makes sources of written files below a folder.
func sources(dir string, files ...imaging.NamedFile) []source {
	var out []source
	for _, f := range files {
		out = append(out, source{
			clientPath: dir + "/" + f.Name,
			open:       func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Data)), nil },
		})
	}
	return out
}

// load imports files as one fileset. The reader decides how the server lays the
// files out; empty lets it guess.
func (l *loader) load(files []source, reader string, s repository.Settings) (*repository.Result, error) {
	u := repository.Upload{Algorithm: repository.DefaultAlgorithm}
	if reader != "" {
		u.VersionInfo = []store.NamedValue{{Name: "bioformats.reader", Value: reader}}
	}
	for _, f := range files {
		u.ClientPaths = append(u.ClientPaths, f.clientPath)
	}
	im, err := l.t.Files.Begin(l.actor, u)
	if err != nil {
		return nil, err
	}
	for i, f := range files {
		if err := l.ctx.Err(); err != nil {
			return nil, err
		}
		r, err := f.open()
		if err != nil {
			return nil, err
		}
		err = im.CopyIn(i, r)
		r.Close()
		if err != nil {
			return nil, err
		}
	}
	out, err := im.Run(l.ctx, s, func(int) {})
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", files[0].clientPath, err)
	}
	return out, nil
}

// link links an annotation to an object.
func (l *loader) link(class string, parent, annotation *store.Row) error {
	_, err := l.create(class+"AnnotationLink", store.Values{"parent": parent, "child": annotation})
	return err
}

// annotate makes an annotation and links it to an object.
func (l *loader) annotate(class string, parent *store.Row, kind string, v store.Values) (*store.Row, error) {
	row, err := l.create(kind, v)
	if err != nil {
		return nil, err
	}
	return row, l.link(class, parent, row)
}

// attach makes a file annotation.
func (l *loader) attach(class string, parent *store.Row, name, mimetype string, data []byte) error {
	file, err := l.t.Files.AddFile(l.actor, name, "./", mimetype, data)
	if err != nil {
		return fmt.Errorf("attach %s: %w", name, err)
	}
	_, err = l.annotate(class, parent, "FileAnnotation", store.Values{"file": file, "description": "attached to the sample study"})
	return err
}

// dataset makes a dataset and, unless project is nil, puts it there.
func (l *loader) dataset(project *store.Row, name, description string) (*store.Row, error) {
	v := store.Values{"name": name}
	if description != "" {
		v["description"] = description
	}
	row, err := l.create("Dataset", v)
	if err != nil || project == nil {
		return row, err
	}
	_, err = l.create("ProjectDatasetLink", store.Values{"parent": project, "child": row})
	return row, err
}

// into are settings that put images into a dataset.
func into(dataset *store.Row) repository.Settings {
	return repository.Settings{TargetClass: "Dataset", Target: dataset.ID}
}
