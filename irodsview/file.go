package irodsview

import (
	"context"
	"errors"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// file is a data object, or one that is being written.
type file struct {
	*node
	view *View
}

var (
	_ tree.File          = (*file)(nil)
	_ tree.AttrSetter    = (*file)(nil)
	_ tree.XAttrs        = (*file)(nil)
	_ tree.XAttrSetter   = (*file)(nil)
	_ tree.AccessChecker = (*file)(nil)
)

// Path returns the logical path of the file.
func (f *file) Path() string { return f.path() }

func (f *file) Attr(ctx context.Context) (tree.Attr, error) {
	s, err := f.view.session(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return f.attr(ctx, f.view, s)
}

func (f *file) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	s, err := f.view.session(ctx)
	if err != nil {
		return nil, err
	}
	h, err := f.openFor(ctx, s, opts)
	if !errors.Is(err, tree.ErrNotFound) {
		return h, err
	}
	// Somebody else has removed it and the kernel still knows the name: told
	// so, it looks the name up once more, and makes the file if it is to.
	s.vanished(f.path())
	return nil, tree.Errorf(tree.ErrStale, "%s has been removed", f.path())
}

func (f *file) openFor(ctx context.Context, s *session, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return f.openWrite(ctx, s, opts)
	}
	if d := f.draftOf(s); d != nil && d.ahead() {
		return newReadHandle(f, s, -1), nil
	}
	k, err := f.find(ctx, s)
	if err != nil {
		return nil, err
	}
	if k.level < irods.LevelRead {
		return nil, tree.Errorf(tree.ErrDenied, "you may not read %s", f.path())
	}
	h := newReadHandle(f, s, k.Size)
	if err := h.openRead(ctx, k); err != nil {
		h.Release(ctx)
		return nil, busy(fail(err))
	}
	return h, nil
}

// busy explains that a file is being written elsewhere.
func busy(err error) error {
	var told *tree.Error
	if errors.As(err, &told) && errors.Is(told.Class, tree.ErrBusy) {
		return told.WithAdvice("Try again when the other program has finished; if it crashed, an iRODS administrator has to reset the object.")
	}
	return err
}

func (f *file) openWrite(ctx context.Context, s *session, opts tree.OpenOptions) (tree.WriteHandle, error) {
	d, err := f.acquireDraft(ctx, s)
	if err != nil {
		return nil, err
	}
	h := &writeHandle{file: f, draft: d, append: opts.Append}
	if opts.Truncate {
		if err := h.truncate(ctx); err != nil {
			h.Release(ctx)
			return nil, err
		}
	}
	return h, nil
}

// acquireDraft returns the draft for one more writer, after the rights and
// the guard were asked.
func (f *file) acquireDraft(ctx context.Context, s *session) (*draft, error) {
	if d := f.draftOf(s); d != nil && d.unseen() {
		return f.acquire(s, func() *draft { return f.view.newDraft(ctx, s, f.node, false, 0) })
	}
	k, err := f.find(ctx, s)
	if err != nil {
		return nil, err
	}
	p := f.path()
	if k.level < irods.LevelWrite {
		return nil, tree.Errorf(tree.ErrDenied, "you may not change %s", p)
	}
	if len(k.Replicas) > 0 && !k.Good() {
		return nil, busy(tree.Errorf(tree.ErrBusy, "%s is being written by somebody else", p))
	}
	if g := f.view.cfg.Guard; g != nil {
		if err := g.BeforeWrite(ctx, p); err != nil {
			return nil, err
		}
	}
	return f.acquire(s, func() *draft { return f.view.newDraft(ctx, s, f.node, true, k.Size) })
}

// Access answers access(2) by the rights on the server.
func (f *file) Access(ctx context.Context, want tree.Access) error {
	s, err := f.view.session(ctx)
	if err != nil {
		return err
	}
	if want.Execute {
		a, err := f.attr(ctx, f.view, s)
		if err != nil {
			return err
		}
		if a.Mode&0o111 == 0 {
			return tree.ErrDenied
		}
	}
	if d := f.draftOf(s); d != nil && d.unseen() {
		return nil
	}
	k, err := f.find(ctx, s)
	switch {
	case err != nil:
		return err
	case want.Read && k.level < irods.LevelRead:
		return tree.Errorf(tree.ErrDenied, "you may not read %s", f.path())
	case want.Write && k.level < irods.LevelWrite:
		return tree.Errorf(tree.ErrDenied, "you may not change %s", f.path())
	}
	return nil
}
