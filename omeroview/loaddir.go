package omeroview

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/transfer"
)

// loadDir is a section as a place where loads arrive: what is live, and beside
// it the folders that the caller is writing.
type loadDir struct {
	*sectionDir
}

var (
	_ tree.Dir       = loadDir{}
	_ tree.DirMaker  = loadDir{}
	_ tree.Creator   = loadDir{}
	_ tree.Remover   = loadDir{}
	_ transfer.Place = loadPlace{}
)

func (d loadDir) loads() *transfer.Loads { return d.v.cfg.Loads }

// place is the section for the caller of ctx.
func (d loadDir) place(ctx context.Context) (loadPlace, error) {
	a, err := d.account(ctx)
	if err != nil {
		return loadPlace{}, err
	}
	return loadPlace{dir: d, account: a, key: d.shownPath(ctx, a)}, nil
}

// shownPath is the section's path as people see it.
func (d loadDir) shownPath(ctx context.Context, a *account) string {
	group, user := fmt.Sprint(d.group), fmt.Sprint(d.user)
	if g, err := a.groups(ctx); err == nil && g.names.names[d.group] != "" {
		group = g.names.names[d.group]
	}
	if m, err := a.members(ctx, d.group); err == nil && m.names.names[d.user] != "" {
		user = m.names.names[d.user]
	}
	return path.Join(group, user, d.section)
}

// Lookup implements tree.Dir: what the caller is writing comes first, then
// what is live, under which the paths of a load just finished still lead
// somewhere.
func (d loadDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	p, err := d.place(ctx)
	if err != nil {
		return nil, err
	}
	if staged := d.loads().Staged(ctx, p, name); staged != nil {
		return staged, nil
	}
	alias := d.loads().Alias(ctx, p, name)
	n, err := d.sectionDir.Lookup(ctx, name)
	switch {
	case alias == nil:
		return n, err
	case errors.Is(err, tree.ErrNotFound):
		return alias, nil
	case err != nil:
		return nil, err
	}
	return withAlias(n, alias), nil
}

// List implements tree.Dir.
func (d loadDir) List(ctx context.Context) ([]tree.Entry, error) {
	entries, err := d.sectionDir.List(ctx)
	if err != nil {
		return nil, err
	}
	p, err := d.place(ctx)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if alias := d.loads().Alias(ctx, p, e.Name); alias != nil && e.Node != nil {
			entries[i].Node = withAlias(e.Node, alias)
		}
	}
	return append(entries, d.loads().List(ctx, p)...), nil
}

// Mkdir implements tree.DirMaker: a new folder is the beginning of a load.
func (d loadDir) Mkdir(ctx context.Context, name string, mode uint32) (tree.Dir, error) {
	p, err := d.place(ctx)
	if err != nil {
		return nil, err
	}
	return d.loads().Begin(ctx, p, name, mode)
}

// Create refuses: an object is loaded as a folder.
func (d loadDir) Create(_ context.Context, name string, _ tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	return nil, nil, tree.Errorf(tree.ErrNotPermitted, "%s: only folders with a transfer.xml can be loaded yet", name).
		WithAdvice("copy the folder that holds transfer.xml")
}

// Rmdir implements tree.Remover: removing a folder that is being written
// cancels its load.
func (d loadDir) Rmdir(ctx context.Context, name string) error {
	p, err := d.place(ctx)
	if err != nil {
		return err
	}
	if staged, err := d.loads().Remove(ctx, p, name); staged {
		return err
	}
	return d.sectionDir.Rmdir(ctx, name)
}

// loadPlace is a section of one caller.
type loadPlace struct {
	dir     loadDir
	account *account
	key     string
}

// Key implements transfer.Place.
func (p loadPlace) Key() string { return p.key }

// sectionKinds are the kinds of packs that each section takes.
var sectionKinds = map[string]string{
	projectsSection: pack.KindProject, datasetsSection: pack.KindDataset, imagesSection: pack.KindImage,
	screensSection: pack.KindScreen, platesSection: pack.KindPlate,
}

// Kind implements transfer.Place.
func (p loadPlace) Kind() string { return sectionKinds[p.dir.section] }

// MayLoad implements transfer.Place.
func (p loadPlace) MayLoad(ctx context.Context) error {
	who := p.account.c.Who()
	if who.User == p.dir.user {
		return nil
	}
	err := tree.Errorf(tree.ErrDenied, "%s belongs to another user; what you copy becomes yours", p.key)
	own := loadDir{&sectionDir{node: p.dir.node, section: p.dir.section}}
	own.user = who.User
	return err.WithAdvice("copy it into omero/%s", own.shownPath(ctx, p.account))
}

// Exists implements transfer.Place.
func (p loadPlace) Exists(ctx context.Context, name string) (bool, error) {
	_, err := p.dir.sectionDir.Lookup(ctx, name)
	if errors.Is(err, tree.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ShownName implements transfer.Place.
func (p loadPlace) ShownName(name string) string {
	return assignNames([]Named{{ID: 1, Name: name}}, packsRules).names[1]
}

// Destination implements transfer.Place.
func (p loadPlace) Destination(ctx context.Context) (transfer.Destination, error) {
	a, err := p.dir.account(ctx)
	if err != nil {
		return nil, err
	}
	return &loadDestination{client: a.c, group: p.dir.group, host: p.dir.v.host(a)}, nil
}

// Changed implements transfer.Place.
func (p loadPlace) Changed(context.Context) { p.dir.v.Invalidate() }

// DiscardLoad removes what a load of an earlier mount has left.
func (v *View) DiscardLoad(ctx context.Context, l transfer.Leftover) error {
	a, err := v.account(ctx)
	if err != nil {
		return err
	}
	// The group of what is removed is not known any more; the server finds it.
	d := &loadDestination{client: a.c, group: omero.AllGroups, host: v.host(a)}
	if l.Committed {
		return d.Unmark(ctx, l.Load)
	}
	if err := d.Discard(ctx, l.Load, l.Filesets, l.Files); err != nil {
		return fmt.Errorf("remove filesets %v and files %v: %w", l.Filesets, l.Files, err)
	}
	// What was not removed belongs to a load that did commit.
	if err := d.Unmark(ctx, l.Load); err != nil {
		return fmt.Errorf("take the mark off the images of load %s: %w", l.Load, err)
	}
	v.Invalidate()
	return nil
}

// host is what the server is called.
func (v *View) host(a *account) string {
	if v.cfg.Host != "" {
		return v.cfg.Host
	}
	return strings.TrimSpace(a.c.Server().Host)
}
