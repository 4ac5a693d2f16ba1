package omeroview

import (
	"context"
	"fmt"
	"slices"

	"omerods/internal/omero"
)

// groupList are the groups that a person sees.
type groupList struct {
	groups map[int64]omero.Group
	names  *nameTable
	order  []int64
}

func (a *account) groups(ctx context.Context) (*groupList, error) {
	return remember(ctx, a, "groups", func(ctx context.Context) (*groupList, error) {
		list, err := a.c.Groups(ctx, a.c.Who().Admin)
		if err != nil {
			return nil, treeError("list groups", err)
		}
		g := &groupList{groups: make(map[int64]omero.Group, len(list))}
		named := make([]Named, len(list))
		for i, group := range list {
			g.groups[group.ID] = group
			named[i] = Named{group.ID, group.Name}
			g.order = append(g.order, group.ID)
		}
		g.names = assignNames(named, plainRules)
		return g, nil
	})
}

// userList are the members of a group.
type userList struct {
	users map[int64]omero.User
	names *nameTable
	order []int64
}

func (a *account) members(ctx context.Context, group int64) (*userList, error) {
	return remember(ctx, a, fmt.Sprintf("members/%d", group), func(ctx context.Context) (*userList, error) {
		list, err := a.c.Members(ctx, group)
		if err != nil {
			return nil, treeError("list the members of a group", err)
		}
		u := &userList{users: make(map[int64]omero.User, len(list))}
		named := make([]Named, len(list))
		for i, user := range list {
			u.users[user.ID] = user
			named[i] = Named{user.ID, user.Name}
			u.order = append(u.order, user.ID)
		}
		u.names = assignNames(named, plainRules)
		return u, nil
	})
}

// containerList are the containers in one folder.
type containerList struct {
	all   map[int64]omero.Container
	names *nameTable
	order []int64
}

func newContainerList(list []omero.Container, rules nameRules) *containerList {
	l := &containerList{all: make(map[int64]omero.Container, len(list))}
	named := make([]Named, len(list))
	for i, o := range list {
		l.all[o.ID] = o
		named[i] = Named{o.ID, o.Name}
		l.order = append(l.order, o.ID)
	}
	slices.Sort(l.order)
	l.names = assignNames(named, rules)
	return l
}

// owned lists what somebody has in a group of a kind that holds other packs.
func (a *account) owned(ctx context.Context, kind omero.Kind, group, owner int64) (*containerList, error) {
	return remember(ctx, a, fmt.Sprintf("owned/%s/%d/%d", kind, group, owner), func(ctx context.Context) (*containerList, error) {
		list, err := a.c.Containers(ctx, kind, group, owner)
		if err != nil {
			return nil, treeError(fmt.Sprintf("list the %ss of a user", kind), err)
		}
		return newContainerList(list, packsRules), nil
	})
}

// orphans lists what somebody has in a group that is in no other pack: datasets
// in no project, plates in no screen.
func (a *account) orphans(ctx context.Context, kind omero.Kind, group, owner int64) (*containerList, error) {
	return remember(ctx, a, fmt.Sprintf("orphans/%s/%d/%d", kind, group, owner), func(ctx context.Context) (*containerList, error) {
		var list []omero.Container
		var err error
		if kind == omero.KindPlate {
			var plates []omero.Plate
			plates, err = a.finishedPlates(ctx, group, owner)
			list = plateContainers(plates)
		} else {
			list, err = a.c.OrphanDatasets(ctx, group, owner)
		}
		if err != nil {
			return nil, treeError(fmt.Sprintf("list the %ss of a user", kind), err)
		}
		return newContainerList(list, packsRules), nil
	})
}

// finishedPlates are the plates in no screen that are not being loaded.
func (a *account) finishedPlates(ctx context.Context, group, owner int64) ([]omero.Plate, error) {
	plates, err := a.c.OrphanPlates(ctx, group, owner)
	if err != nil || len(plates) == 0 {
		return plates, err
	}
	unfinished, err := a.c.UnfinishedPlates(ctx, group, a.v.cfg.LoadingNamespace, LoadNamespace)
	return slices.DeleteFunc(plates, func(p omero.Plate) bool { return unfinished[p.ID] }), err
}

// inside lists the packs in a project or screen.
func (a *account) inside(ctx context.Context, p packRef) (*containerList, error) {
	return remember(ctx, a, "inside/"+p.String(), func(ctx context.Context) (*containerList, error) {
		var list []omero.Container
		var err error
		if p.kind == omero.KindScreen {
			var plates []omero.Plate
			plates, _, err = a.c.PlatesOf(ctx, []int64{p.id})
			list = plateContainers(plates)
		} else {
			list, _, err = a.c.DatasetsOf(ctx, []int64{p.id})
		}
		if err != nil {
			return nil, treeError(fmt.Sprintf("list what is in a %s", p.kind), err)
		}
		return newContainerList(list, projectRules), nil
	})
}

func plateContainers(plates []omero.Plate) []omero.Container {
	list := make([]omero.Container, len(plates))
	for i, p := range plates {
		list[i] = p.Container
	}
	return list
}

// imagesOf arranges the images of a dataset or plate.
func (a *account) imagesOf(ctx context.Context, p packRef) (*shelf, error) {
	return remember(ctx, a, "shelf/"+p.String(), func(ctx context.Context) (*shelf, error) {
		var images []omero.Image
		var err error
		if p.kind == omero.KindPlate {
			images, _, err = a.c.ImagesOfPlates(ctx, []int64{p.id})
		} else {
			images, _, err = a.c.ImagesOf(ctx, []int64{p.id})
		}
		if err != nil {
			return nil, treeError(fmt.Sprintf("list the images of a %s", p.kind), err)
		}
		return a.shelve(ctx, images, datasetRules)
	})
}

func (a *account) orphanImages(ctx context.Context, group, owner int64) (*shelf, error) {
	return remember(ctx, a, fmt.Sprintf("images/%d/%d", group, owner), func(ctx context.Context) (*shelf, error) {
		images, err := a.c.OrphanImages(ctx, group, owner, a.v.cfg.LoadingNamespace, LoadNamespace)
		if err != nil {
			return nil, treeError("list images", err)
		}
		return a.shelve(ctx, images, plainRules)
	})
}

// shelve asks for what the files of images are and names them.
func (a *account) shelve(ctx context.Context, images []omero.Image, rules nameRules) (*shelf, error) {
	b, err := a.binaries(ctx, images, nil)
	if err != nil {
		return nil, treeError("list files", err)
	}
	return b.shelf(images, rules), nil
}
