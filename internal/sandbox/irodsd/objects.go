package irodsd

import (
	"errors"
	"path"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

// mustBeFree refuses a put or copy without forceFlag onto what is there.
func (s *session) mustBeFree(req *request, p string) error {
	return s.view(req, func(t *catalog.Tx, a catalog.Actor) error {
		_, err := t.Object(p)
		if err == nil {
			return status.OverwriteWithoutForce
		}
		if errors.Is(err, status.UnknownFile) {
			return nil
		}
		return err
	})
}

// objectUnlink is API 615: to the trash, or with force for good.
func (s *session) objectUnlink(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("objPath"))
	if err != nil {
		return nil, err
	}
	force := req.kv.Has("forceFlag") || req.kv.Has("irodsRmTrash") || req.kv.Has("irodsAdminRmTrash") || s.inTrash(p)
	var gone []catalog.Replica
	err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		reps, err := t.Visible(a, p)
		if errors.Is(err, status.UnknownFile) {
			return status.NoRowsFound
		}
		if err != nil {
			return err
		}
		if err := t.NeedObject(a, reps[0], catalog.LevelDelete); err != nil {
			return err
		}
		if locked(reps) {
			return status.LockedObject
		}
		if force {
			gone, err = t.RemoveObject(a, p)
			return err
		}
		to, err := s.trashPath(t, p)
		if err != nil {
			return err
		}
		_, err = t.MoveObject(a, p, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.srv.vault.remove(gone)
	return nil, nil
}

// Operation types of a rename.
const (
	renameObject     = 11
	renameCollection = 12
)

// rename is API 627. With forceFlag an object that is in the way is removed
// first, and an object that is being written is refused; but neither is done
// when the request names the type of a data object (rsDataObjRename).
func (s *session) rename(req *request) (*reply, error) {
	in := req.in.All("DataObjInp_PI")
	if len(in) != 2 {
		return nil, status.PackInstruct
	}
	from, err := s.logical(in[0].Str("objPath"))
	if err != nil {
		return nil, err
	}
	to, err := s.logical(in[1].Str("objPath"))
	if err != nil {
		return nil, err
	}
	kind := in[0].Int("oprType")
	target := in[1].KeyVals()
	for _, k := range []wire.KeyVals{in[0].KeyVals(), target} {
		if k.Has("irodsAdmin") {
			req.kv = k
		}
	}
	if from == to {
		return nil, status.SameSourceDest
	}
	var gone []catalog.Replica
	err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		_, err := t.VisibleColl(a, from)
		isColl := err == nil
		if err != nil && !errors.Is(err, status.UnknownCollection) {
			return err
		}
		if isColl && kind == renameObject || !isColl && kind == renameCollection {
			return status.NoRowsFound
		}
		if isColl {
			return t.MoveColl(a, from, to)
		}
		if kind != renameObject {
			reps, err := t.Visible(a, from)
			if err == nil && locked(reps) {
				return status.LockedObject
			}
		}
		if kind != renameObject && (target.Has("forceFlag") || in[0].KeyVals().Has("forceFlag")) {
			if gone, err = s.clear(t, a, from, to); err != nil {
				return err
			}
		}
		_, err = t.MoveObject(a, from, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.srv.writers.renamed(from)
	s.srv.vault.remove(gone)
	return nil, nil
}

// clear removes the object at a rename's destination, if the rename may be.
func (s *session) clear(t *catalog.Tx, a catalog.Actor, from, to string) ([]catalog.Replica, error) {
	reps, err := t.Visible(a, from)
	if errors.Is(err, status.UnknownFile) {
		return nil, status.NoRowsFound
	}
	if err != nil {
		return nil, err
	}
	if err := t.NeedObject(a, reps[0], catalog.LevelOwn); err != nil {
		return nil, err
	}
	gone, err := t.RemoveObject(a, to)
	if errors.Is(err, status.UnknownFile) {
		return nil, nil
	}
	return gone, err
}

// copyObject is API 696.
func (s *session) copyObject(req *request) (*reply, error) {
	in := req.in.All("DataObjInp_PI")
	if len(in) != 2 {
		return nil, status.PackInstruct
	}
	from, err := s.logical(in[0].Str("objPath"))
	if err != nil {
		return nil, err
	}
	to, err := s.logical(in[1].Str("objPath"))
	if err != nil {
		return nil, err
	}
	if from == to {
		return nil, status.SameSourceDest
	}
	source := *req
	source.in, source.kv = in[0], in[0].KeyVals()
	src, err := s.openObject(&source, from, 0)
	if errors.Is(err, status.ObjectPathDoesNotExist) {
		return nil, status.UserInputPath
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.close(src) }()
	target := *req
	target.in, target.kv = in[1], in[1].KeyVals()
	if !target.kv.Has("forceFlag") {
		if err := s.mustBeFree(&target, to); err != nil {
			return nil, err
		}
	}
	st, err := src.file.Stat()
	if err != nil {
		return nil, fileError(status.FileStat, err)
	}
	target.in = &wire.Node{Kids: []*wire.Node{{Name: "dataSize", Text: itoa(st.Size())}}}
	dst, err := s.openObject(&target, to, flagReadWrite|flagCreate|flagTruncate)
	if err != nil {
		return nil, err
	}
	s.srv.writers.touched(dst.writing)
	n, err := s.srv.vault.copy(dst.replica.Path, src.replica.Path)
	if err != nil {
		s.abandon(dst)
		return nil, err
	}
	return s.transferred(n), s.close(dst)
}

func (s *session) transferred(n int64) *reply {
	b := s.build()
	b.Open("TransferStat_PI")
	b.Int("numThreads", 0)
	b.Int("flags", 0)
	b.Int("bytesWritten", n)
	b.Close("TransferStat_PI")
	return &reply{body: b.Bytes()}
}

// touch is API 20007.
func (s *session) touch(req *request) (*reply, error) {
	var in struct {
		Path    string `json:"logical_path"`
		Options struct {
			NoCreate  bool   `json:"no_create"`
			Replica   *int   `json:"replica_number"`
			Leaf      string `json:"leaf_resource_name"`
			Seconds   *int64 `json:"seconds_since_epoch"`
			Reference string `json:"reference"`
		} `json:"options"`
	}
	if err := decodeJSON(req.in, &in); err != nil {
		return nil, err
	}
	p, err := s.logical(in.Path)
	if err != nil {
		return nil, err
	}
	o := in.Options
	if o.Seconds != nil && (o.Reference != "" || *o.Seconds < 0) || o.Replica != nil && o.Leaf != "" {
		return nil, status.InvalidInputParam
	}
	created := ""
	err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		stamp, err := s.touchTime(t, a, o.Seconds, o.Reference)
		if err != nil {
			return err
		}
		if c, err := t.VisibleColl(a, p); err == nil {
			if err := t.NeedColl(a, c, catalog.LevelWrite); err != nil {
				return err
			}
			return t.TouchColl(c.ID, stamp)
		}
		reps, err := t.Visible(a, p)
		if errors.Is(err, status.UnknownFile) {
			if o.NoCreate {
				return nil
			}
			if o.Replica != nil {
				return status.ReplicaDoesNotExist
			}
			kv := wire.KeyVals{"destRescName": o.Leaf}
			created, err = s.touchNew(t, a, p, stamp, kv)
			return err
		}
		if err != nil {
			return err
		}
		return touchReplica(t, a, reps, stamp, o.Replica, o.Leaf)
	})
	if err == nil && created != "" {
		f, err := s.srv.vault.open(created, 1, true)
		if err != nil {
			return nil, err
		}
		return nil, f.Close()
	}
	return nil, err
}

