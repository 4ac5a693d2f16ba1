package catalog

import (
	"errors"

	"omerods/internal/sandbox/irodsd/status"
)

// Level returns the highest level that the actor or a group of theirs holds on
// an item, 0 without any.
func (t *Tx) Level(a Actor, id int64) (int, error) {
	var level int
	err := t.row(status.NoAccess, []any{&level}, `SELECT COALESCE(MAX(level), 0) FROM access
		WHERE object_id = ? AND user_id IN (SELECT group_id FROM members WHERE user_id = ?)`, id, a.ID)
	return level, err
}

// need returns NoAccess unless the actor holds the level on the item. A
// session ticket for writing stands in for write access to content.
func (t *Tx) need(a Actor, id int64, p string, level int) error {
	if a.Force {
		return nil
	}
	got, err := t.Level(a, id)
	if err != nil {
		return err
	}
	if got >= level {
		return nil
	}
	if level <= LevelWrite && a.Ticket.covers(id, p) && (level <= LevelRead || a.Ticket.Write) {
		return nil
	}
	return status.NoAccess
}

func (t *Tx) grant(id, user int64, level int) error {
	_, err := t.exec(`INSERT INTO access (object_id, user_id, level) VALUES (?, ?, ?)
		ON CONFLICT (object_id, user_id) DO UPDATE SET level = excluded.level`, id, user, level)
	return err
}

// inheritFrom gives a new item the collection's access entries instead of the
// creator's own one, when the collection says so: the creator then has what
// the collection gives them, which may be less than own. Collections inherit
// the flag too.
func (t *Tx) inheritFrom(parent Coll, id int64, collection bool) error {
	if !parent.Inherit {
		return nil
	}
	if _, err := t.exec(`DELETE FROM access WHERE object_id = ?`, id); err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO access (object_id, user_id, level)
		SELECT ?, user_id, level FROM access WHERE object_id = ?`, id, parent.ID); err != nil {
		return err
	}
	if !collection {
		return nil
	}
	_, err := t.exec(`UPDATE collections SET inherit = '1' WHERE id = ?`, id)
	return err
}

// item finds what has the path: its id, and whether it is a collection.
func (t *Tx) item(a Actor, p string) (id int64, collection bool, err error) {
	c, err := t.VisibleColl(a, p)
	if err == nil {
		return c.ID, true, nil
	}
	if !errors.Is(err, status.UnknownCollection) {
		return 0, false, err
	}
	reps, err := t.Visible(a, p)
	if err != nil {
		return 0, false, err
	}
	return reps[0].ID, false, nil
}

// SetAccess gives a user or group a level on an item and, recursively, on all
// below it. LevelNull removes the entry. Only owners and Force may.
func (t *Tx) SetAccess(a Actor, p, user, zone string, level int, recursive bool) error {
	id, collection, err := t.item(a, p)
	if err != nil {
		return status.Errorf(status.InvalidArgument, "'%s' does not exist", p)
	}
	u, err := t.User(user, zone)
	if err != nil {
		return err
	}
	if err := t.need(a, id, p, LevelOwn); err != nil {
		return err
	}
	if !recursive || !collection {
		return t.setOne(id, u.ID, level)
	}
	ids, err := t.below(id, p)
	if err != nil {
		return err
	}
	for _, each := range ids {
		if err := t.need(a, each, p, LevelOwn); err != nil {
			return err
		}
		if err := t.setOne(each, u.ID, level); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) setOne(id, user int64, level int) error {
	if level > LevelNull {
		return t.grant(id, user, level)
	}
	_, err := t.exec(`DELETE FROM access WHERE object_id = ? AND user_id = ?`, id, user)
	return err
}

// below lists the ids of a collection and everything in it.
func (t *Tx) below(id int64, p string) ([]int64, error) {
	return t.ids(`WITH colls AS (SELECT id FROM collections WHERE id = ?1 OR name > ?2 || '/' AND name < ?2 || '0')
		SELECT id FROM colls UNION SELECT id FROM replicas WHERE coll_id IN (SELECT id FROM colls)`, id, p)
}

// SetInherit turns inheritance of a collection on or off.
func (t *Tx) SetInherit(a Actor, p string, on, recursive bool) error {
	c, err := t.VisibleColl(a, p)
	if err != nil {
		return status.Errorf(status.InvalidArgument, "'%s' is not a collection", p)
	}
	if err := t.need(a, c.ID, p, LevelOwn); err != nil {
		return err
	}
	value := ""
	if on {
		value = "1"
	}
	if !recursive {
		_, err = t.exec(`UPDATE collections SET inherit = ? WHERE id = ?`, value, c.ID)
		return err
	}
	_, err = t.exec(`UPDATE collections SET inherit = ?1 WHERE id = ?2 OR name > ?3 || '/' AND name < ?3 || '0'`,
		value, c.ID, p)
	return err
}
