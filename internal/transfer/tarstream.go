package transfer

import (
	"bytes"
	"context"
	"errors"
	"path"

	"omerods/fs/tree"
)

// put takes the bytes that a program writes; the caller has the turn. A tar is
// passed on in order: what comes too early waits in the spool, what has been
// passed on cannot be written once more.
func (a *StagedTar) put(ctx context.Context, p []byte, off int64) error {
	switch {
	case len(p) == 0:
		return nil
	case a.format == plainZip:
		_, err := a.zip.WriteAt(p, off)
		return err
	case off < a.pos:
		return tree.Errorf(tree.ErrNotPermitted, "%s has been read up to byte %d; what is before that cannot be written again", a.name(), a.pos).
			WithAdvice("write the archive on another disk, and copy it when it is complete")
	case off > a.pos, a.format == unknownFormat && len(p) < sniffBytes:
		if err := a.ahead.add(p, off); err != nil {
			return err
		}
		return a.advance(ctx)
	}
	if a.format == unknownFormat {
		if err := a.decide(p); err != nil {
			return err
		}
		if a.format == plainZip {
			_, err := a.zip.WriteAt(p, off)
			return err
		}
	}
	if err := a.feed.give(ctx, p); err != nil {
		return err
	}
	a.pos += int64(len(p))
	a.ahead.cut(off, a.pos)
	return a.advance(ctx)
}

// advance passes on what is kept and whose turn has come. An interrupt leaves
// the rest for the next write.
func (a *StagedTar) advance(ctx context.Context) error {
	var buf []byte
	for {
		off, ok := a.ahead.first()
		if !ok || off != a.pos {
			return nil
		}
		if buf == nil {
			buf = make([]byte, 1<<20)
		}
		n, err := a.ahead.read(buf)
		if err != nil {
			return err
		}
		if a.format == unknownFormat {
			if n < sniffBytes {
				return nil
			}
			if err := a.decide(buf[:n]); err != nil {
				return err
			}
			if a.format == plainZip {
				return nil
			}
		}
		if err := a.feed.give(ctx, buf[:n]); err != nil {
			if errors.Is(err, errNotTaken) {
				return nil
			}
			return err
		}
		a.ahead.cut(a.pos, a.pos+int64(n))
		a.pos += int64(n)
	}
}

// sniffBytes is how much of an archive tells what it is.
const sniffBytes = 4

// zipMagic are the beginnings of a zip, of an empty one and of one in parts.
var zipMagic = [][]byte{[]byte("PK\x03\x04"), []byte("PK\x05\x06"), []byte("PK\x07\x08")}

// decide tells by its first bytes what an archive is, whatever its name, and
// begins to read it.
func (a *StagedTar) decide(p []byte) error {
	for _, m := range zipMagic {
		if bytes.HasPrefix(p, m) {
			return a.decideZip()
		}
	}
	for magic, what := range map[string]string{
		"\x1f\x8b": "gzip", "BZh": "bzip2", "\xfd7zX": "xz", "\x28\xb5\x2f\xfd": "zstd", "7z\xbc\xaf": "7z", "Rar!": "rar",
	} {
		if bytes.HasPrefix(p, []byte(magic)) {
			return tree.Errorf(tree.ErrInvalid, "%s is compressed with %s; only plain tar and zip can be loaded", a.name(), what).
				WithAdvice("unpack it, and copy the tar or the folder that is in it")
		}
	}
	a.format = plainTar
	a.run(func(ctx context.Context) error {
		return a.readTar(readerFunc(func(p []byte) (int, error) { return a.feed.read(ctx, p) }))
	})
	return nil
}

// decideZip makes the spool file of a zip, with what has come early.
func (a *StagedTar) decideZip() error {
	f, err := a.load.of.cfg.Spool.file()
	if err != nil {
		return err
	}
	a.format, a.zip = plainZip, f
	buf := make([]byte, 1<<20)
	for off, ok := a.ahead.first(); ok; off, ok = a.ahead.first() {
		n, err := a.ahead.read(buf)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(buf[:n], off); err != nil {
			return err
		}
		a.ahead.cut(off, off+int64(n))
	}
	return nil
}

// run starts the goroutine that reads the archive. It belongs to the load,
// whose end stops it.
func (a *StagedTar) run(read func(context.Context) error) {
	l := a.load
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure != nil {
		close(a.feed.ended)
		return
	}
	a.running = true
	l.uploads.Add(1)
	go func() {
		defer l.uploads.Done()
		defer close(a.feed.ended)
		err := read(l.ctx)
		if err != nil {
			l.failed(err) // changes nothing when the load has ended already
			return
		}
		l.mu.Lock()
		a.whole = true
		handed := a.handed
		l.mu.Unlock()
		if handed {
			_ = a.conclude() // the load has its result
		}
	}()
}

