package irodsd

import (
	"strconv"
	"strings"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// itemKinds maps the flags of API 706.
var itemKinds = map[string]string{
	"-d": catalog.KindObject, "-D": catalog.KindObject,
	"-c": catalog.KindCollection, "-C": catalog.KindCollection,
	"-r": catalog.KindResource, "-R": catalog.KindResource,
	"-u": catalog.KindUser, "-U": catalog.KindUser,
}

// avuItem finds an item that AVUs are to be changed on.
func (s *session) avuItem(t *catalog.Tx, a catalog.Actor, kind, name string, level int) (int64, error) {
	if kind == catalog.KindObject || kind == catalog.KindCollection {
		p, err := s.logical(name)
		if err != nil {
			return 0, err
		}
		name = p
	}
	return t.AVUItem(a, kind, name, level)
}

// modifyAVU is API 706.
func (s *session) modifyAVU(req *request) (*reply, error) {
	if req.in.Child("KeyValPair_PI") == nil {
		return nil, status.PackInstruct
	}
	arg := func(n int) string { return req.in.Str("arg" + strconv.Itoa(n)) }
	kind, ok := itemKinds[arg(1)]
	if !ok {
		return nil, status.InvalidArgument
	}
	return nil, s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		op := arg(0)
		if op == "cp" {
			return s.copyAVUs(t, a, kind, arg)
		}
		level := catalog.LevelCreateMetadata
		switch op {
		case "set", "mod":
			level = catalog.LevelModifyMetadata
		case "rm", "rmi":
			level = catalog.LevelDeleteMetadata
		case "add":
		default:
			return status.InvalidArgument
		}
		item, err := s.avuItem(t, a, kind, arg(2), level)
		if err != nil {
			return err
		}
		v := catalog.AVU{Name: arg(3), Value: arg(4), Unit: arg(5)}
		switch op {
		case "add":
			return t.AddAVU(item, v)
		case "set":
			return t.SetAVU(item, v)
		case "rm":
			return t.RemoveAVU(item, v)
		case "rmi":
			id, err := strconv.ParseInt(arg(3), 10, 64)
			if err != nil {
				return status.InvalidArgument
			}
			return t.RemoveAVUByID(item, id)
		}
		return s.changeAVU(t, item, v, arg)
	})
}

// changeAVU is the operation mod: the unit may be left out, the new parts are
// marked n:, v: and u:.
func (s *session) changeAVU(t *catalog.Tx, item int64, from catalog.AVU, arg func(int) string) error {
	first := 6
	if isNewPart(from.Unit) {
		from.Unit, first = "", 5
	}
	to := from
	changed := false
	for i := first; i < first+4 && i < 10; i++ {
		text := arg(i)
		if text == "" {
			continue
		}
		if !isNewPart(text) {
			return status.InvalidArgument
		}
		changed = true
		switch text[0] {
		case 'n':
			to.Name = text[2:]
		case 'v':
			to.Value = text[2:]
		case 'u':
			to.Unit = text[2:]
		}
	}
	if !changed {
		return status.InvalidArgument
	}
	return t.ModifyAVU(item, from, to)
}

func isNewPart(s string) bool {
	return strings.HasPrefix(s, "n:") || strings.HasPrefix(s, "v:") || strings.HasPrefix(s, "u:")
}

// copyAVUs is the operation cp: kinds in arguments 1 and 2, items in 3 and 4.
func (s *session) copyAVUs(t *catalog.Tx, a catalog.Actor, fromKind string, arg func(int) string) error {
	toKind, ok := itemKinds[arg(2)]
	if !ok {
		return status.InvalidArgument
	}
	from, err := s.avuItem(t, a, fromKind, arg(3), catalog.LevelReadMetadata)
	if err != nil {
		return err
	}
	to, err := s.avuItem(t, a, toKind, arg(4), catalog.LevelCreateMetadata)
	if err != nil {
		return err
	}
	return t.CopyAVUs(from, to)
}

// atomicAVUs is API 20002: adds and removals on one item, all or none. Adding
// what is there and removing what is not are no errors.
func (s *session) atomicAVUs(req *request) (*reply, error) {
	type operation struct {
		Operation string `json:"operation"`
		Attribute string `json:"attribute"`
		Value     string `json:"value"`
		Units     string `json:"units"`
	}
	var in struct {
		Admin      bool        `json:"admin_mode"`
		Name       string      `json:"entity_name"`
		Kind       string      `json:"entity_type"`
		Operations []operation `json:"operations"`
	}
	if err := decodeJSON(req.in, &in); err != nil {
		return nil, err
	}
	if err := s.adminMode(req, in.Admin); err != nil {
		return nil, err
	}
	at := 0
	err := s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		item, err := s.avuItem(t, a, in.Kind, in.Name, catalog.LevelModifyMetadata)
		if err != nil {
			return err
		}
		for i, op := range in.Operations {
			at = i
			v := catalog.AVU{Name: op.Attribute, Value: op.Value, Unit: op.Units}
			switch op.Operation {
			case "add":
				err = ignore(t.AddAVU(item, v), status.AlreadyExists)
			case "remove":
				err = ignore(t.RemoveAVU(item, v), status.SuccessButNoInfo)
			default:
				err = status.InvalidInputParam
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
			op = in.Operations[at]
		}
		return s.atomicFailure(err, at, op)
	}
	return s.jsonReply(struct{}{})
}
