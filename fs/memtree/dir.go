package memtree

import (
	"context"

	"omerods/fs/tree"
)

// dir is a folder as the filesystem sees it.
type dir struct{ *node }

var (
	_ tree.Dir           = (*dir)(nil)
	_ tree.Creator       = (*dir)(nil)
	_ tree.DirMaker      = (*dir)(nil)
	_ tree.Remover       = (*dir)(nil)
	_ tree.Renamer       = (*dir)(nil)
	_ tree.AttrSetter    = (*dir)(nil)
	_ tree.XAttrs        = (*dir)(nil)
	_ tree.XAttrSetter   = (*dir)(nil)
	_ tree.SpaceTeller   = (*dir)(nil)
	_ tree.AccessChecker = (*dir)(nil)
)

func (d *dir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	if err := d.t.enter(ctx, OpLookup, d.node, name); err != nil {
		return nil, err
	}
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	child, ok := d.children[name]
	if !ok {
		return nil, tree.ErrNotFound
	}
	return child.view(), nil
}

func (d *dir) List(ctx context.Context) ([]tree.Entry, error) {
	if err := d.t.enter(ctx, OpList, d.node, ""); err != nil {
		return nil, err
	}
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	list := make([]tree.Entry, 0, len(d.names))
	for _, name := range d.names {
		n := d.children[name]
		e := tree.Entry{Name: name, Kind: n.attr.Kind, Ino: n.attr.Ino}
		if !n.hidden {
			e.Node = n.view()
		}
		list = append(list, e)
	}
	return list, nil
}

func (d *dir) Create(ctx context.Context, name string, opts tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	if err := d.t.enter(ctx, OpCreate, d.node, name); err != nil {
		return nil, nil, err
	}
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if err := d.alive(); err != nil {
		return nil, nil, err
	}
	n, ok := d.children[name]
	switch {
	case ok && opts.Exclusive:
		return nil, nil, tree.ErrExists
	case ok && n.attr.Kind == tree.KindDir:
		return nil, nil, tree.ErrIsDir
	case !ok:
		c, _ := tree.CallerFrom(ctx)
		n = d.t.newNode(tree.KindFile, opts.Mode, c)
		d.add(name, n)
	case opts.Truncate:
		n.truncate(0)
	}
	f := &file{n}
	return f, f.newHandle(opts.OpenOptions), nil
}

// alive says whether something can still be made in the folder.
func (d *dir) alive() error {
	if d.parent == nil && d.node != d.t.root {
		return tree.ErrNotFound
	}
	return nil
}

func (d *dir) Mkdir(ctx context.Context, name string, mode uint32) (tree.Dir, error) {
	if err := d.t.enter(ctx, OpMkdir, d.node, name); err != nil {
		return nil, err
	}
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if err := d.alive(); err != nil {
		return nil, err
	}
	if _, ok := d.children[name]; ok {
		return nil, tree.ErrExists
	}
	c, _ := tree.CallerFrom(ctx)
	n := d.t.newNode(tree.KindDir, mode, c)
	d.add(name, n)
	return &dir{n}, nil
}

func (d *dir) Unlink(ctx context.Context, name string) error {
	if err := d.t.enter(ctx, OpUnlink, d.node, name); err != nil {
		return err
	}
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	n, ok := d.children[name]
	if !ok {
		return tree.ErrNotFound
	}
	if n.attr.Kind == tree.KindDir {
		return tree.ErrIsDir
	}
	d.drop(name)
	return nil
}

func (d *dir) Rmdir(ctx context.Context, name string) error {
	if err := d.t.enter(ctx, OpRmdir, d.node, name); err != nil {
		return err
	}
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	n, ok := d.children[name]
	switch {
	case !ok:
		return tree.ErrNotFound
	case n.attr.Kind != tree.KindDir:
		return tree.ErrNotDir
	case len(n.children) > 0:
		return tree.ErrNotEmpty
	}
	d.drop(name)
	return nil
}

func (d *dir) Rename(ctx context.Context, name string, to tree.Dir, newName string, opts tree.RenameOptions) error {
	if err := d.t.enter(ctx, OpRename, d.node, name); err != nil {
		return err
	}
	target, ok := to.(*dir)
	if !ok || target.t != d.t {
		return tree.ErrNotPermitted
	}
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	n, ok := d.children[name]
	if !ok {
		return tree.ErrNotFound
	}
	for p := target.node; p != nil; p = p.parent {
		if p == n {
			return tree.ErrInvalid
		}
	}
	if old, ok := target.children[newName]; ok {
		switch {
		case opts.NoReplace:
			return tree.ErrExists
		case old == n:
			return nil
		case old.attr.Kind == tree.KindDir && n.attr.Kind != tree.KindDir:
			return tree.ErrIsDir
		case old.attr.Kind != tree.KindDir && n.attr.Kind == tree.KindDir:
			return tree.ErrNotDir
		case len(old.children) > 0:
			return tree.ErrNotEmpty
		}
		target.drop(newName)
	}
	d.drop(name)
	target.add(newName, n)
	return nil
}

func (d *dir) Space(ctx context.Context) (tree.Space, error) {
	if err := d.t.enter(ctx, OpSpace, d.node, ""); err != nil {
		return tree.Space{}, err
	}
	return d.t.Space, nil
}
