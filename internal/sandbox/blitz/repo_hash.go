package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// algorithms returns the rows of checksum algorithms in the order given.
func algorithms(tx *store.Tx, names []string) []*store.Row {
	c := tx.Model().Class("ChecksumAlgorithm")
	var rows []*store.Row
	for _, name := range names {
		if row := tx.Get(c, tx.Enum("ChecksumAlgorithm", name)); row != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

func (r *repo) listAlgorithms(_ context.Context, c *Call) ([]any, error) {
	return c.rows(func(tx *store.Tx, _ *Caller) ([]*store.Row, error) {
		return algorithms(tx, repository.Algorithms()), nil
	})
}

// algorithmName is what an algorithm is called that a client sent. Only its
// value is looked at, or its id when it is a reference.
func (r *repo) algorithmName(o *ice.Object) string {
	if o == nil || !o.IsA("::omero::model::ChecksumAlgorithm") {
		return ""
	}
	if name, ok := unbox(o.Get("value")).(string); ok {
		return name
	}
	if id, ok := unbox(o.Get("id")).(int64); ok {
		if row := r.srv.store.Get("ChecksumAlgorithm", id); row != nil {
			return row.Text("value")
		}
	}
	return ""
}

// suggestAlgorithm returns the first of the server's algorithms that the
// client knows, nil for none.
func (r *repo) suggestAlgorithm(_ context.Context, c *Call) ([]any, error) {
	var theirs []string
	for _, v := range Arg[[]any](c, 0) {
		o, _ := v.(*ice.Object)
		theirs = append(theirs, r.algorithmName(o))
	}
	return c.row(func(tx *store.Tx, _ *Caller) (*store.Row, error) {
		for _, name := range repository.Algorithms() {
			if slices.Contains(theirs, name) {
				return algorithms(tx, []string{name})[0], nil
			}
		}
		return nil, nil
	})
}

// readableFiles checks that the caller can see files, and change them when
// edit is true.
func (c *Call) readableFiles(ids []int64, edit bool) (*Caller, error) {
	var out *Caller
	err := c.View(func(tx *store.Tx, who *Caller) error {
		out = who
		for _, id := range ids {
			row := tx.Get(tx.Model().Class("OriginalFile"), id)
			if row == nil || !who.CanRead(tx, row) {
				return Fail(Validation, "no file %d", id)
			}
			if edit && !who.Rights(tx, row).Edit {
				return Fail(SecurityViolation, "updating OriginalFile:Id_%d not permitted", id)
			}
		}
		return nil
	})
	return out, err
}

func (r *repo) verifyChecksums(_ context.Context, c *Call) ([]any, error) {
	ids := Arg[[]int64](c, 0)
	if _, err := c.readableFiles(ids, false); err != nil {
		return nil, err
	}
	bad, err := r.files.Mismatches(ids)
	if bad == nil {
		bad = []int64{}
	}
	return one(bad, diskError(err))
}

func (r *repo) setAlgorithm(_ context.Context, c *Call) ([]any, error) {
	ids := Arg[[]int64](c, 1)
	who, err := c.readableFiles(ids, true)
	if err != nil {
		return nil, err
	}
	changed, err := r.files.SetAlgorithm(who.Actor(), r.algorithmName(Arg[*ice.Object](c, 0)), ids)
	if changed == nil {
		changed = []int64{}
	}
	return one(changed, diskError(err))
}
