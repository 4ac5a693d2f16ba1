package irodsview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
	"omerods/internal/transfer"
)

// flush stores what was written, for a close of a descriptor.
func (d *draft) flush(ctx context.Context) error {
	if cutOff(ctx) {
		return d.kill(ctx)
	}
	if err := d.lock(ctx); err != nil {
		return err
	}
	defer d.unlock()
	d.mu.Lock()
	empty := d.empty()
	// A shell closes a descriptor before its program writes anything, so the
	// first close does not say that the file is to be empty.
	wait := empty && !d.touched && d.flushes == 0
	again := !d.dirty && !empty
	d.flushes++
	result := d.result
	d.mu.Unlock()
	switch {
	case d.failed != nil:
		return d.failed
	case wait:
		return nil
	case again:
		return result
	}
	return d.commit(ctx)
}

// empty tells whether the file is new or was emptied, and nothing has been
// written or stored since. The draft's mu is held.
func (d *draft) empty() bool {
	return d.size == 0 && !d.stored && (!d.exists || d.dirty)
}

// sync stores what was written without publishing it.
func (d *draft) sync(ctx context.Context) error {
	if err := d.lock(ctx); err != nil {
		return err
	}
	defer d.unlock()
	if d.failed != nil {
		return d.failed
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := d.drain(ctx); err != nil {
		return d.fail(ctx, fail(err))
	}
	return nil
}

// kill ends the draft of a program that was killed while it wrote: what it
// wrote is not what it wanted to write.
func (d *draft) kill(ctx context.Context) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := d.lock(ctx); err != nil {
		return err
	}
	defer d.unlock()
	d.mu.Lock()
	clean := !d.dirty && (d.exists || d.stored)
	d.mu.Unlock()
	if clean || d.failed != nil {
		return d.failed
	}
	return d.fail(ctx, errCutOff(d.node.path()))
}

func errCutOff(p string) error {
	return tree.Errorf(tree.ErrCutOff, "%s was not stored: the program that wrote it was killed", p)
}

// commit stores the content, verifies it, and publishes it under its name
// unless that is a temporary one. io is held. It goes on when the caller is
// interrupted, but not when it is killed.
func (d *draft) commit(ctx context.Context) error {
	ctx, end := whileAlive(ctx, 0)
	defer end()
	err := d.store(ctx)
	if err == nil && !d.unnamed() {
		err = d.publish(ctx)
	}
	if err != nil {
		if errors.Is(context.Cause(ctx), tree.ErrCutOff) {
			err = errCutOff(d.node.path())
		}
		return d.fail(ctx, fail(err))
	}
	d.mu.Lock()
	result := d.result
	d.mu.Unlock()
	return result
}

// unnamed tells whether the content has no name to be published under.
func (d *draft) unnamed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alias || d.gone
}

