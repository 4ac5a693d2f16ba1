package irodsd

import (
	"context"
	"strings"

	"omerods/internal/sandbox/irodsd/catalog"
)

// Resources of the type "replication" keep a replica on each of their
// children: what is written goes to one of them and, when it is closed, to the
// others (plugins/resources/replication of iRODS).

// leaf returns the storage resource that a new replica below resc goes to.
func leaf(t *catalog.Tx, resc catalog.Resource) (catalog.Resource, error) {
	leaves, err := t.Leaves(resc.Name)
	if err != nil || len(leaves) == 0 {
		return resc, err
	}
	return leaves[0], nil
}

// replicateSiblings copies a replica that has just been closed to the other
// children of its replication resource.
func (s *session) replicateSiblings(ctx context.Context, id int64, number int) error {
	var source catalog.Replica
	var targets []catalog.Replica
	err := s.srv.cat.Update(ctx, func(t *catalog.Tx) error {
		reps, err := t.ObjectByID(id)
		if err != nil {
			return err
		}
		highest := 0
		on := map[int64]catalog.Replica{}
		for _, r := range reps {
			if r.Number == number {
				source = r
			}
			highest = max(highest, r.Number)
			on[r.RescID] = r
		}
		root, _, below := strings.Cut(source.Hier, ";")
		if !below {
			return nil
		}
		if resc, err := t.Resource(root); err != nil || resc.Type != "replication" {
			return err
		}
		leaves, err := t.Leaves(root)
		if err != nil {
			return err
		}
		for _, l := range leaves {
			r, there := on[l.ID]
			if l.ID == source.RescID || there && r.State == catalog.Good {
				continue
			}
			if !there {
				highest++
				stale := source
				stale.State = catalog.Stale
				if r, err = t.AddReplica(stale, highest, l, s.srv.vault.path(l.Name, id, highest)); err != nil {
					return err
				}
			}
			targets = append(targets, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range targets {
		n, err := s.srv.vault.copy(r.Path, source.Path)
		if err != nil {
			return err
		}
		r.Size, r.State, r.Checksum, r.Modified = n, catalog.Good, source.Checksum, source.Modified
		if err := s.srv.cat.Update(ctx, func(t *catalog.Tx) error { return t.SaveReplica(r) }); err != nil {
			return err
		}
	}
	return nil
}
