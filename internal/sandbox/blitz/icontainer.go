package blitz

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"omerods/internal/ice"
	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/store"
)

var containerMethods = Methods{
	"loadContainerHierarchy": loadHierarchy,
	"getImages":              imagesIn,
	"getUserImages": func(ctx context.Context, c *Call) ([]any, error) {
		params := map[string]any{"owner": c.Session.User}
		return c.loadList(ctx, describedImages+" where i.details.owner.id = :owner"+filter(c.Args[0], "i", params)+" order by i.id", params)
	},
	"getImagesBySplitFilesets": splitFilesets,
	"getCollectionCount":       collectionCount,
	"retrieveCollection": func(_ context.Context, c *Call) ([]any, error) {
		return c.rows(func(tx *store.Tx, who *Caller) ([]*store.Row, error) {
			o := Arg[*ice.Object](c, 0)
			class := c.Server.classOf(o)
			if class == nil {
				return nil, Fail(APIUsage, "no object given")
			}
			p := class.Property(Arg[string](c, 1))
			if p == nil || p.Kind != store.KindToMany {
				return nil, Fail(APIUsage, "%s has no collection %q", class.Name, Arg[string](c, 1))
			}
			id, _ := unbox(o.Get("id")).(int64)
			return slices.DeleteFunc(tx.Collection(p, id), func(r *store.Row) bool { return !who.CanRead(tx, r) }), nil
		})
	},
	"createDataObject":  saveOne,
	"updateDataObject":  saveOne,
	"createDataObjects": saveMany,
	"updateDataObjects": saveMany,
	"link":              saveMany,
	"unlink":            unlink,
}

func saveOne(ctx context.Context, c *Call) ([]any, error) {
	return updateMethods["saveAndReturnObject"](ctx, c)
}

func saveMany(ctx context.Context, c *Call) ([]any, error) {
	return updateMethods["saveAndReturnArray"](ctx, c)
}

// unlink deletes links.
func unlink(_ context.Context, c *Call) ([]any, error) {
	return nil, c.Update(func(tx *store.Tx, who *Caller) error {
		author := tx.As(who.Actor())
		for _, v := range Arg[[]any](c, 0) {
			o, _ := v.(*ice.Object)
			class := c.Server.classOf(o)
			if class == nil || !class.Link {
				return Fail(APIUsage, "not a link")
			}
			id, _ := unbox(o.Get("id")).(int64)
			row := tx.Get(class, id)
			if row == nil || !who.CanRead(tx, row) {
				return Fail(Validation, "no row with the given identifier exists: [%s#%d]", class.Java, id)
			}
			if !who.Rights(tx, row).Delete {
				return Fail(SecurityViolation, "deleting %s:Id_%d not permitted", class.Name, id)
			}
			author.Delete(row)
		}
		return nil
	})
}

// hierarchies are the containers and the way to what is in them.
var hierarchies = map[string]struct{ links, leaves string }{
	"Project": {"datasetLinks", "imageLinks"},
	"Dataset": {"imageLinks", ""},
	"Screen":  {"plateLinks", ""},
	"Plate":   {"wells", ""},
}

func (c *Call) container() (string, error) {
	class, err := c.class(Arg[string](c, 0))
	if err != nil {
		return "", err
	}
	if _, ok := hierarchies[class.Name]; !ok {
		return "", Fail(APIUsage, "%s is no container", class.Name)
	}
	return class.Name, nil
}

// loadHierarchy loads containers with what is in them; with the option leaves
// also the images.
func loadHierarchy(ctx context.Context, c *Call) ([]any, error) {
	root, err := c.container()
	if err != nil {
		return nil, err
	}
	h, leaves := hierarchies[root], option(c.Args[2], "leaves")
	params := make(map[string]any)
	query := "select distinct r from " + root + " r join fetch r.details.owner join fetch r.details.creationEvent"
	if root != "Dataset" || leaves {
		query += " left outer join fetch r." + h.links + " l"
		if strings.HasSuffix(h.links, "Links") {
			query += " left outer join fetch l.child c"
		}
	}
	if h.leaves != "" && leaves {
		query += " left outer join fetch c." + h.leaves + " m left outer join fetch m.child"
	}
	query += " where 1 = 1" + filter(c.Args[2], "r", params)
	if ids := Arg[[]int64](c, 1); len(ids) > 0 {
		query, params["ids"] = query+" and r.id in (:ids)", idList(ids)
	}
	return c.loadList(ctx, query+" order by r.id", params)
}

