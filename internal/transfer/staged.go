package transfer

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"omerods/fs/tree"
)

// firstStagedIno begins the numbers of staged nodes: apart from those of live
// objects, which have the top bit set, and above the small ones of others.
const firstStagedIno = 1 << 61

var lastStagedIno atomic.Uint64

func nextStagedIno() uint64 { return firstStagedIno + lastStagedIno.Add(1) }

// stagedAttr are the attributes that the writer of a staged node sees.
type stagedAttr struct {
	ino          uint64
	mode         uint32
	uid, gid     uint32
	mtime, atime time.Time
	touched      bool // mtime was set by the writer and outlives writes
}

func (l *Load) newAttr(ctx context.Context, mode uint32) stagedAttr {
	c, _ := tree.CallerFrom(ctx)
	now := l.of.cfg.Now()
	return stagedAttr{ino: nextStagedIno(), mode: mode & 0o7777, uid: c.UID, gid: c.GID, mtime: now, atime: now}
}

func (a *stagedAttr) change(c tree.AttrChange) {
	if c.Mode != nil {
		a.mode = *c.Mode & 0o7777
	}
	if c.UID != nil {
		a.uid = *c.UID
	}
	if c.GID != nil {
		a.gid = *c.GID
	}
	if c.Mtime != nil {
		a.mtime, a.touched = *c.Mtime, true
	}
	if c.Atime != nil {
		a.atime = *c.Atime
	}
}

func (a *stagedAttr) attr(kind tree.Kind, size int64) tree.Attr {
	return tree.Attr{
		Kind: kind, Ino: a.ino, Size: size, Mode: a.mode, UID: a.uid, GID: a.gid,
		Mtime: a.mtime, Atime: a.atime, Ctime: a.mtime,
		// The name leads to a live object as soon as the load is over.
		Valid: -1,
	}
}

// stagedDir is a folder that is being written. Its fields are guarded by the
// load's mutex.
type stagedDir struct {
	load     *Load
	parent   *stagedDir // nil for the top
	name     string
	children map[string]any // *stagedDir or *stagedFile
	order    []string       // names as they came
	stagedAttr
}

var (
	_ tree.Dir         = (*stagedDir)(nil)
	_ tree.Creator     = (*stagedDir)(nil)
	_ tree.DirMaker    = (*stagedDir)(nil)
	_ tree.Remover     = (*stagedDir)(nil)
	_ tree.Renamer     = (*stagedDir)(nil)
	_ tree.AttrSetter  = (*stagedDir)(nil)
	_ tree.XAttrSetter = (*stagedDir)(nil)
)

func (d *stagedDir) add(name string, child any) {
	d.children[name] = child
	d.order = append(d.order, name)
}

func (d *stagedDir) drop(name string) {
	delete(d.children, name)
	d.order = slices.DeleteFunc(d.order, func(n string) bool { return n == name })
}

