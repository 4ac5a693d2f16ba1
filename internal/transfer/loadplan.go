package transfer

import (
	"context"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// unit is what is imported at once: the files of one fileset, or a single file.
type unit struct {
	fileset pack.ID   // "" when the pack does not say
	images  []pack.ID // in the order of their series
	paths   []string  // of the files, the main one first; for a folder filled in at its end
	names   map[string]string
	folder  string // of a pack that does not name its files, with a slash at the end
	reader  string
	info    []pack.Pair

	files    map[string]*stagedFile
	begun    bool   // its upload has begun
	sent     Upload // nil until its files are on the server
	main     int    // of paths: the file that is tried as the first, for a folder
	imported Imported
}

func (u *unit) got(p string, f *stagedFile) {
	if u.files == nil {
		u.files = map[string]*stagedFile{}
	}
	u.files[p] = f
}

func (u *unit) complete() bool { return u.folder == "" && len(u.files) == len(u.paths) }

// plan reads the pack's transfer.xml and finds out what has to arrive.
func (l *Load) plan(f *stagedFile) error {
	if _, err := f.content.Sums(); err != nil { // they outlive the content
		return err
	}
	p, err := l.readPlan(io.NewSectionReader(f.content, 0, f.content.Size()))
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.follow(p)
	l.xml, f.arrived = f, true
	staged := l.written()
	l.mu.Unlock()
	f.content.Free()

	for p, f := range staged {
		l.mu.Lock()
		whole := f.flushed && !f.dirty && !f.cutOff && !f.arrived
		l.mu.Unlock()
		// What came before transfer.xml could not be judged then; what is no part
		// of the pack is left out and named in the record.
		if whole {
			if err := l.take(p, f); errors.Is(err, tree.ErrNotPermitted) {
				l.note("left out, because the pack does not list it: " + p)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// plan is what a transfer.xml asks of a load.
type plan struct {
	doc      *pack.Document
	manifest *pack.Manifest
	units    []*unit
}

// readPlan reads a transfer.xml and checks that its pack can be loaded here.
// Its memory is bounded by the limits of the decoder.
func (l *Load) readPlan(r io.Reader) (plan, error) {
	doc, manifest, err := pack.Decode(r, pack.Limits{})
	switch {
	case errors.Is(err, pack.ErrOldPack):
		return plan{}, tree.Errorf(tree.ErrInvalid, "this pack was written by an omero-cli-transfer older than 1.0: %w", err).
			WithAdvice("pack it again with version 1.0 or later")
	case errors.Is(err, pack.ErrNewer):
		return plan{}, tree.Errorf(tree.ErrInvalid, "this pack was written by a newer omerods: %w", err).WithAdvice("update omerods")
	case err != nil:
		return plan{}, tree.Errorf(tree.ErrInvalid, "transfer.xml cannot be used: %w", err)
	}
	if kind := packKind(doc); kind != l.place.Kind() {
		return plan{}, tree.Errorf(tree.ErrInvalid, "this is the pack of %s, and %s takes %s", withArticle(kind), l.place.Key(), withArticle(l.place.Kind())).
			WithAdvice("copy it into %s", l.placeFor(kind))
	}
	units := unitsOf(doc)
	if p := sharedPath(units); p != "" {
		return plan{}, tree.Errorf(tree.ErrInvalid, "transfer.xml cannot be used: two filesets of it have the file %s", p)
	}
	return plan{doc, manifest, units}, nil
}

// follow makes the load wait for what a plan asks for; the mutex is held.
func (l *Load) follow(p plan) {
	l.doc, l.ours = p.doc, p.manifest != nil
	l.units = p.units
	l.want(p.manifest)
	l.record.Object, l.record.Name = string(p.doc.Origin.Object), p.doc.Origin.Name
	l.record.Files = len(l.wanted)
	l.missing = len(l.wanted)
	l.of.cfg.Records.Put(l.record)
}

// written lists what has been staged by its path in the pack; the mutex is held.
func (l *Load) written() map[string]*stagedFile {
	if l.tar != nil {
		return maps.Clone(l.members)
	}
	return l.top.files(map[string]*stagedFile{})
}

func (l *Load) note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.record.Note != "" {
		text = l.record.Note + "; " + text
	}
	l.record.Note = clip(text, 4000)
}

// want fills in the files to wait for; the mutex is held.
func (l *Load) want(manifest *pack.Manifest) {
	add := func(f pack.File, u *unit) {
		l.wanted[f.Path] = &wanted{File: f, unit: u}
		l.record.Bytes += max(f.Size, 0)
	}
	var known map[string]*pack.File
	if manifest != nil {
		known = manifest.ByPath()
	}
	listed := func(p string) pack.File {
		if f := known[p]; f != nil {
			return *f
		}
		return pack.File{Path: p, Size: -1}
	}
	for _, u := range l.units {
		for _, p := range u.paths {
			add(listed(p), u)
		}
	}
	linked := map[pack.ID]bool{}
	for _, link := range l.doc.Links {
		linked[link.From], linked[link.To] = true, true
	}
	for _, a := range l.doc.Annotations {
		if a.File == nil || a.File.Path == "" || l.wanted[a.File.Path] != nil {
			continue
		}
		if !linked[a.ID] && a.Namespace != pack.FigureNamespace {
			// It would belong to nothing that is loaded.
			l.generated[a.File.Path] = false
			continue
		}
		f := listed(a.File.Path)
		f.Annotation, f.MediaType = a.ID, a.File.MediaType
		if f.Size < 0 && a.File.Size > 0 {
			f.Size = a.File.Size
		}
		add(f, nil)
	}
	if manifest != nil {
		for _, f := range manifest.Files {
			l.generated[f.Path] = false // also other places of files that are wanted once
			if f.SameAs != "" {
				l.sameAs[f.Path] = f.SameAs
			}
		}
	}
	for p := range l.wanted {
		delete(l.generated, p)
	}
	l.toCome = len(l.generated)
}

// unitsOf says which files of a pack are imported together.
func unitsOf(doc *pack.Document) []*unit {
	info := map[pack.ID][]pack.Pair{}
	for i := range doc.Filesets {
		info[doc.Filesets[i].ID] = doc.Filesets[i].Info
	}
	var units []*unit
	for _, imp := range doc.ImportPlan() {
		if len(imp.Images) == 0 || imp.Path == "" && len(imp.Entries) == 0 {
			continue
		}
		u := &unit{fileset: imp.Fileset, images: imp.Images, reader: imp.Reader, info: info[imp.Fileset], names: map[string]string{}}
		if imp.Folder {
			u.folder = imp.Path + "/"
		}
		for _, e := range imp.Entries {
			u.paths = append(u.paths, e.Path)
			u.names[e.Path] = e.ClientPath
		}
		units = append(units, u)
	}
	// New ids rise in the order of the imports: the images keep their order.
	slices.SortStableFunc(units, func(a, b *unit) int {
		return slices.MinFunc(a.images, pack.ID.Compare).Compare(slices.MinFunc(b.images, pack.ID.Compare))
	})
	return units
}

// sharedPath finds a file that belongs to two units, "" when there is none.
func sharedPath(units []*unit) string {
	owner := map[string]bool{}
	for _, u := range units {
		for _, p := range u.paths {
			if owner[p] {
				return p
			}
			owner[p] = true
		}
	}
	return ""
}

// packKind is the kind of a pack's top objects.
func packKind(doc *pack.Document) string {
	if k := doc.Origin.Object.Kind(); k != "" {
		return k
	}
	switch {
	case len(doc.Projects) > 0:
		return pack.KindProject
	case len(doc.Screens) > 0:
		return pack.KindScreen
	case len(doc.Datasets) > 0:
		return pack.KindDataset
	case len(doc.Plates) > 0:
		return pack.KindPlate
	}
	return pack.KindImage
}

// withArticle names a kind in a sentence.
func withArticle(kind string) string {
	if kind == pack.KindImage {
		return "an image"
	}
	return "a " + strings.ToLower(kind)
}

func (l *Load) placeFor(kind string) string {
	side := "omero"
	if l.tar != nil {
		side = "tars"
	}
	return side + "/GROUP/USER/" + strings.ToLower(kind) + "s/"
}

// settle is called once nobody writes any more: what has not come by now will
// not come, folders whose files the pack does not name hold what they hold, and
// an empty file whose size the pack does not give is meant to be empty.
func (l *Load) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.doc == nil || l.failure != nil || l.committing {
		return
	}
	l.settled = true
	staged := l.written()
	for p, w := range l.wanted {
		f := staged[p]
		if f != nil && !w.here && w.first == nil && w.Size < 0 && f.content.Size() == 0 &&
			f.flushed && !f.dirty && !f.cutOff && f.writers == 0 {
			l.arrive(p, w, f)
		}
	}
	for _, u := range l.units {
		if u.folder == "" || u.begun {
			continue
		}
		var infos []pack.FileInfo
		for p, f := range staged {
			if rel, ok := strings.CutPrefix(p, u.folder); ok && !f.dirty && !f.cutOff && f.flushed && !isJunk(path.Base(p)) {
				infos = append(infos, pack.FileInfo{Path: rel, Size: f.content.Size()})
				u.got(p, f)
			}
		}
		u.paths = nil
		for _, main := range pack.CandidateMains(infos) {
			u.paths = append(u.paths, u.folder+main)
		}
		if len(u.paths) > 0 {
			l.upload(u)
		}
	}
}

// writersEnded looks at what is there once nobody writes any more.
func (l *Load) writersEnded() {
	select {
	case <-l.ctx.Done():
		return
	case <-time.After(quiet):
	}
	if l.writers.Alive() {
		return
	}
	if l.tar != nil {
		l.tar.writersEnded()
		return
	}
	l.settle()
	if l.ready() {
		l.commit()
		return
	}
	l.mu.Lock()
	full := l.full
	l.mu.Unlock()
	if full != nil {
		// It would keep the room from all other loads, and come no further itself.
		l.abort(StateFailed, full)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil && !l.committing && l.state == StateLoading {
		l.record.Reason = l.waitingFor()
		l.of.cfg.Records.Put(l.record)
	}
}

// watch lets go of the load when its time is over.
func (l *Load) watch() {
	defer l.of.wait.Done()
	defer l.writers.Close()
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		now := l.of.cfg.Now()
		l.mu.Lock()
		state, ended, silent := l.state, l.ended, now.Sub(l.lastSeen)
		committing := l.committing
		l.mu.Unlock()
		switch {
		case state == StateFinished && now.Sub(ended) >= aliasFor && !l.writers.Alive():
			l.forget()
			return
		case state == StateLoading && !committing && silent >= 24*time.Hour:
			l.abort(StateFailed, tree.Errorf(tree.ErrIncomplete, "nothing was written for a day"))
			return
		case state == StateLoading && !committing && silent >= time.Minute && l.tar == nil:
			l.settle() // file managers live on after their copies
			if l.ready() {
				l.commit()
			}
		}
	}
}

// forget ends a finished load's aliases.
func (l *Load) forget() {
	l.of.drop(l)
	l.stop()
}

func (l *Load) background(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(tree.WithCaller(context.Background(), l.caller), d)
}
