package blitz

import (
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// chgrp makes a Chgrp2 for objects of one class.
func (c *client) chgrp(group, class string, ids ...int64) *ice.Object {
	return c.f.defs.New("::omero::cmd::Chgrp2").Set("groupId", c.f.groups[group]).Set("targetObjects", ice.Dict{{Key: class, Value: ids}})
}

func TestChgrp(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p, d, shared, other := c.named("Project", "p"), c.named("Dataset", "d"), c.named("Dataset", "shared"), c.named("Project", "other")
	inside := c.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	torn := c.link("ProjectDatasetLink", "Project", p, "Dataset", shared)
	kept := c.link("ProjectDatasetLink", "Project", other, "Dataset", shared)
	tag := c.save(c.fresh("TagAnnotation", map[string]any{"textValue": "t"}))[0]
	tagged := c.link("DatasetAnnotationLink", "Dataset", d, "TagAnnotation", tag)
	c.link("ProjectAnnotationLink", "Project", other, "TagAnnotation", tag)

	group := func(class string, id int64) int64 {
		t.Helper()
		row := f.store.Get(class, id)
		if row == nil {
			return store.None
		}
		return row.Group
	}
	if rsp := c.run(c.chgrp("annotate", "Project", p).Set("dryRun", true)); !rsp.IsA("::omero::cmd::Chgrp2Response") || group("Project", p) != f.groups["write"] {
		t.Fatalf("dry run: got %s, project in group %d", rsp.Class.ID, group("Project", p))
	}
	for name, req := range map[string]*ice.Object{
		"foreign group": c.chgrp("other", "Project", p),
		"other's":       f.login("bob", "write").chgrp("annotate", "Project", p),
	} {
		who := c
		if name == "other's" {
			who = f.login("bob", "write")
		}
		if rsp := who.run(req); !rsp.IsA("::omero::cmd::ERR") {
			t.Errorf("%s: got %s", name, rsp.Class.ID)
		}
	}
	rsp := c.run(c.chgrp("annotate", "Project", p))
	if !rsp.IsA("::omero::cmd::Chgrp2Response") {
		t.Fatalf("got %s: %v", rsp.Class.ID, rsp.Values)
	}
	want, stays := f.groups["annotate"], f.groups["write"]
	for _, tc := range []struct {
		class string
		id    int64
		group int64
	}{
		{"Project", p, want}, {"Dataset", d, want}, {"ProjectDatasetLink", inside, want},
		{"Dataset", shared, stays}, {"ProjectDatasetLink", kept, stays}, {"ProjectDatasetLink", torn, store.None},
		{"TagAnnotation", tag, stays}, {"DatasetAnnotationLink", tagged, store.None},
	} {
		if got := group(tc.class, tc.id); got != tc.group {
			t.Errorf("%s %d: got group %d, want %d", tc.class, tc.id, got, tc.group)
		}
	}
	gone := rsp.Get("deletedObjects").(ice.Dict)
	if v, _ := gone.Get("ome.model.containers.ProjectDatasetLink"); len(v.([]int64)) != 1 || v.([]int64)[0] != torn {
		t.Errorf("deleted: got %v", gone)
	}
}

func TestDiskUsage(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "write")
	u := picture("a.ome.tiff")
	image := c.imports(nil, nil, u)[0]
	d := c.named("Dataset", "d")
	c.link("DatasetImageLink", "Dataset", d, "Image", image)

	usage := func(targets ice.Dict) (files int32, bytes int64, byReferer ice.Dict) {
		t.Helper()
		rsp := c.run(f.defs.New("::omero::cmd::DiskUsage2").Set("targetObjects", targets))
		if !rsp.IsA("::omero::cmd::DiskUsage2Response") {
			t.Fatalf("got %s: %v", rsp.Class.ID, rsp.Values)
		}
		for _, p := range rsp.Get("totalFileCount").(ice.Dict) {
			if who := p.Key.(*ice.Record); who.Get("first") != f.users["ada"] || who.Get("second") != f.groups["write"] {
				t.Errorf("owner: got %v", who.Values)
			}
			files += p.Value.(int32)
		}
		for _, p := range rsp.Get("totalBytesUsed").(ice.Dict) {
			bytes += p.Value.(int64)
		}
		for _, p := range rsp.Get("bytesUsedByReferer").(ice.Dict) {
			byReferer = append(byReferer, p.Value.(ice.Dict)...)
		}
		return files, bytes, byReferer
	}
	log := f.store.Find("OriginalFile", func(r *store.Row) bool { return r.Text("mimetype") == "application/omero-log-file" })
	logged, _ := log.Get("size").(int64)
	files, bytes, by := usage(ice.Dict{{Key: "Dataset", Value: []int64{d}}, {Key: "Image", Value: []int64{image}}})
	if files != 2 || bytes != int64(len(u.data))+logged {
		t.Errorf("got %d bytes in %d files, want %d in 2", bytes, files, int64(len(u.data))+logged)
	}
	if n, _ := by.Get("FilesetEntry"); n != int64(len(u.data)) {
		t.Errorf("files of filesets: got %v of %v, want %d", n, by, len(u.data))
	}
	if _, mine, _ := usage(ice.Dict{{Key: "Experimenter", Value: []int64{f.users["ada"]}}}); mine != bytes {
		t.Errorf("of the user: got %d bytes, want %d", mine, bytes)
	}
}

