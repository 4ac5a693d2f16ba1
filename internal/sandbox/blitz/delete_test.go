package blitz

import (
	"os"
	"path/filepath"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// delete2 makes a Delete2 for objects of one class.
func (c *client) delete2(class string, ids ...int64) *ice.Object {
	return c.f.defs.New("::omero::cmd::Delete2").Set("targetObjects", ice.Dict{{Key: class, Value: ids}})
}

// deleted runs a Delete2 and returns how many objects of each class went.
func (c *client) deleted(req *ice.Object) map[string]int {
	c.f.t.Helper()
	rsp := c.run(req)
	if !rsp.IsA("::omero::cmd::Delete2Response") {
		c.f.t.Fatalf("got %s: %v", rsp.Class.ID, rsp.Values)
	}
	out := make(map[string]int)
	for _, p := range rsp.Get("deletedObjects").(ice.Dict) {
		out[p.Key.(string)] = len(p.Value.([]int64))
	}
	return out
}

func (f *fixture) wantGone(what string, class string, id int64, gone bool) {
	f.t.Helper()
	if got := f.store.Get(class, id) == nil; got != gone {
		f.t.Errorf("%s: %s %d gone %v, want %v", what, class, id, got, gone)
	}
}

func TestDeleteKeepsWhatIsLinkedElsewhere(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p, q := c.named("Project", "p"), c.named("Project", "q")
	only, shared := c.named("Dataset", "only"), c.named("Dataset", "shared")
	c.link("ProjectDatasetLink", "Project", p, "Dataset", only)
	c.link("ProjectDatasetLink", "Project", p, "Dataset", shared)
	c.link("ProjectDatasetLink", "Project", q, "Dataset", shared)
	img := c.named("Image", "i")
	c.link("DatasetImageLink", "Dataset", only, "Image", img)
	mine := c.save(c.fresh("TagAnnotation", map[string]any{"textValue": "mine"}))[0]
	used := c.save(c.fresh("TagAnnotation", map[string]any{"textValue": "used"}))[0]
	c.link("ImageAnnotationLink", "Image", img, "TagAnnotation", mine)
	c.link("ImageAnnotationLink", "Image", img, "TagAnnotation", used)
	c.link("ProjectAnnotationLink", "Project", q, "TagAnnotation", used)

	dry := c.delete2("Project", p).Set("dryRun", true)
	want := map[string]int{"ome.model.containers.Project": 1, "ome.model.containers.Dataset": 1, "ome.model.core.Image": 1, "ome.model.annotations.TagAnnotation": 1}
	got := c.deleted(dry)
	for class, n := range want {
		if got[class] != n {
			t.Errorf("dry run: %d of %s, want %d", got[class], class, n)
		}
	}
	f.wantGone("dry run", "Project", p, false)

	c.deleted(c.delete2("Project", p))
	for _, tc := range []struct {
		class string
		id    int64
		gone  bool
	}{{"Project", p, true}, {"Dataset", only, true}, {"Image", img, true}, {"TagAnnotation", mine, true}, {"Project", q, false}, {"Dataset", shared, false}, {"TagAnnotation", used, false}} {
		f.wantGone("delete", tc.class, tc.id, tc.gone)
	}
	if n := len(c.deleted(c.delete2("Project", p, 999))); n != 0 {
		t.Errorf("deleting nothing: %d classes", n)
	}
}

func TestDeleteOptions(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p, d := c.named("Project", "p"), c.named("Dataset", "d")
	link := c.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	c.deleted(c.delete2("ProjectDatasetLink", link))
	f.wantGone("link alone", "Dataset", d, false)

	c.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	keep := f.defs.New("::omero::cmd::graphs::ChildOption").Set("excludeType", []string{"Dataset"})
	c.deleted(c.delete2("Project", p).Set("childOptions", []any{keep}))
	f.wantGone("excluded type", "Project", p, true)
	f.wantGone("excluded type", "Dataset", d, false)

	tag := c.save(c.fresh("TagAnnotation", map[string]any{"textValue": "t", "ns": "keep/this"}))[0]
	c.link("DatasetAnnotationLink", "Dataset", d, "TagAnnotation", tag)
	ns := f.defs.New("::omero::cmd::graphs::ChildOption").Set("excludeNs", []string{"keep/this"})
	c.deleted(c.delete2("Dataset", d).Set("childOptions", []any{ns}))
	f.wantGone("excluded namespace", "TagAnnotation", tag, false)

	rsp := c.run(c.delete2("Nonsense", 1))
	if !rsp.IsA("::omero::cmd::ERR") {
		t.Errorf("unknown class: got %s", rsp.Class.ID)
	}
}

func TestDeleteOfFilesets(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	var fileset, file, roi int64
	var images []int64
	actor := store.Actor{User: f.users["ada"], Group: f.groups["write"]}
	err := f.store.Write(actor, func(a *store.Author) error {
		create := func(class string, v store.Values) int64 {
			row, err := a.Create(class, v)
			if err != nil {
				t.Fatal(err)
			}
			return row.ID
		}
		fileset = create("Fileset", store.Values{"templatePrefix": "x/"})
		file = create("OriginalFile", store.Values{"name": "a.tif", "path": "ada_1/x/", "repo": "uuid", "size": 3})
		create("FilesetEntry", store.Values{"fileset": fileset, "originalFile": file, "clientPath": "a.tif"})
		for range 2 {
			images = append(images, create("Image", store.Values{"name": "i", "fileset": fileset}))
		}
		lc := create("LogicalChannel", nil)
		px := create("Pixels", store.Values{"image": images[0], "pixelsType": "uint8", "dimensionOrder": "XYZCT", "sha1": "-", "sizeX": 1, "sizeY": 1, "sizeZ": 1, "sizeC": 1, "sizeT": 1})
		create("Channel", store.Values{"pixels": px, "logicalChannel": lc})
		roi = create("Roi", store.Values{"image": images[0]})
		create("Point", store.Values{"roi": roi})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	path, err := f.FilePath(f.store.Get("OriginalFile", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}

	rsp := c.run(c.delete2("Image", images[0]))
	if !rsp.IsA("::omero::cmd::GraphException") {
		t.Fatalf("one image of two: got %s", rsp.Class.ID)
	}
	f.wantGone("refused", "Image", images[0], false)
	c.deleted(c.delete2("Image", images...))
	for class, id := range map[string]int64{"Fileset": fileset, "OriginalFile": file, "Roi": roi} {
		f.wantGone("all images", class, id, true)
	}
	for _, class := range []string{"Pixels", "Channel", "LogicalChannel", "Shape", "FilesetEntry"} {
		if n := f.store.Count(class); n != 0 {
			t.Errorf("%d %s left", n, class)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("file on disk: got %v, want it gone", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("empty folder: got %v, want it gone", err)
	}
}

func TestHandles(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	out, err := c.factory("submit", f.defs.New("::omero::cmd::Duplicate"))
	if err != nil || out[0] != nil {
		t.Errorf("request that nobody takes: got %v, %v", out, err)
	}
	_, err = c.on(f.groups["other"]).factory("submit", c.delete2("Project", 1))
	if err == nil {
		t.Error("submit in a foreign group succeeds")
	}

	p := c.named("Project", "p")
	req := f.defs.New("::omero::cmd::DoAll").Set("requests", []any{c.delete2("Project", p), c.delete2("Nonsense", 1)})
	if rsp := c.run(req); !rsp.IsA("::omero::cmd::ERR") {
		t.Errorf("DoAll with a failing part: got %s", rsp.Class.ID)
	}
	out, err = c.factory("submit", c.delete2("Project", p))
	if err != nil {
		t.Fatal(err)
	}
	handle := out[0].(*ice.Proxy)
	const iface = "::omero::cmd::Handle"
	for {
		out, err = c.CallName(t.Context(), handle, iface, "getStatus", nil)
		if err != nil {
			t.Fatal(err)
		}
		st := out[0].(*ice.Object)
		if flags := st.Get("flags").([]any); flags[0] != stateActive {
			if flags[0] != stateSuccess || st.Get("currentStep") != st.Get("steps") {
				t.Errorf("status: got %v, step %v of %v", flags, st.Get("currentStep"), st.Get("steps"))
			}
			break
		}
	}
	if out, err = c.CallName(t.Context(), handle, iface, "getRequest", nil); err != nil || !out[0].(*ice.Object).IsA("::omero::cmd::Delete2") {
		t.Errorf("request of the handle: got %v, %v", out, err)
	}
	if _, err = c.CallName(t.Context(), handle, iface, "close", nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.CallName(t.Context(), handle, iface, "getResponse", nil)
	wantStatus(t, "closed handle", err, ice.StatusObjectNotExist)
}
