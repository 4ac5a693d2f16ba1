package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// adminWriteMethods are the operations by which administrators manage users
// and groups, owners their groups, and everybody the own account.
var adminWriteMethods = Methods{
	"createGroup": createGroup,
	"updateGroup": func(_ context.Context, c *Call) ([]any, error) {
		return nil, c.updateAccount("ExperimenterGroup", "ModifyGroup", "name", "description", "config")
	},
	"updateExperimenter": func(_ context.Context, c *Call) ([]any, error) {
		return nil, c.updateAccount("Experimenter", "ModifyUser", "omeName", "firstName", "middleName", "lastName", "email", "institution")
	},
	"updateSelf": func(_ context.Context, c *Call) ([]any, error) {
		return nil, c.updateAccount("Experimenter", "", "firstName", "middleName", "lastName", "email", "institution")
	},
	"createUser": func(_ context.Context, c *Call) ([]any, error) {
		return c.createUser("", []any{Arg[string](c, 1)})
	},
	"createSystemUser": func(_ context.Context, c *Call) ([]any, error) {
		return c.createUser("", []any{store.SystemGroup})
	},
	"createExperimenter": func(_ context.Context, c *Call) ([]any, error) {
		return c.createUser("", append([]any{c.Args[1]}, Arg[[]any](c, 2)...))
	},
	"createExperimenterWithPassword": func(_ context.Context, c *Call) ([]any, error) {
		password, _ := unbox(c.Args[1]).(string)
		return c.createUser(password, append([]any{c.Args[2]}, Arg[[]any](c, 3)...))
	},
	"addGroups":         changeGroups(addMembership),
	"removeGroups":      changeGroups(removeMembership),
	"setGroupOwner":     owners(true),
	"addGroupOwners":    owners(true),
	"unsetGroupOwner":   owners(false),
	"removeGroupOwners": owners(false),
	"setDefaultGroup":   setDefaultGroup,
	"changePassword": func(_ context.Context, c *Call) ([]any, error) {
		c.Session.mu.Lock()
		joined := c.Session.joined
		c.Session.mu.Unlock()
		if joined || c.Session.sudoer != store.None {
			return nil, Fail(SecurityViolation, "the password was not checked in this session")
		}
		password, _ := unbox(c.Args[0]).(string)
		return nil, c.Server.secrets.set(c.Session.User, password)
	},
	"changePasswordWithOldPassword": func(_ context.Context, c *Call) ([]any, error) {
		old, _ := unbox(c.Args[0]).(string)
		password, _ := unbox(c.Args[1]).(string)
		if !c.Server.secrets.check(c.Session.User, old) {
			return nil, Fail(SecurityViolation, "the old password is wrong")
		}
		return nil, c.Server.secrets.set(c.Session.User, password)
	},
	"changeUserPassword": func(_ context.Context, c *Call) ([]any, error) {
		user := c.Server.userByName(Arg[string](c, 0))
		password, _ := unbox(c.Args[1]).(string)
		err := c.View(func(_ *store.Tx, who *Caller) error {
			if user == nil {
				return Fail(APIUsage, "no user %q", Arg[string](c, 0))
			}
			return who.need("ModifyUser")
		})
		if err != nil {
			return nil, err
		}
		return nil, c.Server.secrets.set(user.ID, password)
	},
	"changePermissions": changePermissions,
}

// need is a SecurityViolation unless the caller is an administrator with a
// privilege.
func (c *Caller) need(privilege string) error {
	if !c.Has(privilege) {
		return Fail(SecurityViolation, "%s lacks the privilege %s", c.Name, privilege)
	}
	return nil
}

