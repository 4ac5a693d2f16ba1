package irodsview

import (
	"context"
	"errors"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// Modes by rights: what the user may do, as one would see it in a home.
func modeOf(kind tree.Kind, l irods.Level) uint32 {
	switch {
	case kind == tree.KindDir && l >= irods.LevelCreate:
		return 0o755
	case kind == tree.KindDir:
		return 0o555
	case l >= irods.LevelWrite:
		return 0o644
	case l >= irods.LevelRead:
		return 0o444
	}
	return 0
}

// find returns what the server has under the node's name.
func (n *node) find(ctx context.Context, s *session) (known, error) {
	p := n.path()
	if !n.attached() {
		return known{}, tree.Errorf(tree.ErrNotFound, "%s has been removed", p)
	}
	k, err := s.stat(ctx, p)
	if err != nil {
		return known{}, fail(err)
	}
	if k.IsCollection != (n.kind == tree.KindDir) {
		return known{}, tree.Errorf(tree.ErrNotFound, "%s has become something else", p)
	}
	return k, nil
}

// attr returns the node's attributes for a session.
func (n *node) attr(ctx context.Context, v *View, s *session) (tree.Attr, error) {
	a := tree.Attr{Kind: n.kind, Ino: n.ino, UID: v.cfg.UID, GID: v.cfg.GID}
	var catalogue time.Time
	if d := n.draftOf(s); d != nil && d.ahead() {
		a.Mode = modeOf(n.kind, irods.LevelOwn)
		d.mu.Lock()
		a.Size, a.Mtime = d.size, d.written
		if !d.mtime.IsZero() {
			a.Mtime = d.mtime
		}
		d.mu.Unlock()
	} else if n.isVirtual() {
		a.Mode = modeOf(n.kind, irods.LevelOwn)
		a.Mtime = v.cfg.Clock()
	} else {
		k, err := n.find(ctx, s)
		if err != nil {
			return tree.Attr{}, err
		}
		a.Mode, a.Size, a.Mtime = modeOf(n.kind, k.level), k.Size, k.Modified
		catalogue = k.Modified
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	o := &n.overlay
	if o.mode != nil {
		a.Mode = *o.mode
	}
	if o.uid != nil {
		a.UID = *o.uid
	}
	if o.gid != nil {
		a.GID = *o.gid
	}
	a.Atime = o.atime
	if !o.mtime.IsZero() && (n.virtual != nil || !catalogue.IsZero() && catalogue.Unix() == o.catalogue) {
		a.Mtime = o.mtime
	}
	if a.Mtime.Before(o.changed) {
		a.Mtime = o.changed
	}
	return a, nil
}

// ahead tells whether the draft has something that the server does not.
func (d *draft) ahead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.dead && !d.gone && (!d.exists || d.dirty || d.stored)
}

// keepTime notes a modification time that a program set; it is shown for as
// long as the catalogue keeps the time it has now.
func (n *node) keepTime(t, catalogue time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.overlay.mtime, n.overlay.catalogue = t, catalogue.Unix()
	n.overlay.changed = time.Time{}
}

// noteChange makes the time of a folder now, in which the server has no name
// yet that was made.
func (n *node) noteChange(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.overlay.changed = now
}

// setOverlay notes attributes that iRODS cannot store.
func (n *node) setOverlay(change tree.AttrChange) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := &n.overlay
	if change.Mode != nil {
		o.mode = change.Mode
	}
	if change.UID != nil {
		o.uid = change.UID
	}
	if change.GID != nil {
		o.gid = change.GID
	}
	if change.Atime != nil {
		o.atime = *change.Atime
	}
}

// setTime stores a modification time where iRODS can, in whole seconds, and
// keeps it here otherwise.
func (n *node) setTime(ctx context.Context, v *View, s *session, t time.Time) error {
	if n.isVirtual() {
		n.keepTime(t, t)
		return nil
	}
	p := n.path()
	if !n.attached() || !s.has(p) {
		if _, err := n.find(ctx, s); err != nil {
			return err
		}
	}
	err := s.client.Touch(ctx, p, t)
	switch {
	case err == nil:
		n.keepTime(t, t)
		v.sessions.each(func(other *session) {
			if other == s {
				s.dated(p, t)
			} else {
				other.changed(p)
			}
		})
	case errors.Is(err, irods.ErrDenied), errors.Is(err, irods.ErrNotSupported):
		k, err := n.find(ctx, s)
		if err != nil {
			return err
		}
		n.keepTime(t, k.Modified)
	default:
		return fail(err)
	}
	n.mu.Lock()
	n.overlay.timeSet = v.cfg.Clock()
	n.mu.Unlock()
	return nil
}

