package omeroview

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"io"

	"omerods/internal/pack"
)

// keepReadme makes the README.html of a state and keeps it, and tells the
// manifest what it is: transfer.xml is made after it.
func (a *account) keepReadme(s packState, doc *pack.Document, m *pack.Manifest) error {
	h := sha1.New()
	size := &countWriter{w: h}
	err := a.v.disk.writeFrom(s.dir, s.name, readmeName, func(w io.Writer) error {
		return pack.WriteReadme(io.MultiWriter(w, size), doc, m)
	})
	if err != nil {
		return treeError("keep a generated file", err)
	}
	if f := m.ByPath()[readmeName]; f != nil {
		f.Size, f.Hash, f.Algorithm = size.n, hex.EncodeToString(h.Sum(nil)), pack.SHA1
	}
	return nil
}

// countWriter counts what is written to another writer.
type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// readme returns the README.html of a pack. It was made with transfer.xml, and
// is made anew of that when somebody has removed it.
func (a *account) readme(ctx context.Context, p packRef) (generated, error) {
	top, err := a.transfer(ctx, p)
	if err != nil {
		return generated{}, err
	}
	return rememberMade(ctx, a, "readme/"+p.String()+"/"+top.state.name, func(context.Context) (generated, error) {
		return a.file(top.state, readmeName, func(w io.Writer) error {
			doc, m, err := readTransfer(top.path)
			if err != nil {
				return err
			}
			return treeError("describe the pack", pack.WriteReadme(w, doc, m))
		})
	})
}
