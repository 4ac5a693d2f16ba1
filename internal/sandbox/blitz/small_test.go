package blitz

import (
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

func TestFactory(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "")
	out, err := c.factory("getByName", "omero.api.IQuery")
	if err != nil {
		t.Fatal(err)
	}
	query := out[0].(*ice.Proxy)
	if out, err = c.factory("activeServices"); err != nil || len(out[0].([]string)) != 1 {
		t.Errorf("active services: got %v, %v", out, err)
	}
	if out, err = c.factory("keepAlive", query); err != nil || out[0] != true {
		t.Errorf("keepAlive: got %v, %v", out, err)
	}
	gone := &ice.Proxy{Identity: ice.Identity{Name: "gone", Category: c.uuid}}
	if out, err = c.factory("keepAllAlive", []any{gone, query}); err != nil || out[0] != int64(2) {
		t.Errorf("keepAllAlive: got %v, %v, want bit 1", out, err)
	}
	for op, name := range map[string]string{"getByName": "omero.api.Nonsense", "createByName": "omero.api.IQuery"} {
		_, err = c.factory(op, name)
		wantException(t, op, err, APIUsage)
	}

	old, err := c.factory("setSecurityContext", c.ref("ExperimenterGroup", f.groups["write"]))
	if err != nil {
		t.Fatal(err)
	}
	if id := unbox(old[0].(*ice.Object).Get("id")); id != f.groups["private"] {
		t.Errorf("former group: got %v, want the default one", id)
	}
	if ec := c.call("IAdmin", "getEventContext")[0].(*ice.Object); ec.Get("groupName") != "write" {
		t.Errorf("group: got %v, want write", ec.Get("groupName"))
	}
	_, err = c.factory("setSecurityContext", c.ref("ExperimenterGroup", f.groups["other"]))
	wantException(t, "foreign group", err, SecurityViolation)
	if _, err = c.factory("setSecurityPassword", "pw-ada"); err != nil {
		t.Error(err)
	}
	_, err = c.factory("setSecurityPassword", "x")
	wantException(t, "wrong password", err, SecurityViolation)
}

func TestConfig(t *testing.T) {
	f := serve(t, Config{Version: "5.6.9-test", Settings: map[string]string{"omero.client.x": "y"}})
	c := f.login("ada", "")
	if v := c.call("IConfig", "getVersion")[0]; v != "5.6.9-test" {
		t.Errorf("version: got %v", v)
	}
	if v := c.call("IConfig", "getConfigValue", "omero.fs.repo.path_rules")[0]; v != "Windows required, UNIX required" {
		t.Errorf("setting: got %v", v)
	}
	d := c.call("IConfig", "getClientConfigValues")[0].(ice.Dict)
	if v, _ := d.Get("omero.client.x"); v != "y" {
		t.Errorf("client settings: got %v", d)
	}
	if _, ok := d.Get("omero.version"); ok {
		t.Error("client settings hold a server's")
	}
	if now := unbox(c.call("IConfig", "getServerTime")[0]); now != store.Time(f.clock.Now().UnixMilli()) {
		t.Errorf("time: got %v", now)
	}
	_, err := c.try("IConfig", "getConfigValues", ".*")
	wantException(t, "settings for a user", err, SecurityViolation)
	_, err = c.try("IConfig", "getConfigValue", "omero.db.pass")
	wantException(t, "database password for a user", err, SecurityViolation)
}

func TestRolesAndPrivileges(t *testing.T) {
	f := serve(t, Config{})
	ada, root := f.login("ada", "write"), f.login("root", "")
	if r := ada.call("IAdmin", "getSecurityRoles")[0].(*ice.Object); r.Get("userGroupId") != int64(1) || r.Get("rootName") != "root" {
		t.Errorf("roles: got %v", r.Values)
	}
	for c, want := range map[*client]int{ada: 0, root: 15} {
		if n := len(c.call("IAdmin", "getCurrentAdminPrivileges")[0].([]any)); n != want {
			t.Errorf("got %d privileges, want %d", n, want)
		}
	}
	p := ada.named("Project", "p")
	bob := f.login("bob", "annotate")
	for c, want := range map[*client]bool{ada: true, bob: false, bob.on(f.groups["write"]): true} {
		if got := c.call("IAdmin", "canUpdate", c.ref("Project", p))[0]; got != want {
			t.Errorf("canUpdate: got %v, want %v", got, want)
		}
	}
}

