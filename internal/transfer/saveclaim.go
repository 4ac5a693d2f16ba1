package transfer

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// errTaken says that another save has the collection now.
var errTaken = errors.New("another save has taken it over")

// claim marks the collection as this save's, unless another live one has it.
func (sv *save) claim(ctx context.Context) error {
	s := sv.of
	have, err := s.states.fresh(ctx, sv.coll)
	if err != nil {
		return err
	}
	switch have.state {
	case StateFinished:
		return addsToFinished(sv.coll)
	case StateSaving:
		if err := s.free(sv.coll, have); err != nil {
			return err
		}
	}
	if err := s.states.mark(ctx, sv.coll, have, StateSaving, sv.marks("")); err != nil {
		return err
	}
	// Two that began at the same moment have both marked it; one gives way.
	now, err := s.states.fresh(ctx, sv.coll)
	if err != nil {
		return err
	}
	for _, a := range now.all {
		if a.Name == avuSave && a.Value < sv.id {
			return errors.Join(
				tree.Errorf(tree.ErrBusy, "another save of %s has begun at the same moment", sv.coll).WithAdvice("wait until it has ended"),
				s.cfg.Archive.ChangeAVUs(ctx, sv.coll, sv.onlyOurs(now.all), nil))
		}
	}
	return nil
}

// onlyOurs are those marks that no other save can have set.
func (sv *save) onlyOurs(all []AVU) []AVU {
	var out []AVU
	for _, a := range all {
		if a.Name == avuSave && a.Value == sv.id || a.Name == avuWriter && a.Value == sv.of.cfg.Archive.Instance() {
			out = append(out, a)
		}
	}
	return out
}

// beat renews the sign of life of a save that runs.
func (sv *save) beat(ctx context.Context) error {
	sv.marking.Lock()
	defer sv.marking.Unlock()
	sv.mu.Lock()
	coll, running := sv.coll, sv.state == StateSaving && !sv.closing
	sv.mu.Unlock()
	if !running {
		return nil // its end has other marks
	}
	return sv.markAlone(ctx, coll, StateSaving, sv.marks(""))
}

// mark sets the state of the collection, unless another save has it.
func (sv *save) mark(ctx context.Context, coll string, state State, more []AVU) error {
	sv.marking.Lock()
	defer sv.marking.Unlock()
	return sv.markAlone(ctx, coll, state, more)
}

func (sv *save) markAlone(ctx context.Context, coll string, state State, more []AVU) error {
	have, err := sv.of.states.fresh(ctx, coll)
	if err != nil {
		return err
	}
	if have.state == StateSaving && have.id != "" && have.id != sv.id {
		return errTaken
	}
	return sv.of.states.mark(ctx, coll, have, state, more)
}

// letGo takes the mount's own mark off an ended save: nothing is left to do
// about it.
func (s *Saves) letGo(ctx context.Context, p string, have marks) error {
	want := slices.DeleteFunc(slices.Clone(have.all), func(a AVU) bool { return a.Name == avuWriter })
	return s.states.replaceAll(ctx, p, have.all, want)
}

// Recover looks after the saves of a mount that was killed. Those that run are
// this mount's from now on: they are ended by what has arrived, and go on when
// more comes. OMERO is told of those that had ended.
func (s *Saves) Recover(ctx context.Context, instance string) error {
	s.mu.Lock()
	s.dead[instance] = true
	s.mu.Unlock()
	colls, objects, err := s.cfg.Archive.Marked(ctx, avuWriter, instance)
	if err != nil {
		return fmt.Errorf("look for saves of a killed mount: %w", err)
	}
	var failed error
	for _, coll := range colls {
		m, err := s.states.fresh(ctx, coll)
		switch {
		case err != nil:
		case m.state == StateSaving:
			err = s.recoverRunning(ctx, coll)
		default:
			err = s.recoverEnded(ctx, coll, m)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("recover the save %s: %w", coll, err))
		}
	}
	for _, p := range objects {
		if strings.HasPrefix(path.Base(p), ".omerods-") {
			continue // it never got its name, and goes with what is temporary
		}
		if err := s.recoverTar(ctx, p); err != nil {
			failed = errors.Join(failed, fmt.Errorf("recover the save %s: %w", p, err))
		}
	}
	return failed
}

const killedMount = "the mount that wrote it was killed or stopped"