func TestCurrentSessions(t *testing.T) {
	f := serve(t, Config{})
	c, root := f.login("ada", ""), f.login("root", "")
	f.login("bob", "")
	for who, want := range map[*client]int{c: 1, root: 3} {
		rsp := who.run(f.defs.New("::omero::cmd::CurrentSessionsRequest"))
		sessions, contexts := rsp.Get("sessions").([]any), rsp.Get("contexts").([]any)
		if len(contexts) != 3 || len(rsp.Get("data").([]any)) != 3 {
			t.Fatalf("got %d contexts, want 3", len(contexts))
		}
		known, names := 0, ""
		for i, s := range sessions {
			if o, _ := s.(*ice.Object); o != nil {
				known++
			} else if uuid := contexts[i].(*ice.Object).Get("sessionUuid"); uuid != "" {
				t.Errorf("the key of somebody else's session: %v", uuid)
			}
			names += contexts[i].(*ice.Object).Get("userName").(string) + " "
		}
		if known != want || names != "ada root bob " {
			t.Errorf("got %d sessions of %s, want %d", known, names, want)
		}
	}
}

func TestWalks(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p, d, e := c.named("Project", "p"), c.named("Dataset", "d"), c.named("Dataset", "e")
	i := c.named("Image", "i")
	c.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	c.link("ProjectDatasetLink", "Project", p, "Dataset", e)
	c.link("DatasetImageLink", "Dataset", d, "Image", i)
	ids := func(rsp *ice.Object, field, class string) []int64 {
		t.Helper()
		dict, ok := rsp.Get(field).(ice.Dict)
		if !ok {
			t.Fatalf("got %s: %v", rsp.Class.ID, rsp.Values)
		}
		list, _ := dict.Get(class)
		got, _ := list.([]int64)
		return got
	}
	targets := func(class string, id int64) ice.Dict { return ice.Dict{{Key: class, Value: []int64{id}}} }
	children := f.defs.New("::omero::cmd::FindChildren").Set("targetObjects", targets("Project", p)).Set("typesOfChildren", []string{"Image", "Dataset"})
	if got := ids(c.run(children), "children", "ome.model.core.Image"); len(got) != 1 || got[0] != i {
		t.Errorf("images below the project: got %v", got)
	}
	if got := ids(c.run(children.Set("stopBefore", []string{"Image"})), "children", "ome.model.core.Image"); len(got) != 0 {
		t.Errorf("images, stopping before them: got %v", got)
	}
	parents := f.defs.New("::omero::cmd::FindParents").Set("targetObjects", targets("Image", i)).Set("typesOfParents", []string{"Project"})
	if got := ids(c.run(parents), "parents", "ome.model.containers.Project"); len(got) != 1 || got[0] != p {
		t.Errorf("projects above the image: got %v", got)
	}
	head := f.defs.New("::omero::cmd::SkipHead").Set("targetObjects", targets("Project", p)).Set("startFrom", []string{"Dataset"}).
		Set("request", f.defs.New("::omero::cmd::Delete2"))
	if got := ids(c.run(head.Set("dryRun", true)), "deletedObjects", "ome.model.containers.Dataset"); len(got) != 2 {
		t.Errorf("dry run: got %v", got)
	}
	f.wantGone("dry run", "Dataset", d, false)
	c.run(head.Set("dryRun", false))
	f.wantGone("without the head", "Dataset", d, true)
	f.wantGone("without the head", "Image", i, true)
	f.wantGone("without the head", "Project", p, false)
	if rsp := c.run(f.defs.New("::omero::cmd::SkipHead").Set("targetObjects", targets("Project", p)).Set("startFrom", []string{"Nonsense"}).
		Set("request", f.defs.New("::omero::cmd::Delete2"))); !rsp.IsA("::omero::cmd::ERR") {
		t.Errorf("unknown class: got %s", rsp.Class.ID)
	}
}

