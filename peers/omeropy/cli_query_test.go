//go:build peer

package omeropy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

func text(id int64) string { return strconv.FormatInt(id, 10) }

// TestHQL compares the rows of queries with what the server's store holds.
func TestHQL(t *testing.T) {
	p, lab := loggedIn(t, "ada"), groupID(t, "lab")
	s := box.Store()

	var want [][]string
	for _, r := range visible("Project", lab) {
		want = append(want, []string{text(r.ID), r.Text("name"), fmt.Sprint(len(s.Collection("Project", r.ID, "datasetLinks")))})
	}
	wantRows(t, "count of links",
		p.hql("select p.id, p.name, count(l.id) from Project p left outer join p.datasetLinks l group by p.id, p.name order by p.id"), want)
	wantRows(t, "limit and offset",
		p.hql("select p.id, p.name, size(p.datasetLinks) from Project p order by p.id", "--limit", "2", "--offset", "1"), want[1:3])

	want = nil
	for _, r := range visible("Pixels", lab) {
		image, kind := s.Get("Image", r.Ref("image")), s.Get("PixelsType", r.Ref("pixelsType"))
		if x := r.Get("sizeX").(int32); kind.Text("value") == "uint16" && x > 128 {
			want = append(want, []string{image.Text("name"), "uint16", fmt.Sprint(x)})
		}
	}
	wantRows(t, "joins and conditions",
		p.hql("select i.name, t.value, p.sizeX from Pixels p join p.image i join p.pixelsType t where t.value = 'uint16' and p.sizeX > 128 order by p.id"), want)

	// Fetched objects arrive with their members.
	g := object(t, "Image", "glomerulus.ome.tiff")
	rows := p.table("hql", "-q", fmt.Sprintf("select p from Pixels p join fetch p.image join fetch p.pixelsType left outer join fetch p.channels where p.id = %d", s.Collection("Image", g.ID, "pixels")[0].ID))
	px := s.Collection("Image", g.ID, "pixels")[0]
	if len(rows) == 0 || rows[0]["Class"] != "PixelsI" || rows[0]["sizeX"] != fmt.Sprint(px.Get("sizeX")) || rows[0]["image"] != named("ImageI", g.ID) {
		t.Errorf("pixels: got %v", rows)
	}

	var sum, most int64
	for _, r := range visible("Pixels", lab) {
		x := int64(r.Get("sizeX").(int32))
		sum, most = sum+x, max(most, x)
	}
	wantRows(t, "aggregates", p.hql("select sum(p.sizeX), max(p.sizeX), count(*) from Pixels p"),
		[][]string{{text(sum), text(most), fmt.Sprint(len(visible("Pixels", lab)))}})

	// Subqueries, text with letters beyond ASCII, in, case.
	wantRows(t, "images with a tag",
		p.hql("select i.name from Image i where i.id in (select l.parent.id from ImageAnnotationLink l where l.child.textValue = 'Färbung: LAMP1')"), [][]string{{g.Text("name")}})
	wantRows(t, "pairs of a map",
		p.hql(fmt.Sprintf("select m.name, m.value from MapAnnotation a join a.mapValue m where a.ns like '%%mapAnnotation' and exists (select l.id from ImageAnnotationLink l where l.child.id = a.id and l.parent.id = %d)", g.ID)),
		pairsOf(t, g))
	wantRows(t, "upper and concatenation",
		p.hql("select upper(e.omeName) || '@' || lower(e.lastName) from Experimenter e where e.omeName = 'juergen'"), [][]string{{"JUERGEN@groß"}})

	// In all groups there is also what lies in the private one.
	names := func(rows [][]string) (out []string) {
		for _, r := range rows {
			out = append(out, r[0])
		}
		return out
	}
	const unpublished = "Unpublished"
	if got := names(p.hql("select p.name from Project p order by p.id")); slices.Contains(got, unpublished) {
		t.Errorf("the group's projects hold the private one: %q", got)
	}
	if got := names(p.hql("select p.name from Project p order by p.id", "--all")); !slices.Contains(got, unpublished) {
		t.Errorf("all projects: %q", got)
	}
	if got := names(loggedIn(t, "grace").hql("select p.name from Project p order by p.id", "--all")); slices.Contains(got, unpublished) {
		t.Errorf("another member of the private group sees %q", got)
	}
	p.fails("Bad query", "hql", "-q", "select nonsense from Project p")
	p.fails("Bad query", "hql", "-q", "select p.name from Nonsense p")
}

