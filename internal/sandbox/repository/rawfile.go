package repository

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"omerods/internal/sandbox/store"
)

// RawFile is the content of an OriginalFile, opened for reading and perhaps
// writing. Its methods may be called by many goroutines; they run one after
// another.
type RawFile struct {
	m  *Managed
	id int64

	mu       sync.Mutex // guards the fields below
	f        *os.File
	writable bool
	dirty    bool
	closed   bool
}

// OpenRaw opens the content of a file. A writable one is made on the disk when
// it is not there yet.
func (m *Managed) OpenRaw(id int64, writable bool) (*RawFile, error) {
	row := m.store.Get("OriginalFile", id)
	if row == nil {
		return nil, fmt.Errorf("no file %d", id)
	}
	if row.Text("mimetype") == directoryType {
		return nil, fmt.Errorf("file %d is a directory", id)
	}
	flag := os.O_RDONLY
	if writable {
		flag = os.O_RDWR | os.O_CREATE
	}
	f, err := m.open(row, flag)
	if err != nil {
		return nil, err
	}
	return &RawFile{m: m, id: id, f: f, writable: writable}, nil
}

// ID returns the id of the OriginalFile.
func (r *RawFile) ID() int64 { return r.id }

// Size returns the number of bytes on the disk.
func (r *RawFile) Size() (int64, error) {
	info, err := r.f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Read fills b from a position on; what lies beyond the end is zero.
func (r *RawFile) Read(b []byte, at int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.f.ReadAt(b, at)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read file %d: %w", r.id, err)
	}
	clear(b[n:])
	return nil
}

// Write stores bytes at a position.
func (r *RawFile) Write(b []byte, at int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirty = true
	if _, err := r.f.WriteAt(b, at); err != nil {
		return fmt.Errorf("write file %d: %w", r.id, err)
	}
	return nil
}

// Truncate shortens the file; it reports whether that was necessary.
func (r *RawFile) Truncate(n int64) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size, err := r.Size()
	if err != nil || size <= n {
		return false, err
	}
	r.dirty = true
	if err := r.f.Truncate(n); err != nil {
		return false, fmt.Errorf("truncate file %d: %w", r.id, err)
	}
	return true, nil
}

// Save records size, checksum and time of what was written; nil when nothing
// was written since the last time.
func (r *RawFile) Save(actor store.Actor) (*store.Row, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.save(actor)
}

func (r *RawFile) save(actor store.Actor) (*store.Row, error) {
	if !r.dirty {
		return nil, nil
	}
	size, err := r.Size()
	if err != nil {
		return nil, err
	}
	old := r.m.store.Get("OriginalFile", r.id)
	if old == nil {
		return nil, fmt.Errorf("no file %d", r.id)
	}
	algorithm := r.m.algorithm(old)
	sum, err := sumOf(algorithm, io.NewSectionReader(r.f, 0, size))
	if err != nil {
		return nil, fmt.Errorf("read file %d: %w", r.id, err)
	}
	var row *store.Row
	err = r.m.store.Write(actor, func(a *store.Author) error {
		old := a.Tx().Get(old.Class, r.id)
		if old == nil {
			return fmt.Errorf("no file %d", r.id)
		}
		row = old.Clone()
		v := store.Values{"size": size, "mtime": r.m.store.Now()}
		if sum != "" {
			v["hash"] = sum
		}
		if err := a.Tx().Fill(row, v); err != nil {
			return err
		}
		a.Update(row)
		return nil
	})
	if err == nil {
		r.dirty = false
	}
	return row, err
}

// Close saves what was written and frees the file. It may be called twice.
func (r *RawFile) Close(actor store.Actor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	_, err := r.save(actor)
	if cerr := r.f.Close(); err == nil {
		err = cerr
	}
	return err
}

// algorithm returns the name of a file's checksum algorithm, "" for none.
func (m *Managed) algorithm(file *store.Row) string {
	if row := m.store.Get("ChecksumAlgorithm", file.Ref("hasher")); row != nil {
		return row.Text("value")
	}
	return ""
}

// Checksum computes the checksum of a file's bytes by its own algorithm.
func (m *Managed) Checksum(file *store.Row) (string, error) {
	f, err := m.open(file, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return sumOf(m.algorithm(file), f)
}

// AddFile stores bytes that belong to an annotation and returns their
// OriginalFile.
func (m *Managed) AddFile(actor store.Actor, name, dir, mimetype string, data []byte) (*store.Row, error) {
	var row *store.Row
	err := m.store.Write(actor, func(a *store.Author) error {
		var err error
		row, err = a.Create("OriginalFile", store.Values{
			"name": name, "path": dir, "mimetype": mimetype, "size": len(data), "hasher": DefaultAlgorithm, "mtime": time.Time(m.store.Now()),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	f, err := m.OpenRaw(row.ID, true)
	if err != nil {
		return nil, err
	}
	err = f.Write(data, 0)
	if cerr := f.Close(actor); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	return m.store.Get("OriginalFile", row.ID), nil
}
