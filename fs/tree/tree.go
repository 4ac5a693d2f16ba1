// Package tree says what a view of a server has to be so that it can be served
// as a filesystem: directories, files and handles as small interfaces, a few
// optional abilities, the classes of errors, and the caller on whose behalf a
// request is made. It knows no FUSE and no server.
//
// All methods may be called from many goroutines at once. A ctx is cancelled
// when the caller is interrupted; a method that waits for a server returns
// soon after that. The caller's identity is in the context (see [Caller]).
package tree

import (
	"context"
	"time"
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	KindFile Kind = iota
	KindDir
)

// Attr are the attributes of a node.
type Attr struct {
	Kind Kind
	// Ino is the node's number in the whole tree, never 0, the same for as
	// long as the node is the same. Two answers with the same number are the
	// same node to the kernel. Programs such as cp copy by it.
	Ino  uint64
	Size int64  // bytes; exact for everything that can be opened
	Mode uint32 // permission bits, sticky bit included (01777)
	UID  uint32
	GID  uint32
	// Times a server does not know are zero and shown as Mtime.
	Mtime, Atime, Ctime time.Time
	// Valid is how long the kernel may keep these attributes; 0 takes the
	// mount's default, a negative value forbids it.
	Valid time.Duration
}

// Node is anything with attributes. A node is also a [Dir] or a [File].
type Node interface {
	// Attr asks for the node's attributes. ErrNotFound says that the node is
	// gone.
	Attr(ctx context.Context) (Attr, error)
}

// Dir is a directory.
type Dir interface {
	Node
	// Lookup finds a child by name; ErrNotFound says that there is none.
	Lookup(ctx context.Context, name string) (Node, error)
	// List returns all children in the order in which programs should see
	// them. An unreachable server is an error, never an empty list.
	List(ctx context.Context) ([]Entry, error)
}

// Entry is one name of a directory's listing.
type Entry struct {
	Name string
	Kind Kind
	Ino  uint64
	// Node is the child when the view has it at hand together with its
	// attributes (Attr then costs no round trip); nil leaves the attributes
	// out of the listing until somebody asks for them.
	Node Node
}

// OpenOptions say how a file is opened.
type OpenOptions struct {
	Read, Write bool
	Append      bool
	Truncate    bool
}

// File is a file.
type File interface {
	Node
	// Open opens the file. With Write the handle is a [WriteHandle].
	Open(ctx context.Context, opts OpenOptions) (Handle, error)
}

// Handle is an open file.
type Handle interface {
	// ReadAt reads into p from off. It returns less than len(p) only at the
	// end of the file (with or without io.EOF), or with an error.
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)
	// Release frees the handle. It is called once, after everything else;
	// nobody hears what goes wrong here.
	Release(ctx context.Context)
}

// WriteHandle is a file open for writing.
type WriteHandle interface {
	Handle
	WriteAt(ctx context.Context, p []byte, off int64) (int, error)
	// Flush stores what was written and says whether that worked; it is the
	// last moment at which a program listens. It comes for each close of a
	// descriptor, so several times, and once before any data when a shell
	// redirects. Without writes since the last Flush it returns that one's
	// result again.
	Flush(ctx context.Context) error
	// Sync is Flush without the end of the file: what was written so far must
	// not be lost by a crash.
	Sync(ctx context.Context) error
}

// Cache says what the kernel may keep of an open file's content.
type Cache uint8

// The cache modes of a handle.
const (
	CacheDefault Cache = iota // dropped at the next open
	CacheKeep                 // the content cannot change under this inode
	CacheNone                 // every read is asked for
)

// Cacher is a handle that chooses how the kernel caches it.
type Cacher interface {
	Cache() Cache
}

// Patient is a handle whose writes wait for a server for as long as it takes:
// the deadline for requests does not hold for them, interrupts do.
type Patient interface {
	Patient()
}

// CopySource is the file a copy inside the mount reads from.
type CopySource struct {
	Node   File
	Handle Handle
	Off    int64
}

// CopyTarget is a handle that takes bytes from another file of the tree by
// itself, so that they never pass through the kernel.
type CopyTarget interface {
	// CopyFrom copies up to n bytes from src to off and returns how many; less
	// than n is no error. It answers after some 64 MiB or a few seconds so
	// that it can be cancelled.
	CopyFrom(ctx context.Context, src CopySource, off, n int64) (int64, error)
}

// CreateOptions say how a file is created.
type CreateOptions struct {
	OpenOptions
	Exclusive bool
	Mode      uint32
}

// Creator is a directory in which files can be made.
type Creator interface {
	// Create makes and opens a file. With Exclusive an existing name is
	// ErrExists; without it an existing file is opened.
	Create(ctx context.Context, name string, opts CreateOptions) (File, WriteHandle, error)
}

// DirMaker is a directory in which directories can be made.
type DirMaker interface {
	Mkdir(ctx context.Context, name string, mode uint32) (Dir, error)
}

// Remover is a directory whose children can be removed.
type Remover interface {
	Unlink(ctx context.Context, name string) error
	Rmdir(ctx context.Context, name string) error
}

// RenameOptions are the flags of a rename.
type RenameOptions struct {
	NoReplace bool
}

// Renamer is a directory whose children can be renamed.
type Renamer interface {
	// Rename moves the child name to newName of to, which may be the same
	// directory or one of another view; a view that cannot do that says
	// ErrNotPermitted, never EXDEV: programs would then copy and delete.
	Rename(ctx context.Context, name string, to Dir, newName string, opts RenameOptions) error
}

// AttrChange holds the attributes to be changed; nil ones stay.
type AttrChange struct {
	Size         *int64
	Mode         *uint32
	UID, GID     *uint32
	Mtime, Atime *time.Time
}

// AttrSetter is a node whose attributes can be set. What a server cannot
// store (modes, owners) is accepted and kept while the mount lives.
type AttrSetter interface {
	SetAttr(ctx context.Context, change AttrChange) (Attr, error)
}

// XAttrs is a node with extended attributes. Names are whole, for example
// "user.irods.checksum"; a missing one is ErrNoData.
type XAttrs interface {
	Getxattr(ctx context.Context, name string) ([]byte, error)
	Listxattr(ctx context.Context) ([]string, error)
}

// XAttrSetter is a node whose extended attributes can be changed.
type XAttrSetter interface {
	Setxattr(ctx context.Context, name string, value []byte, create, replace bool) error
	Removexattr(ctx context.Context, name string) error
}

// Space is the room of a filesystem in bytes and entries.
type Space struct {
	TotalBytes, FreeBytes uint64
	Files, FreeFiles      uint64
}

// SpaceTeller is a directory that knows the room of its server. All zero
// means unknown.
type SpaceTeller interface {
	Space(ctx context.Context) (Space, error)
}

// Access are the rights that access(2) asks for.
type Access struct {
	Read, Write, Execute bool
}

// AccessChecker is a node that answers access(2) itself, by the caller's
// rights on the server; others are judged by their mode bits.
type AccessChecker interface {
	Access(ctx context.Context, want Access) error
}
