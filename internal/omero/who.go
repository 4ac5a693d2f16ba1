package omero

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"omerods/internal/ice"
)

// EventContext says as whom calls are made.
type EventContext struct {
	User        int64
	UserName    string
	Group       int64 // of the session
	GroupName   string
	Admin       bool
	Privileges  []string
	MemberOf    []int64
	LeaderOf    []int64
	SessionUUID string
	Sudoer      string // who acts as User, "" for nobody
	Permissions string // of the group, such as "rwra--"
}

// EventContext asks the server as whom it sees the client.
func (c *Client) EventContext(ctx context.Context) (EventContext, error) {
	res, err := c.call(ctx, adminService, "getEventContext")
	o, err := result[*ice.Object]("getEventContext", res, err)
	if err != nil {
		return EventContext{}, err
	}
	e := EventContext{
		User:        get[int64](o, "userId"),
		UserName:    get[string](o, "userName"),
		Group:       get[int64](o, "groupId"),
		GroupName:   get[string](o, "groupName"),
		Admin:       get[bool](o, "isAdmin"),
		Privileges:  get[[]string](o, "adminPrivileges"),
		MemberOf:    get[[]int64](o, "memberOfGroups"),
		LeaderOf:    get[[]int64](o, "leaderOfGroups"),
		SessionUUID: get[string](o, "sessionUuid"),
	}
	if s, ok := plain(o.Get("sudoerName")).(string); ok {
		e.Sudoer = s
	}
	if p, ok := o.Get("groupPermissions").(*ice.Object); ok && p != nil {
		e.Permissions = permissionText(get[int64](p, "perm1"))
	}
	return e, nil
}

// get returns a field as a T, or the zero value.
func get[T any](o *ice.Object, field string) T {
	var zero T
	if o == nil || !o.Has(field) {
		return zero
	}
	v, _ := o.Get(field).(T)
	return v
}

// permissionText spells the bits of Permissions.perm1: for each role the right
// to annotate is 1, to write 2, to read 4, shifted by 8 for the user, 4 for the
// group, 0 for the world.
func permissionText(bits int64) string {
	var b strings.Builder
	for _, shift := range []int{8, 4, 0} {
		r := bits >> shift
		switch {
		case r&4 == 0:
			b.WriteString("--")
		case r&2 != 0:
			b.WriteString("rw")
		case r&1 != 0:
			b.WriteString("ra")
		default:
			b.WriteString("r-")
		}
	}
	return b.String()
}

// Group is a group of users.
type Group struct {
	ID          int64
	Name        string
	Description string
	Permissions string // six characters such as "rwra--"
	Leader      bool   // the asking user leads it
}

// User is a user of the server.
type User struct {
	ID          int64
	Name        string // for the login
	First       string
	Middle      string
	Last        string
	Email       string
	Institution string
	Leader      bool // of the group asked about
}

// Groups lists the groups the user is in, or with all every one of the server.
// The groups system, user and guest, which hold no data of people, are left
// out.
func (c *Client) Groups(ctx context.Context, all bool) ([]Group, error) {
	const own = `select g.id, g.name, g.description, g.details.permissions, m.owner from ExperimenterGroup g ` +
		`join g.groupExperimenterMap m where m.child.id = :uid and g.name not in ('system', 'user', 'guest') order by g.id`
	const every = `select g.id, g.name, g.description, g.details.permissions from ExperimenterGroup g ` +
		`where g.name not in ('system', 'user', 'guest') order by g.id`
	query, p := own, params{"uid": c.who.User}
	if all {
		query, p = every, nil
	}
	rows, err := c.rows(ctx, query, p)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	groups := make([]Group, len(rows))
	for i, r := range rows {
		groups[i] = Group{ID: r.id(0), Name: r.str(1), Description: r.str(2), Permissions: r.permissions(3), Leader: r.yes(4)}
	}
	return groups, nil
}

// permissions reads a Permissions column, which a projection returns as a map.
func (r row) permissions(i int) string {
	m, _ := r.at(i).(map[string]any)
	s, _ := m["perm"].(string)
	return s
}

// GroupsByID returns groups by their ids; unknown ones are missing.
func (c *Client) GroupsByID(ctx context.Context, ids []int64) ([]Group, error) {
	rows, err := c.rowsFor(ctx, `select g.id, g.name, g.description, g.details.permissions from ExperimenterGroup g `+
		`where g.id in (:ids) order by g.id`, unique(ids))
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	groups := make([]Group, len(rows))
	for i, r := range rows {
		groups[i] = Group{ID: r.id(0), Name: r.str(1), Description: r.str(2), Permissions: r.permissions(3)}
	}
	return groups, nil
}

const userColumns = `e.id, e.omeName, e.firstName, e.middleName, e.lastName, e.email, e.institution`

func (r row) user() User {
	return User{ID: r.id(0), Name: r.str(1), First: r.str(2), Middle: r.str(3), Last: r.str(4), Email: r.str(5),
		Institution: r.str(6), Leader: r.yes(7)}
}

// Members lists the users of a group.
func (c *Client) Members(ctx context.Context, group int64) ([]User, error) {
	rows, err := c.rows(ctx, `select `+userColumns+`, m.owner from GroupExperimenterMap m join m.child e `+
		`where m.parent.id = :gid order by e.id`, params{"gid": group})
	return toUsers(rows, err)
}

// UsersByID returns users by their ids; unknown ones are missing.
func (c *Client) UsersByID(ctx context.Context, ids []int64) ([]User, error) {
	rows, err := c.rowsFor(ctx, `select `+userColumns+` from Experimenter e where e.id in (:ids) order by e.id`, unique(ids))
	return toUsers(rows, err)
}

// UserByName finds a user by the name of the login.
func (c *Client) UserByName(ctx context.Context, name string) (User, error) {
	r, ok, err := c.first(ctx, `select `+userColumns+` from Experimenter e where e.omeName = :name order by e.id`, params{"name": name})
	switch {
	case err != nil:
		return User{}, fmt.Errorf("user: %w", err)
	case !ok:
		return User{}, failure(NotFound, "user", "no user "+strconv.Quote(name))
	}
	return r.user(), nil
}

func toUsers(rows []row, err error) ([]User, error) {
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	users := make([]User, len(rows))
	for i, r := range rows {
		users[i] = r.user()
	}
	return users, nil
}
