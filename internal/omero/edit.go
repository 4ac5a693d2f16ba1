package omero

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"omerods/internal/ice"
)

// Edit is what a [Batch] changes of an object that exists.
type Edit struct {
	c   *Client
	of  Ref
	set []edited // in the order of the calls
	// filters are the links to add to a light path's list of those that let the
	// exciting light pass.
	filters []any
	err     error
}

// edited is one member with its new value: nil, what the wire has for it, or
// the Ref of an object.
type edited struct {
	name  string
	value any
}

// Change adds a change of an existing object to the batch. As long as nothing
// is said of it, it does nothing. An object may be changed once in a batch.
func (b *Batch) Change(of Ref) *Edit {
	e := &Edit{c: b.c, of: of}
	b.edits = append(b.edits, e)
	return e
}

// Object adds a new object of a class with the members that a struct has
// fields for (such as [Objective], whose ID does not count), and the objects
// that it names; the zero Ref stands for none.
func (b *Batch) Object(class Kind, v any, named map[string]Ref) Ref {
	if b.c.defs.Class(modelClass(string(class))) == nil {
		return b.add(string(class), nil, failure(Invalid, "create", fmt.Sprintf("a %q", class)))
	}
	o := b.c.fresh(string(class))
	if v != nil {
		if err := b.c.fill(o, string(class), v); err != nil {
			return b.add(string(class), nil, err)
		}
	}
	for name, r := range named {
		if r == (Ref{}) {
			continue
		}
		if !o.Has(name) {
			return b.add(string(class), nil, failure(Invalid, "create", fmt.Sprintf("a %s names no %s", class, name)))
		}
		o.Set(name, b.c.object(r))
	}
	return b.add(string(class), o, nil)
}

// Filter adds a filter to those that light of the kind passes in a filter set
// or a light path, behind all that are there.
func (b *Batch) Filter(of, filter Ref, excitation bool) {
	if Kind(of.kind) != KindLightPath || !excitation {
		b.link(string(filterLink(Kind(of.kind), excitation)), of, filter)
		return
	}
	if b.err != nil {
		return
	}
	// This list has an order; the server takes its links only within it.
	link := b.c.fresh(string(filterLink(KindLightPath, true))).Set("parent", b.c.object(of)).Set("child", b.c.object(filter))
	if of.obj != nil {
		appendFilters(of.obj, []any{link})
		return
	}
	i := slices.IndexFunc(b.edits, func(e *Edit) bool { return e.of == of })
	if i < 0 {
		i = len(b.edits)
		b.Change(of)
	}
	b.edits[i].filters = append(b.edits[i].filters, link)
}

// appendFilters adds links to the list of a light path, which is then sent.
func appendFilters(path *ice.Object, links []any) {
	now, _ := path.Get("excitationFilterLinkSeq").([]any)
	path.Set("excitationFilterLinkSeq", slices.Concat(now, links)).Set("excitationFilterLinkLoaded", true)
}

// Fields changes the members in which two structs of one type differ from what
// now says to what want says. Ids do not count, and what the server requires
// is not taken away.
func (e *Edit) Fields(now, want any) *Edit {
	a, b := reflect.Indirect(reflect.ValueOf(now)), reflect.Indirect(reflect.ValueOf(want))
	for _, m := range e.c.members(e.of.kind, a.Type()) {
		old, next := a.FieldByIndex(m.field), b.FieldByIndex(m.field)
		if m.kind == idMember || sameField(old, next) || m.required && next.IsZero() {
			continue
		}
		v, err := e.c.memberValue(m, next)
		if err != nil && e.err == nil {
			e.err = fmt.Errorf("%s of %s: %w", m.name, e.of.kind, err)
		}
		e.set = append(e.set, edited{m.name, v})
	}
	return e
}

