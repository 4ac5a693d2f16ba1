package irodsview

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"unicode/utf8"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// Unlink removes a file: to the trash or for good, as configured.
func (d *dir) Unlink(ctx context.Context, name string) error {
	s, n, err := d.existing(ctx, name)
	if err != nil {
		return err
	}
	p := n.path()
	if n.kind == tree.KindDir {
		return tree.Errorf(tree.ErrIsDir, "%s is a folder", p)
	}
	// A close that is being answered is waited for; what comes later finds
	// the name gone.
	dr := n.draftOf(s)
	if dr != nil {
		if err := dr.lock(ctx); err != nil {
			return err
		}
		defer dr.unlock()
		if dr.unseen() {
			d.view.nodes.remove(n)
			dr.forsake(ctx)
			return nil
		}
	}
	g := d.view.cfg.Guard
	if g != nil {
		if err := g.BeforeRemove(ctx, p); err != nil {
			return err
		}
	}
	if err := d.view.remove(ctx, s, p); err != nil {
		return busy(fail(err))
	}
	d.gone(n, p)
	if dr != nil {
		dr.forsake(ctx)
	}
	if g != nil {
		g.Removed(ctx, p)
	}
	return nil
}

// remove removes a data object. The server keeps the folders of what it moves
// to the trash, and refuses where a file of one of their names is there already;
// it then gets a name of its own at the top of the trash.
func (v *View) remove(ctx context.Context, s *session, p string) error {
	c := s.client
	err := c.Remove(ctx, p, !v.cfg.Trash)
	if !v.cfg.Trash || !errors.Is(err, irods.ErrExists) && !errors.Is(err, irods.ErrServer) {
		return err
	}
	var unique [4]byte
	_, _ = rand.Read(unique[:])
	user, _ := c.User()
	name := path.Base(p)
	suffix := fmt.Sprintf(".%x", unique)
	for len(name)+len(suffix) > maxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	if c.Rename(ctx, p, joinPath("/"+c.Zone()+"/trash/home/"+user, name+suffix), false, false) == nil {
		return nil
	}
	return err
}

// maxName is how many bytes a name may have.
const maxName = 255

// gone notes a removal.
func (d *dir) gone(n *node, p string) {
	d.view.sessions.each(func(s *session) { s.vanished(p) })
	d.view.nodes.remove(n)
}

// Rmdir removes an empty folder.
func (d *dir) Rmdir(ctx context.Context, name string) error {
	s, n, err := d.existing(ctx, name)
	if err != nil {
		return err
	}
	p := n.path()
	if n.kind != tree.KindDir {
		return tree.Errorf(tree.ErrNotDir, "%s is a file", p)
	}
	child := &dir{n, d.view}
	for name := range d.view.nodes.list(n) {
		if child.local(s, name) != nil {
			return tree.Errorf(tree.ErrNotEmpty, "%s is not empty", p)
		}
	}
	if n.isVirtual() {
		d.view.nodes.remove(n)
		return nil
	}
	g := d.view.cfg.Guard
	if g != nil {
		if err := g.BeforeRemove(ctx, p); err != nil {
			return err
		}
	}
	if err := s.client.Rmdir(ctx, p); err != nil {
		return fail(err)
	}
	d.gone(n, p)
	if g != nil {
		g.Removed(ctx, p)
	}
	return nil
}
