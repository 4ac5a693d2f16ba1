package omeroview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// innerDir is a dataset or a plate as a pack: the files of its images, and what
// describes them.
type innerDir struct {
	node
	kind omero.Kind
	id   int64
	in   packRef // the project or screen that shows it; zero for none
}

var (
	_ tree.Dir     = (*innerDir)(nil)
	_ tree.Remover = (*innerDir)(nil)
	_ tree.Renamer = (*innerDir)(nil)
	_ tree.XAttrs  = (*innerDir)(nil)
)

func (d *innerDir) object(ctx context.Context) (omero.Container, error) {
	a, err := d.account(ctx)
	if err != nil {
		return omero.Container{}, err
	}
	return container(ctx, func(ctx context.Context) (*containerList, error) {
		if d.in.id != 0 {
			return a.inside(ctx, d.in)
		}
		return a.orphans(ctx, d.kind, d.group, d.user)
	}, d.id)
}

func (d *innerDir) Attr(ctx context.Context) (tree.Attr, error) {
	o, err := d.object(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return d.dirAttr(o.Updated, modeDir), nil
}

func (d *innerDir) pack() packRef { return packRef{kind: d.kind, id: d.id, nested: d.in.id != 0} }

func (d *innerDir) shelf(ctx context.Context, a *account) (*shelf, error) {
	return a.imagesOf(ctx, d.pack())
}

func (d *innerDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if n, err := lookupGenerated(ctx, a, d.node, d.pack(), name); n != nil || err != nil {
		return n, err
	}
	return lookupItem(ctx, a, d.node, d.shelf, name)
}

func (d *innerDir) List(ctx context.Context) ([]tree.Entry, error) {
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
func (d *innerDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *innerDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *innerDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

func (d *innerDir) xattrs(ctx context.Context) (xattrs, error) {
	o, err := d.object(ctx)
	if err != nil {
		return nil, err
	}
	return objectXattrs(string(d.kind), o.ID, o.Owner, o.Group), nil
}

func (d *innerDir) Getxattr(ctx context.Context, name string) ([]byte, error) {
	x, err := d.xattrs(ctx)
	if err != nil {
		return nil, err
	}
	return x.get(name)
}

func (d *innerDir) Listxattr(ctx context.Context) ([]string, error) {
	x, err := d.xattrs(ctx)
	return x.list(), err
}
