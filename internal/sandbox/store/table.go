package store

import "slices"

// table holds the rows of a root class and all its subclasses, which share one
// sequence of ids.
type table struct {
	root  *Class
	rows  map[int64]*Row
	ids   []int64 // ascending
	next  int64   // next id to give out
	refs  map[*Property]map[int64][]int64
	texts map[*Property]map[string][]int64
}

// textIndexes lists the text columns that are looked up by value.
var textIndexes = map[string]bool{
	"Experimenter.omeName": true, "ExperimenterGroup.name": true, "Session.uuid": true,
	"OriginalFile.path": true, "Annotation.ns": true,
}

func newTable(root *Class) *table {
	return &table{
		root: root, rows: make(map[int64]*Row), next: 1,
		refs: make(map[*Property]map[int64][]int64), texts: make(map[*Property]map[string][]int64),
	}
}

// Indexed reports whether a text column is found by value without a scan.
func Indexed(p *Property) bool { return textIndexed(p) }

func textIndexed(p *Property) bool {
	return p.Kind == KindString && (textIndexes[p.String()] || p.Class != nil && p.Class.Enum && p.Name == "value")
}

// set puts a row in place of the one with the same id, nil removes it, and
// returns what was there.
func (t *table) set(id int64, row *Row) *Row {
	old := t.rows[id]
	if old != nil {
		t.unindex(old)
	}
	if row == nil {
		delete(t.rows, id)
		t.ids = removeID(t.ids, id)
		return old
	}
	if old == nil {
		t.ids = insertID(t.ids, id)
		t.next = max(t.next, id+1)
	}
	t.rows[id] = row
	t.index(row)
	return old
}

func (t *table) index(row *Row) {
	for i, p := range row.Class.stored {
		switch v := row.Values[i].(type) {
		case int64:
			if p.Kind == KindToOne {
				m := t.refs[p]
				if m == nil {
					m = make(map[int64][]int64)
					t.refs[p] = m
				}
				m[v] = insertID(m[v], row.ID)
			}
		case string:
			if textIndexed(p) {
				m := t.texts[p]
				if m == nil {
					m = make(map[string][]int64)
					t.texts[p] = m
				}
				m[v] = insertID(m[v], row.ID)
			}
		}
	}
}

func (t *table) unindex(row *Row) {
	for i, p := range row.Class.stored {
		switch v := row.Values[i].(type) {
		case int64:
			if p.Kind == KindToOne {
				drop(t.refs[p], v, row.ID)
			}
		case string:
			if textIndexed(p) {
				drop(t.texts[p], v, row.ID)
			}
		}
	}
}

func drop[K comparable](m map[K][]int64, key K, id int64) {
	if ids := removeID(m[key], id); len(ids) == 0 {
		delete(m, key)
	} else {
		m[key] = ids
	}
}

func insertID(ids []int64, id int64) []int64 {
	if n := len(ids); n == 0 || ids[n-1] < id {
		return append(ids, id)
	}
	i, found := slices.BinarySearch(ids, id)
	if found {
		return ids
	}
	return slices.Insert(ids, i, id)
}

func removeID(ids []int64, id int64) []int64 {
	i, found := slices.BinarySearch(ids, id)
	if !found {
		return ids
	}
	return slices.Delete(ids, i, i+1)
}
