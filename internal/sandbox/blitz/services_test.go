package blitz

import (
	"testing"

	"omerods/internal/ice"
)

// annotated makes a project with a dataset of two images, a tag and a ROI.
func annotated(c *client) (project, dataset int64, images [2]int64, tag, roi int64) {
	project, dataset = c.named("Project", "p"), c.named("Dataset", "d")
	c.link("ProjectDatasetLink", "Project", project, "Dataset", dataset)
	for i := range images {
		images[i] = c.named("Image", "i")
		c.link("DatasetImageLink", "Dataset", dataset, "Image", images[i])
	}
	tag = c.save(c.fresh("TagAnnotation", map[string]any{"textValue": "t", "ns": "n"}))[0]
	c.link("ImageAnnotationLink", "Image", images[0], "TagAnnotation", tag)
	r := c.fresh("Roi", map[string]any{"image": c.ref("Image", images[0])})
	r.Set("shapesSeq", []any{c.fresh("Point", map[string]any{"theZ": int32(1)})}).Set("shapesLoaded", true)
	roi = c.save(r)[0]
	return
}

func TestReadyMadeQueries(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p, d, images, tag, roi := annotated(c)
	id := func(v any) int64 { return unbox(v.(*ice.Object).Get("id")).(int64) }

	tree := c.call("IContainer", "loadContainerHierarchy", "ome.model.containers.Project", []int64{p}, nil)[0].([]any)
	if len(tree) != 1 {
		t.Fatalf("hierarchy: got %d projects", len(tree))
	}
	links := tree[0].(*ice.Object).Get("datasetLinksSeq").([]any)
	if len(links) != 1 || id(links[0].(*ice.Object).Get("child")) != d {
		t.Errorf("hierarchy: got %d datasets", len(links))
	}
	for class, of := range map[string]int64{"Project": p, "Dataset": d, "Image": images[0]} {
		want := map[string]int{"Project": 2, "Dataset": 2, "Image": 1}[class]
		if n := len(c.call("IContainer", "getImages", class, []int64{of}, nil)[0].([]any)); n != want {
			t.Errorf("images of a %s: got %d, want %d", class, n, want)
		}
	}
	counts := c.call("IContainer", "getCollectionCount", "Dataset", "imageLinks", []int64{d, 999}, nil)[0].(ice.Dict)
	if n, _ := counts.Get(d); n != int64(2) {
		t.Errorf("collection count: got %v, want 2", counts)
	}
	_, err := c.try("IContainer", "getCollectionCount", "Dataset", "nonsense", []int64{d}, nil)
	wantException(t, "unknown collection", err, APIUsage)

	found := c.call("IMetadata", "loadAnnotations", "Image", []int64{images[0], images[1]}, []string{"TagAnnotation"}, []int64{}, nil)[0].(ice.Dict)
	if list, _ := found.Get(images[0]); len(list.([]any)) != 1 || id(list.([]any)[0]) != tag {
		t.Errorf("annotations: got %v", list)
	}
	if list, _ := found.Get(images[1]); len(list.([]any)) != 0 {
		t.Errorf("annotations of a bare image: got %v", list)
	}
	for ns, want := range map[string]int64{"n": 1, "other": 0} {
		if n := unbox(c.call("IMetadata", "countSpecifiedAnnotations", "TagAnnotation", []string{ns}, []string{}, nil)[0]); n != want {
			t.Errorf("tags of %s: got %v, want %d", ns, n, want)
		}
	}
	tagged := c.call("IMetadata", "getTaggedObjectsCount", []int64{tag}, nil)[0].(ice.Dict)
	if n, _ := tagged.Get(tag); n != int64(1) {
		t.Errorf("tagged objects: got %v, want 1", n)
	}

	rois := c.call("IRoi", "findByImage", images[0], nil)[0].(*ice.Object).Get("rois").([]any)
	if len(rois) != 1 || id(rois[0]) != roi || len(rois[0].(*ice.Object).Get("shapesSeq").([]any)) != 1 {
		t.Errorf("regions: got %v", rois)
	}
	for z, want := range map[int32]int{1: 1, 2: 0} {
		if n := len(c.call("IRoi", "findByPlane", images[0], z, int32(0), nil)[0].(*ice.Object).Get("rois").([]any)); n != want {
			t.Errorf("regions at z %d: got %d, want %d", z, n, want)
		}
	}
	if bits := c.call("IPixels", "getBitDepth", c.fresh("PixelsType", map[string]any{"value": "uint16"}))[0]; bits != int32(16) {
		t.Errorf("bit depth: got %v, want 16", bits)
	}
	if out := c.call("IPixels", "retrievePixDescription", int64(999)); out[0] != nil {
		t.Errorf("description of nothing: got %v", out[0])
	}
}

