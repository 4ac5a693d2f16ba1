package irodsview

import (
	"context"
	"time"

	"omerods/fs/tree"
)

// acquire returns the session's draft of a file for one more handle, made by
// make when there is none. Another session's draft is ErrBusy.
func (n *node) acquire(s *session, create func() *draft) (*draft, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d := n.draft; d != nil && !d.isDead() {
		if d.s != s {
			return nil, tree.Errorf(tree.ErrBusy, "somebody else is writing this file")
		}
		d.handles++
		return d, nil
	}
	d := create()
	d.handles = 1
	n.draft = d
	return d, nil
}

// join returns the session's draft of a file that is open for writing, for one
// more handle, or nil.
func (n *node) join(s *session) *draft {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d := n.draft; d != nil && d.s == s && d.handles > 0 && !d.isDead() {
		d.handles++
		return d
	}
	return nil
}

func (d *draft) isDead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// release frees a handle. An empty file that was never closed a second time
// is known to be empty only now.
func (d *draft) release(ctx context.Context) {
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := d.lock(ctx); err != nil {
		d.view.log.Error("a file is left open", "path", d.node.path(), "err", err)
		return
	}
	defer d.unlock()
	d.node.mu.Lock()
	d.handles--
	last := d.handles == 0
	d.node.mu.Unlock()
	if !last {
		return
	}
	d.mu.Lock()
	d.released = d.view.cfg.Clock()
	// A truncation by path may come between the last close and this.
	late := !d.gone && (d.empty() || d.dirty && !d.unclosed)
	lost := !d.gone && d.dirty && !late
	d.mu.Unlock()
	switch {
	case d.failed != nil:
	case late:
		if err := d.commit(ctx); err != nil {
			d.view.log.Error("an emptied file could not be stored", "path", d.node.path(), "err", err)
		}
	case lost:
		err := d.fail(ctx, tree.Errorf(tree.ErrIO, "%s was not stored: it was never closed", d.node.path()))
		d.view.log.Error("file dropped", "path", d.node.path(), "err", err)
	}
	d.finish(ctx)
}

// finish ends a draft that nobody has open, unless it waits for its name. io
// is held.
func (d *draft) finish(ctx context.Context) {
	d.mu.Lock()
	waits := d.alias && d.stored && !d.gone && !d.dead
	d.mu.Unlock()
	d.node.mu.Lock()
	open := d.handles > 0
	if !open && !waits && d.node.draft == d {
		d.node.draft = nil
	}
	d.node.mu.Unlock()
	if open || waits {
		return
	}
	d.dropTemp(ctx)
	d.dropBuf()
	d.view.drafts.remove(d)
}

// forsake takes the name from a draft: it was removed or replaced. Programs
// that have it open go on with it, and nobody will see it. io is held.
func (d *draft) forsake(ctx context.Context) {
	ctx, cancel := detached(ctx)
	defer cancel()
	d.mu.Lock()
	d.gone = true
	d.mu.Unlock()
	d.finish(ctx)
}

// unseen tells whether the draft's name exists only here.
func (d *draft) unseen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.exists && !d.gone && !d.dead
}

// left tells whether a program left the file under its temporary name.
func (d *draft) left(before time.Time) bool {
	if d.node.up().isVirtual() {
		return false // rsync keeps all files there until the last has come
	}
	d.node.mu.Lock()
	open := d.handles > 0
	d.node.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alias && d.stored && !open && !d.gone && !d.dead && d.released.Before(before)
}

// publishAlias publishes a stored file under the temporary name it has.
func (d *draft) publishAlias(ctx context.Context) error {
	ctx = tree.WithCaller(ctx, d.caller)
	if err := d.lock(ctx); err != nil {
		return err
	}
	defer d.unlock()
	d.mu.Lock()
	still := d.alias && d.stored && !d.gone && !d.dead
	d.alias = d.alias && !still
	d.mu.Unlock()
	if !still {
		return nil
	}
	err := d.publish(ctx)
	if err != nil {
		err = d.fail(ctx, fail(err))
	}
	d.finish(ctx)
	return err
}

// abandon ends a draft with the view.
func (d *draft) abandon(ctx context.Context) {
	if d.left(d.view.cfg.Clock().Add(time.Second)) {
		if err := d.publishAlias(ctx); err != nil {
			d.view.log.Error("a file that was closed could not be stored", "path", d.node.path(), "err", err)
		}
		return
	}
	if err := d.lock(ctx); err != nil {
		return
	}
	defer d.unlock()
	if d.failed == nil {
		_ = d.fail(ctx, tree.Errorf(tree.ErrIO, "%s was not stored: the mount ended", d.node.path()))
	}
	d.view.drafts.remove(d)
}
