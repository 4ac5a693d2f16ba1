package omeroview

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sort"
	"strconv"
	"time"

	"omerods/fs/tree"
)

// node is what all entries have in common: the view, and the key that tells
// them apart. A key is the kinds and ids on the way to the entry, so that an
// entry keeps its inode number when something is renamed.
type node struct {
	v     *View
	key   string
	group int64
	user  int64
	tars  bool // the entry shows packs as tars
}

func (v *View) root() node { return node{v: v, key: "omero"} }

// child makes the node of an entry.
func (n node) child(kind string, id int64) node {
	n.key += "/" + kind + strconv.FormatInt(id, 10)
	return n
}

// topBit separates ordinary entries from the one that is to come first:
// programs such as cp take the entries of a folder in the order of their inode
// numbers.
const topBit = 1 << 63

func (n node) hash() uint64 {
	sum := sha256.Sum256([]byte(n.key))
	return binary.BigEndian.Uint64(sum[:8])
}

func (n node) ino() uint64 { return n.hash() | topBit }

// firstIno is a number below those of all ordinary entries.
func (n node) firstIno() uint64 { return n.hash()&^topBit | 1<<32 }

func (n node) account(ctx context.Context) (*account, error) { return n.v.account(ctx) }

// Permission bits. Folders have the sticky bit: with it nobody but the owner
// of an entry, which is not the user, may move the entry away.
const (
	modeFile    = 0o444
	modeDir     = 0o1555
	modeDropDir = 0o1777 // of folders that take loads
)

func (n node) dirAttr(mtime time.Time, mode uint32) tree.Attr {
	if mtime.IsZero() {
		mtime = n.v.start
	}
	mtime = mtime.Truncate(time.Second)
	return tree.Attr{Kind: tree.KindDir, Ino: n.ino(), Mode: mode, UID: n.v.cfg.UID, GID: n.v.cfg.GID,
		Mtime: mtime, Atime: mtime, Ctime: mtime}
}

func (n node) fileAttr(ino uint64, size int64, mtime time.Time) tree.Attr {
	mtime = mtime.Truncate(time.Second)
	return tree.Attr{Kind: tree.KindFile, Ino: ino, Size: size, Mode: modeFile, UID: n.v.cfg.UID, GID: n.v.cfg.GID,
		Mtime: mtime, Atime: mtime, Ctime: mtime}
}

// xattrs answers for extended attributes made of pairs of names and values.
type xattrs [][2]string

func (x xattrs) get(name string) ([]byte, error) {
	for _, p := range x {
		if p[0] == name {
			return []byte(p[1]), nil
		}
	}
	return nil, tree.Errorf(tree.ErrNoData, "no attribute %q", name)
}

func (x xattrs) list() []string {
	names := make([]string, len(x))
	for i, p := range x {
		names[i] = p[0]
	}
	sort.Strings(names)
	return names
}

// objectXattrs describe an object of OMERO.
func objectXattrs(kind string, id, owner, group int64) xattrs {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return xattrs{{"user.omero.kind", kind}, {"user.omero.id", n(id)}, {"user.omero.owner", n(owner)}, {"user.omero.group", n(group)}}
}
