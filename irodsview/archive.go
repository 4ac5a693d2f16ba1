package irodsview

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/irods"
	"omerods/internal/transfer"
)

// CollectionAVUs asks for the metadata of several collections at once.
func (v *View) CollectionAVUs(ctx context.Context, collections []string, prefix string) (map[string][]transfer.AVU, error) {
	s, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.client.CollectionAVUs(ctx, collections, prefix)
	return theirsByPath(found), fail(err)
}

func theirsByPath(found map[string][]irods.AVU) map[string][]transfer.AVU {
	out := make(map[string][]transfer.AVU, len(found))
	for p, avus := range found {
		out[p] = theirs(avus)
	}
	return out
}

func theirs(avus []irods.AVU) []transfer.AVU {
	out := make([]transfer.AVU, len(avus))
	for i, a := range avus {
		out[i] = transfer.AVU(a)
	}
	return out
}

func ours(avus []transfer.AVU) []irods.AVU {
	out := make([]irods.AVU, len(avus))
	for i, a := range avus {
		out[i] = irods.AVU(a)
	}
	return out
}

// ChangeAVUs removes and adds metadata in one atomic call.
func (v *View) ChangeAVUs(ctx context.Context, path string, remove, add []transfer.AVU) error {
	s, err := v.session(ctx)
	if err != nil {
		return err
	}
	k, err := s.stat(ctx, path)
	if err != nil {
		return fail(err)
	}
	return fail(s.client.ChangeAVUs(ctx, path, k.IsCollection, ours(remove), ours(add)))
}

// AVUs returns the metadata of a data object or collection.
func (v *View) AVUs(ctx context.Context, path string) ([]transfer.AVU, error) {
	s, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	k, err := s.stat(ctx, path)
	if err != nil {
		return nil, fail(err)
	}
	avus, err := s.client.AVUs(ctx, path, k.IsCollection)
	return theirs(avus), fail(err)
}

// Stat describes what the server has at a path now.
func (v *View) Stat(ctx context.Context, path string) (transfer.ObjectInfo, error) {
	s, err := v.session(ctx)
	if err != nil {
		return transfer.ObjectInfo{}, err
	}
	e, err := s.client.Stat(ctx, path)
	if err != nil {
		return transfer.ObjectInfo{}, fail(err)
	}
	return transfer.ObjectInfo{IsCollection: e.IsCollection, Size: e.Size, SHA256: irods.SHA256(e.Checksum)}, nil
}

// Open opens a data object for reading.
func (v *View) Open(ctx context.Context, path string) (tree.Handle, error) {
	f := &file{v.nodes.at(path, tree.KindFile), v}
	return f.Open(ctx, tree.OpenOptions{Read: true})
}

// Name describes a path to a person.
func (v *View) Name(ctx context.Context, path string) string {
	c, err := v.cfg.Clients(ctx)
	if err != nil {
		return "irods:" + path
	}
	return "irods://" + c.String() + path
}

// Below describes all data objects below a collection, by path.
func (v *View) Below(ctx context.Context, coll string) (map[string]transfer.ObjectInfo, error) {
	s, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := s.client.Below(ctx, coll)
	if err != nil {
		return nil, fail(err)
	}
	out := make(map[string]transfer.ObjectInfo, len(entries))
	for _, e := range entries {
		if e.Good() {
			out[e.Path] = transfer.ObjectInfo{Size: e.Size, SHA256: irods.SHA256(e.Checksum)}
		}
	}
	return out, nil
}

// AVUsBelow returns metadata of all data objects below a collection.
func (v *View) AVUsBelow(ctx context.Context, coll, prefix string) (map[string][]transfer.AVU, error) {
	s, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.client.AVUsBelow(ctx, coll, prefix)
	return theirsByPath(found), fail(err)
}

// Marked finds collections and data objects by one of their metadata.
func (v *View) Marked(ctx context.Context, name, value string) (collections, objects []string, err error) {
	s, err := v.session(ctx)
	if err != nil {
		return nil, nil, err
	}
	collections, objects, err = s.client.Marked(ctx, name, value)
	return collections, objects, fail(err)
}
