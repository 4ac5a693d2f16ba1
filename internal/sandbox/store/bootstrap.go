package store

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// The ids of what every server has.
const (
	RootUser     int64 = 0
	GuestUser    int64 = 1
	SystemGroup  int64 = 0
	UserGroup    int64 = 1
	GuestGroup   int64 = 2
	firstSession int64 = 0
)

// bootstrap gives a new store what every server has; it leaves others alone.
func (s *Store) bootstrap() error {
	return s.Update(func(tx *Tx) error {
		if tx.Get(s.model.Class("Experimenter"), RootUser) != nil {
			return nil
		}
		if err := tx.addEnumerations(); err != nil {
			return err
		}
		return tx.addRoles()
	})
}

func (t *Tx) addEnumerations() error {
	for line := range strings.Lines(enumerations) {
		class, values, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		c := t.s.model.Class(class)
		if c == nil || !c.Enum {
			return fmt.Errorf("%s is no enumeration of the model", class)
		}
		for _, value := range strings.Fields(values) {
			row := NewRow(c)
			v := Values{"value": value}
			if class == "PixelsType" {
				v["bitSize"] = pixelBits[value]
			}
			if err := t.Fill(row, v); err != nil {
				return err
			}
			t.Insert(row)
		}
	}
	return nil
}

func (t *Tx) addRoles() error {
	add := func(class string, id, perm int64, v Values) error {
		row := NewRow(t.s.model.Class(class))
		row.ID, row.Perm = id, perm
		if err := t.Fill(row, v); err != nil {
			return err
		}
		t.Insert(row)
		return nil
	}
	type object struct {
		class    string
		id, perm int64
		v        Values
	}
	const readable = -52 // rwr-r-: everybody may read what belongs to these groups
	now := t.Now()
	for _, o := range []object{
		{"Experimenter", RootUser, DefaultPerm, Values{"omeName": "root", "firstName": "root", "lastName": "root", "ldap": false}},
		{"Experimenter", GuestUser, DefaultPerm, Values{"omeName": "guest", "firstName": "Guest", "lastName": "Account", "ldap": false}},
		{"ExperimenterGroup", SystemGroup, DefaultPerm, Values{"name": "system", "ldap": false}},
		{"ExperimenterGroup", UserGroup, readable, Values{"name": "user", "ldap": false}},
		{"ExperimenterGroup", GuestGroup, DefaultPerm, Values{"name": "guest", "ldap": false}},
		{"GroupExperimenterMap", 0, DefaultPerm, Values{"parent": SystemGroup, "child": RootUser, "owner": true}},
		{"GroupExperimenterMap", 1, DefaultPerm, Values{"parent": UserGroup, "child": RootUser, "owner": true}},
		{"GroupExperimenterMap", 2, DefaultPerm, Values{"parent": GuestGroup, "child": GuestUser, "owner": false}},
		{"Node", 0, DefaultPerm, Values{"uuid": rand.Text(), "conn": "sandbox", "up": now}},
		{"Session", firstSession, DefaultPerm, Values{"node": 0, "uuid": rand.Text(), "owner": RootUser, "timeToIdle": 0, "timeToLive": 0, "started": now, "defaultEventType": "Internal"}},
		{"Event", 0, DefaultPerm, Values{"time": now, "experimenter": RootUser, "experimenterGroup": SystemGroup, "type": "Bootstrap", "session": firstSession}},
	} {
		if err := add(o.class, o.id, o.perm, o.v); err != nil {
			return err
		}
	}
	return nil
}
