package store

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// The journal is one file: a header, then records of a length, a checksum and
// a JSON payload, each one transaction. A process that dies in the middle of a
// write leaves a torn last record, which the next start cuts off. When most of
// the journal is history, opening it writes a new one that holds the current
// rows only and renames it into place.

const (
	journalName   = "objects.journal"
	journalHeader = "omerods objects 1\n"
	maxRecord     = 1 << 30
	compactAbove  = 20000 // rows of history below which compacting is not worth it
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// ErrLocked means that another process has the store open.
var ErrLocked = errors.New("store is in use by another process")

type journal struct {
	file   *os.File
	broken error // the first failed write; nothing is accepted after it
}

// record is the payload: the objects a transaction wrote, and in a compacted
// journal the next ids.
type record struct {
	Rows []storedRow      `json:"r,omitempty"`
	Next map[string]int64 `json:"n,omitempty"`
}

func (s *Store) openJournal(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, journalName)
	f, err := lockFile(path)
	if err != nil {
		return err
	}
	history, end, err := s.replay(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	live := 0
	for _, t := range s.tables {
		live += len(t.rows)
	}
	if history > compactAbove && history > 2*live {
		compacted, err := s.compact(path)
		if err != nil {
			return errors.Join(fmt.Errorf("compact journal: %w", err), f.Close())
		}
		s.journal = &journal{file: compacted}
		return f.Close()
	}
	if err := f.Truncate(end); err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err := f.Seek(end, io.SeekStart); err != nil {
		return errors.Join(err, f.Close())
	}
	s.journal = &journal{file: f}
	return nil
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrLocked, f.Close())
	}
	return f, nil
}

// replay applies the journal to the empty store. It returns the number of rows
// read and the offset behind the last whole record.
func (s *Store) replay(f *os.File) (history int, end int64, err error) {
	header := make([]byte, len(journalHeader))
	switch n, err := io.ReadFull(f, header); {
	case n == 0 && err == io.EOF, err == io.ErrUnexpectedEOF && bytes.HasPrefix([]byte(journalHeader), header[:n]):
		_, err := f.WriteAt([]byte(journalHeader), 0)
		return 0, int64(len(journalHeader)), err
	case err != nil || string(header) != journalHeader:
		return 0, 0, fmt.Errorf("%s is no object journal", f.Name())
	}
	end = int64(len(journalHeader))
	in := bufio.NewReaderSize(f, 1<<16)
	for {
		payload, ok := readRecord(in)
		if !ok {
			return history, end, nil
		}
		var rec record
		if err := json.Unmarshal(payload, &rec); err != nil {
			return 0, 0, fmt.Errorf("journal at %d: %w", end, err)
		}
		for _, sr := range rec.Rows {
			if err := s.restore(sr); err != nil {
				return 0, 0, fmt.Errorf("journal at %d: %w", end, err)
			}
			history++
		}
		for name, next := range rec.Next {
			if c := s.model.Class(name); c != nil {
				s.tables[c.Root].next = max(s.tables[c.Root].next, next)
			}
		}
		end += int64(len(payload)) + 8
	}
}

func (s *Store) restore(sr storedRow) error {
	c := s.model.Class(sr.Class)
	if c == nil {
		return fmt.Errorf("unknown class %s", sr.Class)
	}
	if sr.Gone {
		s.tables[c.Root].set(sr.ID, nil)
		return nil
	}
	row, err := sr.row(c)
	if err != nil {
		return err
	}
	s.tables[c.Root].set(row.ID, row)
	return nil
}

// readRecord reads one record; ok is false at the end and at a torn one.
func readRecord(r io.Reader) (payload []byte, ok bool) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, false
	}
	n := binary.LittleEndian.Uint32(head[:4])
	if n > maxRecord {
		return nil, false
	}
	var buf bytes.Buffer
	if m, err := io.CopyN(&buf, r, int64(n)); err != nil || m != int64(n) {
		return nil, false
	}
	if crc32.Checksum(buf.Bytes(), crcTable) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, false
	}
	return buf.Bytes(), true
}

func writeRecord(w io.Writer, rec record) error {
	payload, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	out := make([]byte, 8, 8+len(payload))
	binary.LittleEndian.PutUint32(out[:4], uint32(len(payload)))
	binary.LittleEndian.PutUint32(out[4:], crc32.Checksum(payload, crcTable))
	_, err = w.Write(append(out, payload...))
	return err
}

// commit appends what the transaction wrote in one write call, which survives
// the death of the process.
func (j *journal) commit(tx *Tx) error {
	if j.broken != nil {
		return j.broken
	}
	var rec record
	err := tx.changed(func(tab *table, id int64, now *Row) error {
		if now == nil {
			rec.Rows = append(rec.Rows, storedRow{Class: tab.root.Name, ID: id, Gone: true})
			return nil
		}
		rec.Rows = append(rec.Rows, store(now))
		return nil
	})
	if err != nil {
		return err
	}
	if err := writeRecord(j.file, rec); err != nil {
		j.broken = fmt.Errorf("write journal: %w", err)
		return j.broken
	}
	return nil
}

func (j *journal) close() error { return errors.Join(j.file.Sync(), j.file.Close()) }

// compact writes the current rows as a new journal and returns it, locked and
// in place of the old one.
func (s *Store) compact(path string) (*os.File, error) {
	f, err := lockFile(path + ".new")
	if err != nil {
		return nil, err
	}
	if err := s.writeAll(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *Store) writeAll(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteString(journalHeader); err != nil {
		return err
	}
	rec := record{Next: make(map[string]int64)}
	for c, tab := range s.tables {
		rec.Next[c.Name] = tab.next
		for _, id := range tab.ids {
			rec.Rows = append(rec.Rows, store(tab.rows[id]))
			if len(rec.Rows) == 1000 {
				if err := writeRecord(f, rec); err != nil {
					return err
				}
				rec = record{Next: make(map[string]int64)}
				rec.Next[c.Name] = tab.next
			}
		}
	}
	return writeRecord(f, rec)
}
