package irodsview

import (
	"cmp"
	"context"
	"slices"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// dir is a collection, or a folder that a program made for temporary files.
type dir struct {
	*node
	view *View
}

var (
	_ tree.Dir           = (*dir)(nil)
	_ tree.Creator       = (*dir)(nil)
	_ tree.DirMaker      = (*dir)(nil)
	_ tree.Remover       = (*dir)(nil)
	_ tree.Renamer       = (*dir)(nil)
	_ tree.AttrSetter    = (*dir)(nil)
	_ tree.XAttrs        = (*dir)(nil)
	_ tree.XAttrSetter   = (*dir)(nil)
	_ tree.AccessChecker = (*dir)(nil)
	_ tree.SpaceTeller   = (*dir)(nil)
)

// Path returns the logical path of the collection.
func (d *dir) Path() string { return d.path() }

func (v *View) wrap(n *node) tree.Node {
	if n.kind == tree.KindDir {
		return &dir{n, v}
	}
	return &file{n, v}
}

func kindOf(k known) tree.Kind {
	if k.IsCollection {
		return tree.KindDir
	}
	return tree.KindFile
}

func (d *dir) Attr(ctx context.Context) (tree.Attr, error) {
	s, err := d.view.session(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return d.attr(ctx, d.view, s)
}

// local returns the node of a name that exists only here, for the session.
func (d *dir) local(s *session, name string) *node {
	n := d.view.nodes.peek(d.node, name)
	if n == nil {
		return nil
	}
	n.mu.Lock()
	virtual := n.virtual
	n.mu.Unlock()
	if virtual != nil && virtual == s {
		return n
	}
	if dr := n.draftOf(s); dr != nil && dr.unseen() {
		return n
	}
	return nil
}

func (d *dir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	_, n, err := d.existing(ctx, name)
	if err != nil {
		return nil, err
	}
	return d.view.wrap(n), nil
}

// existing returns the caller's session and the child of a name.
func (d *dir) existing(ctx context.Context, name string) (*session, *node, error) {
	s, err := d.view.session(ctx)
	if err != nil {
		return nil, nil, err
	}
	n, err := d.lookup(ctx, s, name)
	return s, n, err
}

func (d *dir) lookup(ctx context.Context, s *session, name string) (*node, error) {
	if n := d.local(s, name); n != nil {
		return n, nil
	}
	p := joinPath(d.path(), name)
	if hidden(name) || d.isVirtual() || irods.CheckName(name) != nil {
		return nil, fail(notFound(p))
	}
	k, err := s.stat(ctx, p)
	if err != nil {
		return nil, fail(err)
	}
	return d.view.nodes.child(d.node, name, kindOf(k)), nil
}

// List returns the collection's content, and what the session is writing
// there.
func (d *dir) List(ctx context.Context) ([]tree.Entry, error) {
	s, err := d.view.session(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]*node{}
	// What is being written first: it may be published while the server is
	// asked.
	for name, n := range d.view.nodes.list(d.node) {
		if d.local(s, name) == n {
			found[name] = n
		}
	}
	if !d.isVirtual() {
		l, err := s.listComplete(ctx, d.path())
		if err != nil {
			return nil, fail(err)
		}
		for name, k := range s.names(l) {
			if found[name] == nil {
				found[name] = d.view.nodes.child(d.node, name, kindOf(k))
			}
		}
	}
	entries := make([]tree.Entry, 0, len(found))
	for name, n := range found {
		entries = append(entries, tree.Entry{Name: name, Kind: n.kind, Ino: n.ino, Node: d.view.wrap(n)})
	}
	slices.SortFunc(entries, func(a, b tree.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return entries, nil
}

// listComplete returns a listing in which all attributes are known.
func (s *session) listComplete(ctx context.Context, coll string) (*listing, error) {
	l, err := s.list(ctx, coll)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	rough := false
	for _, k := range l.entries {
		rough = rough || k.rough
	}
	s.mu.Unlock()
	if rough {
		return s.ask(ctx, coll)
	}
	return l, nil
}

// rights returns the session's level on a collection.
func (s *session) rights(ctx context.Context, coll string) (irods.Level, error) {
	s.mu.Lock()
	if l := s.listings[coll]; l != nil && s.clock().Sub(l.when) < freshFor {
		s.mu.Unlock()
		return l.self, nil
	}
	s.mu.Unlock()
	k, err := s.stat(ctx, coll)
	return k.level, err
}

// checkNew judges a name to be made in the folder.
func (d *dir) checkNew(ctx context.Context, s *session, name string) error {
	if hidden(name) {
		return tree.Errorf(tree.ErrNotPermitted, "names like %s are for this program's own use", name)
	}
	p := joinPath(d.path(), name)
	if err := irods.CheckPath(p); err != nil {
		return fail(err)
	}
	if d.isVirtual() {
		return nil
	}
	l, err := s.rights(ctx, d.path())
	if err != nil {
		return fail(err)
	}
	if l < irods.LevelCreate {
		return tree.Errorf(tree.ErrDenied, "you may not make anything in %s", d.path()).
			WithAdvice("Your own collection is %s; omerods targets lists all where you may.", s.client.Home())
	}
	return nil
}

// exists tells what the server has under a name; found is false for nothing.
func (d *dir) exists(ctx context.Context, s *session, name string) (k known, found bool, err error) {
	if d.isVirtual() {
		return known{}, false, nil
	}
	k, err = s.stat(ctx, joinPath(d.path(), name))
	if isNotFound(err) {
		return known{}, false, nil
	}
	return k, err == nil, fail(err)
}

func (d *dir) Create(ctx context.Context, name string, opts tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	s, err := d.view.session(ctx)
	if err != nil {
		return nil, nil, err
	}
	if hidden(name) {
		return nil, nil, d.checkNew(ctx, s, name)
	}
	p := joinPath(d.path(), name)
	n := d.local(s, name)
	if n == nil {
		k, found, err := d.exists(ctx, s, name)
		if err != nil {
			return nil, nil, err
		}
		if found {
			n = d.view.nodes.child(d.node, name, kindOf(k))
		}
	}
	switch {
	case n != nil && n.kind == tree.KindDir:
		return nil, nil, tree.Errorf(tree.ErrIsDir, "%s is a folder", p)
	case n != nil && opts.Exclusive:
		return nil, nil, tree.Errorf(tree.ErrExists, "%s exists", p)
	case n != nil:
		f := &file{n, d.view}
		h, err := f.openWrite(ctx, s, opts.OpenOptions)
		return f, h, err
	}
	if other := d.view.nodes.peek(d.node, name); other != nil {
		if err := other.free(s); err != nil {
			return nil, nil, err
		}
	}
	if err := d.checkNew(ctx, s, name); err != nil {
		return nil, nil, err
	}
	if g := d.view.cfg.Guard; g != nil {
		if err := g.BeforeCreate(ctx, p); err != nil {
			return nil, nil, err
		}
	}
	alias := d.isVirtual() || aliasName(name, func(other string) bool {
		_, found, err := d.exists(ctx, s, other)
		return err == nil && found
	})
	f := &file{d.view.nodes.fresh(d.node, name, tree.KindFile), d.view}
	dr, err := f.acquire(s, func() *draft {
		dr := d.view.newDraft(ctx, s, f.node, false, 0)
		dr.alias = alias
		return dr
	})
	if err != nil {
		return nil, nil, err
	}
	f.setOverlay(tree.AttrChange{Mode: &opts.Mode})
	d.noteChange(d.view.cfg.Clock())
	return f, &writeHandle{file: f, draft: dr, append: opts.Append}, nil
}

// free tells whether a name that the session does not see may be taken.
func (n *node) free(s *session) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d := n.draft; d != nil && d.s != s && !d.isDead() || n.virtual != nil && n.virtual != s {
		return tree.Errorf(tree.ErrBusy, "somebody else is writing a file of that name")
	}
	return nil
}

func (d *dir) Mkdir(ctx context.Context, name string, mode uint32) (tree.Dir, error) {
	s, err := d.view.session(ctx)
	if err != nil {
		return nil, err
	}
	p := joinPath(d.path(), name)
	if d.local(s, name) != nil {
		return nil, tree.Errorf(tree.ErrExists, "%s exists", p)
	}
	if name == delayedFolder && !d.isVirtual() {
		if _, found, err := d.exists(ctx, s, name); err != nil || found {
			return nil, cmp.Or(err, error(tree.Errorf(tree.ErrExists, "%s exists", p)))
		}
		n := d.view.nodes.fresh(d.node, name, tree.KindDir)
		n.mu.Lock()
		n.virtual = s
		n.mu.Unlock()
		n.setOverlay(tree.AttrChange{Mode: &mode})
		return &dir{n, d.view}, nil
	}
	if d.isVirtual() {
		return nil, tree.Errorf(tree.ErrNotPermitted, "no folders can be made in a folder for temporary files")
	}
	if hidden(name) {
		return nil, d.checkNew(ctx, s, name)
	}
	g := d.view.cfg.Guard
	refused := func(err error) error {
		if g != nil {
			g.Refused(ctx, p, err)
		}
		return err
	}
	if err := irods.CheckPath(p); err != nil {
		return nil, refused(fail(err))
	}
	if g != nil {
		if err := g.BeforeMkdir(ctx, p); err != nil {
			return nil, err
		}
	}
	if err := s.client.Mkdir(ctx, p); err != nil {
		return nil, refused(explainMkdir(ctx, s, p, fail(err)))
	}
	d.view.sessions.each(func(s *session) { s.changed(p) })
	s.madeEmpty(p, s.levelBelow(ctx, d.path()))
	n := d.view.nodes.fresh(d.node, name, tree.KindDir)
	n.setOverlay(tree.AttrChange{Mode: &mode})
	if g != nil {
		if err := g.Made(ctx, p); err != nil {
			return nil, err
		}
	}
	return &dir{n, d.view}, nil
}

// Access answers access(2) by the rights on the server.
func (d *dir) Access(ctx context.Context, want tree.Access) error {
	s, err := d.view.session(ctx)
	if err != nil || !want.Write || d.isVirtual() {
		return err
	}
	l, err := s.rights(ctx, d.path())
	if err == nil && l < irods.LevelCreate {
		return tree.Errorf(tree.ErrDenied, "you may not change anything in %s", d.path())
	}
	return fail(err)
}

// Space tells the room of the user's quota or of the resource.
func (d *dir) Space(ctx context.Context) (tree.Space, error) {
	s, err := d.view.session(ctx)
	if err != nil {
		return tree.Space{}, err
	}
	return s.room(ctx)
}
