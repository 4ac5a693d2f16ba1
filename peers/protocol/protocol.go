// Package protocol holds the table of operations in docs/protocol.md to what
// tests see on the wire.
package protocol

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// Columns of the table that say by whom an operation was seen.
const (
	Vectors = "vectors"
	Ice     = "Ice"
	OMEROPy = "omero-py"
)

const (
	mark  = "✓"
	first = "operation" // the heading of the first column
)

// Table is the table: for each operation, such as "IQuery.projection", the
// cells of its row by heading.
type Table map[string]map[string]string

// Read reads the table from a page.
func Read(page string) (Table, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	t := make(Table)
	var headings []string
	for line := range strings.Lines(string(text)) {
		cells := cells(line)
		switch {
		case len(cells) == 0:
			headings = nil
		case headings == nil:
			headings = cells
		case headings[0] != first || strings.HasPrefix(cells[0], "---"):
		case len(cells) != len(headings):
			return nil, fmt.Errorf("%s: %d cells under %d headings: %s", page, len(cells), len(headings), line)
		default:
			row := make(map[string]string)
			for i, c := range cells {
				row[headings[i]] = c
			}
			t[strings.Trim(cells[0], "`")] = row
		}
	}
	if len(t) == 0 {
		return nil, fmt.Errorf("%s: no table of operations", page)
	}
	return t, nil
}

// cells are the parts of a line of a table, none of any other line.
func cells(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") || len(line) < 2 {
		return nil
	}
	out := strings.Split(line[1:len(line)-1], "|")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// Rows compares the operations that have a row with those that the client
// has called.
func (t Table) Rows(called map[string]bool) error {
	var errs []error
	for _, op := range slices.Sorted(maps.Keys(called)) {
		if t[op] == nil {
			errs = append(errs, fmt.Errorf("the client calls %s, which has no row", op))
		}
	}
	for _, op := range slices.Sorted(maps.Keys(t)) {
		if !called[op] {
			errs = append(errs, fmt.Errorf("%s has a row, but no test calls it", op))
		}
	}
	return errors.Join(errs...)
}

// Column compares the marks of a column with what was seen. Of operations
// without a row nothing is said.
func (t Table) Column(heading string, seen func(op string) bool) error {
	var errs []error
	for _, op := range slices.Sorted(maps.Keys(t)) {
		cell, ok := t[op][heading]
		switch {
		case !ok:
			return fmt.Errorf("there is no column %q", heading)
		case seen(op) && cell != mark:
			errs = append(errs, fmt.Errorf("%s has no mark under %s, but was seen there", op, heading))
		case !seen(op) && cell != "":
			errs = append(errs, fmt.Errorf("%s has %q under %s, but was not seen there", op, cell, heading))
		}
	}
	return errors.Join(errs...)
}

// Calls collects operations. The zero value is empty.
type Calls struct {
	mu     sync.Mutex
	seen   map[string]bool // guarded by mu
	paused int             // guarded by mu
}

// Note notes an operation.
func (c *Calls) Note(op string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused > 0 {
		return
	}
	if c.seen == nil {
		c.seen = make(map[string]bool)
	}
	c.seen[op] = true
}

// Pause has calls go unnoticed until resume: those of somebody else.
func (c *Calls) Pause() (resume func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.paused--
	})
}

// Seen says whether an operation was noted.
func (c *Calls) Seen(op string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[op]
}

// All are the operations that were noted.
func (c *Calls) All() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

// WholeRun says whether all tests of the package ran: only then is what was
// not seen missing.
func WholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}