func (s *session) touchTime(t *catalog.Tx, a catalog.Actor, seconds *int64, reference string) (string, error) {
	if seconds != nil {
		return stampOf(*seconds), nil
	}
	if reference == "" {
		return s.srv.cat.Now(), nil
	}
	if c, err := t.VisibleColl(a, reference); err == nil {
		return c.Modified, nil
	}
	reps, err := t.Visible(a, reference)
	if err != nil {
		return "", status.ObjectPathDoesNotExist
	}
	return best(reps).Modified, nil
}

// touchNew registers an empty object and returns where its file goes.
func (s *session) touchNew(t *catalog.Tx, a catalog.Actor, p, stamp string, kv wire.KeyVals) (string, error) {
	if _, err := t.VisibleColl(a, path.Dir(p)); err != nil {
		return "", status.NeitherObjectNorColl
	}
	resc, err := s.resource(t, kv)
	if err != nil {
		return "", err
	}
	r, err := t.CreateObject(a, p, "", resc, catalog.Good, func(id int64) string {
		return s.srv.vault.path(resc.Name, id, 0)
	})
	if err != nil {
		return "", err
	}
	r.Modified = stamp
	return r.Path, t.SaveReplica(r)
}

func touchReplica(t *catalog.Tx, a catalog.Actor, reps []catalog.Replica, stamp string, number *int, leaf string) error {
	if err := t.NeedObject(a, reps[0], catalog.LevelWrite); err != nil {
		return err
	}
	if locked(reps) {
		return status.Hierarchy
	}
	r := best(reps)
	if number != nil || leaf != "" {
		found := false
		for _, each := range reps {
			if number != nil && each.Number == *number || leaf != "" && each.Resc == leaf {
				r, found = each, true
			}
		}
		if !found {
			return status.ReplicaDoesNotExist
		}
	}
	r.Modified = stamp
	return t.SaveReplica(r)
}
