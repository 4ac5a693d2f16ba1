package catalog

import (
	"errors"
	"path"

	"omerods/internal/sandbox/irodsd/status"
)

// Replica states.
const (
	Stale        = 0
	Good         = 1
	Intermediate = 2 // open for writing
	ReadLocked   = 3
	WriteLocked  = 4 // another replica of the object is open for writing
)

// Replica is one stored copy of a data object.
type Replica struct {
	ID        int64 // of the object
	CollID    int64
	Coll      string // path of the collection
	Name      string
	Number    int
	Type      string
	Size      int64
	RescID    int64
	Resc      string
	Hier      string
	Path      string // below the vault
	OwnerName string
	OwnerZone string
	State     int
	Checksum  string
	Created   string
	Modified  string
	Accessed  string
}

// LogicalPath returns the object's path.
func (r Replica) LogicalPath() string { return path.Join(r.Coll, r.Name) }

// Locked tells whether somebody writes the object.
func (r Replica) Locked() bool { return r.State > Good }

const replicaQuery = `SELECT d.id, d.coll_id, c.name, d.name, d.repl_num, d.type, d.size, d.resc_id, d.resc_name,
	d.resc_hier, d.path, d.owner_name, d.owner_zone, d.repl_status, d.checksum, d.ctime, d.mtime, d.atime
	FROM replicas_view d JOIN collections c ON c.id = d.coll_id `

func (t *Tx) replicas(where string, args ...any) ([]Replica, error) {
	var out []Replica
	err := t.query(func(scan func(...any) error) error {
		var r Replica
		if err := scan(&r.ID, &r.CollID, &r.Coll, &r.Name, &r.Number, &r.Type, &r.Size, &r.RescID, &r.Resc,
			&r.Hier, &r.Path, &r.OwnerName, &r.OwnerZone, &r.State, &r.Checksum, &r.Created, &r.Modified,
			&r.Accessed); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	}, replicaQuery+where+` ORDER BY d.repl_num`, args...)
	return out, err
}

// Object finds the replicas of an object by path, whoever asks; a missing one
// is UnknownFile.
func (t *Tx) Object(p string) ([]Replica, error) {
	reps, err := t.replicas(`WHERE c.name = ? AND d.name = ?`, path.Dir(p), path.Base(p))
	if err == nil && len(reps) == 0 {
		err = status.UnknownFile
	}
	return reps, err
}

// ObjectByID finds the replicas of an object by its id.
func (t *Tx) ObjectByID(id int64) ([]Replica, error) {
	reps, err := t.replicas(`WHERE d.id = ?`, id)
	if err == nil && len(reps) == 0 {
		err = status.UnknownFile
	}
	return reps, err
}

// Visible finds the replicas of an object that the actor may see: both the
// object and its collection must be readable.
func (t *Tx) Visible(a Actor, p string) ([]Replica, error) {
	reps, err := t.Object(p)
	if err != nil || a.Admin() || a.Force || a.Ticket.covers(reps[0].ID, p) {
		return reps, err
	}
	for _, id := range []int64{reps[0].CollID, reps[0].ID} {
		level, err := t.Level(a, id)
		if err != nil {
			return nil, err
		}
		if level < LevelRead {
			return nil, status.UnknownFile
		}
	}
	return reps, nil
}

func (t *Tx) objectNamed(coll int64, name string) (bool, error) {
	return t.exists(`SELECT 1 FROM replicas WHERE coll_id = ? AND name = ? LIMIT 1`, coll, name)
}

// CreateObject registers a new object with one empty replica in a state. The
// vault path is made from its id.
func (t *Tx) CreateObject(a Actor, p, dataType string, resc Resource, state int, vault func(id int64) string) (Replica, error) {
	parent, err := t.free(p)
	switch {
	case errors.Is(err, status.AlreadyExists):
		return Replica{}, status.ExistsAsCollection
	case errors.Is(err, status.ExistsAsObject):
		return Replica{}, status.AlreadyExists
	case err != nil:
		return Replica{}, err
	}
	if err := t.need(a, parent.ID, parent.Path, LevelCreate); err != nil {
		return Replica{}, err
	}
	id, err := t.nextID()
	if err != nil {
		return Replica{}, err
	}
	if dataType == "" {
		dataType = "generic"
	}
	now := t.now()
	r := Replica{
		ID: id, CollID: parent.ID, Coll: parent.Path, Name: path.Base(p), Type: dataType,
		RescID: resc.ID, Resc: resc.Name, Hier: resc.Hier, Path: vault(id),
		OwnerName: a.Name, OwnerZone: a.Zone, State: state, Created: now, Modified: now, Accessed: now,
	}
	if err := t.insertReplica(r); err != nil {
		return Replica{}, err
	}
	if err := t.grant(id, a.ID, LevelOwn); err != nil {
		return Replica{}, err
	}
	if err := t.TouchColl(parent.ID, now); err != nil {
		return Replica{}, err
	}
	return r, t.inheritFrom(parent, id, false)
}

