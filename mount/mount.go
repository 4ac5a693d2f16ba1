// Package mount puts the parts together: it logs in to both servers, builds
// the tree of the two views with the saves and loads between them, serves it,
// and takes it down in an order in which nothing is lost. It owns the options.
package mount

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"omerods/fs"
	"omerods/fs/tree"
	"omerods/internal/identity"
	"omerods/internal/irods"
	"omerods/internal/omero"
	"omerods/internal/transfer"
	"omerods/internal/version"
	"omerods/irodsview"
	"omerods/omeroview"
)

// nobody owns what is below omero/: file managers offer to copy what belongs
// to somebody else, and to move what is one's own.
const nobody = 65534

// stopWait bounds how long running transfers are waited for at the end.
const stopWait = 5 * time.Minute

// firstIRODSIno begins the inode numbers of the iRODS view.
const firstIRODSIno = 1 << 40

// Mount is a running mount.
type Mount struct {
	cfg      Config
	log      *slog.Logger
	uid, gid uint32
	started  time.Time
	people   identity.Map

	omero     *omero.Client
	irods     *irods.Client
	spool     *transfer.Spool
	journal   *transfer.Journal
	records   *transfer.Records
	saves     *transfer.Saves
	loads     *transfer.Loads
	omeroView *omeroview.View
	irodsView *irodsview.View
	server    atomic.Pointer[fs.Server] // nil until it is mounted; work on earlier saves begins before
	health    health
}

// Start logs in, mounts, and returns when the mount can be used.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Mount, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &Mount{cfg: cfg, log: log, uid: uint32(os.Getuid()), gid: uint32(os.Getgid()), started: time.Now().Truncate(time.Second)}
	if err := m.begin(ctx); err != nil {
		m.close()
		return nil, err
	}
	log.Info("mounted", "at", cfg.Mountpoint, "omero", m.omero.Server().Host, "irods", m.irods.String())
	return m, nil
}

func (m *Mount) begin(ctx context.Context) error {
	if err := m.logIn(ctx); err != nil {
		return err
	}
	if err := m.openState(); err != nil {
		return err
	}
	if err := m.buildViews(); err != nil {
		return err
	}
	m.recover(ctx)

	opts := fs.DefaultOptions()
	opts.FsName = "omerods"
	if m.cfg.MountSource != "" {
		opts.FsName = m.cfg.MountSource
	}
	opts.AllowOther = m.cfg.AllowOther
	opts.Deadline = m.cfg.RequestWait
	opts.Logger = m.log
	server, err := fs.Mount(ctx, m.root(), m.cfg.Mountpoint, opts)
	if err == nil {
		m.server.Store(server)
	}
	return err
}

// logIn connects to both servers as the mount's owner.
func (m *Mount) logIn(ctx context.Context) error {
	oc, err := m.cfg.omeroLogin(os.Getenv, m.log)
	if err != nil {
		return fmt.Errorf("OMERO: %w", err)
	}
	if m.omero, err = omero.Connect(ctx, oc); err != nil {
		return fmt.Errorf("OMERO: %w", err)
	}
	ic, err := irods.LoadEnvironment(irods.Environment{File: m.cfg.IRODSEnvironment})
	if err != nil {
		return fmt.Errorf("iRODS: %w", err)
	}
	if m.cfg.IRODSPassword != "" {
		ic.Password, ic.Reread = m.cfg.IRODSPassword, nil
	}
	ic.AllowPlain, ic.AllowUnverified = m.cfg.IRODSPlain, m.cfg.IRODSInsecure
	ic.Logger = m.log
	if m.irods, err = irods.New(ic); err != nil {
		return fmt.Errorf("iRODS: %w", err)
	}
	if err := m.irods.Connect(ctx); err != nil {
		return fmt.Errorf("iRODS: %w", err)
	}
	user, zone := m.irods.User()
	m.people = identity.NewOwner(identity.Person{UID: m.uid, OMERO: m.omero.Who().UserName, IRODS: user + "#" + zone})
	return nil
}

// openState opens what the mount keeps on the local disk.
func (m *Mount) openState() error {
	var err error
	// Mounts at different points must not share a journal.
	dir := filepath.Join(m.cfg.StateDir, "mount-"+shortHash(m.cfg.Mountpoint))
	if m.journal, err = transfer.OpenJournal(dir); err != nil {
		return err
	}
	if m.spool, err = transfer.OpenSpool(filepath.Join(dir, "spool"), m.cfg.SpoolLimit); err != nil {
		return err
	}
	m.records = transfer.NewRecords(time.Now)
	return nil
}

