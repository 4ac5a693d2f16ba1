package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Dump returns the replicas at or below a path, and lines that describe
// everything there but ids and times: collections, data objects, who may do
// what, attributes. Paths in the lines are relative.
func (t *Tx) Dump(p string) ([]Replica, []string, error) {
	var lines []string
	names := map[int64]string{}
	rel := func(full string) string { return "." + strings.TrimPrefix(full, p) }
	err := t.query(func(scan func(...any) error) error {
		var id int64
		var name, owner, inherit string
		if err := scan(&id, &name, &owner, &inherit); err != nil {
			return err
		}
		names[id] = rel(name)
		lines = append(lines, fmt.Sprintf("%s collection of %s %s", rel(name), owner, inherit))
		return nil
	}, `SELECT id, name, owner_name, inherit FROM collections WHERE name = ? OR substr(name, 1, ?) = ?`, p, len([]rune(p))+1, p+"/")
	if err != nil {
		return nil, nil, err
	}
	all, err := t.replicas(`WHERE c.name = ? OR substr(c.name, 1, ?) = ? OR c.name = ? AND d.name = ?`,
		p, len([]rune(p))+1, p+"/", path.Dir(p), path.Base(p))
	if err != nil {
		return nil, nil, err
	}
	for _, r := range all {
		names[r.ID] = rel(r.LogicalPath())
		lines = append(lines, fmt.Sprintf("%s replica %d of %s on %s: state %d, %d bytes, %s",
			names[r.ID], r.Number, r.OwnerName, r.Resc, r.State, r.Size, r.Checksum))
	}
	for id, name := range names {
		err := t.query(func(scan func(...any) error) error {
			var user string
			var level int
			if err := scan(&user, &level); err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("%s %s may %d", name, user, level))
			return nil
		}, `SELECT u.name, a.level FROM access a JOIN users u ON u.id = a.user_id WHERE a.object_id = ?`, id)
		if err != nil {
			return nil, nil, err
		}
		err = t.query(func(scan func(...any) error) error {
			var v AVU
			if err := scan(&v.Name, &v.Value, &v.Unit); err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("%s has %s=%s %s", name, v.Name, v.Value, v.Unit))
			return nil
		}, `SELECT v.name, v.value, v.unit FROM avu_map m JOIN avus v ON v.id = m.avu_id WHERE m.object_id = ?`, id)
		if err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(lines)
	return all, lines, nil
}
