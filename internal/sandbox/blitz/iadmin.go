package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

var adminMethods = Methods{
	"getEventContext":        eventContextMethod,
	"getSecurityRoles":       securityRoles,
	"lookupGroups":           adminRows("ExperimenterGroup", ""),
	"lookupExperimenters":    adminRows("Experimenter", ""),
	"containedExperimenters": adminRows("Experimenter", "parent"),
	"containedGroups":        adminRows("ExperimenterGroup", "child"),
	"getGroup":               byID("ExperimenterGroup"),
	"getExperimenter":        byID("Experimenter"),
	"lookupGroup":            byName("ExperimenterGroup", "name"),
	"lookupExperimenter":     byName("Experimenter", "omeName"),
	"getDefaultGroup": func(_ context.Context, c *Call) ([]any, error) {
		return c.people(func(tx *store.Tx, _ *Caller) ([]*store.Row, error) {
			id, err := startGroup(tx, Arg[int64](c, 0), "")
			if err != nil {
				return nil, Fail(APIUsage, "user %d has no default group", Arg[int64](c, 0))
			}
			return []*store.Row{tx.Get(tx.Model().Class("ExperimenterGroup"), id)}, nil
		}, false)
	},
	"getMemberOfGroupIds":         groupIDs(func(w *Caller) []int64 { return w.Member }),
	"getLeaderOfGroupIds":         groupIDs(func(w *Caller) []int64 { return w.Leader }),
	"getCurrentAdminPrivileges":   currentPrivileges,
	"getAdminPrivileges":          privilegesOf,
	"canUpdate":                   canUpdate,
	"lookupLdapAuthExperimenter":  func(context.Context, *Call) ([]any, error) { return []any{""}, nil },
	"lookupLdapAuthExperimenters": func(_ context.Context, c *Call) ([]any, error) { return []any{c.Server.rtype("RList", []any{})}, nil },
	"synchronizeLoginCache":       ignore,
	"getMyUserPhotos":             func(context.Context, *Call) ([]any, error) { return []any{[]any{}}, nil },
}

func eventContextMethod(_ context.Context, c *Call) (out []any, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		out = []any{c.eventContext(tx, who)}
		return nil
	})
	return out, err
}

// eventContext describes the caller. In a call for all groups the group is the
// session's.
func (c *Call) eventContext(tx *store.Tx, who *Caller) *ice.Object {
	s, m := c.Server, tx.Model()
	group := who.Group
	if group == AllGroups {
		group = who.Session.currentGroup()
	}
	o := s.defs.New("::omero::sys::EventContext")
	o.Set("shareId", int64(-1)).Set("sessionId", who.Session.ID).Set("sessionUuid", who.Session.UUID)
	o.Set("userId", who.User).Set("userName", who.Name).Set("isAdmin", who.Admin)
	o.Set("adminPrivileges", who.Privileges).Set("eventId", int64(-1)).Set("eventType", "User")
	o.Set("groupId", group).Set("memberOfGroups", who.Member).Set("leaderOfGroups", who.Leader)
	if g := tx.Get(m.Class("ExperimenterGroup"), group); g != nil {
		o.Set("groupName", g.Text("name")).Set("groupPermissions", s.permissions(g.Perm, nil, nil))
	}
	if who.Session.sudoer != store.None {
		o.Set("sudoerId", s.RLong(who.Session.sudoer))
		if u := tx.Get(m.Class("Experimenter"), who.Session.sudoer); u != nil {
			o.Set("sudoerName", s.RString(u.Text("omeName")))
		}
	}
	return o
}

func securityRoles(_ context.Context, c *Call) ([]any, error) {
	return []any{c.Server.defs.New("::omero::sys::Roles").
		Set("rootId", store.RootUser).Set("rootName", "root").
		Set("systemGroupId", store.SystemGroup).Set("systemGroupName", "system").
		Set("userGroupId", store.UserGroup).Set("userGroupName", "user").
		Set("guestId", store.GuestUser).Set("guestName", "guest").
		Set("guestGroupId", store.GuestGroup).Set("guestGroupName", "guest")}, nil
}

