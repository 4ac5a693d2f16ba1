package blitz

import (
	"context"
	"fmt"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// chgrpRequest works on ::omero::cmd::Chgrp2: it moves objects, and what only
// they hold, to another group. Links between what moves and what stays are
// deleted.
func chgrpRequest(_ context.Context, c *Call, req *ice.Object, t *Task) (*ice.Object, error) {
	dry, _ := req.Get("dryRun").(bool)
	target, _ := req.Get("groupId").(int64)
	var moved, gone []*store.Row
	err := c.inAllGroups().Update(func(tx *store.Tx, who *Caller) error {
		if err := who.mayMoveTo(tx, target); err != nil {
			return err
		}
		d := newDeletion(tx, who)
		d.verb, d.may = "move", func(r Rights) bool { return r.Chgrp }
		if err := d.plan(req, t); err != nil {
			return err
		}
		moved, gone = d.split()
		if err := d.refused(moved); err != nil {
			return err
		}
		if dry {
			return errDryRun
		}
		t.Step(2)
		d.carry(moved, gone, func(r *store.Row) { r.Group = target })
		return nil
	})
	if err != nil && err != errDryRun {
		return nil, err
	}
	t.Step(4)
	return c.Server.defs.New("::omero::cmd::Chgrp2Response").
		Set("includedObjects", byClass(moved)).Set("deletedObjects", byClass(gone)), nil
}

// mayMoveTo checks the group that things shall go to.
func (c *Caller) mayMoveTo(tx *store.Tx, group int64) error {
	if tx.Get(tx.Model().Class("ExperimenterGroup"), group) == nil {
		return Fail(APIUsage, "no group %d", group)
	}
	if !slices.Contains(c.Member, group) && !c.Has("Chgrp") {
		return &graphError{fmt.Sprintf("not a member of ExperimenterGroup[%d]", group)}
	}
	return nil
}

// split parts what the move takes in: what goes to the other group, and the
// links to what stays behind, which cannot lead from one group to another.
func (d *deletion) split() (moved, gone []*store.Row) {
	for _, r := range d.inTurn {
		if !r.Class.Link || d.movesWhole(r) {
			moved = append(moved, r)
		} else {
			gone = append(gone, r)
		}
	}
	return moved, gone
}

// movesWhole reports whether both ends of a link move, or are in no group.
func (d *deletion) movesWhole(link *store.Row) bool {
	for _, end := range []string{"parent", "child"} {
		class := link.Class.Property(end).Target
		row := d.tx.Get(class, link.Ref(end))
		if row != nil && row.Group != store.None && !d.isGone(class, row.ID) {
			return false
		}
	}
	return true
}

// refused is why something that has to come along must not.
func (d *deletion) refused(moved []*store.Row) error {
	for _, r := range moved {
		if r.Group != store.None && !r.Class.Link && !d.may(d.who.Rights(d.tx, r)) {
			return &graphError{fmt.Sprintf("not permitted to %s %s[%d]", d.verb, r.Class.Name, r.ID)}
		}
	}
	return nil
}

// carry stores the change to what moves, and parts it from the rest.
func (d *deletion) carry(moved, gone []*store.Row, change func(*store.Row)) {
	author := d.tx.As(d.who.Actor())
	for _, ref := range d.cleared {
		row := d.tx.Get(ref.key.root, ref.key.id)
		if d.gone[ref.key] != nil || row == nil {
			continue
		}
		row = row.Clone()
		row.SetValue(ref.prop, nil)
		author.Update(row)
	}
	for _, r := range gone {
		author.Delete(r)
	}
	for _, r := range moved {
		if r.Group != store.None {
			row := r.Clone()
			change(row)
			author.Update(row)
		}
	}
}