func TestFinders(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	for _, name := range []string{"Alpha", "alphabet", "beta"} {
		c.named("Project", name)
	}
	if n := len(c.call("IQuery", "findAll", "omero.model.ProjectI", nil)[0].([]any)); n != 3 {
		t.Errorf("findAll: got %d, want 3", n)
	}
	for caseSensitive, want := range map[bool]int{true: 1, false: 2} {
		if n := len(c.call("IQuery", "findAllByString", "Project", "name", "Alpha", caseSensitive, nil)[0].([]any)); n != want {
			t.Errorf("findAllByString: got %d, want %d", n, want)
		}
	}
	if o := c.call("IQuery", "findByString", "Project", "name", "beta")[0].(*ice.Object); unbox(o.Get("name")) != "beta" {
		t.Errorf("findByString: got %v", o)
	}
	_, err := c.try("IQuery", "findByString", "Project", "nonsense", "x")
	wantException(t, "unknown field", err, QueryError)
	o := c.object("Project", 1)
	if again := c.call("IQuery", "refresh", o)[0].(*ice.Object); unbox(again.Get("id")) != int64(1) {
		t.Errorf("refresh: got %v", again)
	}
}

func TestParameterTypes(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	img := c.save(c.fresh("Image", map[string]any{"name": "i", "acquisitionDate": store.Time(5000), "archived": true, "series": int32(3)}))[0]
	entity := f.rtype("RObject", c.ref("Image", img))
	names := f.rtype("RList", []any{f.RString("i"), f.RString("j")})
	p := f.defs.New("::omero::sys::Parameters").Set("map", ice.Dict{
		{Key: "t", Value: f.RTime(5000)}, {Key: "b", Value: f.RBool(true)}, {Key: "n", Value: f.RInt(3)}, {Key: "names", Value: names},
		{Key: "d", Value: f.RDouble(3)}, {Key: "e", Value: entity}, {Key: "unused", Value: f.RInt(1)},
	})
	const query = "select i.id from Image i where i.acquisitionDate = :t and i.archived = :b and i.series = :n and i.series = :d and i.name in (:names) and i = :e"
	if rows := c.call("IQuery", "projection", query, p)[0].([]any); len(rows) != 1 {
		t.Errorf("got %d rows, want 1", len(rows))
	}
	bad := f.defs.New("::omero::sys::Parameters").Set("map", ice.Dict{{Key: "m", Value: f.rtype("RMap", ice.Dict{})}})
	_, err := c.try("IQuery", "projection", "select i.id from Image i where i.id = :m", bad)
	wantException(t, "a map as parameter", err, APIUsage)
}

func TestDetailsOnSave(t *testing.T) {
	f := serve(t, Config{})
	details := func(owner, group int64) *ice.Object {
		d := f.defs.New("::omero::model::Details")
		if owner > 0 {
			d.Set("owner", f.defs.New("::omero::model::Experimenter").Set("id", f.RLong(owner)))
		}
		if group > 0 {
			d.Set("group", f.defs.New("::omero::model::ExperimenterGroup").Set("id", f.RLong(group)))
		}
		return d
	}
	ada, root := f.login("ada", "write"), f.login("root", "write")
	o := func(d *ice.Object) *ice.Object {
		return ada.fresh("Project", map[string]any{"name": "x"}).Set("details", d)
	}
	_, err := ada.trySave(o(details(f.users["bob"], 0)))
	wantException(t, "another's", err, SecurityViolation)
	_, err = ada.trySave(o(details(0, f.groups["private"])))
	wantException(t, "another group", err, SecurityViolation)
	id := ada.on(-1).save(o(details(0, f.groups["private"])))[0]
	if row := f.store.Get("Project", id); row.Group != f.groups["private"] {
		t.Errorf("group: got %d", row.Group)
	}
	id = root.save(o(details(f.users["bob"], 0)))[0]
	if row := f.store.Get("Project", id); row.Owner != f.users["bob"] || row.Group != f.groups["write"] {
		t.Errorf("owner %d, group %d", row.Owner, row.Group)
	}
	acting := f.login("root", "write")
	acting.ctx["omero.user"] = f.scalarText(f.users["ada"])
	if row := f.store.Get("Project", acting.named("Project", "for ada")); row.Owner != f.users["ada"] {
		t.Errorf("omero.user: owner %d", row.Owner)
	}
	ada.ctx["omero.user"] = f.scalarText(f.users["bob"])
	_, err = ada.trySave(o(nil))
	wantException(t, "omero.user by a user", err, SecurityViolation)

	info := ada.fresh("ExternalInfo", map[string]any{"entityId": int64(1), "entityType": "x", "lsid": "urn:x"})
	bob := f.login("bob", "write")
	id = bob.save(bob.fresh("Project", map[string]any{"name": "x"}).Set("details", f.defs.New("::omero::model::Details").Set("externalInfo", info)))[0]
	if rows := bob.project("select e.lsid from Project p join p.details.externalInfo e where p.id = :id", map[string]any{"id": id}); len(rows) != 1 || rows[0][0] != "urn:x" {
		t.Errorf("external info: got %v", rows)
	}
	// In all groups a link is in the group of what it joins.
	p, d := bob.named("Project", "p"), bob.named("Dataset", "d")
	link := bob.on(-1).link("ProjectDatasetLink", "Project", p, "Dataset", d)
	if row := f.store.Get("ProjectDatasetLink", link); row.Group != f.groups["write"] {
		t.Errorf("group of the link: got %d", row.Group)
	}
}

