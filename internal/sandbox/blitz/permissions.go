package blitz

import (
	"slices"
	"strings"

	"omerods/internal/sandbox/store"
)

// Permission bits: a right shifted by a role.
const (
	rightAnnotate = 1
	rightWrite    = 2
	rightRead     = 4

	roleUser  = 8
	roleGroup = 4
	roleWorld = 0
)

// ParsePermissions reads the six characters in which OMERO writes permissions,
// such as "rwra--".
func ParsePermissions(s string) (int64, bool) {
	if len(s) != 6 {
		return 0, false
	}
	bits := ^int64(0x777)
	for i, role := range []int{roleUser, roleGroup, roleWorld} {
		switch s[2*i] {
		case 'r', 'R':
			bits |= rightRead << role
		case '-', '_':
		default:
			return 0, false
		}
		switch s[2*i+1] {
		case 'w', 'W':
			bits |= (rightWrite | rightAnnotate) << role
		case 'a', 'A':
			bits |= rightAnnotate << role
		case '-', '_':
		default:
			return 0, false
		}
	}
	return bits, true
}

// FormatPermissions is the reverse of ParsePermissions.
func FormatPermissions(bits int64) string {
	var b strings.Builder
	for _, role := range []int{roleUser, roleGroup, roleWorld} {
		r, w := byte('-'), byte('-')
		if bits&(rightRead<<role) != 0 {
			r = 'r'
		}
		if bits&(rightAnnotate<<role) != 0 {
			w = 'a'
		}
		if bits&(rightWrite<<role) != 0 {
			w = 'w'
		}
		b.WriteByte(r)
		b.WriteByte(w)
	}
	return b.String()
}

// Rights are what a caller may do with an object.
type Rights struct {
	Link, Edit, Delete, Annotate, Chgrp, Chown bool
}

// groupPermissions returns the permission bits that hold for an object: its
// group's, or its own when it is a group or belongs to none.
func groupPermissions(tx *store.Tx, r *store.Row) int64 {
	if r.Group != store.None {
		if g := tx.Get(tx.Model().Class("ExperimenterGroup"), r.Group); g != nil {
			return g.Perm
		}
	}
	return r.Perm
}

// CanRead reports whether an object exists for the caller in the call's group.
func (c *Caller) CanRead(tx *store.Tx, r *store.Row) bool {
	if r.Class.Root.Name == "Session" { // holds a key that lets in
		return c.Admin || r.Ref("owner") == c.User
	}
	if r.Class.Global || r.Group == store.None || r.Group == store.UserGroup {
		return true
	}
	if c.Group != AllGroups && r.Group != c.Group {
		return false
	}
	if c.Admin || r.Owner == c.User && slices.Contains(c.Member, r.Group) || slices.Contains(c.Leader, r.Group) {
		return true
	}
	perm := groupPermissions(tx, r)
	role := roleWorld
	if slices.Contains(c.Member, r.Group) {
		role = roleGroup
	}
	return perm&(rightRead<<role) != 0
}

// Visible returns CanRead for a query.
func (c *Caller) Visible(tx *store.Tx) func(*store.Row) bool {
	return func(r *store.Row) bool { return c.CanRead(tx, r) }
}

// Rights returns what the caller may do with an object that it can read.
func (c *Caller) Rights(tx *store.Tx, r *store.Row) Rights {
	if r.Class.Global || r.Group == store.None {
		return Rights{Edit: c.Admin, Delete: c.Admin, Link: c.Admin, Annotate: true}
	}
	perm := groupPermissions(tx, r)
	groupRead := perm&(rightRead<<roleGroup) != 0
	var out Rights
	if r.Owner == c.User && (slices.Contains(c.Member, r.Group) || c.Admin) {
		out = Rights{Link: true, Edit: true, Delete: true, Annotate: true, Chgrp: true}
	}
	if slices.Contains(c.Member, r.Group) && groupRead {
		out.Annotate = out.Annotate || perm&(rightAnnotate<<roleGroup) != 0
		if perm&(rightWrite<<roleGroup) != 0 {
			out.Link, out.Edit, out.Delete = true, true, true
		}
	}
	if slices.Contains(c.Leader, r.Group) {
		out.Edit, out.Delete, out.Chown = true, true, true
		out.Link, out.Annotate = out.Link || groupRead, out.Annotate || groupRead
	}
	if c.Admin {
		write, remove := c.Has("WriteOwned"), c.Has("DeleteOwned")
		if r.Class.Name == "OriginalFile" {
			write, remove = c.Has("WriteFile") || write, c.Has("DeleteFile") || remove
		}
		out.Edit, out.Delete = out.Edit || write, out.Delete || remove
		out.Link, out.Annotate = out.Link || write && groupRead, out.Annotate || write && groupRead
		out.Chgrp, out.Chown = out.Chgrp || c.Has("Chgrp"), out.Chown || c.Has("Chown")
	}
	return out
}

// restrictions are Rights in the order of Permissions.restrictions, where true
// forbids.
func (r Rights) restrictions() []bool {
	return []bool{!r.Link, !r.Edit, !r.Delete, !r.Annotate, !r.Chgrp, !r.Chown}
}

// canWriteIn reports whether the caller may create objects in a group.
func (c *Caller) canWriteIn(group int64) bool {
	return slices.Contains(c.Member, group) || c.Has("WriteOwned")
}
