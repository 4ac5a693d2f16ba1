package check

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"omerods/internal/pack"
)

// tarSource is a tar, read from front to back.
type tarSource struct {
	f     *os.File
	bytes int64
}

func (s *tarSource) size() int64  { return s.bytes }
func (s *tarSource) close() error { return s.f.Close() }

func (s *tarSource) each(ctx context.Context, visit func(entry) error) error {
	t := tar.NewReader(s.f)
	last := ""
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong):
			return &damageError{last, err}
		case err != nil:
			return err
		}
		e := entry{path: strings.TrimPrefix(h.Name, "./"), size: h.Size}
		last = e.path
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse:
			if h.Size > s.bytes {
				e.flaw = "it claims to be larger than the whole archive"
			}
			e.open = func() (io.ReadCloser, error) { return io.NopCloser(t), nil }
		case tar.TypeLink:
			e.link = strings.TrimPrefix(h.Linkname, "./")
		case tar.TypeDir:
			if p := path.Clean(e.path); e.path == "" || p == "." || pack.CheckPath(p) == nil {
				continue
			}
			e.path = path.Clean(e.path) // named as what it is
		case tar.TypeXGlobalHeader:
			continue
		default:
			e.flaw = "it is " + describe(h.FileInfo().Mode())
		}
		if err := visit(e); err != nil {
			return err
		}
	}
}

// zipSource is a zip, read as its central directory says.
type zipSource struct {
	f *os.File
	z *zip.Reader
}

func openZip(f *os.File, size int64) (*zipSource, error) {
	z, err := zip.NewReader(f, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	s := &zipSource{f: f, z: z}
	if !slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == pack.TransferXML }) {
		return nil, errors.New("it is no pack: there is no " + pack.TransferXML + " in it")
	}
	return s, nil
}

func (s *zipSource) size() (n int64) {
	for _, f := range s.z.File {
		n += int64(min(f.UncompressedSize64, 1<<40))
	}
	return n
}

func (s *zipSource) close() error { return s.f.Close() }

func (s *zipSource) each(ctx context.Context, visit func(entry) error) error {
	files := slices.Clone(s.z.File)
	slices.SortStableFunc(files, func(a, b *zip.File) int {
		return zipRank(a) - zipRank(b)
	})
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := entry{path: strings.TrimPrefix(f.Name, "./"), size: int64(min(f.UncompressedSize64, 1<<62)), open: f.Open}
		switch mode := f.Mode(); {
		case mode.IsDir():
			if p := path.Clean(e.path); pack.CheckPath(p) == nil {
				continue
			}
		case !mode.IsRegular():
			e.flaw = "it is " + describe(mode)
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

func zipRank(f *zip.File) int {
	if f.Name == pack.TransferXML {
		return 0
	}
	return 1
}
