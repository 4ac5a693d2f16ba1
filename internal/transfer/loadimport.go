package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"omerods/fs/tree"
)

// upload sends a complete unit in the background and then has the images made
// of all units whose turn has come; the mutex is held.
func (l *Load) upload(u *unit) {
	if u.begun || l.failure != nil {
		return
	}
	u.begun = true
	l.uploads.Add(1)
	l.sending++
	go func() {
		defer l.uploads.Done()
		err := l.inSlot(func(dest Destination) error { return l.send(dest, u) })
		l.hasSent()
		if err == nil {
			err = l.importInOrder()
		}
		if err != nil {
			l.failed(err)
		}
	}()
}

// hasSent notes that an upload needs its files no more.
func (l *Load) hasSent() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sending--
	close(l.sent)
	l.sent = make(chan struct{})
}

// waitSent waits until no upload takes its files from the spool any more.
func (l *Load) waitSent(ctx context.Context) error {
	for {
		l.mu.Lock()
		failure, sending, sent := l.failure, l.sending, l.sent
		l.mu.Unlock()
		switch {
		case failure != nil:
			return failure
		case sending == 0:
			return nil
		}
		select {
		case <-sent:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// title is the name of the object that is to be made.
func (l *Load) title() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.name
}

// importInOrder makes the images of one unit after the other, so that their
// ids rise as those in the pack do. Only one goroutine does it at a time; it
// also does what others have sent meanwhile.
func (l *Load) importInOrder() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.importing {
		return nil
	}
	l.importing = true
	defer func() { l.importing = false }()
	for l.next < len(l.units) && l.units[l.next].sent != nil && l.failure == nil {
		u := l.units[l.next]
		l.mu.Unlock()
		err := l.importUnit(u)
		l.mu.Lock()
		if err != nil {
			return err
		}
		l.next++
	}
	return nil
}

// attach stores an attachment in the background; the mutex is held.
func (l *Load) attach(w *wanted, f *stagedFile) {
	name, dir := path.Base(w.Path), "/"
	for _, a := range l.doc.Annotations {
		if a.ID == w.Annotation && a.File != nil {
			dir = a.File.Dir
			if dir == "" && a.File.ID == "" {
				dir = "/" // the pack does not say
			}
			if a.File.Name != "" {
				name = a.File.Name
			}
		}
	}
	l.uploads.Add(1)
	l.sending++
	go func() {
		defer l.uploads.Done()
		defer l.hasSent()
		err := l.inSlot(func(dest Destination) error {
			spec, err := l.fileSpec(name, f)
			if err != nil {
				return err
			}
			spec.Dir, spec.MediaType = dir, w.MediaType
			var journalErr error
			id, err := dest.UploadFile(l.ctx, spec, func(id int64) {
				journalErr = l.of.cfg.Journal.File(l.id, l.caller.UID, id)
			})
			if err != nil {
				return err
			}
			l.mu.Lock()
			l.files[w.Annotation] = id
			l.mu.Unlock()
			f.content.Free()
			return journalErr
		})
		if err != nil {
			l.failed(fmt.Errorf("%s: %w", w.Path, err))
		}
	}()
}

func (l *Load) fileSpec(name string, f *stagedFile) (FileSpec, error) {
	sums, err := f.content.Sums()
	if err != nil {
		return FileSpec{}, err
	}
	return FileSpec{Name: name, Size: f.content.Size(), SHA1: sums.SHA1(), Content: counted{f.content, &f.sent, &l.sentBytes}}, nil
}

// inSlot runs work with a connection when its turn comes.
func (l *Load) inSlot(work func(Destination) error) error {
	select {
	case l.of.slots <- struct{}{}:
		defer func() { <-l.of.slots }()
	case <-l.ctx.Done():
		return l.ctx.Err()
	}
	if err := l.of.cfg.Journal.Begin(l.id, l.caller.UID); err != nil {
		return err
	}
	dest, err := l.place.Destination(l.ctx)
	if err != nil {
		return err
	}
	return work(dest)
}

// send uploads the files of a unit, with the file first that is tried as the
// main one.
func (l *Load) send(dest Destination, u *unit) error {
	main := u.paths[u.main]
	spec := FilesetSpec{Load: l.id, Reader: u.reader, Info: u.info}
	order := append([]string{main}, slices.DeleteFunc(u.order(), func(p string) bool { return p == main })...)
	for _, p := range order {
		name := u.names[p]
		if name == "" {
			name = path.Join(l.title(), p)
		}
		f, err := l.fileSpec(name, u.files[p])
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		spec.Files = append(spec.Files, f)
	}
	var journalErr error
	sent, err := dest.Upload(l.ctx, spec, func(id int64) {
		l.mu.Lock()
		l.filesets = append(l.filesets, id)
		l.mu.Unlock()
		journalErr = l.of.cfg.Journal.Fileset(l.id, l.caller.UID, id)
	})
	if err == nil {
		err = journalErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", main, err)
	}
	l.mu.Lock()
	u.sent = sent
	l.mu.Unlock()
	if u.folder == "" {
		u.free() // a folder may have to be sent again, with another main file
	}
	return nil
}

func (u *unit) free() {
	for _, f := range u.files {
		f.content.Free()
	}
}

// importUnit makes the images of a unit and checks that there are as many as
// the pack has. For a folder it tries the possible main files in turn.
func (l *Load) importUnit(u *unit) error {
	for {
		got, err := u.sent.Import(l.ctx)
		if err == nil && len(got.Images) != len(u.images) {
			err = tree.Errorf(tree.ErrIO, "OMERO made %d images of it, the pack has %d", len(got.Images), len(u.images))
			if u.folder != "" {
				err = errors.Join(err, u.sent.Abort(l.ctx))
			}
		}
		if err == nil {
			l.mu.Lock()
			u.imported = got
			l.mu.Unlock()
			u.free()
			return nil
		}
		if u.folder == "" || u.main+1 >= len(u.paths) || l.ctx.Err() != nil {
			return fmt.Errorf("%s: %w", u.paths[u.main], err)
		}
		u.main++
		if err := l.inSlot(func(dest Destination) error { return l.send(dest, u) }); err != nil {
			return err
		}
	}
}

// order lists the unit's files: as the pack has them, or by name.
func (u *unit) order() []string {
	if u.folder == "" {
		return slices.Clone(u.paths)
	}
	return slices.Sorted(maps.Keys(u.files))
}
