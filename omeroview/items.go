package omeroview

import (
	"context"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// shelfSource asks for the items of the folder that an entry is in.
type shelfSource func(ctx context.Context, a *account) (*shelf, error)

// find returns an item of a folder as it is now.
func (src shelfSource) find(ctx context.Context, a *account, id int64) (*item, error) {
	s, err := src(ctx, a)
	if err != nil {
		return nil, treeError("look up an image", err)
	}
	it := s.byID[id]
	if it == nil {
		return nil, tree.Errorf(tree.ErrNotFound, "the image is not there any more")
	}
	return it, nil
}

// itemNode makes the node of an item: a file, or the folder of a fileset.
func itemNode(dir node, src shelfSource, it *item) tree.Node {
	n := dir.child("i", it.id)
	switch {
	case it.fileset == nil:
		return &exportedFile{node: n, src: src, item: it.id}
	case it.folder():
		return &filesetDir{node: n, src: src, item: it.id}
	}
	return &originalFile{node: n, src: src, item: it.id}
}

func lookupItem(ctx context.Context, a *account, dir node, src shelfSource, name string) (tree.Node, error) {
	s, err := src(ctx, a)
	if err != nil {
		return nil, treeError("look up an image", err)
	}
	id, ok := s.names.lookup(name)
	if !ok || s.byID[id].gone() {
		return nil, noSuch(name)
	}
	return itemNode(dir, src, s.byID[id]), nil
}

// gone says that there is nothing to show: an image without any pixels.
func (it *item) gone() bool { return it.fileset == nil && it.pixels == nil }

func listItems(ctx context.Context, a *account, dir node, src shelfSource) ([]tree.Entry, error) {
	s, err := src(ctx, a)
	if err != nil {
		return nil, treeError("list images", err)
	}
	entries := make([]tree.Entry, 0, len(s.items))
	for _, it := range s.items {
		if it.gone() {
			continue
		}
		n := itemNode(dir, src, it)
		e := tree.Entry{Name: s.names.names[it.id], Kind: tree.KindFile, Ino: n.(interface{ ino() uint64 }).ino(), Node: n}
		if it.fileset != nil && it.folder() {
			e.Kind = tree.KindDir
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// imageXattrs describe an item by its oldest image.
func (it *item) xattrs() xattrs {
	x := objectXattrs(string(omero.KindImage), it.image.ID, it.image.Owner, it.image.Group)
	if it.fileset != nil {
		x = append(x, objectXattrs(string(omero.KindFileset), it.fileset.ID, 0, 0).renamed("user.omero.id", "user.omero.fileset")...)
	}
	return x
}

// renamed returns the one attribute of that name under another name.
func (x xattrs) renamed(from, to string) xattrs {
	for _, p := range x {
		if p[0] == from {
			return xattrs{{to, p[1]}}
		}
	}
	return nil
}

// filesetDir holds the original files of a fileset as they were, and nothing
// else. Below its top it is the same thing with a prefix.
type filesetDir struct {
	node
	src    shelfSource
	item   int64
	prefix string // of the paths below it, with a slash at the end; "" at the top
}

var (
	_ tree.Dir     = (*filesetDir)(nil)
	_ tree.Remover = (*filesetDir)(nil)
	_ tree.Renamer = (*filesetDir)(nil)
	_ tree.XAttrs  = (*filesetDir)(nil)
)

func (d *filesetDir) find(ctx context.Context) (*item, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	it, err := d.src.find(ctx, a, d.item)
	if err == nil && !it.folder() {
		err = tree.Errorf(tree.ErrNotFound, "the fileset is not there any more")
	}
	return it, err
}

func (d *filesetDir) Attr(ctx context.Context) (tree.Attr, error) {
	it, err := d.find(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return d.dirAttr(it.fileset.Created, modeDir), nil
}

func (d *filesetDir) sub(name string) *filesetDir {
	n := d.node
	n.key += "/" + name
	return &filesetDir{node: n, src: d.src, item: d.item, prefix: d.prefix + name + "/"}
}

func (d *filesetDir) file(entry int, name string) *originalFile {
	n := d.node
	n.key += "/" + name
	return &originalFile{node: n, src: d.src, item: d.item, entry: entry}
}

func (d *filesetDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	it, err := d.find(ctx)
	if err != nil {
		return nil, err
	}
	for i, p := range it.paths {
		switch rest, below := strings.CutPrefix(p, d.prefix+name); {
		case below && rest == "":
			return d.file(i, name), nil
		case below && rest[0] == '/':
			return d.sub(name), nil
		}
	}
	return nil, noSuch(name)
}

func (d *filesetDir) List(ctx context.Context) ([]tree.Entry, error) {
	it, err := d.find(ctx)
	if err != nil {
		return nil, err
	}
	var entries []tree.Entry
	seen := make(map[string]bool)
	for i, p := range it.paths {
		rest, below := strings.CutPrefix(p, d.prefix)
		if !below {
			continue
		}
		name, _, deeper := strings.Cut(rest, "/")
		if seen[name] {
			continue
		}
		seen[name] = true
		if deeper {
			c := d.sub(name)
			entries = append(entries, tree.Entry{Name: name, Kind: tree.KindDir, Ino: c.ino(), Node: c})
			continue
		}
		c := d.file(i, name)
		entries = append(entries, tree.Entry{Name: name, Kind: tree.KindFile, Ino: c.ino(), Node: c})
	}
	return entries, nil
}

// Unlink refuses: what is live is not removed by file operations.
func (d *filesetDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *filesetDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *filesetDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

func (d *filesetDir) Getxattr(ctx context.Context, name string) ([]byte, error) {
	it, err := d.find(ctx)
	if err != nil {
		return nil, err
	}
	return it.xattrs().get(name)
}

func (d *filesetDir) Listxattr(ctx context.Context) ([]string, error) {
	it, err := d.find(ctx)
	if err != nil {
		return nil, err
	}
	return it.xattrs().list(), nil
}
