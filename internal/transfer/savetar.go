package transfer

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// A tar of a pack is a save that comes as one data object. It is looked at
// while its bytes pass by, so its verdict is known before it gets its name: a
// new one appears with all its marks, a wrong one never.

// isTarName says whether a data object of that name may be the tar of a pack.
func isTarName(p string) bool { return strings.HasSuffix(p, TarSuffix) }

// tarSave returns the save that a written tar is, verified, with its state; nil
// when it is just a file. An error that is ErrIO says that the tar differs from
// what it says it is.
func (s *Saves) tarSave(ctx context.Context, w Written) (sv *save, state State, reason string, err error) {
	if w.Tar == nil || !isTarName(w.Path) || len(w.Tar.Members) == 0 || s.above(w.Path) != nil {
		return nil, "", "", nil
	}
	if coll, _, err := s.marked(ctx, path.Dir(w.Path)); err != nil || coll != "" {
		return nil, "", "", err
	}
	h, err := w.Open(ctx)
	if err != nil {
		return nil, "", "", err
	}
	defer h.Release(ctx)
	first := w.Tar.Members[0]
	doc, manifest, err := s.decode(ctx, tarSection{h, first.Off, first.Size}, w.Path)
	if err != nil || manifest == nil {
		return nil, "", "", err
	}
	sv = s.newSave(ctx, w.Path, doc, manifest, first.Size)
	sv.record.Tar, sv.record.Bytes = true, w.Size
	sv.content = h
	sv.members = map[string]TarMember{}
	for _, m := range w.Tar.Members {
		full := path.Join(w.Path, m.Path)
		sv.members[full] = m
		if e := sv.expected[m.Path]; e != nil {
			if m.Path != transferXML && !e.here {
				e.here = true
				sv.missing--
				sv.record.FilesDone++
			}
			e.written = Written{Path: full, Size: m.Size, SHA1: m.SHA1}
		}
	}
	state, reason, err = sv.tarVerdict(ctx, w)
	sv.content = nil
	sv.record.State, sv.record.Reason, sv.record.BytesDone = state, reason, w.Size
	if err != nil {
		sv.record.State, sv.record.Reason = StateFailed, err.Error()
	}
	return sv, state, reason, err
}

func (sv *save) tarVerdict(ctx context.Context, w Written) (State, string, error) {
	for _, e := range sv.expected {
		if !e.here {
			continue
		}
		if err := differs(e.File, e.written); err != nil {
			return "", "", err
		}
	}
	switch err := w.Tar.Flaw; {
	case err != nil:
		return "", "", tree.Errorf(tree.ErrIO, "%s is damaged: %w", w.Path, err).WithAdvice("copy it again")
	}
	if names, n := sv.missingNames(); n > 0 {
		return StatePartial, fmt.Sprintf("the tar has not all its files: %d required are missing: %s. Copy it again", n, strings.Join(names, ", ")), nil
	}
	if !w.Tar.Whole {
		return StatePartial, "the tar is cut off before its end mark. Copy it again", nil
	}
	if err := sv.readBack(ctx); err != nil {
		return "", "", err
	}
	if err := sv.sumsAgree(ctx); err != nil {
		return "", "", err
	}
	return StateFinished, "", nil
}

// tarAVUs are all the marks of a tar in its state, and what it is found by:
// the tags and pairs of its object and of its images.
func (sv *save) tarAVUs(state State, reason string) []AVU {
	avus := []AVU{{Name: avuState, Value: string(state)}}
	if state != StateFinished {
		return append(avus, sv.marks(reason)...)
	}
	avus = append(avus, sv.finalAVUs()...)
	notes := notesOf(sv.doc)
	own := describe(sv.doc, sv.doc.Origin.Object, notes)
	var others []AVU
	for i := range sv.doc.Images {
		others = append(others, describe(sv.doc, sv.doc.Images[i].ID, notes)...)
	}
	slices.SortFunc(others, compareAVU)
	for _, a := range slices.Compact(others) {
		if len(own) < maxFileAVUs && !slices.Contains(own, a) {
			own = append(own, a)
		}
	}
	return append(avus, own...)
}

