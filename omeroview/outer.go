package omeroview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// outerDir is a pack of packs: a project with its datasets, or a screen with
// its plates, and what describes them.
type outerDir struct {
	node
	kind omero.Kind
	id   int64
}

var (
	_ tree.Dir     = (*outerDir)(nil)
	_ tree.Remover = (*outerDir)(nil)
	_ tree.Renamer = (*outerDir)(nil)
	_ tree.XAttrs  = (*outerDir)(nil)
)

// innerKind is what each kind of outer pack holds.
var innerKind = map[omero.Kind]omero.Kind{omero.KindProject: omero.KindDataset, omero.KindScreen: omero.KindPlate}

// keyOf is what each kind of pack is called in the keys of nodes.
var keyOf = map[omero.Kind]string{omero.KindProject: "P", omero.KindDataset: "D", omero.KindScreen: "S", omero.KindPlate: "p"}

func (d *outerDir) object(ctx context.Context) (omero.Container, error) {
	a, err := d.account(ctx)
	if err != nil {
		return omero.Container{}, err
	}
	return container(ctx, func(ctx context.Context) (*containerList, error) { return a.owned(ctx, d.kind, d.group, d.user) }, d.id)
}

func (d *outerDir) Attr(ctx context.Context) (tree.Attr, error) {
	o, err := d.object(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return d.dirAttr(o.Updated, modeDir), nil
}

func (d *outerDir) dir(id int64) tree.Dir {
	kind := innerKind[d.kind]
	return &innerDir{node: d.child(keyOf[kind], id), kind: kind, id: id, in: d.pack()}
}

func (d *outerDir) pack() packRef { return packRef{kind: d.kind, id: d.id} }

func (d *outerDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if n, err := lookupGenerated(ctx, a, d.node, d.pack(), name); n != nil || err != nil {
		return n, err
	}
	list, err := a.inside(ctx, d.pack())
	if err != nil {
		return nil, treeError("look up a folder", err)
	}
	id, ok := list.names.lookup(name)
	if !ok {
		return nil, noSuch(name)
	}
	n := d.dir(id)
	d.looked(ctx, name, n)
	return n, nil
}

func (d *outerDir) List(ctx context.Context) ([]tree.Entry, error) {
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
	list, err := a.inside(ctx, d.pack())
	if err != nil {
		return nil, treeError("list folders", err)
	}
	return append(entries, listContainers(list, d.dir)...), nil
}

// Unlink refuses: what is live is not removed by file operations.
func (d *outerDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *outerDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *outerDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

func (d *outerDir) xattrs(ctx context.Context) (xattrs, error) {
	o, err := d.object(ctx)
	if err != nil {
		return nil, err
	}
	return objectXattrs(string(d.kind), o.ID, o.Owner, o.Group), nil
}

func (d *outerDir) Getxattr(ctx context.Context, name string) ([]byte, error) {
	x, err := d.xattrs(ctx)
	if err != nil {
		return nil, err
	}
	return x.get(name)
}

func (d *outerDir) Listxattr(ctx context.Context) ([]string, error) {
	x, err := d.xattrs(ctx)
	return x.list(), err
}
