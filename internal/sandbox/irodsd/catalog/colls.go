package catalog

import (
	"errors"
	"path"
	"strings"

	"omerods/internal/sandbox/irodsd/status"
)

// Coll is a collection.
type Coll struct {
	ID        int64
	Path      string
	Parent    string
	OwnerName string
	OwnerZone string
	Inherit   bool
	Created   string
	Modified  string
}

const collFields = `id, name, parent_name, owner_name, owner_zone, inherit, ctime, mtime`

func (c *Coll) dest() []any {
	return []any{&c.ID, &c.Path, &c.Parent, &c.OwnerName, &c.OwnerZone, &c.Inherit, &c.Created, &c.Modified}
}

// Actor is who asks: the client user, and whether an administrator asked to
// pass over rights (the keyword irodsAdmin, or a seeding call).
type Actor struct {
	User
	Force  bool
	Ticket *TicketUse // session ticket, or nil
}

// Coll finds a collection by its path, whoever asks.
func (t *Tx) Coll(p string) (Coll, error) {
	var c Coll
	var inherit string
	d := c.dest()
	d[5] = &inherit
	err := t.row(status.UnknownCollection, d, `SELECT `+collFields+` FROM collections WHERE name = ?`, p)
	c.Inherit = inherit == "1"
	return c, err
}

// VisibleColl finds a collection that the actor may see.
func (t *Tx) VisibleColl(a Actor, p string) (Coll, error) {
	c, err := t.Coll(p)
	if err != nil || a.Admin() {
		return c, err
	}
	if a.Ticket.covers(c.ID, c.Path) {
		return c, nil
	}
	level, err := t.Level(a, c.ID)
	if err == nil && level < LevelRead {
		err = status.UnknownCollection
	}
	return c, err
}

// insertColl adds the row and the owner's access. The caller has checked
// everything.
func (t *Tx) insertColl(p string, owner User) (Coll, error) {
	id, err := t.nextID()
	if err != nil {
		return Coll{}, err
	}
	now := t.now()
	c := Coll{ID: id, Path: p, Parent: path.Dir(p), OwnerName: owner.Name, OwnerZone: owner.Zone, Created: now, Modified: now}
	if _, err := t.exec(`INSERT INTO collections (id, name, parent_name, owner_name, owner_zone, ctime, mtime)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, c.ID, c.Path, c.Parent, c.OwnerName, c.OwnerZone, now, now); err != nil {
		return Coll{}, err
	}
	return c, t.grant(c.ID, owner.ID, LevelOwn)
}

// MakeColl makes a collection below an existing one.
func (t *Tx) MakeColl(a Actor, p string) (Coll, error) {
	parent, err := t.free(p)
	if err != nil {
		return Coll{}, err
	}
	if err := t.need(a, parent.ID, parent.Path, LevelCreate); err != nil {
		return Coll{}, err
	}
	c, err := t.insertColl(p, a.User)
	if err != nil {
		return Coll{}, err
	}
	return c, t.inheritFrom(parent, c.ID, true)
}

// free checks that nothing has that path and returns its parent.
func (t *Tx) free(p string) (Coll, error) {
	parent, err := t.Coll(path.Dir(p))
	if err != nil {
		return Coll{}, status.Errorf(status.UnknownCollection, "collection '%s' is unknown", path.Dir(p))
	}
	if _, err := t.Coll(p); err == nil {
		return Coll{}, status.AlreadyExists
	} else if !errors.Is(err, status.UnknownCollection) {
		return Coll{}, err
	}
	taken, err := t.objectNamed(parent.ID, path.Base(p))
	if err == nil && taken {
		return parent, status.ExistsAsObject
	}
	return parent, err
}

// MakeColls makes a collection and those missing above it; an existing one is
// no error.
func (t *Tx) MakeColls(a Actor, p string) error {
	_, err := t.Coll(p)
	if err == nil || !errors.Is(err, status.UnknownCollection) {
		return err
	}
	if p == "/" {
		return status.UnknownCollection
	}
	if err := t.MakeColls(a, path.Dir(p)); err != nil {
		return err
	}
	_, err = t.MakeColl(a, p)
	return err
}

// RemoveColl removes an empty collection.
func (t *Tx) RemoveColl(a Actor, p string) error {
	c, err := t.Coll(p)
	if err != nil {
		return err
	}
	if err := t.need(a, c.ID, c.Path, LevelDelete); err != nil {
		return err
	}
	parent, err := t.Coll(c.Parent)
	if err != nil {
		return err
	}
	if err := t.need(a, parent.ID, parent.Path, LevelWrite); err != nil {
		return err
	}
	return t.dropColl(c)
}

func (t *Tx) dropColl(c Coll) error {
	empty, err := t.Empty(c)
	if err != nil {
		return err
	}
	if !empty {
		return status.CollectionNotEmpty
	}
	if err := t.forget(c.ID); err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM collections WHERE id = ?`, c.ID)
	return err
}