// beforeTar judges a tar that is stored and has no name yet. It returns the
// metadata that a new one shall have from its first moment on. One that
// replaces another object's content is marked as being written.
func (s *Saves) beforeTar(ctx context.Context, w Written) ([]AVU, error) {
	s.takeTar(w.Path) // of an attempt that came to nothing
	sv, state, reason, err := s.tarSave(ctx, w)
	if sv == nil {
		return nil, err
	}
	if err != nil {
		if errors.Is(err, tree.ErrIO) {
			_ = sv.annotate(ctx, w.Path, StateFailed, err.Error())
			s.cfg.Records.Put(sv.record)
		}
		return nil, err
	}
	avus := sv.tarAVUs(state, reason)
	if w.Replaces {
		if err := s.claimTar(ctx, sv); err != nil {
			return nil, err
		}
	}
	sv.tarMarks = avus
	s.mu.Lock()
	s.tars[w.Path] = sv
	s.mu.Unlock()
	if w.Replaces {
		return nil, nil
	}
	return avus, nil
}

// claimTar marks an object whose content is about to be replaced.
func (s *Saves) claimTar(ctx context.Context, sv *save) error {
	have, err := s.objectMarks(ctx, sv.coll)
	if err != nil {
		return err
	}
	if err := s.mayReplace(sv.coll, have); err != nil {
		return err
	}
	return s.states.replaceAll(ctx, sv.coll, have.all, append([]AVU{{Name: avuState, Value: string(StateSaving)}}, sv.marks("")...))
}

// publishedTar tells OMERO of a tar that has its name now, and marks one that
// replaced another content.
func (s *Saves) publishedTar(ctx context.Context, w Written) error {
	sv := s.takeTar(w.Path)
	if sv == nil {
		return nil
	}
	err := s.markTar(ctx, sv, w.Replaces)
	s.cfg.Records.Put(sv.record)
	return err
}

// takeTar returns the save of a tar that is about to get its name, which
// nobody else does then.
func (s *Saves) takeTar(p string) *save {
	s.mu.Lock()
	defer s.mu.Unlock()
	sv := s.tars[p]
	delete(s.tars, p)
	return sv
}

// Unpublished implements UnpublishedTeller: a tar whose content was to be
// replaced was marked as being written, which it is no more.
func (s *Saves) Unpublished(ctx context.Context, w Written, err error) {
	sv := s.takeTar(w.Path)
	if sv == nil {
		return
	}
	sv.record.State, sv.record.Reason = StateFailed, "it could not be stored: "+err.Error()
	if !w.Replaces {
		_ = sv.annotate(ctx, sv.coll, StateFailed, sv.record.Reason) // its error is in the record
		s.cfg.Records.Put(sv.record)
		return
	}
	sv.tarMarks = sv.tarAVUs(StateFailed, sv.record.Reason)
	s.cfg.Records.Put(sv.record)
	if s.markUnpublished(ctx, sv) != nil {
		s.wait.Go(func() { s.markUnpublishedLater(sv) })
	}
}

func (s *Saves) markUnpublished(ctx context.Context, sv *save) error {
	have, err := s.objectMarks(ctx, sv.coll)
	if err != nil || have.id != sv.id {
		return err // the program has tried again, or it is gone
	}
	reason := sv.record.Reason
	err = s.markTar(ctx, sv, true)
	if err != nil {
		sv.record.State, sv.record.Reason, sv.record.Note = StateFailed, reason, "it could not be marked yet: "+err.Error()
	}
	s.cfg.Records.Put(sv.record)
	return err
}

func (s *Saves) markUnpublishedLater(sv *save) {
	again := time.NewTicker(retryEvery)
	defer again.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return // the next mount does it
		case <-again.C:
		}
		ctx, cancel := context.WithTimeout(tree.WithCaller(s.ctx, sv.caller), time.Minute)
		err := s.markUnpublished(ctx, sv)
		cancel()
		if err == nil || !isPassing(err) {
			return
		}
	}
}

func (s *Saves) markTar(ctx context.Context, sv *save, replaces bool) error {
	state, reason := sv.record.State, sv.record.Reason
	if replaces {
		have, err := s.cfg.Archive.AVUs(ctx, sv.coll)
		if err == nil {
			have = slices.DeleteFunc(have, func(a AVU) bool {
				return !strings.HasPrefix(a.Name, avuPrefix) && !strings.HasPrefix(a.Name, omeroPrefix)
			})
			err = s.states.replaceAll(ctx, sv.coll, have, sv.tarMarks)
		}
		if err != nil {
			sv.record.State, sv.record.Reason = StateFailed, "it could not be marked: "+err.Error()
			return err
		}
	}
	sv.state = state
	s.states.set(sv.coll, marksOf(sv.tarMarks))
	sv.tell(ctx, sv.coll, state, reason)
	s.cfg.Logger.Info("save of a tar ended", "object", sv.coll, "state", state, "reason", reason)
	return nil
}

