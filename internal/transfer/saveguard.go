package transfer

import (
	"context"
	"errors"
	"maps"
	"path"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// mayChange decides whether something may be made or changed at p.
func (s *Saves) mayChange(ctx context.Context, p string, exists bool) error {
	coll, m, err := s.marked(ctx, path.Dir(p))
	if err != nil || coll == "" {
		return err
	}
	switch m.state {
	case StateFinished:
		if s.late(ctx, p) != nil {
			return nil
		}
		if exists {
			return tree.Errorf(tree.ErrExists, "%s belongs to the finished save %s, which is written once", p, coll).
				WithAdvice("save under another name, or remove %s first", coll)
		}
		return addsToFinished(coll)
	case StateSaving:
		return s.free(coll, m)
	}
	return nil
}

// late finds the save that finished a moment ago without a generated file,
// which its writer brings now.
func (s *Saves) late(ctx context.Context, p string) *save {
	caller, _ := tree.CallerFrom(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for dir := path.Dir(p); dir != "/" && dir != "."; dir = path.Dir(dir) {
		sv := s.ended[dir]
		if sv == nil || sv.caller.UID != caller.UID {
			continue
		}
		sv.mu.Lock()
		e := sv.expect(p)
		ok := e != nil && !e.here && e.Kind == pack.Generated
		sv.mu.Unlock()
		if ok {
			return sv
		}
	}
	return nil
}

// keepEnded remembers a finished save for as long as its writer may bring
// what it did not need.
func (s *Saves) keepEnded(coll string, sv *save) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	maps.DeleteFunc(s.ended, func(_ string, old *save) bool { return now.Sub(old.endedAt) > takeoverAfter })
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if sv.missing > 0 {
		s.ended[coll] = sv
	}
}

func addsToFinished(coll string) error {
	return tree.Errorf(tree.ErrNotPermitted, "%s is a finished save; nothing is added to it", coll).
		WithAdvice("save under another name, or remove %s first", coll)
}

// free says whether a save that is marked as running may be gone on with: it
// is one of this mount, its mount is known to be dead, or it is silent.
func (s *Saves) free(coll string, m marks) error {
	s.mu.Lock()
	own, dead := false, s.dead[m.writer]
	if sv := s.saves[coll]; sv != nil { // unless another one has taken it over
		own = m.id == "" || sv.id == m.id
	}
	s.mu.Unlock()
	if own || dead || m.writer != "" && m.writer == s.cfg.Archive.Instance() || s.cfg.Now().Sub(m.heartbeat) >= takeoverAfter || s.cfg.Archive.Dead(m.writer) {
		return nil
	}
	return tree.Errorf(tree.ErrBusy, "another save is writing %s (last sign of life %s)",
		coll, m.heartbeat.UTC().Format(time.RFC3339)).
		WithAdvice("wait until it has ended; it is taken over after %s of silence", takeoverAfter)
}

// BeforeMkdir implements Guard.
func (s *Saves) BeforeMkdir(ctx context.Context, p string) error {
	return s.mayChange(ctx, p, false)
}

// BeforeCreate implements Guard.
func (s *Saves) BeforeCreate(ctx context.Context, p string) error {
	if sv := s.above(p); sv != nil {
		sv.saw(ctx)
	}
	return s.mayChange(ctx, p, false)
}

// BeforeWrite implements Guard.
func (s *Saves) BeforeWrite(ctx context.Context, p string) error {
	if sv := s.above(p); sv != nil {
		sv.saw(ctx)
	}
	if err := s.mayChange(ctx, p, true); err != nil || !isTarName(p) {
		return err
	}
	m, err := s.objectMarks(ctx, p)
	if err != nil {
		return err
	}
	return s.mayReplace(p, m)
}

// BeforeRemove implements Guard: what is taken apart is not finished any more.
func (s *Saves) BeforeRemove(ctx context.Context, p string) error {
	coll, m, err := s.marked(ctx, p)
	if err != nil || coll == "" || m.state != StateFinished {
		return err
	}
	if m, err = s.states.fresh(ctx, coll); err != nil || m.state != StateFinished {
		return err
	}
	s.mu.Lock()
	delete(s.ended, coll)
	s.mu.Unlock()
	return s.states.mark(ctx, coll, m, StateRemoving, nil)
}

// BeforeRename implements Guard. A file that is renamed into a save is checked
// as if it were written there.
func (s *Saves) BeforeRename(ctx context.Context, from, to string, replaces bool) error {
	coll, m, err := s.marked(ctx, path.Dir(from))
	if err != nil {
		return err
	}
	if coll != "" && m.state == StateFinished {
		return tree.Errorf(tree.ErrNotPermitted, "%s belongs to the finished save %s, which is written once", from, coll).
			WithAdvice("the whole of %s may be renamed or removed", coll)
	}
	if coll != "" && m.state == StateSaving {
		if err := s.free(coll, m); err != nil {
			return err
		}
	}
	if err := s.mayChange(ctx, to, replaces); err != nil {
		return err
	}
	if sv := s.above(to); sv != nil {
		sv.saw(ctx)
		if w, ok := s.recent.get(from); ok {
			w.Path = to
			return sv.check(ctx, w)
		}
	}
	if replaces && isTarName(to) {
		m, err := s.objectMarks(ctx, to)
		if err != nil {
			return err
		}
		return s.mayReplace(to, m)
	}
	return nil
}

// Made implements Guard.
func (s *Saves) Made(ctx context.Context, p string) error {
	s.states.set(p, marks{}) // a new collection has no metadata
	if sv := s.above(p); sv != nil {
		sv.saw(ctx)
	}
	return nil
}

// Renamed implements Guard. A whole save keeps what it is under its new name; a
// file that became part of one has arrived.
func (s *Saves) Renamed(ctx context.Context, from, to string) error {
	s.states.forget(from)
	s.states.forget(to)
	w, ok := s.recent.get(from)
	w.Path = to
	s.recent.move(from, to)
	s.mu.Lock()
	delete(s.ended, from)
	for coll, sv := range s.saves {
		if rest, ok := strings.CutPrefix(coll+"/", from+"/"); ok {
			delete(s.saves, coll)
			moved := strings.TrimSuffix(to+"/"+rest, "/")
			s.saves[moved] = sv
			sv.moved(moved)
		}
	}
	s.mu.Unlock()
	if sv := s.above(from); sv != nil {
		sv.removed(from)
	}
	if !ok {
		// Nobody knows the sums of what replaces a file that was here.
		if sv := s.above(to); sv != nil {
			sv.removed(to)
		}
		return nil
	}
	if w.Tar != nil && !isTarName(from) {
		return s.renamedTar(ctx, w)
	}
	return s.arrived(ctx, w)
}

// Removed implements Guard.
func (s *Saves) Removed(ctx context.Context, p string) {
	s.states.forget(p)
	s.recent.drop(p)
	s.mu.Lock()
	delete(s.ended, p)
	sv := s.saves[p]
	s.mu.Unlock()
	if sv != nil {
		sv.forget("the collection was removed")
		return
	}
	if sv := s.above(p); sv != nil {
		sv.removed(p)
	}
}

// BeforePublish implements Guard: a file that differs from what the pack says
// it is never becomes visible.
func (s *Saves) BeforePublish(ctx context.Context, w Written) ([]AVU, error) {
	if w.Tar != nil {
		if avus, err := s.beforeTar(ctx, w); avus != nil || err != nil {
			return avus, err
		}
	}
	if err := s.beforePublish(ctx, w); err != nil || path.Base(w.Path) != transferXML {
		return nil, err
	}
	if part, err := s.isPart(ctx, w.Path); part || err != nil {
		return nil, err
	}
	return nil, s.announce(ctx, w)
}

// isPart tells whether a transfer.xml is that of a pack inside of a save, which
// runs, or has ended early and goes on with it.
func (s *Saves) isPart(ctx context.Context, p string) (bool, error) {
	if sv := s.above(p); sv != nil {
		return sv.collection() != path.Dir(p), nil
	}
	coll, m, err := s.marked(ctx, path.Dir(p))
	return coll != "" && coll != path.Dir(p) && m.state != StateFinished, err
}

func (s *Saves) beforePublish(ctx context.Context, w Written) error {
	sv := s.above(w.Path)
	if sv == nil {
		// It was opened for writing before the save ended.
		if err := s.mayChange(ctx, w.Path, false); err != nil {
			return err
		}
		if sv = s.late(ctx, w.Path); sv == nil {
			return nil
		}
		return sv.check(ctx, w)
	}
	sv.saw(ctx)
	if sv.isSealed() {
		return addsToFinished(sv.collection())
	}
	return sv.check(ctx, w)
}

// Published implements Guard. It returns only after a save that this file
// completes has been verified and marked.
func (s *Saves) Published(ctx context.Context, w Written) error {
	w.writer = processOf(ctx)
	s.recent.add(w)
	if w.Tar != nil {
		if err := s.publishedTar(ctx, w); err != nil {
			return err
		}
	}
	return s.arrived(ctx, w)
}

func second(_ bool, err error) error { return err }

// arrived notes a file that is in place.
func (s *Saves) arrived(ctx context.Context, w Written) error {
	sv := s.above(w.Path)
	if late := s.late(ctx, w.Path); sv == nil && late != nil {
		return late.arrivedLate(ctx, w)
	}
	if sv != nil && w.Path == path.Join(sv.collection(), transferXML) {
		if err := sv.gather(ctx); err != nil {
			return errors.Join(err, second(sv.arrived(ctx, w)))
		}
	}
	if sv != nil {
		switch known, err := sv.arrived(ctx, w); {
		case errors.Is(err, errDropped):
			sv = nil
		case known || err != nil:
			return err
		}
	}
	isTransferXML := path.Base(w.Path) == transferXML
	part := false
	if isTransferXML {
		var err error
		if part, err = s.isPart(ctx, w.Path); err != nil {
			return err
		}
	}
	if sv == nil && (part || !isTransferXML) {
		if err := s.resume(ctx, w); err != nil {
			return err
		}
		if again := s.above(w.Path); again != nil {
			_, err := again.arrived(ctx, w)
			if errors.Is(err, errDropped) {
				err = nil // it has just been judged with this file
			}
			return err
		}
	}
	if isTransferXML {
		return s.begin(ctx, w)
	}
	return nil
}