// store makes the temporary object complete and verifies it against what was
// written.
func (d *draft) store(ctx context.Context) error {
	size := d.length()
	var err error
	// What fits into the buffer goes in one request, which the server
	// verifies.
	if d.tmpName == "" && !d.base && d.ordered && int64(len(d.buf)) == size {
		_, _ = d.summing().Write(d.buf)
		sum := d.sums.SHA256()
		if err = d.putWhole(ctx, sum); err == nil {
			d.verify = verified{size: size, sha1: d.sums.SHA1(), sha256: sum, tar: d.sums.Tar()}
			d.bufOff = size
			d.dropBuf()
		}
	} else {
		err = d.complete(ctx, size)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.dirty, d.unclosed, d.stored, d.result, d.flushes = false, false, true, nil, 0
	d.mu.Unlock()
	return nil
}

func (d *draft) complete(ctx context.Context, size int64) error {
	if err := d.materialise(ctx); err != nil {
		return err
	}
	if err := d.drain(ctx); err != nil {
		return err
	}
	if err := d.open(ctx); err != nil {
		return err
	}
	if err := d.closeRemote(ctx); err != nil {
		return err
	}
	registered, err := checksum(ctx, d.s.client, d.tmpPath(), size)
	if err != nil {
		return err
	}
	server := irods.SHA256(registered)
	sums := d.summing()
	if !d.ordered || sums.Size() != size || server == nil {
		// The bytes did not pass by in order, or the server uses another
		// checksum: read what it has.
		if sums, err = readSums(ctx, d.s.client, d.tmpPath()); err != nil {
			return err
		}
		if d.ordered && !bytes.Equal(sums.SHA256(), d.sums.SHA256()) {
			return mismatch(d.node.path())
		}
	}
	if sums.Size() != size || server != nil && !bytes.Equal(server, sums.SHA256()) {
		return mismatch(d.node.path())
	}
	d.verify = verified{size: size, sha1: sums.SHA1(), sha256: sums.SHA256(), tar: sums.Tar()}
	return nil
}

func mismatch(p string) error {
	return tree.Errorf(tree.ErrIO, "%s was not stored: the server has other bytes than were written", p).
		WithAdvice("Copy it again; if that repeats, the storage or the network is faulty.")
}

// publish makes the stored content visible under the file's name.
func (d *draft) publish(ctx context.Context) error {
	v := d.view
	if err := d.closeRemote(ctx); err != nil {
		return err
	}
	final := d.node.path()
	w := transfer.Written{Path: final, Size: d.verify.size, SHA1: d.verify.sha1, SHA256: d.verify.sha256}
	if !d.mixed {
		w.Source = d.source
	}
	d.mu.Lock()
	exists := d.exists
	d.mu.Unlock()
	w.Replaces, w.Tar = exists, d.verify.tar
	if v.cfg.Guard != nil {
		w.Open = d.openStored
		marks, err := v.cfg.Guard.BeforePublish(ctx, w)
		if err != nil {
			return err
		}
		d.avus = append(d.avus, ours(marks)...)
	}
	if len(d.avus) > 0 {
		if err := d.s.client.ChangeAVUs(ctx, d.tmpPath(), false, nil, d.avus); err != nil {
			return err
		}
		d.avus = nil
	}
	d.timed = time.Time{}
	var err error
	if !exists {
		if err := d.passOn(ctx); err != nil {
			return err
		}
	}
	if exists {
		err = d.replace(ctx, final)
	} else {
		err = d.name(ctx, final)
	}
	if err != nil {
		if t, ok := v.cfg.Guard.(transfer.UnpublishedTeller); ok {
			t.Unpublished(ctx, w, err)
		}
		return err
	}
	d.tmpName = ""
	d.base, d.ordered, d.mixed, d.source = w.Size > 0, w.Size == 0, false, nil
	d.sums, d.passed = nil, 0
	d.bufOff = 0
	d.node.mu.Lock()
	d.node.version++
	d.node.mu.Unlock()
	// The name is in the cache before it is not here any more: whoever looks
	// meanwhile finds it.
	v.sessions.each(func(s *session) { s.changed(final) })
	if !exists {
		d.s.appeared(known{Entry: irods.Entry{Path: final, Size: w.Size}, level: irods.LevelOwn, rough: true, sized: true, bare: true})
	}
	d.mu.Lock()
	d.exists, d.stored, d.result = true, false, nil
	mtime := d.mtime
	d.mtime = time.Time{}
	d.mu.Unlock()
	if !mtime.IsZero() {
		kept := mtime.Equal(d.timed)
		if !kept {
			// The bytes are safe; a time that cannot be kept is not worth an
			// error.
			err := d.s.client.Touch(ctx, final, mtime)
			if kept = err == nil; !kept {
				v.log.Warn("modification time not kept", "path", final, "err", err)
			}
		}
		if kept {
			d.s.dated(final, mtime)
		}
		d.node.keepTime(mtime, mtime)
	}
	d.keepFolderTimes(ctx, exists)
	if v.cfg.Guard != nil {
		if err := v.cfg.Guard.Published(ctx, w); err != nil {
			// It stays, but the program hears what the guard has to say.
			d.mu.Lock()
			d.result = err
			d.mu.Unlock()
		}
	}
	return nil
}

// name renames the temporary object to a name that does not exist yet. It is
// seen through when the program is killed, see [tree.InterruptGrace].
func (d *draft) name(ctx context.Context, final string) error {
	ctx, cancel := tree.Outlive(ctx, tree.InterruptGrace)
	defer cancel()
	c, tmp := d.s.client, d.tmpPath()
	d.mu.Lock()
	mtime := d.mtime
	d.mu.Unlock()
	var err error
	// In another collection it would get the time of its coming.
	if mtime.IsZero() || path.Dir(tmp) != path.Dir(final) {
		err = c.Rename(ctx, tmp, final, false, false)
	} else {
		var kept bool
		if kept, err = c.RenameAt(ctx, tmp, final, mtime); kept {
			d.timed = mtime
		}
	}
	if inTheWay(err) {
		return taken(d.copyTo(ctx, final), final)
	}
	if !errors.Is(err, irods.ErrLost) {
		return taken(err, final)
	}
	// Nobody knows whether the server did it: the temporary name tells.
	_, serr := c.Stat(ctx, tmp)
	switch {
	case serr == nil:
		return taken(c.Rename(ctx, tmp, final, false, false), final)
	case !isNotFound(serr):
		return err
	}
	sum, serr := c.Checksum(ctx, final, false)
	if serr != nil || !bytes.Equal(irods.SHA256(sum), d.verify.sha256) {
		return err
	}
	return nil
}

// taken explains a name that somebody else has used meanwhile.
func taken(err error, p string) error {
	if errors.Is(err, irods.ErrExists) {
		return &tree.Error{Class: tree.ErrExists, Reason: fmt.Sprintf("%s was not stored: somebody else has made it meanwhile", p), Err: err}
	}
	return err
}
