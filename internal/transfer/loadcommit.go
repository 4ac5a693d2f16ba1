package transfer

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// commit brings a load of which everything has arrived to its end, once.
func (l *Load) commit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.committing || l.state != StateLoading || l.failure != nil {
		return
	}
	l.committing = true
	l.of.wait.Add(1)
	go func() {
		defer l.of.wait.Done()
		l.uploads.Wait()
		l.mu.Lock()
		failed := l.failure != nil
		l.mu.Unlock()
		if failed {
			return // whoever noticed it cleans up
		}
		l.finish()
	}()
}

// finish makes the objects; it is the load's point of no return.
func (l *Load) finish() {
	dest, err := l.place.Destination(l.ctx)
	if err != nil {
		l.failed(err)
		return
	}
	// What Finish makes before the commit is found again although no file was
	// sent before.
	if err := l.of.cfg.Journal.Begin(l.id, l.caller.UID); err != nil {
		l.failed(err)
		return
	}
	made, certain, err := dest.Finish(l.ctx, l.finishSpec())
	switch {
	case err != nil && certain:
		l.failed(err)
		return
	case err != nil:
		l.mu.Lock()
		l.failure = tree.Errorf(tree.ErrIO, "it is not known whether %s was made: %w", l.key.name, err).
			WithAdvice("look in OMERO before you copy again; nothing was removed")
		l.freeAll()
		l.end(StateFailed)
		l.mu.Unlock()
		l.of.drop(l)
		l.stop()
		return
	}
	noted := l.of.cfg.Journal.Done
	if made.Marked {
		noted = l.of.cfg.Journal.Committed
	}
	if err := noted(l.id); err != nil {
		l.of.cfg.Logger.Warn("journal", "err", err)
	}
	if made.Marked {
		l.unmark()
	}
	if made.Note != "" {
		l.note(made.Note)
	}
	l.mu.Lock()
	l.record.Object = string(pack.NewID(made.Kind, made.ID))
	l.record.Reason = ""
	l.ended = l.of.cfg.Now()
	l.freeAll() // what programs that were cut off have left
	l.end(StateFinished)
	l.mu.Unlock()
	l.place.Changed(l.ctx)
	close(l.done)
	l.of.cfg.Logger.Info("loaded", "name", l.key.name, "object", l.record.Object)
}

// end sets the final state; the mutex is held. A failed load's waiters are
// released here, a finished one's when the place shows it.
func (l *Load) end(state State) {
	l.state = state
	l.record.State = state
	if l.failure != nil {
		l.record.Reason = l.failure.Error()
	}
	l.of.cfg.Records.Put(l.record)
	if state != StateFinished {
		close(l.done)
	}
}

func (l *Load) finishSpec() FinishSpec {
	l.mu.Lock()
	defer l.mu.Unlock()
	spec := FinishSpec{
		Load: l.id, Document: l.doc, Ours: l.ours, Kind: l.place.Kind(), TopName: l.name, From: l.from(), When: l.of.cfg.Now(),
		Images: map[pack.ID]int64{}, Filesets: map[pack.ID]int64{}, Files: maps.Clone(l.files),
	}
	for _, u := range l.units {
		if u.fileset != "" {
			spec.Filesets[u.fileset] = u.imported.Fileset
		}
		for i, id := range u.images {
			spec.Images[id] = u.imported.Images[i]
		}
	}
	if recorded := topName(l.doc); recorded != "" && l.place.ShownName(recorded) == l.name {
		spec.TopName = recorded
	}
	return spec
}

// from says where the pack was made.
func (l *Load) from() string {
	o := l.doc.Origin
	if o.Host == "" {
		return ""
	}
	return fmt.Sprintf("%s %s of %s", strings.ToLower(o.Object.Kind()), o.Object.Key(), o.Host)
}

func topName(doc *pack.Document) string {
	switch {
	case doc.Origin.Name != "":
		return doc.Origin.Name
	case len(doc.Projects) == 1:
		return doc.Projects[0].Name
	case len(doc.Screens) == 1:
		return doc.Screens[0].Name
	case len(doc.Projects) == 0 && len(doc.Datasets) == 1:
		return doc.Datasets[0].Name
	case len(doc.Screens) == 0 && len(doc.Plates) == 1:
		return doc.Plates[0].Name
	}
	return ""
}

// failed gives the load up from a goroutine of its own, because it is called
// from those that giveUp waits for. Nobody can commit any more once it returns.
func (l *Load) failed(err error) {
	if !l.fail(err) {
		return
	}
	l.of.wait.Add(1)
	go func() {
		defer l.of.wait.Done()
		l.giveUp(StateFailed, err)
	}()
}

