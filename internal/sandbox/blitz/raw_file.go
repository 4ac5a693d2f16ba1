package blitz

import (
	"context"

	"omerods/internal/sandbox/iceserver"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// rawFile is a RawFileStore: the content of one file at a time.
type rawFile struct {
	srv   *Server
	files *repository.Managed
	fixed bool // the file was chosen by the server

	raw        *repository.RawFile // nil before setFileId
	actor      store.Actor
	writable   bool
	restricted bool // the policy forbids to read
}

// Method implements Servant.
func (f *rawFile) Method(operation string) Method {
	switch operation {
	case "setFileId":
		return func(ctx context.Context, c *Call) ([]any, error) {
			if f.fixed {
				return nil, Fail(APIUsage, "the file of this store cannot be changed")
			}
			if err := f.Close(ctx); err != nil {
				return nil, err
			}
			return nil, f.set(c, Arg[int64](c, 0), false)
		}
	case "getFileId":
		return func(context.Context, *Call) ([]any, error) {
			if f.raw == nil {
				return []any{nil}, nil
			}
			return []any{f.srv.RLong(f.raw.ID())}, nil
		}
	case "read":
		return func(ctx context.Context, c *Call) ([]any, error) {
			return f.opened(func(c *Call) ([]any, error) { return f.read(ctx, c) })(ctx, c)
		}
	case "size":
		return f.opened(func(*Call) ([]any, error) {
			n, err := f.raw.Size()
			return one(n, diskError(err))
		})
	case "exists":
		return func(context.Context, *Call) ([]any, error) { return []any{f.raw != nil}, nil }
	case "write":
		return f.opened(f.write)
	case "truncate":
		return f.opened(func(c *Call) ([]any, error) {
			if err := f.mayWrite(); err != nil {
				return nil, err
			}
			if Arg[int64](c, 0) < 0 {
				return nil, Fail(APIUsage, "length %d", Arg[int64](c, 0))
			}
			ok, err := f.raw.Truncate(Arg[int64](c, 0))
			return one(ok, diskError(err))
		})
	case "save":
		return f.opened(func(c *Call) ([]any, error) {
			row, err := f.raw.Save(f.actor)
			if err != nil || row == nil {
				return []any{nil}, diskError(err)
			}
			return c.row(func(*store.Tx, *Caller) (*store.Row, error) { return row, nil })
		})
	}
	return nil
}

// opened guards an operation that needs a file.
func (f *rawFile) opened(fn func(c *Call) ([]any, error)) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		if f.raw == nil {
			return nil, Fail(APIUsage, "This RawFileStore has not been properly initialized. Please set the file id before executing any other methods.")
		}
		return fn(c)
	}
}

// set opens a file for the caller. It is writable when the caller may edit it,
// did not ask for all groups, and readOnly is false.
func (f *rawFile) set(c *Call, id int64, readOnly bool) error {
	err := c.View(func(tx *store.Tx, who *Caller) error {
		row := tx.Get(tx.Model().Class("OriginalFile"), id)
		if row == nil {
			return Fail(Validation, "Cannot read or write file: no OriginalFile %d", id)
		}
		if !who.CanRead(tx, row) {
			return Fail(SecurityViolation, "OriginalFile:Id_%d cannot be read by %s", id, who.Name)
		}
		f.actor = who.Actor()
		f.actor.Group = row.Group
		f.writable = !readOnly && who.Group != AllGroups && who.Rights(tx, row).Edit
		f.restricted = !c.Server.MayReadFile(tx, who, row)
		return nil
	})
	if err != nil {
		return err
	}
	f.raw, err = f.files.OpenRaw(id, f.writable)
	return diskError(err)
}

func (f *rawFile) read(ctx context.Context, c *Call) ([]any, error) {
	at, n := Arg[int64](c, 0), Arg[int32](c, 1)
	switch {
	case f.restricted:
		return nil, Fail(SecurityViolation, "Download is restricted for OriginalFile:Id_%d", f.raw.ID())
	case at < 0 || n < 0:
		return nil, Fail(APIUsage, "cannot read %d bytes at %d", n, at)
	case n > maxRead:
		return nil, Fail(APIUsage, "Too big: %d", n)
	}
	b := iceserver.Buffer(ctx, int(n))
	return one(b, diskError(f.raw.Read(b, at)))
}

func (f *rawFile) mayWrite() error {
	if !f.writable {
		return Fail(SecurityViolation, "OriginalFile:Id_%d cannot be written", f.raw.ID())
	}
	return nil
}

func (f *rawFile) write(c *Call) ([]any, error) {
	b, at, n := Arg[[]byte](c, 0), Arg[int64](c, 1), Arg[int32](c, 2)
	if err := f.mayWrite(); err != nil {
		return nil, err
	}
	if at < 0 || n < 0 || int(n) > len(b) {
		return nil, Fail(APIUsage, "cannot write %d of %d bytes at %d", n, len(b), at)
	}
	return nil, diskError(f.raw.Write(b[:n], at))
}

// Close implements Closer: what was written is saved with its checksum.
func (f *rawFile) Close(context.Context) error {
	if f.raw == nil {
		return nil
	}
	raw := f.raw
	f.raw = nil
	return diskError(raw.Close(f.actor))
}
