package irodsview

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// renaming is one rename under way.
type renaming struct {
	view     *View
	s        *session
	opts     tree.RenameOptions
	n        *node
	to       *dir
	name     string // the new one
	from     string
	dest     string // the new path
	target   known  // what the server has there
	replaces bool
	replaced *draft // the one that has the new name; locked
}

// Rename moves a child. A file that exists only under a program's temporary
// name is published by it.
func (d *dir) Rename(ctx context.Context, name string, to tree.Dir, newName string, opts tree.RenameOptions) error {
	dest, ok := to.(*dir)
	if !ok || dest.view != d.view {
		return tree.Errorf(tree.ErrNotPermitted, "nothing can be moved out of iRODS in one step").
			WithAdvice("Copy it and check the copy.")
	}
	s, n, err := d.existing(ctx, name)
	if err != nil {
		return err
	}
	r := &renaming{view: d.view, s: s, opts: opts, n: n, to: dest, name: newName, from: n.path(), dest: joinPath(dest.path(), newName)}
	if r.from == r.dest {
		return nil
	}
	if err := r.check(ctx); err != nil {
		return err
	}
	// It is not interrupted half-way, but ends with the program.
	ctx, end := whileAlive(ctx, 0)
	defer end()
	release, err := r.hold(ctx)
	defer release()
	if err != nil {
		return err
	}
	if dr := n.draftOf(s); dr != nil && dr.unseen() {
		return r.publish(ctx, dr)
	}
	return r.move(ctx)
}

// check judges the destination.
func (r *renaming) check(ctx context.Context) error {
	if err := r.to.checkNew(ctx, r.s, r.name); err != nil {
		return err
	}
	if zone(r.from) != zone(r.dest) {
		return tree.Errorf(tree.ErrNotPermitted, "nothing can be moved to another zone in one step").
			WithAdvice("Copy it and check the copy.")
	}
	var err error
	if r.target, r.replaces, err = r.to.exists(ctx, r.s, r.name); err != nil {
		return err
	}
	kind, taken := kindOf(r.target), r.replaces
	if local := r.to.local(r.s, r.name); local != nil && local != r.n {
		kind, taken = local.kind, true
	}
	switch {
	case taken && r.opts.NoReplace:
		return tree.Errorf(tree.ErrExists, "%s exists", r.dest)
	case taken && kind == tree.KindDir && r.n.kind == tree.KindFile:
		return tree.Errorf(tree.ErrIsDir, "%s is a folder", r.dest)
	case taken && kind == tree.KindFile && r.n.kind == tree.KindDir:
		return tree.Errorf(tree.ErrNotDir, "%s is a file", r.dest)
	case r.to.below(r.n):
		return tree.Errorf(tree.ErrInvalid, "%s cannot become a part of itself", r.from)
	}
	if other := r.view.nodes.peek(r.to.node, r.name); other != nil && !r.replaces {
		if err := other.free(r.s); err != nil {
			return err
		}
	}
	if g := r.view.cfg.Guard; g != nil {
		return g.BeforeRename(ctx, r.from, r.dest, r.replaces)
	}
	return nil
}

func zone(p string) string {
	for i := 1; i < len(p); i++ {
		if p[i] == '/' {
			return p[1:i]
		}
	}
	return p[1:]
}

// hold locks the drafts that a rename concerns, so that no close of them is
// under way: those at and below the node, whose temporary objects are closed,
// because the server would lose them; and the one that has the new name.
func (r *renaming) hold(ctx context.Context) (release func(), err error) {
	var held []*draft
	release = func() {
		for _, d := range held {
			d.unlock()
		}
	}
	old := r.view.nodes.peek(r.to.node, r.name)
	all := r.view.drafts.all()
	// In one order, so that two renames do not wait for each other.
	slices.SortFunc(all, func(a, b *draft) int { return cmp.Compare(a.node.ino, b.node.ino) })
	for _, d := range all {
		moves := d.node.below(r.n)
		if !moves && (old == nil || d.node != old || d.s != r.s) {
			continue
		}
		if err := d.lock(ctx); err != nil {
			return release, err
		}
		held = append(held, d)
		if !moves {
			r.replaced = d
			continue
		}
		if err := d.closeRemote(ctx); err != nil {
			_ = d.fail(ctx, fail(err))
		}
	}
	// A close may have made a name appear meanwhile.
	r.target, r.replaces, err = r.to.exists(ctx, r.s, r.name)
	if err == nil && r.replaces && r.opts.NoReplace {
		err = tree.Errorf(tree.ErrExists, "%s exists", r.dest)
	}
	return release, err
}