func (t *Tx) insertReplica(r Replica) error {
	_, err := t.exec(`INSERT INTO replicas (id, coll_id, name, repl_num, type, size, resc_id, path, owner_name,
		owner_zone, repl_status, checksum, ctime, mtime, atime) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.CollID, r.Name, r.Number, r.Type, r.Size, r.RescID, r.Path, r.OwnerName, r.OwnerZone, r.State,
		r.Checksum, r.Created, r.Modified, r.Accessed)
	return err
}

// AddReplica registers another copy of an object on a resource.
func (t *Tx) AddReplica(of Replica, number int, resc Resource, vaultPath string) (Replica, error) {
	r := of
	r.Number, r.RescID, r.Resc, r.Hier, r.Path = number, resc.ID, resc.Name, resc.Hier, vaultPath
	r.Created, r.Modified = t.now(), of.Modified
	return r, t.insertReplica(r)
}

// SaveReplica stores size, state, checksum and times of a replica.
func (t *Tx) SaveReplica(r Replica) error {
	n, err := t.exec(`UPDATE replicas SET size = ?, repl_status = ?, checksum = ?, mtime = ?, atime = ?, type = ?
		WHERE id = ? AND repl_num = ?`, r.Size, r.State, r.Checksum, r.Modified, r.Accessed, r.Type, r.ID, r.Number)
	if err == nil && n == 0 {
		err = status.UnknownFile
	}
	return err
}

// SetSiblings gives the object's other replicas a state.
func (t *Tx) SetSiblings(r Replica, state int) error {
	_, err := t.exec(`UPDATE replicas SET repl_status = ? WHERE id = ? AND repl_num <> ?`, state, r.ID, r.Number)
	return err
}

// RemoveReplica forgets one copy; with the last one goes the object.
func (t *Tx) RemoveReplica(r Replica) error {
	if _, err := t.exec(`DELETE FROM replicas WHERE id = ? AND repl_num = ?`, r.ID, r.Number); err != nil {
		return err
	}
	left, err := t.exists(`SELECT 1 FROM replicas WHERE id = ? LIMIT 1`, r.ID)
	if err != nil || left {
		return err
	}
	return t.forget(r.ID)
}

// RemoveObject forgets an object with all replicas, which it returns so that
// their data can go too.
func (t *Tx) RemoveObject(a Actor, p string) ([]Replica, error) {
	reps, err := t.Visible(a, p)
	if err != nil {
		return nil, err
	}
	if err := t.need(a, reps[0].ID, p, LevelDelete); err != nil {
		return nil, err
	}
	for _, r := range reps {
		if r.Locked() {
			return nil, status.LockedObject
		}
	}
	if _, err := t.exec(`DELETE FROM replicas WHERE id = ?`, reps[0].ID); err != nil {
		return nil, err
	}
	if err := t.TouchColl(reps[0].CollID, t.now()); err != nil {
		return nil, err
	}
	return reps, t.forget(reps[0].ID)
}

// MoveObject renames an object. The new path must be free.
func (t *Tx) MoveObject(a Actor, from, to string) (int64, error) {
	reps, err := t.Visible(a, from)
	if errors.Is(err, status.UnknownFile) {
		return 0, status.NoRowsFound
	}
	if err != nil {
		return 0, err
	}
	if from == to {
		return 0, status.SameSourceDest
	}
	parent, err := t.target(to)
	if err != nil {
		return 0, err
	}
	if err := t.need(a, reps[0].ID, from, LevelOwn); err != nil {
		return 0, err
	}
	if parent.ID != reps[0].CollID {
		if err := t.need(a, parent.ID, parent.Path, LevelCreate); err != nil {
			return 0, err
		}
	}
	// An object in another collection counts as changed.
	if parent.ID != reps[0].CollID {
		_, err = t.exec(`UPDATE replicas SET mtime = ? WHERE id = ?`, t.now(), reps[0].ID)
	}
	if err == nil {
		_, err = t.exec(`UPDATE replicas SET coll_id = ?, name = ? WHERE id = ?`, parent.ID, path.Base(to), reps[0].ID)
	}
	return reps[0].ID, err
}

// NeedObject returns NoAccess unless the actor holds the level on the object.
func (t *Tx) NeedObject(a Actor, r Replica, level int) error {
	return t.need(a, r.ID, r.LogicalPath(), level)
}

// NeedColl returns NoAccess unless the actor holds the level on the collection.
func (t *Tx) NeedColl(a Actor, c Coll, level int) error {
	return t.need(a, c.ID, c.Path, level)
}

// Interrupted lists the replicas in the intermediate state.
func (t *Tx) Interrupted() ([]Replica, error) {
	return t.replicas(`WHERE d.repl_status = ?`, Intermediate)
}

// SetChecksum stores a checksum unless the replica was changed since it was
// read.
func (t *Tx) SetChecksum(r Replica) error {
	_, err := t.exec(`UPDATE replicas SET checksum = ? WHERE id = ? AND repl_num = ? AND size = ? AND mtime = ? AND repl_status = ?`,
		r.Checksum, r.ID, r.Number, r.Size, r.Modified, r.State)
	return err
}
