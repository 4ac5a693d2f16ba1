package catalog

import (
	"errors"

	"omerods/internal/sandbox/irodsd/status"
)

// Resource is a storage resource.
type Resource struct {
	ID      int64
	Name    string
	Hier    string // root;child;leaf
	Type    string
	Loc     string
	Vault   string
	Parent  string
	Context string
}

// Resource finds a resource by name.
func (t *Tx) Resource(name string) (Resource, error) {
	var r Resource
	err := t.row(status.ResourceDoesNotExist, []any{&r.ID, &r.Name, &r.Hier, &r.Type, &r.Loc, &r.Vault, &r.Parent, &r.Context},
		`SELECT r.id, r.name, h.hier, r.type, r.loc, r.vault, r.parent, r.context
		FROM resources r JOIN resource_hier h ON h.id = r.id WHERE r.name = ?`, name)
	return r, err
}

// AddResource registers a resource.
func (t *Tx) AddResource(name, kind, loc, vault, context string) (Resource, error) {
	if name == "" {
		return Resource{}, status.InvalidArgument
	}
	if _, err := t.Resource(name); err == nil {
		return Resource{}, status.AlreadyExists
	} else if !errors.Is(err, status.ResourceDoesNotExist) {
		return Resource{}, err
	}
	id, err := t.nextID()
	if err != nil {
		return Resource{}, err
	}
	now := t.now()
	if _, err := t.exec(`INSERT INTO resources (id, name, zone, type, loc, vault, context, ctime, mtime)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, name, t.cat.zone, kind, loc, vault, context, now, now); err != nil {
		return Resource{}, err
	}
	return t.Resource(name)
}

// RemoveResource removes a resource that holds nothing.
func (t *Tx) RemoveResource(name string) error {
	r, err := t.Resource(name)
	if err != nil {
		return err
	}
	used, err := t.exists(`SELECT 1 FROM replicas WHERE resc_id = ? UNION ALL SELECT 1 FROM resources WHERE parent = ? LIMIT 1`, r.ID, name)
	if err != nil {
		return err
	}
	if used {
		return status.ResourceNotEmpty
	}
	_, err = t.exec(`DELETE FROM resources WHERE id = ?`, r.ID)
	return err
}

// SetParent puts a resource below another, or with an empty parent at the root.
func (t *Tx) SetParent(child, parent string) error {
	if parent != "" {
		if _, err := t.Resource(parent); err != nil {
			return err
		}
	}
	if _, err := t.Resource(child); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE resources SET parent = ?, mtime = ? WHERE name = ?`, parent, t.now(), child)
	return err
}

// Leaves returns the storage resources below a coordinating one, in the order
// in which they were made; none for one that has no children.
func (t *Tx) Leaves(name string) ([]Resource, error) {
	var names []string
	err := t.query(func(scan func(...any) error) error {
		var n string
		if err := scan(&n); err != nil {
			return err
		}
		names = append(names, n)
		return nil
	}, `WITH RECURSIVE below(name, id) AS (
			SELECT name, id FROM resources WHERE parent = ?
			UNION SELECT r.name, r.id FROM resources r JOIN below b ON r.parent = b.name)
		SELECT name FROM below WHERE name NOT IN (SELECT parent FROM resources) ORDER BY id`, name)
	if err != nil {
		return nil, err
	}
	var out []Resource
	for _, n := range names {
		r, err := t.Resource(n)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// SetFreeSpace records the free bytes of a resource.
func (t *Tx) SetFreeSpace(name string, bytes string) error {
	_, err := t.exec(`UPDATE resources SET free_space = ?, free_space_time = ? WHERE name = ?`, bytes, t.now(), name)
	return err
}

// SetQuota limits the bytes a user owns on a resource, or with an empty
// resource on all together. A limit of 0 removes the entry.
func (t *Tx) SetQuota(user User, resc string, limit int64) error {
	var rescID int64
	if resc != "" {
		r, err := t.Resource(resc)
		if err != nil {
			return err
		}
		rescID = r.ID
	}
	if limit <= 0 {
		_, err := t.exec(`DELETE FROM quotas WHERE user_id = ? AND resc_id = ?`, user.ID, rescID)
		return err
	}
	_, err := t.exec(`INSERT INTO quotas (user_id, resc_id, quota_limit, mtime) VALUES (?, ?, ?, ?)
		ON CONFLICT (user_id, resc_id) DO UPDATE SET quota_limit = excluded.quota_limit, mtime = excluded.mtime`,
		user.ID, rescID, limit, t.now())
	return err
}

// QuotaLeft returns how many more bytes the owner may store on the resource
// by the quotas of their groups and by their own, and whether there is any
// limit. Bytes of one object being replaced count as
// free.
func (t *Tx) QuotaLeft(owner, zone string, resc, replacing int64) (left int64, limited bool, err error) {
	err = t.query(func(scan func(...any) error) error {
		var room int64
		if err := scan(&room); err != nil {
			return err
		}
		if !limited || room < left {
			left, limited = room, true
		}
		return nil
	}, `SELECT q.quota_limit - COALESCE((SELECT SUM(d.size) FROM replicas d JOIN users o ON o.name = d.owner_name AND o.zone = d.owner_zone
			WHERE o.id IN (SELECT user_id FROM members WHERE group_id = q.user_id) AND d.id <> ?4
			AND (q.resc_id = 0 OR d.resc_id = q.resc_id)), 0)
		FROM quotas q JOIN members m ON m.group_id = q.user_id JOIN users u ON u.id = m.user_id
		WHERE u.name = ?1 AND u.zone = ?2 AND (q.resc_id = 0 OR q.resc_id = ?3)`, owner, zone, resc, replacing)
	return left, limited, err
}

// CalculateQuotas stores how far each limit is exceeded; negative is room left.
func (t *Tx) CalculateQuotas() error {
	_, err := t.exec(`UPDATE quotas SET over = COALESCE((SELECT SUM(bytes) FROM quota_usage s
		WHERE s.user_id IN (SELECT user_id FROM members WHERE group_id = quotas.user_id) AND (quotas.resc_id = 0 OR s.resc_id = quotas.resc_id)), 0) - quota_limit`)
	return err
}
