package hql

import (
	"strings"
	"testing"
)

// Queries that other clients than ours send, with what is odd about them.
func TestQueriesOfClients(t *testing.T) {
	counts := `select sum( case when an.ns = :ratingns and an.class = LongAnnotation then 1 else 0 end),
		sum( case when (an.ns is null or an.ns != :ratingns) and an.class = LongAnnotation then 1 else 0 end),
		sum( case when an.class != LongAnnotation then 1 else 0 end ), type(an.class)
		from Annotation an where an.id in (select distinct(ann.id) from ImageAnnotationLink ial join ial.child as ann join ial.parent as i where i.id in (:ids))
		group by an.class order by an.class`
	check(t, []row{
		{counts, V{"ratingns": "openmicroscopy.org/omero/insight/rating", "ids": []string{"i1", "i2"}},
			"0L 0L 1L CommentAnnotation; 0L 0L 1L FileAnnotation; 1L 0L 0L LongAnnotation; 0L 0L 1L MapAnnotation; 0L 0L 1L TagAnnotation"},
		{"select p.id, dx, dx.value, dx.unit, dz from Pixels p join fetch p.physicalSizeX dx left outer join p.physicalSizeZ dz where dx.value > 0.1 order by p.physicalSizeX",
			nil, "@p1 0.5µm/MICROMETER 0.5 MICROMETER -"},
		{"select p from Pixels as p join fetch p.physicalSizeZ as dz", nil, "<Pixels 1>"},
	})
	w := newWorld(t)
	for query, want := range map[string]string{
		"select p.id from Pixels p join p.physicalSizeX dx join p.physicalSizeY dx": "duplicate",
		"select p.id from Pixels p join p.physicalSizeX p":                          "duplicate",
		"select dx.foo from Pixels p join p.physicalSizeX dx":                       "foo",
		"select p.id from Pixels p join p.physicalSizeX dx with dx.value > 1":       "with-clause",
	} {
		if _, err := w.query(query, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", query, err, want)
		}
	}
}