func TestManagingAccounts(t *testing.T) {
	f := serve(t, Config{})
	root, eve, ada := f.login("root", ""), f.login("eve", ""), f.login("ada", "")
	group := root.fresh("ExperimenterGroup", map[string]any{"name": "new", "ldap": false})
	group.Set("details", f.defs.New("::omero::model::Details").Set("permissions", f.permissions(-40, nil, nil)))
	gid := root.call("IAdmin", "createGroup", group)[0].(int64)
	if g := f.store.Get("ExperimenterGroup", gid); FormatPermissions(g.Perm) != "rwra--" {
		t.Errorf("permissions of the new group: got %s", FormatPermissions(g.Perm))
	}
	user := root.fresh("Experimenter", map[string]any{"omeName": "zoe", "firstName": "Z", "lastName": "L", "ldap": false})
	uid := root.call("IAdmin", "createExperimenterWithPassword", user, f.RString("secret"), root.ref("ExperimenterGroup", gid), []any{})[0].(int64)
	zoe, err := f.tryLogin("zoe", "secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	if ec := zoe.call("IAdmin", "getEventContext")[0].(*ice.Object); ec.Get("groupName") != "new" || ec.Get("userId") != uid {
		t.Errorf("the new user is %v in %v", ec.Get("userId"), ec.Get("groupName"))
	}
	zoe.call("IAdmin", "changePassword", f.RString("other"))
	if _, err := f.tryLogin("zoe", "secret", nil); err == nil {
		t.Error("the old password still works")
	}

	// An owner of a group decides about its members.
	eve.call("IAdmin", "addGroups", eve.ref("Experimenter", uid), []any{eve.ref("ExperimenterGroup", f.groups["write"])})
	zoe.call("IAdmin", "setDefaultGroup", zoe.ref("Experimenter", uid), zoe.ref("ExperimenterGroup", f.groups["write"]))
	if again, err := f.tryLogin("zoe", "other", nil); err != nil {
		t.Error(err)
	} else if ec := again.call("IAdmin", "getEventContext")[0].(*ice.Object); ec.Get("groupName") != "write" {
		t.Errorf("default group: got %v, want write", ec.Get("groupName"))
	}

	for what, try := range map[string]func() error{
		"a group by a user": func() error { _, err := ada.try("IAdmin", "createGroup", group); return err },
		"a user by a user":  func() error { _, err := ada.try("IAdmin", "createUser", user, "new"); return err },
		"joining a group": func() error {
			_, err := ada.try("IAdmin", "addGroups", ada.ref("Experimenter", f.users["ada"]), []any{ada.ref("ExperimenterGroup", gid)})
			return err
		},
		"another's password": func() error { _, err := ada.try("IAdmin", "changeUserPassword", "bob", f.RString("x")); return err },
		"another's account": func() error {
			_, err := ada.try("IAdmin", "updateSelf", ada.object("Experimenter", f.users["bob"]))
			return err
		},
		"the permissions of the group": func() error {
			_, err := ada.try("IAdmin", "changePermissions", ada.ref("ExperimenterGroup", f.groups["write"]), f.permissions(-8, nil, nil))
			return err
		},
	} {
		wantException(t, what, try(), SecurityViolation)
	}
	_, err = root.try("IAdmin", "createGroup", group)
	wantException(t, "a name twice", err, Validation)
}
