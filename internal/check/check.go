// Package check verifies packs: folders, tars and zips, of ours and of
// omero-cli-transfer. It reads every byte at most once, writes nothing, and
// trusts nothing that it reads.
package check

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Options say how a pack is checked.
type Options struct {
	// Progress is told, every now and then, how far the check is; nil for nobody.
	Progress func(Progress)

	mostKept int // for tests; 0 means [mostKept]
}

// Progress is how far a check has come.
type Progress struct {
	Bytes int64  // read so far
	Total int64  // to read, 0 when that is not known
	Path  string // what is being read
	Done  bool   // the check has ended
}

// errStop ends a check: what follows cannot be read.
var errStop = errors.New("the rest cannot be read")

// Pack checks the pack at a path of the local filesystem, which may be that of
// a mount. What is wrong with the pack is in the report; an error says that the
// check itself was ended.
func Pack(ctx context.Context, path string, opts Options) (*Report, error) {
	r := &Report{Pack: path}
	c := newChecker(ctx, r, opts)
	src, err := open(path, r)
	if err != nil {
		r.fail("", reason(err))
		r.finish()
		return r, nil
	}
	c.total = src.size()
	err = src.each(ctx, c.visit)
	c.progress(true)
	if err := errors.Join(context.Cause(ctx), src.close()); err != nil {
		return nil, fmt.Errorf("check %s: %w", path, err)
	}
	var damage *damageError
	switch {
	case errors.As(err, &damage):
		r.problem(damage.place, "the archive is cut off or damaged here: %v", damage.err)
	case err != nil && !errors.Is(err, errStop):
		r.fail("", reason(err))
	}
	c.finish()
	r.finish()
	return r, nil
}

// reason is an error without the path that the caller knows.
func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
