package blitz

import (
	"maps"
	"slices"
	"strconv"

	"omerods/internal/sandbox/store"
)

// AllGroups, as the group of a call, stands for all groups of the caller.
const AllGroups int64 = -1

// Caller is who makes a request, and in which group.
type Caller struct {
	User       int64
	Name       string
	Group      int64 // of this call; AllGroups for all
	Admin      bool
	Privileges []string // of an administrator
	Member     []int64  // groups
	Leader     []int64  // groups that the user owns
	Session    *Session
	// Owner is who gets what the call creates: the user, unless an
	// administrator named another in the context.
	Owner int64
}

// Actor returns the author of what the call writes.
func (c *Caller) Actor() store.Actor {
	group := c.Group
	if group == AllGroups {
		group = c.Session.currentGroup()
	}
	return store.Actor{User: c.Owner, Group: group, Session: c.Session.ID}
}

// memberships returns a user's places in groups, the default group first.
func memberships(tx *store.Tx, user int64) []*store.Row {
	return tx.Collection(tx.Model().Class("Experimenter").Property("groupExperimenterMap"), user)
}

func isAdmin(tx *store.Tx, user int64) bool {
	for _, m := range memberships(tx, user) {
		if m.Ref("parent") == store.SystemGroup {
			return true
		}
	}
	return false
}

// Caller works out who makes a call, from its session and the entries
// omero.group and omero.user of its context.
func (c *Call) Caller(tx *store.Tx) (*Caller, error) {
	who, err := callerOf(tx, c.Session, c.Session.User)
	if err != nil {
		return nil, err
	}
	// What is no number counts as absent.
	if group, err := strconv.ParseInt(c.Context["omero.group"], 10, 64); err == nil {
		if err := who.enter(tx, group); err != nil {
			return nil, err
		}
	}
	if user, err := strconv.ParseInt(c.Context["omero.user"], 10, 64); err == nil && user != who.User {
		if !who.Admin {
			return nil, Fail(SecurityViolation, "user %d cannot act for user %d", who.User, user)
		}
		who.Owner = user
	}
	return who, nil
}

// callerOf is a user in the group of a session.
func callerOf(tx *store.Tx, s *Session, user int64) (*Caller, error) {
	row := tx.Get(tx.Model().Class("Experimenter"), user)
	if row == nil {
		return nil, Fail(RemovedSession, "user %d does not exist", user)
	}
	who := &Caller{User: user, Name: row.Text("omeName"), Group: s.currentGroup(), Session: s, Owner: user}
	for _, m := range memberships(tx, user) {
		group := m.Ref("parent")
		who.Member = append(who.Member, group)
		if m.Get("owner") == true {
			who.Leader = append(who.Leader, group)
		}
		who.Admin = who.Admin || group == store.SystemGroup
	}
	if who.Admin {
		who.Privileges = privileges(tx, row)
	}
	return who, nil
}

// privileges are those of an administrator: all, but for the ones that the
// user's config takes away.
func privileges(tx *store.Tx, user *store.Row) []string {
	config, _ := user.Get("config").([]store.NamedValue)
	var out []string
	for p := range tx.Rows(tx.Model().Class("AdminPrivilege")) {
		name := p.Text("value")
		if !slices.Contains(config, store.NamedValue{Name: "AdminPrivilege:" + name, Value: "false"}) {
			out = append(out, name)
		}
	}
	return out
}

// enter puts a call into a group.
func (c *Caller) enter(tx *store.Tx, group int64) error {
	if c.Session.fixed && group != c.Session.currentGroup() {
		return Fail(SecurityViolation, "Group-sudo session cannot change context")
	}
	if group < 0 {
		c.Group = AllGroups
		return nil
	}
	g := tx.Get(tx.Model().Class("ExperimenterGroup"), group)
	switch {
	case g == nil:
		return Fail(Validation, "no group %d", group)
	case !c.Admin && !slices.Contains(c.Member, group) && g.Perm&(rightRead<<roleWorld) == 0:
		return Fail(SecurityViolation, "user %d is not a member of group %d and cannot login with it", c.User, group)
	}
	c.Group = group
	return nil
}

// Has reports whether the caller is an administrator with a privilege.
func (c *Caller) Has(privilege string) bool {
	return c.Admin && slices.Contains(c.Privileges, privilege)
}

// View runs fn with the caller of the call, on a state that stays the same.
func (c *Call) View(fn func(tx *store.Tx, who *Caller) error) error {
	return c.Server.store.View(func(tx *store.Tx) error {
		who, err := c.Caller(tx)
		if err != nil {
			return err
		}
		return fn(tx, who)
	})
}

// Update runs fn with the caller of the call in one transaction.
func (c *Call) Update(fn func(tx *store.Tx, who *Caller) error) error {
	return c.Server.store.Update(func(tx *store.Tx) error {
		who, err := c.Caller(tx)
		if err != nil {
			return err
		}
		return fn(tx, who)
	})
}

// inAllGroups is the same call for all groups of the caller. Requests on graphs
// run so, whatever the group of their context.
func (c *Call) inAllGroups() *Call {
	sub := *c
	sub.Context = maps.Clone(c.Context)
	if !c.Session.fixed {
		sub.Context["omero.group"] = strconv.FormatInt(AllGroups, 10)
	}
	return &sub
}

// nobody is for calls that only need their caller to be valid.
func nobody(*store.Tx, *Caller) error { return nil }
