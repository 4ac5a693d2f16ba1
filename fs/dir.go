package fs

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"omerods/fs/tree"
)

// dirNode is a folder.
type dirNode struct{ node }

var (
	_ gofuse.NodeLookuper       = (*dirNode)(nil)
	_ gofuse.NodeOpendirHandler = (*dirNode)(nil)
	_ gofuse.NodeCreater        = (*dirNode)(nil)
	_ gofuse.NodeMkdirer        = (*dirNode)(nil)
	_ gofuse.NodeUnlinker       = (*dirNode)(nil)
	_ gofuse.NodeRmdirer        = (*dirNode)(nil)
	_ gofuse.NodeRenamer        = (*dirNode)(nil)
	_ gofuse.NodeSymlinker      = (*dirNode)(nil)
	_ gofuse.NodeLinker         = (*dirNode)(nil)
	_ gofuse.NodeMknoder        = (*dirNode)(nil)
	_ gofuse.NodeTmpfiler       = (*dirNode)(nil)
)

// tree returns the folder's newest node; the entity checked its kind.
func (d *dirNode) tree() tree.Dir { return d.entity.tree().(tree.Dir) }

// attach gives a child of the folder its inode. The library takes the one it
// has for the same number and generation, whose entity is the same.
func (d *dirNode) attach(ctx context.Context, name string, e *entity) *gofuse.Inode {
	e.place(d.entity, name)
	var ops gofuse.InodeEmbedder
	if e.kind == tree.KindDir {
		ops = &dirNode{node{mount: d.mount, entity: e}}
	} else {
		ops = &fileNode{node{mount: d.mount, entity: e}}
	}
	return d.NewInode(ctx, ops, gofuse.StableAttr{Mode: typeBits(e.kind), Ino: e.ino, Gen: e.gen})
}

// Lookup finds a child by name.
func (d *dirNode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofuse.Inode, syscall.Errno) {
	if len(name) > maxNameBytes { // the kernel's own limit for FUSE is higher
		return nil, syscall.ENAMETOOLONG
	}
	if quiet(name) && !d.entity.knows(name) {
		out.SetEntryTimeout(quietTimeout)
		return nil, syscall.ENOENT
	}
	ctx, end := d.mount.begin(ctx, opLookup, nil)
	defer end()
	e, a, err := d.find(ctx, name)
	if err != nil {
		if errors.Is(err, tree.ErrNotFound) {
			out.SetEntryTimeout(d.mount.opts.NegativeTimeout)
		}
		return nil, d.mount.fail(ctx, opLookup, d.entity.child(name), err)
	}
	d.mount.fillEntry(out, e, a)
	return d.attach(ctx, name, e), 0
}

func (d *dirNode) find(ctx context.Context, name string) (*entity, tree.Attr, error) {
	child, err := d.tree().Lookup(ctx, name)
	if err != nil {
		return nil, tree.Attr{}, err
	}
	a, err := child.Attr(ctx)
	if err != nil {
		return nil, tree.Attr{}, err
	}
	e, err := d.mount.entities.get(child, a)
	return e, a, err
}

// Create makes and opens a file. Without O_EXCL an existing file is opened:
// the kernel sends CREATE for every name it has not seen.
func (d *dirNode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*gofuse.Inode, gofuse.FileHandle, uint32, syscall.Errno) {
	ctx, end := d.mount.begin(ctx, opCreate, nil)
	defer end()
	h, a, err := d.create(ctx, name, flags, mode)
	if err != nil {
		return nil, nil, 0, d.mount.fail(ctx, opCreate, d.entity.child(name), err)
	}
	d.entity.changed(name, true)
	d.mount.fillEntry(out, h.entity, a)
	return d.attach(ctx, name, h.entity), h, h.openFlags(), 0
}

func (d *dirNode) create(ctx context.Context, name string, flags, mode uint32) (*handle, tree.Attr, error) {
	creator, ok := d.tree().(tree.Creator)
	if !ok {
		return nil, tree.Attr{}, tree.Errorf(tree.ErrReadOnly, "no files can be made in this folder")
	}
	if err := checkNew(name); err != nil {
		return nil, tree.Attr{}, err
	}
	opts := openOptions(flags)
	file, wh, err := creator.Create(ctx, name, tree.CreateOptions{
		OpenOptions: opts,
		Exclusive:   flags&syscall.O_EXCL != 0,
		Mode:        mode & permMask,
	})
	if err != nil {
		return nil, tree.Attr{}, err
	}
	a, err := file.Attr(ctx)
	var e *entity
	if err == nil {
		e, err = d.mount.entities.fresh(file, a)
	}
	if err != nil {
		wh.Release(context.WithoutCancel(ctx))
		return nil, tree.Attr{}, fmt.Errorf("new file: %w", err)
	}
	return d.mount.newHandle(ctx, e, wh, opts), a, nil
}

// Mkdir makes a folder.
func (d *dirNode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*gofuse.Inode, syscall.Errno) {
	ctx, end := d.mount.begin(ctx, opMkdir, nil)
	defer end()
	e, a, err := d.mkdir(ctx, name, mode)
	if err != nil {
		return nil, d.mount.fail(ctx, opMkdir, d.entity.child(name), err)
	}
	d.entity.changed(name, true)
	d.mount.fillEntry(out, e, a)
	return d.attach(ctx, name, e), 0
}

