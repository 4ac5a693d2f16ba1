package omero

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"omerods/internal/ice"
)

// conflictTries is how often a change is made anew on an object that somebody
// else has changed meanwhile.
const conflictTries = 3

// update loads an object, lets change set fields of it and saves it. Nothing
// but these fields changes: collections are sent as not loaded.
func (c *Client) update(ctx context.Context, kind string, id int64, change func(*ice.Object)) error {
	for try := 1; ; try++ {
		o, err := c.load(ctx, kind, id)
		if err != nil {
			return err
		}
		change(o)
		_, err = c.call(ctx, updateService, "saveObject", o)
		if err == nil || !errors.Is(err, Conflict) || try >= conflictTries {
			return err
		}
	}
}

// load returns an object whose collections are not loaded, so that saving it
// leaves them alone.
func (c *Client) load(ctx context.Context, kind string, id int64) (*ice.Object, error) {
	res, err := c.call(queryContext(ctx), queryService, "findByQuery", `select o from `+kind+` o where o.id = :id`,
		c.parameters(params{"id": id}, 0, 0))
	if err != nil {
		return nil, err
	}
	o, ok := res[len(res)-1].(*ice.Object)
	switch {
	case !ok || o == nil:
		return nil, failure(NotFound, "load", fmt.Sprintf("no %s %d", kind, id))
	case o.Class == nil || o.Mismatch:
		// Saved back it would lose what is not understood.
		return nil, failure(Unsupported, "load", kind+" has another form on this server")
	}
	return unloaded(o), nil
}

// unloaded marks the collections of an object as not loaded, so that saving it
// leaves them alone.
func unloaded(o *ice.Object) *ice.Object {
	for _, f := range o.Class.AllFields() {
		name, ok := strings.CutSuffix(f.Name, "Loaded")
		if !ok || name == "" || f.Type.Kind != ice.KindBool {
			continue
		}
		o.Set(f.Name, false)
		if o.Has(name + "Seq") {
			o.Set(name+"Seq", []any{})
		}
	}
	return o
}

// Rename gives a project, dataset, screen, plate or image another name.
func (c *Client) Rename(ctx context.Context, kind Kind, id int64, name string) error {
	if err := c.update(ctx, string(kind), id, func(o *ice.Object) { o.Set("name", c.rstring(name)) }); err != nil {
		return fmt.Errorf("rename: %w", err)
	}
	return nil
}

// Describe sets the description of a project, dataset, screen, plate or image.
func (c *Client) Describe(ctx context.Context, kind Kind, id int64, text string) error {
	if err := c.update(ctx, string(kind), id, func(o *ice.Object) { o.Set("description", c.optional(text)) }); err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	return nil
}

// Move takes a child out of one container and puts it into another one of the
// same kind. The new place is there before the old one is given up.
func (c *Client) Move(ctx context.Context, child, from, to Ref) error {
	kind, ok := containerLinks[[2]string{from.kind, child.kind}]
	if !ok || from.kind != to.kind {
		return failure(Invalid, "move", fmt.Sprintf("no %s from %s to %s", child.kind, from.kind, to.kind))
	}
	rows, err := c.rows(ctx, `select l.id from `+kind+` l where l.parent.id = :parent and l.child.id = :child order by l.id`,
		params{"parent": from.id, "child": child.id})
	if err != nil {
		return fmt.Errorf("move: %w", err)
	}
	if len(rows) == 0 {
		return failure(NotFound, "move", "it is not there any more")
	}
	b := c.NewBatch()
	b.Link(to, child)
	if _, err := c.Save(ctx, b); err != nil && !errors.Is(err, Exists) {
		return fmt.Errorf("move: %w", err)
	}
	old := make([]int64, len(rows))
	for i, r := range rows {
		old[i] = r.id(0)
	}
	if _, err := c.Delete(ctx, map[Kind][]int64{Kind(kind): old}, DeleteOptions{}); err != nil {
		return fmt.Errorf("move: %w", err)
	}
	return nil
}

// Unannotate takes annotations off objects. The annotations themselves stay,
// and so does a link that is gone already.
func (c *Client) Unannotate(ctx context.Context, links []AnnotationLink) error {
	doomed := make(map[Kind][]int64)
	for _, l := range links {
		class := Kind(annotationLinkClass(string(l.Kind)))
		doomed[class] = append(doomed[class], l.ID)
	}
	if len(doomed) == 0 {
		return nil
	}
	if _, err := c.Delete(ctx, doomed, DeleteOptions{}); err != nil && !errors.Is(err, NotFound) {
		return fmt.Errorf("unannotate: %w", err)
	}
	return nil
}

// ReplaceMap sees to it that an object has exactly one key-value annotation of
// the user in the namespace whose pairs have key with value, and that it has
// the given pairs. It returns the annotation's id. Calls on one client follow
// each other.
func (c *Client) ReplaceMap(ctx context.Context, object Ref, namespace, key, value string, pairs []Pair) (int64, error) {
	c.saves.Lock()
	defer c.saves.Unlock()
	rows, err := c.rows(ctx, `select distinct a.id from `+annotationLinkClass(object.kind)+` l, MapAnnotation a join a.mapValue v `+
		`where l.child.id = a.id and l.parent.id = :id and a.ns = :ns and v.name = :key and v.value = :value `+
		`and a.details.owner.id = :uid order by a.id`,
		params{"id": object.id, "ns": namespace, "key": key, "value": value, "uid": c.who.User})
	if err != nil {
		return 0, fmt.Errorf("annotate: %w", err)
	}
	if len(rows) == 0 {
		return c.Annotate(ctx, object, Annotation{Kind: MapAnnotation, Namespace: namespace, Pairs: pairs})
	}
	id := rows[0].id(0)
	err = c.update(ctx, string(MapAnnotation), id, func(o *ice.Object) { o.Set("mapValue", c.pairs(pairs)) })
	if err != nil {
		return 0, fmt.Errorf("annotate: %w", err)
	}
	var extra []int64
	for _, r := range rows[1:] {
		extra = append(extra, r.id(0))
	}
	if len(extra) > 0 {
		if _, err := c.Delete(ctx, map[Kind][]int64{Kind(MapAnnotation): extra}, DeleteOptions{}); err != nil {
			return id, fmt.Errorf("annotate: %w", err)
		}
	}
	return id, nil
}
