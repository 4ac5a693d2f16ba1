package irodsd

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// replicate is API 695: another copy of the object, or with updateRepl fresh
// bytes for the stale ones.
func (s *session) replicate(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("objPath"))
	if err != nil {
		return nil, err
	}
	var source catalog.Replica
	var targets []catalog.Replica
	err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		reps, err := t.Visible(a, p)
		if errors.Is(err, status.UnknownFile) {
			return status.NoRowsFound
		}
		if err != nil {
			return err
		}
		if locked(reps) {
			return status.Hierarchy
		}
		if err := t.NeedObject(a, reps[0], catalog.LevelRead); err != nil {
			return err
		}
		source = best(reps)
		if source.State != catalog.Good {
			return status.NoGoodReplica
		}
		targets, err = s.replicaTargets(t, req, reps)
		return err
	})
	if err != nil {
		return nil, err
	}
	total := int64(0)
	for _, r := range targets {
		n, err := s.srv.vault.copy(r.Path, source.Path)
		if err != nil {
			return nil, err
		}
		total += n
		r.Size, r.State, r.Checksum, r.Modified = n, catalog.Good, source.Checksum, source.Modified
		if err := s.srv.cat.Update(s.ctx(), func(t *catalog.Tx) error { return t.SaveReplica(r) }); err != nil {
			return nil, err
		}
	}
	return s.transferred(total), nil
}

// replicaTargets finds or registers the replicas to fill.
func (s *session) replicaTargets(t *catalog.Tx, req *request, reps []catalog.Replica) ([]catalog.Replica, error) {
	dest := req.kv["destRescName"]
	var stale []catalog.Replica
	for _, r := range reps {
		if r.State == catalog.Stale && (dest == "" || r.Resc == dest) {
			stale = append(stale, r)
		}
	}
	if req.kv.Has("updateRepl") && (dest == "" || len(stale) > 0) {
		return stale, nil
	}
	resc, err := s.resource(t, req.kv)
	if err != nil {
		return nil, err
	}
	highest := 0
	for _, r := range reps {
		if r.RescID == resc.ID {
			if r.State == catalog.Stale {
				return []catalog.Replica{r}, nil
			}
			return nil, status.CopyAlreadyInResource
		}
		highest = max(highest, r.Number)
	}
	number := highest + 1
	r, err := t.AddReplica(catalog.Replica{
		ID: reps[0].ID, CollID: reps[0].CollID, Name: reps[0].Name, Type: reps[0].Type,
		OwnerName: reps[0].OwnerName, OwnerZone: reps[0].OwnerZone,
		Modified: reps[0].Modified, Accessed: reps[0].Accessed, State: catalog.Stale,
	}, number, resc, s.srv.vault.path(resc.Name, reps[0].ID, number))
	return []catalog.Replica{r}, err
}

// trim is API 632: removes surplus replicas and answers how many.
func (s *session) trim(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("objPath"))
	if err != nil {
		return nil, err
	}
	keep := 2
	if n, err := strconv.Atoi(req.kv["copies"]); err == nil && n > 0 {
		keep = n
	}
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
		gone = s.surplus(req, reps, keep)
		if len(gone) == len(reps) {
			return status.LastReplica
		}
		for _, r := range gone {
			if err := t.RemoveReplica(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.srv.vault.remove(gone)
	return &reply{info: int32(len(gone))}, nil
}

// surplus lists what a trim removes: stale replicas first, never the last good
// one. A replica named by number or resource goes whatever the count.
func (s *session) surplus(req *request, reps []catalog.Replica, keep int) []catalog.Replica {
	number, named := strconv.Atoi(req.kv["replNum"])
	var cand []catalog.Replica
	for _, r := range reps {
		switch {
		case named == nil && r.Number != number:
		case req.kv["rescName"] != "" && r.Resc != req.kv["rescName"]:
		case !s.oldEnough(r, req.kv["age"]):
		default:
			cand = append(cand, r)
		}
	}
	slices.SortStableFunc(cand, func(a, b catalog.Replica) int { return a.State - b.State })
	if named == nil {
		return cand
	}
	if n := max(len(reps)-keep, 0); len(cand) > n {
		cand = cand[:n]
	}
	return cand
}

func (s *session) oldEnough(r catalog.Replica, minutes string) bool {
	n, err := strconv.Atoi(minutes)
	if err != nil || n <= 0 {
		return true
	}
	return r.Modified <= catalog.Stamp(s.srv.cfg.Clock().Add(-time.Duration(n)*time.Minute))
}

// hostFor is API 686 and 694: one server, so stay on this connection.
func (s *session) hostFor(*request) (*reply, error) {
	return s.strReply("thisAddress"), nil
}

// resourceInfo is API 10220.
func (s *session) resourceInfo(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("objPath"))
	if err != nil {
		return nil, err
	}
	hier := ""
	err = s.view(req, func(t *catalog.Tx, a catalog.Actor) error {
		switch req.kv["getResourceInfoOpType"] {
		case "OPEN", "WRITE", "UNLINK":
			reps, err := s.find(t, a, p)
			if err != nil {
				return err
			}
			r, err := choose(reps, req.kv)
			hier = r.Hier
			return err
		case "CREATE":
			r, err := s.resource(t, req.kv)
			hier = r.Hier
			return err
		}
		return status.InvalidInputParam
	})
	if err != nil {
		return nil, err
	}
	return s.jsonText(map[string]any{"host": s.srv.cfg.Host, "resource_hierarchy": hier})
}

// jsonText answers with JSON as the text of a STR_PI.
func (s *session) jsonText(v any) (*reply, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.strReply(string(data)), nil
}
