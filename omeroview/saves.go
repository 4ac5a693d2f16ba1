package omeroview

import (
	"context"

	"omerods/internal/omero"
)

// TargetKey is the key of the pair that says where a save went.
const TargetKey = "target"

// AnnotateSave writes a record of a save onto an object: one key-value
// annotation for each object and target, whose pairs are replaced by later
// records. It changes nothing that belongs to a pack.
func (v *View) AnnotateSave(ctx context.Context, kind omero.Kind, id, group int64, target string, pairs []omero.Pair) error {
	a, err := v.account(ctx)
	if err != nil {
		return err
	}
	if group != 0 {
		ctx = omero.InGroup(ctx, group)
	}
	all := []omero.Pair{{Key: TargetKey, Value: target}}
	for _, p := range pairs {
		if p.Key != TargetKey {
			all = append(all, p)
		}
	}
	_, err = a.c.ReplaceMap(ctx, omero.Existing(kind, id), SaveNamespace, TargetKey, target, all)
	return treeError("record the save in OMERO", err)
}