// within adds a place to an error and keeps its class and advice.
func within(at string, err error) error {
	var told *tree.Error
	if !errors.As(err, &told) {
		return tree.Errorf(tree.ErrIO, "%s: %w", at, err)
	}
	e := tree.Errorf(told.Class, "%s: %w", at, err)
	e.Advice = told.Advice
	return e
}

// end is called when a program has closed the archive. It returns nil when the
// load needs nothing more of it, or needs only to read a zip.
func (a *StagedTar) end(ctx context.Context) error {
	l := a.load
	if a.format == plainZip {
		return a.endZip()
	}
	err := a.feed.drain(ctx)
	if err == nil {
		err = a.fillHoles(ctx)
	}
	switch {
	case errors.Is(err, errNotTaken):
		return tree.Errorf(tree.ErrInterrupted, "%w", err)
	case err != nil:
		l.failed(err)
		return err
	}
	l.mu.Lock()
	if l.failure != nil || !a.whole {
		defer l.mu.Unlock()
		if l.failure != nil {
			return l.failure
		}
		return a.incomplete()
	}
	l.mu.Unlock()
	a.ahead.close()
	return a.conclude()
}

// conclude is called when all members have been read: nothing more will come.
func (a *StagedTar) conclude() error {
	l := a.load
	l.mu.Lock()
	known := l.doc != nil
	l.mu.Unlock()
	if !known {
		err := a.noTransferXML()
		l.failed(err)
		return err
	}
	l.settle()
	ready := l.ready()
	l.mu.Lock()
	err := l.failure
	if err == nil && !ready {
		err = tree.Errorf(tree.ErrIncomplete, "%s is not complete: %s", a.file, l.missingNames())
	}
	a.closed = err == nil
	alone := a.closed && a.handed && a.final
	l.mu.Unlock()
	switch {
	case err != nil:
		l.failed(err) // changes nothing when it has failed already
	case alone:
		l.commit() // its program may have stopped waiting
	}
	return err
}

// fillHoles passes on zeros for what nobody has written: that is what such a
// place of a file holds.
func (a *StagedTar) fillHoles(ctx context.Context) error {
	a.load.mu.Lock()
	size := a.size
	a.load.mu.Unlock()
	var zeros []byte
	for a.pos < size && a.format != plainZip {
		if a.feed.over() {
			a.pos = size
			return nil
		}
		until := size
		if off, ok := a.ahead.first(); ok {
			until = min(until, off)
		}
		if until == a.pos {
			if err := a.advance(ctx); err != nil {
				return err
			}
			if off, ok := a.ahead.first(); ok && off == a.pos {
				if a.format == unknownFormat {
					return nil // too short to be anything
				}
				return errNotTaken
			}
			continue
		}
		if zeros == nil {
			zeros = make([]byte, 1<<20)
		}
		n := min(int64(len(zeros)), until-a.pos)
		if a.format == unknownFormat {
			if err := a.decide(zeros[:n]); err != nil {
				return err
			}
		}
		if err := a.feed.give(ctx, zeros[:n]); err != nil {
			return err
		}
		a.pos += n
	}
	return nil
}

// incomplete says what is missing of an archive that ends here; the load's
// mutex is held.
func (a *StagedTar) incomplete() error {
	l := a.load
	if a.size == 0 {
		return tree.Errorf(tree.ErrIncomplete, "%s is empty", a.file)
	}
	where := "before its end"
	if a.at != "" {
		where = "in or after " + a.at
	}
	missing := "transfer.xml has not come"
	if l.doc != nil {
		missing = l.missingNames()
	}
	return tree.Errorf(tree.ErrIncomplete, "%s is cut off after %d bytes, %s: %s", a.file, a.size, where, missing).
		WithAdvice("copy it again, whole")
}

// noTransferXML says that an archive is no pack.
func (a *StagedTar) noTransferXML() error {
	l := a.load
	l.mu.Lock()
	defer l.mu.Unlock()
	err := tree.Errorf(tree.ErrInvalid, "%s has no transfer.xml at its top, so it is no pack", a.file)
	for p := range l.members {
		if dir, base := path.Split(p); base == transferXML {
			return err.WithAdvice("there is one in %s; make the archive of what is in that folder (tar -C %s -cf …tar .)", dir, path.Clean(dir))
		}
	}
	return err
}
