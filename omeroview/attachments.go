package omeroview

import (
	"context"
	"errors"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// attachmentList are the files of the file annotations that belong into the
// folder of a pack.
type attachmentList struct {
	files map[int64]omero.Annotation // by the annotation's id
	names *nameTable
	order []int64
	mtime time.Time
}

func newAttachmentList(list []omero.Annotation) *attachmentList {
	l := &attachmentList{files: make(map[int64]omero.Annotation, len(list))}
	var named []Named
	for _, a := range list {
		if _, twice := l.files[a.ID]; twice || a.Kind != omero.FileAnnotation || a.File.ID == 0 {
			continue
		}
		l.files[a.ID] = a
		l.order = append(l.order, a.ID)
		named = append(named, Named{a.ID, a.File.Name})
		if a.Updated.After(l.mtime) {
			l.mtime = a.Updated
		}
	}
	l.names = assignNames(named, plainRules)
	return l
}

func (a *account) attachments(ctx context.Context, p packRef) (*attachmentList, error) {
	return remember(ctx, a, "attachments/"+p.String(), func(ctx context.Context) (*attachmentList, error) {
		list, err := a.c.FileAnnotationsIn(ctx, p.kind, p.id, OwnNamespaces)
		if err != nil {
			return nil, treeError("list attachments", err)
		}
		return newAttachmentList(list), nil
	})
}

// attachmentsDir holds the files of file annotations.
type attachmentsDir struct {
	node
	pack packRef
}

var (
	_ tree.Dir     = (*attachmentsDir)(nil)
	_ tree.Remover = (*attachmentsDir)(nil)
	_ tree.Renamer = (*attachmentsDir)(nil)
)

func attachmentsNode(dir node, p packRef) *attachmentsDir {
	n := dir
	n.key += "/" + attachmentsName
	return &attachmentsDir{node: n, pack: p}
}

func (d *attachmentsDir) list(ctx context.Context) (*attachmentList, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	return a.attachments(ctx, d.pack)
}

func (d *attachmentsDir) Attr(ctx context.Context) (tree.Attr, error) {
	l, err := d.list(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	if len(l.files) == 0 {
		return tree.Attr{}, tree.Errorf(tree.ErrNotFound, "there are no attachments any more")
	}
	return d.dirAttr(l.mtime, modeDir), nil
}

func (d *attachmentsDir) file(id int64) *attachmentFile {
	return &attachmentFile{node: d.child("a", id), pack: d.pack, id: id}
}

func (d *attachmentsDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	l, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := l.names.lookup(name)
	if !ok {
		return nil, noSuch(name)
	}
	return d.file(id), nil
}

func (d *attachmentsDir) List(ctx context.Context) ([]tree.Entry, error) {
	l, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]tree.Entry, len(l.order))
	for i, id := range l.order {
		f := d.file(id)
		entries[i] = tree.Entry{Name: l.names.names[id], Kind: tree.KindFile, Ino: f.ino(), Node: f}
	}
	return entries, nil
}

// Unlink refuses: what is live is not removed by file operations.
func (d *attachmentsDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *attachmentsDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *attachmentsDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

// attachmentFile is the file of a file annotation.
type attachmentFile struct {
	node
	pack packRef
	id   int64
}

var (
	_ tree.File   = (*attachmentFile)(nil)
	_ tree.XAttrs = (*attachmentFile)(nil)
)

func (f *attachmentFile) find(ctx context.Context) (omero.Annotation, *account, error) {
	a, err := f.account(ctx)
	if err != nil {
		return omero.Annotation{}, nil, err
	}
	l, err := a.attachments(ctx, f.pack)
	if err != nil {
		return omero.Annotation{}, nil, err
	}
	an, ok := l.files[f.id]
	if !ok {
		return omero.Annotation{}, nil, tree.Errorf(tree.ErrNotFound, "the attachment is not there any more")
	}
	return an, a, nil
}

func (f *attachmentFile) Attr(ctx context.Context) (tree.Attr, error) {
	an, _, err := f.find(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return f.fileAttr(f.ino(), an.File.Size, an.File.Modified), nil
}

func (f *attachmentFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, readOnly()
	}
	an, a, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	// An attachment, such as the data of a table, may be written anew in place.
	r := a.c.OpenFile(an.File)
	if err := r.Check(ctx); err != nil {
		return nil, errors.Join(notGiven("this attachment", err), r.Close())
	}
	return &attachmentHandle{remoteHandle{r: r}}, nil
}

// attachmentHandle reads an attachment.
type attachmentHandle struct{ remoteHandle }

// Cache drops the content at the next open.
func (h *attachmentHandle) Cache() tree.Cache { return tree.CacheDefault }

func (f *attachmentFile) Getxattr(ctx context.Context, name string) ([]byte, error) {
	an, _, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	return objectXattrs("FileAnnotation", an.ID, an.Owner, an.Group).get(name)
}

func (f *attachmentFile) Listxattr(ctx context.Context) ([]string, error) {
	an, _, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	return objectXattrs("FileAnnotation", an.ID, an.Owner, an.Group).list(), nil
}