// people answers with users or groups, their memberships fetched in both
// directions.
func (c *Call) people(find func(tx *store.Tx, who *Caller) ([]*store.Row, error), list bool) (out []any, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		rows, err := find(tx, who)
		if err != nil {
			return err
		}
		g := c.Server.newGraph(tx, who)
		for _, r := range rows {
			g.withMembers(r)
		}
		if out = g.list(rows); list {
			out = []any{out}
		}
		return nil
	})
	return out, err
}

// adminRows lists users or groups: all, or those on the other end of the
// memberships that have the id of the first argument as end.
func adminRows(class, end string) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		return c.people(func(tx *store.Tx, _ *Caller) ([]*store.Row, error) {
			m := tx.Model()
			if end == "" {
				return slices.Collect(tx.Rows(m.Class(class))), nil
			}
			other := map[string]string{"parent": "child", "child": "parent"}[end]
			maps := m.Class("GroupExperimenterMap")
			var rows []*store.Row
			for _, id := range tx.RefIDs(maps.Property(end), Arg[int64](c, 0)) {
				rows = append(rows, tx.Get(m.Class(class), tx.Get(maps, id).Ref(other)))
			}
			return rows, nil
		}, true)
	}
}

func byID(class string) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		return c.people(func(tx *store.Tx, _ *Caller) ([]*store.Row, error) {
			row := tx.Get(tx.Model().Class(class), Arg[int64](c, 0))
			if row == nil {
				return nil, Fail(APIUsage, "no %s with the id %d", class, Arg[int64](c, 0))
			}
			return []*store.Row{row}, nil
		}, false)
	}
}

func byName(class, property string) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		return c.people(func(tx *store.Tx, _ *Caller) ([]*store.Row, error) {
			ids, _ := tx.TextIDs(tx.Model().Class(class).Property(property), Arg[string](c, 0))
			if len(ids) == 0 {
				return nil, Fail(APIUsage, "no %s named %q", class, Arg[string](c, 0))
			}
			return []*store.Row{tx.Get(tx.Model().Class(class), ids[0])}, nil
		}, false)
	}
}

// memberOf works out the rights of the user in the first argument.
func (c *Call) memberOf(tx *store.Tx) (*Caller, error) {
	o := Arg[*ice.Object](c, 0)
	if class := c.Server.classOf(o); class == nil || class.Name != "Experimenter" {
		return nil, Fail(APIUsage, "no user given")
	}
	id, ok := unbox(o.Get("id")).(int64)
	if !ok {
		return nil, Fail(APIUsage, "the user has no id")
	}
	return callerOf(tx, c.Session, id)
}

func groupIDs(which func(*Caller) []int64) Method {
	return func(_ context.Context, c *Call) (out []any, err error) {
		err = c.View(func(tx *store.Tx, _ *Caller) error {
			who, err := c.memberOf(tx)
			if err == nil {
				out = []any{which(who)}
			}
			return err
		})
		return out, err
	}
}

// privilegeObjects returns enumeration objects for privileges.
func (c *Call) privilegeObjects(tx *store.Tx, who *Caller, names []string) []any {
	var rows []*store.Row
	for r := range tx.Rows(tx.Model().Class("AdminPrivilege")) {
		if slices.Contains(names, r.Text("value")) {
			rows = append(rows, r)
		}
	}
	return []any{c.Objects(tx, who, rows...)}
}

func currentPrivileges(_ context.Context, c *Call) (out []any, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		out = c.privilegeObjects(tx, who, who.Privileges)
		return nil
	})
	return out, err
}

func privilegesOf(_ context.Context, c *Call) (out []any, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		other, err := c.memberOf(tx)
		if err == nil {
			out = c.privilegeObjects(tx, who, other.Privileges)
		}
		return err
	})
	return out, err
}

func canUpdate(_ context.Context, c *Call) (out []any, err error) {
	o := Arg[*ice.Object](c, 0)
	class := c.Server.classOf(o)
	if class == nil {
		return nil, Fail(APIUsage, "no object given")
	}
	id, _ := unbox(o.Get("id")).(int64)
	err = c.View(func(tx *store.Tx, who *Caller) error {
		row := tx.Get(class, id)
		out = []any{row != nil && who.CanRead(tx, row) && who.Rights(tx, row).Edit}
		return nil
	})
	return out, err
}
