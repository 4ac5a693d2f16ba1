package irodsview

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// The extended attributes. Metadata is user.irods.avu.NAME; the others are
// facts that can be read only.
const (
	attrPrefix   = "user.irods."
	avuPrefix    = attrPrefix + "avu."
	attrID       = attrPrefix + "id"
	attrPath     = attrPrefix + "path"
	attrOwner    = attrPrefix + "owner"
	attrChecksum = attrPrefix + "checksum"
	attrResource = attrPrefix + "resource"
	attrReplicas = attrPrefix + "replicas"
	maxAttrName  = 255
)

// pieceOfAVU is one value where a name has several, or units. An attribute
// then is a JSON array of such objects.
type pieceOfAVU struct {
	Value string `json:"value"`
	Units string `json:"units,omitempty"`
}

// encodeAVUs makes the attribute of all metadata of one name: the value where
// there is one without units, JSON otherwise.
func encodeAVUs(avus []irods.AVU) []byte {
	if len(avus) == 1 && avus[0].Units == "" {
		if _, isJSON := decodePieces([]byte(avus[0].Value)); !isJSON {
			return []byte(avus[0].Value)
		}
	}
	pieces := make([]pieceOfAVU, len(avus))
	for i, a := range avus {
		pieces[i] = pieceOfAVU{a.Value, a.Units}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(pieces) // strings cannot fail
	return bytes.TrimSpace(b.Bytes())
}

func decodePieces(value []byte) ([]pieceOfAVU, bool) {
	if !bytes.HasPrefix(value, []byte("[")) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	var pieces []pieceOfAVU
	if d.Decode(&pieces) != nil || d.More() || len(pieces) == 0 {
		return nil, false
	}
	return pieces, true
}

// decodeAVUs is the reverse of encodeAVUs.
func decodeAVUs(name string, value []byte) []irods.AVU {
	pieces, ok := decodePieces(value)
	if !ok {
		return []irods.AVU{{Name: name, Value: string(value)}}
	}
	avus := make([]irods.AVU, len(pieces))
	for i, p := range pieces {
		avus[i] = irods.AVU{Name: name, Value: p.Value, Units: p.Units}
	}
	return avus
}

// avus returns the node's metadata; those of a file that is not on the server
// yet are waiting in its draft.
func (n *node) avus(ctx context.Context, s *session) ([]irods.AVU, error) {
	if d := n.draftOf(s); d != nil && d.unseen() {
		if err := d.lock(ctx); err != nil {
			return nil, err
		}
		defer d.unlock()
		return slices.Clone(d.avus), nil
	}
	k, err := n.find(ctx, s)
	if err != nil || n.isVirtual() || k.virtual {
		return nil, err
	}
	avus, err := s.client.AVUs(ctx, n.path(), n.kind == tree.KindDir)
	return avus, fail(err)
}

func (n *node) getxattr(ctx context.Context, v *View, name string) ([]byte, error) {
	if !strings.HasPrefix(name, attrPrefix) {
		return nil, tree.ErrNoData
	}
	s, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	if avu, ok := strings.CutPrefix(name, avuPrefix); ok {
		all, err := n.avus(ctx, s)
		if err != nil {
			return nil, err
		}
		mine := slices.DeleteFunc(all, func(a irods.AVU) bool { return a.Name != avu })
		if len(mine) == 0 {
			return nil, tree.ErrNoData
		}
		return encodeAVUs(mine), nil
	}
	facts, err := n.facts(ctx, s)
	if err != nil {
		return nil, err
	}
	if value, ok := facts[name]; ok {
		return []byte(value), nil
	}
	return nil, tree.ErrNoData
}

// facts are the attributes that can only be read.
func (n *node) facts(ctx context.Context, s *session) (map[string]string, error) {
	if d := n.draftOf(s); d != nil && d.unseen() || n.isVirtual() {
		return nil, nil
	}
	k, err := n.find(ctx, s)
	if err != nil {
		return nil, err
	}
	p := n.path()
	if k.rough || k.bare {
		if k, err = s.statNow(ctx, p); err != nil {
			return nil, fail(err)
		}
	}
	facts := map[string]string{attrPath: p}
	if k.virtual {
		return facts, nil
	}
	facts[attrID] = strconv.FormatInt(k.ID, 10)
	facts[attrOwner] = k.Owner + "#" + k.Zone
	if k.IsCollection {
		return facts, nil
	}
	if k.Checksum != "" {
		facts[attrChecksum] = k.Checksum
	}
	if len(k.Replicas) > 0 {
		facts[attrResource] = k.Replicas[0].Hierarchy
		text, _ := json.Marshal(replicasOf(k.Entry)) // strings and numbers cannot fail
		facts[attrReplicas] = string(text)
	}
	return facts, nil
}

type replicaFact struct {
	Number   int    `json:"number"`
	Status   string `json:"status"`
	Size     int64  `json:"size"`
	Resource string `json:"resource"`
	Checksum string `json:"checksum,omitempty"`
}

func replicasOf(e irods.Entry) []replicaFact {
	names := map[irods.Status]string{
		irods.StatusStale: "stale", irods.StatusGood: "good", irods.StatusIntermediate: "intermediate",
		irods.StatusReadLocked: "read-locked", irods.StatusWriteLocked: "write-locked",
	}
	facts := make([]replicaFact, len(e.Replicas))
	for i, r := range e.Replicas {
		facts[i] = replicaFact{r.Number, names[r.Status], r.Size, r.Hierarchy, r.Checksum}
	}
	return facts
}

func (n *node) listxattr(ctx context.Context, v *View) ([]string, error) {
	s, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	facts, err := n.facts(ctx, s)
	if err != nil {
		return nil, err
	}
	avus, err := n.avus(ctx, s)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range facts {
		names = append(names, name)
	}
	for _, a := range avus {
		name := avuPrefix + a.Name
		if len(name) <= maxAttrName && !strings.Contains(a.Name, "\x00") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// setAVUs replaces all metadata of one name by others.
func (n *node) setAVUs(ctx context.Context, v *View, name string, value []byte, create, replace, remove bool) error {
	avu, ok := strings.CutPrefix(name, avuPrefix)
	if !ok || avu == "" {
		return tree.Errorf(tree.ErrNotSupported, "only attributes named %s… can be changed", avuPrefix)
	}
	s, err := v.session(ctx)
	if err != nil {
		return err
	}
	all, err := n.avus(ctx, s)
	if err != nil {
		return err
	}
	var old, add []irods.AVU
	for _, a := range all {
		if a.Name == avu {
			old = append(old, a)
		}
	}
	switch {
	case create && len(old) > 0:
		return tree.Errorf(tree.ErrExists, "%s exists", name)
	case (replace || remove) && len(old) == 0:
		return tree.ErrNoData
	}
	if !remove {
		add = decodeAVUs(avu, value)
	}
	for _, a := range add {
		if err := irods.CheckAVU(a); err != nil {
			return fail(err)
		}
	}
	if d := n.draftOf(s); d != nil && d.unseen() {
		if err := d.lock(ctx); err != nil {
			return err
		}
		defer d.unlock()
		if d.unseen() {
			d.avus = append(slices.DeleteFunc(d.avus, func(a irods.AVU) bool { return a.Name == avu }), add...)
			return nil
		}
	}
	same := func(list []irods.AVU) func(irods.AVU) bool {
		return func(a irods.AVU) bool { return slices.Contains(list, a) }
	}
	gone := slices.DeleteFunc(slices.Clone(old), same(add))
	come := slices.DeleteFunc(slices.Clone(add), same(old))
	return fail(s.client.ChangeAVUs(ctx, n.path(), n.kind == tree.KindDir, gone, come))
}

// Getxattr reads one attribute.
func (d *dir) Getxattr(ctx context.Context, name string) ([]byte, error) {
	return d.getxattr(ctx, d.view, name)
}

// Listxattr names the attributes.
func (d *dir) Listxattr(ctx context.Context) ([]string, error) { return d.listxattr(ctx, d.view) }

// Setxattr replaces the metadata of one name.
func (d *dir) Setxattr(ctx context.Context, name string, value []byte, create, replace bool) error {
	return d.setAVUs(ctx, d.view, name, value, create, replace, false)
}

// Removexattr removes the metadata of one name.
func (d *dir) Removexattr(ctx context.Context, name string) error {
	return d.setAVUs(ctx, d.view, name, nil, false, false, true)
}

// Getxattr reads one attribute.
func (f *file) Getxattr(ctx context.Context, name string) ([]byte, error) {
	return f.getxattr(ctx, f.view, name)
}

// Listxattr names the attributes.
func (f *file) Listxattr(ctx context.Context) ([]string, error) { return f.listxattr(ctx, f.view) }

// Setxattr replaces the metadata of one name.
func (f *file) Setxattr(ctx context.Context, name string, value []byte, create, replace bool) error {
	return f.setAVUs(ctx, f.view, name, value, create, replace, false)
}

// Removexattr removes the metadata of one name.
func (f *file) Removexattr(ctx context.Context, name string) error {
	return f.setAVUs(ctx, f.view, name, nil, false, false, true)
}