// publish gives a name to a file that has only a temporary one. If it is
// stored already, it becomes visible now, else when it is closed.
func (r *renaming) publish(ctx context.Context, d *draft) error {
	r.forsakeReplaced(ctx)
	alias := r.to.isVirtual() || aliasName(r.name, func(string) bool { return false })
	r.view.nodes.move(r.n, r.to.node, r.name)
	d.mu.Lock()
	d.alias, d.exists = alias, r.replaces
	// An empty file that nobody has closed yet differs from the one that it
	// replaces.
	d.dirty = d.dirty || r.replaces && !d.stored
	ready := d.stored && !d.dirty && !alias
	d.mu.Unlock()
	if !ready {
		return nil
	}
	err := d.publish(ctx)
	if err != nil {
		err = d.fail(ctx, fail(err))
		r.view.nodes.remove(r.n)
	} else {
		d.mu.Lock()
		err = d.result
		d.mu.Unlock()
	}
	d.finish(ctx)
	return err
}

// forsakeReplaced takes the new name from those who are writing under it.
func (r *renaming) forsakeReplaced(ctx context.Context) {
	if r.replaced != nil {
		r.view.nodes.remove(r.replaced.node)
		r.replaced.forsake(ctx)
	}
}

// move renames what the server has.
func (r *renaming) move(ctx context.Context) error {
	if r.to.isVirtual() {
		return tree.Errorf(tree.ErrNotPermitted, "only files that are being written can be moved into a folder for temporary files")
	}
	k, err := r.n.find(ctx, r.s)
	if err != nil {
		return err
	}
	c := r.s.client
	isColl := k.IsCollection
	if !isColl && k.rough && path.Dir(r.from) != path.Dir(r.dest) {
		if k, err = r.s.statNow(ctx, r.from); err != nil {
			return fail(err)
		}
	}
	if isColl && r.replaces {
		if err := c.Rmdir(ctx, r.dest); err != nil {
			return fail(err)
		}
	}
	through, cancel := tree.Outlive(ctx, tree.InterruptGrace)
	err = c.Rename(through, r.from, r.dest, isColl, r.replaces && !isColl)
	cancel()
	if errors.Is(err, irods.ErrExists) && r.replaces && !isColl {
		err = r.swap(ctx)
	}
	if errors.Is(err, irods.ErrLost) && r.done(ctx) {
		err = nil
	}
	if inTheWay(err) {
		return tree.Errorf(tree.ErrIO, "%s was not moved: the storage of the iRODS server still has a folder of that name, of a collection that was removed: %w", r.from, err).
			WithAdvice("Copy it, which the server then keeps elsewhere, and remove the old one; or move it to another name.")
	}
	if err != nil {
		return busy(fail(err))
	}
	if !isColl && path.Dir(r.from) != path.Dir(r.dest) {
		// The server takes it for changed.
		if err := c.Touch(ctx, r.dest, k.Modified); err != nil {
			r.view.log.Debug("modification time not kept", "path", r.dest, "err", err)
		}
	}
	r.forsakeReplaced(ctx)
	r.view.sessions.each(func(s *session) { s.moved(r.from, r.dest) })
	r.view.nodes.move(r.n, r.to.node, r.name)
	if g := r.view.cfg.Guard; g != nil {
		return g.Renamed(ctx, r.from, r.dest)
	}
	return nil
}

// swap replaces a data object on servers that do not do it in one step.
func (r *renaming) swap(ctx context.Context) error {
	c := r.s.client
	aside := joinPath(r.to.path(), r.view.temps.next())
	if err := c.Rename(ctx, r.dest, aside, false, false); err != nil {
		return err
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := c.Rename(ctx, r.from, r.dest, false, false); err != nil {
		if back := c.Rename(ctx, aside, r.dest, false, false); back != nil {
			r.view.log.Error("a file that was to be replaced has another name now", "path", r.dest, "name", aside, "err", back)
		}
		return err
	}
	if err := c.Remove(ctx, aside, true); err != nil {
		r.view.log.Warn("a temporary object stays until the next start", "path", aside, "err", err)
	}
	return nil
}

// done looks whether a rename whose answer was lost took place.
func (r *renaming) done(ctx context.Context) bool {
	ctx, cancel := detached(ctx)
	defer cancel()
	if _, err := r.s.client.Stat(ctx, r.from); !isNotFound(err) {
		return false
	}
	e, err := r.s.client.Stat(ctx, r.dest)
	return err == nil && (!r.replaces || e.ID != r.target.ID)
}
