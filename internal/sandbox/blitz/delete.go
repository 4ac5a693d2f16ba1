package blitz

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// graphError is a request on a graph that the rules forbid; the client gets a
// GraphException.
type graphError struct{ message string }

func (e *graphError) Error() string { return e.message }

// errDryRun rolls a transaction back that only should show what it would do.
var errDryRun = fmt.Errorf("dry run")

// deleteRequest works on ::omero::cmd::Delete2.
func deleteRequest(_ context.Context, c *Call, req *ice.Object, t *Task) (*ice.Object, error) {
	dry, _ := req.Get("dryRun").(bool)
	var gone []*store.Row
	err := c.inAllGroups().Update(func(tx *store.Tx, who *Caller) error {
		d := newDeletion(tx, who)
		if err := d.plan(req, t); err != nil {
			return err
		}
		gone = d.inTurn
		if dry {
			return errDryRun
		}
		t.Step(2)
		d.apply()
		return nil
	})
	if err != nil && err != errDryRun {
		return nil, err
	}
	if !dry {
		t.Step(3)
		if err := c.Server.removeFiles(gone); err != nil {
			c.Server.log.Warn("delete", "err", err)
		}
	}
	t.Step(4)
	return c.Server.defs.New("::omero::cmd::Delete2Response").Set("deletedObjects", byClass(gone)), nil
}

// byClass lists rows as the responses of graph requests do: ids by the Java
// name of their class.
func byClass(rows []*store.Row) ice.Dict {
	ids := make(map[string][]int64)
	for _, r := range rows {
		ids[r.Class.Java] = append(ids[r.Class.Java], r.ID)
	}
	d := ice.Dict{}
	for class, list := range ids {
		slices.Sort(list)
		d = append(d, ice.Pair{Key: class, Value: list})
	}
	sort.Slice(d, func(i, j int) bool { return d[i].Key.(string) < d[j].Key.(string) })
	return d
}

// deletion works out what goes with the targets of a Delete2, or moves with
// those of a Chgrp2.
type deletion struct {
	tx  *store.Tx
	who *Caller
	// verb is what happens to what goes, and may whether the caller's rights
	// suffice for it.
	verb string
	may  func(Rights) bool

	include, exclude     []*store.Class
	includeNs, excludeNs []string

	gone   map[graphKey]*store.Row
	inTurn []*store.Row
	done   int // of inTurn, whose surroundings were looked at
	// maybe are objects that go when nothing else needs them.
	maybe map[graphKey]*store.Row
	// cleared are references that become null.
	cleared []clearedRef
	// pinned are the ends of associations of which the holder must go, too.
	pinned []pin
}

func newDeletion(tx *store.Tx, who *Caller) *deletion {
	return &deletion{
		tx: tx, who: who, verb: "delete", may: func(r Rights) bool { return r.Delete },
		gone: make(map[graphKey]*store.Row), maybe: make(map[graphKey]*store.Row),
	}
}

type clearedRef struct {
	key  graphKey
	prop *store.Property
}

// pin is an object with the one that keeps it from going alone.
type pin struct{ row, holder *store.Row }

func keyOf(r *store.Row) graphKey { return graphKey{r.Class.Root, r.ID} }

// targets takes up the objects that the request names. Those that do not exist
// for the caller are passed over.
func (d *deletion) targets(req *ice.Object) error {
	dict, _ := req.Get("targetObjects").(ice.Dict)
	for _, e := range dict {
		name, _ := e.Key.(string)
		class := d.tx.Model().Class(name)
		if class == nil {
			return &graphError{"unknown target class: " + name}
		}
		ids, _ := e.Value.([]int64)
		for _, id := range ids {
			row := d.tx.Get(class, id)
			if row == nil || !d.who.CanRead(d.tx, row) {
				continue
			}
			if !d.may(d.who.Rights(d.tx, row)) {
				return &graphError{fmt.Sprintf("not permitted to %s %s[%d]", d.verb, row.Class.Name, row.ID)}
			}
			d.add(row)
		}
	}
	return nil
}

// plan works out what a request takes in.
func (d *deletion) plan(req *ice.Object, t *Task) error {
	if err := d.readOptions(req); err != nil {
		return err
	}
	if err := d.targets(req); err != nil {
		return err
	}
	t.Step(1)
	return d.expand()
}

func (d *deletion) readOptions(req *ice.Object) error {
	list, _ := req.Get("childOptions").([]any)
	read := func(o *ice.Object, field string, to *[]*store.Class) error {
		names, _ := o.Get(field).([]string)
		for _, name := range names {
			class := d.tx.Model().Class(name)
			if class == nil {
				return &graphError{"unknown class in options: " + name}
			}
			*to = append(*to, class)
		}
		return nil
	}
	for _, v := range list {
		o, _ := v.(*ice.Object)
		if o == nil {
			continue
		}
		if err := read(o, "includeType", &d.include); err != nil {
			return err
		}
		if err := read(o, "excludeType", &d.exclude); err != nil {
			return err
		}
		in, _ := o.Get("includeNs").([]string)
		out, _ := o.Get("excludeNs").([]string)
		d.includeNs, d.excludeNs = append(d.includeNs, in...), append(d.excludeNs, out...)
	}
	if !req.Has("typesToIgnore") {
		return nil
	}
	return read(req, "typesToIgnore", &d.exclude)
}

func (d *deletion) add(r *store.Row) {
	if d.gone[keyOf(r)] == nil {
		d.gone[keyOf(r)] = r
		d.inTurn = append(d.inTurn, r)
	}
}

func (d *deletion) isGone(c *store.Class, id int64) bool { return d.gone[graphKey{c.Root, id}] != nil }

