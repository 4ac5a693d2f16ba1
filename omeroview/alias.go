package omeroview

import (
	"context"
	"errors"

	"omerods/fs/tree"
)

// aliasDir is a live folder that has just been loaded. Names that only the
// written folder had lead to what was written, and attributes that copying
// programs set after the last close are accepted.
type aliasDir struct {
	tree.Dir
	written tree.Dir
}

var (
	_ tree.Dir         = (*aliasDir)(nil)
	_ tree.AttrSetter  = (*aliasDir)(nil)
	_ tree.XAttrs      = (*aliasDir)(nil)
	_ tree.XAttrSetter = (*aliasDir)(nil)
	_ tree.Remover     = (*aliasDir)(nil)
)

// aliasFile is a live file that has just been loaded.
type aliasFile struct {
	tree.File
	written tree.File
}

var (
	_ tree.File        = (*aliasFile)(nil)
	_ tree.AttrSetter  = (*aliasFile)(nil)
	_ tree.XAttrs      = (*aliasFile)(nil)
	_ tree.XAttrSetter = (*aliasFile)(nil)
)

// withAlias joins a live node with what was written under its path.
func withAlias(live tree.Node, written tree.Node) tree.Node {
	switch l := live.(type) {
	case tree.Dir:
		if w, ok := written.(tree.Dir); ok {
			return &aliasDir{Dir: l, written: w}
		}
	case tree.File:
		if w, ok := written.(tree.File); ok {
			return &aliasFile{File: l, written: w}
		}
	}
	return live
}

// Lookup implements tree.Dir.
func (d *aliasDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	live, err := d.Dir.Lookup(ctx, name)
	if err != nil && !errors.Is(err, tree.ErrNotFound) {
		return nil, err
	}
	written, werr := d.written.Lookup(ctx, name)
	switch {
	case werr != nil:
		return live, err
	case err != nil:
		return written, nil
	}
	return withAlias(live, written), nil
}

// List implements tree.Dir. The entries' nodes are those of the live folder;
// a name that is looked up gets its alias then.
func (d *aliasDir) List(ctx context.Context) ([]tree.Entry, error) {
	entries, err := d.Dir.List(ctx)
	for i := range entries {
		entries[i].Node = nil
	}
	return entries, err
}

// SetAttr implements tree.AttrSetter.
func (d *aliasDir) SetAttr(ctx context.Context, c tree.AttrChange) (tree.Attr, error) {
	return setAlias(ctx, d.Dir, d.written, c)
}

// Attr implements tree.Node.
func (d *aliasDir) Attr(ctx context.Context) (tree.Attr, error) {
	return aliasAttr(ctx, d.Dir, d.written)
}

// Getxattr implements tree.XAttrs.
func (d *aliasDir) Getxattr(ctx context.Context, name string) ([]byte, error) {
	return getxattr(ctx, d.Dir, name)
}

// Listxattr implements tree.XAttrs.
func (d *aliasDir) Listxattr(ctx context.Context) ([]string, error) { return listxattr(ctx, d.Dir) }

// Setxattr accepts what OMERO has no place for.
func (d *aliasDir) Setxattr(context.Context, string, []byte, bool, bool) error { return nil }

// Removexattr finds nothing, because nothing was kept.
func (d *aliasDir) Removexattr(context.Context, string) error { return tree.ErrNoData }

// Unlink implements tree.Remover as the live folder does.
func (d *aliasDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir implements tree.Remover as the live folder does.
func (d *aliasDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Open implements tree.File. The program that loaded the file may write it
// again, which only compares; see package transfer.
func (f *aliasFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	w, ok := f.written.(interface {
		WrittenBy(ctx context.Context) bool
	})
	if opts.Write && ok && w.WrittenBy(ctx) {
		return f.written.Open(ctx, opts)
	}
	return f.File.Open(ctx, opts)
}

// Attr implements tree.Node.
func (f *aliasFile) Attr(ctx context.Context) (tree.Attr, error) {
	return aliasAttr(ctx, f.File, f.written)
}

// SetAttr implements tree.AttrSetter.
func (f *aliasFile) SetAttr(ctx context.Context, c tree.AttrChange) (tree.Attr, error) {
	return setAlias(ctx, f.File, f.written, c)
}

// Getxattr implements tree.XAttrs.
func (f *aliasFile) Getxattr(ctx context.Context, name string) ([]byte, error) {
	return getxattr(ctx, f.File, name)
}

// Listxattr implements tree.XAttrs.
func (f *aliasFile) Listxattr(ctx context.Context) ([]string, error) { return listxattr(ctx, f.File) }

// Setxattr accepts what OMERO has no place for.
func (f *aliasFile) Setxattr(context.Context, string, []byte, bool, bool) error { return nil }

// Removexattr finds nothing, because nothing was kept.
func (f *aliasFile) Removexattr(context.Context, string) error { return tree.ErrNoData }

func getxattr(ctx context.Context, n tree.Node, name string) ([]byte, error) {
	if x, ok := n.(tree.XAttrs); ok {
		return x.Getxattr(ctx, name)
	}
	return nil, tree.ErrNoData
}

func listxattr(ctx context.Context, n tree.Node) ([]string, error) {
	if x, ok := n.(tree.XAttrs); ok {
		return x.Listxattr(ctx)
	}
	return nil, nil
}

// aliasAttr are the attributes of a live node as the program that wrote it
// left them: its owner, too, because the kernel lets only the owner of a file
// change what copying programs change last.
func aliasAttr(ctx context.Context, live, written tree.Node) (tree.Attr, error) {
	a, err := live.Attr(ctx)
	if err != nil {
		return a, err
	}
	w, err := written.Attr(ctx)
	if err != nil {
		return a, err
	}
	a.Mode, a.UID, a.GID = w.Mode, w.UID, w.GID
	a.Mtime, a.Atime, a.Ctime = w.Mtime, w.Atime, w.Ctime
	a.Valid = -1 // the live attributes come back when the alias ends
	return a, nil
}

// setAlias keeps attributes that OMERO has no place for with what was written.
func setAlias(ctx context.Context, live, written tree.Node, c tree.AttrChange) (tree.Attr, error) {
	setter, ok := written.(tree.AttrSetter)
	if !ok {
		return tree.Attr{}, readOnly()
	}
	if _, err := setter.SetAttr(ctx, c); err != nil {
		if c.Size != nil {
			return tree.Attr{}, readOnly()
		}
		return tree.Attr{}, err
	}
	return aliasAttr(ctx, live, written)
}
