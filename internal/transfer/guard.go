package transfer

import (
	"context"

	"omerods/fs/tree"
)

// AVU is one metadata triple of an iRODS collection or data object.
type AVU struct {
	Name, Value, Units string
}

// ObjectInfo describes a data object or collection as the archive has it.
type ObjectInfo struct {
	IsCollection bool
	Size         int64
	// SHA256 is the registered checksum's 32 bytes, nil when none of that kind
	// is registered.
	SHA256 []byte
}

// Archive is what a save needs of the side it is written to. Paths are
// logical iRODS paths. Every call runs with the rights of the caller in ctx.
type Archive interface {
	// CollectionAVUs returns, for each of the collections that exist and are
	// visible, its AVUs whose names begin with prefix, in one query.
	CollectionAVUs(ctx context.Context, collections []string, prefix string) (map[string][]AVU, error)
	// ChangeAVUs removes and adds AVUs of one object in one atomic call.
	ChangeAVUs(ctx context.Context, path string, remove, add []AVU) error
	// AVUs returns all AVUs of a data object or collection.
	AVUs(ctx context.Context, path string) ([]AVU, error)
	// Stat describes what is at path; tree.ErrNotFound when nothing is.
	Stat(ctx context.Context, path string) (ObjectInfo, error)
	// Open opens a data object for reading.
	Open(ctx context.Context, path string) (tree.Handle, error)
	// Below describes all data objects below a collection that can be read, by
	// path, in few requests.
	Below(ctx context.Context, collection string) (map[string]ObjectInfo, error)
	// AVUsBelow returns, for each data object below a collection that has any,
	// its AVUs whose names begin with prefix, in few requests.
	AVUsBelow(ctx context.Context, collection, prefix string) (map[string][]AVU, error)
	// Marked returns the collections and data objects with an AVU of that name
	// and value.
	Marked(ctx context.Context, name, value string) (collections, objects []string, err error)
	// Instance names the mount among all that write to the archive, "" when
	// others could not tell whether it lives. Dead says whether one is known
	// to have been killed.
	Instance() string
	Dead(instance string) bool
	// Name describes path to a person, for example
	// "irods://ada#zone@host:1247/zone/home/ada/P".
	Name(ctx context.Context, path string) string
}

// Written is a file that has just been written into the archive.
type Written struct {
	// Path is the logical path under which the file is or will be seen.
	Path string
	Size int64
	// SHA1 and SHA256 are the sums of exactly the bytes that the server holds
	// now, verified against the checksum that it registered. SHA1 is nil where
	// the guard has not asked for it.
	SHA1, SHA256 []byte
	// Source is the file of the tree these bytes came from when a copy inside
	// the mount named it; nil when a program wrote them itself.
	Source tree.File
	writer int // the process that wrote it
	// Replaces says that the bytes become the content of an object that exists.
	Replaces bool
	// Tar is what the bytes are when they are the tar of a pack, else nil.
	Tar *TarContent
	// Open opens the bytes for reading; it works until Published has returned.
	Open func(ctx context.Context) (tree.Handle, error)
}

// SHA1Asker is an optional ability of a [Guard].
type SHA1Asker interface {
	// AsksSHA1 tells, before a file is written, whether the guard will want to
	// know its SHA-1. Without this ability it always does.
	AsksSHA1(path string) bool
}

// Settler is an optional ability of a [Guard].
type Settler interface {
	// Settle ends what the guard has to do, when nothing is changed any more.
	// False says that a later mount has to look after the rest, as after one
	// that was killed.
	Settle(ctx context.Context) bool
}

// UnpublishedTeller is an optional ability of a [Guard].
type UnpublishedTeller interface {
	// Unpublished is told that a file did not get its place, though
	// BeforePublish had nothing against it.
	Unpublished(ctx context.Context, w Written, err error)
}

// Guard is asked and told about every change below the archive's root. The
// view calls Before… first and gives up with its error; it calls the others
// after the change has happened on the server. A nil error of Written's
// methods is part of what Flush or Rename promise to the program.
type Guard interface {
	// BeforeMkdir, BeforeCreate and BeforeWrite are asked before a
	// collection is made, a new data object is created, an existing one is
	// opened for writing or truncated.
	BeforeMkdir(ctx context.Context, path string) error
	BeforeCreate(ctx context.Context, path string) error
	BeforeWrite(ctx context.Context, path string) error
	// Refused is told that the server, or a rule for names, did not let a
	// collection be made.
	Refused(ctx context.Context, path string, err error)
	// BeforeRemove is asked before a data object or collection is removed.
	BeforeRemove(ctx context.Context, path string) error
	// BeforeRename is asked before from becomes to; replaces says that to
	// exists.
	BeforeRename(ctx context.Context, from, to string, replaces bool) error

	// BeforePublish is asked when a new file has been stored and verified but
	// is not yet visible under its path; an error drops it. What it returns is
	// the metadata that a new object has from its first moment on.
	BeforePublish(ctx context.Context, w Written) ([]AVU, error)
	// Published is told when the file is visible under its path.
	Published(ctx context.Context, w Written) error
	// Made is told when a collection was made by the caller.
	Made(ctx context.Context, path string) error
	// Renamed and Removed are told after such a change. The error of Renamed is
	// what the program is told, though the rename has happened.
	Renamed(ctx context.Context, from, to string) error
	Removed(ctx context.Context, path string)
}
