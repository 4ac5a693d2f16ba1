// Package catalog is the catalogue of the sandbox's iRODS server: zones,
// users, resources, collections, replicas, access, AVUs, tickets and quotas
// in one SQLite file. Rights are checked here; errors are status codes.
package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "modernc.org/sqlite" // the "sqlite" driver

	"omerods/internal/sandbox/irodsd/status"
)

// Catalog is an open catalogue. It is safe for concurrent use: any number of
// views, one update at a time.
type Catalog struct {
	zone   string
	clock  func() time.Time
	db     *sql.DB
	writer chan *conn // holds the one connection that updates, when it is free
	reader chan *conn // the free connections for views
}

// conn is one connection with the statements prepared on it.
type conn struct {
	sql   *sql.Conn
	begin string
	stmts map[string]*sql.Stmt
}

const (
	readers       = 4   // views that run at once
	maxStatements = 300 // kept per connection; general queries make new texts for ever
)

// Open opens or creates the catalogue file for a zone. What it holds after a
// crash is every update that had returned.
func Open(ctx context.Context, file, zone string, clock func() time.Time) (*Catalog, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(NORMAL)&_pragma=case_sensitive_like(ON)&_pragma=cache_size(-16000)")
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	c := &Catalog{zone: zone, clock: clock, db: db, writer: make(chan *conn, 1), reader: make(chan *conn, readers)}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("create catalogue: %w", err)
	}
	for i := range readers + 1 {
		sc, err := db.Conn(ctx)
		if err != nil {
			_ = c.Close()
			return nil, fmt.Errorf("open catalogue: %w", err)
		}
		if i == 0 {
			c.writer <- &conn{sql: sc, begin: "BEGIN IMMEDIATE", stmts: make(map[string]*sql.Stmt)}
		} else {
			c.reader <- &conn{sql: sc, begin: "BEGIN", stmts: make(map[string]*sql.Stmt)}
		}
	}
	return c, nil
}

// Close closes the file; running transactions must have ended.
func (c *Catalog) Close() error {
	var errs []error
	for _, free := range []chan *conn{c.writer, c.reader} {
		for len(free) > 0 {
			k := <-free
			for _, s := range k.stmts {
				errs = append(errs, s.Close())
			}
			errs = append(errs, k.sql.Close())
		}
	}
	return errors.Join(append(errs, c.db.Close())...)
}

// Tx is one transaction. An update whose function returns an error leaves no
// trace.
type Tx struct {
	ctx  context.Context
	cat  *Catalog
	conn *conn
}

// View runs fn on one snapshot.
func (c *Catalog) View(ctx context.Context, fn func(*Tx) error) error {
	return c.run(ctx, c.reader, fn)
}

// Update runs fn as the only writer and commits what it did if it returns nil.
func (c *Catalog) Update(ctx context.Context, fn func(*Tx) error) error {
	return c.run(ctx, c.writer, fn)
}

func (c *Catalog) run(ctx context.Context, free chan *conn, fn func(*Tx) error) error {
	var k *conn
	select {
	case k = <-free:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { free <- k }()
	t := &Tx{ctx: ctx, cat: c, conn: k}
	if _, err := t.exec(k.begin); err != nil {
		return err
	}
	err := fn(t)
	if err == nil {
		_, err = t.exec("COMMIT")
	}
	if err != nil {
		t.ctx = context.WithoutCancel(ctx)
		_, undo := t.exec("ROLLBACK")
		return withUndo(err, undo)
	}
	return nil
}

// withUndo adds a failed rollback only to errors that are the database's own:
// a status must stay what it is.
func withUndo(err, undo error) error {
	var code status.Code
	if undo == nil || errors.As(err, &code) {
		return err
	}
	return errors.Join(err, undo)
}

// Zone returns the name of the zone.
func (c *Catalog) Zone() string { return c.zone }

// Now returns the time as the catalogue stores it.
func (c *Catalog) Now() string { return Stamp(c.clock()) }

// Stamp writes a time as eleven digits of seconds.
func Stamp(t time.Time) string { return fmt.Sprintf("%011d", t.Unix()) }

func (t *Tx) now() string { return t.cat.Now() }

// prepare returns the statement kept for a text. Beyond the bound all are
// dropped and the frequent ones come back by themselves.
func (t *Tx) prepare(text string) (*sql.Stmt, error) {
	if s, ok := t.conn.stmts[text]; ok {
		return s, nil
	}
	if len(t.conn.stmts) >= maxStatements {
		for key, s := range t.conn.stmts {
			_ = s.Close()
			delete(t.conn.stmts, key)
		}
	}
	s, err := t.conn.sql.PrepareContext(t.ctx, text)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	t.conn.stmts[text] = s
	return s, nil
}

// exec runs a statement and returns the number of rows it changed.
func (t *Tx) exec(text string, args ...any) (int64, error) {
	s, err := t.prepare(text)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("catalogue: %w", err)
	}
	return res.RowsAffected()
}

// query calls each with a scanner for every row. Within it no other statement
// may run on this transaction with the same text.
func (t *Tx) query(each func(scan func(...any) error) error, text string, args ...any) error {
	s, err := t.prepare(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(t.ctx, args...)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	return nil
}

// row reads the first row into dest; missing is the error when there is none.
func (t *Tx) row(missing error, dest []any, text string, args ...any) error {
	found := false
	err := t.query(func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(dest...)
	}, text, args...)
	if err == nil && !found {
		return missing
	}
	return err
}

// ids reads a column of numbers.
func (t *Tx) ids(text string, args ...any) ([]int64, error) {
	var out []int64
	err := t.query(func(scan func(...any) error) error {
		var id int64
		out = append(out, 0)
		if err := scan(&id); err != nil {
			return err
		}
		out[len(out)-1] = id
		return nil
	}, text, args...)
	return out, err
}

func (t *Tx) exists(text string, args ...any) (bool, error) {
	found, err := t.ids(text, args...)
	return len(found) > 0, err
}

// nextID takes a number from the sequence.
func (t *Tx) nextID() (int64, error) {
	var id int64
	err := t.row(status.CatalogSQL, []any{&id}, `UPDATE sequence SET next = next + 1 RETURNING next - 1`)
	return id, err
}
