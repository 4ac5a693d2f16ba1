package irodsview

import (
	"bytes"
	"context"
	"errors"

	"omerods/internal/irods"
)

// smallBytes is the size up to which a file is read whole when it is opened:
// one request instead of those to open, to read and to close. Who opens a file
// of this size mostly reads all of it.
const smallBytes = 1 << 20

// openRead gets a file that programs will read, in the state that the
// catalogue has it in: what cannot be read fails here, where programs look.
func (h *readHandle) openRead(ctx context.Context, k known) error {
	switch {
	case k.Size == 0:
		return nil
	case k.Size > smallBytes:
		return h.reader.start(ctx)
	}
	data, err := h.s.client.Get(ctx, h.file.path())
	if errors.Is(err, irods.ErrInvalid) || errors.Is(err, irods.ErrNotSupported) {
		return h.reader.start(ctx) // it has become large meanwhile
	}
	if err == nil {
		// Fewer bytes than the catalogue says need not be the end.
		h.reader.give(data, int64(len(data)) >= k.Size)
	}
	return err
}

// putWhole stores what is buffered as the temporary object, in one request
// that the server verifies. When the connection breaks it may have done so:
// that is looked at before the request is repeated, under another name.
func (d *draft) putWhole(ctx context.Context, sum []byte) error {
	d.placeTemp(ctx)
	c, first := d.s.client, d.tmpPath()
	err := c.Put(ctx, first, d.buf, sum)
	if !errors.Is(err, irods.ErrLost) || ctx.Err() != nil {
		return err
	}
	stored, cerr := c.Checksum(ctx, first, false)
	if cerr == nil && bytes.Equal(irods.SHA256(stored), sum) {
		return nil
	}
	left := leftover{client: c, dir: d.tmpDir, name: d.tmpName}
	d.tmpName = ""
	d.placeTemp(ctx)
	err = c.Put(ctx, d.tmpPath(), d.buf, sum)
	after, cancel := detached(ctx)
	defer cancel()
	if rerr := removeTemp(after, c, first); rerr != nil {
		d.view.log.Debug("a temporary object stays for now", "path", first, "err", rerr)
		d.view.leftovers.add(left)
	}
	return err
}
