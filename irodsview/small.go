package irodsview

import (
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
		return h.open(ctx)
	}
	data, err := h.s.client.Get(ctx, h.file.path())
	if errors.Is(err, irods.ErrInvalid) || errors.Is(err, irods.ErrNotSupported) {
		return h.open(ctx) // it has become large meanwhile
	}
	if err == nil {
		// Fewer bytes than the catalogue says need not be the end.
		h.windows[0] = window{data: data, last: int64(len(data)) >= k.Size}
	}
	return err
}
