package blitz

import (
	"slices"
	"testing"

	"omerods/internal/ice"
)

func TestSearchQueries(t *testing.T) {
	fields := map[string][]string{"name": words("Glomerulus_2.ome.tiff"), "tag": words("Färbung: LAMP1"), "species": {"mouse"}}
	for query, want := range map[string]bool{
		"glomerulus": true, "GLOMERULUS": true, "glom*": true, "gl?merulus": true, "*lus": true, "liver": false, "liver glomerulus": true,
		"+liver glomerulus": false, "liver AND glomerulus": false, "mouse AND glomerulus": true, "glomerulus -mouse": false, "glomerulus NOT liver": true,
		`"ome tiff"`: true, `"tiff ome"`: false, "name:mouse": false, "species:mouse": true, "tag:färbung": true, "(liver OR mouse)": true, "färb*": true,
		"-liver": false, "lamp1": true, "ome.tiff": true,
	} {
		if got := matches(parseSearch(query), fields); got != want {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
	if got := parseSearch(" ( ) :: "); len(got) != 0 {
		t.Errorf("nothing: got %v", got)
	}
}

func TestSearch(t *testing.T) {
	f := serve(t, Config{})
	c, bob := f.login("ada", "annotate"), f.login("bob", "annotate")
	const kind = "::omero::api::Search"
	p := c.named("Project", "Nieren alpha")
	d := bob.named("Dataset", "Nieren beta")
	other := c.named("Project", "gamma")
	tag := c.save(c.fresh("TagAnnotation", map[string]any{"textValue": "Nieren"}))[0]
	c.link("ProjectAnnotationLink", "Project", other, "TagAnnotation", tag)
	f.login("ada", "private").named("Project", "Nieren privat")

	s := c.open("createSearchService")
	ids := func() (out []int64) {
		t.Helper()
		for c.must(s, kind, "hasNext") == true {
			for _, o := range c.must(s, kind, "results").([]any) {
				out = append(out, unbox(o.(*ice.Object).Get("id")).(int64))
			}
		}
		return out
	}
	c.must(s, kind, "onlyType", "Project")
	c.must(s, kind, "byFullText", "nieren")
	if got := ids(); !slices.Equal(got, []int64{p, other}) {
		t.Errorf("projects: got %v, want %v", got, []int64{p, other})
	}
	c.must(s, kind, "addOrderByDesc", "name")
	c.must(s, kind, "setBatchSize", int32(1))
	c.must(s, kind, "byLuceneQueryBuilder", "name,tag", "", "", "", "nieren")
	if got := ids(); !slices.Equal(got, []int64{other, p}) {
		t.Errorf("in two fields: got %v, want %v", got, []int64{other, p})
	}
	c.must(s, kind, "byLuceneQueryBuilder", "name", "20231114", "20231114", "details.creationEvent.time", "nieren")
	if got := ids(); !slices.Equal(got, []int64{p}) {
		t.Errorf("by name and date: got %v, want %v", got, []int64{p})
	}
	c.must(s, kind, "byLuceneQueryBuilder", "", "20231115", "", "details.creationEvent.time", "nieren")
	if got := ids(); len(got) != 0 {
		t.Errorf("later: got %v", got)
	}
	c.must(s, kind, "resetDefaults")
	c.must(s, kind, "onlyTypes", []string{"Project", "Dataset"})
	c.must(s, kind, "onlyOwnedBy", f.defs.New("::omero::model::Details").Set("owner", f.defs.New("::omero::model::Experimenter").Set("id", f.RLong(f.users["bob"]))))
	c.must(s, kind, "byFullText", "nieren")
	if o := c.must(s, kind, "next").(*ice.Object); unbox(o.Get("id")) != d || c.must(s, kind, "hasNext") != false {
		t.Errorf("bob's: got %v", o.Values)
	}
	for op, args := range map[string][]any{"byFullText": {"*wild"}, "onlyType": {"Nonsense"}, "next": nil, "setBatchSize": {int32(0)}} {
		_, err := c.ask(s, kind, op, args...)
		wantException(t, op, err, APIUsage)
	}
	_, err := c.ask(s, kind, "byLuceneQueryBuilder", "", "yesterday", "", "", "x")
	wantException(t, "no date", err, APIUsage)
}
