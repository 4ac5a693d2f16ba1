package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

const describedAnnotations = "select distinct a from Annotation a join fetch a.details.owner join fetch a.details.creationEvent left outer join fetch a.file f left outer join fetch f.hasher"

var metadataMethods = Methods{
	"loadAnnotations": loadAnnotations,
	"loadSpecifiedAnnotationsLinkedTo": func(ctx context.Context, c *Call) ([]any, error) {
		sub := *c
		sub.Args = []any{c.Args[3], c.Args[4], []string{Arg[string](c, 0)}, []int64{}, c.Args[5]}
		return c.linkedAnnotations(ctx, &sub, Arg[[]string](c, 1), Arg[[]string](c, 2))
	},
	"loadSpecifiedAnnotations": func(ctx context.Context, c *Call) ([]any, error) {
		query, params, err := c.specified()
		if err != nil {
			return nil, err
		}
		return c.loadList(ctx, query, params)
	},
	"countSpecifiedAnnotations": func(ctx context.Context, c *Call) (out []any, err error) {
		query, params, err := c.specified()
		if err != nil {
			return nil, err
		}
		err = c.load(ctx, query, params, func(_ *graph, rows []*store.Row) error {
			out = []any{c.Server.RLong(int64(len(rows)))}
			return nil
		})
		return out, err
	},
	"loadAnnotation": func(ctx context.Context, c *Call) ([]any, error) {
		return c.loadList(ctx, describedAnnotations+" where a.id in (:ids) order by a.id", map[string]any{"ids": idList(Arg[[]int64](c, 0))})
	},
	"loadTagSets": func(ctx context.Context, c *Call) ([]any, error) {
		params := map[string]any{"ns": tagSetNs}
		return c.loadList(ctx, "select distinct a from TagAnnotation a join fetch a.details.owner left outer join fetch a.annotationLinks l left outer join fetch l.child where a.ns = :ns"+
			filter(c.Args[0], "a", params)+" order by a.id", params)
	},
	"getTaggedObjectsCount": taggedObjects,
	"loadChannelAcquisitionData": func(ctx context.Context, c *Call) ([]any, error) {
		return c.loadList(ctx, acquisitionData, map[string]any{"ids": idList(Arg[[]int64](c, 0))})
	},
	"loadInstrument": func(ctx context.Context, c *Call) ([]any, error) {
		return c.loadOne(ctx, wholeInstrument, map[string]any{"id": Arg[int64](c, 0)})
	},
	"loadLogFiles": loadLogFiles,
}

const (
	// acquisitionData is a channel with everything the light went through.
	acquisitionData = "select distinct lc from LogicalChannel lc left outer join fetch lc.mode left outer join fetch lc.illumination " +
		"left outer join fetch lc.contrastMethod left outer join fetch lc.photometricInterpretation " +
		"left outer join fetch lc.detectorSettings ds left outer join fetch ds.binning left outer join fetch ds.detector d left outer join fetch d.type " +
		"left outer join fetch lc.lightSourceSettings ls left outer join fetch ls.lightSource " +
		"left outer join fetch lc.filterSet fs left outer join fetch fs.dichroic " +
		"left outer join fetch fs.emissionFilterLink fe left outer join fetch fe.child fec left outer join fetch fec.transmittanceRange " +
		"left outer join fetch fs.excitationFilterLink fx left outer join fetch fx.child fxc left outer join fetch fxc.transmittanceRange " +
		"left outer join fetch lc.lightPath lp left outer join fetch lp.dichroic " +
		"left outer join fetch lp.emissionFilterLink le left outer join fetch le.child lec left outer join fetch lec.transmittanceRange " +
		"left outer join fetch lp.excitationFilterLink lx left outer join fetch lx.child lxc left outer join fetch lxc.transmittanceRange " +
		"where lc.id in (:ids) order by lc.id"
	// wholeInstrument is an instrument with all its parts.
	wholeInstrument = "select distinct i from Instrument i left outer join fetch i.microscope m left outer join fetch m.type " +
		"left outer join fetch i.objective o left outer join fetch o.immersion left outer join fetch o.correction " +
		"left outer join fetch i.detector d left outer join fetch d.type left outer join fetch i.lightSource " +
		"left outer join fetch i.filter f left outer join fetch f.type left outer join fetch f.transmittanceRange " +
		"left outer join fetch i.filterSet left outer join fetch i.dichroic left outer join fetch i.otf where i.id = :id"
)

const tagSetNs = "openmicroscopy.org/omero/insight/tagset"

func loadAnnotations(ctx context.Context, c *Call) ([]any, error) {
	return c.linkedAnnotations(ctx, c, nil, nil)
}

