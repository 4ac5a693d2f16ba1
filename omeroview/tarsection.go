package omeroview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// tarSection is projects, datasets, screens, plates or images of a user in a
// group, with each pack as a tar. A pack that holds packs is also a folder, in
// which those are tars.
type tarSection struct {
	node
	live *sectionDir // the same packs as folders
}

var (
	_ tree.Dir     = (*tarSection)(nil)
	_ tree.Remover = (*tarSection)(nil)
	_ tree.Renamer = (*tarSection)(nil)
)

// Attr implements tree.Node.
func (d *tarSection) Attr(ctx context.Context) (tree.Attr, error) {
	if _, err := d.account(ctx); err != nil {
		return tree.Attr{}, err
	}
	return d.dirAttr(d.v.start, modeDir), nil
}

// packDir is a pack as a folder.
type packDir interface {
	tree.Dir
	pack() packRef
}

// looked tells that the folder of a pack was looked up.
func (n node) looked(ctx context.Context, name string, d tree.Dir) {
	if p, ok := d.(packDir); ok && n.v.cfg.Looked != nil {
		n.v.cfg.Looked(ctx, name, p.pack().kind, p.pack().id, n.group)
	}
}

// tarOf makes the tar of a pack, whose extended attributes are those of the
// object.
func tarOf(dir node, p packRef, object tree.Node) *tarFile {
	return &tarFile{node: dir.child("tar/"+string(p.kind), p.id), pack: p, object: object}
}

// tarNames are the names of a section: those of its objects, and which of them
// are folders as well.
type tarNames struct {
	names *nameTable
	order []int64
	tar   func(id int64) *tarFile
	dir   func(id int64) *tarFolder // nil for an object that holds no packs
}

func (d *tarSection) names(ctx context.Context) (*tarNames, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	if d.live.section == imagesSection {
		return d.imageNames(ctx, a)
	}
	list, err := d.live.containers(ctx, a)
	if err != nil {
		return nil, treeError("list", err)
	}
	t := &tarNames{names: list.names, order: list.order}
	t.tar = func(id int64) *tarFile {
		p, ok := d.live.dir(id).(packDir)
		if !ok {
			return nil
		}
		return tarOf(d.node, p.pack(), p)
	}
	t.dir = func(id int64) *tarFolder {
		p, ok := d.live.dir(id).(packDir)
		if !ok || innerKind[p.pack().kind] == "" {
			return nil
		}
		return &tarFolder{node: d.child("in", id), live: p}
	}
	return t, nil
}

// imageNames are those of the images that are in no dataset. Each item is a
// pack: a fileset, or an image without files.
func (d *tarSection) imageNames(ctx context.Context, a *account) (*tarNames, error) {
	s, err := d.live.shelf(ctx, a)
	if err != nil {
		return nil, treeError("list images", err)
	}
	t := &tarNames{dir: func(int64) *tarFolder { return nil }}
	var named []Named
	for _, it := range s.items {
		if it.gone() {
			continue
		}
		named = append(named, Named{it.id, it.wanted()})
		t.order = append(t.order, it.id)
	}
	t.names = assignNames(named, imageTarRules)
	t.tar = func(id int64) *tarFile {
		it := s.byID[id]
		return tarOf(d.node, packRef{kind: omero.KindImage, id: it.image.ID}, itemNode(d.live.node, d.live.shelf, it))
	}
	return t, nil
}

// imageTarRules leave room for the ".tar" that follows.
var imageTarRules = nameRules{maxBytes: maxPackName}

// Lookup implements tree.Dir.
func (d *tarSection) Lookup(ctx context.Context, name string) (tree.Node, error) {
	t, err := d.names(ctx)
	if err != nil {
		return nil, err
	}
	return t.find(name)
}

// find finds a name: those that are shown first, then marked ones.
func (t *tarNames) find(name string) (tree.Node, error) {
	stem, isTar := cutTar(name)
	if id, ok := t.names.ids[name]; ok {
		if f := t.dir(id); f != nil {
			return f, nil
		}
	}
	if id, ok := t.names.lookup(stem); isTar && ok {
		if f := t.tar(id); f != nil {
			return f, nil
		}
	}
	if id, ok := t.names.lookup(name); ok {
		if f := t.dir(id); f != nil {
			return f, nil
		}
	}
	return nil, noSuch(name)
}

// List implements tree.Dir. The tars come without attributes: only who asks
// for them has their sizes computed.
func (d *tarSection) List(ctx context.Context) ([]tree.Entry, error) {
	t, err := d.names(ctx)
	if err != nil {
		return nil, err
	}
	var entries []tree.Entry
	for _, id := range t.order {
		name := t.names.names[id]
		if f := t.tar(id); f != nil {
			entries = append(entries, f.entry(name))
		}
		if f := t.dir(id); f != nil {
			entries = append(entries, tree.Entry{Name: name, Kind: tree.KindDir, Ino: f.ino(), Node: f})
		}
	}
	return entries, nil
}

// Unlink refuses: what is live is not removed by file operations.
func (d *tarSection) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *tarSection) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does; it never says that it crosses devices.
func (d *tarSection) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}
