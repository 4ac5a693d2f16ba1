package transfer

import (
	"context"
	"crypto/md5" // one of the algorithms OMERO may use for its files
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

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