// linkedAnnotations maps the ids of annotated objects to their annotations.
// The arguments of args are the class and the ids of the objects, the classes
// of the annotations and the ids of those who linked them, each empty for all.
func (c *Call) linkedAnnotations(ctx context.Context, args *Call, include, exclude []string) (out []any, err error) {
	class, err := c.class(Arg[string](args, 0))
	if err != nil {
		return nil, err
	}
	link := c.Server.store.Model().Class(class.Name + "AnnotationLink")
	if link == nil {
		return nil, Fail(APIUsage, "%s cannot be annotated", class.Name)
	}
	kinds, err := c.annotationClasses(Arg[[]string](args, 2))
	if err != nil {
		return nil, err
	}
	ids := Arg[[]int64](args, 1)
	query := "select l from " + link.Name + " l join fetch l.child a join fetch a.details.owner join fetch a.details.creationEvent left outer join fetch a.file f left outer join fetch f.hasher where l.parent.id in (:ids)"
	params := map[string]any{"ids": idList(ids)}
	if owners := Arg[[]int64](args, 3); len(owners) > 0 {
		query, params["owners"] = query+" and l.details.owner.id in (:owners)", idList(owners)
	}
	err = c.load(ctx, query+" order by l.id", params, func(g *graph, links []*store.Row) error {
		found := make(map[int64][]any)
		for _, l := range links {
			a := g.tx.Get(link.Property("child").Target, l.Ref("child"))
			if a == nil || len(kinds) > 0 && !isOneOf(a.Class, kinds) || !wanted(a.Text("ns"), include, exclude) {
				continue
			}
			found[l.Ref("parent")] = append(found[l.Ref("parent")], g.object(a))
		}
		d := ice.Dict{}
		for _, id := range ids {
			d = append(d, ice.Pair{Key: id, Value: found[id]})
		}
		out = []any{d}
		return nil
	})
	return out, err
}

func wanted(ns string, include, exclude []string) bool {
	return (len(include) == 0 || slices.Contains(include, ns)) && !slices.Contains(exclude, ns)
}

// annotationClasses returns the classes of names with or without a package.
func (c *Call) annotationClasses(names []string) ([]*store.Class, error) {
	annotation := c.Server.store.Model().Class("Annotation")
	var out []*store.Class
	for _, name := range names {
		class, err := c.class(name)
		if err != nil {
			return nil, err
		}
		if !class.IsA(annotation) {
			return nil, Fail(APIUsage, "%s is no annotation", class.Name)
		}
		out = append(out, class)
	}
	return out, nil
}

// specified is the query for annotations of a class, with namespaces to
// include and exclude.
func (c *Call) specified() (string, map[string]any, error) {
	classes, err := c.annotationClasses([]string{Arg[string](c, 0)})
	if err != nil {
		return "", nil, err
	}
	class := classes[0].Name
	query := "select distinct a from " + class + " a join fetch a.details.owner join fetch a.details.creationEvent"
	if class == "FileAnnotation" {
		query += " left outer join fetch a.file f left outer join fetch f.hasher"
	}
	params := make(map[string]any)
	query += " where 1 = 1" + filter(c.Args[3], "a", params)
	texts := func(list []string) []any {
		out := make([]any, len(list))
		for i, s := range list {
			out[i] = s
		}
		return out
	}
	if in := Arg[[]string](c, 1); len(in) > 0 {
		query, params["include"] = query+" and a.ns in (:include)", texts(in)
	}
	if out := Arg[[]string](c, 2); len(out) > 0 {
		query, params["exclude"] = query+" and (a.ns is null or a.ns not in (:exclude))", texts(out)
	}
	return query + " order by a.id", params, nil
}

// taggedObjects counts the links to annotations from anything but annotations.
func taggedObjects(_ context.Context, c *Call) (out []any, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		d := ice.Dict{}
		for _, id := range Arg[[]int64](c, 0) {
			n := int64(0)
			for _, p := range tx.Model().Referring(tx.Model().Class("Annotation")) {
				if !p.Class.Link || p.Name != "child" || p.Class.Name == "AnnotationAnnotationLink" {
					continue
				}
				for _, link := range tx.RefIDs(p, id) {
					if who.CanRead(tx, tx.Get(p.Class, link)) {
						n++
					}
				}
			}
			d = append(d, ice.Pair{Key: id, Value: n})
		}
		out = []any{d}
		return nil
	})
	return out, err
}

// loadLogFiles maps images or filesets to their import logs.
func loadLogFiles(ctx context.Context, c *Call) (out []any, err error) {
	class, err := c.class(Arg[string](c, 0))
	if err != nil {
		return nil, err
	}
	if class.Name != "Image" && class.Name != "Fileset" {
		return nil, Fail(APIUsage, "%s has no import log", class.Name)
	}
	d := ice.Dict{}
	for _, id := range Arg[[]int64](c, 1) {
		where := "s.id = :id"
		if class.Name == "Image" {
			where = "s.id in (select i.fileset.id from Image i where i.id = :id)"
		}
		files, err := c.loadList(ctx, "select f from Fileset s join s.jobLinks l join l.child j join j.originalFileLinks o join o.child f where "+where+" order by f.id",
			map[string]any{"id": id})
		if err != nil {
			return nil, err
		}
		d = append(d, ice.Pair{Key: id, Value: files[0]})
	}
	return []any{d}, nil
}