const describedImages = "select distinct i from Image i join fetch i.details.owner join fetch i.details.creationEvent " +
	"left outer join fetch i.pixels p left outer join fetch p.pixelsType left outer join fetch p.dimensionOrder"

// imagesIn returns the images below containers, or those of the ids.
func imagesIn(ctx context.Context, c *Call) ([]any, error) {
	class, err := c.class(Arg[string](c, 0))
	if err != nil {
		return nil, err
	}
	params := map[string]any{"ids": idList(Arg[[]int64](c, 1))}
	where, ok := map[string]string{
		"Image":   "i.id in (:ids)",
		"Dataset": "i.id in (select l.child.id from DatasetImageLink l where l.parent.id in (:ids))",
		"Project": "i.id in (select l.child.id from DatasetImageLink l, ProjectDatasetLink m where m.child.id = l.parent.id and m.parent.id in (:ids))",
		"Plate":   "i.id in (select s.image.id from WellSample s where s.well.plate.id in (:ids))",
	}[class.Name]
	if !ok {
		return nil, Fail(APIUsage, "%s has no images", class.Name)
	}
	return c.loadList(ctx, describedImages+" where "+where+filter(c.Args[2], "i", params)+" order by i.id", params)
}

// collectionCount counts the elements of a collection by object.
func collectionCount(ctx context.Context, c *Call) (out []any, err error) {
	class, err := c.class(Arg[string](c, 0))
	if err != nil {
		return nil, err
	}
	p := class.Property(Arg[string](c, 1))
	if p == nil || p.Kind != store.KindToMany {
		return nil, Fail(APIUsage, "%s has no collection %q", class.Name, Arg[string](c, 1))
	}
	ids := Arg[[]int64](c, 2)
	counts := make(map[int64]int64)
	params := map[string]any{"ids": idList(ids)}
	query := fmt.Sprintf("select r.id, count(e) from %s r join r.%s e where r.id in (:ids) group by r.id", class.Name, p.Name)
	err = c.View(func(tx *store.Tx, who *Caller) error {
		r, err := hql.Run(ctx, tx, query, hql.Options{Params: params, Limit: -1, Visible: who.Visible(tx)})
		if err != nil {
			return err
		}
		for _, row := range r.Rows {
			counts[row[0].(int64)] = row[1].(int64)
		}
		return nil
	})
	d := ice.Dict{}
	for _, id := range ids {
		d = append(d, ice.Pair{Key: id, Value: counts[id]})
	}
	return []any{d}, err
}

// splitFilesets tells, of the filesets that the given images, datasets or
// projects hold some but not all images of, which are in and which are out.
func splitFilesets(ctx context.Context, c *Call) (out []any, err error) {
	included := make(map[int64]bool)
	dict, _ := c.Args[0].(ice.Dict)
	for _, e := range dict {
		sub := *c
		sub.Args = []any{e.Key, e.Value, c.Args[1]}
		images, err := imagesIn(ctx, &sub)
		if err != nil {
			return nil, err
		}
		for _, v := range images[0].([]any) {
			included[unbox(v.(*ice.Object).Get("id")).(int64)] = true
		}
	}
	err = c.View(func(tx *store.Tx, who *Caller) error {
		m := tx.Model()
		split := ice.Dict{}
		seen := make(map[int64]bool)
		for id := range included {
			image := tx.Get(m.Class("Image"), id)
			if image == nil || image.Get("fileset") == nil || seen[image.Ref("fileset")] {
				continue
			}
			fileset := image.Ref("fileset")
			seen[fileset] = true
			in, out := []int64{}, []int64{}
			for _, image := range tx.Collection(m.Class("Fileset").Property("images"), fileset) {
				if included[image.ID] {
					in = append(in, image.ID)
				} else {
					out = append(out, image.ID)
				}
			}
			if len(out) > 0 {
				split = append(split, ice.Pair{Key: fileset, Value: ice.Dict{{Key: true, Value: in}, {Key: false, Value: out}}})
			}
		}
		out = []any{split}
		return nil
	})
	return out, err
}
