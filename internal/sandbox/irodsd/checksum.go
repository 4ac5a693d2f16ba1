package irodsd

import (
	"errors"
	"strconv"
	"time"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func stampOf(seconds int64) string { return catalog.Stamp(time.Unix(seconds, 0)) }

// checksum is API 629: the stored sum, or one that is computed and registered
// now. With verifyChksum the stored sum is compared with the data instead.
func (s *session) checksum(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("objPath"))
	if err != nil {
		return nil, err
	}
	verify := req.kv.Has("verifyChksum")
	force := req.kv.Has("forceChksum")
	var todo []catalog.Replica
	sum := ""
	err = s.view(req, func(t *catalog.Tx, a catalog.Actor) error {
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
		todo = reps
		if !req.kv.Has("ChksumAll") {
			one, err := choose(reps, req.kv)
			if err != nil {
				return err
			}
			todo = []catalog.Replica{one}
		}
		level := catalog.LevelRead
		for _, r := range todo {
			if !verify && (force || r.Checksum == "") {
				level = catalog.LevelWrite
			}
		}
		return t.NeedObject(a, todo[0], level)
	})
	if err != nil {
		return nil, err
	}
	for i, r := range todo {
		if r.Checksum != "" && !force && !verify {
			continue
		}
		got, err := s.srv.vault.sum(r.Path)
		if err != nil {
			return nil, err
		}
		if verify && r.Checksum != "" && got != r.Checksum {
			return nil, status.Errorf(status.ChecksumMismatch, "checksum of replica %d does not match", r.Number)
		}
		todo[i].Checksum = got
	}
	if verify {
		return nil, nil
	}
	sum = todo[0].Checksum
	err = s.srv.cat.Update(s.ctx(), func(t *catalog.Tx) error {
		for _, r := range todo {
			// Only if nobody changed the object meanwhile.
			if err := t.SetChecksum(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.strReply(sum), nil
}
