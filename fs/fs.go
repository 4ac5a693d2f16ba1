// Package fs serves a [tree.Dir] as a FUSE filesystem. It turns the kernel's
// requests into calls of the small interfaces of package tree, keeps what the
// kernel has to be told the same way every time (inode numbers, listings,
// open handles), and turns errors into errnos, in one table. It knows no
// server.
//
// Every request carries its caller in the context, see [tree.CallerFrom]; the
// context is done when the caller is interrupted. Whatever fails is kept with
// its reason in the [ErrorLog] and can be read back through the extended
// attribute [ErrorAttr].
package fs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"omerods/fs/tree"
)

// Options say how a tree is mounted. Start from [DefaultOptions].
type Options struct {
	// FsName is what mount(8) and df(1) show as the source.
	FsName string
	// Subtype is the filesystem's type after "fuse.".
	Subtype string
	// AllowOther lets other users than the one who mounts in. An ordinary
	// user needs user_allow_other in /etc/fuse.conf for it.
	AllowOther bool
	// DefaultPermissions lets the kernel check mode bits before it asks.
	DefaultPermissions bool
	// ReadOnly makes the kernel refuse every change.
	ReadOnly bool

	// EntryTimeout, AttrTimeout and NegativeTimeout are how long the kernel
	// keeps a name, the attributes of a node that does not say so itself, and
	// the knowledge that a name does not exist. Zero keeps nothing.
	EntryTimeout, AttrTimeout, NegativeTimeout time.Duration

	// MaxWriteBytes is the largest READ and WRITE; the kernel may lower it.
	MaxWriteBytes int
	// MaxInflightBytes bounds the memory that requests hold at once.
	MaxInflightBytes int
	// ReadAheadKiB is set for the mount where the process may (as root).
	ReadAheadKiB int
	// Deadline ends a request that takes longer, with ETIMEDOUT; zero sets
	// none. Closing, syncing, renaming and copying are left alone: a view
	// has limits of its own for what they wait for.
	Deadline time.Duration

	// Who binds an identity to the context of a request, which has its
	// [tree.Caller] already. It must be quick and may be nil.
	Who func(ctx context.Context) context.Context

	// Logger takes what is ours to fix, mounts and unmounts; nil is
	// [slog.Default].
	Logger *slog.Logger
	// Debug logs every request and its answer.
	Debug bool
	// PanicHandler is told of panics in handlers after they were logged; the
	// request fails with EIO.
	PanicHandler func(value any)

	// wrap puts something between the kernel and the handlers; for tests.
	wrap func(fuse.RawFileSystem) fuse.RawFileSystem
}

// DefaultOptions are the options for a mount of one user.
func DefaultOptions() Options {
	return Options{
		FsName:           "omerods",
		Subtype:          "omerods",
		EntryTimeout:     time.Second,
		AttrTimeout:      time.Second,
		NegativeTimeout:  time.Second,
		MaxWriteBytes:    1 << 20,
		MaxInflightBytes: 256 << 20,
		ReadAheadKiB:     1024,
	}
}

// maxBackground bounds the kernel's readahead requests; a remote store needs
// more of them in the air than the kernel's default of 12.
const maxBackground = 64

// Mount mounts the tree below root at mountpoint and serves it until it is
// unmounted. It returns when the mount can be used; ctx bounds the wait for
// that only. A dead mount left at the mount point is cleared first, a living
// one is an error.
func Mount(ctx context.Context, root tree.Dir, mountpoint string, opts Options) (*Server, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Subtype == "" {
		opts.Subtype = "omerods"
	}
	if opts.FsName == "" {
		opts.FsName = opts.Subtype
	}
	mountpoint, err := resolve(mountpoint)
	if err != nil {
		return nil, fmt.Errorf("mount point: %w", err)
	}
	if err := prepare(ctx, mountpoint, opts.Logger); err != nil {
		return nil, err
	}
	attr, err := root.Attr(ctx)
	if err != nil {
		return nil, fmt.Errorf("attributes of the root: %w", err)
	}
	if err := checkNode(root, attr); err != nil || attr.Kind != tree.KindDir {
		return nil, errors.Join(errors.New("the root is no proper folder"), err)
	}

	m := newMount(opts)
	rootEntity := m.entities.root(root, attr)
	rootNode := &dirNode{node{mount: m, entity: rootEntity}}
	var raw fuse.RawFileSystem = rawFS{gofuse.NewNodeFS(rootNode, &gofuse.Options{
		NullPermissions: true,
		RootStableAttr:  &gofuse.StableAttr{Ino: attr.Ino},
		Logger:          slog.NewLogLogger(opts.Logger.Handler(), slog.LevelDebug),
	})}
	if opts.wrap != nil {
		raw = opts.wrap(raw)
	}
	server, err := fuse.NewServer(raw, mountpoint, opts.fuseOptions())
	if err != nil {
		return nil, mountError(mountpoint, opts, err)
	}
	s := &Server{
		mount:      m,
		fuse:       server,
		mountpoint: mountpoint,
		device:     deviceOf(mountpoint),
		done:       make(chan struct{}),
	}
	go s.serve()
	if err := s.waitReady(ctx); err != nil {
		return nil, err
	}
	setReadAhead(s.device, opts.ReadAheadKiB)
	opts.Logger.Info("mounted", "mountpoint", mountpoint)
	return s, nil
}

func (o Options) fuseOptions() *fuse.MountOptions {
	level := slog.LevelWarn
	if o.Debug {
		level = slog.LevelDebug
	}
	mo := &fuse.MountOptions{
		FsName:                  o.FsName,
		Name:                    o.Subtype,
		AllowOther:              o.AllowOther,
		MaxWrite:                o.MaxWriteBytes,
		MaxInflightRequestBytes: o.MaxInflightBytes,
		MaxBackground:           maxBackground,
		DirectMount:             os.Geteuid() == 0,
		// Without killpriv v2 the kernel asks for security.capability before
		// each WRITE; its promise, to clear set-id bits, is kept by having
		// none. Files served without the page cache may be mapped shared.
		ExtraCapabilities: fuse.CAP_HANDLE_KILLPRIV_V2 | fuse.CAP_DIRECT_IO_ALLOW_MMAP,
		// Splicing is for files on disk; data from a server would be tried
		// first through a pipe, then written.
		DisableSplice: true,
		Debug:         o.Debug,
		Logger:        slog.NewLogLogger(o.Logger.Handler(), level),
		PanicHandler: func(value any) fuse.Status {
			o.Logger.Error("panic in a request", "value", value, "stack", string(debug.Stack()))
			if o.PanicHandler != nil {
				o.PanicHandler(value)
			}
			return fuse.EIO
		},
	}
	if o.DefaultPermissions {
		mo.Options = append(mo.Options, "default_permissions")
	}
	if o.ReadOnly {
		mo.Options = append(mo.Options, "ro")
	}
	return mo
}

// rawFS lets a handler say for how long the kernel may remember that a name
// does not exist: FUSE has negative answers with a timeout only as a success
// without a node.
type rawFS struct{ fuse.RawFileSystem }

func (r rawFS) Lookup(cancel <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	status := r.RawFileSystem.Lookup(cancel, header, name, out)
	if status == fuse.ENOENT && out.EntryTimeout() > 0 {
		out.NodeId = 0
		return fuse.OK
	}
	return status
}