func (s *Saves) recoverRunning(ctx context.Context, coll string) error {
	p := coll + "/" + transferXML
	info, err := s.cfg.Archive.Stat(ctx, p)
	if errors.Is(err, tree.ErrNotFound) {
		m, err := s.states.fresh(ctx, coll)
		if err != nil {
			return err
		}
		return s.recoverBarren(ctx, coll, m)
	}
	if err != nil {
		return err
	}
	if err := s.begin(ctx, Written{Path: p, Size: info.Size, SHA256: info.SHA256}); err != nil {
		return err
	}
	s.mu.Lock()
	sv := s.saves[coll]
	s.mu.Unlock()
	if sv == nil {
		return nil
	}
	s.wait.Go(func() { sv.judge(sv.ctx, killedMount) })
	return nil
}

// recoverBarren ends a save that has no transfer.xml: its marks alone say what
// it is of.
func (s *Saves) recoverBarren(ctx context.Context, coll string, m marks) error {
	reason := killedMount + ", and transfer.xml is missing. Copy the same again"
	caller, _ := tree.CallerFrom(ctx)
	kind, id := m.value("omerods::kind"), m.number("omerods::id")
	r := Record{
		ID: m.id, Direction: ToArchive, UID: caller.UID, Path: coll, State: StatePartial, Reason: reason,
		Object: fmt.Sprintf("%s:%d", kind, id), Name: m.value("omerods::name"), Started: s.cfg.Now(),
	}
	if s.cfg.Annotator != nil && id > 0 {
		rec := SaveRecord{
			Database: m.value("omerods::database"), Kind: kind, ID: id, Target: s.cfg.Archive.Name(ctx, coll),
			State: StatePartial, Reason: reason, When: s.cfg.Now(),
		}
		if s.cfg.By != nil {
			rec.By = s.cfg.By(ctx)
		}
		switch err := s.cfg.Annotator.AnnotateSave(ctx, rec); {
		case errors.Is(err, tree.ErrOffline):
			return err
		case err != nil:
			r.Note = "OMERO could not be told: " + err.Error()
		}
	}
	was := m.id
	m, err := s.states.fresh(ctx, coll)
	if err != nil || m.state != StateSaving || m.id != was {
		return err // somebody goes on with it
	}
	more := slices.DeleteFunc(slices.Clone(m.all), func(a AVU) bool {
		return slices.Contains([]string{avuState, avuWriter, avuHeartbeat, avuReason}, a.Name)
	})
	if err := s.states.mark(ctx, coll, m, StatePartial, append(more, AVU{Name: avuReason, Value: clip(reason, 1000)})); err != nil {
		return err
	}
	s.cfg.Records.Put(r)
	return nil
}

// readDocument reads the transfer.xml of a collection or of a tar.
func (s *Saves) readDocument(ctx context.Context, p string) (*pack.Document, *pack.Manifest, error) {
	info, err := s.cfg.Archive.Stat(ctx, p)
	if err == nil && !info.IsCollection {
		return s.readTarDocument(ctx, p)
	}
	return s.readTransferXML(ctx, p+"/"+transferXML)
}

func (s *Saves) recoverEnded(ctx context.Context, coll string, m marks) error {
	if m.state == StateFinished || m.state == StatePartial || m.state == StateFailed {
		doc, manifest, err := s.readDocument(ctx, coll)
		switch {
		case errors.Is(err, tree.ErrNotFound):
		case err != nil:
			return err
		case manifest != nil:
			caller, _ := tree.CallerFrom(ctx)
			sv := &save{of: s, id: m.id, caller: caller, doc: doc, coll: coll, state: m.state}
			sv.record = Record{
				ID: m.id, Direction: ToArchive, UID: caller.UID, Path: coll, State: m.state, Reason: m.value(avuReason),
				Object: string(doc.Origin.Object), Name: doc.Origin.Name, Started: s.cfg.Now(),
				Tar: isTarName(coll), Files: len(manifest.Files) + 1, FilesDone: int(m.number("omerods::files")), BytesDone: m.number("omerods::bytes"),
			}
			sv.record.Bytes = sv.record.BytesDone
			if err := sv.annotate(ctx, coll, m.state, sv.record.Reason); errors.Is(err, tree.ErrOffline) {
				return err
			}
			s.cfg.Records.Put(sv.record)
		}
	}
	return s.letGo(ctx, coll, m)
}
