package irodsd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"strings"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

// collCreate is API 681.
func (s *session) collCreate(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("collName"))
	if err != nil {
		return nil, err
	}
	return nil, s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		if req.kv.Has("recursiveOpr") {
			err := t.MakeColls(a, p)
			if errors.Is(err, status.NoAccess) {
				return status.InvalidInputParam // for whatever reason
			}
			return err
		}
		_, err := t.MakeColl(a, p)
		return err
	})
}

// collModify is API 680. Without keywords it is what clients use to roll back
// an open transaction, and must fail with InvalidArgument.
func (s *session) collModify(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("collName"))
	if err != nil {
		return nil, err
	}
	return nil, s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		kind, ok := req.kv["collectionType"]
		comment, ok2 := req.kv["dataComments"]
		stamp, ok3 := req.kv["dataModify"]
		if !ok && !ok2 && !ok3 {
			return status.InvalidArgument
		}
		c, err := t.VisibleColl(a, p)
		if err != nil {
			return err
		}
		if err := t.NeedColl(a, c, catalog.LevelWrite); err != nil {
			return err
		}
		return t.ModifyColl(c.ID, kind, req.kv["collectionInfo1"], req.kv["collectionInfo2"], comment, stamp)
	})
}

// endTransaction is API 718: each call is its own transaction here, so there
// is nothing to end, but only administrators may say so.
func (s *session) endTransaction(req *request) (*reply, error) {
	if !s.user.Admin() {
		return nil, status.NoAPIPrivilege
	}
	switch req.in.Str("arg0") {
	case "commit", "rollback":
		return nil, nil
	}
	return nil, status.InvalidArgument
}

// The progress dialogue of a recursive removal.
const (
	progressCode  = 99999996
	progressReply = 99999997
	progressEvery = 10
)

// progress counts what a removal has done and tells the client.
type progress struct {
	s     *session
	count int64 // objects since the last message
	total int64
	last  string
}

func (g *progress) body() []byte {
	b := g.s.build()
	b.Open("CollOprStat_PI")
	b.Int("filesCnt", g.count)
	b.Int("totalFileCnt", g.total)
	b.Int("bytesWritten", 0)
	b.Str("lastObjPath", g.last)
	b.Close("CollOprStat_PI")
	return b.Bytes()
}

// report sends the state and waits for the four bytes of the client.
func (g *progress) report() error {
	if err := g.s.send(wire.TypeReply, &reply{info: progressCode, body: g.body()}); err != nil {
		return fmt.Errorf("%w: %w", errDropped, err)
	}
	var answer [4]byte
	if _, err := io.ReadFull(g.s.r, answer[:]); err != nil {
		return fmt.Errorf("%w: %w", errDropped, err)
	}
	if binary.BigEndian.Uint32(answer[:]) != progressReply {
		return fmt.Errorf("%w: unexpected answer to progress", errDropped)
	}
	g.count = 0
	return nil
}

// collRemove is API 679.
func (s *session) collRemove(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("collName"))
	if err != nil {
		return nil, err
	}
	recursive := req.kv.Has("recursiveOpr")
	force := req.kv.Has("forceFlag") || req.kv.Has("irodsRmTrash") || req.kv.Has("irodsAdminRmTrash") || s.inTrash(p)
	g := &progress{s: s, last: p}
	err = s.view(req, func(t *catalog.Tx, a catalog.Actor) error {
		c, err := t.VisibleColl(a, p)
		if errors.Is(err, status.UnknownCollection) && recursive {
			return status.UserFileDoesNotExist
		}
		if err != nil {
			return err
		}
		if s.isHome(p) {
			return status.CannotRemoveHome
		}
		// Rights come before anything below is touched.
		if err := t.NeedColl(a, c, catalog.LevelDelete); err != nil {
			return err
		}
		parent, err := t.Coll(c.Parent)
		if err != nil {
			return err
		}
		if err := t.NeedColl(a, parent, catalog.LevelWrite); err != nil {
			return err
		}
		if empty, err := t.Empty(c); err != nil || empty || recursive {
			return err
		}
		return status.CollectionNotEmpty
	})
	if err != nil {
		return nil, err
	}
	switch {
	case !recursive:
		err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error { return t.RemoveColl(a, p) })
	case force:
		err = s.removeTree(req, p, g)
	default:
		err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
			to, err := s.trashPath(t, p)
			if err != nil {
				return err
			}
			return t.MoveColl(a, p, to)
		})
	}
	if err != nil {
		return nil, err
	}
	g.total++
	return &reply{body: g.body()}, nil
}

// removeTree deletes a collection depth first. Objects go in groups, each one
// transaction, with a progress message after every ten.
func (s *session) removeTree(req *request, p string, g *progress) error {
	for {
		var names []string
		err := s.srv.cat.View(s.ctx(), func(t *catalog.Tx) error {
			c, err := t.Coll(p)
			if err != nil {
				return err
			}
			names, err = t.ObjectNames(c.ID, "", progressEvery-int(g.count))
			return err
		})
		if err != nil {
			return err
		}
		if len(names) == 0 {
			break
		}
		var gone []catalog.Replica
		err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
			for _, n := range names {
				reps, err := t.RemoveObject(a, path.Join(p, n))
				if errors.Is(err, status.UnknownFile) {
					// An object that the user cannot see keeps the
					// collection from being empty.
					return status.CollectionNotEmpty
				}
				if err != nil {
					return err
				}
				gone = append(gone, reps...)
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.srv.vault.remove(gone)
		g.count += int64(len(names))
		g.total += int64(len(names))
		g.last = path.Join(p, names[len(names)-1])
		if g.count >= progressEvery {
			if err := g.report(); err != nil {
				return err
			}
		}
	}
	var subs []string
	if err := s.srv.cat.View(s.ctx(), func(t *catalog.Tx) (err error) {
		subs, err = t.SubColls(p)
		return err
	}); err != nil {
		return err
	}
	for _, sub := range subs {
		if err := s.removeTree(req, sub, g); err != nil {
			return err
		}
	}
	return s.update(req, func(t *catalog.Tx, a catalog.Actor) error { return t.RemoveColl(a, p) })
}

// isHome tells whether a path is the home or trash of a user or above one.
func (s *session) isHome(p string) bool {
	parts := strings.Split(strings.Trim(p, "/"), "/")
	switch {
	case len(parts) <= 2:
		return len(parts) < 2 || parts[1] == "home" || parts[1] == "trash"
	case len(parts) == 3:
		return parts[1] == "home" || parts[1] == "trash" && parts[2] == "home"
	}
	return len(parts) == 4 && parts[1] == "trash" && parts[2] == "home"
}

func (s *session) inTrash(p string) bool {
	return strings.HasPrefix(p, "/"+s.srv.cfg.Zone+"/trash/")
}

// trashPath makes the collections above the place in the user's trash where a
// path goes, and returns a free name there.
func (s *session) trashPath(t *catalog.Tx, p string) (string, error) {
	parts := strings.Split(strings.Trim(p, "/"), "/")[1:]
	if len(parts) > 2 && parts[0] == "home" {
		parts = parts[2:]
	}
	to := path.Join("/"+s.srv.cfg.Zone+"/trash/home", s.user.Name, path.Join(parts...))
	own := catalog.Actor{User: s.user, Force: true}
	if err := t.MakeColls(own, path.Dir(to)); err != nil {
		return "", err
	}
	name := to
	for range 100 {
		free, err := t.Free(name)
		if err != nil || free {
			return name, err
		}
		name = fmt.Sprintf("%s.%d", to, rand.Uint32())
	}
	return "", status.AlreadyExists
}
