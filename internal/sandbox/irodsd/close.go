package irodsd

import (
	"context"
	"syscall"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// objectClose is API 673.
func (s *session) objectClose(req *request) (*reply, error) {
	fd := req.in.Int("l1descInx")
	d := s.files[int(fd)]
	if d == nil {
		if fd < firstDescriptor {
			return nil, status.FileDescOutOfRange
		}
		return nil, status.InvalidInputParam
	}
	return nil, s.close(d)
}

// close ends a descriptor and, for the last writer, puts the object at rest.
func (s *session) close(d *descriptor) error {
	s.release(d)
	if err := d.file.Close(); err != nil && d.canWrite() {
		s.srv.log.Error("irods: vault close", "object", d.replica.ID, "err", err)
	}
	if d.writing == nil {
		return nil
	}
	dirty, moved := s.srv.writers.state(d.writing)
	if !s.srv.writers.leave(d.replica.ID, d.writing) {
		return nil
	}
	if moved {
		// The real server looks for the data where it was when opened.
		if err := s.finish(s.ctx(), d, catalog.Stale, true); err != nil {
			return err
		}
		return status.FileStat.With(syscall.ENOENT)
	}
	return s.finish(s.ctx(), d, catalog.Good, dirty)
}

// release frees the descriptor's number and ends a portal on it.
func (s *session) release(d *descriptor) {
	if p := s.portals[d.fd]; p != nil {
		delete(s.portals, d.fd)
		p.close()
	}
	delete(s.files, d.fd)
}

// abandon ends a descriptor whose connection is gone: what was being written
// is stale.
func (s *session) abandon(d *descriptor) {
	s.release(d)
	_ = d.file.Close()
	if d.writing == nil || !s.srv.writers.leave(d.replica.ID, d.writing) {
		return
	}
	// The server may be closing; its catalogue waits for this session.
	if err := s.finish(context.WithoutCancel(s.ctx()), d, catalog.Stale, true); err != nil {
		s.srv.log.Error("irods: abandon", "object", d.replica.ID, "err", err)
	}
}

// finish stores what a writer leaves: size, time, state. A changed object
// loses its checksum, and its other replicas become stale; an unchanged one
// gets back the states it had.
func (s *session) finish(ctx context.Context, d *descriptor, state int, dirty bool) error {
	size, err := s.srv.vault.size(d.replica.Path)
	if err != nil {
		return err
	}
	sum := ""
	if d.kv.Has("regChksum") || d.kv.Has("verifyChksum") && d.kv["verifyChksum"] != "" {
		if state == catalog.Good {
			if sum, err = s.srv.vault.sum(d.replica.Path); err != nil {
				return err
			}
		}
	}
	err = s.srv.cat.Update(ctx, func(t *catalog.Tx) error {
		reps, err := t.ObjectByID(d.replica.ID)
		if err != nil {
			return err
		}
		now := s.srv.cat.Now()
		fresh := len(d.writing.before) == 0
		for _, r := range reps {
			was := catalog.Stale
			for _, b := range d.writing.before {
				if b.Number == r.Number {
					was = b.State
				}
			}
			switch {
			case r.Number != d.writing.number:
				if r.State = was; dirty {
					r.State = catalog.Stale
				}
			case dirty || fresh:
				r.Size, r.State, r.Checksum, r.Modified = size, state, sum, now
			default:
				r.State = was
				if sum != "" {
					r.Checksum = sum
				}
			}
			if err := t.SaveReplica(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || state != catalog.Good {
		return err
	}
	return s.replicateSiblings(ctx, d.replica.ID, d.writing.number)
}

// replicaClose is API 20004: a close that can leave size and state to the
// connection that opened the object first.
func (s *session) replicaClose(req *request) (*reply, error) {
	var in struct {
		FD           *int64 `json:"fd"`
		UpdateSize   *bool  `json:"update_size"`
		UpdateStatus *bool  `json:"update_status"`
		Checksum     bool   `json:"compute_checksum"`
	}
	if err := decodeJSON(req.in, &in); err != nil {
		return nil, err
	}
	if in.FD == nil {
		return nil, status.InvalidInputParam
	}
	d, err := s.descriptor(*in.FD)
	if err != nil {
		return nil, err
	}
	isTrue := func(b *bool) bool { return b == nil || *b }
	if isTrue(in.UpdateSize) || isTrue(in.UpdateStatus) || in.Checksum {
		if in.Checksum {
			d.kv = cloneWith(d.kv, "regChksum", "")
		}
		return nil, s.close(d)
	}
	s.release(d)
	_ = d.file.Close()
	if d.writing != nil {
		// If no other connection writes it, it stays intermediate, as asked.
		s.srv.writers.leave(d.replica.ID, d.writing)
	}
	return nil, nil
}
