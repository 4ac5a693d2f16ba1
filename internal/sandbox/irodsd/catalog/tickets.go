package catalog

import (
	"errors"
	"strconv"
	"strings"

	"omerods/internal/sandbox/irodsd/genquery"
	"omerods/internal/sandbox/irodsd/status"
)

// TicketUse is what a session ticket opens. A nil one opens nothing.
type TicketUse struct {
	ID       int64
	Write    bool
	ObjectID int64  // the object, or 0
	CollID   int64  // the collection, or the one the object lies in
	Root     string // the collection's path, or ""
}

func (u *TicketUse) covers(id int64, p string) bool {
	if u == nil {
		return false
	}
	return u.ObjectID != 0 && u.ObjectID == id || u.Root != "" && (p == u.Root || strings.HasPrefix(p, u.Root+"/"))
}

// Viewer returns for whom general queries look up rows.
func (a Actor) Viewer() genquery.Viewer {
	v := genquery.Viewer{UserID: a.ID, Everyone: a.Admin()}
	if u := a.Ticket; u != nil {
		v.Ticket = &genquery.Ticket{ObjectID: u.ObjectID, Root: u.Root}
		if u.ObjectID != 0 {
			v.Ticket.CollectionID = u.CollID
		}
	}
	return v
}

type ticket struct {
	id, user, object         int64
	kind, objectType, expiry string
	uses, usesMax            int64
}

func (t *Tx) ticket(name string) (ticket, error) {
	var k ticket
	err := t.row(status.TicketInvalid, []any{&k.id, &k.user, &k.object, &k.kind, &k.objectType, &k.expiry,
		&k.uses, &k.usesMax},
		`SELECT id, user_id, object_id, type, object_type, expiry, uses_count, uses_limit FROM tickets WHERE name = ?`, name)
	return k, err
}

