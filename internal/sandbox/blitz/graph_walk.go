package blitz

import (
	"context"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// contents are the associations by which an object belongs to the one it names.
var contents = map[string]bool{
	"Well.plate": true, "WellSample.well": true, "PlateAcquisition.plate": true, "Pixels.image": true,
	"FilesetEntry.fileset": true, "Roi.image": true, "Shape.roi": true, "Thumbnail.pixels": true, "Channel.pixels": true,
}

// holdings are the associations to what an object has in it.
var holdings = map[string]bool{"Image.fileset": true, "WellSample.image": true}

// inside returns what is in an object: the children of its links, what belongs
// to it, and what it holds.
func inside(tx *store.Tx, row *store.Row) (out []*store.Row) {
	for _, p := range tx.Model().Referring(row.Class) {
		for _, id := range tx.RefIDs(p, row.ID) {
			q := tx.Get(p.Class, id)
			switch {
			case q.Class.Name == "PixelsOriginalFileMap": // whose parent is the file
			case q.Class.Link && p.Name == "parent":
				if child := tx.Get(q.Class.Property("child").Target, q.Ref("child")); child != nil {
					out = append(out, child)
				}
			case contents[p.String()]:
				out = append(out, q)
			}
		}
	}
	return append(out, targets(tx, row, holdings)...)
}

// targets are the objects that a row names by some of its associations.
func targets(tx *store.Tx, row *store.Row, by map[string]bool) (out []*store.Row) {
	for i, p := range row.Class.Stored() {
		if id, ok := row.Values[i].(int64); ok && by[p.String()] {
			if t := tx.Get(p.Target, id); t != nil {
				out = append(out, t)
			}
		}
	}
	return out
}

// around returns what an object is in, the other way of inside.
func around(tx *store.Tx, row *store.Row) (out []*store.Row) {
	for _, p := range tx.Model().Referring(row.Class) {
		for _, id := range tx.RefIDs(p, row.ID) {
			q := tx.Get(p.Class, id)
			switch {
			case q.Class.Name == "PixelsOriginalFileMap":
			case q.Class.Link && p.Name == "child":
				if parent := tx.Get(q.Class.Property("parent").Target, q.Ref("parent")); parent != nil {
					out = append(out, parent)
				}
			case holdings[p.String()]:
				out = append(out, q)
			}
		}
	}
	return append(out, targets(tx, row, contents)...)
}

// walk finds objects of some classes from the targets of a request on, going by
// step, and not beyond objects of the classes in stop.
func (c *Call) walk(req *ice.Object, wanted, stop []string, step func(*store.Tx, *store.Row) []*store.Row) (found []*store.Row, err error) {
	err = c.inAllGroups().View(func(tx *store.Tx, who *Caller) error {
		classes := func(names []string) (out []*store.Class, err error) {
			for _, name := range names {
				class := tx.Model().Class(name)
				if class == nil {
					return nil, Fail(APIUsage, "unknown class: %s", name)
				}
				out = append(out, class)
			}
			return out, nil
		}
		want, err := classes(wanted)
		if err != nil {
			return err
		}
		end, err := classes(stop)
		if err != nil {
			return err
		}
		d := newDeletion(tx, who)
		d.may = func(Rights) bool { return true }
		if err := d.targets(req); err != nil {
			return err
		}
		turn, seen := d.inTurn, make(map[graphKey]bool)
		for len(turn) > 0 {
			row := turn[0]
			turn = turn[1:]
			for _, next := range step(tx, row) {
				if seen[keyOf(next)] || !who.CanRead(tx, next) || isOneOf(next.Class, end) {
					continue
				}
				seen[keyOf(next)] = true
				if isOneOf(next.Class, want) {
					found = append(found, next)
				}
				turn = append(turn, next)
			}
		}
		return nil
	})
	return found, err
}

func texts(req *ice.Object, field string) []string {
	list, _ := req.Get(field).([]string)
	return list
}

func findChildren(_ context.Context, c *Call, req *ice.Object, _ *Task) (*ice.Object, error) {
	rows, err := c.walk(req, texts(req, "typesOfChildren"), texts(req, "stopBefore"), inside)
	if err != nil {
		return nil, err
	}
	return c.Server.defs.New("::omero::cmd::FoundChildren").Set("children", byClass(rows)), nil
}

func findParents(_ context.Context, c *Call, req *ice.Object, _ *Task) (*ice.Object, error) {
	rows, err := c.walk(req, texts(req, "typesOfParents"), texts(req, "stopBefore"), around)
	if err != nil {
		return nil, err
	}
	return c.Server.defs.New("::omero::cmd::FoundParents").Set("parents", byClass(rows)), nil
}

// skipHead runs another request on what is in its targets, and leaves the
// targets themselves alone.
func skipHead(ctx context.Context, c *Call, req *ice.Object, t *Task) (*ice.Object, error) {
	inner, _ := req.Get("request").(*ice.Object)
	fn := c.Server.request(inner)
	if fn == nil {
		return nil, Fail(APIUsage, "no request to run")
	}
	start := texts(req, "startFrom")
	if len(start) == 0 {
		return nil, Fail(APIUsage, "no class to start from")
	}
	rows, err := c.walk(req, start, nil, inside)
	if err != nil {
		return nil, err
	}
	sub := inner.Class.New()
	copy(sub.Values, inner.Values)
	sub.Set("targetObjects", byClass(rows)).Set("dryRun", req.Get("dryRun"))
	if options, _ := req.Get("childOptions").([]any); len(options) > 0 {
		sub.Set("childOptions", options)
	}
	return fn(ctx, c, sub, t)
}
