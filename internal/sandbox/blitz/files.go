package blitz

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"omerods/internal/sandbox/store"
)

// ManagedRepository is the folder of the managed repository below Dir; the
// path of an OriginalFile with a repo counts from there.
const ManagedRepository = "ManagedRepository"

// FilePath returns where the bytes of an OriginalFile are: in the repository
// when it has a repo, else in a folder of files by id.
func (s *Server) FilePath(file *store.Row) (string, error) {
	if file.Get("repo") == nil {
		return filepath.Join(s.dir, "Files", strconv.FormatInt(file.ID, 10)), nil
	}
	return s.RepositoryPath(file.Text("path") + file.Text("name"))
}

// RepositoryPath returns where a path of the managed repository is; a path
// that leads out of it is a ResourceError.
func (s *Server) RepositoryPath(path string) (string, error) {
	local, err := filepath.Localize(strings.Trim(filepath.ToSlash(filepath.Clean("/"+path)), "/"))
	if path == "" || path == "/" {
		local, err = "", nil
	}
	if err != nil || slices.Contains(strings.Split(path, "/"), "..") {
		return "", Fail(ResourceProblem, "no such path in the repository: %q", path)
	}
	return filepath.Join(s.dir, ManagedRepository, local), nil
}

// PixelsPath returns the folder for what the server makes of a Pixels:
// thumbnails and the like. It need not exist.
func (s *Server) PixelsPath(pixels int64) string {
	return filepath.Join(s.dir, "Pixels", strconv.FormatInt(pixels, 10))
}

// removeFiles removes what belongs to deleted rows from the disk, and folders
// that are empty then.
func (s *Server) removeFiles(rows []*store.Row) error {
	var errs []error
	for _, r := range rows {
		switch r.Class.Name {
		case "OriginalFile":
			path, err := s.FilePath(r)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if err := os.RemoveAll(path); err != nil {
				errs = append(errs, err)
				continue
			}
			if r.Get("repo") != nil {
				s.removeEmpty(filepath.Dir(path))
			}
		case "Pixels":
			errs = append(errs, os.RemoveAll(s.PixelsPath(r.ID)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove files: %w", err)
	}
	return nil
}

// removeEmpty removes a folder of the repository and those above it for as
// long as they are empty.
func (s *Server) removeEmpty(dir string) {
	root := filepath.Join(s.dir, ManagedRepository)
	for strings.HasPrefix(dir, root+string(filepath.Separator)) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
		dir = filepath.Dir(dir)
	}
}
