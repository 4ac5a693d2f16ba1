// Package genquery turns the general queries of the iRODS protocol (API 702)
// into SQL over the sandbox catalogue: columns by number, conditions as text,
// joins found from the columns that are named.
package genquery

import (
	"fmt"
	"strings"

	"omerods/internal/sandbox/irodsd/status"
)

// Options of a request.
const (
	OptTotalRows  = 0x20
	OptNoDistinct = 0x40
	OptAutoClose  = 0x100
	OptUpperCase  = 0x200
)

const (
	orderAscending  = 0x400
	orderDescending = 0x800
)

// readLevel is the access level from which a row is visible (read_object).
const readLevel = 1050

// Select is one wanted column with its aggregate and order bits.
type Select struct {
	Column int
	Bits   int
}

// Where is one condition on a column.
type Where struct {
	Column int
	Text   string
}

// Request is a general query without its paging.
type Request struct {
	Select  []Select
	Where   []Where
	Options int
}

// Viewer is for whom rows are looked up. Users other than administrators see
// only collections and objects that they or a group of theirs may read.
type Viewer struct {
	UserID   int64
	Everyone bool // an administrator: no restriction
	Ticket   *Ticket
}

// Ticket is what a session ticket opens besides the viewer's own rights: one
// object with the collection it lies in, or everything below a collection.
type Ticket struct {
	ObjectID     int64
	CollectionID int64
	Root         string // path, if the ticket is for a collection
}

// Query is the SQL of a request. An Empty one has no rows whatever the
// catalogue holds.
type Query struct {
	SQL   string
	Args  []any
	Empty bool
}

// aggregates by the low bits of a select value.
var aggregates = map[int]string{2: "MIN", 3: "MAX", 4: "SUM", 5: "AVG", 6: "COUNT"}

// Translate writes the SQL for a request as seen by v. Errors carry a status
// code: an unknown column or a condition that cannot be read.
func Translate(r Request, v Viewer) (Query, error) {
	if len(r.Select) == 0 {
		return Query{}, status.InvalidArgument
	}
	var b builder
	for _, s := range r.Select {
		if err := b.selectColumn(s); err != nil {
			return Query{}, err
		}
	}
	for _, w := range r.Where {
		if err := b.condition(w, r.Options&OptUpperCase != 0); err != nil {
			return Query{}, err
		}
	}
	from, on, ok := join(b.wanted)
	if !ok {
		return Query{Empty: true}, nil
	}
	b.where = append(b.where, on...)
	b.restrict(from, v)
	return Query{SQL: b.sql(from, r.Options), Args: append(b.args, b.aclArgs...)}, nil
}

type builder struct {
	exprs   []string
	plain   []string // what to group by when there is an aggregate
	order   []string
	agg     bool
	wanted  []string // tables of selected and compared columns, in order
	picked  map[int]bool
	where   []string
	args    []any
	aclArgs []any
}

func (b *builder) want(table string) {
	for _, t := range b.wanted {
		if t == table {
			return
		}
	}
	b.wanted = append(b.wanted, table)
}

func (b *builder) selectColumn(s Select) error {
	col, ok := columns[s.Column]
	if !ok {
		return status.Errorf(status.UnknownColumn, "column %d is unknown", s.Column)
	}
	b.want(col.table)
	expr := col.expr
	if fn, ok := aggregates[s.Bits&0xff]; ok {
		expr = fmt.Sprintf("%s(%s)", fn, expr)
		b.agg = true
	} else {
		b.plain = append(b.plain, expr)
		if b.picked == nil {
			b.picked = make(map[int]bool)
		}
		b.picked[s.Column] = true
	}
	b.exprs = append(b.exprs, expr)
	switch {
	case s.Bits&orderDescending != 0:
		b.order = append(b.order, expr+" DESC")
	case s.Bits&orderAscending != 0:
		b.order = append(b.order, expr)
	}
	return nil
}

func (b *builder) condition(w Where, upper bool) error {
	col, ok := columns[w.Column]
	if !ok {
		return status.Errorf(status.UnknownColumn, "column %d is unknown", w.Column)
	}
	terms, err := parseCondition(w.Text)
	if err != nil {
		return err
	}
	b.want(col.table)
	var text strings.Builder
	text.WriteByte('(')
	for _, t := range terms {
		if t.join != "" {
			fmt.Fprintf(&text, " %s ", t.join)
		}
		sql, args := t.sqlFor(col.expr, upper)
		text.WriteString(sql)
		b.args = append(b.args, args...)
	}
	text.WriteByte(')')
	// Conditions come before everything whose values are in aclArgs.
	b.where = append(b.where, text.String())
	return nil
}

// restrict hides what the viewer may not read: rows of the object table and
// rows of the collection table, each by its own access entries.
func (b *builder) restrict(from []string, v Viewer) {
	if v.Everyone {
		return
	}
	const readable = `EXISTS (SELECT 1 FROM access a WHERE a.object_id = %s.id AND a.level >= %d
		AND a.user_id IN (SELECT group_id FROM members WHERE user_id = ?))`
	const below = `SELECT id FROM collections WHERE name = ? OR substr(name, 1, length(?) + 1) = ? || '/'`
	for _, t := range from {
		switch t {
		case "d", "c":
			cond := fmt.Sprintf(readable, t, readLevel)
			b.aclArgs = append(b.aclArgs, v.UserID)
			if k := v.Ticket; k != nil && t == "d" {
				cond = fmt.Sprintf("(%s OR d.id = ? OR d.coll_id IN (%s))", cond, below)
				b.aclArgs = append(b.aclArgs, k.ObjectID, k.Root, k.Root, k.Root)
			} else if k != nil {
				cond = fmt.Sprintf("(%s OR c.id = ? OR c.id IN (%s))", cond, below)
				b.aclArgs = append(b.aclArgs, k.CollectionID, k.Root, k.Root, k.Root)
			}
			b.where = append(b.where, cond)
		case "t":
			b.where = append(b.where, "t.user_id = ?")
			b.aclArgs = append(b.aclArgs, v.UserID)
		}
	}
}

func (b *builder) sql(from []string, options int) string {
	var s strings.Builder
	s.WriteString("SELECT ")
	if options&OptNoDistinct == 0 && !b.unique(from) {
		s.WriteString("DISTINCT ")
	}
	s.WriteString(strings.Join(b.exprs, ", "))
	s.WriteString(" FROM ")
	for i, t := range from {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(tables[t] + " " + t)
	}
	if len(b.where) > 0 {
		s.WriteString(" WHERE " + strings.Join(b.where, " AND "))
	}
	if b.agg && len(b.plain) > 0 {
		s.WriteString(" GROUP BY " + strings.Join(b.plain, ", "))
	}
	if len(b.order) > 0 {
		s.WriteString(" ORDER BY " + strings.Join(b.order, ", "))
	}
	return s.String()
}

// unique tells whether the rows differ anyway, so that sorting out duplicates
// would only cost time: the key of the object or collection table is selected
// and every joined table has at most one row for it.
func (b *builder) unique(from []string) bool {
	if b.agg {
		return false
	}
	objects := b.picked[401] && b.picked[404]
	collections := b.picked[500] || b.picked[501]
	for _, t := range from {
		switch t {
		case "d":
			collections = false
		case "c":
		case "r":
			collections = false
		default:
			return false
		}
	}
	hasObjects := false
	for _, t := range from {
		hasObjects = hasObjects || t == "d"
	}
	return objects && hasObjects || collections
}
