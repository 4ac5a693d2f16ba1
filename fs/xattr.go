package fs

import (
	"context"
	"strings"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"

	"omerods/fs/tree"
)

var (
	_ gofuse.NodeGetxattrer    = (*node)(nil)
	_ gofuse.NodeSetxattrer    = (*node)(nil)
	_ gofuse.NodeRemovexattrer = (*node)(nil)
	_ gofuse.NodeListxattrer   = (*node)(nil)
)

// offered says whether an attribute is in the only namespace there is. All
// others are refused without asking anybody: programs such as ls stop asking
// for security labels and ACLs once one was not supported.
func offered(name string) bool { return strings.HasPrefix(name, "user.") }

// Getxattr reads one attribute; an empty dest asks for its size.
func (n *node) Getxattr(ctx context.Context, name string, dest []byte) (uint32, syscall.Errno) {
	if !offered(name) {
		return 0, syscall.EOPNOTSUPP
	}
	ctx, end := n.mount.begin(ctx, opGetXattr, nil)
	defer end()
	value, err := n.xattr(ctx, name)
	if err != nil {
		return 0, n.mount.fail(ctx, opGetXattr, n.entity.path(), err)
	}
	return copyOut(dest, value)
}

func (n *node) xattr(ctx context.Context, name string) ([]byte, error) {
	if name == ErrorAttr {
		caller, _ := tree.CallerFrom(ctx)
		f, ok := n.mount.errors.Last(caller.UID, n.entity.path())
		if !ok {
			return nil, tree.ErrNoData
		}
		return []byte(f.String()), nil
	}
	x, ok := n.entity.tree().(tree.XAttrs)
	if !ok {
		return nil, tree.ErrNoData
	}
	return x.Getxattr(ctx, name)
}

// Listxattr lists the attributes of the node, each with a zero byte behind.
func (n *node) Listxattr(ctx context.Context, dest []byte) (uint32, syscall.Errno) {
	x, ok := n.entity.tree().(tree.XAttrs)
	if !ok {
		return 0, 0
	}
	ctx, end := n.mount.begin(ctx, opGetXattr, nil)
	defer end()
	names, err := x.Listxattr(ctx)
	if err != nil {
		return 0, n.mount.fail(ctx, opGetXattr, n.entity.path(), err)
	}
	var list []byte
	for _, name := range names {
		if offered(name) && name != ErrorAttr && !strings.ContainsRune(name, 0) {
			list = append(list, name...)
			list = append(list, 0)
		}
	}
	return copyOut(dest, list)
}

// copyOut answers as getxattr(2) does: the size, and ERANGE if dest is too
// small for the value.
func copyOut(dest, value []byte) (uint32, syscall.Errno) {
	if len(value) > len(dest) {
		return uint32(len(value)), syscall.ERANGE
	}
	return uint32(copy(dest, value)), 0
}

// Setxattr sets one attribute.
func (n *node) Setxattr(ctx context.Context, name string, value []byte, flags uint32) syscall.Errno {
	return n.changeXattr(ctx, name, func(ctx context.Context, s tree.XAttrSetter) error {
		return s.Setxattr(ctx, name, value, flags&unix.XATTR_CREATE != 0, flags&unix.XATTR_REPLACE != 0)
	})
}

// Removexattr removes one attribute.
func (n *node) Removexattr(ctx context.Context, name string) syscall.Errno {
	return n.changeXattr(ctx, name, func(ctx context.Context, s tree.XAttrSetter) error {
		return s.Removexattr(ctx, name)
	})
}

func (n *node) changeXattr(ctx context.Context, name string, change func(context.Context, tree.XAttrSetter) error) syscall.Errno {
	s, ok := n.entity.tree().(tree.XAttrSetter)
	if !ok || !offered(name) {
		return syscall.EOPNOTSUPP
	}
	ctx, end := n.mount.begin(ctx, opSetXattr, nil)
	defer end()
	err := error(tree.Errorf(tree.ErrNotPermitted, "%s is written by the filesystem alone", ErrorAttr))
	if name != ErrorAttr {
		err = change(ctx, s)
	}
	return n.mount.fail(ctx, opSetXattr, n.entity.path(), err)
}