// account finds the user or group that a value names: an object with an id, or
// for groups a name or an id.
func (c *Call) account(tx *store.Tx, class string, v any) (*store.Row, error) {
	m := tx.Model().Class(class)
	id := store.None
	switch x := v.(type) {
	case int64:
		id = x
	case string:
		if ids, _ := tx.TextIDs(m.Property("name"), x); len(ids) > 0 {
			id = ids[0]
		}
	case *ice.Object:
		if c.Server.classOf(x) == m {
			if n, ok := unbox(x.Get("id")).(int64); ok {
				id = n
			}
		}
	}
	row := tx.Get(m, id)
	if row == nil {
		return nil, Fail(APIUsage, "no such %s", class)
	}
	return row, nil
}

func createGroup(_ context.Context, c *Call) (out []any, err error) {
	o := Arg[*ice.Object](c, 0)
	err = c.Update(func(tx *store.Tx, who *Caller) error {
		if err := who.need("ModifyGroup"); err != nil {
			return err
		}
		if class := c.Server.classOf(o); class == nil || class.Name != "ExperimenterGroup" {
			return Fail(APIUsage, "no group given")
		}
		row := store.NewRow(c.Server.classOf(o))
		v := store.Values{"name": unbox(o.Get("name")), "description": unbox(o.Get("description")), "ldap": unbox(o.Get("ldap")) == true}
		if err := tx.Fill(row, v); err != nil {
			return err
		}
		if d, _ := o.Get("details").(*ice.Object); d != nil {
			if p, _ := d.Get("permissions").(*ice.Object); p != nil {
				row.Perm, _ = p.Get("perm1").(int64)
			}
		}
		out = []any{tx.As(who.Actor()).Insert(row).ID}
		return nil
	})
	return out, err
}

