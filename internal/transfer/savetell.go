package transfer

import (
	"context"
	"errors"
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
			sv.mu.Lock()
			r := sv.record
			sv.mu.Unlock()
			sv.of.cfg.Records.Put(r)
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