// buildViews makes the two views and the transfers that join them.
func (m *Mount) buildViews() error {
	var err error
	m.loads = transfer.NewLoads(transfer.LoadsConfig{
		Spool: m.spool, Journal: m.journal, Records: m.records, Logger: m.log, Now: time.Now, CommitWait: m.cfg.CommitWait,
	})
	looks := transfer.NewLooks(time.Now)
	m.omeroView, err = omeroview.New(omeroview.Config{
		Client: m.omeroFor, CacheDir: filepath.Join(m.cfg.CacheDir, "packs"), UID: nobody, GID: nobody,
		Host: m.cfg.OMEROHost, Version: version.Version, Logger: m.log, Loads: m.loads, SkipRefused: m.cfg.SkipRefused,
		Looked: func(ctx context.Context, name string, kind omero.Kind, id, group int64) {
			looks.Note(ctx, name, transfer.Looked{Kind: string(kind), ID: id, Group: group})
		},
	})
	if err != nil {
		return err
	}
	m.saves = transfer.NewSaves(transfer.SavesConfig{
		Annotator: annotator{m.omeroView, m.omero.Server().Database}, Records: m.records, Logger: m.log,
		Now: time.Now, Version: version.Version, By: m.irodsName, WhyNot: m.whyNot, Looked: looks.Find,
	})
	m.irodsView = irodsview.New(irodsview.Config{
		Clients: m.irodsFor, Guard: m.saves, Trash: m.cfg.IRODSTrash, UID: m.uid, GID: m.gid,
		FirstIno: firstIRODSIno, StateDir: m.cfg.StateDir, Account: m.irods.String(), Logger: m.log,
	})
	m.saves.Use(m.irodsView)
	return nil
}

// root is the top of the mount.
func (m *Mount) root() tree.Dir {
	r := &folder{ino: inoRoot, mode: 0o555, uid: m.uid, gid: m.gid, made: m.started}
	r.add("omero", m.omeroView.Root())
	r.add("tars", m.omeroView.Tars())
	r.add("irods", m.irodsView.Root())
	r.add(ControlDir, m.control())
	return r
}

// person refuses everybody whom the map does not know.
func (m *Mount) person(ctx context.Context) error {
	c, ok := tree.CallerFrom(ctx)
	if !ok {
		return tree.Errorf(tree.ErrDenied, "nobody asked")
	}
	if _, err := m.people.Person(ctx, c.UID); err != nil {
		return tree.Errorf(tree.ErrDenied, "%w", err).WithAdvice("mount it yourself")
	}
	return nil
}

func (m *Mount) omeroFor(ctx context.Context) (*omero.Client, error) {
	if err := m.person(ctx); err != nil {
		return nil, err
	}
	return m.omero, nil
}

func (m *Mount) irodsFor(ctx context.Context) (*irods.Client, error) {
	if err := m.person(ctx); err != nil {
		return nil, err
	}
	return m.irods, nil
}

// irodsName is who the caller is in iRODS.
func (m *Mount) irodsName(ctx context.Context) string {
	c, _ := tree.CallerFrom(ctx)
	p, err := m.people.Person(ctx, c.UID)
	if err != nil {
		return ""
	}
	return p.IRODS
}

// asOwner is the context of work that no request asks for.
func (m *Mount) asOwner(ctx context.Context) context.Context {
	return tree.WithCaller(ctx, tree.Caller{UID: m.uid, GID: m.gid})
}

// recover removes what an earlier mount has left on the servers. What it
// cannot remove stays for the next time.
func (m *Mount) recover(ctx context.Context) {
	n, err := m.irodsView.Recover(m.asOwner(ctx), m.irods, m.saves.Recover)
	if err != nil {
		m.log.Warn("something of an earlier mount is left in iRODS", "err", err)
	}
	if n > 0 {
		m.log.Info("removed temporary objects of an earlier mount from iRODS", "objects", n)
	}
	err = m.journal.Recover(m.asOwner(ctx), func(ctx context.Context, l transfer.Leftover) error {
		m.log.Info("removing what a load has left", "load", l.Load, "filesets", l.Filesets, "files", l.Files)
		return m.omeroView.DiscardLoad(ctx, l)
	})
	if err != nil {
		m.log.Error("something of an earlier load is left in OMERO", "err", err)
	}
}

// Serve waits until the mount is taken away or ctx is done, and then ends
// everything.
func (m *Mount) Serve(ctx context.Context) error {
	select {
	case <-m.server.Load().Done():
	case <-ctx.Done():
	}
	return m.Stop()
}

// Server is the FUSE side, for tests.
func (m *Mount) Server() *fs.Server { return m.server.Load() }

// Stop takes the mount away, also from those who still use it, ends the
// transfers and logs out.
func (m *Mount) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	var err error
	if server := m.server.Load(); server != nil {
		if err = server.Unmount(ctx); err != nil {
			err = server.Detach(ctx)
		}
	}
	m.close()
	m.log.Info("unmounted", "from", m.cfg.Mountpoint)
	return err
}

// close ends the parts that exist, in an order in which each still has what
// it needs.
func (m *Mount) close() {
	ctx, cancel := context.WithTimeout(m.asOwner(context.Background()), stopWait)
	defer cancel()
	if m.irodsView != nil {
		m.irodsView.Close(ctx)
	}
	if m.loads != nil {
		m.loads.Close(ctx)
	}
	if m.saves != nil {
		m.saves.Close(ctx)
	}
	if m.omeroView != nil {
		if err := m.omeroView.Close(); err != nil {
			m.log.Warn("closing the OMERO view", "err", err)
		}
	}
	if m.journal != nil {
		if err := m.journal.Close(); err != nil {
			m.log.Warn("closing the journal", "err", err)
		}
	}
	if m.irods != nil {
		m.irods.Close()
	}
	if m.omero != nil {
		if err := m.omero.Close(); err != nil && !errors.Is(err, omero.Offline) {
			m.log.Warn("logging out of OMERO", "err", err)
		}
	}
}
