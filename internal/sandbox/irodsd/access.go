package irodsd

import (
	"errors"
	"strings"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// modifyAccess is API 707.
func (s *session) modifyAccess(req *request) (*reply, error) {
	level := req.in.Str("accessLevel")
	if short, ok := strings.CutPrefix(level, "admin:"); ok {
		if !s.user.Admin() {
			return nil, status.NoAPIPrivilege
		}
		level = short
		req.kv = cloneWith(req.kv, "irodsAdmin", "")
	}
	recursive := req.in.Int("recursiveFlag") != 0
	p, err := s.logical(req.in.Str("path"))
	if err != nil {
		return nil, err
	}
	return nil, s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		switch level {
		case "inherit", "noinherit":
			return t.SetInherit(a, p, level == "inherit", recursive)
		}
		n, ok := catalog.Level(level)
		if !ok {
			return status.Errorf(status.InvalidArgument, "access level '%s' is unknown", level)
		}
		return t.SetAccess(a, p, req.in.Str("userName"), req.in.Str("zone"), n, recursive)
	})
}

// atomicACL is API 20005: several entries of one item, all or none.
func (s *session) atomicACL(req *request) (*reply, error) {
	var in struct {
		Admin      bool   `json:"admin_mode"`
		Path       string `json:"logical_path"`
		Operations []struct {
			Entity string `json:"entity_name"`
			Zone   string `json:"zone"`
			ACL    string `json:"acl"`
		} `json:"operations"`
	}
	if err := decodeJSON(req.in, &in); err != nil {
		return nil, err
	}
	p, err := s.logical(in.Path)
	if err != nil {
		return nil, err
	}
	if err := s.adminMode(req, in.Admin); err != nil {
		return nil, err
	}
	at := 0
	err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		for i, op := range in.Operations {
			at = i
			n, ok := catalog.Level(op.ACL)
			if !ok {
				return status.InvalidInputParam
			}
			user, zone := catalog.SplitUser(op.Entity, op.Zone)
			err := t.SetAccess(a, p, user, zone, n, false)
			if errors.Is(err, status.InvalidArgument) {
				return status.ObjectPathDoesNotExist
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		var op any
		if at < len(in.Operations) {
			op = map[string]string{"entity_name": in.Operations[at].Entity, "acl": in.Operations[at].ACL}
		}
		return s.atomicFailure(err, at, op)
	}
	return s.jsonReply(struct{}{})
}

// adminMode makes the request an administrator's, if its user is one.
func (s *session) adminMode(req *request, wanted bool) error {
	if !wanted {
		return nil
	}
	if !s.user.Admin() {
		return status.NoAPIPrivilege
	}
	req.kv = cloneWith(req.kv, "irodsAdmin", "")
	return nil
}

// atomicFailure answers a failed atomic call: which operation, and why.
func (s *session) atomicFailure(err error, at int, op any) (*reply, error) {
	code, text := status.Of(err, status.InternalError)
	if text == "" {
		text = code.Error()
	}
	rep, failed := s.jsonReply(map[string]any{"operation": op, "operation_index": at, "error_message": text})
	return rep, errors.Join(err, failed)
}
