package blitz

import (
	"context"
	"fmt"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// chownRequest works on ::omero::cmd::Chown2: it gives objects, and what only
// they hold, to another member of their group. Links to what stays keep their
// owner, but for those in a private group, which nobody could follow.
func chownRequest(_ context.Context, c *Call, req *ice.Object, t *Task) (*ice.Object, error) {
	dry, _ := req.Get("dryRun").(bool)
	user, _ := req.Get("userId").(int64)
	if users, _ := req.Get("targetUsers").([]int64); len(users) > 0 {
		return nil, Fail(APIUsage, "all that a user has cannot be given away at once by this server")
	}
	var given, gone []*store.Row
	err := c.inAllGroups().Update(func(tx *store.Tx, who *Caller) error {
		d := newDeletion(tx, who)
		d.verb, d.may = "give", func(r Rights) bool { return r.Chown }
		if err := d.plan(req, t); err != nil {
			return err
		}
		var torn []*store.Row
		given, torn = d.split()
		gone = slices.DeleteFunc(torn, func(l *store.Row) bool { return groupPermissions(tx, l)&(rightRead<<roleGroup) != 0 })
		if err := d.refused(given); err != nil {
			return err
		}
		if err := mayOwn(tx, user, given); err != nil {
			return err
		}
		if dry {
			return errDryRun
		}
		t.Step(2)
		d.cleared = nil // nothing leaves its group
		d.carry(given, gone, func(r *store.Row) { r.Owner = user })
		return nil
	})
	if err != nil && err != errDryRun {
		return nil, err
	}
	t.Step(4)
	return c.Server.defs.New("::omero::cmd::Chown2Response").
		Set("includedObjects", byClass(given)).Set("deletedObjects", byClass(gone)), nil
}

// mayOwn checks that a user is in the groups of objects.
func mayOwn(tx *store.Tx, user int64, rows []*store.Row) error {
	var groups []int64
	for _, m := range memberships(tx, user) {
		groups = append(groups, m.Ref("parent"))
	}
	for _, r := range rows {
		if r.Group != store.None && !slices.Contains(groups, r.Group) {
			return &graphError{fmt.Sprintf("user %d is not a member of ExperimenterGroup[%d]", user, r.Group)}
		}
	}
	return nil
}

// chmodRequest works on ::omero::cmd::Chmod2: it gives groups other
// permissions.
func chmodRequest(_ context.Context, c *Call, req *ice.Object, _ *Task) (*ice.Object, error) {
	text, _ := req.Get("permissions").(string)
	bits, ok := ParsePermissions(text)
	if !ok {
		return nil, Fail(APIUsage, "no permissions: %q", text)
	}
	dry, _ := req.Get("dryRun").(bool)
	dict, _ := req.Get("targetObjects").(ice.Dict)
	var groups []*store.Row
	err := c.Update(func(tx *store.Tx, who *Caller) error {
		class := tx.Model().Class("ExperimenterGroup")
		for _, e := range dict {
			if name, _ := e.Key.(string); tx.Model().Class(name) != class {
				return &graphError{"only groups have permissions of their own, not " + name}
			}
			ids, _ := e.Value.([]int64)
			for _, id := range ids {
				group := tx.Get(class, id)
				if group == nil {
					continue
				}
				if err := who.permit(tx, group, bits); err != nil {
					return err
				}
				groups = append(groups, group)
			}
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if err != nil && err != errDryRun {
		return nil, err
	}
	return c.Server.defs.New("::omero::cmd::Chmod2Response").Set("includedObjects", byClass(groups)).Set("deletedObjects", ice.Dict{}), nil
}