func sameField(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// Refer makes a member name another object, which may be new in the same
// batch; the zero Ref means none.
func (e *Edit) Refer(member string, to Ref) *Edit {
	if class := e.c.defs.Class(modelClass(e.of.kind)); class == nil || class.FieldIndex(member) < 0 {
		e.err = failure(Invalid, "change", fmt.Sprintf("a %s names no %s", e.of.kind, member))
		return e
	}
	e.set = append(e.set, edited{member, to})
	return e
}

// edited loads the objects that change, as they are now, and changes them.
func (c *Client) edited(ctx context.Context, edits []*Edit) ([]any, error) {
	byKind := make(map[string]map[int64]*Edit)
	for _, e := range edits {
		if e.err != nil {
			return nil, e.err
		}
		if len(e.set) == 0 && len(e.filters) == 0 {
			continue
		}
		if byKind[e.of.kind] == nil {
			byKind[e.of.kind] = make(map[int64]*Edit)
		}
		if byKind[e.of.kind][e.of.id] != nil {
			return nil, failure(Invalid, "change", fmt.Sprintf("%s %d twice", e.of.kind, e.of.id))
		}
		byKind[e.of.kind][e.of.id] = e
	}
	kinds := make([]string, 0, len(byKind))
	for kind := range byKind {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	var all []any
	for _, kind := range kinds {
		objects, err := c.editedOf(ctx, kind, byKind[kind])
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

func (c *Client) editedOf(ctx context.Context, kind string, edits map[int64]*Edit) ([]any, error) {
	ids := make([]int64, 0, len(edits))
	for id := range edits {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var mu sync.Mutex // guards loaded: batches of ids are loaded at the same time
	loaded := make(map[int64]*ice.Object, len(ids))
	lists := make(map[int64][]any) // of light paths
	fetch := ""
	for _, e := range edits {
		if len(e.filters) > 0 {
			fetch = `left outer join fetch o.excitationFilterLink `
		}
	}
	err := c.eachLoaded(ctx, `select o from `+kind+` o `+fetch+`where o.id in (:ids)`, ids, func(id int64, o *ice.Object) error {
		if o.Mismatch {
			// Saved back it would lose what is not understood.
			return failure(Unsupported, "load", kind+" has another form on this server")
		}
		mu.Lock()
		defer mu.Unlock()
		if fetch != "" {
			lists[id], _ = o.Get("excitationFilterLinkSeq").([]any)
		}
		loaded[id] = unloaded(o)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]any, len(ids))
	for i, id := range ids {
		o := loaded[id]
		if o == nil {
			return nil, failure(NotFound, "load", fmt.Sprintf("no %s %d", kind, id))
		}
		for _, s := range edits[id].set {
			r, isRef := s.value.(Ref)
			switch {
			case isRef && r == (Ref{}):
				o.Set(s.name, nil)
			case isRef:
				o.Set(s.name, c.object(r))
			default:
				o.Set(s.name, s.value)
			}
		}
		if more := edits[id].filters; len(more) > 0 {
			appendFilters(o, slices.Concat(lists[id], more))
		}
		out[i] = o
	}
	return out, nil
}

// Name makes a member of a new object of the batch name another object.
func (b *Batch) Name(of Ref, member string, to Ref) {
	if of.obj == nil || !of.obj.Has(member) {
		b.add(of.kind, nil, failure(Invalid, "create", fmt.Sprintf("a %s names no %s", of.kind, member)))
		return
	}
	if to != (Ref{}) {
		of.obj.Set(member, b.c.object(to))
	}
}

// Existing is the object that a reference of the batch stands for, now that it
// exists.
func (s Saved) Existing(r Ref) Ref { return Ref{kind: r.kind, id: s.ID(r)} }

// DropFilters takes all filters out of filter sets, either those for excitation
// or those for emission.
func (c *Client) DropFilters(ctx context.Context, ids []int64, excitation bool) error {
	link := filterLink(KindFilterSet, excitation)
	rows, err := c.rowsFor(ctx, `select l.id from `+string(link)+` l where l.parent.id in (:ids) order by l.id`, unique(ids))
	if err != nil || len(rows) == 0 {
		return err
	}
	links := make([]int64, len(rows))
	for i, r := range rows {
		links[i] = r.id(0)
	}
	_, err = c.Delete(ctx, map[Kind][]int64{link: links}, DeleteOptions{})
	return err
}
