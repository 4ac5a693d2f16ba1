package catalog

import (
	"errors"
	"strings"

	"omerods/internal/sandbox/irodsd/status"
)

// User types.
const (
	TypeAdmin      = "rodsadmin"
	TypeUser       = "rodsuser"
	TypeGroupAdmin = "groupadmin"
	TypeGroup      = "rodsgroup"
)

// PublicGroup is the group that every user is in.
const PublicGroup = "public"

// User is a user or a group.
type User struct {
	ID   int64
	Name string
	Zone string
	Type string
}

// Admin tells whether the user administers the zone.
func (u User) Admin() bool { return u.Type == TypeAdmin }

// SplitUser cuts "name#zone"; without a zone it is the given one.
func SplitUser(s, zone string) (string, string) {
	if name, z, ok := strings.Cut(s, "#"); ok && z != "" {
		return name, z
	}
	return strings.TrimSuffix(s, "#"), zone
}

// User finds a user or group; an unknown one is InvalidUser.
func (t *Tx) User(name, zone string) (User, error) {
	if zone == "" {
		zone = t.cat.zone
	}
	u := User{Name: name, Zone: zone}
	err := t.row(status.InvalidUser, []any{&u.ID, &u.Type},
		`SELECT id, type FROM users WHERE name = ? AND zone = ?`, name, zone)
	return u, err
}

// Passwords returns what the user may log in with at that time: the own
// password and generated ones that have not expired.
func (t *Tx) Passwords(userID, unix int64) ([]string, error) {
	var out []string
	err := t.query(func(scan func(...any) error) error {
		var p string
		if err := scan(&p); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	}, `SELECT password FROM passwords WHERE user_id = ? AND (expires = 0 OR expires > ?) ORDER BY kind DESC`, userID, unix)
	return out, err
}

// Kinds of passwords.
const (
	PasswordOwn  = "own"
	PasswordPAM  = "pam"
	PasswordTemp = "temp"
)

// Password returns the password of one kind, and whether there is a valid one.
func (t *Tx) Password(userID int64, kind string, unix int64) (string, bool, error) {
	var p string
	err := t.row(status.InvalidUser, []any{&p},
		`SELECT password FROM passwords WHERE user_id = ? AND kind = ? AND (expires = 0 OR expires > ?)`, userID, kind, unix)
	if errors.Is(err, status.InvalidUser) {
		return "", false, nil
	}
	return p, err == nil, err
}

