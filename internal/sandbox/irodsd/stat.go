package irodsd

import (
	"errors"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// objStat is API 633.
func (s *session) objStat(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("objPath"))
	if err != nil {
		return nil, err
	}
	kind := int32(0)
	b := s.build()
	err = s.view(req, func(t *catalog.Tx, a catalog.Actor) error {
		b.Open("RodsObjStat_PI")
		c, err := t.VisibleColl(a, p)
		if err == nil {
			kind = 2
			b.Int("objSize", 0)
			b.Int("objType", 2)
			b.Int("dataMode", 0)
			b.Int("dataId", c.ID)
			b.Str("chksum", "")
			b.Str("ownerName", c.OwnerName)
			b.Str("ownerZone", c.OwnerZone)
			b.Str("createTime", c.Created)
			b.Str("modifyTime", c.Modified)
			return nil
		}
		if !errors.Is(err, status.UnknownCollection) {
			return err
		}
		reps, err := t.Visible(a, p)
		if errors.Is(err, status.UnknownFile) {
			return status.UserFileDoesNotExist
		}
		if err != nil {
			return err
		}
		kind = 1
		r := best(reps)
		b.Int("objSize", r.Size)
		b.Int("objType", 1)
		b.Int("dataMode", 0)
		b.Int("dataId", r.ID)
		b.Str("chksum", r.Checksum)
		b.Str("ownerName", r.OwnerName)
		b.Str("ownerZone", r.OwnerZone)
		b.Str("createTime", r.Created)
		b.Str("modifyTime", r.Modified)
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.Close("RodsObjStat_PI")
	return &reply{info: kind, body: b.Bytes()}, nil
}

// best returns the first good replica, or the first at all.
func best(reps []catalog.Replica) catalog.Replica {
	for _, r := range reps {
		if r.State == catalog.Good {
			return r
		}
	}
	return reps[0]
}
