package fs

import (
	"context"
	"errors"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"omerods/fs/tree"
)

// node is what folders and files have in common.
type node struct {
	gofuse.Inode
	mount  *mount
	entity *entity
}

// entityOf returns the entity behind an inode of this filesystem.
func entityOf(i *gofuse.Inode) *entity {
	if i == nil {
		return nil
	}
	switch n := i.Operations().(type) {
	case *dirNode:
		return n.entity
	case *fileNode:
		return n.entity
	}
	return nil
}

var (
	_ gofuse.NodeGetattrer = (*node)(nil)
	_ gofuse.NodeSetattrer = (*node)(nil)
	_ gofuse.NodeAccesser  = (*node)(nil)
	_ gofuse.NodeStatfser  = (*node)(nil)
)

// attr asks the tree for the attributes. A file that was removed while it is
// open has none there any more; it keeps the last ones.
func (n *node) attr(ctx context.Context) (tree.Attr, error) {
	a, err := n.entity.tree().Attr(ctx)
	if errors.Is(err, tree.ErrNotFound) && n.entity.isGone() {
		return n.entity.told(), nil
	}
	return a, err
}

// Getattr answers stat(2) for a node the kernel knows. The handle that the
// library adds may be any open one and says nothing.
func (n *node) Getattr(ctx context.Context, _ gofuse.FileHandle, out *fuse.AttrOut) syscall.Errno {
	ctx, end := n.mount.begin(ctx, opStat, nil)
	defer end()
	a, err := n.attr(ctx)
	if err != nil {
		return n.mount.fail(ctx, opStat, n.entity.path(), err)
	}
	n.mount.fillAttr(out, n.entity, a)
	return 0
}

// Setattr answers chmod, chown, utimens and truncate. O_TRUNC comes here too,
// after OPEN.
func (n *node) Setattr(ctx context.Context, f gofuse.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	var bound *tree.Caller
	if h, ok := f.(*handle); ok {
		bound = &h.caller
	}
	ctx, end := n.mount.begin(ctx, opSetAttr, bound)
	defer end()
	change := attrChange(in)
	if !n.mayGive(ctx, change) {
		return syscall.EPERM // no failure: cp -a only asks
	}
	a, err := n.setAttr(ctx, change)
	if err != nil {
		return n.mount.fail(ctx, opSetAttr, n.entity.path(), err)
	}
	n.mount.fillAttr(out, n.entity, a)
	return 0
}

// mayGive says whether the caller may change owner and group so.
func (n *node) mayGive(ctx context.Context, change tree.AttrChange) bool {
	if change.UID == nil && change.GID == nil {
		return true
	}
	c, _ := tree.CallerFrom(ctx)
	a, err := n.attr(ctx)
	return err != nil || mayGive(c, a, change) // the error comes again
}

func (n *node) setAttr(ctx context.Context, change tree.AttrChange) (tree.Attr, error) {
	if changesNothing(change) {
		return n.attr(ctx)
	}
	setter, ok := n.entity.tree().(tree.AttrSetter)
	if !ok {
		return tree.Attr{}, tree.Errorf(tree.ErrNotPermitted, "attributes cannot be changed here")
	}
	return setter.SetAttr(ctx, change)
}

// Statfs answers for the nearest folder above that knows its room; zeros say
// that it is unknown, which programs take as "go ahead".
func (n *node) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	ctx, end := n.mount.begin(ctx, opStatfs, nil)
	defer end()
	const blockBytes = 4096
	out.Bsize, out.Frsize, out.NameLen = blockBytes, blockBytes, maxNameBytes
	for e := n.entity; e != nil; e = e.up() {
		teller, ok := e.tree().(tree.SpaceTeller)
		if !ok {
			continue
		}
		s, err := teller.Space(ctx)
		if err != nil {
			return n.mount.fail(ctx, opStatfs, n.entity.path(), err)
		}
		out.Blocks = s.TotalBytes / blockBytes
		out.Bfree = s.FreeBytes / blockBytes
		out.Bavail = out.Bfree
		out.Files, out.Ffree = s.Files, s.FreeFiles
		return 0
	}
	return 0
}

// Access answers access(2) and chdir(2). The kernel asks only without
// default_permissions.
func (n *node) Access(ctx context.Context, mask uint32) syscall.Errno {
	ctx, end := n.mount.begin(ctx, opAccess, nil)
	defer end()
	if err := n.access(ctx, mask); err != nil {
		return n.mount.fail(ctx, opAccess, n.entity.path(), err)
	}
	return 0
}

func (n *node) access(ctx context.Context, mask uint32) error {
	if checker, ok := n.entity.tree().(tree.AccessChecker); ok {
		return checker.Access(ctx, tree.Access{
			Read:    mask&fuse.R_OK != 0,
			Write:   mask&fuse.W_OK != 0,
			Execute: mask&fuse.X_OK != 0,
		})
	}
	a, err := n.attr(ctx)
	if err != nil {
		return err
	}
	caller, _ := tree.CallerFrom(ctx)
	if !permitted(caller, a, mask) {
		return tree.ErrDenied
	}
	return nil
}
