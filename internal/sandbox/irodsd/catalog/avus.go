package catalog

import (
	"errors"

	"omerods/internal/sandbox/irodsd/status"
)

// AVU is one attribute, value and unit.
type AVU struct{ Name, Value, Unit string }

// Kinds of items that carry AVUs.
const (
	KindObject     = "data_object"
	KindCollection = "collection"
	KindResource   = "resource"
	KindUser       = "user"
)

// AVUItem finds what carries AVUs and checks that the actor holds the level.
// Resources and users are for administrators.
func (t *Tx) AVUItem(a Actor, kind, name string, level int) (int64, error) {
	switch kind {
	case KindObject:
		reps, err := t.Visible(a, name)
		if err != nil {
			return 0, err
		}
		return reps[0].ID, t.need(a, reps[0].ID, name, level)
	case KindCollection:
		c, err := t.VisibleColl(a, name)
		if err != nil {
			return 0, err
		}
		return c.ID, t.need(a, c.ID, name, level)
	case KindResource:
		r, err := t.Resource(name)
		if errors.Is(err, status.ResourceDoesNotExist) {
			return 0, status.InvalidResource
		}
		if err == nil && !a.Admin() {
			err = status.NoAPIPrivilege
		}
		return r.ID, err
	case KindUser:
		user, zone := SplitUser(name, t.cat.zone)
		u, err := t.User(user, zone)
		if err == nil && !a.Admin() {
			err = status.NoAPIPrivilege
		}
		return u.ID, err
	}
	return 0, status.InvalidArgument
}

// AddAVU attaches an AVU. Rows of equal triples are shared.
func (t *Tx) AddAVU(item int64, v AVU) error {
	if v.Name == "" || v.Value == "" {
		return status.InvalidArgument
	}
	id, err := t.avuID(v)
	if errors.Is(err, status.SuccessButNoInfo) {
		if id, err = t.nextID(); err != nil {
			return err
		}
		now := t.now()
		_, err = t.exec(`INSERT INTO avus (id, name, value, unit, ctime, mtime) VALUES (?, ?, ?, ?, ?, ?)`,
			id, v.Name, v.Value, v.Unit, now, now)
	}
	if err != nil {
		return err
	}
	n, err := t.exec(`INSERT OR IGNORE INTO avu_map (object_id, avu_id) VALUES (?, ?)`, item, id)
	if err == nil && n == 0 {
		return status.AlreadyExists
	}
	return err
}

func (t *Tx) avuID(v AVU) (int64, error) {
	var id int64
	err := t.row(status.SuccessButNoInfo, []any{&id},
		`SELECT id FROM avus WHERE name = ? AND value = ? AND unit = ?`, v.Name, v.Value, v.Unit)
	return id, err
}

// RemoveAVU detaches an AVU; one that is not there is SuccessButNoInfo.
func (t *Tx) RemoveAVU(item int64, v AVU) error {
	id, err := t.avuID(v)
	if err != nil {
		return err
	}
	return t.RemoveAVUByID(item, id)
}

// RemoveAVUByID detaches an AVU by its id.
func (t *Tx) RemoveAVUByID(item, id int64) error {
	n, err := t.exec(`DELETE FROM avu_map WHERE object_id = ? AND avu_id = ?`, item, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return status.SuccessButNoInfo
	}
	return t.dropUnused(id)
}

func (t *Tx) dropUnused(id int64) error {
	_, err := t.exec(`DELETE FROM avus WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM avu_map WHERE avu_id = ?1)`, id)
	return err
}

// SetAVU replaces all values of the attribute by one.
func (t *Tx) SetAVU(item int64, v AVU) error {
	if v.Name == "" || v.Value == "" {
		return status.InvalidArgument
	}
	ids, err := t.ids(`SELECT m.avu_id FROM avu_map m JOIN avus a ON a.id = m.avu_id
		WHERE m.object_id = ? AND a.name = ?`, item, v.Name)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := t.RemoveAVUByID(item, id); err != nil {
			return err
		}
	}
	return t.AddAVU(item, v)
}

// ModifyAVU replaces one AVU by another.
func (t *Tx) ModifyAVU(item int64, from, to AVU) error {
	if err := t.RemoveAVU(item, from); err != nil {
		return err
	}
	return t.AddAVU(item, to)
}

// CopyAVUs attaches all AVUs of one item to another; those already there stay.
func (t *Tx) CopyAVUs(from, to int64) error {
	_, err := t.exec(`INSERT OR IGNORE INTO avu_map (object_id, avu_id) SELECT ?, avu_id FROM avu_map WHERE object_id = ?`, to, from)
	return err
}
