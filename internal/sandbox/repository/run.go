package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"unicode/utf8"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// The steps of Run, in the order in which they are reported.
const (
	StepMetadata = iota
	StepPixels
	StepThumbnails
	StepProcessing
	StepObjects
	Steps // how many there are
)

// Settings say what Run makes of the files.
type Settings struct {
	// TargetClass and Target name the Dataset or Screen that the images or
	// plates are linked to; an empty class is no target.
	TargetClass string
	Target      int64
	// Name, when not nil, is used in place of the name of the main file.
	Name        *string
	Description *string
	// PhysicalSizes are the sizes of a pixel in micrometres, used when there
	// are three.
	PhysicalSizes []float64
	// Thumbnails false leaves rendering settings and thumbnails to the first
	// viewer; nil is true.
	Thumbnails *bool
	// NoStats leaves out the look at all pixels.
	NoStats bool
	// Annotate returns the ids of the annotations that every image is linked
	// to. It may create them.
	Annotate func(a *store.Author) ([]int64, error)
	// Link checks that the actor may link to the target.
	Link func(a *store.Author, target *store.Row) error
}

// Failure is an import that went wrong for a reason that clients know by name.
type Failure struct {
	Name string // such as import-unknown-format
	Err  error
}

func (f *Failure) Error() string { return f.Name + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Result has the ids of what an import made.
type Result struct {
	Pixels []int64
	Plates []int64
	Images []int64
}

// Run reads the files and makes plates and images of them. When it fails, the
// fileset and its files stay. The error is a *Failure or the context's.
func (im *Import) Run(ctx context.Context, s Settings, step func(int)) (*Result, error) {
	im.writeLog("import of fileset %d begins", im.Fileset)
	out, err := im.run(ctx, s, step)
	if err != nil {
		im.writeLog("import failed: %v", err)
	} else {
		im.writeLog("import made %d images and %d plates", len(out.Images), len(out.Plates))
	}
	im.closeLog()
	return out, err
}

func (im *Import) run(ctx context.Context, s Settings, step func(int)) (*Result, error) {
	set, err := im.m.read(im.prefix, im.paths[0])
	if err != nil {
		// Whatever the reason: the server opens the files before its first step.
		return nil, &Failure{"error-on-init", err}
	}
	im.writeLog("%s by %s: %d series, %d plates, %d files", im.paths[0], set.Reader, len(set.Series), len(set.Plates), len(set.Files))
	step(StepMetadata)
	stats := make([]*imaging.Stats, len(set.Series))
	if !s.NoStats {
		for i := range set.Series {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			st, err := set.Scan(i)
			if err != nil {
				return nil, &Failure{"import-file-exception", err}
			}
			stats[i] = &st
		}
	}
	step(StepPixels)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := new(Result)
	err = im.m.store.Write(im.actor, func(a *store.Author) error {
		w := &writer{im: im, a: a, set: set, stats: stats, settings: s, out: out}
		return w.all()
	})
	if err != nil {
		var f *Failure
		if errors.As(err, &f) {
			return nil, f
		}
		return nil, &Failure{"import-request-failure", err}
	}
	for i := StepThumbnails; i < Steps; i++ {
		step(i)
	}
	return out, nil
}

// closeLog records the size of the log.
func (im *Import) closeLog() {
	f, err := im.m.OpenRaw(im.LogFile, true)
	if err != nil {
		return // the row may be gone with its fileset
	}
	f.dirty = true
	_ = f.Close(im.actor) // nobody waits for the log
}

// read opens the fileset in a folder of the repository.
func (m *Managed) read(dir, main string) (*imaging.Fileset, error) {
	fsys, err := fs.Sub(m.files.FS(), dir)
	if err != nil {
		return nil, err
	}
	return imaging.Read(fsys, main)
}

// Images opens the fileset with that id, for its pixels.
func (m *Managed) Images(fileset int64) (*imaging.Fileset, error) {
	m.mu.Lock()
	for i, c := range m.cache {
		if c.id == fileset {
			copy(m.cache[1:], m.cache[:i])
			m.cache[0] = c
			m.mu.Unlock()
			return c.set, nil
		}
	}
	m.mu.Unlock()
	row := m.store.Get("Fileset", fileset)
	entries := m.store.Collection("Fileset", fileset, "usedFiles")
	if row == nil || len(entries) == 0 {
		return nil, fmt.Errorf("no fileset %d", fileset)
	}
	main := m.store.Get("OriginalFile", entries[0].Ref("originalFile"))
	if main == nil {
		return nil, fmt.Errorf("fileset %d has no file", fileset)
	}
	dir := path.Clean(row.Text("templatePrefix"))
	_, whole := m.place(main)
	set, err := m.read(dir, whole[min(len(whole), len(dir)+1):])
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.cache) >= cachedFilesets {
		m.cache = m.cache[:cachedFilesets-1]
	}
	m.cache = append([]cachedFileset{{fileset, set}}, m.cache...)
	return set, nil
}

// cachedFilesets is how many filesets stay open. Each may hold one decoded
// picture.
const cachedFilesets = 4

// maxNameRunes is the length of the name column.
const maxNameRunes = 255

// cutName shortens a name from the left.
func cutName(s string) string {
	for utf8.RuneCountInString(s) > maxNameRunes {
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
	}
	return s
}

// CopyIn fills the file of an entry from r; it is what an upload does, without
// a network.
func (im *Import) CopyIn(i int, r io.Reader) (err error) {
	if i < 0 || i >= len(im.Files) {
		return fmt.Errorf("%w: no file %d of %d", ErrUpload, i, len(im.Files))
	}
	row := im.m.store.Get("OriginalFile", im.Files[i])
	if row == nil {
		return fmt.Errorf("%w: file %d is gone", ErrUpload, im.Files[i])
	}
	f, err := im.m.open(row, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	raw := &RawFile{m: im.m, id: row.ID, f: f, writable: true, dirty: true}
	defer func() {
		if cerr := raw.Close(im.actor); err == nil {
			err = cerr
		}
	}()
	if _, err = io.Copy(f, r); err != nil {
		return fmt.Errorf("fill file %d: %w", row.ID, err)
	}
	return nil
}