// Empty tells whether nothing lies in the collection.
func (t *Tx) Empty(c Coll) (bool, error) {
	full, err := t.exists(`SELECT 1 FROM collections WHERE parent_name = ? UNION ALL
		SELECT 1 FROM replicas WHERE coll_id = ? LIMIT 1`, c.Path, c.ID)
	return !full, err
}

// forget removes what hangs on an item's id.
func (t *Tx) forget(id int64) error {
	for _, text := range []string{
		`DELETE FROM access WHERE object_id = ?`,
		`DELETE FROM avu_map WHERE object_id = ?`,
		`DELETE FROM tickets WHERE object_id = ?`,
	} {
		if _, err := t.exec(text, id); err != nil {
			return err
		}
	}
	return nil
}

// MoveColl renames a collection with everything below it. The target must be
// free and not lie inside.
func (t *Tx) MoveColl(a Actor, from, to string) error {
	c, err := t.VisibleColl(a, from)
	if err != nil {
		return status.NoRowsFound
	}
	if from == to {
		return status.SameSourceDest
	}
	if strings.HasPrefix(to, from+"/") {
		return status.UnknownCollection
	}
	parent, err := t.target(to)
	if err != nil {
		return err
	}
	if err := t.need(a, c.ID, c.Path, LevelOwn); err != nil {
		return err
	}
	if parent.Path != c.Parent {
		if err := t.need(a, parent.ID, parent.Path, LevelCreate); err != nil {
			return err
		}
	}
	now := t.now()
	if _, err := t.exec(`UPDATE collections SET name = ?, parent_name = ?, mtime = ? WHERE id = ?`,
		to, parent.Path, now, c.ID); err != nil {
		return err
	}
	// '0' follows '/', so the range holds exactly what lies below.
	_, err = t.exec(`UPDATE collections SET name = ?1 || substr(name, length(?2) + 1),
		parent_name = ?1 || substr(parent_name, length(?2) + 1) WHERE name > ?2 || '/' AND name < ?2 || '0'`, to, from)
	return err
}

// target checks that a rename's new path is free and returns its parent.
func (t *Tx) target(to string) (Coll, error) {
	parent, err := t.free(to)
	if errors.Is(err, status.AlreadyExists) {
		return parent, status.ExistsAsCollection
	}
	return parent, err
}

// TouchColl sets a collection's modification time.
func (t *Tx) TouchColl(id int64, stamp string) error {
	_, err := t.exec(`UPDATE collections SET mtime = ? WHERE id = ?`, stamp, id)
	return err
}

// SubColls lists the paths of the collections directly inside.
func (t *Tx) SubColls(p string) ([]string, error) {
	var out []string
	err := t.query(func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		if name != "/" {
			out = append(out, name)
		}
		return nil
	}, `SELECT name FROM collections WHERE parent_name = ? ORDER BY name`, p)
	return out, err
}

// ObjectNames lists up to limit objects in a collection after a name.
func (t *Tx) ObjectNames(collID int64, after string, limit int) ([]string, error) {
	var out []string
	err := t.query(func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		out = append(out, name)
		return nil
	}, `SELECT DISTINCT name FROM replicas WHERE coll_id = ? AND name > ? ORDER BY name LIMIT ?`, collID, after, limit)
	return out, err
}

// Free tells whether nothing has that path.
func (t *Tx) Free(p string) (bool, error) {
	_, err := t.free(p)
	if errors.Is(err, status.AlreadyExists) || errors.Is(err, status.ExistsAsObject) {
		return false, nil
	}
	return err == nil, err
}

// ModifyColl sets type, infos, comment and time; empty values stay as they are.
func (t *Tx) ModifyColl(id int64, kind, info1, info2, comment, stamp string) error {
	_, err := t.exec(`UPDATE collections SET type = iif(?1 = '', type, ?1), info1 = iif(?2 = '', info1, ?2),
		info2 = iif(?3 = '', info2, ?3), comment = iif(?4 = '', comment, ?4), mtime = iif(?5 = '', mtime, ?5)
		WHERE id = ?6`, kind, info1, info2, comment, stamp, id)
	return err
}
