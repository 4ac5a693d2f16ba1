package irodsd

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"omerods/internal/sandbox/irodsd/catalog"
)

// Dump describes everything at and below a path but ids and times, line by
// line: two runs that leave the same give the same lines. A replica whose data
// does not have the registered checksum has a line of its own.
func (s *Server) Dump(ctx context.Context, path string) ([]string, error) {
	var replicas []catalog.Replica
	var lines []string
	err := s.admin(ctx, "dump "+path, func(t *catalog.Tx, _ catalog.Actor) error {
		var err error
		replicas, lines, err = t.Dump(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range replicas {
		if sum, err := s.vault.sum(r.Path); r.Checksum != "" && (err != nil || sum != r.Checksum) {
			lines = append(lines, fmt.Sprintf("%s replica %d is damaged: %s %v", r.LogicalPath(), r.Number, sum, err))
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// Damage changes a byte in the data of an object's first replica, as a failing
// disk does: the catalogue does not know.
func (s *Server) Damage(ctx context.Context, path string, at int64) error {
	return s.admin(ctx, "damage "+path, func(t *catalog.Tx, _ catalog.Actor) error {
		reps, err := t.Object(path)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(reps[0].Path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, at); err != nil {
			return err
		}
		b[0] ^= 1
		_, err = f.WriteAt(b, at)
		return err
	})
}

// SetFull makes the storage of all resources full, so that no byte more can be
// written, or gives it room again.
func (s *Server) SetFull(on bool) { s.full.Store(on) }

// flipper changes the first byte that passes.
type flipper struct {
	r    io.Reader
	done bool
}

// Read implements io.Reader.
func (f *flipper) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if n > 0 && !f.done {
		p[0] ^= 1
		f.done = true
	}
	return n, err
}