// keepFolderTimes deals with the times of the folders that a commit has changed
// on the server: the file's, and the one its temporary object was in. replaced
// says that no name has come to the folder, which then has no reason to change.
func (d *draft) keepFolderTimes(ctx context.Context, replaced bool) {
	up := d.node.up()
	d.keepFolderTime(ctx, up, replaced)
	if d.tmpDir != nil && d.tmpDir != up {
		d.keepFolderTime(ctx, d.tmpDir, replaced)
	}
}

// keepFolderTime sets a folder's time again that a program has set, if it still
// should have it: it was set while this file was already being written, so to
// the program the file was complete then, or always.
func (d *draft) keepFolderTime(ctx context.Context, n *node, always bool) {
	n.mu.Lock()
	t, when := n.overlay.mtime, n.overlay.timeSet
	n.mu.Unlock()
	if t.IsZero() || !always && !when.After(d.born) {
		p := n.path()
		d.view.sessions.each(func(s *session) {
			if s == d.s {
				s.grown(p)
			} else {
				s.changed(p)
			}
		})
		return
	}
	if err := n.setTime(ctx, d.view, d.s, t); err != nil {
		d.view.log.Debug("folder's time not kept", "path", n.path(), "err", err)
	}
}

// SetAttr changes attributes of a folder.
func (d *dir) SetAttr(ctx context.Context, change tree.AttrChange) (tree.Attr, error) {
	s, err := d.view.session(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	if change.Size != nil {
		return tree.Attr{}, tree.Errorf(tree.ErrIsDir, "a folder has no size")
	}
	if change.Mtime != nil {
		if err := d.setTime(ctx, d.view, s, *change.Mtime); err != nil {
			return tree.Attr{}, err
		}
	}
	d.setOverlay(change)
	return d.attr(ctx, d.view, s)
}

// SetAttr changes attributes of a file; the size with its content.
func (f *file) SetAttr(ctx context.Context, change tree.AttrChange) (tree.Attr, error) {
	s, err := f.view.session(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	if change.Size != nil {
		if err := f.resize(ctx, s, *change.Size); err != nil {
			return tree.Attr{}, err
		}
	}
	if change.Mtime != nil {
		t := *change.Mtime
		if d := f.draftOf(s); d == nil || !d.setTime(t) {
			if err := f.setTime(ctx, f.view, s, t); err != nil {
				return tree.Attr{}, err
			}
		}
	} else if d := f.draftOf(s); d != nil && change.Size == nil {
		d.mu.Lock()
		d.touched = true
		d.mu.Unlock()
	}
	f.setOverlay(change)
	return f.attr(ctx, f.view, s)
}

// setTime keeps a time for the commit; false when there is none to come.
func (d *draft) setTime(t time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead || d.gone || d.exists && !d.dirty && !d.stored {
		return false
	}
	d.mtime, d.touched = t, true
	return true
}

// resize truncates or extends a file. If nobody has it open for writing, it
// is stored at once.
func (f *file) resize(ctx context.Context, s *session, size int64) error {
	if size < 0 {
		return tree.Errorf(tree.ErrInvalid, "a size of %d", size)
	}
	// O_TRUNC comes as a change of size after the open, which has asked for
	// the rights and the guard.
	d := f.join(s)
	if d == nil {
		var err error
		if d, err = f.acquireDraft(ctx, s); err != nil {
			return err
		}
	}
	defer d.release(ctx)
	if err := d.lock(ctx); err != nil {
		return err
	}
	defer d.unlock()
	if err := d.truncate(ctx, size); err != nil {
		return err
	}
	f.node.mu.Lock()
	alone := d.handles == 1
	f.node.mu.Unlock()
	if alone {
		return d.commit(ctx)
	}
	return nil
}
