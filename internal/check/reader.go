package check

import (
	"compress/flate"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
)

// reader reads a file of the pack, tells how far the check is, and ends with
// the check.
type reader struct {
	c   *checker
	r   io.Reader
	n   int64
	err error // of the file, but for its end
}

func (r *reader) Read(p []byte) (int, error) {
	if err := context.Cause(r.c.ctx); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	r.n += int64(n)
	r.c.read += int64(n)
	r.c.progress(false)
	return n, err
}

func (c *checker) progress(done bool) {
	if c.opts.Progress != nil {
		c.opts.Progress(Progress{Bytes: c.read, Total: c.total, Path: c.now, Done: done})
	}
}

// isCorrupt says whether compressed data is damaged.
func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt)
}

func mapKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
