package fs

import (
	"context"
	"strings"
	"sync"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"omerods/fs/tree"
)

// listing is an open folder: its entries as they were when it was opened or
// rewound. An entry's place in it is its offset, so that a program may seek,
// and nothing is lost or doubled when the folder changes meanwhile.
type listing struct {
	dir *dirNode

	mu      sync.Mutex // guards the fields below
	entries []tree.Entry
	version uint64         // of the folder when it was listed
	next    int            // the entry to be read next; 0 and 1 are "." and ".."
	stale   bool           // rewound: list again before the next entry
	index   map[string]int // made when a name is asked for out of order
}

var (
	_ gofuse.FileReaddirenter = (*listing)(nil)
	_ gofuse.FileLookuper     = (*listing)(nil)
	_ gofuse.FileSeekdirer    = (*listing)(nil)
	_ gofuse.FileFsyncdirer   = (*listing)(nil)
)

// dots is the number of entries that every folder has: "." and "..".
const dots = 2

// OpendirHandle opens the folder and takes its listing, so that what fails
// here fails at opendir(3), where every program looks.
func (d *dirNode) OpendirHandle(ctx context.Context, _ uint32) (gofuse.FileHandle, uint32, syscall.Errno) {
	ctx, end := d.mount.begin(ctx, opList, nil)
	defer end()
	l := &listing{dir: d}
	if err := l.load(ctx); err != nil {
		return nil, 0, d.mount.fail(ctx, opList, d.entity.path(), err)
	}
	return l, 0, 0
}

// load lists the folder; it needs the lock or a listing nobody else has.
func (l *listing) load(ctx context.Context) error {
	version := l.dir.entity.version()
	entries, err := l.dir.tree().List(ctx)
	if err != nil {
		return err
	}
	kept := make([]tree.Entry, 0, len(entries))
	for _, e := range entries {
		// The kernel refuses a whole listing for one such name.
		if e.Name == "" || e.Name == "." || e.Name == ".." || strings.ContainsAny(e.Name, "/\x00") {
			l.dir.mount.log.Error("name left out of a listing", "folder", l.dir.entity.path(), "name", e.Name)
			continue
		}
		l.dir.entity.learn(e.Name, true)
		kept = append(kept, e)
	}
	l.entries, l.index, l.stale, l.version = kept, nil, false, version
	return nil
}

// Readdirent returns the next entry, nil at the end.
func (l *listing) Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stale {
		ctx, end := l.dir.mount.begin(ctx, opList, nil)
		defer end()
		if err := l.load(ctx); err != nil {
			return nil, l.dir.mount.fail(ctx, opList, l.dir.entity.path(), err)
		}
	}
	if l.next >= dots+len(l.entries) {
		return nil, 0
	}
	var de fuse.DirEntry
	switch self := l.dir.entity; l.next {
	case 0:
		de = fuse.DirEntry{Name: ".", Mode: syscall.S_IFDIR, Ino: self.ino}
	case 1:
		up := self.up()
		if up == nil {
			up = self
		}
		de = fuse.DirEntry{Name: "..", Mode: syscall.S_IFDIR, Ino: up.ino}
	default:
		e := l.entries[l.next-dots]
		de = fuse.DirEntry{Name: e.Name, Mode: typeBits(e.Kind), Ino: e.Ino}
	}
	l.next++
	de.Off = uint64(l.next)
	return &de, 0
}

// Seekdir goes on after the entry with this offset; 0 rewinds.
func (l *listing) Seekdir(_ context.Context, off uint64) syscall.Errno {
	l.mu.Lock()
	defer l.mu.Unlock()
	if off == 0 {
		l.stale = true
	}
	// Beyond the end there is nothing to read, which is no error: a rewound
	// folder may have become shorter.
	l.next = int(min(off, uint64(dots+len(l.entries))))
	return 0
}

// noAttributes leaves an entry of READDIRPLUS without a node: the kernel then
// has the name only, and asks when somebody wants more.
const noAttributes = syscall.ENOENT

// Lookup adds the attributes of an entry to the listing, if the view has them
// at hand. A failure is none of the listing's: who asks for the node will
// hear it.
func (l *listing) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofuse.Inode, syscall.Errno) {
	child := l.node(name)
	if child == nil {
		return nil, noAttributes
	}
	ctx, end := l.dir.mount.begin(ctx, opStat, nil)
	defer end()
	a, err := child.Attr(ctx)
	if err != nil {
		return nil, noAttributes
	}
	e, err := l.dir.mount.entities.get(child, a)
	if err != nil {
		return nil, l.dir.mount.fail(ctx, opLookup, l.dir.entity.child(name), err)
	}
	l.dir.mount.fillEntry(out, e, a)
	return l.dir.attach(ctx, name, e), 0
}

// node returns the node that the listing has for a name. Mostly it is the one
// just read; after an interrupted READDIRPLUS the library replays others. Once
// something came or went the listing vouches for no node: the kernel would
// believe in a name that was removed a moment ago.
func (l *listing) node(name string) tree.Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dir.entity.version() != l.version {
		return nil
	}
	if i := l.next - dots - 1; i >= 0 && i < len(l.entries) && l.entries[i].Name == name {
		return l.entries[i].Node
	}
	if l.index == nil {
		l.index = make(map[string]int, len(l.entries))
		for i, e := range l.entries {
			l.index[e.Name] = i
		}
	}
	if i, ok := l.index[name]; ok {
		return l.entries[i].Node
	}
	return nil
}

// Fsyncdir has nothing to do: what changes a folder was done when it was
// answered.
func (l *listing) Fsyncdir(context.Context, uint32) syscall.Errno { return 0 }
