package memtree

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"omerods/fs/tree"
)

// now returns the attributes with the size of the content; it needs the lock.
func (n *node) now() tree.Attr {
	a := n.attr
	if a.Kind == tree.KindFile {
		a.Size = int64(len(n.data))
	}
	return a
}

func (n *node) setXattr(name string, value []byte) {
	if n.xattrs == nil {
		n.xattrs = make(map[string][]byte)
	}
	n.xattrs[name] = bytes.Clone(value)
}

// view returns the node as what it is.
func (n *node) view() tree.Node {
	if n.attr.Kind == tree.KindDir {
		return &dir{n}
	}
	return &file{n}
}

func (n *node) Attr(ctx context.Context) (tree.Attr, error) {
	if err := n.t.enter(ctx, OpAttr, n, ""); err != nil {
		return tree.Attr{}, err
	}
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	if n.parent == nil && n != n.t.root {
		return tree.Attr{}, tree.ErrNotFound
	}
	return n.now(), nil
}

func (n *node) SetAttr(ctx context.Context, c tree.AttrChange) (tree.Attr, error) {
	if err := n.t.enter(ctx, OpSetAttr, n, ""); err != nil {
		return tree.Attr{}, err
	}
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	if c.Size != nil {
		if n.attr.Kind == tree.KindDir {
			return tree.Attr{}, tree.ErrIsDir
		}
		n.truncate(*c.Size)
	}
	if c.Mode != nil {
		n.attr.Mode = *c.Mode
	}
	if c.UID != nil {
		n.attr.UID = *c.UID
	}
	if c.GID != nil {
		n.attr.GID = *c.GID
	}
	if c.Mtime != nil {
		n.attr.Mtime = *c.Mtime
	}
	if c.Atime != nil {
		n.attr.Atime = *c.Atime
	}
	n.attr.Ctime = time.Now()
	return n.now(), nil
}

func (n *node) truncate(size int64) {
	if old := int64(len(n.data)); size > old {
		n.data = append(n.data, make([]byte, size-old)...)
	}
	n.data = n.data[:size]
	n.attr.Mtime = time.Now()
}

func (n *node) Access(ctx context.Context, want tree.Access) error {
	if err := n.t.enter(ctx, OpAccess, n, ""); err != nil {
		return err
	}
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	c, ok := tree.CallerFrom(ctx)
	if !ok || c.UID == 0 {
		return nil
	}
	bits := n.attr.Mode
	switch {
	case c.UID == n.attr.UID:
		bits >>= 6
	case c.GID == n.attr.GID:
		bits >>= 3
	}
	if want.Read && bits&4 == 0 || want.Write && bits&2 == 0 || want.Execute && bits&1 == 0 {
		return tree.ErrDenied
	}
	return nil
}

func (n *node) Getxattr(ctx context.Context, name string) ([]byte, error) {
	if err := n.t.enter(ctx, OpGetxattr, n, ""); err != nil {
		return nil, err
	}
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	v, ok := n.xattrs[name]
	if !ok {
		return nil, tree.ErrNoData
	}
	return bytes.Clone(v), nil
}

func (n *node) Listxattr(ctx context.Context) ([]string, error) {
	if err := n.t.enter(ctx, OpListxattr, n, ""); err != nil {
		return nil, err
	}
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	return slices.Sorted(maps.Keys(n.xattrs)), nil
}

func (n *node) Setxattr(ctx context.Context, name string, value []byte, create, replace bool) error {
	if err := n.t.enter(ctx, OpSetxattr, n, ""); err != nil {
		return err
	}
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	_, ok := n.xattrs[name]
	switch {
	case create && ok:
		return tree.ErrExists
	case replace && !ok:
		return tree.ErrNoData
	}
	n.setXattr(name, value)
	return nil
}

func (n *node) Removexattr(ctx context.Context, name string) error {
	if err := n.t.enter(ctx, OpRemovexattr, n, ""); err != nil {
		return err
	}
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	if _, ok := n.xattrs[name]; !ok {
		return tree.ErrNoData
	}
	delete(n.xattrs, name)
	return nil
}
