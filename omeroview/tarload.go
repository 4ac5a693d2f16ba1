package omeroview

import (
	"context"
	"errors"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/transfer"
)

// tarLoadDir is a section of tars as a place where loads arrive: what is live,
// and beside it the archives that the caller is writing.
type tarLoadDir struct {
	*tarSection
}

var (
	_ tree.Dir       = tarLoadDir{}
	_ tree.Creator   = tarLoadDir{}
	_ tree.DirMaker  = tarLoadDir{}
	_ tree.Remover   = tarLoadDir{}
	_ tree.Renamer   = tarLoadDir{}
	_ transfer.Place = tarPlace{}
)

func (d tarLoadDir) loads() *transfer.Loads { return d.v.cfg.Loads }

func (d tarLoadDir) place(ctx context.Context) (tarPlace, error) {
	p, err := loadDir{d.live}.place(ctx)
	return tarPlace{p, d.tarSection}, err
}

// tarPlace is a section of one caller. It is the same place as that of the
// folders, but for the names.
type tarPlace struct {
	loadPlace
	tars *tarSection
}

// Exists implements transfer.Place: the names of images are others among the
// tars than among the folders.
func (p tarPlace) Exists(ctx context.Context, name string) (bool, error) {
	_, err := p.tars.Lookup(ctx, name+tarSuffix)
	if errors.Is(err, tree.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// MayLoad implements transfer.Place.
func (p tarPlace) MayLoad(ctx context.Context) error {
	err := p.loadPlace.MayLoad(ctx)
	var told *tree.Error
	if errors.As(err, &told) {
		return told.WithAdvice("%s", strings.Replace(told.Advice, "into omero/", "into tars/", 1))
	}
	return err
}

// Attr shows everybody's right to write on one's own folder.
func (d tarLoadDir) Attr(ctx context.Context) (tree.Attr, error) {
	a, err := d.account(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	mode := uint32(modeDir)
	if a.c.Who().User == d.user {
		mode = modeDropDir
	}
	return d.dirAttr(time.Time{}, mode), nil
}

// Lookup implements tree.Dir: what the caller is writing comes first, then
// what is live. To the program that has just written a tar its path still
// means that file: another size would look like a failure to it.
func (d tarLoadDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	p, err := d.place(ctx)
	if err != nil {
		return nil, err
	}
	if staged := d.loads().StagedTar(ctx, p, name); staged != nil {
		return staged, nil
	}
	alias := d.loads().TarAlias(ctx, p, name)
	n, err := d.tarSection.Lookup(ctx, name)
	switch {
	case alias == nil:
		return n, err
	case errors.Is(err, tree.ErrNotFound):
		return alias, nil // a zip, or the object has got another name
	case err != nil:
		return nil, err
	}
	if live, ok := n.(tree.File); ok && alias.WrittenBy(ctx) {
		return &writtenTar{StagedTar: alias, live: live}, nil
	}
	return withAlias(n, alias), nil
}

// List implements tree.Dir.
func (d tarLoadDir) List(ctx context.Context) ([]tree.Entry, error) {
	entries, err := d.tarSection.List(ctx)
	if err != nil {
		return nil, err
	}
	p, err := d.place(ctx)
	if err != nil {
		return nil, err
	}
	return append(entries, d.loads().ListTars(ctx, p)...), nil
}

// Create implements tree.Creator: a new archive is the beginning of a load.
func (d tarLoadDir) Create(ctx context.Context, name string, opts tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	p, err := d.place(ctx)
	if err != nil {
		return nil, nil, err
	}
	return d.loads().CreateTar(ctx, p, name, opts)
}

// Mkdir refuses: folders are loaded below omero/.
func (d tarLoadDir) Mkdir(ctx context.Context, name string, _ uint32) (tree.Dir, error) {
	err := tree.Errorf(tree.ErrNotPermitted, "%s: below tars/ only archives can be loaded, no folders", name)
	if p, perr := d.place(ctx); perr == nil {
		err = err.WithAdvice("copy the folder into omero/%s", p.key)
	}
	return nil, err
}

// Unlink implements tree.Remover: removing an archive that is being written
// cancels its load.
func (d tarLoadDir) Unlink(ctx context.Context, name string) error {
	p, err := d.place(ctx)
	if err != nil {
		return err
	}
	if staged, err := d.loads().RemoveTar(ctx, p, name); staged {
		return err
	}
	return d.tarSection.Unlink(ctx, name)
}

// Rename implements tree.Renamer for archives that are being written.
func (d tarLoadDir) Rename(ctx context.Context, name string, to tree.Dir, newName string, opts tree.RenameOptions) error {
	p, err := d.place(ctx)
	if err != nil {
		return err
	}
	if d.loads().StagedTar(ctx, p, name) == nil {
		return d.tarSection.Rename(ctx, name, to, newName, opts)
	}
	target, ok := to.(tarLoadDir)
	if !ok || target.key != d.key {
		return tree.Errorf(tree.ErrNotPermitted, "%s is on its way into OMERO and cannot be moved to another place", name)
	}
	_, err = d.loads().RenameTar(ctx, p, name, newName)
	return err
}

// writtenTar is a tar as the program sees it that has just written it: with the
// size and the attributes that it gave it. What it reads is the live tar.
type writtenTar struct {
	*transfer.StagedTar
	live tree.File
}

var (
	_ tree.File       = (*writtenTar)(nil)
	_ tree.AttrSetter = (*writtenTar)(nil)
	_ tree.XAttrs     = (*writtenTar)(nil)
)

// Open implements tree.File. The live tar has a size of its own, which its
// handles know, and the kernel must not: it goes by the size of what was
// written.
func (f *writtenTar) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	h, err := f.live.Open(ctx, opts)
	if err != nil {
		return nil, err
	}
	return uncached{h}, nil
}

// uncached is a handle whose content the kernel does not keep.
type uncached struct{ tree.Handle }

// Cache implements tree.Cacher.
func (uncached) Cache() tree.Cache { return tree.CacheNone }

// Getxattr implements tree.XAttrs.
func (f *writtenTar) Getxattr(ctx context.Context, name string) ([]byte, error) {
	return getxattr(ctx, f.live, name)
}

// Listxattr implements tree.XAttrs.
func (f *writtenTar) Listxattr(ctx context.Context) ([]string, error) { return listxattr(ctx, f.live) }
