package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"

	"omerods/internal/sandbox/store"
)

// stat checks a path below the repository and tells what is there.
func (m *Managed) stat(p string) (clean string, info fs.FileInfo, err error) {
	if clean, err = checkPath(p); err != nil {
		return "", nil, err
	}
	if clean == "" {
		clean = "."
	}
	info, err = m.files.Stat(clean)
	return clean, info, err
}

// Exists reports whether a path below the repository is on the disk.
func (m *Managed) Exists(p string) (bool, error) {
	_, _, err := m.stat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// List returns the paths of what lies in a directory of the repository, sorted.
// Each begins with a slash.
func (m *Managed) List(dir string) ([]string, error) {
	clean, info, err := m.stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no directory", dir)
	}
	entries, err := fs.ReadDir(m.files.FS(), clean)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, path.Join("/", clean, e.Name()))
	}
	sort.Strings(out)
	return out, nil
}

// Lookup returns the row of a path in the repository, nil when none is
// registered.
func (m *Managed) Lookup(p string) (*store.Row, error) {
	clean, err := checkPath(p)
	if err != nil {
		return nil, err
	}
	if clean == "" {
		return m.Description(), nil
	}
	var row *store.Row
	err = m.store.View(func(tx *store.Tx) error {
		row = m.lookup(tx, clean)
		return nil
	})
	return row, err
}

// MakeDir makes a directory and its row; parents makes those above it, too, and
// does not mind one that exists.
func (m *Managed) MakeDir(actor store.Actor, p string, parents bool) error {
	clean, err := checkPath(p)
	if err != nil {
		return err
	}
	if clean == "" {
		return nil
	}
	if !parents {
		if exists, err := m.Exists(clean); err != nil || exists {
			return fmt.Errorf("directory %s: %w", p, errors.Join(err, fs.ErrExist))
		}
		if exists, err := m.Exists(path.Dir(clean)); err != nil || !exists {
			return fmt.Errorf("parent of %s: %w", p, errors.Join(err, fs.ErrNotExist))
		}
	}
	return m.store.Write(actor, func(a *store.Author) error { return m.makeDirs(a, clean) })
}

// Create registers a new, empty file of the repository.
func (m *Managed) Create(actor store.Actor, p, mimetype string) (*store.Row, error) {
	clean, err := checkPath(p)
	if err != nil {
		return nil, err
	}
	if clean == "" {
		return nil, &NamingError{Path: p}
	}
	var row *store.Row
	err = m.store.Write(actor, func(a *store.Author) error {
		if err := m.makeDirs(a, path.Dir(clean)); err != nil {
			return err
		}
		row, err = m.newFile(a, clean, mimetype, DefaultAlgorithm)
		return err
	})
	return row, err
}

// MediaType guesses the type of a file of the repository.
func (m *Managed) MediaType(p string) (string, error) {
	clean, info, err := m.stat(p)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return directoryType, nil
	}
	return mediaType(clean), nil
}

// SetAlgorithm gives files another checksum algorithm and computes their
// checksums anew. It returns the ids of those that had another one.
func (m *Managed) SetAlgorithm(actor store.Actor, algorithm string, ids []int64) ([]int64, error) {
	if newHash(algorithm) == nil {
		return nil, fmt.Errorf("%w: checksum algorithm %q is not supported", ErrUpload, algorithm)
	}
	var changed []int64
	for _, id := range ids {
		file := m.store.Get("OriginalFile", id)
		if file == nil || m.algorithm(file) == algorithm {
			continue
		}
		err := m.store.Write(actor, func(a *store.Author) error {
			row := file.Clone()
			if err := a.Tx().Fill(row, store.Values{"hasher": algorithm}); err != nil {
				return err
			}
			f, err := m.open(file, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			sum, err := sumOf(algorithm, f)
			if err != nil {
				return err
			}
			if err := a.Tx().Fill(row, store.Values{"hash": sum}); err != nil {
				return err
			}
			a.Update(row)
			return nil
		})
		if err != nil {
			return nil, err
		}
		changed = append(changed, id)
	}
	return changed, nil
}

// Mismatches returns the ids of those files whose bytes do not have the
// checksum that is recorded.
func (m *Managed) Mismatches(ids []int64) ([]int64, error) {
	var out []int64
	for _, id := range ids {
		file := m.store.Get("OriginalFile", id)
		if file == nil || !m.isManaged(file) {
			return nil, fmt.Errorf("file %d is not in this repository", id)
		}
		if file.Text("hash") == "" || m.algorithm(file) == "" {
			continue
		}
		sum, err := m.Checksum(file)
		if err != nil && !errors.Is(err, ErrNoData) {
			return nil, err
		}
		if sum != file.Text("hash") {
			out = append(out, id)
		}
	}
	return out, nil
}
