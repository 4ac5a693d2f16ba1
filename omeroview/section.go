package omeroview

import (
	"context"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// sectionDir is projects, datasets, screens, plates or images of a user in a
// group: the place of packs, and where loads arrive.
type sectionDir struct {
	node
	section string
}

var (
	_ tree.Dir     = (*sectionDir)(nil)
	_ tree.Remover = (*sectionDir)(nil)
	_ tree.Renamer = (*sectionDir)(nil)
)

// Attr shows everybody's right to write on one's own folder: loads go there.
func (d *sectionDir) Attr(ctx context.Context) (tree.Attr, error) {
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

// containers are the packs in the folder.
func (d *sectionDir) containers(ctx context.Context, a *account) (*containerList, error) {
	kind := omero.Kind(sectionKinds[d.section])
	if innerKind[kind] != "" {
		return a.owned(ctx, kind, d.group, d.user)
	}
	return a.orphans(ctx, kind, d.group, d.user)
}

func (d *sectionDir) shelf(ctx context.Context, a *account) (*shelf, error) {
	return a.orphanImages(ctx, d.group, d.user)
}

func (d *sectionDir) dir(id int64) tree.Dir {
	kind := omero.Kind(sectionKinds[d.section])
	n := d.child(keyOf[kind], id)
	if innerKind[kind] != "" {
		return &outerDir{node: n, kind: kind, id: id}
	}
	return &innerDir{node: n, kind: kind, id: id}
}

func (d *sectionDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if d.section == imagesSection {
		return lookupItem(ctx, a, d.node, d.shelf, name)
	}
	list, err := d.containers(ctx, a)
	if err != nil {
		return nil, treeError("look up", err)
	}
	id, ok := list.names.lookup(name)
	if !ok {
		return nil, noSuch(name)
	}
	n := d.dir(id)
	d.looked(ctx, name, n)
	return n, nil
}

func (d *sectionDir) List(ctx context.Context) ([]tree.Entry, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if d.section == imagesSection {
		return listItems(ctx, a, d.node, d.shelf)
	}
	list, err := d.containers(ctx, a)
	if err != nil {
		return nil, treeError("list", err)
	}
	return listContainers(list, d.dir), nil
}

func listContainers(list *containerList, dir func(id int64) tree.Dir) []tree.Entry {
	entries := make([]tree.Entry, 0, len(list.order))
	for _, id := range list.order {
		c := dir(id)
		ino := c.(interface{ ino() uint64 }).ino()
		entries = append(entries, tree.Entry{Name: list.names.names[id], Kind: tree.KindDir, Ino: ino, Node: c})
	}
	return entries
}

// Unlink refuses: what is live is not removed by file operations.
func (d *sectionDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *sectionDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses; it must not say that it crosses devices, or programs would
// copy and then remove.
func (d *sectionDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

// refuse says why a live object is not removed or moved.
func refuse(ctx context.Context, d tree.Dir, name string) error {
	if _, err := d.Lookup(ctx, name); err != nil {
		return err
	}
	return live(name)
}

// container finds a container in the list that shows it.
func container(ctx context.Context, list func(ctx context.Context) (*containerList, error), id int64) (omero.Container, error) {
	l, err := list(ctx)
	if err != nil {
		return omero.Container{}, treeError("look up", err)
	}
	o, ok := l.all[id]
	if !ok {
		return omero.Container{}, tree.Errorf(tree.ErrNotFound, "the object is not there any more")
	}
	return o, nil
}