// path is the folder's path below the top, "" for the top itself.
func (d *stagedDir) path() string {
	var names []string
	for ; d.parent != nil; d = d.parent {
		names = append(names, d.name)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// Attr implements tree.Node.
func (d *stagedDir) Attr(context.Context) (tree.Attr, error) {
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	return d.attr(tree.KindDir, 0), nil
}

// SetAttr implements tree.AttrSetter.
func (d *stagedDir) SetAttr(_ context.Context, c tree.AttrChange) (tree.Attr, error) {
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	d.change(c)
	return d.attr(tree.KindDir, 0), nil
}

// Setxattr accepts what OMERO has no place for.
func (d *stagedDir) Setxattr(context.Context, string, []byte, bool, bool) error { return nil }

// Removexattr finds nothing, because nothing was kept.
func (d *stagedDir) Removexattr(context.Context, string) error { return tree.ErrNoData }

// Lookup implements tree.Dir.
func (d *stagedDir) Lookup(_ context.Context, name string) (tree.Node, error) {
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	switch c := d.children[name].(type) {
	case *stagedDir:
		return c, nil
	case *stagedFile:
		return c, nil
	}
	return nil, tree.ErrNotFound
}

// List implements tree.Dir.
func (d *stagedDir) List(context.Context) ([]tree.Entry, error) {
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	out := make([]tree.Entry, 0, len(d.order))
	for _, name := range d.order {
		switch c := d.children[name].(type) {
		case *stagedDir:
			out = append(out, tree.Entry{Name: name, Kind: tree.KindDir, Ino: c.ino, Node: c})
		case *stagedFile:
			out = append(out, tree.Entry{Name: name, Kind: tree.KindFile, Ino: c.ino, Node: c})
		}
	}
	return out, nil
}

// Create implements tree.Creator.
func (d *stagedDir) Create(ctx context.Context, name string, opts tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	d.load.saw(ctx)
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	switch c := d.children[name].(type) {
	case *stagedDir:
		return nil, nil, tree.ErrIsDir
	case *stagedFile:
		if opts.Exclusive {
			return nil, nil, tree.ErrExists
		}
		h, err := c.openLocked(opts.OpenOptions)
		return c, h, err
	}
	if err := d.load.writable(); err != nil {
		return nil, nil, err
	}
	content, err := d.load.of.cfg.Spool.file()
	if err != nil {
		return nil, nil, err
	}
	f := &stagedFile{load: d.load, parent: d, name: name, content: content, stagedAttr: d.load.newAttr(ctx, opts.Mode)}
	d.add(name, f)
	h, err := f.openLocked(opts.OpenOptions)
	return f, h, err
}

// Mkdir implements tree.DirMaker.
func (d *stagedDir) Mkdir(ctx context.Context, name string, mode uint32) (tree.Dir, error) {
	d.load.saw(ctx)
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	if err := d.load.writable(); err != nil {
		return nil, err
	}
	if d.children[name] != nil {
		return nil, tree.ErrExists
	}
	c := d.load.newDir(ctx, d, name, mode)
	d.add(name, c)
	return c, nil
}

// Unlink implements tree.Remover.
func (d *stagedDir) Unlink(_ context.Context, name string) error {
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	f, ok := d.children[name].(*stagedFile)
	if !ok {
		if d.children[name] != nil {
			return tree.ErrIsDir
		}
		return tree.ErrNotFound
	}
	if err := d.load.withdraw(f); err != nil {
		return err
	}
	d.drop(name)
	f.remove()
	return nil
}

// Rmdir implements tree.Remover.
func (d *stagedDir) Rmdir(_ context.Context, name string) error {
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	c, ok := d.children[name].(*stagedDir)
	switch {
	case !ok && d.children[name] != nil:
		return tree.ErrNotDir
	case !ok:
		return tree.ErrNotFound
	case len(c.children) > 0:
		return tree.ErrNotEmpty
	}
	d.drop(name)
	return nil
}

// Rename implements tree.Renamer. A rename within one folder that brings the
// last file waits for the load's end, because nobody would hear of it later.
func (d *stagedDir) Rename(ctx context.Context, name string, to tree.Dir, newName string, opts tree.RenameOptions) error {
	target, ok := to.(*stagedDir)
	if !ok || target.load != d.load {
		return tree.Errorf(tree.ErrNotPermitted, "a folder that is being loaded takes files only by copying")
	}
	f, err := d.renameLocked(name, target, newName, opts)
	if err != nil || f == nil {
		return err
	}
	d.load.saw(ctx)
	return d.load.closed(ctx, f, target == d)
}

// renameLocked returns the file that has arrived by its new name, if it is one
// and nobody is writing it.
func (d *stagedDir) renameLocked(name string, target *stagedDir, newName string, opts tree.RenameOptions) (*stagedFile, error) {
	d.load.mu.Lock()
	defer d.load.mu.Unlock()
	if err := d.load.writable(); err != nil {
		return nil, err
	}
	child := d.children[name]
	if child == nil {
		return nil, tree.ErrNotFound
	}
	if c, ok := child.(*stagedFile); ok && c.arrived {
		return nil, tree.Errorf(tree.ErrBusy, "%s is on its way into OMERO", name)
	}
	if old := target.children[newName]; old != nil && old != child {
		if opts.NoReplace {
			return nil, tree.ErrExists
		}
		switch o := old.(type) {
		case *stagedDir:
			if _, isDir := child.(*stagedDir); !isDir {
				return nil, tree.ErrIsDir
			}
			if len(o.children) > 0 {
				return nil, tree.ErrNotEmpty
			}
		case *stagedFile:
			if _, isDir := child.(*stagedDir); isDir {
				return nil, tree.ErrNotDir
			}
			if err := d.load.withdraw(o); err != nil {
				return nil, err
			}
			o.remove()
		}
		target.drop(newName)
	}
	switch c := child.(type) {
	case *stagedDir:
		for p := target; p != nil; p = p.parent {
			if p == c {
				return nil, tree.ErrInvalid
			}
		}
		d.drop(name)
		c.name, c.parent = newName, target
		target.add(newName, c)
		return nil, nil
	case *stagedFile:
		d.drop(name)
		c.name, c.parent = newName, target
		target.add(newName, c)
		if c.writers == 0 || !c.dirty {
			return c, nil
		}
	}
	return nil, nil
}

func (l *Load) newDir(ctx context.Context, parent *stagedDir, name string, mode uint32) *stagedDir {
	return &stagedDir{load: l, parent: parent, name: name, children: map[string]any{}, stagedAttr: l.newAttr(ctx, mode)}
}

// files lists all staged files by their path below the top.
func (d *stagedDir) files(into map[string]*stagedFile) map[string]*stagedFile {
	for _, name := range slices.Sorted(maps.Keys(d.children)) {
		switch c := d.children[name].(type) {
		case *stagedDir:
			c.files(into)
		case *stagedFile:
			into[join(d.path(), name)] = c
		}
	}
	return into
}
