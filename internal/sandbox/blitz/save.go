package blitz

import (
	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// saver stores a graph of objects: new ones are inserted, loaded ones with an
// id updated, unloaded ones are references. Members that are not loaded are
// not touched.
type saver struct {
	c      *Call
	tx     *store.Tx
	who    *Caller
	author *store.Author
	seen   map[*ice.Object]*store.Row
	// fresh are the rows of this call, which its own objects may refer to
	// before they are inserted.
	fresh   map[graphKey]*store.Row
	touched []*store.Row // rows of loaded objects
	// contained are the objects that came within a loaded collection.
	contained map[*ice.Object]bool
	// collected are the collections that came loaded, and go back so.
	collected []collected
	depth     int
}

type collected struct {
	owner graphKey
	p     *store.Property
}

// maxGraphDepth bounds the recursion over what a client sends.
const maxGraphDepth = 1000

// SaveGraph stores the graph below roots for the caller and returns the rows
// of the roots. It is what IUpdate does; services that create objects on
// behalf of a client use it too.
func (c *Call) SaveGraph(tx *store.Tx, who *Caller, roots []any) ([]*store.Row, *saver, error) {
	sv := &saver{
		c: c, tx: tx, who: who, author: tx.As(who.Actor()),
		seen: make(map[*ice.Object]*store.Row), fresh: make(map[graphKey]*store.Row), contained: make(map[*ice.Object]bool),
	}
	rows := make([]*store.Row, len(roots))
	for i, v := range roots {
		o, _ := v.(*ice.Object)
		if o == nil {
			return nil, nil, Fail(APIUsage, "object %d to save is null", i)
		}
		row, err := sv.save(o)
		if err != nil {
			return nil, nil, err
		}
		rows[i] = row
	}
	if err := sv.verify(); err != nil {
		return nil, nil, err
	}
	// Rows may have been replaced since, by a later update of the same object.
	for i, r := range rows {
		rows[i] = tx.Get(r.Class, r.ID)
	}
	for i, r := range sv.touched {
		sv.touched[i] = tx.Get(r.Class, r.ID)
	}
	return rows, sv, nil
}

// save stores one object and what hangs on it.
func (sv *saver) save(o *ice.Object) (*store.Row, error) {
	if r := sv.seen[o]; r != nil {
		return r, nil
	}
	if sv.depth++; sv.depth > maxGraphDepth {
		return nil, Fail(APIUsage, "the graph is too deep")
	}
	defer func() { sv.depth-- }()
	class := sv.c.Server.classOf(o)
	if class == nil {
		return nil, Fail(APIUsage, "not an object of the model")
	}
	id, hasID := unbox(o.Get("id")).(int64)
	loaded, _ := o.Get("loaded").(bool)
	switch {
	case !loaded && !hasID:
		return nil, Fail(APIUsage, "an unloaded %s must have an id", class.Name)
	case !loaded || hasID && (class.Enum || class.Immutable):
		return sv.refer(o, class, id)
	case class.Enum:
		return sv.enumeration(o, class)
	case hasID:
		return sv.update(o, class, id)
	}
	return sv.insert(o, class)
}

// refer finds the object that a reference means.
func (sv *saver) refer(o *ice.Object, class *store.Class, id int64) (*store.Row, error) {
	row := sv.tx.Get(class.Root, id)
	if row == nil || !row.Class.IsA(class) || !sv.who.CanRead(sv.tx, row) && !sv.sameUserOtherGroup(row) {
		return nil, Fail(Validation, "no row with the given identifier exists: [%s#%d]", class.Java, id)
	}
	sv.seen[o] = row
	return row, nil
}

// sameUserOtherGroup lets a reference into another of the caller's groups pass
// here, so that it is refused for what it is: a link between groups.
func (sv *saver) sameUserOtherGroup(row *store.Row) bool {
	everywhere := *sv.who
	everywhere.Group = AllGroups
	return everywhere.CanRead(sv.tx, row)
}

// enumeration finds a value of an enumeration.
func (sv *saver) enumeration(o *ice.Object, class *store.Class) (*store.Row, error) {
	value, _ := unbox(o.Get("value")).(string)
	id := sv.tx.Enum(class.Name, value)
	if id == store.None {
		return nil, Fail(Validation, "unknown %s: %q", class.Java, value)
	}
	sv.seen[o] = sv.tx.Get(class, id)
	return sv.seen[o], nil
}

func (sv *saver) insert(o *ice.Object, class *store.Class) (*store.Row, error) {
	if class.Abstract {
		return nil, Fail(APIUsage, "%s is abstract", class.Java)
	}
	if class.Global && !sv.who.Admin {
		return nil, Fail(SecurityViolation, "creating %s not permitted for %s", class.Java, sv.who.Name)
	}
	row := store.NewRow(class)
	row.ID = sv.tx.Reserve(class)
	sv.seen[o] = row
	sv.fresh[graphKey{class.Root, row.ID}] = row
	sv.touched = append(sv.touched, row)
	if err := sv.members(o, row); err != nil {
		return nil, err
	}
	if err := sv.alone(o, row); err != nil {
		return nil, err
	}
	if err := sv.place(o, row); err != nil {
		return nil, err
	}
	sv.author.Insert(row)
	return row, sv.collections(o, row)
}

// alone refuses a new element of an ordered collection that did not come in the
// loaded collection of its owner: there its place is written, not in the
// element's own association, which the server does not insert.
func (sv *saver) alone(o *ice.Object, row *store.Row) error {
	p := row.Class.OwnerInOrder()
	if p == nil || sv.contained[o] {
		return nil
	}
	return Fail(Validation, "not-null property references a null or transient value: %s._%sBackref",
		row.Class.Java, p.Name)
}

// place decides the owner and the group of a new object.
func (sv *saver) place(o *ice.Object, row *store.Row) error {
	if row.Class.Global {
		return nil
	}
	row.Group = sv.who.Group
	if d, _ := o.Get("details").(*ice.Object); d != nil {
		if g, _ := d.Get("group").(*ice.Object); g != nil {
			if id, ok := unbox(g.Get("id")).(int64); ok {
				row.Group = id
			}
		}
		if u, _ := d.Get("owner").(*ice.Object); u != nil {
			id, ok := unbox(u.Get("id")).(int64)
			if ok && id != sv.who.User && !sv.who.Has("WriteOwned") {
				return Fail(SecurityViolation, "you are not authorized to set the owner for %s", row.Class.Name)
			}
			if ok {
				row.Owner = id
			}
		}
		if x, _ := d.Get("externalInfo").(*ice.Object); x != nil {
			info, err := sv.save(x)
			if err != nil {
				return err
			}
			row.External = info.ID
		}
	}
	if row.Group == AllGroups {
		row.Group = sv.groupOfTargets(row)
	}
	if row.Group == AllGroups {
		return Fail(SecurityViolation, "%s cannot be created in all groups: name one with omero.group", row.Class.Name)
	}
	if sv.who.Group != AllGroups && row.Group != sv.who.Group && !sv.who.Admin {
		return Fail(SecurityViolation, "you are not authorized to set the group for %s", row.Class.Name)
	}
	if !sv.who.canWriteIn(row.Group) {
		return Fail(SecurityViolation, "creating %s in group %d not permitted for %s", row.Class.Name, row.Group, sv.who.Name)
	}
	return nil
}

// groupOfTargets is the group of what an object refers to, for calls in all
// groups.
func (sv *saver) groupOfTargets(row *store.Row) int64 {
	for i, p := range row.Class.Stored() {
		if id, ok := row.Values[i].(int64); ok && p.Kind == store.KindToOne {
			if t := sv.target(p, id); t != nil && t.Group != store.None {
				return t.Group
			}
		}
	}
	return AllGroups
}

// target is what an association of a row of this call leads to.
func (sv *saver) target(p *store.Property, id int64) *store.Row {
	if r := sv.fresh[graphKey{p.Target.Root, id}]; r != nil {
		return r
	}
	return sv.tx.Get(p.Target, id)
}

// update changes a loaded object that exists, if any member differs.
func (sv *saver) update(o *ice.Object, class *store.Class, id int64) (*store.Row, error) {
	old := sv.tx.Get(class, id)
	if old == nil || old.Class != class || !sv.who.CanRead(sv.tx, old) {
		return nil, Fail(Validation, "no row with the given identifier exists: [%s#%d]", class.Java, id)
	}
	row := old.Clone()
	sv.seen[o] = row
	if version, ok := unbox(o.Get("version")).(int32); !ok || version != old.Version {
		return nil, Fail(OptimisticLock, "row was updated or deleted by another transaction (or unsaved-value mapping was incorrect): [%s#%d]", class.Java, id)
	}
	if err := sv.members(o, row); err != nil {
		return nil, err
	}
	if !sameValues(old, row) {
		if !sv.who.Rights(sv.tx, old).Edit {
			return nil, Fail(SecurityViolation, "updating %s:Id_%d not permitted", class.Name, id)
		}
		sv.author.Update(row)
	}
	sv.touched = append(sv.touched, row)
	return row, sv.collections(o, row)
}