// CreateTicket makes a ticket for reading or writing an item that the actor
// owns.
func (t *Tx) CreateTicket(a Actor, name, kind, p string) error {
	if kind != "read" && kind != "write" || name == "" {
		return status.InvalidArgument
	}
	id, collection, err := t.item(a, p)
	if err != nil {
		return err
	}
	if err := t.need(a, id, p, LevelOwn); err != nil {
		return err
	}
	if _, err := t.ticket(name); err == nil {
		return status.AlreadyExists
	}
	objectType := "data"
	if collection {
		objectType = "coll"
	}
	tid, err := t.nextID()
	if err != nil {
		return err
	}
	now := t.now()
	_, err = t.exec(`INSERT INTO tickets (id, name, type, user_id, object_id, object_type, ctime, mtime)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, tid, name, kind, a.ID, id, objectType, now, now)
	return err
}

// ownTicket finds a ticket by name or id that the actor may change.
func (t *Tx) ownTicket(a Actor, name string) (ticket, error) {
	k, err := t.ticket(name)
	if errors.Is(err, status.TicketInvalid) {
		var byID string
		if t.row(status.TicketInvalid, []any{&byID}, `SELECT name FROM tickets WHERE id = ?`, name) == nil {
			k, err = t.ticket(byID)
		}
	}
	if err == nil && k.user != a.ID && !a.Force {
		err = status.TicketInvalid
	}
	return k, err
}

// DeleteTicket removes a ticket.
func (t *Tx) DeleteTicket(a Actor, name string) error {
	k, err := t.ownTicket(a, name)
	if err != nil {
		return err
	}
	for _, text := range []string{
		`DELETE FROM ticket_hosts WHERE ticket_id = ?`, `DELETE FROM ticket_users WHERE ticket_id = ?`,
		`DELETE FROM ticket_groups WHERE ticket_id = ?`, `DELETE FROM tickets WHERE id = ?`,
	} {
		if _, err := t.exec(text, k.id); err != nil {
			return err
		}
	}
	return nil
}

// LimitTicket sets a limit: uses, write-file, write-byte or expire. An empty
// value or 0 clears it.
func (t *Tx) LimitTicket(a Actor, name, field, value string) error {
	k, err := t.ownTicket(a, name)
	if err != nil {
		return err
	}
	text := ""
	switch field {
	case "uses":
		text = `UPDATE tickets SET uses_limit = ?, mtime = ? WHERE id = ?`
	case "write-file":
		text = `UPDATE tickets SET write_file_limit = ?, mtime = ? WHERE id = ?`
	case "write-byte":
		text = `UPDATE tickets SET write_byte_limit = ?, mtime = ? WHERE id = ?`
	case "expire":
		if value == "0" {
			value = ""
		} else if n, err := strconv.ParseInt(value, 10, 64); err == nil && value != "" {
			value = strings.Repeat("0", max(0, 11-len(strconv.FormatInt(n, 10)))) + strconv.FormatInt(n, 10)
		}
		_, err := t.exec(`UPDATE tickets SET expiry = ?, mtime = ? WHERE id = ?`, value, t.now(), k.id)
		return err
	default:
		return status.InvalidArgument
	}
	n := int64(0)
	if value != "" {
		if n, err = strconv.ParseInt(value, 10, 64); err != nil {
			return status.InvalidArgument
		}
	}
	_, err = t.exec(text, n, t.now(), k.id)
	return err
}

// RestrictTicket adds or removes one of the users, groups or hosts that may
// use a ticket.
func (t *Tx) RestrictTicket(a Actor, name string, add bool, field, value string) error {
	k, err := t.ownTicket(a, name)
	if err != nil {
		return err
	}
	insert, remove := "", ""
	switch field {
	case "user":
		insert, remove = `INSERT OR IGNORE INTO ticket_users VALUES (?, ?)`, `DELETE FROM ticket_users WHERE ticket_id = ? AND name = ?`
	case "group":
		insert, remove = `INSERT OR IGNORE INTO ticket_groups VALUES (?, ?)`, `DELETE FROM ticket_groups WHERE ticket_id = ? AND name = ?`
	case "host":
		insert, remove = `INSERT OR IGNORE INTO ticket_hosts VALUES (?, ?)`, `DELETE FROM ticket_hosts WHERE ticket_id = ? AND host = ?`
	default:
		return status.InvalidArgument
	}
	if add {
		if field != "host" {
			u, z := SplitUser(value, t.cat.zone)
			if _, err := t.User(u, z); err != nil {
				return err
			}
		}
		_, err = t.exec(insert, k.id, value)
		return err
	}
	_, err = t.exec(remove, k.id, value)
	return err
}

// UseTicket checks a session ticket for a user at a host and returns what it
// opens.
func (t *Tx) UseTicket(name string, user User, host, now string) (*TicketUse, error) {
	k, err := t.ticket(name)
	if err != nil {
		return nil, err
	}
	if k.expiry != "" && k.expiry < now {
		return nil, status.TicketExpired
	}
	if k.usesMax > 0 && k.uses >= k.usesMax {
		return nil, status.TicketUsesExceeded
	}
	for _, r := range []struct{ any, mine string }{
		{`SELECT 1 FROM ticket_users WHERE ticket_id = ? LIMIT 1`, `SELECT 1 FROM ticket_users WHERE ticket_id = ?1 AND ?2 IN (name, name || '#' || ?3)`},
		{`SELECT 1 FROM ticket_groups WHERE ticket_id = ? LIMIT 1`, `SELECT 1 FROM ticket_groups tg JOIN users g ON g.name = tg.name
			JOIN members m ON m.group_id = g.id JOIN users u ON u.id = m.user_id WHERE tg.ticket_id = ?1 AND u.name = ?2 AND u.zone = ?3`},
	} {
		limited, err := t.exists(r.any, k.id)
		if err != nil {
			return nil, err
		}
		if !limited {
			continue
		}
		ok, err := t.exists(r.mine, k.id, user.Name, user.Zone)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, status.TicketUserExcluded
		}
	}
	limited, err := t.exists(`SELECT 1 FROM ticket_hosts WHERE ticket_id = ? LIMIT 1`, k.id)
	if err == nil && limited {
		var ok bool
		if ok, err = t.exists(`SELECT 1 FROM ticket_hosts WHERE ticket_id = ? AND host = ?`, k.id, host); err == nil && !ok {
			err = status.TicketHostExcluded
		}
	}
	if err != nil {
		return nil, err
	}
	use := &TicketUse{ID: k.id, Write: k.kind == "write"}
	if k.objectType == "coll" {
		use.CollID = k.object
		return use, t.row(status.NoRowsFound, []any{&use.Root}, `SELECT name FROM collections WHERE id = ?`, k.object)
	}
	use.ObjectID = k.object
	return use, t.row(status.NoRowsFound, []any{&use.CollID}, `SELECT coll_id FROM replicas WHERE id = ?`, k.object)
}

// CountTicket counts an open that only the session ticket allows, because the
// actor's own rights on the item (the object, or the collection it is created
// in) are below the level: one use, and for a writer one file and the bytes it
// announced. A limit that is reached refuses the open.
func (t *Tx) CountTicket(a Actor, id int64, p string, level int, bytes int64) error {
	u := a.Ticket
	if a.Force || !u.covers(id, p) {
		return nil
	}
	if own, err := t.Level(a, id); err != nil || own >= level {
		return err
	}
	writes := level > LevelRead
	var files, filesMax, written, bytesMax int64
	if err := t.row(status.TicketInvalid, []any{&files, &filesMax, &written, &bytesMax},
		`SELECT write_file_count, write_file_limit, write_byte_count, write_byte_limit FROM tickets WHERE id = ?`, u.ID); err != nil {
		return err
	}
	wrote := 0
	if writes {
		wrote = 1
		if filesMax > 0 && files >= filesMax {
			return status.TicketWriteUses
		}
		if bytesMax > 0 && written+bytes > bytesMax {
			return status.TicketWriteBytes
		}
	} else {
		bytes = 0
	}
	_, err := t.exec(`UPDATE tickets SET uses_count = uses_count + (uses_limit > 0), write_file_count = write_file_count + ?,
		write_byte_count = write_byte_count + ? WHERE id = ?`, wrote, bytes, u.ID)
	return err
}
