package irodsview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"syscall"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
	"omerods/internal/transfer"
)

// replaceTries is how often the last step of changing a file is tried, and
// replaceWait how long it is waited for after the first time: a server that
// has lost a connection keeps the object locked for a moment.
const (
	replaceTries = 5
	replaceWait  = 50 * time.Millisecond
)

// replace writes the temporary object's content into the existing file, which
// keeps its id, metadata and rights. The old content is lost on the way, so
// from the first request on it is seen through: it is in the journal, is
// tried more than once also when the program is killed, and the temporary
// object is never removed before the file has its content.
func (d *draft) replace(ctx context.Context, final string) error {
	old, err := d.s.statKnown(ctx, final)
	if isNotFound(err) {
		return d.name(ctx, final) // it has been removed meanwhile
	}
	if err != nil {
		return err
	}
	release, err := d.view.overwrites.take(ctx, final)
	if err != nil {
		return err
	}
	defer release()
	if ctx.Err() != nil {
		return fail(context.Cause(ctx))
	}
	o, err := d.view.overwrites.begin(d.overwriteOf(old, final))
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	c, begun := d.s.client, false
	for wait, i := replaceWait, 1; ; wait, i = wait*2, i+1 {
		err = copyInside(ctx, c, o.Temp, final, true, o.Size)
		if err == nil {
			begun = true
			err = sameContent(ctx, c, final, o.SHA256, o.Size)
		}
		refused := errors.Is(err, irods.ErrDenied) || errors.Is(err, irods.ErrBusy) || errors.Is(err, irods.ErrOffline)
		switch {
		case err == nil:
			d.dropTemp(ctx)
			o.end()
			return nil
		case isNotFound(err):
			o.end()
			return d.name(ctx, final)
		case refused && !begun:
			o.end() // nothing has happened
			return err
		}
		begun = true
		if i == replaceTries || silent(err) {
			return d.rescue(ctx, o, err)
		}
		<-time.After(wait)
	}
}

// overwriteOf is the journal's entry for a replacement.
func (d *draft) overwriteOf(old known, final string) overwrite {
	o := overwrite{
		Who: d.s.client.String(), Temp: d.tmpPath(), Final: final, ID: old.ID, Old: contentOf(old.Entry),
		Size: d.verify.size, SHA256: d.verify.sha256,
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.mtime.IsZero() {
		o.Modified = d.mtime.Unix()
	}
	return o
}

// rescue gives a name of its own to content that could not be written into
// its file. If that fails too the journal keeps it, and it is tried again.
func (d *draft) rescue(ctx context.Context, o *openOverwrite, cause error) error {
	class := tree.ErrIO
	if silent(cause) {
		class = tree.ErrOffline
	}
	told := &tree.Error{Class: class, Reason: fmt.Sprintf("%s could not be changed: %v", o.Final, cause), Err: cause}
	saved := joinPath(path.Dir(o.Temp), path.Base(o.Final)+".saved"+path.Base(o.Temp))
	d.tmpName = ""
	if err := d.s.client.Rename(ctx, o.Temp, saved, false, false); err != nil {
		d.view.overwrites.postpone(o, d.s.client)
		return told.WithAdvice("The new content is in iRODS and will be written into the file when that is possible, at the latest when the mount is started again.")
	}
	o.end()
	d.s.appeared(known{Entry: irods.Entry{Path: saved, Size: o.Size}, level: irods.LevelOwn, rough: true, sized: true, bare: true})
	return told.WithAdvice("The new content is in %s.", saved)
}

// inTheWay tells the error of a rename where the storage still has the folder
// of a collection of that name that was removed: servers keep such folders.
func inTheWay(err error) bool {
	code := irods.Code(err)
	return code == -528000-int(syscall.EISDIR) || code == -528000-int(syscall.ENOTEMPTY) || code == -528000-int(syscall.EEXIST)
}

// copyTo makes the file as a copy of the temporary object, for which a server
// finds another place on its storage.
func (d *draft) copyTo(ctx context.Context, final string) error {
	c, tmp := d.s.client, d.tmpPath()
	avus, err := c.AVUs(ctx, tmp, false)
	if err == nil {
		err = c.Copy(ctx, tmp, final, false)
	}
	if err != nil {
		return err
	}
	if err = sameContent(ctx, c, final, d.verify.sha256, d.verify.size); err == nil && len(avus) > 0 {
		err = c.ChangeAVUs(ctx, final, false, nil, avus)
	}
	if err != nil {
		return errors.Join(err, removeTemp(ctx, c, final))
	}
	d.dropTemp(ctx)
	return nil
}

// sameContent checks that a data object has the size bytes with a SHA-256 sum. The
// checksum is registered by it.
func sameContent(ctx context.Context, c *irods.Client, p string, sha256 []byte, size int64) error {
	registered, err := checksum(ctx, c, p, size)
	if err != nil {
		return err
	}
	sum := irods.SHA256(registered)
	if sum == nil { // the server uses another checksum
		sums, err := readSums(ctx, c, p)
		if err != nil {
			return err
		}
		sum = sums.SHA256()
	}
	if !bytes.Equal(sum, sha256) {
		return mismatch(p)
	}
	return nil
}

// readSums computes the sums of a data object.
func readSums(ctx context.Context, c *irods.Client, p string) (*transfer.Sums, error) {
	f, err := c.OpenRead(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close(ctx) }()
	sums := transfer.NewSums()
	block := make([]byte, blockBytes)
	for {
		n, err := f.ReadAt(ctx, block, sums.Size())
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return sums, nil
		}
		_, _ = sums.Write(block[:n])
	}
}

// statKnown is stat with all that the catalogue has, not only existence and
// size.
func (s *session) statKnown(ctx context.Context, p string) (known, error) {
	k, err := s.stat(ctx, p)
	if err == nil && (k.rough || k.bare) {
		return s.statNow(ctx, p)
	}
	return k, err
}
