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

// MayReadFile tells whether the caller may read the bytes of a file that it
// can see. The policy is OMERO's: without "+read" only those who may edit,
// without "+write" nobody, and without "+plate" nobody reads originals of
// images in wells, text files excepted. A group's config may replace the
// server's policy.
func (s *Server) MayReadFile(tx *store.Tx, who *Caller, file *store.Row) bool {
	return who.CanRead(tx, file) && !s.restricted(tx, file, who.Rights(tx, file).Edit)
}

func (s *Server) restricted(tx *store.Tx, file *store.Row, mayEdit bool) bool {
	policy := s.cfg.BinaryAccess
	if g := tx.Get(tx.Model().Class("ExperimenterGroup"), file.Group); g != nil {
		config, _ := g.Get("config").([]store.NamedValue)
		for _, nv := range config {
			if nv.Name == "omero.policy.binary_access" {
				policy = nv.Value
			}
		}
	}
	has := func(word string) bool {
		for p := range strings.SplitSeq(policy, ",") {
			if strings.TrimSpace(p) == "+"+word {
				return true
			}
		}
		return false
	}
	switch {
	case !has("write"), !has("read") && !mayEdit:
		return true
	case strings.HasSuffix(file.Text("name"), ".txt"):
		return false
	case !has("plate") && inPlate(tx, file):
		return true
	}
	return false
}

// inPlate reports whether a file belongs to a fileset with an image in a well.
func inPlate(tx *store.Tx, file *store.Row) bool {
	m := tx.Model()
	for _, entry := range tx.Collection(m.Class("OriginalFile").Property("filesetEntries"), file.ID) {
		for _, image := range tx.Collection(m.Class("Fileset").Property("images"), entry.Ref("fileset")) {
			if len(tx.RefIDs(m.Class("WellSample").Property("image"), image.ID)) > 0 {
				return true
			}
		}
	}
	return false
}

// extended are the extended restrictions in the permissions of an object.
func (s *Server) extended(tx *store.Tx, r *store.Row) []string {
	if r.Class.Name == "OriginalFile" && s.restricted(tx, r, true) {
		return []string{"RESTRICT-BINARY-ACCESS"}
	}
	return nil
}
