package omeroview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// projectDir is a project as a pack: its datasets, and what describes them.
type projectDir struct {
	node
	id int64
}

var (
	_ tree.Dir     = (*projectDir)(nil)
	_ tree.Remover = (*projectDir)(nil)
	_ tree.Renamer = (*projectDir)(nil)
	_ tree.XAttrs  = (*projectDir)(nil)
)

func (d *projectDir) object(ctx context.Context) (omero.Container, error) {
	a, err := d.account(ctx)
	if err != nil {
		return omero.Container{}, err
	}
	return container(ctx, func(ctx context.Context) (*containerList, error) { return a.projects(ctx, d.group, d.user) }, d.id)
}

func (d *projectDir) Attr(ctx context.Context) (tree.Attr, error) {
	o, err := d.object(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return d.dirAttr(o.Updated, modeDir), nil
}

func (d *projectDir) dir(id int64) tree.Dir {
	return &datasetDir{node: d.child("D", id), id: id, project: d.id}
}

func (d *projectDir) pack() packRef { return packRef{kind: omero.KindProject, id: d.id} }

func (d *projectDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if n, err := lookupGenerated(ctx, a, d.node, d.pack(), name); n != nil || err != nil {
		return n, err
	}
	list, err := a.datasetsOf(ctx, d.id)
	if err != nil {
		return nil, treeError("look up a dataset", err)
	}
	id, ok := list.names.lookup(name)
	if !ok {
		return nil, noSuch(name)
	}
	return d.dir(id), nil
}

func (d *projectDir) List(ctx context.Context) ([]tree.Entry, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := d.object(ctx); err != nil {
		return nil, err
	}
	entries, err := listGenerated(ctx, a, d.node, d.pack())
	if err != nil {
		return nil, err
	}
	list, err := a.datasetsOf(ctx, d.id)
	if err != nil {
		return nil, treeError("list datasets", err)
	}
	return append(entries, listContainers(list, d.dir)...), nil
}

// Unlink refuses: what is live is not removed by file operations.
func (d *projectDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *projectDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *projectDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

func (d *projectDir) xattrs(ctx context.Context) (xattrs, error) {
	o, err := d.object(ctx)
	if err != nil {
		return nil, err
	}
	return objectXattrs(string(omero.KindProject), o.ID, o.Owner, o.Group), nil
}

func (d *projectDir) Getxattr(ctx context.Context, name string) ([]byte, error) {
	x, err := d.xattrs(ctx)
	if err != nil {
		return nil, err
	}
	return x.get(name)
}

func (d *projectDir) Listxattr(ctx context.Context) ([]string, error) {
	x, err := d.xattrs(ctx)
	return x.list(), err
}