// expand adds what depends on the targets and what only they held, until
// nothing more comes, and checks that no fileset is torn apart.
func (d *deletion) expand() error {
	for {
		for d.done < len(d.inTurn) {
			row := d.inTurn[d.done]
			d.done++
			if err := d.around(row); err != nil {
				return err
			}
		}
		grown := false
		for key, r := range d.maybe {
			if d.gone[key] == nil && d.orphaned(r) {
				d.add(r)
				grown = true
			}
		}
		more, err := d.filesets()
		if err != nil {
			return err
		}
		if !grown && !more {
			return d.unpinned()
		}
	}
}

// unpinned checks that nothing goes whose holder stays.
func (d *deletion) unpinned() error {
	for _, p := range d.pinned {
		if d.gone[keyOf(p.holder)] == nil {
			return &graphError{fmt.Sprintf("may not %s %s[%d] while %s[%d] remains",
				d.verb, p.row.Class.Name, p.row.ID, p.holder.Class.Name, p.holder.ID)}
		}
	}
	return nil
}

// around looks at what refers to an object that goes, and at what it refers to.
func (d *deletion) around(row *store.Row) error {
	for _, p := range d.tx.Model().Referring(row.Class) {
		for _, id := range d.tx.RefIDs(p, row.ID) {
			q := d.tx.Get(p.Class, id)
			if q == nil || d.gone[keyOf(q)] != nil {
				continue
			}
			switch {
			case q.Class.Link:
				d.add(q)
			case pins[p.String()]:
				d.pinned = append(d.pinned, pin{row, q})
			case d.excluded(q) && p.Required:
				return &graphError{fmt.Sprintf("%s[%d] is excluded but needs %s[%d]", q.Class.Name, q.ID, row.Class.Name, row.ID)}
			case !d.excluded(q) && (p.Required || dependents[p.String()]):
				d.add(q)
			default:
				d.cleared = append(d.cleared, clearedRef{keyOf(q), p})
			}
		}
	}
	for i, p := range row.Class.Stored() {
		id, ok := row.Values[i].(int64)
		if ok && p.Kind == store.KindToOne && d.holds(row, p) {
			if t := d.tx.Get(p.Target, id); t != nil {
				d.maybe[keyOf(t)] = t
			}
		}
	}
	return nil
}

// holds reports whether the target of an association goes with the object that
// has it, unless others hold it too. Links let go of their child only with
// their parent.
func (d *deletion) holds(row *store.Row, p *store.Property) bool {
	if !row.Class.Link {
		return held[p.String()]
	}
	switch {
	case row.Class.Name == "PixelsOriginalFileMap": // here the child has the parent
		return p.Name == "parent" && d.isGone(row.Class.Property("child").Target, row.Ref("child"))
	case keepsChild[row.Class.Name]:
		return false
	}
	return p.Name == "child" && d.isGone(row.Class.Property("parent").Target, row.Ref("parent"))
}

// orphaned reports whether an object that may go is held by nothing else.
func (d *deletion) orphaned(r *store.Row) bool {
	if d.excluded(r) || !d.may(d.who.Rights(d.tx, r)) {
		return false
	}
	if isOneOf(r.Class, d.include) {
		return true
	}
	for _, p := range d.tx.Model().Referring(r.Class) {
		for _, id := range d.tx.RefIDs(p, r.ID) {
			q := d.tx.Get(p.Class, id)
			if q == nil || d.gone[keyOf(q)] != nil {
				continue
			}
			if held[p.String()] || holders[p.String()] {
				return false
			}
			if q.Class.Link && (p.Name == "child" || q.Class.Name == "PixelsOriginalFileMap") && !keepsChild[q.Class.Name] {
				return false
			}
		}
	}
	return true
}

func isOneOf(c *store.Class, list []*store.Class) bool {
	return slices.ContainsFunc(list, c.IsA)
}

// excluded reports whether the options keep an object.
func (d *deletion) excluded(r *store.Row) bool {
	if isOneOf(r.Class, d.exclude) && !isOneOf(r.Class, d.include) {
		return true
	}
	if r.Class.Root.Name != "Annotation" {
		return false
	}
	ns := r.Text("ns")
	return len(d.includeNs) > 0 && !slices.Contains(d.includeNs, ns) || slices.Contains(d.excludeNs, ns)
}

// filesets adds each fileset whose images all go; some of them only is an
// error.
func (d *deletion) filesets() (grown bool, err error) {
	m := d.tx.Model()
	images := m.Class("Fileset").Property("images")
	for _, r := range d.inTurn {
		fileset := r.Ref("fileset")
		if r.Class.Name != "Image" || fileset == store.None || d.isGone(m.Class("Fileset"), fileset) {
			continue
		}
		for _, other := range d.tx.Collection(images, fileset) {
			if d.gone[keyOf(other)] == nil && !d.pending() {
				return false, &graphError{fmt.Sprintf("within Fileset[%d] may not %s Image[%d] while Image[%d] remains", fileset, d.verb, r.ID, other.ID)}
			}
		}
		if d.pending() {
			continue
		}
		d.add(d.tx.Get(m.Class("Fileset"), fileset))
		grown = true
	}
	return grown, nil
}

// pending reports whether there are objects whose surroundings were not looked
// at.
func (d *deletion) pending() bool { return d.done < len(d.inTurn) }

// apply carries the deletion out.
func (d *deletion) apply() {
	author := d.tx.As(d.who.Actor())
	for _, ref := range d.cleared {
		if d.gone[ref.key] != nil {
			continue
		}
		if row := d.tx.Get(ref.key.root, ref.key.id); row != nil {
			row = row.Clone()
			row.SetValue(ref.prop, nil)
			author.Update(row)
		}
	}
	for _, r := range d.inTurn {
		author.Delete(r)
	}
}
