package omeroview

import (
	"context"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// rootDir holds the groups.
type rootDir struct{ node }

var _ tree.Dir = (*rootDir)(nil)

func (d *rootDir) Attr(context.Context) (tree.Attr, error) {
	return d.dirAttr(time.Time{}, modeDir), nil
}

func (d *rootDir) dir(id int64) *groupDir {
	n := d.child("g", id)
	n.group = id
	return &groupDir{node: n}
}

func (d *rootDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := a.groups(ctx)
	if err != nil {
		return nil, treeError("look up a group", err)
	}
	id, ok := groups.names.lookup(name)
	if !ok {
		return nil, noSuch(name)
	}
	return d.dir(id), nil
}

func (d *rootDir) List(ctx context.Context) ([]tree.Entry, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := a.groups(ctx)
	if err != nil {
		return nil, treeError("list groups", err)
	}
	var entries []tree.Entry
	for _, id := range groups.order {
		c := d.dir(id)
		entries = append(entries, tree.Entry{Name: groups.names.names[id], Kind: tree.KindDir, Ino: c.ino(), Node: c})
	}
	return entries, nil
}

// groupDir holds the members of a group.
type groupDir struct{ node }

var _ tree.Dir = (*groupDir)(nil)

func (d *groupDir) Attr(ctx context.Context) (tree.Attr, error) {
	a, err := d.account(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	groups, err := a.groups(ctx)
	if err != nil {
		return tree.Attr{}, treeError("look up a group", err)
	}
	if _, ok := groups.groups[d.group]; !ok {
		return tree.Attr{}, tree.Errorf(tree.ErrNotFound, "the group is not there any more")
	}
	return d.dirAttr(time.Time{}, modeDir), nil
}

func (d *groupDir) dir(id int64) *userDir {
	n := d.child("u", id)
	n.user = id
	return &userDir{node: n}
}

func (d *groupDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	members, err := a.members(ctx, d.group)
	if err != nil {
		return nil, treeError("look up a user", err)
	}
	id, ok := members.names.lookup(name)
	if !ok {
		return nil, noSuch(name)
	}
	return d.dir(id), nil
}

func (d *groupDir) List(ctx context.Context) ([]tree.Entry, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	members, err := a.members(ctx, d.group)
	if err != nil {
		return nil, treeError("list the members of a group", err)
	}
	var entries []tree.Entry
	for _, id := range members.order {
		c := d.dir(id)
		entries = append(entries, tree.Entry{Name: members.names.names[id], Kind: tree.KindDir, Ino: c.ino(), Node: c})
	}
	return entries, nil
}

func (d *groupDir) Getxattr(_ context.Context, name string) ([]byte, error) {
	return objectXattrs(string(omero.KindGroup), d.group, 0, d.group).get(name)
}

func (d *groupDir) Listxattr(context.Context) ([]string, error) {
	return objectXattrs(string(omero.KindGroup), d.group, 0, d.group).list(), nil
}

// userDir holds the kinds of objects of a user in a group.
type userDir struct{ node }

var _ tree.Dir = (*userDir)(nil)

func (d *userDir) Attr(ctx context.Context) (tree.Attr, error) {
	a, err := d.account(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	members, err := a.members(ctx, d.group)
	if err != nil {
		return tree.Attr{}, treeError("look up a user", err)
	}
	if _, ok := members.users[d.user]; !ok {
		return tree.Attr{}, tree.Errorf(tree.ErrNotFound, "the user is not in this group any more")
	}
	return d.dirAttr(time.Time{}, modeDir), nil
}

// The folders of a user, in the order of listings.
var sectionNames = []string{projectsSection, datasetsSection, screensSection, platesSection, imagesSection}

const (
	projectsSection = "projects"
	datasetsSection = "datasets"
	screensSection  = "screens"
	platesSection   = "plates"
	imagesSection   = "images"
)

// sectionNode is a section, which takes loads when the view does.
type sectionNode interface {
	tree.Dir
	ino() uint64
}

func (d *userDir) section(name string) sectionNode {
	n := d.node
	n.key += "/" + name
	s := &sectionDir{node: n, section: name}
	if d.tars {
		t := &tarSection{node: n, live: s}
		if d.v.cfg.Loads == nil {
			return t
		}
		return tarLoadDir{t}
	}
	if d.v.cfg.Loads == nil {
		return s
	}
	return loadDir{s}
}

func (d *userDir) Lookup(_ context.Context, name string) (tree.Node, error) {
	for _, s := range sectionNames {
		if s == name {
			return d.section(s), nil
		}
	}
	return nil, noSuch(name)
}

func (d *userDir) List(context.Context) ([]tree.Entry, error) {
	entries := make([]tree.Entry, len(sectionNames))
	for i, s := range sectionNames {
		c := d.section(s)
		entries[i] = tree.Entry{Name: s, Kind: tree.KindDir, Ino: c.ino(), Node: c}
	}
	return entries, nil
}

func (d *userDir) Getxattr(_ context.Context, name string) ([]byte, error) {
	return objectXattrs(string(omero.KindUser), d.user, d.user, d.group).get(name)
}

func (d *userDir) Listxattr(context.Context) ([]string, error) {
	return objectXattrs(string(omero.KindUser), d.user, d.user, d.group).list(), nil
}
