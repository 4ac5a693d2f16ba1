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

func (a *account) projects(ctx context.Context, group, owner int64) (*containerList, error) {
	return remember(ctx, a, fmt.Sprintf("projects/%d/%d", group, owner), func(ctx context.Context) (*containerList, error) {
		list, err := a.c.Containers(ctx, omero.KindProject, group, owner)
		if err != nil {
			return nil, treeError("list projects", err)
		}
		return newContainerList(list, packsRules), nil
	})
}

func (a *account) orphanDatasets(ctx context.Context, group, owner int64) (*containerList, error) {
	return remember(ctx, a, fmt.Sprintf("datasets/%d/%d", group, owner), func(ctx context.Context) (*containerList, error) {
		list, err := a.c.OrphanDatasets(ctx, group, owner)
		if err != nil {
			return nil, treeError("list datasets", err)
		}
		return newContainerList(list, packsRules), nil
	})
}

func (a *account) datasetsOf(ctx context.Context, project int64) (*containerList, error) {
	return remember(ctx, a, fmt.Sprintf("project/%d", project), func(ctx context.Context) (*containerList, error) {
		list, _, err := a.c.DatasetsOf(ctx, []int64{project})
		if err != nil {
			return nil, treeError("list the datasets of a project", err)
		}
		return newContainerList(list, projectRules), nil
	})
}

func (a *account) imagesOf(ctx context.Context, dataset int64) (*shelf, error) {
	return remember(ctx, a, fmt.Sprintf("dataset/%d", dataset), func(ctx context.Context) (*shelf, error) {
		images, _, err := a.c.ImagesOf(ctx, []int64{dataset})
		if err != nil {
			return nil, treeError("list the images of a dataset", err)
		}
		return a.shelve(ctx, images, datasetRules)
	})
}

func (a *account) orphanImages(ctx context.Context, group, owner int64) (*shelf, error) {
	return remember(ctx, a, fmt.Sprintf("images/%d/%d", group, owner), func(ctx context.Context) (*shelf, error) {
		images, err := a.c.OrphanImages(ctx, group, owner, a.v.cfg.LoadingNamespace)
		if err != nil {
			return nil, treeError("list images", err)
		}
		return a.shelve(ctx, images, plainRules)
	})
}

// shelve asks for what the files of images are and names them.
func (a *account) shelve(ctx context.Context, images []omero.Image, rules nameRules) (*shelf, error) {
	b, err := a.binaries(ctx, images)
	if err != nil {
		return nil, treeError("list files", err)
	}
	return b.shelf(images, rules), nil
}
