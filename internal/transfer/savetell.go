package transfer

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"omerods/fs/tree"
)

// tell tells OMERO and lets go of the save. While OMERO is away it is tried
// again, by a later mount when this one ends; a refusal is final.
func (sv *save) tell(ctx context.Context, coll string, state State, reason string) {
	if err := sv.annotate(ctx, coll, state, reason); errors.Is(err, tree.ErrOffline) {
		sv.of.wait.Go(func() { sv.tellLater(coll, state, reason) })
		return
	}
	have, err := sv.marksNow(ctx, coll)
	if err == nil {
		err = sv.of.letGo(ctx, coll, have)
	}
	if err != nil {
		sv.of.cfg.Logger.Warn("a mark of this mount stays on an ended save", "collection", coll, "err", err)
	}
}

func (sv *save) marksNow(ctx context.Context, p string) (marks, error) {
	if sv.record.Tar {
		return sv.of.objectMarks(ctx, p)
	}
	return sv.of.states.fresh(ctx, p)
}

func (sv *save) tellLater(coll string, state State, reason string) {
	again := time.NewTicker(retryEvery)
	defer again.Stop()
	for {
		select {
		case <-sv.of.ctx.Done():
			return
		case <-again.C:
		}
		ctx, cancel := context.WithTimeout(tree.WithCaller(sv.of.ctx, sv.caller), time.Minute)
		have, err := sv.marksNow(ctx, coll)
		switch {
		case err == nil && have.id != sv.id: // it is another one by now
			cancel()
			return
		case err == nil:
			err = sv.annotate(ctx, coll, state, reason)
		}
		if !errors.Is(err, tree.ErrOffline) {
			err = sv.of.letGo(ctx, coll, have)
		}
		cancel()
		if err == nil {
			sv.publish()
			return
		}
	}
}

// annotate tells OMERO. A save does not fail for want of it.
func (sv *save) annotate(ctx context.Context, coll string, state State, reason string) error {
	if sv.of.cfg.Annotator == nil {
		return nil
	}
	id, ok := sv.doc.Origin.Object.Number()
	if !ok {
		return nil
	}
	group, _ := sv.doc.Origin.Group.Number()
	sv.mu.Lock()
	rec := SaveRecord{
		Database: sv.doc.Origin.Database, Kind: sv.doc.Origin.Object.Kind(), ID: id, Group: group,
		Target: sv.of.cfg.Archive.Name(ctx, coll), State: state, Reason: reason,
		Files: sv.record.FilesDone, Bytes: sv.record.BytesDone, LeftOut: len(sv.doc.LeftOut), When: sv.of.cfg.Now(),
	}
	sv.mu.Unlock()
	if sv.of.cfg.By != nil {
		rec.By = sv.of.cfg.By(ctx)
	}
	err := sv.of.cfg.Annotator.AnnotateSave(ctx, rec)
	note := ""
	if err != nil {
		sv.of.cfg.Logger.Warn("OMERO does not know of a save", "collection", coll, "err", err)
		note = "OMERO could not be told: " + err.Error()
		if errors.Is(err, tree.ErrOffline) {
			note += "; it is told when it answers again"
		}
	}
	sv.mu.Lock()
	sv.record.Note = note
	sv.mu.Unlock()
	return err
}

// Refused implements Guard: the folder that a save was to be made in could not
// be made. The object whose folder the program has just looked up says so.
func (s *Saves) Refused(ctx context.Context, p string, err error) {
	if s.cfg.Looked == nil || !slices.ContainsFunc([]error{tree.ErrDenied, tree.ErrBadName, tree.ErrNameTooLong, tree.ErrInvalid, tree.ErrQuota},
		func(class error) bool { return errors.Is(err, class) }) {
		return
	}
	if s.above(p) != nil {
		return // a folder of a save that runs, which says in the end what is missing
	}
	o, ok := s.cfg.Looked(ctx, path.Base(p))
	if !ok {
		return
	}
	caller, _ := tree.CallerFrom(ctx)
	reason := "the folder could not be made: " + err.Error()
	r := Record{
		ID: newID(), Direction: ToArchive, UID: caller.UID, Path: p, State: StateFailed, Reason: reason,
		Object: fmt.Sprintf("%s:%d", o.Kind, o.ID), Name: path.Base(p), Started: s.cfg.Now(),
	}
	s.cfg.Records.Put(r)
	if s.cfg.Annotator == nil {
		return
	}
	rec := SaveRecord{
		Kind: o.Kind, ID: o.ID, Group: o.Group, Target: s.cfg.Archive.Name(ctx, p), State: StateFailed, Reason: reason, When: s.cfg.Now(),
	}
	if s.cfg.By != nil {
		rec.By = s.cfg.By(ctx)
	}
	// The program need not wait for it.
	s.wait.Go(func() {
		ctx, cancel := context.WithTimeout(tree.WithCaller(context.WithoutCancel(ctx), caller), time.Minute)
		defer cancel()
		if err := s.cfg.Annotator.AnnotateSave(ctx, rec); err != nil {
			s.cfg.Logger.Warn("OMERO does not know of a refused save", "collection", p, "err", err)
			r.Note = "OMERO could not be told: " + err.Error()
			s.cfg.Records.Put(r)
		}
	})
}
