//go:build peer

package omeropy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// TestObjects makes, changes and reads objects with "omero obj".
func TestObjects(t *testing.T) {
	p, s := loggedIn(t, "ada"), box.Store()
	const name = "Projekt „Größe“ 試料"
	project := p.made("Project", "obj", "new", "Project", "name="+name, "description=one = two")
	row := wantRow(t, "Project", project)
	if row.Text("name") != name || row.Text("description") != "one = two" || row.Owner != userID(t, "ada") || row.Group != groupID(t, "lab") {
		t.Errorf("project: got %v of %d in %d", row.Values, row.Owner, row.Group)
	}
	dataset := p.made("Dataset", "obj", "new", "Dataset", "name=Datensatz")
	link := p.made("ProjectDatasetLink", "obj", "new", "ProjectDatasetLink", "parent="+named("Project", project), "child="+named("Dataset", dataset))
	if r := wantRow(t, "ProjectDatasetLink", link); r.Ref("parent") != project || r.Ref("child") != dataset {
		t.Errorf("link: got %v", r.Values)
	}

	p.omero("obj", "update", named("Project", project), "description=changed")
	if r := wantRow(t, "Project", project); r.Text("description") != "changed" || r.Text("name") != name || r.Version != 1 {
		t.Errorf("updated project: got %v in version %d", r.Values, r.Version)
	}
	if out := p.omero("obj", "get", named("Project", project)); !strings.Contains(out, "name="+name) || !strings.Contains(out, "description=changed") {
		t.Errorf("obj get:\n%s", out)
	}
	if out := strings.TrimSpace(p.omero("obj", "get", named("Project", project), "name")); out != name {
		t.Errorf("obj get name: got %q", out)
	}
	p.omero("obj", "null", named("Project", project), "description")
	if r := wantRow(t, "Project", project); r.Get("description") != nil {
		t.Errorf("description: got %v, want none", r.Get("description"))
	}

	m := p.made("MapAnnotation", "obj", "new", "MapAnnotation", "ns=peer/test")
	for _, kv := range [][2]string{{"Färbung", "DAPI"}, {"b", "2"}, {"b", "3"}} {
		p.omero("obj", "map-set", named("MapAnnotation", m), "mapValue", kv[0], kv[1])
	}
	want := []store.NamedValue{{Name: "Färbung", Value: "DAPI"}, {Name: "b", Value: "3"}}
	if got := wantRow(t, "Annotation", m).Get("mapValue"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pairs: got %v, want %v", got, want)
	}
	if out := strings.TrimSpace(p.omero("obj", "map-get", named("MapAnnotation", m), "mapValue", "Färbung")); out != "DAPI" {
		t.Errorf("map-get: got %q", out)
	}
	annotated := p.made("ProjectAnnotationLink", "obj", "new", "ProjectAnnotationLink", "parent="+named("Project", project), "child="+named("MapAnnotation", m))
	wantRow(t, "ProjectAnnotationLink", annotated)

	// What is refused changes nothing.
	retina := object(t, "Project", "Retina")
	p.fails("not permitted", "obj", "update", named("Project", retina.ID), "name=mine now")
	p.fails("", "obj", "new", "Project", "description=no name")
	p.fails("", "obj", "new", "Nonsense", "name=x")
	p.fails("", "obj", "get", "Project:999999")
	if got := s.Get("Project", retina.ID); got.Text("name") != "Retina" || got.Version != retina.Version {
		t.Errorf("grace's project: got %v", got.Values)
	}
}

// TestDelete deletes with a dry run first, and what must not be deleted.
func TestDelete(t *testing.T) {
	p, s := loggedIn(t, "ada"), box.Store()
	project := p.made("Project", "obj", "new", "Project", "name=to delete")
	var datasets []int64
	for range 2 {
		d := p.made("Dataset", "obj", "new", "Dataset", "name=inside")
		p.made("ProjectDatasetLink", "obj", "new", "ProjectDatasetLink", "parent="+named("Project", project), "child="+named("Dataset", d))
		datasets = append(datasets, d)
	}
	objects := []string{named("Project", project), "Dataset:" + text(datasets[0]), text(datasets[1])}
	out := p.omero("delete", named("Project", project), "--dry-run", "--report")
	for _, want := range append(objects, "Dry run", "SUCCESS", "ProjectDatasetLink") {
		if !strings.Contains(out, want) {
			t.Errorf("dry run does not mention %s:\n%s", want, out)
		}
	}
	wantRow(t, "Project", project)
	// Only the head goes, the datasets stay.
	other := p.made("Project", "obj", "new", "Project", "name=holds one too")
	p.made("ProjectDatasetLink", "obj", "new", "ProjectDatasetLink", "parent="+named("Project", other), "child="+named("Dataset", datasets[1]))
	p.omero("delete", named("Project", project), "--report")
	if s.Get("Project", project) != nil || s.Get("Dataset", datasets[0]) != nil {
		t.Error("what was deleted is still there")
	}
	wantRow(t, "Dataset", datasets[1])
	p.omero("delete", named("Project", other), "--exclude", "Dataset")
	if s.Get("Project", other) != nil {
		t.Error("the second project is still there")
	}
	wantRow(t, "Dataset", datasets[1])
	// What is in a project goes without the project.
	third := p.made("Project", "obj", "new", "Project", "name=head")
	p.made("ProjectDatasetLink", "obj", "new", "ProjectDatasetLink", "parent="+named("Project", third), "child="+named("Dataset", datasets[1]))
	p.omero("delete", "Project/Dataset:"+text(third))
	if wantRow(t, "Project", third); s.Get("Dataset", datasets[1]) != nil {
		t.Error("the dataset of the third project is still there")
	}

	// An image does not leave its fileset alone.
	image := object(t, "Image", "positions.ome.tiff [Mark]")
	images := s.Collection("Fileset", image.Ref("fileset"), "images")
	if len(images) < 2 {
		t.Fatal("the fileset has one image")
	}
	r := p.tryOMERO("delete", named("Image", image.ID))
	if !strings.Contains(r.stdout+r.stderr, fmt.Sprintf("within Fileset[%d] may not delete Image[%d]", image.Ref("fileset"), image.ID)) {
		t.Errorf("one image of several: got %d %s%s", r.code, r.stdout, r.stderr)
	}
	wantRow(t, "Image", image.ID)
	// Nor does anybody delete what is another's.
	retina := object(t, "Project", "Retina")
	r = p.tryOMERO("delete", named("Project", retina.ID))
	if !strings.Contains(r.stdout+r.stderr, "not permitted") && !strings.Contains(r.stdout+r.stderr, "graph-fail") {
		t.Errorf("grace's project: got %d %s%s", r.code, r.stdout, r.stderr)
	}
	wantRow(t, "Project", retina.ID)
}

