package irodsd

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// vault is where the bytes are: root/resource/xx/id.replica. Paths come from
// ids, so a rename touches only the catalogue and ids, which are never used
// twice, keep leftovers of a crash apart from new objects.
type vault struct{ root string }

// path returns the place of a replica.
func (v vault) path(resc string, id int64, number int) string {
	return filepath.Join(v.root, resc, fmt.Sprintf("%02x", id&0xff), fmt.Sprintf("%d.%d", id, number))
}

// open opens a replica's file; create makes it and its folder when missing.
func (v vault) open(path string, flags int, create bool) (*os.File, error) {
	if create {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fileError(status.FileOpen, err)
	}
	return f, nil
}

// remove deletes the data of replicas that the catalogue has forgotten.
func (v vault) remove(gone []catalog.Replica) {
	for _, r := range gone {
		_ = os.Remove(r.Path) // a leftover file is harmless
	}
}

// size returns the length of a replica's data, 0 if there is none.
func (v vault) size(path string) (int64, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fileError(status.FileStat, err)
	}
	return st.Size(), nil
}

// sum returns the checksum text of a replica's data: SHA-256 in base64.
func (v vault) sum(path string) (string, error) {
	f, err := v.open(path, os.O_RDONLY, false)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, onlyReader{f}, make([]byte, ioBytes)); err != nil {
		return "", fileError(status.FileRead, err)
	}
	return "sha2:" + base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
}

// copy makes dst hold the bytes of src and returns how many.
func (v vault) copy(dst, src string) (int64, error) {
	in, err := v.open(src, os.O_RDONLY, false)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	out, err := v.open(dst, os.O_WRONLY|os.O_TRUNC, true)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return n, fileError(status.FileWrite, err)
	}
	return n, nil
}

// onlyReader hides a file's WriteTo, so that the given buffer is used.
type onlyReader struct{ io.Reader }

// fileError is a status with the errno of a failed file call.
func fileError(base status.Code, err error) error {
	if errno, ok := errnoOf(err); ok {
		return fmt.Errorf("vault: %w", base.With(errno))
	}
	return fmt.Errorf("vault: %w: %w", base, err)
}
