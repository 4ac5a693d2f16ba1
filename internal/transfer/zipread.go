package transfer

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"omerods/fs/tree"
)

// maxZipDirectory bounds the directory of a zip, of which each entry takes
// several times as much memory: some 150,000 members.
const maxZipDirectory = 16 << 20

// endZip reads the directory of a zip and has its members read, which goes on
// when the program stops waiting. A directory that cannot be read may be due
// to an early close, and is no failure of the load yet.
func (a *StagedTar) endZip() error {
	files, err := zipDirectory(a.zip, a.zip.Size())
	if err != nil {
		return within(a.name(), err)
	}
	a.load.mu.Lock()
	a.handed = true
	a.load.mu.Unlock()
	a.run(func(context.Context) error { return a.readZip(files) })
	return nil
}

// countingReaderAt refuses to read more than a number of bytes.
type countingReaderAt struct {
	io.ReaderAt
	left int64
}

var errLongDirectory = errors.New("more than the limit")

func (c *countingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		return 0, errLongDirectory
	}
	return c.ReaderAt.ReadAt(p, off)
}

// zipDirectory lists the entries of a zip after checking that they are apart
// from each other and no more than they may be.
func zipDirectory(r io.ReaderAt, size int64) ([]*zip.File, error) {
	limited := &countingReaderAt{r, maxZipDirectory}
	z, err := zip.NewReader(limited, size)
	switch {
	case errors.Is(err, errLongDirectory):
		return nil, tree.Errorf(tree.ErrInvalid, "the directory of the zip is longer than %d bytes", int64(maxZipDirectory)).
			WithAdvice("make a tar of it: there may be any number of files in it")
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return nil, tree.Errorf(tree.ErrIncomplete, "the zip is cut off or damaged: %w", err).WithAdvice("check it with unzip -t, and copy it again")
	}
	limited.left = maxZipDirectory // the local headers, one after the other
	type extent struct {
		from, to int64
		name     string
	}
	extents := make([]extent, 0, len(z.File))
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			return nil, tree.Errorf(tree.ErrInvalid, "member %s: its header in the zip is damaged: %w", quote(f.Name), err)
		}
		if f.CompressedSize64 > uint64(size) || from < 0 || from > size-int64(f.CompressedSize64) {
			return nil, tree.Errorf(tree.ErrInvalid, "member %s: it reaches beyond the end of the zip", quote(f.Name))
		}
		extents = append(extents, extent{from, from + int64(f.CompressedSize64), f.Name})
		f.Name = strings.Clone(f.Name)
	}
	slices.SortFunc(extents, func(a, b extent) int { return int(min(max(a.from-b.from, -1), 1)) })
	for i := 1; i < len(extents); i++ {
		a, b := extents[i-1], extents[i]
		// A local header of at least 30 bytes comes before each.
		if b.from < a.to+30 {
			return nil, tree.Errorf(tree.ErrInvalid, "members %s and %s overlap in the zip", quote(a.name), quote(b.name))
		}
	}
	limited.left = 1<<63 - 1
	return z.File, nil
}

// readZip reads the members of a zip, transfer.xml first. It is as careful as
// readTar.
func (a *StagedTar) readZip(files []*zip.File) error {
	u := newUnpacker(a)
	defer u.close()
	defer a.zip.Free()
	if !slices.ContainsFunc(files, func(f *zip.File) bool { return zipRank(f) == 0 }) {
		return tree.Errorf(tree.ErrInvalid, "there is no transfer.xml at the top of the zip, so it is no pack").
			WithAdvice("make the zip of what is in the pack's folder, not of the folder")
	}
	slices.SortStableFunc(files, func(x, y *zip.File) int { return zipRank(x) - zipRank(y) })
	for _, f := range files {
		m, skip, err := zipMember(f)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		if err := a.readZipMember(u, f, m); err != nil {
			return err
		}
		if a.load.ctx.Err() != nil {
			return a.load.ctx.Err()
		}
	}
	a.reading("")
	return nil
}

func (a *StagedTar) readZipMember(u *unpacker, f *zip.File, m member) error {
	if m.kind == fileMember {
		r := &lazyZip{file: f, ctx: a.load.ctx}
		defer r.close()
		m.content = r
	}
	err := u.member(m)
	var told *tree.Error
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &corrupt):
		return tree.Errorf(tree.ErrIO, "the content of %s in the zip is damaged: %w", quote(m.path), err).WithAdvice("check it with unzip -t, and copy it again")
	case errors.Is(err, zip.ErrAlgorithm):
		return tree.Errorf(tree.ErrInvalid, "member %s is compressed by a method that is not supported", quote(m.path)).WithAdvice("make the zip with deflate")
	case err != nil && !errors.As(err, &told) && !errors.Is(err, context.Canceled):
		return tree.Errorf(tree.ErrIO, "member %s of the zip cannot be read: %w", quote(m.path), err)
	}
	return err
}

// zipRank orders the members: transfer.xml says what all others are.
func zipRank(f *zip.File) int {
	if strings.TrimPrefix(f.Name, "./") == transferXML {
		return 0
	}
	return 1
}

// zipMember tells what an entry of the directory announces.
func zipMember(f *zip.File) (m member, skip bool, err error) {
	mode := f.Mode()
	folder := strings.HasSuffix(f.Name, "/") || mode.IsDir()
	if m.path, err = memberPath(f.Name, folder); err != nil {
		return m, false, err
	}
	refuse := func(what string) (member, bool, error) {
		return m, false, tree.Errorf(tree.ErrInvalid, "member %s is %s, which no pack has", quote(f.Name), what)
	}
	switch {
	case mode&fs.ModeSymlink != 0:
		return refuse("a symbolic link")
	case mode&fs.ModeType&^fs.ModeDir != 0:
		return refuse("a device, pipe or socket")
	case f.Flags&1 != 0:
		return refuse("encrypted")
	case folder:
		m.kind = folderMember
		return m, m.path == "", nil
	case f.UncompressedSize64 > 1<<62:
		return refuse(fmt.Sprintf("of %d bytes by its header", f.UncompressedSize64))
	}
	m.size = int64(f.UncompressedSize64)
	return m, false, nil
}

// lazyZip opens an entry when it is read, because most of those that a load
// does not need never are.
type lazyZip struct {
	file *zip.File
	ctx  context.Context
	r    io.ReadCloser
}

func (l *lazyZip) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	if l.r == nil {
		r, err := l.file.Open()
		if err != nil {
			return 0, err
		}
		l.r = r
	}
	return l.r.Read(p)
}

func (l *lazyZip) close() {
	if l.r != nil {
		l.r.Close()
	}
}
