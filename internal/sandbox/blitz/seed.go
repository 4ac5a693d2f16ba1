package blitz

import (
	"fmt"

	"omerods/internal/sandbox/store"
)

// AddGroup makes a group with permissions such as "rwra--" and returns its id.
func (s *Server) AddGroup(name, permissions string) (int64, error) {
	perm, ok := ParsePermissions(permissions)
	if !ok {
		return 0, fmt.Errorf("add group %s: %q are no permissions", name, permissions)
	}
	var id int64
	err := s.store.Write(store.Root, func(a *store.Author) error {
		row := store.NewRow(a.Tx().Model().Class("ExperimenterGroup"))
		row.Perm = perm
		if err := a.Tx().Fill(row, store.Values{"name": name, "ldap": false}); err != nil {
			return err
		}
		id = a.Insert(row).ID
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("add group %s: %w", name, err)
	}
	return id, nil
}

// User describes a user to add.
type User struct {
	Name, FirstName, LastName, Email string
	Password                         string
	Groups                           []int64 // the first is the default group
	OwnerOf                          []int64 // of these groups
	Admin                            bool
}

// AddUser makes a user, who also becomes a member of the group user, and
// returns the id.
func (s *Server) AddUser(u User) (int64, error) {
	groups := append(append([]int64(nil), u.Groups...), store.UserGroup)
	if u.Admin {
		groups = append([]int64{store.SystemGroup}, groups...)
	}
	var id int64
	err := s.store.Write(store.Root, func(a *store.Author) error {
		v := store.Values{"omeName": u.Name, "firstName": u.FirstName, "lastName": u.LastName, "ldap": false}
		if u.Email != "" {
			v["email"] = u.Email
		}
		row, err := a.Create("Experimenter", v)
		if err != nil {
			return err
		}
		id = row.ID
		for _, g := range groups {
			owner := false
			for _, o := range u.OwnerOf {
				owner = owner || o == g
			}
			if _, err := a.Create("GroupExperimenterMap", store.Values{"parent": g, "child": id, "owner": owner}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("add user %s: %w", u.Name, err)
	}
	if err := s.secrets.set(id, u.Password); err != nil {
		return 0, fmt.Errorf("add user %s: %w", u.Name, err)
	}
	return id, nil
}

// AddMember puts a user into a group.
func (s *Server) AddMember(user, group int64, owner bool) error {
	return s.store.Write(store.Root, func(a *store.Author) error {
		_, err := a.Create("GroupExperimenterMap", store.Values{"parent": group, "child": user, "owner": owner})
		return err
	})
}