// abort gives the load up and returns when that is done. A load whose objects
// are being made goes on, for nobody could say what was made by then; that, and
// that the load has ended already, is false.
func (l *Load) abort(state State, err error) bool {
	l.mu.Lock()
	if l.committing || l.failure != nil || l.state != StateLoading {
		l.mu.Unlock()
		return false
	}
	l.failure = err
	l.mu.Unlock()
	l.giveUp(state, err)
	return true
}

// cancel gives the load up because the caller has removed what is being
// written, unless its objects are being made.
func (l *Load) cancel(why error) error {
	if !l.abort(StateCanceled, why) && l.staged() {
		return tree.Errorf(tree.ErrBusy, "%s is being made in OMERO", l.key.name)
	}
	return nil
}

// fail notes the load's failure; false says that it has ended already.
func (l *Load) fail(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure != nil || l.state != StateLoading {
		return false
	}
	l.failure = err
	return true
}

// giveUp stops the uploads, removes what they made, and gives the error to
// waiting programs.
func (l *Load) giveUp(state State, err error) {
	l.stop()
	l.uploads.Wait()
	if l.tar != nil {
		l.tar.discard()
	}
	l.discard()
	l.mu.Lock()
	l.freeAll()
	l.end(state)
	l.mu.Unlock()
	l.of.drop(l)
	l.of.cfg.Logger.Info("load given up", "name", l.key.name, "state", state, "why", err)
}

// freeAll gives all room in the spool back; the mutex is held.
func (l *Load) freeAll() {
	for _, f := range l.written() {
		f.content.Free()
	}
	for _, w := range l.wanted {
		if w.first != nil { // it has no name any more
			w.first.content.Free()
		}
	}
}

// discard removes what the load has made in OMERO. What cannot be removed now
// is tried again for as long as the mount lives, and then at the next start.
func (l *Load) discard() {
	l.mu.Lock()
	filesets := slices.Clone(l.filesets)
	files := slices.Collect(maps.Values(l.files))
	l.mu.Unlock()
	l.untilDone("what a load that failed has left in OMERO", func() error { return l.discardNow(filesets, files) })
}

// unmark takes the mark off objects that are there.
func (l *Load) unmark() {
	l.untilDone("the marks on what has been loaded", func() error {
		ctx, cancel := l.background(2 * time.Minute)
		defer cancel()
		dest, err := l.place.Destination(ctx)
		if err != nil {
			return err
		}
		if err := dest.Unmark(ctx, l.id); err != nil {
			return err
		}
		return l.of.cfg.Journal.Done(l.id)
	})
}

// untilDone tries to remove something, again and again if need be.
func (l *Load) untilDone(what string, try func() error) {
	err := try()
	if err == nil {
		return
	}
	l.of.cfg.Logger.Error("removed later: "+what, "name", l.key.name, "err", err)
	l.of.wait.Add(1)
	go func() {
		defer l.of.wait.Done()
		tick := time.NewTicker(l.of.retry)
		defer tick.Stop()
		for err != nil {
			select {
			case <-l.of.ctx.Done():
				return
			case <-tick.C:
			}
			err = try()
		}
		l.of.cfg.Logger.Info("removed: "+what, "name", l.key.name)
	}()
}

func (l *Load) discardNow(filesets, files []int64) error {
	if l.of.cfg.Journal.Has(l.id) { // an answer that got lost may have named more
		ctx, cancel := l.background(2 * time.Minute)
		defer cancel()
		dest, err := l.place.Destination(ctx)
		if err != nil {
			return err
		}
		if err := dest.Discard(ctx, l.id, filesets, files); err != nil {
			return err
		}
	}
	if err := l.of.cfg.Journal.Done(l.id); err != nil {
		l.of.cfg.Logger.Warn("journal", "err", err)
	}
	return nil
}

// close ends the load with the mount. A commit that has begun is waited for
// until ctx ends, which breaks it off: then it leaves nothing, or it is not
// known what it has made, and that is left to the next start.
func (l *Load) close(ctx context.Context) {
	if !l.abort(StateFailed, tree.Errorf(tree.ErrIncomplete, "the mount was stopped before everything had arrived")) {
		select {
		case <-l.done:
		case <-ctx.Done():
			l.stop()
			<-l.done
		}
	}
	l.stop()
}

var _ io.ReaderAt = (*spoolFile)(nil)
