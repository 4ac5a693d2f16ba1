package graph

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"omerods/internal/sandbox/store"
)

// describe fills in the fields and associations of a node, once it is known
// which objects are in the graph.
func (r *reader) describe(n *Node) {
	for _, p := range members(n.Class) {
		if p.Kind == store.KindToMany || r.cut(n.row, p.Name) {
			continue
		}
		v := n.row.Value(p)
		if v == nil {
			continue
		}
		if p.Kind != store.KindToOne {
			if p.String() == "OriginalFile.path" {
				v = r.withinFileset(n.row, v.(string))
			}
			if !empty(v) {
				n.Fields[p.Name] = text(p, v)
			}
			continue
		}
		t := r.target(n.row, p)
		switch {
		case t == nil:
			n.Fields[p.Name] = "what is not there"
		case t.Class.Global:
			n.Fields[p.Name] = r.natural(t)
		case r.nodes[key{t.Class.Root, t.ID}] != nil:
			to := r.nodes[key{t.Class.Root, t.ID}]
			ref := Ref{Property: p.String(), Place: r.place(n.row, p, t), Node: to}
			n.Refs = append(n.Refs, ref)
			to.back = append(to.back, Ref{Property: ref.Property, Place: ref.Place, Node: n})
		case !n.limited:
			n.Fields[p.Name] = "an object elsewhere"
		}
	}
	r.details(n)
}

// details writes down whose an object is and since when.
func (r *reader) details(n *Node) {
	put := func(name, value string) {
		if value != "" && !r.cut(n.row, name) {
			n.Fields[name] = value
		}
	}
	put("version", strconv.Itoa(int(n.row.Version)))
	for name, p := range map[string]struct {
		class string
		id    int64
	}{
		"details.owner": {"Experimenter", n.row.Owner}, "details.group": {"ExperimenterGroup", n.row.Group},
		"details.creationEvent": {"Event", n.row.Created}, "details.updateEvent": {"Event", n.row.Updated},
	} {
		if t := r.tx.Get(r.model.Class(p.class), p.id); p.id != store.None && t != nil {
			put(name, r.natural(t))
			if name == "details.group" {
				put("details.permissions", strconv.FormatInt(t.Perm, 10))
			}
		}
	}
	if e := r.nodes[key{r.model.Class("ExternalInfo").Root, n.row.External}]; n.row.External != store.None && e != nil {
		n.Refs = append(n.Refs, Ref{Property: "details.externalInfo", Place: -1, Node: e})
		e.back = append(e.back, Ref{Property: "details.externalInfo", Place: -1, Node: n})
	}
}

// withinFileset is the path of a file in the folder of its fileset, whose name
// is as good as an id: the server makes it of the time and numbers of its own.
func (r *reader) withinFileset(file *store.Row, path string) string {
	entries := r.model.Class("FilesetEntry")
	for _, id := range r.tx.RefIDs(entries.Property("originalFile"), file.ID) {
		set := r.target(r.tx.Get(entries, id), entries.Property("fileset"))
		if set == nil {
			continue
		}
		if rest, ok := strings.CutPrefix(path, set.Text("templatePrefix")); ok {
			return "(fileset)/" + rest
		}
	}
	return path
}

// natural is what people call an object that belongs to the whole server.
func (r *reader) natural(row *store.Row) string {
	if row.Class.Name == "Event" {
		t, _ := row.Get("time").(store.Time)
		return stamp(t)
	}
	for _, f := range []string{"value", "omeName", "name", "uuid"} {
		if v := row.Text(f); v != "" {
			return v
		}
	}
	return row.Class.Name
}

// place is where an object is in the ordered collection of the other end that
// the association is the inverse of, among those in the graph; -1 without one.
func (r *reader) place(row *store.Row, p *store.Property, owner *store.Row) int {
	for _, m := range members(owner.Class) {
		if m.Kind != store.KindToMany || !m.Ordered || m.Inverse != p {
			continue
		}
		place := 0
		for _, other := range r.tx.Collection(m, owner.ID) {
			if other.ID == row.ID {
				return place
			}
			if r.nodes[key{other.Class.Root, other.ID}] != nil {
				place++
			}
		}
	}
	return -1
}

// empty tells texts and lists with nothing in them, which count as not there:
// OMERO's own clients write either.
func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case []byte:
		return len(v) == 0
	case []store.NamedValue:
		return len(v) == 0
	}
	return false
}

func stamp(t store.Time) string {
	return time.UnixMilli(int64(t)).UTC().Format("2006-01-02T15:04:05.000Z")
}

func text(p *store.Property, v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case store.Time:
		return stamp(v)
	case store.Quantity:
		return fmt.Sprintf("%v %s", v.Value, p.Enum.Name(v.Unit))
	case []store.NamedValue:
		return fmt.Sprintf("%q", v)
	case []string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("%d bytes %x", len(v), v)
	default:
		return fmt.Sprint(v)
	}
}
