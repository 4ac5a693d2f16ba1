package omeroview

import (
	"context"
	"strings"

	"omerods/fs/tree"
)

// tarFolder holds the tars of the packs in a pack.
type tarFolder struct {
	node
	live packDir // the pack as a folder
}

var (
	_ tree.Dir     = (*tarFolder)(nil)
	_ tree.Remover = (*tarFolder)(nil)
	_ tree.Renamer = (*tarFolder)(nil)
	_ tree.XAttrs  = (*tarFolder)(nil)
)

// Attr implements tree.Node.
func (d *tarFolder) Attr(ctx context.Context) (tree.Attr, error) {
	a, err := d.live.Attr(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return d.dirAttr(a.Mtime, modeDir), nil
}

// cutTar takes the end off the name of a tar.
func cutTar(name string) (string, bool) { return strings.CutSuffix(name, tarSuffix) }

// Lookup implements tree.Dir.
func (d *tarFolder) Lookup(ctx context.Context, name string) (tree.Node, error) {
	stem, isTar := cutTar(name)
	if !isTar {
		return nil, noSuch(name)
	}
	object, err := d.live.Lookup(ctx, stem)
	if err != nil {
		return nil, err
	}
	p, ok := object.(packDir)
	if !ok {
		return nil, noSuch(name)
	}
	return tarOf(d.node, p.pack(), p), nil
}

// List implements tree.Dir; see [tarSection.List].
func (d *tarFolder) List(ctx context.Context) ([]tree.Entry, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := d.live.Attr(ctx); err != nil {
		return nil, err
	}
	nested, err := a.nestedPacks(ctx, d.live.pack())
	if err != nil {
		return nil, err
	}
	entries := make([]tree.Entry, len(nested))
	for i, n := range nested {
		entries[i] = tarOf(d.node, n.ref, nil).entry(n.name)
	}
	return entries, nil
}

// Create refuses, see addRefused.
func (d *tarFolder) Create(_ context.Context, name string, _ tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	return nil, nil, addRefused(name)
}

// Mkdir refuses, see addRefused.
func (d *tarFolder) Mkdir(_ context.Context, name string, _ uint32) (tree.Dir, error) {
	return nil, addRefused(name)
}

// Unlink refuses: what is live is not removed by file operations.
func (d *tarFolder) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *tarFolder) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *tarFolder) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

// Getxattr implements tree.XAttrs.
func (d *tarFolder) Getxattr(ctx context.Context, name string) ([]byte, error) {
	return getxattr(ctx, d.live, name)
}

// Listxattr implements tree.XAttrs.
func (d *tarFolder) Listxattr(ctx context.Context) ([]string, error) { return listxattr(ctx, d.live) }
