package omero

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"omerods/internal/ice"
)

// Rights are what the asking user may do with an object, as the server
// computes it from the permissions of its group, its owner, and the user's
// privileges.
type Rights struct {
	Permissions                  string // of its group
	Edit, Annotate, Delete, Link bool
	Move                         bool // to another group
	Own                          bool // give it to another owner
}

// RightsOn asks what the user may do with objects of a kind. Objects that the
// user does not see are missing.
func (c *Client) RightsOn(ctx context.Context, kind Kind, ids []int64) (map[int64]Rights, error) {
	// The name of the second entry makes the server put permissions there in
	// place of the object.
	rows, err := c.rowsFor(ctx, `select new map(o.id as id, o as o_details_permissions) from `+string(kind)+
		` o where o.id in (:ids) order by o.id`, unique(ids))
	if err != nil {
		return nil, fmt.Errorf("rights: %w", err)
	}
	rights := make(map[int64]Rights, len(rows))
	for _, r := range rows {
		m, _ := r.at(0).(map[string]any)
		id, _ := m["id"].(int64)
		p, _ := m["o_details_permissions"].(map[string]any)
		flag := func(name string) bool { v, _ := p[name].(bool); return v }
		perm, _ := p["perm"].(string)
		rights[id] = Rights{Permissions: perm, Edit: flag("canEdit"), Annotate: flag("canAnnotate"), Delete: flag("canDelete"),
			Link: flag("canLink"), Move: flag("canChgrp"), Own: flag("canChown")}
	}
	return rights, nil
}

// restrictionBinary is in the extended restrictions of what the policy of the
// server withholds (omero::constants::permissions::BINARYACCESS).
const restrictionBinary = "RESTRICT-BINARY-ACCESS"

// BytesWithheld says of which objects the server's policy
// (omero.policy.binary_access) keeps the bytes from the user: original files,
// images, plates, runs or wells. Objects that the user does not see are
// missing. A projection does not tell, so the objects themselves are loaded,
// 1000 with one request.
func (c *Client) BytesWithheld(ctx context.Context, kind Kind, ids []int64) (map[int64]bool, error) {
	switch kind {
	case KindOriginalFile, KindImage, KindPlate, KindRun, KindWell:
	default:
		return nil, failure(Invalid, "binary access", "of a "+string(kind))
	}
	withheld := make(map[int64]bool)
	var mu sync.Mutex
	err := c.eachLoaded(ctx, `select o from `+string(kind)+` o where o.id in (:ids)`, unique(ids), func(id int64, o *ice.Object) error {
		details, _ := o.Get("details").(*ice.Object)
		if details == nil {
			return errors.New("an object without details")
		}
		p, _ := details.Get("permissions").(*ice.Object)
		mu.Lock()
		defer mu.Unlock()
		withheld[id] = slices.Contains(get[[]string](p, "extendedRestrictions"), restrictionBinary)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("binary access: %w", err)
	}
	return withheld, nil
}

// eachLoaded runs a query that selects whole objects for any number of ids,
// several batches at a time, and hands each on. Calls of each may be made at
// the same time.
func (c *Client) eachLoaded(ctx context.Context, hql string, ids []int64, each func(id int64, o *ice.Object) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelQueries)
	for part := range slices.Chunk(ids, batchIDs) {
		g.Go(func() error {
			res, err := c.call(queryContext(ctx), queryService, "findAllByQuery", hql, c.parameters(params{"ids": part}, 0, 0))
			objects, err := result[[]any]("findAllByQuery", res, err)
			if err != nil {
				return err
			}
			for _, v := range objects {
				o, ok := v.(*ice.Object)
				if !ok || o == nil || o.Class == nil {
					return failure(Unsupported, "load", fmt.Sprintf("unexpected object %T", v))
				}
				id, _ := plain(o.Get("id")).(int64)
				if err := each(id, o); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
