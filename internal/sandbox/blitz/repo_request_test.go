package blitz

import (
	"testing"

	"omerods/internal/ice"
)

// TestImportRequest looks at what the handle of an import says of it: clients
// take the fileset from there, so its objects are loaded.
func TestImportRequest(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	file := picture("a/cells.png")
	process := c.begin(nil, nil, file)
	handle := c.must(process, processType, "verifyUpload", []string{file.sum()}).(*ice.Proxy)
	c.wait(handle)
	req := c.must(handle, handleType, "getRequest").(*ice.Object)
	activity, log := req.Get("activity").(*ice.Object), req.Get("logFile").(*ice.Object)
	fileset, job := activity.Get("parent").(*ice.Object), activity.Get("child").(*ice.Object)
	for name, o := range map[string]*ice.Object{"activity": activity, "fileset": fileset, "job": job, "log": log} {
		if o.Get("loaded") != true {
			t.Errorf("%s is not loaded: %v", name, o.Values)
		}
	}
	if want := c.ids("select s.id from Fileset s", nil)[0]; unbox(fileset.Get("id")) != want || !job.IsA("::omero::model::UploadJob") {
		t.Errorf("got fileset %v and %s, want %d and an UploadJob", unbox(fileset.Get("id")), job.Class.ID, want)
	}
	if name := unbox(log.Get("mimetype")); name != "application/omero-log-file" {
		t.Errorf("the log is %v", name)
	}
}

// TestListImports lists imports that are under way: those whose files the
// caller may change, also of other sessions.
func TestListImports(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	process := c.begin(nil, nil, picture("cells.png"))
	for name, want := range map[string]int{"ada": 1, "bob": 0, "eve": 1, "root": 1} { // eve owns the group
		other := f.login(name, "annotate")
		if got := other.must(other.managed(), managedType, "listImports").([]any); len(got) != want || want == 1 && got[0].(*ice.Proxy).Identity != process.Identity {
			t.Errorf("%s: got %v, want %d", name, got, want)
		}
	}
	c.must(process, processType, "close")
	if got := c.must(c.managed(), managedType, "listImports").([]any); len(got) != 0 {
		t.Errorf("after close: got %v", got)
	}
}
