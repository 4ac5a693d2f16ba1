// Package store is the database of the sandbox's OMERO server: an in-memory
// object store for the model classes of the Slice definitions.
//
// A Store holds immutable rows. Transactions (View, Update) see a consistent
// state; an Update is applied whole or not at all and, with a folder given, is
// in the journal before it returns. Foreign keys, the unique constraints and
// the required members are checked when a transaction commits, so that the
// objects of a graph may be inserted in any order. Every to-one association
// and a few text columns have an index.
//
// The package knows nothing of sessions and permissions.
package store

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"omerods/internal/ice"
)

// Config says how to open a store.
type Config struct {
	// Dir is where the journal lives; empty keeps everything in memory.
	Dir string
	// Definitions is the object model.
	Definitions *ice.Definitions
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Store is an object store. Its methods may be called by many goroutines.
type Store struct {
	model *Model
	now   func() time.Time

	mu      sync.RWMutex // guards the fields below; held for a whole transaction
	tables  map[*Class]*table
	journal *journal // nil in memory
	closed  bool
}

// ErrClosed is returned by transactions on a closed store.
var ErrClosed = errors.New("store closed")

// Open reads the store in a folder, or makes one with the enumerations, the
// groups system, user and guest, and the users root and guest.
func Open(c Config) (*Store, error) {
	model, err := NewModel(c.Definitions)
	if err != nil {
		return nil, err
	}
	s := &Store{model: model, now: c.Now, tables: make(map[*Class]*table)}
	if s.now == nil {
		s.now = time.Now
	}
	for _, class := range model.Classes() {
		if class.Root == class {
			s.tables[class] = newTable(class)
		}
	}
	if c.Dir != "" {
		if err := s.openJournal(c.Dir); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	if err := s.bootstrap(); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare store: %w", err), s.Close())
	}
	return s, nil
}

// Model returns the object model.
func (s *Store) Model() *Model { return s.model }

// Now returns the time of the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// Close ends the store. It may be called twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// View runs fn on a state that does not change meanwhile. Rows may be kept
// after it, the transaction may not.
func (s *Store) View(fn func(tx *Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrClosed
	}
	return fn(&Tx{s: s})
}

// Update runs fn and commits what it wrote; when fn or the commit fails,
// nothing has changed. A broken rule gives a *ConstraintError.
func (s *Store) Update(fn func(tx *Tx) error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	tx := &Tx{s: s, write: true}
	defer func() {
		if err != nil {
			tx.rollback()
		}
	}()
	if err = fn(tx); err != nil {
		return err
	}
	if err = tx.check(); err != nil {
		return err
	}
	if s.journal == nil || len(tx.undo) == 0 {
		return nil
	}
	return s.journal.commit(tx)
}
