package store

import (
	"iter"
	"slices"
	"sort"
)

// Tx is a transaction. It is valid within the function it was given to and
// must stay on one goroutine.
type Tx struct {
	s     *Store
	write bool
	undo  []change
}

type change struct {
	table *table
	id    int64
	old   *Row // nil when the row was inserted
}

// Model returns the object model.
func (t *Tx) Model() *Model { return t.s.model }

// Now returns the time of the store's clock.
func (t *Tx) Now() Time { return Time(t.s.now().UnixMilli()) }

// Get returns the object of a class or its subclasses with that id, or nil.
func (t *Tx) Get(c *Class, id int64) *Row {
	row := t.s.tables[c.Root].rows[id]
	if row == nil || !row.Class.IsA(c) {
		return nil
	}
	return row
}

// Rows returns the objects of a class and its subclasses by ascending id.
// Within an Update it goes over the objects there were when it began.
func (t *Tx) Rows(c *Class) iter.Seq[*Row] {
	tab := t.s.tables[c.Root]
	ids := tab.ids
	if t.write {
		ids = slices.Clone(ids)
	}
	return func(yield func(*Row) bool) {
		for _, id := range ids {
			row := tab.rows[id]
			if row == nil || c != c.Root && !row.Class.IsA(c) {
				continue
			}
			if !yield(row) {
				return
			}
		}
	}
}

// RefIDs returns, ascending, the ids of the objects whose association p names
// the target. The caller must not change the result, which is valid until the
// next write.
func (t *Tx) RefIDs(p *Property, target int64) []int64 {
	if p.Class == nil {
		return nil
	}
	return t.s.tables[p.Class.Root].refs[p][target]
}

// TextIDs returns, ascending, the ids of the objects with that text in p; ok
// is false when the column has no index.
func (t *Tx) TextIDs(p *Property, text string) (ids []int64, ok bool) {
	if p.Class == nil || !textIndexed(p) {
		return nil, false
	}
	return t.s.tables[p.Class.Root].texts[p][text], true
}

// Collection returns the elements of the to-many property p of an owner, in
// their order.
func (t *Tx) Collection(p *Property, owner int64) []*Row {
	ids := t.RefIDs(p.Inverse, owner)
	rows := make([]*Row, 0, len(ids))
	for _, id := range ids {
		if row := t.Get(p.Target, id); row != nil {
			rows = append(rows, row)
		}
	}
	if p.Ordered {
		sort.SliceStable(rows, func(i, j int) bool { return rows[i].Position < rows[j].Position })
	}
	return rows
}

// Reserve gives out an id of a class, to be used by one Insert.
func (t *Tx) Reserve(c *Class) int64 {
	tab := t.s.tables[c.Root]
	id := tab.next
	tab.next++
	return id
}

// Insert adds an object, giving it an id when it has None.
func (t *Tx) Insert(row *Row) *Row {
	if row.ID == None {
		row.ID = t.Reserve(row.Class)
	}
	if row.Position == int32(None) {
		row.Position = t.lastPosition(row) + 1
	}
	t.set(row.Class, row.ID, row)
	return row
}

// lastPosition returns the highest position in the ordered collection that the
// row belongs to, None when there is none.
func (t *Tx) lastPosition(row *Row) int32 {
	last := int32(None)
	for c := row.Class; c != nil; c = c.Base {
		for _, p := range c.ordered {
			owner, ok := row.Value(p.Inverse).(int64)
			if !ok {
				continue
			}
			for _, id := range t.RefIDs(p.Inverse, owner) {
				last = max(last, t.Get(p.Target, id).Position)
			}
		}
	}
	return last
}

// Put replaces the object with the row's id.
func (t *Tx) Put(row *Row) { t.set(row.Class, row.ID, row) }

// Delete removes an object.
func (t *Tx) Delete(row *Row) { t.set(row.Class, row.ID, nil) }

func (t *Tx) set(c *Class, id int64, row *Row) {
	if !t.write {
		panic("store: write in a read transaction") // a caller's mistake, whatever the data
	}
	tab := t.s.tables[c.Root]
	t.undo = append(t.undo, change{tab, id, tab.set(id, row)})
}

func (t *Tx) rollback() {
	for _, c := range slices.Backward(t.undo) {
		c.table.set(c.id, c.old)
	}
	t.undo = nil
}

// changed returns each object that was written once, with what it is now; nil
// when it is gone.
func (t *Tx) changed(fn func(tab *table, id int64, now *Row) error) error {
	type key struct {
		tab *table
		id  int64
	}
	seen := make(map[key]bool, len(t.undo))
	for _, c := range t.undo {
		if k := (key{c.table, c.id}); !seen[k] {
			seen[k] = true
			if err := fn(c.table, c.id, c.table.rows[c.id]); err != nil {
				return err
			}
		}
	}
	return nil
}
