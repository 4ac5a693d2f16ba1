package transfer

import (
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
		coll, running := sv.coll, sv.state == StateSaving && !sv.closing
		sv.mu.Unlock()
		if !running {
			continue
		}
		if silent >= takeoverAfter {
			sv.judge(sv.ctx, fmt.Sprintf("nothing was written for %s", takeoverAfter))
			continue
		}
		if err := sv.of.states.mark(sv.ctx, coll, StateSaving, sv.marks("")); err != nil && sv.ctx.Err() == nil {
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
// there, otherwise partial or failed.
func (sv *save) judge(ctx context.Context, why string) {
	sv.findUnseen(ctx)
	sv.mu.Lock()
	var bad error
	for _, e := range sv.expected {
		if e.problem != nil {
			bad = e.problem
		}
	}
	sv.mu.Unlock()
	names, n := sv.missingNames()
	switch {
	case bad != nil:
		sv.end(ctx, StateFailed, bad.Error())
	case n > 0:
		missing := "1 required file is"
		if n > 1 {
			missing = fmt.Sprintf("%d required files are", n)
		}
		reason := fmt.Sprintf("%s and %s missing: %s", why, missing, strings.Join(names, ", "))
		sv.end(ctx, StatePartial, reason+sv.whyNot(names))
	default:
		if err := sv.finish(ctx); err != nil {
			sv.of.cfg.Logger.Error("a save could not be finished", "collection", sv.collection(), "err", err)
		}
	}
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
func (sv *save) findUnseen(ctx context.Context) {
	sv.mu.Lock()
	coll := sv.coll
	var unseen []string
	for rel, e := range sv.expected {
		if !e.here {
			unseen = append(unseen, rel)
		}
	}
	sv.mu.Unlock()
	for _, rel := range unseen {
		p := path.Join(coll, rel)
		info, err := sv.of.cfg.Archive.Stat(ctx, p)
		if err != nil || info.IsCollection {
			continue
		}
		w := Written{Path: p, Size: info.Size, SHA256: info.SHA256}
		if sv.check(ctx, w) != nil {
			continue
		}
		sv.mu.Lock()
		if e := sv.expected[rel]; !e.here {
			e.here, e.written = true, w
			sv.missing--
			sv.record.FilesDone++
			sv.record.BytesDone += info.Size
		}
		sv.mu.Unlock()
	}
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

	err := sv.readBack(ctx)
	if err == nil {
		err = sv.sumsAgree(ctx)
	}
	if err != nil {
		var verdict *tree.Error
		if !errors.As(err, &verdict) || !errors.Is(err, tree.ErrIO) {
			// The server could not be asked; the save stays open for another try.
			sv.mu.Lock()
			sv.closing = false
			sv.mu.Unlock()
			return err
		}
		sv.end(ctx, StateFailed, err.Error())
		return err
	}
	if err := sv.describeImages(ctx, coll); err != nil {
		sv.mu.Lock()
		sv.closing = false
		sv.mu.Unlock()
		return fmt.Errorf("describe the images of %s: %w", coll, err)
	}
	return sv.end(ctx, StateFinished, "")
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
	h, err := sv.of.cfg.Archive.Open(ctx, p)
	if err != nil {
		return fmt.Errorf("read back %s: %w", p, err)
	}
	defer h.Release(ctx)
	if _, err := io.CopyBuffer(w, &handleReader{ctx: ctx, h: h}, make([]byte, 1<<20)); err != nil {
		return fmt.Errorf("read back %s: %w", p, err)
	}
	return nil
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
	coll := sv.coll
	sv.mu.Unlock()

	// The last word must not be lost because the copying program is gone.
	ctx, cancel := context.WithTimeout(tree.WithCaller(context.WithoutCancel(ctx), sv.caller), time.Minute)
	defer cancel()
	more := sv.marks(reason)
	if state == StateFinished {
		more = sv.finalAVUs()
	}
	if err := sv.of.states.mark(ctx, coll, state, more); err != nil {
		sv.mu.Lock()
		sv.closing = false
		sv.mu.Unlock()
		return err
	}
	sv.mu.Lock()
	sv.state = state
	sv.record.State, sv.record.Reason = state, reason
	sv.mu.Unlock()
	sv.annotate(ctx, coll, state, reason)
	sv.mu.Lock()
	r := sv.record
	sv.mu.Unlock()
	sv.of.cfg.Records.Put(r)
	sv.of.drop(coll, sv)
	sv.stop()
	sv.of.cfg.Logger.Info("save ended", "collection", coll, "state", state, "reason", reason)
	return nil
}

// annotate tells OMERO. A save does not fail for want of it.
func (sv *save) annotate(ctx context.Context, coll string, state State, reason string) {
	if sv.of.cfg.Annotator == nil {
		return
	}
	id, ok := sv.doc.Origin.Object.Number()
	if !ok {
		return
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
	if err := sv.of.cfg.Annotator.AnnotateSave(ctx, rec); err != nil {
		sv.of.cfg.Logger.Warn("OMERO does not know of a save", "collection", coll, "err", err)
		sv.mu.Lock()
		sv.record.Note = "OMERO could not be told: " + err.Error()
		sv.mu.Unlock()
	}
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