// renamedTar makes a save of a tar that a program has renamed into its place.
// It stays there whatever it is, so one that differs is marked as failed.
func (s *Saves) renamedTar(ctx context.Context, w Written) error {
	w.Open, w.Replaces = func(ctx context.Context) (tree.Handle, error) { return s.cfg.Archive.Open(ctx, w.Path) }, true
	sv, state, reason, wrong := s.tarSave(ctx, w)
	if sv == nil {
		return wrong
	}
	if wrong != nil {
		state, reason = StateFailed, wrong.Error()
	}
	sv.tarMarks = sv.tarAVUs(state, reason)
	err := s.markTar(ctx, sv, true)
	s.cfg.Records.Put(sv.record)
	return errors.Join(wrong, err)
}

// objectMarks returns the marks that a data object has on the server now.
func (s *Saves) objectMarks(ctx context.Context, p string) (marks, error) {
	avus, err := s.cfg.Archive.AVUs(ctx, p)
	if errors.Is(err, tree.ErrNotFound) {
		return marks{}, nil
	}
	if err != nil {
		return marks{}, fmt.Errorf("read the marks of %s: %w", p, err)
	}
	m := marksOf(slices.DeleteFunc(avus, func(a AVU) bool { return !strings.HasPrefix(a.Name, avuPrefix) }))
	s.states.set(p, m)
	return m, nil
}

// mayReplace says whether the content of an existing data object may be
// changed.
func (s *Saves) mayReplace(p string, m marks) error {
	switch m.state {
	case StateFinished:
		return tree.Errorf(tree.ErrExists, "%s is a finished save, which is written once", p).
			WithAdvice("save under another name, or remove it first")
	case StateSaving:
		return s.free(p, m)
	}
	return nil
}

// recoverTar looks after the tar of a mount that was killed: one whose content
// was being replaced is judged by what it has now.
func (s *Saves) recoverTar(ctx context.Context, p string) error {
	m, err := s.objectMarks(ctx, p)
	if err != nil || m.writer == "" {
		return err
	}
	if m.state != StateSaving {
		return s.recoverEnded(ctx, p, m)
	}
	w := Written{Path: p, Open: func(ctx context.Context) (tree.Handle, error) { return s.cfg.Archive.Open(ctx, p) }, Replaces: true}
	h, err := w.Open(ctx)
	if err != nil {
		return err
	}
	sums := NewSums()
	err = copyHandle(ctx, sums, h)
	h.Release(ctx)
	if err != nil {
		return err
	}
	w.Size, w.SHA1, w.SHA256, w.Tar = sums.Size(), sums.SHA1(), sums.SHA256(), sums.Tar()
	sv, state, reason, err := s.tarSave(ctx, w)
	switch {
	case err != nil && !errors.Is(err, tree.ErrIO):
		return err
	case sv == nil: // it is another file by now
		return s.states.replaceAll(ctx, p, m.all, nil)
	case err != nil:
		state, reason = StateFailed, err.Error()
	}
	sv.tarMarks = sv.tarAVUs(state, reason)
	err = s.markTar(ctx, sv, true)
	s.cfg.Records.Put(sv.record)
	return err
}

// readTarDocument reads the transfer.xml that a tar begins with.
func (s *Saves) readTarDocument(ctx context.Context, p string) (*pack.Document, *pack.Manifest, error) {
	h, err := s.cfg.Archive.Open(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	defer h.Release(ctx)
	in := &handleReader{ctx: ctx, h: h}
	members := tar.NewReader(in)
	for {
		header, err := members.Next()
		if err != nil {
			return nil, nil, err
		}
		m, skip, err := tarMember(header)
		switch {
		case err != nil:
			return nil, nil, err
		case skip, m.kind == folderMember:
			continue
		case m.path != transferXML:
			return nil, nil, nil
		}
		// The reader stands at the content's first byte.
		return s.decode(ctx, tarSection{h, in.off, m.size}, p)
	}
}
