package store

// Find returns the first object of a class, by id, for which match holds, nil
// when there is none.
func (s *Store) Find(class string, match func(*Row) bool) *Row {
	var found *Row
	s.Each(class, func(r *Row) bool {
		if match(r) {
			found = r
		}
		return found == nil
	})
	return found
}

// Get returns the object with that id, or nil.
func (s *Store) Get(class string, id int64) *Row {
	var row *Row
	c := s.model.Class(class)
	if c == nil {
		return nil
	}
	_ = s.View(func(tx *Tx) error { // a closed store has no rows
		row = tx.Get(c, id)
		return nil
	})
	return row
}

// Each calls fn for the objects of a class and its subclasses by ascending id
// until it returns false.
func (s *Store) Each(class string, fn func(*Row) bool) {
	c := s.model.Class(class)
	if c == nil {
		return
	}
	var rows []*Row
	_ = s.View(func(tx *Tx) error { // a closed store has no rows
		for row := range tx.Rows(c) {
			rows = append(rows, row)
		}
		return nil
	})
	for _, row := range rows {
		if !fn(row) {
			return
		}
	}
}

// Count returns the number of objects of a class and its subclasses.
func (s *Store) Count(class string) int {
	n := 0
	s.Each(class, func(*Row) bool { n++; return true })
	return n
}

// Collection returns the elements of a to-many property, such as
// Collection("Fileset", 5, "usedFiles"), in their order.
func (s *Store) Collection(class string, id int64, property string) []*Row {
	c := s.model.Class(class)
	if c == nil || c.Property(property) == nil || c.Property(property).Kind != KindToMany {
		return nil
	}
	var rows []*Row
	_ = s.View(func(tx *Tx) error { // a closed store has no rows
		rows = tx.Collection(c.Property(property), id)
		return nil
	})
	return rows
}

// Write runs fn as an author in one transaction.
func (s *Store) Write(a Actor, fn func(*Author) error) error {
	return s.Update(func(tx *Tx) error { return fn(tx.As(a)) })
}
