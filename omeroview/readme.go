package omeroview

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"

	"omerods/internal/pack"
)

// keepReadme makes the README.html of a state and keeps it, and tells the
// manifest what it is: transfer.xml is made after it.
func (a *account) keepReadme(s packState, doc *pack.Document, m *pack.Manifest) error {
	data, err := readmeOf(doc, m)
	if err != nil {
		return err
	}
	if err := a.v.disk.write(s.dir, s.name, readmeName, data); err != nil {
		return treeError("keep a generated file", err)
	}
	sum := sha1.Sum(data)
	if f := m.ByPath()[readmeName]; f != nil {
		f.Size, f.Hash, f.Algorithm = int64(len(data)), hex.EncodeToString(sum[:]), pack.SHA1
	}
	return nil
}

func readmeOf(doc *pack.Document, m *pack.Manifest) ([]byte, error) {
	var b bytes.Buffer
	if err := pack.WriteReadme(&b, doc, m); err != nil {
		return nil, treeError("describe the pack", err)
	}
	return b.Bytes(), nil
}

// readme returns the README.html of a pack. It was made with transfer.xml, and
// is made anew of that when somebody has removed it.
func (a *account) readme(ctx context.Context, p packRef) (generated, error) {
	top, err := a.transfer(ctx, p)
	if err != nil {
		return generated{}, err
	}
	return remember(ctx, a, "readme/"+p.String()+"/"+top.state.name, func(context.Context) (generated, error) {
		return a.file(top.state, readmeName, func() ([]byte, error) {
			doc, m, err := readTransfer(top.path)
			if err != nil {
				return nil, err
			}
			return readmeOf(doc, m)
		})
	})
}