// createUser makes the user of the first argument with memberships; the first
// is the default group.
func (c *Call) createUser(password string, groups []any) (out []any, err error) {
	o := Arg[*ice.Object](c, 0)
	var id int64
	err = c.Update(func(tx *store.Tx, who *Caller) error {
		if err := who.need("ModifyUser"); err != nil {
			return err
		}
		if class := c.Server.classOf(o); class == nil || class.Name != "Experimenter" {
			return Fail(APIUsage, "no user given")
		}
		author := tx.As(who.Actor())
		v := store.Values{"ldap": unbox(o.Get("ldap")) == true}
		for _, name := range []string{"omeName", "firstName", "middleName", "lastName", "email", "institution"} {
			v[name] = unbox(o.Get(name))
		}
		row, err := author.Create("Experimenter", v)
		if err != nil {
			return err
		}
		id = row.ID
		for _, g := range append(groups, store.UserGroup) {
			if g == nil {
				continue
			}
			group, err := c.account(tx, "ExperimenterGroup", g)
			if err != nil {
				return err
			}
			if err := addMembership(author, row, group); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || password == "" {
		return []any{id}, err
	}
	return []any{id}, c.Server.secrets.set(id, password)
}

// updateAccount takes over the named members of a user or group. Without a
// privilege it must be the caller's own account.
func (c *Call) updateAccount(class, privilege string, members ...string) error {
	o := Arg[*ice.Object](c, 0)
	return c.Update(func(tx *store.Tx, who *Caller) error {
		old, err := c.account(tx, class, o)
		if err != nil {
			return err
		}
		switch {
		case privilege == "" && old.ID != who.User:
			return Fail(SecurityViolation, "user %d is not %s", old.ID, who.Name)
		case privilege == "", class == "ExperimenterGroup" && slices.Contains(who.Leader, old.ID):
		default:
			if err := who.need(privilege); err != nil {
				return err
			}
		}
		sv := &saver{c: c, tx: tx, who: who}
		row := old.Clone()
		for _, name := range members {
			p := row.Class.Property(name)
			v, err := sv.value(p, o.Get(name))
			if err != nil {
				return err
			}
			row.SetValue(p, v)
		}
		if !sameValues(old, row) {
			tx.As(who.Actor()).Update(row)
		}
		return nil
	})
}

func membership(tx *store.Tx, user, group *store.Row) *store.Row {
	for _, m := range memberships(tx, user.ID) {
		if m.Ref("parent") == group.ID {
			return m
		}
	}
	return nil
}

func addMembership(a *store.Author, user, group *store.Row) error {
	if membership(a.Tx(), user, group) != nil {
		return nil
	}
	_, err := a.Create("GroupExperimenterMap", store.Values{"parent": group, "child": user, "owner": false})
	return err
}

func removeMembership(a *store.Author, user, group *store.Row) error {
	if m := membership(a.Tx(), user, group); m != nil {
		a.Delete(m)
	}
	return nil
}

// changeGroups changes the places of a user in groups.
func changeGroups(change func(a *store.Author, user, group *store.Row) error) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		return nil, c.Update(func(tx *store.Tx, who *Caller) error {
			user, err := c.account(tx, "Experimenter", c.Args[0])
			if err != nil {
				return err
			}
			author := tx.As(who.Actor())
			for _, v := range Arg[[]any](c, 1) {
				group, err := c.account(tx, "ExperimenterGroup", v)
				if err != nil {
					return err
				}
				if !slices.Contains(who.Leader, group.ID) {
					if err := who.need("ModifyGroupMembership"); err != nil {
						return err
					}
				}
				if err := change(author, user, group); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// owners makes members of a group its owners, or no longer.
func owners(owner bool) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		users, many := c.Args[1].([]any)
		if !many {
			users = []any{c.Args[1]}
		}
		return nil, c.Update(func(tx *store.Tx, who *Caller) error {
			group, err := c.account(tx, "ExperimenterGroup", c.Args[0])
			if err != nil {
				return err
			}
			if !slices.Contains(who.Leader, group.ID) {
				if err := who.need("ModifyGroupMembership"); err != nil {
					return err
				}
			}
			for _, v := range users {
				user, err := c.account(tx, "Experimenter", v)
				if err != nil {
					return err
				}
				m := membership(tx, user, group)
				if m == nil {
					return Fail(APIUsage, "user %d is not in group %d", user.ID, group.ID)
				}
				m = m.Clone()
				m.SetValue(m.Class.Property("owner"), owner)
				tx.As(who.Actor()).Update(m)
			}
			return nil
		})
	}
}

// setDefaultGroup puts a membership in front of the others.
func setDefaultGroup(_ context.Context, c *Call) ([]any, error) {
	return nil, c.Update(func(tx *store.Tx, who *Caller) error {
		user, err := c.account(tx, "Experimenter", c.Args[0])
		if err != nil {
			return err
		}
		group, err := c.account(tx, "ExperimenterGroup", c.Args[1])
		if err != nil {
			return err
		}
		if user.ID != who.User {
			if err := who.need("ModifyGroupMembership"); err != nil {
				return err
			}
		}
		first := membership(tx, user, group)
		if first == nil {
			return Fail(APIUsage, "user %d is not in group %d", user.ID, group.ID)
		}
		position := int32(1)
		for _, m := range memberships(tx, user.ID) {
			moved := m.Clone()
			if m.ID == first.ID {
				moved.Position = 0
			} else {
				moved.Position, position = position, position+1
			}
			tx.Put(moved)
		}
		return nil
	})
}

// changePermissions changes those of a group.
func changePermissions(_ context.Context, c *Call) ([]any, error) {
	perms := Arg[*ice.Object](c, 1)
	return nil, c.Update(func(tx *store.Tx, who *Caller) error {
		group, err := c.account(tx, "ExperimenterGroup", c.Args[0])
		if err != nil {
			return err
		}
		if perms == nil {
			return Fail(APIUsage, "no permissions given")
		}
		bits, _ := perms.Get("perm1").(int64)
		return who.permit(tx, group, bits)
	})
}

// permit gives a group other permissions, as its owners may and those who
// manage groups.
func (c *Caller) permit(tx *store.Tx, group *store.Row, bits int64) error {
	if !slices.Contains(c.Leader, group.ID) {
		if err := c.need("ModifyGroup"); err != nil {
			return err
		}
	}
	changed := group.Clone()
	changed.Perm = bits
	tx.As(c.Actor()).Update(changed)
	return nil
}
