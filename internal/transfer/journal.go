package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Journal remembers on disk what loads have made in OMERO before their commit,
// so that a mount that was killed can remove it when it starts again.
type Journal struct {
	path string

	mu   sync.Mutex // guards the fields below
	file *os.File
	open map[string]*Leftover
}

// Leftover is what a load that never ended has made.
type Leftover struct {
	Load     string
	UID      uint32
	Filesets []int64
	Files    []int64
	// Committed says that its objects are there: only its marks are left.
	Committed bool
}

type journalLine struct {
	Load    string `json:"load"`
	UID     uint32 `json:"uid,omitempty"`
	Fileset int64  `json:"fileset,omitempty"`
	File    int64  `json:"file,omitempty"`
	Done    bool   `json:"done,omitempty"`

	Committed bool `json:"committed,omitempty"`
}

// OpenJournal opens the journal in dir and reads what an earlier mount left.
func OpenJournal(dir string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the journal's folder: %w", err)
	}
	j := &Journal{path: filepath.Join(dir, "loads.journal"), open: map[string]*Leftover{}}
	if err := j.read(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j.file = f
	return j, nil
}

func (j *Journal) read() error {
	f, err := os.Open(j.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l journalLine
		if json.Unmarshal(lines.Bytes(), &l) == nil { // the last line may be cut off
			j.apply(l)
		}
	}
	return lines.Err()
}

func (j *Journal) apply(l journalLine) {
	if l.Done {
		delete(j.open, l.Load)
		return
	}
	o := j.open[l.Load]
	if o == nil {
		o = &Leftover{Load: l.Load, UID: l.UID}
		j.open[l.Load] = o
	}
	o.Committed = o.Committed || l.Committed
	if l.Fileset != 0 {
		o.Filesets = append(o.Filesets, l.Fileset)
	}
	if l.File != 0 {
		o.Files = append(o.Files, l.File)
	}
}

func (j *Journal) write(l journalLine) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.apply(l)
	if len(j.open) == 0 {
		// Nothing is left to remember: begin anew instead of growing for ever.
		if err := j.file.Truncate(0); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		return nil
	}
	if _, err := j.file.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Begin notes that a load of a user is about to make something in OMERO. It
// comes first, because a program may be killed between making a thing and
// noting it; such things are found by their mark.
func (j *Journal) Begin(load string, uid uint32) error {
	if j.Has(load) {
		return nil
	}
	return j.write(journalLine{Load: load, UID: uid})
}

// Has says whether a load may have made something in OMERO and is not done.
func (j *Journal) Has(load string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.open[load] != nil
}

// Fileset notes a fileset that a load of a user has begun to import.
func (j *Journal) Fileset(load string, uid uint32, id int64) error {
	return j.write(journalLine{Load: load, UID: uid, Fileset: id})
}

// File notes an original file that a load has stored.
func (j *Journal) File(load string, uid uint32, id int64) error {
	return j.write(journalLine{Load: load, UID: uid, File: id})
}

// Committed notes that a load has made its objects, and has left marks on them.
func (j *Journal) Committed(load string) error {
	return j.write(journalLine{Load: load, Committed: true})
}

// Done notes that a load has ended, with or without success, and has left
// nothing that does not belong there.
func (j *Journal) Done(load string) error {
	return j.write(journalLine{Load: load, Done: true})
}

// Recover has discard remove what each load of an earlier mount has left.
// What cannot be removed stays for the next time; the errors are joined.
func (j *Journal) Recover(ctx context.Context, discard func(context.Context, Leftover) error) error {
	j.mu.Lock()
	var left []Leftover
	for _, o := range j.open {
		left = append(left, *o)
	}
	j.mu.Unlock()
	var errs []error
	for _, o := range left {
		if err := discard(ctx, o); err != nil {
			errs = append(errs, fmt.Errorf("load %s: %w", o.Load, err))
			continue
		}
		errs = append(errs, j.Done(o.Load))
	}
	return errors.Join(errs...)
}

// Close closes the journal.
func (j *Journal) Close() error { return j.file.Close() }
