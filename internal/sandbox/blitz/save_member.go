package blitz

import (
	"fmt"
	"reflect"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// members takes over the members of an object but for its collections.
func (sv *saver) members(o *ice.Object, row *store.Row) error {
	for _, p := range row.Class.All() {
		if !p.Stored() {
			continue
		}
		v, err := sv.value(p, o.Get(p.Name))
		if err != nil {
			return err
		}
		row.SetValue(p, v)
	}
	return nil
}

// value turns a member into what the store holds.
func (sv *saver) value(p *store.Property, v any) (any, error) {
	switch p.Kind {
	case store.KindToOne:
		target, _ := v.(*ice.Object)
		if target == nil {
			return nil, nil
		}
		row, err := sv.save(target)
		if err != nil {
			return nil, err
		}
		if !row.Class.IsA(p.Target) {
			return nil, Fail(APIUsage, "%s cannot be a %s", p, row.Class.Name)
		}
		return row.ID, nil
	case store.KindQuantity:
		q, _ := v.(*ice.Object)
		if q == nil {
			return nil, nil
		}
		value, _ := q.Get("value").(float64)
		unit, _ := q.Get("unit").(int32)
		return store.Quantity{Value: value, Unit: unit}, nil
	case store.KindNamedValues:
		return namedValues(v), nil
	case store.KindBytes:
		if b, _ := v.([]byte); len(b) > 0 {
			return append([]byte(nil), b...), nil // not to hold on to the message
		}
		return nil, nil
	case store.KindStrings:
		if s, _ := v.([]string); len(s) > 0 {
			return s, nil
		}
		return nil, nil
	}
	return unbox(v), nil
}

// namedValues reads a sequence of ::omero::model::NamedValue; null entries, as
// some clients send them, are left out.
func namedValues(v any) any {
	list, _ := v.([]any)
	var out []store.NamedValue
	for _, e := range list {
		if o, _ := e.(*ice.Object); o != nil {
			name, _ := o.Get("name").(string)
			value, _ := o.Get("value").(string)
			out = append(out, store.NamedValue{Name: name, Value: value})
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// collections saves the elements of the loaded collections of an object. They
// belong to it whatever they say themselves. What a loaded collection lacks is
// deleted when it is a list or a collection of links, which OMERO maps with
// DELETE_ORPHAN; elements of other collections stay as they are.
func (sv *saver) collections(o *ice.Object, row *store.Row) error {
	for _, p := range row.Class.All() {
		if p.Kind != store.KindToMany {
			continue
		}
		if loaded, _ := o.Get(p.Name + "Loaded").(bool); !loaded {
			continue
		}
		sv.collected = append(sv.collected, collected{keyOf(row), p})
		list, _ := o.Get(p.Name + "Seq").([]any)
		for i, v := range list {
			e, _ := v.(*ice.Object)
			if e == nil {
				continue
			}
			if err := sv.element(o, row, p, e, int32(i)); err != nil {
				return err
			}
		}
		if p.Ordered || p.Target.Link {
			if err := sv.orphans(row, p, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// orphans deletes the elements of a collection that the client left out of
// it.
func (sv *saver) orphans(row *store.Row, p *store.Property, list []any) error {
	kept := make(map[int64]bool, len(list))
	for _, v := range list {
		if e, _ := v.(*ice.Object); e != nil && sv.seen[e] != nil {
			kept[sv.seen[e].ID] = true
		}
	}
	for _, e := range sv.tx.Collection(p, row.ID) {
		switch {
		case kept[e.ID]:
		case !sv.who.Rights(sv.tx, e).Delete:
			return Fail(SecurityViolation, "deleting %s:Id_%d not permitted", e.Class.Name, e.ID)
		default:
			sv.author.Delete(e)
		}
	}
	return nil
}

func (sv *saver) element(o *ice.Object, row *store.Row, p *store.Property, e *ice.Object, position int32) error {
	if class := sv.c.Server.classOf(e); class == nil || !class.IsA(p.Target) {
		return Fail(APIUsage, "%s cannot hold what was sent", p)
	}
	if loaded, _ := e.Get("loaded").(bool); loaded {
		if back, _ := e.Get(p.Inverse.Name).(*ice.Object); back == nil {
			e.Set(p.Inverse.Name, o)
		}
	}
	sv.contained[e] = true
	elem, err := sv.save(e)
	if err != nil {
		return err
	}
	current := sv.tx.Get(elem.Class, elem.ID)
	if current == nil { // an ancestor in the graph: it is being saved
		if p.Ordered {
			elem.Position = position
		}
		return nil
	}
	if p.Ordered && current.Position != position {
		moved := current.Clone()
		moved.Position = position
		sv.tx.Put(moved)
	}
	return nil
}

func sameValues(a, b *store.Row) bool { return reflect.DeepEqual(a.Values, b.Values) }

// verify checks the rights and the groups of all that new and changed objects
// refer to.
func (sv *saver) verify() error {
	for _, r := range sv.touched {
		row := sv.tx.Get(r.Class, r.ID)
		if row == nil || row.Group == store.None {
			continue
		}
		_, isNew := sv.fresh[graphKey{row.Class.Root, row.ID}]
		for i, p := range row.Class.Stored() {
			id, ok := row.Values[i].(int64)
			if !ok || p.Kind != store.KindToOne {
				continue
			}
			target := sv.tx.Get(p.Target, id)
			if target == nil || target.Group == store.None {
				continue // the commit checks that it exists
			}
			if err := sv.mayRefer(row, p, target, isNew); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayRefer decides whether an object may name another.
func (sv *saver) mayRefer(row *store.Row, p *store.Property, target *store.Row, isNew bool) error {
	what := fmt.Sprintf("%s from %s:Id_%d to %s:Id_%d", p.Name, row.Class.Name, row.ID, target.Class.Name, target.ID)
	if target.Group != row.Group && target.Group != store.UserGroup {
		return Fail(GroupViolation, "MIXED GROUP: %s: groups %d and %d", what, row.Group, target.Group)
	}
	if !isNew || sv.fresh[graphKey{target.Class.Root, target.ID}] != nil || target.Owner == sv.who.User {
		return nil
	}
	rights := sv.who.Rights(sv.tx, target)
	allowed := rights.Link
	switch {
	case annotates(row.Class):
		allowed = rights.Annotate
	case row.Class.Name == "FileAnnotation":
		allowed = true
	}
	if allowed {
		return nil
	}
	if groupPermissions(sv.tx, target)&(rightWrite<<roleGroup) == 0 {
		return Fail(ReadOnlyGroup, "Group is READ-ONLY. Cannot link to object: %s", what)
	}
	return Fail(SecurityViolation, "cannot link: %s", what)
}

// annotates tells the classes by which others' data is annotated and not
// changed.
func annotates(c *store.Class) bool {
	switch c.Name {
	case "Roi", "Thumbnail", "RenderingDef":
		return true
	}
	child := c.Property("child")
	return c.Link && child.Target.Name == "Annotation"
}
