package omero

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"omerods/internal/ice"
)

const (
	fileStoreInterface = "::omero::api::RawFileStore"
	// chunkBytes is how much one request writes; a message has at
	// most 64 MiB, and the servers recommend 1 to 4.
	chunkBytes = 2 << 20
)

// sendFile writes what r has into a store that takes a new file, and closes
// it: only then does the server count the hash. While one chunk is under way
// the next one is read.
func (c *Client) sendFile(ctx context.Context, l *link, store *ice.Proxy, r io.Reader) (hash string, size int64, err error) {
	closed := false
	defer func() {
		if !closed {
			c.closeProxy(ctx, l, store, fileStoreInterface)
		}
	}()
	// The first, empty write makes the file; without it one of no bytes would
	// not exist.
	if _, err := c.on(ctx, l, store, fileStoreInterface, "write", []byte{}, int64(0), int32(0)); err != nil {
		return "", 0, err
	}
	sum := sha1.New()
	buffers := [2][]byte{make([]byte, chunkBytes), make([]byte, chunkBytes)}
	var pending chan error // of the write under way
	wait := func() error {
		if pending == nil {
			return nil
		}
		err := <-pending
		pending = nil
		return err
	}
	for n := 0; ; n++ {
		buf := buffers[n%2]
		got, readErr := io.ReadFull(r, buf)
		if err := wait(); err != nil {
			return "", size, err
		}
		if got > 0 {
			chunk, at := buf[:got], size
			sum.Write(chunk)
			size += int64(got)
			pending = make(chan error, 1)
			go func(done chan<- error) {
				_, err := c.on(ctx, l, store, fileStoreInterface, "write", chunk, at, int32(len(chunk)))
				done <- err
			}(pending)
		}
		if readErr == io.EOF || errors.Is(readErr, io.ErrUnexpectedEOF) {
			break
		}
		if readErr != nil {
			return "", size, errors.Join(fmt.Errorf("read: %w", readErr), wait())
		}
	}
	if err := wait(); err != nil {
		return "", size, err
	}
	closed = true
	if _, err := c.on(ctx, l, store, fileStoreInterface, "close"); err != nil {
		return "", size, err
	}
	return hex.EncodeToString(sum.Sum(nil)), size, nil
}

// FileSpec describes a file that is no image, such as that of a file
// annotation.
type FileSpec struct {
	Name     string
	Path     string // free text, usually a folder
	Mimetype string
	// Begun, unless nil, is told the file's id before its content is sent.
	Begun func(id int64)
}

// UploadFile makes a file on the server, in the group of ctx, and returns it.
// What was sent is compared with what the server has counted; a file that
// failed is removed again.
func (c *Client) UploadFile(ctx context.Context, spec FileSpec, r io.Reader) (OriginalFile, error) {
	o := c.fresh(string(KindOriginalFile)).Set("name", c.rstring(spec.Name)).Set("path", c.rstring(spec.Path)).
		Set("mimetype", c.optional(spec.Mimetype)).Set("size", c.rlong(0)).
		Set("hasher", c.enumeration("ChecksumAlgorithm", hasherSHA1))
	res, err := c.call(ctx, updateService, "saveAndReturnIds", []any{o})
	ids, err := result[[]int64]("saveAndReturnIds", res, err)
	if err == nil && len(ids) != 1 {
		err = failure(Internal, "upload", "no id for the file")
	}
	if err != nil {
		return OriginalFile{}, fmt.Errorf("register file: %w", err)
	}
	if spec.Begun != nil {
		spec.Begun(ids[0])
	}
	f, err := c.fillFile(ctx, ids[0], r, false)
	if err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, del := c.Delete(cleanup, map[Kind][]int64{KindOriginalFile: ids}, DeleteOptions{})
		return OriginalFile{}, errors.Join(fmt.Errorf("upload %q: %w", spec.Name, err), del)
	}
	return f, nil
}

// ReplaceFile gives a file on the server another content, in the group of ctx,
// which must be that of the file.
func (c *Client) ReplaceFile(ctx context.Context, id int64, r io.Reader) (OriginalFile, error) {
	f, err := c.fillFile(ctx, id, r, true)
	if err != nil {
		return OriginalFile{}, fmt.Errorf("replace file %d: %w", id, err)
	}
	return f, nil
}

// EditFile lets edit change pieces of a file on the server, in the group of
// ctx, which must be that of the file. What is read is as it was before, and
// nothing is written at the end of the file or behind it.
func (c *Client) EditFile(ctx context.Context, f OriginalFile, edit func(io.ReaderAt, io.WriterAt) error) error {
	l, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	store, err := c.openFileStore(ctx, l, f.ID)
	if err != nil {
		return err
	}
	before := c.OpenFile(f)
	err = edit(
		readerAt(func(p []byte, off int64) (int, error) { return before.ReadAt(ctx, p, off) }),
		writerAt(func(p []byte, off int64) (int, error) {
			if off < 0 || off > f.Size-int64(len(p)) || len(p) > chunkBytes {
				return 0, failure(Invalid, "edit file", fmt.Sprintf("%d bytes at %d of %d", len(p), off, f.Size))
			}
			if _, err := c.on(ctx, l, store, fileStoreInterface, "write", p, off, int32(len(p))); err != nil {
				return 0, err
			}
			return len(p), nil
		}))
	// Only the close has the server count the hash anew.
	_, closing := c.on(ctx, l, store, fileStoreInterface, "close")
	if err := errors.Join(err, closing, before.Close()); err != nil {
		return fmt.Errorf("edit file %d: %w", f.ID, err)
	}
	return nil
}

type readerAt func(p []byte, off int64) (int, error)

func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r(p, off) }

type writerAt func(p []byte, off int64) (int, error)

func (w writerAt) WriteAt(p []byte, off int64) (int, error) { return w(p, off) }

func (c *Client) fillFile(ctx context.Context, id int64, r io.Reader, replace bool) (OriginalFile, error) {
	l, err := c.acquire(ctx)
	if err != nil {
		return OriginalFile{}, err
	}
	store, err := c.openFileStore(ctx, l, id)
	if err != nil {
		return OriginalFile{}, err
	}
	if replace {
		if _, err := c.on(ctx, l, store, fileStoreInterface, "truncate", int64(0)); err != nil {
			c.closeProxy(ctx, l, store, fileStoreInterface)
			return OriginalFile{}, err
		}
	}
	hash, size, err := c.sendFile(ctx, l, store, r)
	if err != nil {
		return OriginalFile{}, err
	}
	files, err := c.OriginalFiles(ctx, []int64{id})
	if err != nil {
		return OriginalFile{}, err
	}
	if len(files) != 1 {
		return OriginalFile{}, failure(NotFound, "upload", "the file is gone")
	}
	f := files[0]
	if f.Size != size || f.Hasher == hasherSHA1 && f.Hash != hash {
		return OriginalFile{}, failure(Checksum, "upload",
			fmt.Sprintf("sent %d bytes, SHA-1 %s; the server has %d bytes, %s", size, hash, f.Size, f.Hash))
	}
	return f, nil
}

// openFileStore opens a file on the server.
func (c *Client) openFileStore(ctx context.Context, l *link, id int64) (*ice.Proxy, error) {
	store, err := l.open(ctx, "createRawFileStore")
	if err != nil {
		return nil, wrap("open file", err)
	}
	if _, err := c.on(ctx, l, store, fileStoreInterface, "setFileId", id); err != nil {
		c.closeProxy(ctx, l, store, fileStoreInterface)
		return nil, err
	}
	return store, nil
}