func TestContainerChanges(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	_, d, images, _, _ := annotated(c)
	created := c.call("IContainer", "createDataObject", c.fresh("Project", map[string]any{"name": "made"}), nil)[0].(*ice.Object)
	p := unbox(created.Get("id")).(int64)
	links := c.call("IContainer", "link", []any{c.fresh("ProjectDatasetLink", map[string]any{"parent": c.ref("Project", p), "child": c.ref("Dataset", d)})}, nil)[0].([]any)
	_, err := f.login("bob", "readonly").try("IContainer", "unlink", links, nil)
	wantException(t, "unlink in another group", err, Validation)
	c.call("IContainer", "unlink", links, nil)
	if n := len(f.store.Collection("Project", p, "datasetLinks")); n != 0 {
		t.Errorf("%d links left", n)
	}
	_, err = c.try("IContainer", "unlink", []any{c.ref("Project", p)}, nil)
	wantException(t, "unlinking a project", err, APIUsage)

	err = f.store.Write(store.Actor{User: f.users["ada"], Group: f.groups["write"]}, func(a *store.Author) error {
		fs, err := a.Create("Fileset", store.Values{"templatePrefix": "x"})
		if err != nil {
			return err
		}
		for _, id := range images {
			img := a.Tx().Get(a.Tx().Model().Class("Image"), id).Clone()
			img.SetValue(img.Class.Property("fileset"), fs.ID)
			a.Update(img)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]int{1: 1, 2: 0} {
		split := c.call("IContainer", "getImagesBySplitFilesets", ice.Dict{{Key: "Image", Value: images[:n]}}, nil)[0].(ice.Dict)
		if len(split) != want {
			t.Errorf("%d of 2 images: %d split filesets, want %d", n, len(split), want)
		}
	}
}

func TestDeleteObjectAndSaveRequest(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p, d := c.named("Project", "p"), c.named("Dataset", "d")
	link := c.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	_, err := c.try("IUpdate", "deleteObject", c.ref("Project", p))
	wantException(t, "a project with links", err, Validation)
	c.call("IUpdate", "deleteObject", c.ref("ProjectDatasetLink", link))
	c.call("IUpdate", "deleteObject", c.ref("Project", p))
	f.wantGone("deleteObject", "Project", p, true)

	save := f.defs.New("::omero::api::Save").Set("obj", c.fresh("Project", map[string]any{"name": "saved"}))
	rsp := c.run(f.defs.New("::omero::cmd::DoAll").Set("requests", []any{save, c.delete2("Dataset", d)}))
	if !rsp.IsA("::omero::cmd::DoAllRsp") || len(rsp.Get("responses").([]any)) != 2 {
		t.Fatalf("DoAll: got %s", rsp.Class.ID)
	}
	f.wantGone("DoAll", "Dataset", d, true)
	c.call("IUpdate", "saveArray", []any{c.fresh("Project", map[string]any{"name": "a"}), c.fresh("Project", map[string]any{"name": "b"})})
	if n := f.store.Count("Project"); n != 3 {
		t.Errorf("got %d projects, want 3", n)
	}
}

func TestSessionTimeouts(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "")
	rsp := c.run(f.defs.New("::omero::cmd::UpdateSessionTimeoutRequest").Set("session", c.uuid).Set("timeToIdle", f.RLong(10000)))
	if !rsp.IsA("::omero::cmd::OK") {
		t.Fatalf("got %s", rsp.Class.ID)
	}
	if row := f.store.Find("Session", func(r *store.Row) bool { return r.Text("uuid") == c.uuid }); row.Get("timeToIdle") != int64(10000) {
		t.Errorf("idle time of the row: got %v", row.Get("timeToIdle"))
	}
	own := c.call("ISession", "createUserSession", int64(0), int64(5000), "")[0].(*ice.Object)
	if unbox(own.Get("timeToIdle")) != int64(5000) {
		t.Errorf("idle time: got %v", unbox(own.Get("timeToIdle")))
	}
	if n := len(c.call("ISession", "getMyOpenSessions")[0].([]any)); n != 2 {
		t.Errorf("got %d open sessions, want 2", n)
	}
	joined, err := f.tryLogin(c.uuid, c.uuid, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = joined.try("IAdmin", "changePassword", f.RString("new"))
	wantException(t, "password in a joined session", err, SecurityViolation)
	f.clock.Add(9 * time.Second)
	if _, err := f.tryLogin(unbox(own.Get("uuid")).(string), unbox(own.Get("uuid")).(string), nil); err == nil {
		t.Error("the second session outlived its idle time")
	}
	c.call("IConfig", "getVersion")
	f.clock.Add(11 * time.Second)
	_, err = c.try("IConfig", "getVersion")
	wantStatus(t, "after the new idle time", err, ice.StatusObjectNotExist)
}
