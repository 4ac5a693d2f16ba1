package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"omerods/fs/tree"
)

// watch keeps a save's sign of life fresh and gives up on one that has fallen
// silent though its writers live.
func (sv *save) watch() {
	defer sv.of.wait.Done()
	defer sv.writers.Close()
	beat, again := time.NewTicker(heartbeatEvery), time.NewTicker(retryEvery)
	defer beat.Stop()
	defer again.Stop()
	var came int64 // when it was looked at last
	for {
		select {
		case <-sv.ctx.Done():
			return
		case <-again.C:
			sv.mu.Lock()
			overdue := sv.state == StateSaving && sv.overdue && !sv.closing
			sv.mu.Unlock()
			if overdue && !sv.writers.Alive() {
				sv.judge(sv.ctx, "the program that copied has ended")
			}
			continue
		case <-beat.C:
		}
		done := sv.progress().done
		sv.mu.Lock()
		if done != came { // one large file may take long
			came, sv.lastSeen = done, sv.of.cfg.Now()
		}
		silent := sv.of.cfg.Now().Sub(sv.lastSeen)
		coll, running := sv.coll, sv.state == StateSaving && !sv.closing
		sv.mu.Unlock()
		if !running {
			continue
		}
		if silent >= takeoverAfter {
			sv.judge(sv.ctx, fmt.Sprintf("nothing was written for %s", takeoverAfter))
			continue
		}
		switch err := sv.beat(sv.ctx); {
		case errors.Is(err, errTaken):
			sv.forget(err.Error())
		case err != nil && sv.ctx.Err() == nil:
			sv.of.cfg.Logger.Warn("no sign of life for a save", "collection", coll, "err", err)
		}
	}
}

// writersEnded judges the save once nobody writes any more.
func (sv *save) writersEnded() {
	select {
	case <-sv.ctx.Done():
		return
	case <-time.After(quiet):
	}
	if !sv.writers.Alive() {
		sv.judge(sv.ctx, "the program that copied has ended")
	}
}

// judge ends a save that nobody continues: finished when all that matters is
// there, otherwise partial or failed. When the servers cannot be asked it is
// tried again with the next sign of life.
func (sv *save) judge(ctx context.Context, why string) {
	sv.mu.Lock()
	running := sv.state == StateSaving && !sv.closing
	sv.mu.Unlock()
	if !running {
		return
	}
	err := sv.judgement(ctx, why)
	switch {
	case err == nil, ctx.Err() != nil:
	case isPassing(err):
		sv.of.cfg.Logger.Warn("a save cannot be ended yet", "collection", sv.collection(), "err", err)
		sv.mu.Lock()
		sv.overdue = true
		sv.record.Note = "it could not be ended yet: " + err.Error()
		if sv.state == StateSaving {
			sv.of.cfg.Records.Put(sv.record)
		}
		sv.mu.Unlock()
	default:
		sv.giveUp(ctx, err)
	}
}

// isPassing says whether another try may find what this one did not.
func isPassing(err error) bool {
	return errors.Is(err, tree.ErrOffline) || errors.Is(err, tree.ErrInterrupted) || errors.Is(err, tree.ErrBusy)
}

// giveUp ends a save whose collection the archive does not let be marked any
// more. The collection goes on saying that it is being written; everybody
// else is told that it failed.
func (sv *save) giveUp(ctx context.Context, err error) {
	sv.mu.Lock()
	if sv.state != StateSaving {
		sv.mu.Unlock()
		return
	}
	sv.state = StateFailed
	sv.record.State, sv.record.Reason, sv.record.Note = StateFailed, "it could not be marked: "+err.Error(), ""
	coll, reason := sv.coll, sv.record.Reason
	sv.mu.Unlock()
	sv.of.cfg.Logger.Error("a save could not be ended", "collection", coll, "err", err)
	_ = sv.annotate(tree.WithCaller(ctx, sv.caller), coll, StateFailed, reason) // its error is in the record
	sv.publish()
	sv.of.drop(coll, sv)
	sv.stop()
}

func (sv *save) judgement(ctx context.Context, why string) error {
	sv.mu.Lock()
	before := sv.changes
	sv.mu.Unlock()
	if err := sv.findUnseen(ctx); err != nil {
		return err
	}
	sv.mu.Lock()
	if sv.changes != before || sv.closing {
		sv.mu.Unlock()
		return nil // who brings a file now is followed, and judged when it ends
	}
	var bad error
	for _, e := range sv.expected {
		if e.problem != nil && !e.here { // else what is here is an earlier, right one
			bad = e.problem
		}
	}
	sv.mu.Unlock()
	names, n := sv.missingNames()
	sv.mu.Lock()
	optional := sv.missing - n
	sv.mu.Unlock()
	switch {
	case bad != nil:
		return sv.endJudged(ctx, before, StateFailed, bad.Error())
	case n == 0 && optional > 0 && why == killedMount:
		// The program was cut off as well, and would have brought them.
		return sv.endJudged(ctx, before, StatePartial, fmt.Sprintf("%s; all originals are there, %d generated files are missing. Copy the same again: it goes on with what is there", why, optional))
	case n > 0:
		missing := "1 required file is"
		if n > 1 {
			missing = fmt.Sprintf("%d required files are", n)
		}
		reason := fmt.Sprintf("%s and %s missing: %s", why, missing, strings.Join(names, ", "))
		return sv.endJudged(ctx, before, StatePartial, reason+sv.whyNot(names)+". Copy the same again: it goes on with what is there")
	}
	err := sv.finish(ctx)
	switch {
	case err == nil, isPassing(err), ctx.Err() != nil:
		return err
	}
	return sv.end(ctx, StateFailed, err.Error())
}