func (d *dirNode) mkdir(ctx context.Context, name string, mode uint32) (*entity, tree.Attr, error) {
	if trash(name) {
		return nil, tree.Attr{}, tree.Errorf(tree.ErrDenied, "this filesystem has no trash can").
			WithAdvice("Delete for good instead.")
	}
	maker, ok := d.tree().(tree.DirMaker)
	if !ok {
		return nil, tree.Attr{}, tree.Errorf(tree.ErrReadOnly, "no folders can be made in this folder")
	}
	if err := checkNew(name); err != nil {
		return nil, tree.Attr{}, err
	}
	dir, err := maker.Mkdir(ctx, name, mode&permMask)
	if err != nil {
		return nil, tree.Attr{}, err
	}
	a, err := dir.Attr(ctx)
	if err != nil {
		return nil, tree.Attr{}, fmt.Errorf("new folder: %w", err)
	}
	e, err := d.mount.entities.fresh(dir, a)
	return e, a, err
}

// Unlink removes a file.
func (d *dirNode) Unlink(ctx context.Context, name string) syscall.Errno {
	return d.remove(ctx, opRemove, name, tree.Remover.Unlink)
}

// Rmdir removes an empty folder.
func (d *dirNode) Rmdir(ctx context.Context, name string) syscall.Errno {
	return d.remove(ctx, opRmdir, name, tree.Remover.Rmdir)
}

func (d *dirNode) remove(ctx context.Context, o op, name string, do func(tree.Remover, context.Context, string) error) syscall.Errno {
	ctx, end := d.mount.begin(ctx, o, nil)
	defer end()
	err := error(tree.Errorf(tree.ErrNotPermitted, "nothing can be removed from this folder"))
	if remover, ok := d.tree().(tree.Remover); ok {
		err = do(remover, ctx, name)
	}
	if err != nil {
		return d.mount.fail(ctx, o, d.entity.child(name), err)
	}
	d.entity.changed(name, false)
	if e := entityOf(d.GetChild(name)); e != nil {
		d.mount.entities.remove(e)
	}
	return 0
}

// Rename moves a child. A folder that cannot do it says EPERM: after EXDEV
// programs would copy and delete.
func (d *dirNode) Rename(ctx context.Context, name string, newParent gofuse.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	ctx, end := d.mount.begin(ctx, opRename, nil)
	defer end()
	to, ok := newParent.(*dirNode)
	if !ok {
		return syscall.EINVAL
	}
	if err := d.rename(ctx, name, to, newName, flags); err != nil {
		// Programs that write under a temporary name know the file by the other.
		d.mount.fail(ctx, opRename, d.entity.child(name), err)
		return d.mount.fail(ctx, opRename, to.entity.child(newName), err)
	}
	moved, replaced := entityOf(d.GetChild(name)), entityOf(to.GetChild(newName))
	if replaced != nil && replaced != moved {
		d.mount.entities.remove(replaced)
	}
	if moved != nil {
		moved.place(to.entity, newName)
	}
	d.entity.changed(name, false)
	to.entity.changed(newName, true)
	return 0
}

func (d *dirNode) rename(ctx context.Context, name string, to *dirNode, newName string, flags uint32) error {
	if flags&^unix.RENAME_NOREPLACE != 0 {
		return tree.Errorf(tree.ErrInvalid, "two names cannot be exchanged in one step")
	}
	renamer, ok := d.tree().(tree.Renamer)
	if !ok {
		return tree.Errorf(tree.ErrNotPermitted, "nothing can be renamed in this folder")
	}
	if err := checkNew(newName); err != nil {
		return err
	}
	return renamer.Rename(ctx, name, to.tree(), newName, tree.RenameOptions{
		NoReplace: flags&unix.RENAME_NOREPLACE != 0,
	})
}

// Symlink, Link and Mknod make what no server here can hold.

// Symlink refuses symbolic links.
func (d *dirNode) Symlink(ctx context.Context, _, name string, _ *fuse.EntryOut) (*gofuse.Inode, syscall.Errno) {
	return nil, d.refuse(ctx, name, "symbolic links")
}

// Link refuses hard links.
func (d *dirNode) Link(ctx context.Context, _ gofuse.InodeEmbedder, name string, _ *fuse.EntryOut) (*gofuse.Inode, syscall.Errno) {
	return nil, d.refuse(ctx, name, "hard links")
}

// Mknod refuses devices, pipes and sockets; files come by CREATE.
func (d *dirNode) Mknod(ctx context.Context, name string, _, _ uint32, _ *fuse.EntryOut) (*gofuse.Inode, syscall.Errno) {
	return nil, d.refuse(ctx, name, "devices, pipes and sockets")
}

func (d *dirNode) refuse(ctx context.Context, name, what string) syscall.Errno {
	ctx, end := d.mount.begin(ctx, opLink, nil)
	defer end()
	return d.mount.fail(ctx, opLink, d.entity.child(name),
		tree.Errorf(tree.ErrNotPermitted, "%s cannot be stored here", what))
}

// Tmpfile says ENOSYS once; the kernel then answers O_TMPFILE itself, with
// EOPNOTSUPP.
func (d *dirNode) Tmpfile(context.Context, uint32, uint32, *fuse.EntryOut) (*gofuse.Inode, gofuse.FileHandle, uint32, syscall.Errno) {
	return nil, nil, 0, syscall.ENOSYS
}
