package fs

import (
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"omerods/fs/tree"
)

// permMask are the mode bits that exist: set-id bits have no place on data
// from a server.
const permMask = 0o1777

func typeBits(k tree.Kind) uint32 {
	if k == tree.KindDir {
		return syscall.S_IFDIR
	}
	return syscall.S_IFREG
}

// fill writes a node's attributes as the kernel wants them and notes what it
// was told.
func (e *entity) fill(out *fuse.Attr, a tree.Attr) {
	e.mu.Lock()
	e.last = a
	gone := e.gone
	e.mu.Unlock()

	out.Ino = e.ino
	out.Size = uint64(max(a.Size, 0))
	out.Mode = typeBits(e.kind) | a.Mode&permMask
	// One link also for folders: it says that their number is not known, and
	// keeps find(1) from counting on it.
	out.Nlink = 1
	if gone {
		out.Nlink = 0
	}
	out.Owner = fuse.Owner{Uid: a.UID, Gid: a.GID}
	out.Blksize = 4096
	out.Blocks = (out.Size + 511) / 512
	mtime := a.Mtime
	if mtime.IsZero() {
		mtime = time.Unix(0, 0)
	}
	atime, ctime := orTime(a.Atime, mtime), orTime(a.Ctime, mtime)
	out.SetTimes(&atime, &mtime, &ctime)
}

func orTime(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

// attrTimeout is how long the kernel may keep a node's attributes.
func (m *mount) attrTimeout(a tree.Attr) time.Duration {
	switch {
	case a.Valid < 0:
		return 0
	case a.Valid == 0:
		return m.opts.AttrTimeout
	}
	return a.Valid
}

// entryTimeout is how long the kernel may keep a node's name. A node whose
// attributes must not be kept is asked for by name each time as well: who may
// see it can differ.
func (m *mount) entryTimeout(a tree.Attr) time.Duration {
	if a.Valid < 0 {
		return 0
	}
	return m.opts.EntryTimeout
}

func (m *mount) fillEntry(out *fuse.EntryOut, e *entity, a tree.Attr) {
	e.fill(&out.Attr, a)
	out.SetAttrTimeout(m.attrTimeout(a))
	out.SetEntryTimeout(m.entryTimeout(a))
}

func (m *mount) fillAttr(out *fuse.AttrOut, e *entity, a tree.Attr) {
	e.fill(&out.Attr, a)
	out.SetTimeout(m.attrTimeout(a))
}

// attrChange turns a SETATTR request into the tree's form.
func attrChange(in *fuse.SetAttrIn) tree.AttrChange {
	var c tree.AttrChange
	if size, ok := in.GetSize(); ok {
		n := int64(size)
		c.Size = &n
	}
	if mode, ok := in.GetMode(); ok {
		mode &= permMask
		c.Mode = &mode
	}
	if uid, ok := in.GetUID(); ok {
		c.UID = &uid
	}
	if gid, ok := in.GetGID(); ok {
		c.GID = &gid
	}
	if t, ok := in.GetMTime(); ok {
		c.Mtime = &t
	}
	if t, ok := in.GetATime(); ok {
		c.Atime = &t
	}
	return c
}

func changesNothing(c tree.AttrChange) bool { return c == tree.AttrChange{} }
