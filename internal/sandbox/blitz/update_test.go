package blitz

import (
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

func TestSaveCascade(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p := c.named("Project", "p")
	link := c.fresh("ProjectDatasetLink", map[string]any{"parent": c.ref("Project", p), "child": c.fresh("Dataset", map[string]any{"name": "d"})})
	saved := c.call("IUpdate", "saveAndReturnObject", link)[0].(*ice.Object)
	child := saved.Get("child").(*ice.Object)
	if saved.Class.ID != "::omero::model::ProjectDatasetLink" || child.Get("loaded") != true || unbox(child.Get("id")) == nil {
		t.Errorf("got %v with child %v", saved.Class.ID, child)
	}
	d := f.store.Get("Dataset", unbox(child.Get("id")).(int64))
	if d.Text("name") != "d" || d.Owner != f.users["ada"] || d.Group != f.groups["write"] || d.Version != 0 {
		t.Errorf("dataset: got %+v", d)
	}
	event := f.store.Get("Event", d.Created)
	if event.Ref("experimenter") != f.users["ada"] || event.Ref("experimenterGroup") != f.groups["write"] || event.Ref("session") < 1 {
		t.Errorf("event: got %v", event.Values)
	}
	logged := f.store.Find("EventLog", func(r *store.Row) bool {
		return r.Ref("event") == d.Created && r.Text("entityType") == "ome.model.containers.Dataset" && r.Get("entityId") == d.ID && r.Text("action") == "INSERT"
	})
	if logged == nil {
		t.Error("no entry in the event log")
	}
}

func TestSaveRoiWithShapes(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	img := c.named("Image", "i")
	roi := c.fresh("Roi", map[string]any{"image": c.ref("Image", img), "name": "r"})
	length := f.defs.New("::omero::model::Length").Set("value", 2.5).Set("unit", int32(32))
	transform := c.fresh("AffineTransform", map[string]any{"a00": 1.0, "a10": 0.0, "a01": 0.0, "a11": 1.0, "a02": 3.0, "a12": 4.0})
	rect := c.fresh("Rectangle", map[string]any{"roi": roi, "x": 1.0, "strokeWidth": length, "transform": transform})
	mask := c.fresh("Mask", map[string]any{"bytes": []byte{1, 2, 3}}) // names no ROI: belongs to the one it is in
	roi.Set("shapesSeq", []any{rect, mask}).Set("shapesLoaded", true)
	id := c.save(roi)[0]
	shapes := f.store.Collection("Roi", id, "shapes")
	if len(shapes) != 2 || shapes[0].Class.Name != "Rectangle" || shapes[1].Class.Name != "Mask" {
		t.Fatalf("shapes: got %v", shapes)
	}
	if q := shapes[0].Get("strokeWidth"); q != (store.Quantity{Value: 2.5, Unit: 32}) {
		t.Errorf("stroke width: got %v", q)
	}
	if tr := f.store.Get("AffineTransform", shapes[0].Ref("transform")); tr == nil || tr.Get("a12") != 4.0 {
		t.Errorf("transform: got %v", tr)
	}
	// What was saved comes back the same.
	o := c.call("IQuery", "findByQuery", "select r from Roi r join fetch r.shapes s left join fetch s.transform where r.id = :id", c.params(map[string]any{"id": id}))[0].(*ice.Object)
	back := o.Get("shapesSeq").([]any)
	if len(back) != 2 || back[0].(*ice.Object).Get("strokeWidth").(*ice.Object).Get("unit") != int32(32) || len(back[1].(*ice.Object).Get("bytes").([]byte)) != 3 {
		t.Errorf("fetched shapes: got %v", back)
	}
}

// A loaded list, or collection of links, is what the object has afterwards;
// one that is not loaded stays as it is.
func TestLoadedCollectionsLoseWhatTheyLack(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	img := c.named("Image", "i")
	roi := c.fresh("Roi", map[string]any{"image": c.ref("Image", img)})
	roi.Set("shapesSeq", []any{c.fresh("Point", nil), c.fresh("Rectangle", nil), c.fresh("Line", nil)}).Set("shapesLoaded", true)
	id := c.save(roi)[0]
	kept := f.store.Collection("Roi", id, "shapes")[1]
	load := func() *ice.Object {
		return c.call("IQuery", "findByQuery", "select r from Roi r join fetch r.shapes where r.id = :id", c.params(map[string]any{"id": id}))[0].(*ice.Object)
	}
	o := load()
	o.Set("shapesLoaded", false)
	c.save(o)
	if n := len(f.store.Collection("Roi", id, "shapes")); n != 3 {
		t.Errorf("not loaded: %d shapes are left, want 3", n)
	}
	o = load()
	o.Set("shapesSeq", o.Get("shapesSeq").([]any)[1:2])
	c.save(o)
	left := f.store.Collection("Roi", id, "shapes")
	if len(left) != 1 || left[0].ID != kept.ID || left[0].Position != 0 {
		t.Errorf("got %+v, want shape %d at 0", left, kept.ID)
	}

	p := c.named("Project", "p")
	c.link("ProjectDatasetLink", "Project", p, "Dataset", c.named("Dataset", "d"))
	o = c.object("Project", p)
	c.save(o)
	if n := f.store.Count("ProjectDatasetLink"); n != 1 {
		t.Errorf("not loaded: %d links, want 1", n)
	}
	o = c.object("Project", p)
	c.save(o.Set("datasetLinksLoaded", true))
	if n := f.store.Count("ProjectDatasetLink"); n != 0 || f.store.Count("Dataset") != 1 {
		t.Errorf("loaded and empty: %d links, %d datasets", n, f.store.Count("Dataset"))
	}
}

func TestAnnotations(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	img := c.named("Image", "i")
	pairs := []any{f.defs.New("::omero::model::NamedValue").Set("name", "k").Set("value", "v"), f.defs.New("::omero::model::NamedValue").Set("name", "k").Set("value", "w")}
	file := c.fresh("OriginalFile", map[string]any{
		"name": "n.txt", "path": "x/", "size": int64(3), "mimetype": "text/plain",
		"hasher": c.fresh("ChecksumAlgorithm", map[string]any{"value": "SHA1-160"}),
	})
	c.save(
		c.fresh("ImageAnnotationLink", map[string]any{"parent": c.ref("Image", img), "child": c.fresh("MapAnnotation", map[string]any{"ns": "n", "mapValue": pairs})}),
		c.fresh("ImageAnnotationLink", map[string]any{"parent": c.ref("Image", img), "child": c.fresh("FileAnnotation", map[string]any{"file": file})}),
	)
	rows := c.project("select v.name, v.value, index(v) from MapAnnotation a join a.mapValue v order by index(v)", nil)
	if len(rows) != 2 || rows[1][1] != "w" || rows[1][2] != int32(1) {
		t.Errorf("pairs: got %v", rows)
	}
	rows = c.project("select f.name, h.value from ImageAnnotationLink l, FileAnnotation a join a.file f join f.hasher h where l.child.id = a.id and l.parent.id = :id", map[string]any{"id": img})
	if len(rows) != 1 || rows[0][1] != "SHA1-160" {
		t.Errorf("file: got %v", rows)
	}
	_, err := c.trySave(c.fresh("OriginalFile", map[string]any{"name": "n", "path": "x/", "hasher": c.fresh("ChecksumAlgorithm", map[string]any{"value": "CRC-7"})}))
	wantException(t, "unknown enumeration value", err, Validation)
}

func TestUpdateChecksTheVersion(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	id := c.named("Project", "old")
	o := c.object("Project", id)
	f.clock.Add(1000)
	c.save(o) // nothing changed
	if v := f.store.Get("Project", id).Version; v != 0 {
		t.Errorf("version after saving without a change: got %d, want 0", v)
	}
	o.Set("name", f.RString("new"))
	c.save(o)
	row := f.store.Get("Project", id)
	if row.Text("name") != "new" || row.Version != 1 || row.Updated == row.Created {
		t.Errorf("got %q version %d, events %d %d", row.Text("name"), row.Version, row.Created, row.Updated)
	}
	_, err := c.trySave(o.Set("name", f.RString("late")))
	wantException(t, "old version", err, OptimisticLock)
}

func TestSavesThatAreRefused(t *testing.T) {
	f := serve(t, Config{})
	ada, bob := f.login("ada", "write"), f.login("bob", "write")
	p, d := ada.named("Project", "p"), ada.named("Dataset", "d")
	ada.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	elsewhere := f.login("ada", "private").named("Dataset", "elsewhere")
	count := func() (n int) {
		for _, class := range []string{"Project", "Dataset", "ProjectDatasetLink", "Event", "EventLog", "Shape", "Experimenter"} {
			n += f.store.Count(class)
		}
		return n
	}
	before := count()
	link := func(c *client, p, d int64) *ice.Object {
		return c.fresh("ProjectDatasetLink", map[string]any{"parent": c.ref("Project", p), "child": c.ref("Dataset", d)})
	}
	for _, tc := range []struct {
		what string
		c    *client
		o    *ice.Object
		want string
	}{
		{"no name", ada, ada.fresh("Project", nil), Validation},
		{"no parent", ada, ada.fresh("ProjectDatasetLink", map[string]any{"child": ada.ref("Dataset", d)}), Validation},
		{"second link", ada, link(ada, p, d), Validation},
		{"missing child", ada, link(ada, p, 999), Validation},
		{"link between groups", ada, link(ada, p, elsewhere), GroupViolation},
		{"abstract class", ada, ada.fresh("Shape", nil), APIUsage},
		{"unloaded without id", ada, f.defs.New("::omero::model::Project"), APIUsage},
		{"a user", ada, ada.fresh("Experimenter", map[string]any{"omeName": "x", "firstName": "x", "lastName": "x", "ldap": false}), SecurityViolation},
		{"in all groups", ada.on(-1), ada.fresh("Project", map[string]any{"name": "x"}), SecurityViolation},
		{"in a foreign group", bob.on(f.groups["other"]), ada.fresh("Project", map[string]any{"name": "x"}), SecurityViolation},
		{"null", ada, nil, APIUsage},
	} {
		var v any
		if tc.o != nil {
			v = tc.o
		}
		_, err := tc.c.trySave(v)
		wantException(t, tc.what, err, tc.want)
	}
	if n := count(); n != before {
		t.Errorf("refused saves left %d rows", n-before)
	}
	bob.link("ProjectDatasetLink", "Project", p, "Dataset", d) // another owner may have the same link
}

// TestOthersData checks what a member may do with what ada made.
func TestOthersData(t *testing.T) {
	f := serve(t, Config{})
	for _, tc := range []struct{ group, edit, annotate, link, remove string }{
		{"readonly", SecurityViolation, ReadOnlyGroup, ReadOnlyGroup, "GraphException"},
		{"annotate", SecurityViolation, "", ReadOnlyGroup, "GraphException"},
		{"write", "", "", "", ""},
	} {
		ada, bob := f.login("ada", tc.group), f.login("bob", tc.group)
		check := func(what string, err error, want string) {
			t.Helper()
			if want == "" && err != nil {
				t.Errorf("%s: %s: %v", tc.group, what, err)
			} else if want != "" {
				wantException(t, tc.group+": "+what, err, want)
			}
		}
		img := ada.named("Image", "i")
		_, err := bob.trySave(bob.object("Image", img).Set("name", f.RString("renamed")))
		check("rename", err, tc.edit)
		_, err = bob.trySave(bob.fresh("ImageAnnotationLink", map[string]any{"parent": bob.ref("Image", img), "child": bob.fresh("TagAnnotation", map[string]any{"textValue": "t"})}))
		check("tag", err, tc.annotate)
		_, err = bob.trySave(bob.fresh("DatasetImageLink", map[string]any{"parent": bob.fresh("Dataset", map[string]any{"name": "mine"}), "child": bob.ref("Image", img)}))
		check("link", err, tc.link)
		rsp := bob.run(f.defs.New("::omero::cmd::Delete2").Set("targetObjects", ice.Dict{{Key: "Image", Value: []int64{img}}}))
		if got := shortName(rsp.Class.ID); tc.remove != "" && got != tc.remove || tc.remove == "" && got != "Delete2Response" {
			t.Errorf("%s: delete: got %s", tc.group, got)
		}
	}
}