// SetPassword replaces the password of one kind; expires is 0 or Unix seconds.
func (t *Tx) SetPassword(userID int64, kind, password string, expires int64) error {
	if _, err := t.exec(`DELETE FROM passwords WHERE user_id = ? AND kind = ?`, userID, kind); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO passwords (user_id, kind, password, expires) VALUES (?, ?, ?, ?)`,
		userID, kind, password, expires)
	return err
}

// AddUser makes a user or group with its home and trash collections and its
// membership in the group of its own name and, for users, in public.
func (t *Tx) AddUser(name, zone, kind string) (User, error) {
	switch kind {
	case TypeAdmin, TypeUser, TypeGroupAdmin, TypeGroup:
	default:
		return User{}, status.InvalidUserType
	}
	if zone == "" {
		zone = t.cat.zone
	}
	if name == "" || len(name) > 63 || strings.ContainsAny(name, "/#'\" \t\n") || name == "." || name == ".." {
		return User{}, status.Errorf(status.InvalidArgument, "user name is not valid")
	}
	if _, err := t.User(name, zone); err == nil {
		return User{}, status.AlreadyExists
	} else if !errors.Is(err, status.InvalidUser) {
		return User{}, err
	}
	id, err := t.nextID()
	if err != nil {
		return User{}, err
	}
	now := t.now()
	if _, err := t.exec(`INSERT INTO users (id, name, zone, type, ctime, mtime) VALUES (?, ?, ?, ?, ?, ?)`,
		id, name, zone, kind, now, now); err != nil {
		return User{}, err
	}
	u := User{ID: id, Name: name, Zone: zone, Type: kind}
	if err := t.addMember(id, id); err != nil {
		return User{}, err
	}
	if kind != TypeGroup {
		public, err := t.User(PublicGroup, t.cat.zone)
		if err != nil {
			return User{}, err
		}
		if err := t.addMember(public.ID, id); err != nil {
			return User{}, err
		}
	}
	if name == "anonymous" || zone != t.cat.zone {
		return u, nil
	}
	for _, dir := range []string{"home", "trash/home"} {
		if _, err := t.insertColl("/"+t.cat.zone+"/"+dir+"/"+name, u); err != nil {
			return User{}, err
		}
	}
	return u, nil
}

func (t *Tx) addMember(group, user int64) error {
	_, err := t.exec(`INSERT OR IGNORE INTO members (group_id, user_id) VALUES (?, ?)`, group, user)
	return err
}

// AddMember puts a user into a group.
func (t *Tx) AddMember(group, user, zone string) error {
	g, u, err := t.groupAndUser(group, user, zone)
	if err != nil {
		return err
	}
	return t.addMember(g.ID, u.ID)
}

// RemoveMember takes a user out of a group.
func (t *Tx) RemoveMember(group, user, zone string) error {
	g, u, err := t.groupAndUser(group, user, zone)
	if err != nil {
		return err
	}
	n, err := t.exec(`DELETE FROM members WHERE group_id = ? AND user_id = ?`, g.ID, u.ID)
	if err == nil && n == 0 {
		return status.SuccessButNoInfo
	}
	return err
}

func (t *Tx) groupAndUser(group, user, zone string) (g, u User, err error) {
	g, err = t.User(group, t.cat.zone)
	if err != nil || g.Type != TypeGroup {
		return g, u, status.InvalidGroup
	}
	name, z := SplitUser(user, zone)
	u, err = t.User(name, z)
	return g, u, err
}

// IsMember tells whether the user is in the group.
func (t *Tx) IsMember(groupID, userID int64) (bool, error) {
	return t.exists(`SELECT group_id FROM members WHERE group_id = ? AND user_id = ?`, groupID, userID)
}

// RemoveUser removes a user or group whose home and trash are empty.
func (t *Tx) RemoveUser(name, zone string) error {
	u, err := t.User(name, zone)
	if err != nil {
		return err
	}
	for _, dir := range []string{"home", "trash/home"} {
		c, err := t.Coll("/" + t.cat.zone + "/" + dir + "/" + name)
		if errors.Is(err, status.UnknownCollection) || u.Zone != t.cat.zone {
			continue
		}
		if err != nil {
			return err
		}
		if err := t.dropColl(c); err != nil {
			return err
		}
	}
	for _, text := range []string{
		`DELETE FROM members WHERE user_id = ?1 OR group_id = ?1`,
		`DELETE FROM passwords WHERE user_id = ?`,
		`DELETE FROM access WHERE user_id = ?`,
		`DELETE FROM avu_map WHERE object_id = ?`,
		`DELETE FROM quotas WHERE user_id = ?`,
		`DELETE FROM users WHERE id = ?`,
	} {
		if _, err := t.exec(text, u.ID); err != nil {
			return err
		}
	}
	return nil
}

// ModifyUser sets type, comment or info.
func (t *Tx) ModifyUser(u User, field, value string) error {
	text := ""
	switch field {
	case "type":
		if value != TypeAdmin && value != TypeUser && value != TypeGroupAdmin {
			return status.InvalidUserType
		}
		text = `UPDATE users SET type = ?, mtime = ? WHERE id = ?`
	case "comment":
		text = `UPDATE users SET comment = ?, mtime = ? WHERE id = ?`
	case "info":
		text = `UPDATE users SET info = ?, mtime = ? WHERE id = ?`
	default:
		return status.InvalidArgument
	}
	_, err := t.exec(text, value, t.now(), u.ID)
	return err
}