// TestChgrp moves a dataset to the private group and back.
func TestChgrp(t *testing.T) {
	p, s := loggedIn(t, "ada"), box.Store()
	lab, private := groupID(t, "lab"), groupID(t, "private")
	project, dataset := p.made("Project", "obj", "new", "Project", "name=stays"), p.made("Dataset", "obj", "new", "Dataset", "name=moves")
	link := p.made("ProjectDatasetLink", "obj", "new", "ProjectDatasetLink", "parent="+named("Project", project), "child="+named("Dataset", dataset))
	out := p.omero("chgrp", text(private), named("Dataset", dataset), "--dry-run", "--report")
	if !strings.Contains(out, named("ProjectDatasetLink", link)) || wantRow(t, "Dataset", dataset).Group != lab {
		t.Errorf("dry run:\n%s", out)
	}
	p.omero("chgrp", "private", named("Dataset", dataset))
	if g := wantRow(t, "Dataset", dataset).Group; g != private || s.Get("ProjectDatasetLink", link) != nil {
		t.Errorf("moved: in group %d, link there %v", g, s.Get("ProjectDatasetLink", link) != nil)
	}
	wantRows(t, "datasets of the private group", p.hql("select d.details.group.name from Dataset d where d.name = 'moves'", "--all"), [][]string{{"private"}})
	r := p.tryOMERO("chgrp", "guest", named("Dataset", dataset))
	if r.code == 0 || wantRow(t, "Dataset", dataset).Group != private {
		t.Errorf("into a group of others: %d %s", r.code, r.stderr)
	}
}

// TestTags lists, makes and links tags.
func TestTags(t *testing.T) {
	p, s := loggedIn(t, "ada"), box.Store()
	out := p.omero("tag", "list")
	for _, a := range visible("TagAnnotation", groupID(t, "lab")) {
		// It passes over tags in namespaces of programs.
		if (a.Get("ns") == nil || strings.HasSuffix(a.Text("ns"), "tagset")) && !strings.Contains(out, fmt.Sprintf("%d:'%s'", a.ID, a.Text("textValue"))) {
			t.Errorf("tag list lacks %d %q:\n%s", a.ID, a.Text("textValue"), out)
		}
	}
	if out := p.omero("tag", "listsets"); !strings.Contains(out, "Stains") || strings.Contains(out, "DAPI") {
		t.Errorf("tag listsets:\n%s", out)
	}
	tag := p.made("TagAnnotation", "tag", "create", "--name", "Übersicht", "--desc", "äöü")
	if r := wantRow(t, "Annotation", tag); r.Text("textValue") != "Übersicht" || r.Text("description") != "äöü" || r.Get("ns") != nil {
		t.Errorf("tag: got %v", r.Values)
	}
	set := p.made("TagAnnotation", "tag", "createset", "--name", "Satz", "--desc", "d", "--tag", text(tag))
	if r := wantRow(t, "Annotation", set); !strings.HasSuffix(r.Text("ns"), "tagset") {
		t.Errorf("set: got %v", r.Values)
	}
	in := func(class string, parent, child int64) bool {
		return slices.ContainsFunc(s.Collection(class, parent, "annotationLinks"), func(l *store.Row) bool { return l.Ref("child") == child })
	}
	if !in("Annotation", set, tag) {
		t.Error("the set does not hold the tag")
	}
	image := object(t, "Image", "beat.tif")
	p.omero("tag", "link", named("Image", image.ID), text(tag))
	if !in("Image", image.ID, tag) {
		t.Error("the image does not have the tag")
	}
}
