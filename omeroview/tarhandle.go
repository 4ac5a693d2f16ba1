package omeroview

import (
	"context"
	"errors"
	"io"
	"os"

	"omerods/fs/tree"
	"omerods/internal/omero"
)

// tarHandle reads the tar of one state of a pack.
type tarHandle struct {
	a    *account
	t    *tarImage
	made *os.File // the generated files
	from *tarSources
}

var _ tree.Cacher = (*tarHandle)(nil)

func newTarHandle(a *account, t *tarImage, made *os.File) *tarHandle {
	h := &tarHandle{a: a, t: t, made: made}
	h.from = newTarSources(h.source, t.members)
	return h
}

// Cache keeps the content: that of a state does not change.
func (h *tarHandle) Cache() tree.Cache { return tree.CacheKeep }

// ReadAt puts the pieces of the tar together.
func (h *tarHandle) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	var parts []tarPart
	n := 0
	var end error
	for n < len(p) {
		piece := h.t.layout.At(off + int64(n))
		if piece.Len == 0 {
			end = io.EOF
			break
		}
		part := p[n : n+int(min(piece.Len, int64(len(p)-n)))]
		switch {
		case piece.Data != nil:
			copy(part, piece.Data)
		case piece.Member < 0:
			clear(part)
		case h.t.members[piece.Member].Made:
			m := &h.t.members[piece.Member]
			if k, err := h.made.ReadAt(part, m.At+piece.Off); k < len(part) {
				return 0, memberError(m.Path, treeError("read", err))
			}
		default:
			parts = append(parts, tarPart{member: piece.Member, off: piece.Off, p: part})
		}
		n += len(part)
	}
	if i, err := h.from.read(ctx, parts); err != nil {
		return 0, h.failed(&h.t.members[parts[i].member], err)
	}
	return n, end
}

// failed says why a member cannot be read, and notes it if the next try would
// fail as well.
func (h *tarHandle) failed(m *tarMember, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		err = tree.Errorf(tree.ErrIO, "it has not the %d bytes that were registered", m.Size)
	case errors.Is(err, omero.Gone):
		h.a.found(m.File)
		err = notGiven("it", err)
		h.t.fail(m.Path, err)
	case errors.Is(err, omero.Denied):
		err = notGiven("it", err)
		h.t.fail(m.Path, err)
	}
	return memberError(m.Path, treeError("read", err))
}

// memberError says which member of a tar cannot be read.
func memberError(path string, err error) error {
	var e *tree.Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Reason = path + ": " + e.Reason
	return &named
}

// source opens the content of a member.
func (h *tarHandle) source(ctx context.Context, m *tarMember) (tree.Handle, error) {
	if m.Image != 0 {
		e := h.t.exports[m.Image]
		return openTIFF(h.a, e.Image, &e.Pixels)
	}
	if m.Attached {
		// It may have been written anew in place.
		files, err := h.a.c.OriginalFiles(ctx, []int64{m.File})
		if err != nil {
			return nil, err
		}
		if len(files) != 1 || files[0].Size != m.Size || files[0].Hash != m.Hash {
			return nil, tree.Errorf(tree.ErrIO, "%w since the tar was laid out", errChanged).WithAdvice("copy the tar again")
		}
	}
	return &remoteHandle{r: h.a.c.OpenFile(omero.OriginalFile{ID: m.File, Size: m.Size})}, nil
}

// Release frees everything; nobody hears what goes wrong there.
func (h *tarHandle) Release(context.Context) {
	h.from.close()
	_ = h.made.Close()
}