func TestChown(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "annotate")
	p, d, shared := c.named("Project", "p"), c.named("Dataset", "d"), c.named("Dataset", "shared")
	inside := c.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	torn := c.link("ProjectDatasetLink", "Project", p, "Dataset", shared)
	c.link("ProjectDatasetLink", "Project", c.named("Project", "other"), "Dataset", shared)
	chown := func(to string) *ice.Object {
		return f.defs.New("::omero::cmd::Chown2").Set("userId", f.users[to]).Set("targetObjects", ice.Dict{{Key: "Project", Value: []int64{p}}})
	}
	if rsp := c.run(chown("bob")); !rsp.IsA("::omero::cmd::ERR") {
		t.Errorf("by its owner, who owns no group: got %s", rsp.Class.ID)
	}
	if rsp := f.login("root", "").run(f.defs.New("::omero::cmd::Chown2").Set("userId", int64(1)).
		Set("targetObjects", ice.Dict{{Key: "Project", Value: []int64{p}}})); !rsp.IsA("::omero::cmd::GraphException") {
		t.Errorf("to somebody outside: got %s", rsp.Class.ID)
	}
	eve := f.login("eve", "annotate") // owns the group
	if rsp := eve.run(chown("bob").Set("dryRun", true)); !rsp.IsA("::omero::cmd::Chown2Response") || f.store.Get("Project", p).Owner != f.users["ada"] {
		t.Errorf("dry run: got %s", rsp.Class.ID)
	}
	eve.run(chown("bob"))
	for _, tc := range []struct {
		class string
		id    int64
		owner string
	}{{"Project", p, "bob"}, {"Dataset", d, "bob"}, {"ProjectDatasetLink", inside, "bob"}, {"Dataset", shared, "ada"}, {"ProjectDatasetLink", torn, "ada"}} {
		if row := f.store.Get(tc.class, tc.id); row == nil || row.Owner != f.users[tc.owner] {
			t.Errorf("%s %d: got %+v, want it to be %s's", tc.class, tc.id, row, tc.owner)
		}
	}
}

func TestChmod(t *testing.T) {
	f := serve(t, Config{})
	chmod := func(perms string) *ice.Object {
		return f.defs.New("::omero::cmd::Chmod2").Set("permissions", perms).
			Set("targetObjects", ice.Dict{{Key: "ExperimenterGroup", Value: []int64{f.groups["private"]}}})
	}
	perm := func() string { return FormatPermissions(f.store.Get("ExperimenterGroup", f.groups["private"]).Perm) }
	if rsp := f.login("ada", "private").run(chmod("rwrw--")); !rsp.IsA("::omero::cmd::ERR") || perm() != "rw----" {
		t.Errorf("by a member: got %s, %s", rsp.Class.ID, perm())
	}
	if rsp := f.login("root", "").run(chmod("nonsense")); !rsp.IsA("::omero::cmd::ERR") {
		t.Errorf("nonsense: got %s", rsp.Class.ID)
	}
	eve := f.login("eve", "private")
	if eve.run(chmod("rwrw--").Set("dryRun", true)); perm() != "rw----" {
		t.Errorf("dry run: got %s", perm())
	}
	if rsp := eve.run(chmod("rwrw--")); !rsp.IsA("::omero::cmd::Chmod2Response") || perm() != "rwrw--" {
		t.Errorf("by an owner: got %s, %s", rsp.Class.ID, perm())
	}
}

func TestOriginalMetadata(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "private")
	pic := imaging.Picture{
		Series: imaging.Series{SizeX: 5, SizeY: 4, SizeZ: 1, SizeC: 1, SizeT: 1, Type: imaging.Uint8},
		Plane:  func(int, int, int) []byte { return make([]byte, 20) },
	}
	data, err := imaging.TIFF(pic, false)
	if err != nil {
		t.Fatal(err)
	}
	image := c.imports(nil, nil, upload{"a.tif", data})[0]
	ask := func(c *client, image int64) *ice.Object {
		return c.run(f.defs.New("::omero::cmd::OriginalMetadataRequest").Set("imageId", image))
	}
	rsp := ask(c, image)
	global := rsp.Get("globalMetadata").(ice.Dict)
	for key, want := range map[string]string{"ImageWidth": "5", "ImageLength": "4", "BitsPerSample": "8", "PhotometricInterpretation": "BlackIsZero"} {
		if v, _ := global.Get(key); unbox(v) != want {
			t.Errorf("%s: got %v, want %s", key, unbox(v), want)
		}
	}
	if id := unbox(rsp.Get("filesetId")); id != f.store.Get("Image", image).Ref("fileset") {
		t.Errorf("fileset: got %v", id)
	}
	bare, _ := c.made()
	if rsp := ask(c, bare); len(rsp.Get("globalMetadata").(ice.Dict)) != 0 || unbox(rsp.Get("filesetId")) != nil {
		t.Errorf("an image without files: got %v", rsp.Values)
	}
	if rsp := ask(f.login("bob", "private"), image); !rsp.IsA("::omero::cmd::ERR") {
		t.Errorf("another's image: got %s", rsp.Class.ID)
	}
}
