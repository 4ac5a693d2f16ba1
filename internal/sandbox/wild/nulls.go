package wild

import (
	"maps"
	"slices"

	"omerods/internal/sandbox/store"
)

// makeNulls takes values away that the server lets a client leave out, though
// hardly one does: of annotations and of the geometry of shapes.
func (m *maker) makeNulls() error {
	names := slices.Sorted(maps.Keys(always))
	names = append(names, "bytes", "points", "d")
	for _, row := range slices.Concat(m.notes, m.shapes) {
		if !m.chance(4) {
			continue
		}
		v := store.Values{}
		for _, name := range names {
			if p := row.Class.Property(name); p != nil && p.Stored() && !p.Required && m.chance(2) {
				v[name] = nil
			}
		}
		if len(v) == 0 {
			continue
		}
		if err := m.change(row, v); err != nil {
			return err
		}
	}
	return nil
}
