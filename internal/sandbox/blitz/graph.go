package blitz

import (
	"sort"

	"omerods/internal/ice"
	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/store"
)

// graph turns rows into model objects for one answer. Each row becomes one
// object, however often it is referred to. Objects in loaded have their
// members; the others are references: an id, and loaded false. Collections are
// loaded only when a query fetched them.
type graph struct {
	s       *Server
	tx      *store.Tx
	who     *Caller
	loaded  map[*store.Row]bool
	fetched map[hql.Fetch][]*store.Row
	objects map[*store.Row]*ice.Object
	missing map[graphKey]*ice.Object // references to other rows
}

type graphKey struct {
	root *store.Class
	id   int64
}

func (s *Server) newGraph(tx *store.Tx, who *Caller) *graph {
	return &graph{
		s: s, tx: tx, who: who, loaded: make(map[*store.Row]bool), fetched: make(map[hql.Fetch][]*store.Row),
		objects: make(map[*store.Row]*ice.Object), missing: make(map[graphKey]*ice.Object),
	}
}

// Objects returns rows as loaded model objects whose associations are
// references, for the caller of a call. It may be used within View and Update.
func (c *Call) Objects(tx *store.Tx, who *Caller, rows ...*store.Row) []any {
	g := c.Server.newGraph(tx, who)
	for _, r := range rows {
		g.loaded[r] = true
	}
	return g.list(rows)
}

func (g *graph) list(rows []*store.Row) []any {
	out := make([]any, len(rows))
	for i, r := range rows {
		out[i] = g.object(r)
	}
	return out
}

// object returns the object of a row.
func (g *graph) object(r *store.Row) *ice.Object {
	if o := g.objects[r]; o != nil {
		return o
	}
	o := r.Class.Slice.New()
	g.objects[r] = o // before the members, which may lead back here
	o.Set("id", g.s.RLong(r.ID))
	if !g.loaded[r] {
		return o
	}
	o.Set("loaded", true)
	if !r.Class.Immutable {
		o.Set("version", g.s.RInt(r.Version))
	}
	o.Set("details", g.details(r))
	for _, p := range r.Class.All() {
		g.member(o, r, p)
	}
	return o
}

// reference returns the object of the target of an association.
func (g *graph) reference(c *store.Class, id int64) any {
	if id == store.None {
		return nil
	}
	if r := g.tx.Get(c, id); r != nil {
		return g.object(r)
	}
	key := graphKey{c.Root, id}
	if g.missing[key] == nil {
		g.missing[key] = c.Slice.New().Set("id", g.s.RLong(id))
	}
	return g.missing[key]
}

func (g *graph) member(o *ice.Object, r *store.Row, p *store.Property) {
	v := r.Value(p)
	switch p.Kind {
	case store.KindToOne:
		if id, ok := v.(int64); ok {
			o.Set(p.Name, g.reference(p.Target, id))
		}
	case store.KindToMany:
		g.collection(o, r, p)
	case store.KindQuantity:
		if q, ok := v.(store.Quantity); ok {
			o.Set(p.Name, g.s.defs.New("::omero::model::"+p.Unit).Set("value", q.Value).Set("unit", q.Unit))
		}
	case store.KindNamedValues:
		list, _ := v.([]store.NamedValue)
		o.Set(p.Name, g.s.NamedValues(list))
	case store.KindBytes, store.KindStrings:
		if v != nil {
			o.Set(p.Name, v)
		}
	default:
		if x := g.s.scalar(v); x != nil {
			o.Set(p.Name, x)
		}
	}
}

func (g *graph) collection(o *ice.Object, r *store.Row, p *store.Property) {
	rows, ok := g.fetched[hql.Fetch{Owner: r, Property: p}]
	if !ok {
		return
	}
	if p.Ordered {
		sort.SliceStable(rows, func(i, j int) bool { return rows[i].Position < rows[j].Position })
	}
	o.Set(p.Name+"Seq", g.list(rows)).Set(p.Name+"Loaded", true)
}

// NamedValues returns a sequence of ::omero::model::NamedValue.
func (s *Server) NamedValues(list []store.NamedValue) []any {
	out := make([]any, len(list))
	for i, nv := range list {
		out[i] = s.defs.New("::omero::model::NamedValue").Set("name", nv.Name).Set("value", nv.Value)
	}
	return out
}

func (g *graph) details(r *store.Row) *ice.Object {
	d := g.s.defs.New("::omero::model::Details")
	d.Set("permissions", g.s.permissions(groupPermissions(g.tx, r), g.who.Rights(g.tx, r).restrictions(), g.s.extended(g.tx, g.who, r)))
	m := g.tx.Model()
	for _, ref := range []struct {
		member, class string
		id            int64
	}{
		{"owner", "Experimenter", r.Owner}, {"group", "ExperimenterGroup", r.Group},
		{"creationEvent", "Event", r.Created}, {"updateEvent", "Event", r.Updated}, {"externalInfo", "ExternalInfo", r.External},
	} {
		if o := g.reference(m.Class(ref.class), ref.id); o != nil {
			d.Set(ref.member, o)
		}
	}
	return d
}

// permissions returns an ::omero::model::Permissions.
func (s *Server) permissions(perm int64, restrictions []bool, extended []string) *ice.Object {
	return s.defs.New("::omero::model::Permissions").
		Set("perm1", perm).Set("restrictions", restrictions).Set("extendedRestrictions", extended)
}

// withMembers loads a user with its groups or a group with its users, as the
// administration service does.
func (g *graph) withMembers(r *store.Row) {
	p := r.Class.Property("groupExperimenterMap")
	g.loaded[r] = true
	maps := g.tx.Collection(p, r.ID)
	g.fetched[hql.Fetch{Owner: r, Property: p}] = maps
	for _, m := range maps {
		g.loaded[m] = true
		for _, end := range []string{"parent", "child"} {
			if other := g.tx.Get(m.Class.Property(end).Target, m.Ref(end)); other != nil {
				g.loaded[other] = true
			}
		}
	}
}
