// Package repository is the disk of the sandbox's OMERO server: the managed
// repository that imports go to, the files of annotations, the pixels of images
// without files, and the import itself, from an upload to images in the store.
//
// It knows nothing of Ice and of permissions; whoever calls it has checked
// that the actor may do what is asked.
package repository

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// The folders below the data directory: imports by their paths, the files of
// annotations and the pixels of images without files by their ids.
const (
	managedDir = "ManagedRepository"
	filesDir   = "Files"
	pixelsDir  = "Pixels"
)

// directoryType is the media type of rows that stand for directories.
const directoryType = "Directory"

// ErrNoData means that the bytes of a file are not on the disk.
var ErrNoData = errors.New("no such file on the disk")

// Managed is the disk of a server. Its methods may be called by many goroutines.
type Managed struct {
	store *store.Store
	data  *os.Root // the data directory
	files *os.Root // the managed repository in it
	dir   string
	row   int64 // id of the OriginalFile that stands for the repository
	uuid  string

	mu     sync.Mutex // guards the fields below
	cache  []cachedFileset
	lastAt time.Time // time of the latest template directory
}

// cachedFileset is an opened fileset, kept because viewers ask for one image
// after another.
type cachedFileset struct {
	id  int64
	set *imaging.Fileset
}

// Open prepares the disk in a folder, which is made when absent, and the row
// that stands for the repository in the store.
func Open(dir string, st *store.Store) (*Managed, error) {
	for _, d := range []string{managedDir, filesDir, pixelsDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
	}
	data, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the data directory: %w", err)
	}
	files, err := data.OpenRoot(managedDir)
	if err != nil {
		data.Close()
		return nil, fmt.Errorf("open the managed repository: %w", err)
	}
	m := &Managed{store: st, data: data, files: files, dir: dir}
	if err := m.register(); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Close gives the folder back.
func (m *Managed) Close() error {
	return errors.Join(m.files.Close(), m.data.Close())
}

// register finds or makes the row of the repository.
func (m *Managed) register() error {
	row := m.store.Find("OriginalFile", func(r *store.Row) bool {
		return r.Text("mimetype") == "Repository" && r.Text("name") == managedDir
	})
	if row == nil {
		err := m.store.Write(store.Root, func(a *store.Author) error {
			var err error
			row, err = a.Create("OriginalFile", store.Values{
				"name": managedDir, "path": m.dir + "/", "hash": newUUID(), "mimetype": "Repository", "size": 0,
			})
			return err
		})
		if err != nil {
			return fmt.Errorf("register the managed repository: %w", err)
		}
	}
	m.row, m.uuid = row.ID, row.Text("hash")
	return nil
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Dir returns the data directory.
func (m *Managed) Dir() string { return m.dir }

// UUID returns the identifier of the managed repository.
func (m *Managed) UUID() string { return m.uuid }

// Description returns the OriginalFile that stands for the repository.
func (m *Managed) Description() *store.Row { return m.store.Get("OriginalFile", m.row) }

// isManaged tells whether a file lies in the managed repository.
func (m *Managed) isManaged(file *store.Row) bool { return file.Text("repo") == m.uuid }

// IsDirectory reports whether a file stands for a directory.
func IsDirectory(file *store.Row) bool { return file.Text("mimetype") == directoryType }

// Managed reports whether a file belongs to the repository and not to an
// annotation.
func (m *Managed) Managed(file *store.Row) bool { return m.isManaged(file) }

// place returns the root and the name there under which a file's bytes lie.
func (m *Managed) place(file *store.Row) (*os.Root, string) {
	if m.isManaged(file) {
		return m.files, strings.TrimPrefix(path.Join(file.Text("path"), file.Text("name")), "/")
	}
	return m.data, path.Join(filesDir, strconv.FormatInt(file.ID, 10))
}

// open opens the bytes of a file, making them with os.O_CREATE.
func (m *Managed) open(file *store.Row, flag int) (*os.File, error) {
	root, name := m.place(file)
	if flag&os.O_CREATE != 0 {
		if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
			return nil, fmt.Errorf("make the folder of file %d: %w", file.ID, err)
		}
	}
	f, err := root.OpenFile(name, flag, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file %d: %w", file.ID, ErrNoData)
	}
	if err != nil {
		return nil, fmt.Errorf("open file %d: %w", file.ID, err)
	}
	return f, nil
}
