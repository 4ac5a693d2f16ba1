package blitz

import (
	"fmt"
	"slices"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

func TestProjectionValues(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p := c.named("Project", "größe")
	rows := c.project("select p.id, p.name, p.description, p.version, p.details.creationEvent.time, count(p) from Project p where p.name = :n group by p.id, p.details.creationEvent.time", map[string]any{"n": "größe"})
	want := fmt.Sprint([]any{p, "größe", nil, int32(0), store.Time(1_700_000_000_000), int64(1)})
	if len(rows) != 1 || fmt.Sprint(rows[0]...) != fmt.Sprint([]any{p, "größe", nil, int32(0), store.Time(1_700_000_000_000), int64(1)}...) {
		t.Errorf("got %v, want %s", rows, want)
	}
	out := c.call("IQuery", "projection", "select new map(p.id as id, p as p_details_permissions), p from Project p", nil)[0].([]any)[0].([]any)
	m := unbox(out[0]).(ice.Dict)
	perms, _ := m.Get("p_details_permissions")
	rights := unbox(perms).(ice.Dict)
	for key, want := range map[string]any{"perm": "rwrw--", "canEdit": true, "canLink": true, "canDelete": true, "canAnnotate": true, "canChgrp": true, "canChown": false} {
		if got, _ := rights.Get(key); unbox(got) != want {
			t.Errorf("%s: got %v, want %v", key, unbox(got), want)
		}
	}
	if o := unbox(out[1]).(*ice.Object); o.Class.ID != "::omero::model::Project" || o.Get("loaded") != true {
		t.Errorf("entity: got %+v", o)
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	c.named("Project", "a")
	c.named("Project", "b")
	for query, want := range map[string]string{
		"select p.nonsense from Project p":           QueryError,
		"select p.id from Project p where p.id = :x": QueryError,
		"selct":                           QueryError,
		"select m.bytes from Mask m":      "",
		"select p.id from Project p":      "",
		"select p.name, p from Project p": "",
	} {
		_, err := c.try("IQuery", "projection", query, nil)
		if want == "" && err != nil {
			t.Errorf("%s: %v", query, err)
		} else if want != "" {
			wantException(t, query, err, want)
		}
	}
	_, err := c.try("IQuery", "findByQuery", "select p from Project p", nil)
	wantException(t, "two objects for findByQuery", err, APIUsage)
	_, err = c.try("IQuery", "findAllByQuery", "select p.id from Project p", nil)
	wantException(t, "ids for findAllByQuery", err, APIUsage)
	_, err = c.try("IQuery", "get", "Project", int64(999))
	wantException(t, "get of nothing", err, Validation)
	_, err = c.try("IQuery", "find", "Nonsense", int64(1))
	wantException(t, "find of no class", err, APIUsage)
	if out := c.call("IQuery", "find", "Project", int64(999)); out[0] != nil {
		t.Errorf("find of nothing: got %v", out[0])
	}
	if out := c.call("IQuery", "findByQuery", "select p from Project p where p.id = 999", nil); out[0] != nil {
		t.Errorf("findByQuery of nothing: got %v", out[0])
	}
}

func TestPaging(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	var all []int64
	for i := range 5 {
		all = append(all, c.named("Project", fmt.Sprint(i)))
	}
	filter := f.defs.New("::omero::sys::Filter").Set("offset", f.RInt(1)).Set("limit", f.RInt(2))
	p := f.defs.New("::omero::sys::Parameters").Set("theFilter", filter)
	out := c.call("IQuery", "findAllByQuery", "select p from Project p order by p.id", p)[0].([]any)
	var got []int64
	for _, o := range out {
		got = append(got, unbox(o.(*ice.Object).Get("id")).(int64))
	}
	if !slices.Equal(got, all[1:3]) {
		t.Errorf("got %v, want %v", got, all[1:3])
	}
}

func TestFetchedGraph(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	p, d := c.named("Project", "p"), c.named("Dataset", "d")
	c.link("ProjectDatasetLink", "Project", p, "Dataset", d)
	o := c.call("IQuery", "findByQuery", "select p from Project p left outer join fetch p.datasetLinks l left outer join fetch l.child join fetch p.details.owner where p.id = :id", c.params(map[string]any{"id": p}))[0].(*ice.Object)
	links := o.Get("datasetLinksSeq").([]any)
	if o.Get("datasetLinksLoaded") != true || len(links) != 1 {
		t.Fatalf("links: loaded %v, %d", o.Get("datasetLinksLoaded"), len(links))
	}
	link := links[0].(*ice.Object)
	if link.Get("parent") != o {
		t.Error("the link does not lead back to the same project object")
	}
	child := link.Get("child").(*ice.Object)
	if child.Get("loaded") != true || unbox(child.Get("name")) != "d" || child.Get("projectLinksLoaded") != false {
		t.Errorf("child: loaded %v, name %v, links loaded %v", child.Get("loaded"), unbox(child.Get("name")), child.Get("projectLinksLoaded"))
	}
	details := o.Get("details").(*ice.Object)
	owner, group := details.Get("owner").(*ice.Object), details.Get("group").(*ice.Object)
	if owner.Get("loaded") != true || unbox(owner.Get("omeName")) != "ada" {
		t.Errorf("fetched owner: loaded %v, name %v", owner.Get("loaded"), unbox(owner.Get("omeName")))
	}
	if group.Get("loaded") != false || unbox(group.Get("id")) != f.groups["write"] {
		t.Errorf("group: loaded %v, id %v", group.Get("loaded"), unbox(group.Get("id")))
	}
	if o.Get("annotationLinksLoaded") != false {
		t.Error("a collection that was not fetched is loaded")
	}
}

// TestVisibility checks who sees the project that ada made in each group.
func TestVisibility(t *testing.T) {
	f := serve(t, Config{})
	for group, readers := range map[string][]string{
		"private": {"ada", "eve", "root"}, "readonly": {"ada", "bob", "eve", "root"},
		"annotate": {"ada", "bob", "eve", "root"}, "write": {"ada", "bob", "eve", "root"},
	} {
		id := f.login("ada", group).named("Project", group)
		for _, user := range []string{"ada", "bob", "eve", "root"} {
			c := f.login(user, group)
			for what, client := range map[string]*client{"its group": c, "all groups": c.on(-1)} {
				found := len(client.ids("select p.id from Project p where p.id = :id", map[string]any{"id": id})) == 1
				if want := slices.Contains(readers, user); found != want {
					t.Errorf("%s, %s in %s: seen %v, want %v", group, user, what, found, want)
				}
			}
			if n := len(c.on(f.groups["private"]).ids("select p.id from Project p where p.id = :id and p.details.group.id != :g", map[string]any{"id": id, "g": f.groups["private"]})); n != 0 {
				t.Errorf("%s, %s: seen in another group", group, user)
			}
		}
	}
}

// TestRights is the table of what one may do with the data of others.
func TestRights(t *testing.T) {
	f := serve(t, Config{})
	type rights struct{ link, edit, remove, annotate, chgrp, chown bool }
	full := rights{true, true, true, true, true, false}
	for _, tc := range []struct {
		group, user string
		want        rights
	}{
		{"private", "ada", full}, {"readonly", "ada", full}, {"annotate", "ada", full}, {"write", "ada", full},
		{"readonly", "bob", rights{}}, {"annotate", "bob", rights{annotate: true}}, {"write", "bob", rights{link: true, edit: true, remove: true, annotate: true}},
		{"private", "eve", rights{edit: true, remove: true, chown: true}},
		{"readonly", "eve", rights{true, true, true, true, false, true}},
		{"private", "root", rights{edit: true, remove: true, chgrp: true, chown: true}},
		{"annotate", "root", rights{true, true, true, true, true, true}},
	} {
		id := f.login("ada", tc.group).named("Project", "x")
		o := f.login(tc.user, tc.group).object("Project", id)
		r := o.Get("details").(*ice.Object).Get("permissions").(*ice.Object).Get("restrictions").([]bool)
		if got := (rights{!r[0], !r[1], !r[2], !r[3], !r[4], !r[5]}); got != tc.want {
			t.Errorf("%s in %s: got %+v, want %+v", tc.user, tc.group, got, tc.want)
		}
	}
}

func TestAdminListings(t *testing.T) {
	f := serve(t, Config{})
	c := f.login("ada", "write")
	groups := c.call("IAdmin", "containedGroups", f.users["ada"])[0].([]any)
	if len(groups) != 5 {
		t.Errorf("ada is in %d groups, want 5", len(groups))
	}
	g := c.call("IAdmin", "getGroup", f.groups["write"])[0].(*ice.Object)
	maps := g.Get("groupExperimenterMapSeq").([]any)
	if len(maps) != 3 || unbox(maps[0].(*ice.Object).Get("child").(*ice.Object).Get("omeName")) != "ada" {
		t.Errorf("members of the group: got %d", len(maps))
	}
	if u := c.call("IAdmin", "lookupExperimenter", "bob")[0].(*ice.Object); unbox(u.Get("id")) != f.users["bob"] {
		t.Errorf("lookup: got %v", unbox(u.Get("id")))
	}
	_, err := c.try("IAdmin", "lookupExperimenter", "nobody")
	wantException(t, "unknown user", err, APIUsage)
	leads := f.login("eve", "").call("IAdmin", "getLeaderOfGroupIds", c.ref("Experimenter", f.users["eve"]))[0].([]int64)
	if len(leads) != 4 {
		t.Errorf("eve leads %v", leads)
	}
	if n := len(c.call("ITypes", "allEnumerations", "PixelsType")[0].([]any)); n != 11 {
		t.Errorf("got %d pixel types, want 11", n)
	}
}
