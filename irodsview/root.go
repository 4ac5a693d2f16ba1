package irodsview

import (
	"context"
	"slices"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// root is the folder of zones. Nothing can be made in it.
type root struct{ view *View }

var (
	_ tree.Dir         = (*root)(nil)
	_ tree.SpaceTeller = (*root)(nil)
)

func (r *root) Attr(context.Context) (tree.Attr, error) {
	c := r.view.cfg
	return tree.Attr{Kind: tree.KindDir, Ino: r.view.nodes.root.ino, Mode: 0o555, UID: c.UID, GID: c.GID}, nil
}

func (r *root) Lookup(ctx context.Context, name string) (tree.Node, error) {
	s, err := r.view.session(ctx)
	if err != nil {
		return nil, err
	}
	if name != s.client.Zone() {
		zones, err := s.zones(ctx)
		if err != nil {
			return nil, fail(err)
		}
		if !slices.Contains(zones, name) {
			return nil, tree.Errorf(tree.ErrNotFound, "there is no zone %s; the server's zone is %s", name, s.client.Zone())
		}
	}
	return r.view.wrap(r.view.nodes.child(r.view.nodes.root, name, tree.KindDir)), nil
}

func (r *root) List(ctx context.Context) ([]tree.Entry, error) {
	s, err := r.view.session(ctx)
	if err != nil {
		return nil, err
	}
	zones, err := s.zones(ctx)
	if err != nil {
		return nil, fail(err)
	}
	entries := make([]tree.Entry, 0, len(zones))
	for _, z := range zones {
		n := r.view.nodes.child(r.view.nodes.root, z, tree.KindDir)
		entries = append(entries, tree.Entry{Name: z, Kind: tree.KindDir, Ino: n.ino, Node: r.view.wrap(n)})
	}
	return entries, nil
}

// Space is that of the server's zone.
func (r *root) Space(ctx context.Context) (tree.Space, error) {
	s, err := r.view.session(ctx)
	if err != nil {
		return tree.Space{}, err
	}
	return s.room(ctx)
}

// unstatedBytes is the room that is shown where a server states none. It is
// not zero, because installers and file managers take zero for a full disk.
const unstatedBytes = 1 << 50

// room is the user's room as statfs(2) shows it.
func (s *session) room(ctx context.Context) (tree.Space, error) {
	room, err := s.space(ctx)
	if err == nil && room.Total == 0 {
		room = irods.Space{Total: unstatedBytes, Free: unstatedBytes}
	}
	return tree.Space{TotalBytes: room.Total, FreeBytes: room.Free}, fail(err)
}

// zones returns the zones, asked for at most as often as listings are.
func (s *session) zones(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	if s.zoneNames != nil && s.clock().Sub(s.zonesWhen) < freshFor {
		defer s.mu.Unlock()
		return s.zoneNames, nil
	}
	s.mu.Unlock()
	zones, err := s.client.Zones(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zoneNames, s.zonesWhen = zones, s.clock()
	return zones, nil
}

// space returns the user's room, asked for at most as often as listings are.
func (s *session) space(ctx context.Context) (irods.Space, error) {
	s.mu.Lock()
	if !s.roomWhen.IsZero() && s.clock().Sub(s.roomWhen) < freshFor {
		defer s.mu.Unlock()
		return s.lastRoom, nil
	}
	s.mu.Unlock()
	room, err := s.client.Space(ctx)
	if err != nil {
		return irods.Space{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastRoom, s.roomWhen = room, s.clock()
	return room, nil
}
