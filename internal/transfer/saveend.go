package transfer

import (
	"bytes"
	"context"
	"crypto/md5" // one of the algorithms OMERO may use for its files
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// watch keeps a save's sign of life fresh and gives up on one that has fallen
// silent though its writers live.
func (sv *save) watch() {
	defer sv.of.wait.Done()
	defer sv.writers.Close()
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	for {
		select {
		case <-sv.ctx.Done():
			return
		case <-beat.C:
		}
		sv.mu.Lock()
		silent := sv.of.cfg.Now().Sub(sv.lastSeen)
		coll, running, overdue := sv.coll, sv.state == StateSaving, sv.overdue && !sv.closing
		sv.mu.Unlock()
		if !running {
			continue
		}
		if overdue && !sv.writers.Alive() {
			sv.judge(sv.ctx, "the program that copied has ended")
			continue
		}
		if silent >= takeoverAfter {
			sv.judge(sv.ctx, fmt.Sprintf("nothing was written for %s", takeoverAfter))
			continue
		}
		switch err := sv.mark(sv.ctx, coll, StateSaving, sv.marks("")); {
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
	if err := sv.judgement(ctx, why); err != nil && ctx.Err() == nil {
		sv.of.cfg.Logger.Error("a save could not be ended", "collection", sv.collection(), "err", err)
		sv.mu.Lock()
		sv.overdue = true
		sv.record.Note = "it could not be ended yet: " + err.Error()
		r, running := sv.record, sv.state == StateSaving
		sv.mu.Unlock()
		if running {
			sv.of.cfg.Records.Put(r)
		}
	}
}

func (sv *save) judgement(ctx context.Context, why string) error {
	if err := sv.findUnseen(ctx); err != nil {
		return err
	}
	sv.mu.Lock()
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
		return sv.end(ctx, StateFailed, bad.Error())
	case n == 0 && optional > 0 && why == killedMount:
		// The program was cut off as well, and would have brought them.
		return sv.end(ctx, StatePartial, fmt.Sprintf("%s; all originals are there, %d generated files are missing. Copy the same again: it goes on with what is there", why, optional))
	case n > 0:
		missing := "1 required file is"
		if n > 1 {
			missing = fmt.Sprintf("%d required files are", n)
		}
		reason := fmt.Sprintf("%s and %s missing: %s", why, missing, strings.Join(names, ", "))
		return sv.end(ctx, StatePartial, reason+sv.whyNot(names)+". Copy the same again: it goes on with what is there")
	}
	err := sv.finish(ctx)
	switch {
	case err == nil, errors.Is(err, tree.ErrOffline), errors.Is(err, tree.ErrInterrupted), errors.Is(err, tree.ErrBusy), ctx.Err() != nil:
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

// verify checks what was not checked in passing. When it succeeds nothing is
// changed any more until the save has ended.
func (sv *save) verify(ctx context.Context) error {
	for {
		sv.mu.Lock()
		before := sv.changes
		sv.mu.Unlock()
		if err := sv.readBack(ctx); err != nil {
			return err
		}
		if err := sv.sumsAgree(ctx); err != nil {
			return err
		}
		_, missing := sv.missingNames()
		sv.mu.Lock()
		same := sv.changes == before
		sv.sealed = same && missing == 0
		sv.mu.Unlock()
		switch {
		case missing > 0:
			return tree.Errorf(tree.ErrBusy, "%s was changed while it was verified", sv.collection())
		case same:
			return nil
		}
	}
}

// readBack reads files whose hash could not be compared while they came.
func (sv *save) readBack(ctx context.Context) error {
	sv.mu.Lock()
	var todo []*expected
	for _, e := range sv.expected {
		compared := e.Hash == "" || (e.Algorithm == pack.SHA1 && len(e.written.SHA1) > 0)
		if e.here && !compared && newHash(e.Algorithm) != nil {
			todo = append(todo, e)
		}
	}
	sv.mu.Unlock()
	for _, e := range todo {
		h := newHash(e.Algorithm)
		if err := sv.readInto(ctx, h, e.written.Path); err != nil {
			return err
		}
		if got := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(got, e.Hash) {
			return tree.Errorf(tree.ErrIO, "%s has the %s sum %s, OMERO registered %s", e.written.Path, e.Algorithm, got, e.Hash)
		}
	}
	return nil
}

func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case pack.SHA1:
		return sha1.New()
	case "MD5-128":
		return md5.New()
	}
	return nil
}

func (sv *save) readInto(ctx context.Context, w io.Writer, p string) error {
	h, err := sv.open(ctx, p)
	if err != nil {
		return fmt.Errorf("read back %s: %w", p, err)
	}
	defer h.Release(ctx)
	if err := copyHandle(ctx, w, h); err != nil {
		return fmt.Errorf("read back %s: %w", p, err)
	}
	return nil
}

// open opens a file of the save, or the member of the tar.
func (sv *save) open(ctx context.Context, p string) (tree.Handle, error) {
	if sv.content == nil {
		return sv.of.cfg.Archive.Open(ctx, p)
	}
	m, ok := sv.members[p]
	if !ok {
		return nil, tree.ErrNotFound
	}
	return unowned{tarSection{sv.content, m.Off, m.Size}}, nil
}

// unowned is a handle that somebody else releases.
type unowned struct{ tree.Handle }

// Release implements tree.Handle.
func (unowned) Release(context.Context) {}

func copyHandle(ctx context.Context, w io.Writer, h tree.Handle) error {
	_, err := io.CopyBuffer(w, &handleReader{ctx: ctx, h: h}, make([]byte, 1<<20))
	return err
}

// sumsAgree checks the generated files against each other: a pack that changed
// in OMERO between two of them is not one pack.
func (sv *save) sumsAgree(ctx context.Context) error {
	sv.mu.Lock()
	coll := sv.coll
	e := sv.expected[pack.SumsFile]
	here := e != nil && e.here
	sv.mu.Unlock()
	if !here {
		return nil
	}
	var text strings.Builder
	if err := sv.readInto(ctx, &text, path.Join(coll, pack.SumsFile)); err != nil {
		return err
	}
	sums, err := pack.ReadSums(strings.NewReader(text.String()))
	if err != nil {
		return tree.Errorf(tree.ErrIO, "%s: %w", path.Join(coll, pack.SumsFile), err)
	}
	for _, s := range sums {
		got, err := sv.sumOf(ctx, coll, s.Path)
		if err != nil {
			return err
		}
		if got != "" && got != s.SHA1 {
			return tree.Errorf(tree.ErrIO, "changed while copying: %s is not the one that SHA1SUMS lists", s.Path).
				WithAdvice("copy the folder again")
		}
	}
	return nil
}

// sumOf returns the SHA-1 of a file of the pack as known from its copying, ""
// for one that is not there. Only generated files are read back: others have
// been compared with OMERO's hash.
func (sv *save) sumOf(ctx context.Context, coll, rel string) (string, error) {
	sv.mu.Lock()
	e := sv.expected[rel]
	var w Written
	switch {
	case e != nil && e.here:
		w = e.written
	case rel == transferXML:
		w.Path = path.Join(coll, rel)
	}
	sv.mu.Unlock()
	if w.Path == "" {
		return "", nil
	}
	if len(w.SHA1) == 0 {
		if recent, ok := sv.of.recent.get(w.Path); ok {
			w = recent
		}
	}
	if len(w.SHA1) > 0 {
		return hex.EncodeToString(w.SHA1), nil
	}
	if e != nil && e.Kind != pack.Generated {
		return "", nil
	}
	h := sha1.New()
	if err := sv.readInto(ctx, h, w.Path); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// end marks the save with its final state, tells OMERO, and lets go of it.
func (sv *save) end(ctx context.Context, state State, reason string) error {
	sv.mu.Lock()
	if sv.state != StateSaving {
		sv.mu.Unlock()
		return nil
	}
	sv.closing = true
	coll, changes := sv.coll, sv.changes
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
	sv.mu.Lock()
	r, went := sv.record, sv.changes != changes
	sv.mu.Unlock()
	sv.of.cfg.Records.Put(r)
	sv.of.drop(coll, sv)
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
	again := time.NewTicker(heartbeatEvery)
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

// handleReader reads a handle from its start to its end.
type handleReader struct {
	ctx context.Context
	h   tree.Handle
	off int64
}

// handleError is an error of the server, told apart from those of a parser.
type handleError struct{ err error }

func (e *handleError) Error() string { return e.err.Error() }
func (e *handleError) Unwrap() error { return e.err }

func (r *handleReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.h.ReadAt(r.ctx, p, r.off)
	r.off += int64(n)
	if err != nil && err != io.EOF {
		return n, &handleError{err}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