// pairsOf are the key-value pairs on an image in the namespace of clients.
func pairsOf(t *testing.T, image *store.Row) (out [][]string) {
	t.Helper()
	for _, l := range box.Store().Collection("Image", image.ID, "annotationLinks") {
		a := box.Store().Get("Annotation", l.Ref("child"))
		if a.Class.Name != "MapAnnotation" || !strings.HasSuffix(a.Text("ns"), "/mapAnnotation") {
			continue
		}
		for _, v := range a.Get("mapValue").([]store.NamedValue) {
			out = append(out, []string{v.Name, v.Value})
		}
	}
	return out
}

// TestPeople lists groups and users.
func TestPeople(t *testing.T) {
	p, s := loggedIn(t, "ada"), box.Store()
	rights := map[int64]string{-120: "rw----", -56: "rwr---", -52: "rwr-r-", -40: "rwra--", -8: "rwrw--"}
	members := make(map[int64][]string)
	s.Each("GroupExperimenterMap", func(m *store.Row) bool {
		members[m.Ref("parent")] = append(members[m.Ref("parent")], text(m.Ref("child")))
		return true
	})
	var groups []map[string]string
	s.Each("ExperimenterGroup", func(g *store.Row) bool {
		groups = append(groups, map[string]string{"id": text(g.ID), "name": g.Text("name"), "perms": rights[g.Perm]})
		return true
	})
	rows := p.table("group", "list")
	if len(rows) != len(groups) {
		t.Fatalf("got %d groups, want %d", len(rows), len(groups))
	}
	for i, want := range groups {
		for k, v := range want {
			if rows[i][k] != v {
				t.Errorf("group %s: got %s %q, want %q", want["name"], k, rows[i][k], v)
			}
		}
		owners, _ := strconv.Atoi(rows[i]["# of owners"])
		others, _ := strconv.Atoi(rows[i]["# of members"])
		id, _ := strconv.ParseInt(want["id"], 10, 64)
		if n := len(members[id]); owners+others != n {
			t.Errorf("group %s: got %d owners and %d members, want %d together", want["name"], owners, others, n)
		}
	}
	if rows := p.table("group", "info", "lab"); len(rows) != 1 || rows[0]["name"] != "lab" {
		t.Errorf("group info: got %v", rows)
	}

	users := p.table("user", "list")
	if n := s.Count("Experimenter"); len(users) != n {
		t.Errorf("got %d users, want %d", len(users), n)
	}
	for _, u := range users {
		id, _ := strconv.ParseInt(u["id"], 10, 64)
		e := wantRow(t, "Experimenter", id)
		if u["login"] != e.Text("omeName") || u["first name"] != e.Text("firstName") || u["last name"] != e.Text("lastName") || u["email"] != e.Text("email") {
			t.Errorf("user %d: got %v", id, u)
		}
	}
	for _, g := range []string{"lab", "private"} {
		var got []string
		for _, u := range p.table("group", "listusers", g) {
			got = append(got, u["id"])
		}
		if want := members[groupID(t, g)]; !slices.Equal(got, want) {
			t.Errorf("members of %s: got %v, want %v", g, got, want)
		}
	}
	if rows := p.table("user", "info", "juergen"); len(rows) != 1 || rows[0]["last name"] != "Groß" {
		t.Errorf("user info: got %v", rows)
	}
	var mine []string
	for _, g := range p.table("user", "listgroups") {
		mine = append(mine, g["name"])
	}
	if want := []string{"user", "lab", "private"}; !slices.Equal(mine, want) {
		t.Errorf("groups of ada: got %v, want %v", mine, want)
	}
	p.fails("", "user", "info", "nobody")
}
