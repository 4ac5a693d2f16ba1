package omeroview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// datasetDir is a dataset as a pack: the files of its images, and what
// describes them.
type datasetDir struct {
	node
	id      int64
	project int64 // that shows it, 0 for none
}

var (
	_ tree.Dir     = (*datasetDir)(nil)
	_ tree.Remover = (*datasetDir)(nil)
	_ tree.Renamer = (*datasetDir)(nil)
	_ tree.XAttrs  = (*datasetDir)(nil)
)

func (d *datasetDir) object(ctx context.Context) (omero.Container, error) {
	a, err := d.account(ctx)
	if err != nil {
		return omero.Container{}, err
	}
	return container(ctx, func(ctx context.Context) (*containerList, error) {
		if d.project != 0 {
			return a.datasetsOf(ctx, d.project)
		}
		return a.orphanDatasets(ctx, d.group, d.user)
	}, d.id)
}

func (d *datasetDir) Attr(ctx context.Context) (tree.Attr, error) {
	o, err := d.object(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return d.dirAttr(o.Updated, modeDir), nil
}

func (d *datasetDir) pack() packRef { return packRef{kind: omero.KindDataset, id: d.id} }

func (d *datasetDir) shelf(ctx context.Context, a *account) (*shelf, error) {
	return a.imagesOf(ctx, d.id)
}

func (d *datasetDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if n, err := lookupGenerated(ctx, a, d.node, d.pack(), name); n != nil || err != nil {
		return n, err
	}
	return lookupItem(ctx, a, d.node, d.shelf, name)
}

func (d *datasetDir) List(ctx context.Context) ([]tree.Entry, error) {
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
	items, err := listItems(ctx, a, d.node, d.shelf)
	if err != nil {
		return nil, err
	}
	return append(entries, items...), nil
}

// Unlink refuses: what is live is not removed by file operations.
func (d *datasetDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *datasetDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *datasetDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

func (d *datasetDir) xattrs(ctx context.Context) (xattrs, error) {
	o, err := d.object(ctx)
	if err != nil {
		return nil, err
	}
	return objectXattrs(string(omero.KindDataset), o.ID, o.Owner, o.Group), nil
}

func (d *datasetDir) Getxattr(ctx context.Context, name string) ([]byte, error) {
	x, err := d.xattrs(ctx)
	if err != nil {
		return nil, err
	}
	return x.get(name)
}

func (d *datasetDir) Listxattr(ctx context.Context) ([]string, error) {
	x, err := d.xattrs(ctx)
	return x.list(), err
}
