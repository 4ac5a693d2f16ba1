package irodsd

import (
	"errors"
	"strconv"
	"strings"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

func ignore(err error, code status.Code) error {
	if errors.Is(err, code) {
		return nil
	}
	return err
}

// generalAdmin is API 701.
func (s *session) generalAdmin(req *request) (*reply, error) {
	if !s.user.Admin() {
		return nil, status.NoAPIPrivilege
	}
	args := make([]string, 10)
	for i := range args {
		args[i] = req.in.Str("arg" + strconv.Itoa(i))
	}
	return nil, s.update(req, func(t *catalog.Tx, _ catalog.Actor) error {
		switch args[0] + " " + args[1] {
		case "add user":
			return s.adminAddUser(t, args[2], args[3], args[4])
		case "add group":
			_, err := t.AddUser(args[2], s.srv.cfg.Zone, catalog.TypeGroup)
			return err
		case "rm user", "rm group":
			user, zone := catalog.SplitUser(args[2], args[3])
			return t.RemoveUser(user, zone)
		case "modify user":
			return s.adminModifyUser(t, args[2], args[3], args[4])
		case "modify group":
			return adminMember(t, args[2], args[3], args[4], args[5])
		case "add resource":
			host, vault, _ := strings.Cut(args[4], ":")
			if vault == "" {
				host, vault = "EMPTY_RESC_HOST", "EMPTY_RESC_PATH"
			}
			_, err := t.AddResource(args[2], args[3], host, vault, args[5])
			return err
		case "rm resource":
			return t.RemoveResource(args[2])
		case "add childtoresc":
			return t.SetParent(args[3], args[2])
		case "rm childfromresc":
			return t.SetParent(args[3], "")
		case "modify resource":
			return adminResource(t, args[2], args[3], args[4])
		case "set-quota user", "set-quota group":
			return s.adminQuota(t, args[1], args[2], args[3], args[4])
		case "calculate-usage ":
			return t.CalculateQuotas()
		}
		return status.InvalidArgument
	})
}

func (s *session) adminAddUser(t *catalog.Tx, who, kind, zone string) error {
	if kind == catalog.TypeGroup {
		return status.NotAllowed
	}
	user, zone := catalog.SplitUser(who, zone)
	_, err := t.AddUser(user, zone, kind)
	return err
}

func (s *session) adminModifyUser(t *catalog.Tx, who, field, value string) error {
	user, zone := catalog.SplitUser(who, s.srv.cfg.Zone)
	u, err := t.User(user, zone)
	if err != nil {
		return err
	}
	if field != "password" {
		return t.ModifyUser(u, field, value)
	}
	plain, err := s.unscramble(t, value)
	if err != nil {
		return err
	}
	return t.SetPassword(u.ID, catalog.PasswordOwn, plain, 0)
}

func adminMember(t *catalog.Tx, group, op, user, zone string) error {
	switch op {
	case "add":
		return t.AddMember(group, user, zone)
	case "remove":
		return t.RemoveMember(group, user, zone)
	}
	return status.InvalidArgument
}

func adminResource(t *catalog.Tx, name, field, value string) error {
	if _, err := t.Resource(name); err != nil {
		return err
	}
	if field != "freespace" && field != "free_space" {
		return status.InvalidArgument
	}
	return t.SetFreeSpace(name, value)
}

// adminQuota sets the quota of a group. Those of users can only be removed,
// since iRODS 4.3.
func (s *session) adminQuota(t *catalog.Tx, kind, who, resc, limit string) error {
	user, zone := catalog.SplitUser(who, s.srv.cfg.Zone)
	u, err := t.User(user, zone)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(limit, 10, 64)
	if err != nil {
		return status.InvalidArgument
	}
	if resc == "total" {
		resc = ""
	}
	if kind == "user" && n != 0 {
		return status.NotAllowed
	}
	if kind == "group" && u.Type != catalog.TypeGroup {
		return status.InvalidGroup
	}
	return t.SetQuota(u, resc, n)
}

// userAdmin is API 714: what group administrators may, and changing one's own
// password.
func (s *session) userAdmin(req *request) (*reply, error) {
	arg := func(n int) string { return req.in.Str("arg" + strconv.Itoa(n)) }
	return nil, s.update(req, func(t *catalog.Tx, _ catalog.Actor) error {
		if arg(0) == "userpw" {
			if arg(1) != s.user.Name || arg(2) != "password" {
				return status.NoAccess
			}
			plain, err := s.unscramble(t, arg(3))
			if err != nil {
				return err
			}
			return t.SetPassword(s.user.ID, catalog.PasswordOwn, plain, 0)
		}
		if s.user.Type != catalog.TypeGroupAdmin && !s.user.Admin() {
			return status.NoAPIPrivilege
		}
		switch arg(0) {
		case "mkuser":
			u, err := t.AddUser(arg(1), s.srv.cfg.Zone, catalog.TypeUser)
			if err != nil || arg(2) == "" {
				return err
			}
			plain, err := s.unscramble(t, arg(2))
			if err != nil {
				return err
			}
			return t.SetPassword(u.ID, catalog.PasswordOwn, plain, 0)
		case "mkgroup":
			if _, err := t.AddUser(arg(1), s.srv.cfg.Zone, catalog.TypeGroup); err != nil {
				return err
			}
			return t.AddMember(arg(1), s.user.Name, s.user.Zone)
		case "modify":
			return s.groupModify(t, arg)
		}
		return status.InvalidArgument
	})
}

// groupModify lets a group administrator change groups that they are in, and
// be the first member of an empty one.
func (s *session) groupModify(t *catalog.Tx, arg func(int) string) error {
	if arg(1) != "group" {
		return status.InvalidArgument
	}
	g, err := t.User(arg(2), s.srv.cfg.Zone)
	if err != nil || g.Type != catalog.TypeGroup {
		return status.InvalidGroup
	}
	mine, err := t.IsMember(g.ID, s.user.ID)
	if err != nil {
		return err
	}
	if !mine && !s.user.Admin() {
		return status.NoAccess
	}
	return adminMember(t, arg(2), arg(3), arg(4), arg(5))
}