// whyNot tells why the first of some missing files could not be read, where
// that is known.
func (sv *save) whyNot(names []string) string {
	if sv.of.cfg.WhyNot == nil {
		return ""
	}
	sv.mu.Lock()
	// A program may have tried before it brought the transfer.xml.
	since := sv.record.Started.Add(-takeoverAfter)
	sv.mu.Unlock()
	for _, rel := range names {
		if why := sv.of.cfg.WhyNot(sv.caller.UID, since, rel); why != "" {
			if len(names) == 1 {
				return ", which could not be read: " + why
			}
			return "; " + rel + " could not be read: " + why
		}
	}
	return ""
}

// findUnseen looks in the archive for files of the manifest that no program
// brought this time, because an earlier run had.
func (sv *save) findUnseen(ctx context.Context) error {
	sv.mu.Lock()
	coll, missing := sv.coll, sv.missing
	sv.mu.Unlock()
	if missing == 0 {
		return nil
	}
	there, err := sv.of.cfg.Archive.Below(ctx, coll)
	if err != nil {
		return err
	}
	sv.mu.Lock()
	defer sv.mu.Unlock()
	for rel, e := range sv.expected {
		p := path.Join(coll, rel)
		info, ok := there[p]
		if e.here || !ok {
			continue
		}
		w := Written{Path: p, Size: info.Size, SHA256: info.SHA256}
		if recent, ok := sv.of.recent.get(p); ok && recent.Size == w.Size && bytes.Equal(recent.SHA256, w.SHA256) {
			w = recent
		}
		if differs(e.File, w) != nil {
			continue
		}
		e.here, e.written = true, w
		sv.missing--
		sv.record.FilesDone++
		sv.record.BytesDone += info.Size
	}
	return nil
}

// finish verifies what was not verified in passing, marks the save as finished
// and tells OMERO. Only one caller does it; others get nil while it works.
func (sv *save) finish(ctx context.Context) error {
	sv.mu.Lock()
	if sv.closing || sv.state != StateSaving {
		sv.mu.Unlock()
		return nil
	}
	sv.closing = true
	coll := sv.coll
	sv.mu.Unlock()

	err := sv.verify(ctx)
	if err == nil {
		if err = sv.describeImages(ctx, coll); err != nil {
			err = fmt.Errorf("describe the images of %s: %w", coll, err)
		}
	}
	if err == nil {
		return sv.end(ctx, StateFinished, "")
	}
	var verdict *tree.Error
	if errors.As(err, &verdict) && errors.Is(err, tree.ErrIO) {
		return errors.Join(err, sv.end(ctx, StateFailed, err.Error()))
	}
	// The server could not be asked; the save stays open for another try.
	sv.reopen()
	return err
}

func (sv *save) reopen() {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	sv.closing, sv.sealed = false, false
}

// endJudged ends the save as end does, unless a file has come since the verdict
// was found, or somebody else is ending it.
func (sv *save) endJudged(ctx context.Context, changes int, state State, reason string) error {
	sv.mu.Lock()
	overtaken := sv.changes != changes || sv.closing || sv.state != StateSaving
	sv.closing = sv.closing || !overtaken
	sv.mu.Unlock()
	if overtaken {
		return nil
	}
	return sv.endAt(ctx, changes, state, reason)
}

// end marks the save with its final state, tells OMERO, and lets go of it.
func (sv *save) end(ctx context.Context, state State, reason string) error {
	sv.mu.Lock()
	changes := sv.changes
	sv.mu.Unlock()
	return sv.endAt(ctx, changes, state, reason)
}

// endAt ends the save as it was after that many changes. When more have come
// by the end, one that is not finished is taken up again.
func (sv *save) endAt(ctx context.Context, changes int, state State, reason string) error {
	sv.mu.Lock()
	if sv.state != StateSaving {
		sv.mu.Unlock()
		return nil
	}
	sv.closing = true
	coll := sv.coll
	sv.mu.Unlock()

	// The last word must not be lost because the copying program is gone.
	ctx, cancel := context.WithTimeout(tree.WithCaller(context.WithoutCancel(ctx), sv.caller), time.Minute)
	defer cancel()
	more := sv.marks(reason)
	if state == StateFinished {
		more = sv.finalAVUs()
	}
	err := sv.mark(ctx, coll, state, more)
	if errors.Is(err, errTaken) {
		sv.forget(err.Error())
		return tree.Errorf(tree.ErrBusy, "%s: %w", coll, err).WithAdvice("wait until that save has ended")
	}
	if err != nil {
		sv.reopen()
		return err
	}
	sv.mu.Lock()
	sv.state = state
	sv.record.State, sv.record.Reason, sv.record.Note = state, reason, ""
	sv.endedAt = sv.of.cfg.Now()
	sv.mu.Unlock()
	sv.tell(ctx, coll, state, reason)
	sv.publish()
	sv.of.drop(coll, sv)
	sv.mu.Lock()
	sv.dropped = true
	went := sv.changes != changes
	sv.mu.Unlock()
	sv.stop()
	sv.of.cfg.Logger.Info("save ended", "collection", coll, "state", state, "reason", reason)
	switch {
	case state == StateFinished:
		sv.of.keepEnded(coll, sv)
	case went:
		return sv.of.takeUp(ctx, coll) // a file has arrived meanwhile
	}
	return nil
}
