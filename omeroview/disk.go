package omeroview

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// diskCache keeps generated files on disk. There is a folder for each pack
// that was looked at, and in it one for each state of the pack.
type diskCache struct{ dir string }

// keptStates is how many states of a pack are kept. The one before the last
// may still be open.
const keptStates = 2

func newDiskCache(dir string) (*diskCache, error) {
	if dir == "" {
		return nil, errors.New("no folder for generated files")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder for generated files: %w", err)
	}
	return &diskCache{dir: dir}, nil
}

// path is the folder of one pack.
func (d *diskCache) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// write stores a generated file whole or not at all.
func (d *diskCache) write(dir, state, name string, data []byte) error {
	return d.writeFrom(dir, state, name, func(w io.Writer) error {
		if _, err := w.Write(data); err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
		return nil
	})
}

// writeFrom stores what content writes as write does. An error of content is
// returned as it is.
func (d *diskCache) writeFrom(dir, state, name string, content func(io.Writer) error) error {
	folder := filepath.Join(dir, state)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	f, err := os.CreateTemp(folder, ".new-")
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	if err := content(f); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err = f.Close(); err == nil {
		err = os.Rename(f.Name(), filepath.Join(folder, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep %s: %w", name, err), os.Remove(f.Name()))
	}
	return nil
}

// prune removes old states of a pack but for the latest ones.
func (d *diskCache) prune(dir, current string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	type state struct {
		name string
		at   time.Time
	}
	var newest state
	var all []string
	for _, e := range entries {
		if !e.IsDir() || e.Name() == current {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // removed meanwhile
		}
		all = append(all, e.Name())
		if newest.name == "" || info.ModTime().After(newest.at) {
			newest = state{e.Name(), info.ModTime()}
		}
	}
	if len(all) < keptStates {
		return nil
	}
	var errs []error
	for _, name := range all {
		if name != newest.name {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return errors.Join(errs...)
}
