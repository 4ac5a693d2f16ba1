//go:build peer

package omeropy

import (
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// membersOf are the members of a group by name, owners with a star.
func membersOf(group int64) (out []string) {
	s := box.Store()
	s.Each("GroupExperimenterMap", func(m *store.Row) bool {
		if m.Ref("parent") == group {
			name := s.Get("Experimenter", m.Ref("child")).Text("omeName")
			if m.Get("owner") == true {
				name += "*"
			}
			out = append(out, name)
		}
		return true
	})
	slices.Sort(out)
	return out
}

// TestAdministration has root make a group and users, who can then work.
func TestAdministration(t *testing.T) {
	root := newPerson(t, "ada").with("OMERO_USER=root", "OMERO_PASSWORD=omero")
	root.login("-u", "root")
	root.omero("group", "add", "peers", "--type", "read-annotate")
	peers := groupID(t, "peers")
	if perm := wantRow(t, "ExperimenterGroup", peers).Perm; perm != -40 {
		t.Errorf("permissions: got %d, want those of rwra--", perm)
	}
	root.fails("Group exists", "group", "add", "peers")
	root.omero("user", "add", "marie", "Marie", "Skłodowska Curie", "peers", "-e", "marie@example.org", "-i", "Sorbonne", "-P", "geheim ü")
	marie := wantRow(t, "Experimenter", userID(t, "marie"))
	if marie.Text("lastName") != "Skłodowska Curie" || marie.Text("institution") != "Sorbonne" || marie.Text("email") != "marie@example.org" {
		t.Errorf("user: got %v", marie.Values)
	}
	root.fails("", "user", "add", "marie", "M", "C", "peers", "-P", "x")
	root.omero("group", "adduser", "--name", "peers", "juergen")
	root.omero("user", "joingroup", "--name", "juergen", "peers", "--as-owner")
	root.omero("user", "joingroup", "--name", "grace", "peers")
	same(t, "members", membersOf(peers), []string{"grace", "juergen*", "marie"})

	p := newPerson(t, "ada").with("OMERO_USER=marie", "OMERO_PASSWORD=geheim ü")
	p.login("-u", "marie")
	p.wantSession("marie", "peers")
	project := p.made("Project", "obj", "new", "Project", "name=Polonium")
	if r := wantRow(t, "Project", project); r.Owner != marie.ID || r.Group != peers {
		t.Errorf("marie's project: of %d in %d", r.Owner, r.Group)
	}
	p.fails("Admins only", "group", "add", "mine")
	p.fails("", "user", "add", "x", "X", "Y", "peers", "-P", "x")

	// The project goes to another member, with what is in it.
	dataset := p.made("Dataset", "obj", "new", "Dataset", "name=Pechblende")
	p.made("ProjectDatasetLink", "obj", "new", "ProjectDatasetLink", "parent="+named("Project", project), "child="+named("Dataset", dataset))
	out := root.omero("chown", "grace", named("Project", project), "--report")
	if owner := wantRow(t, "Dataset", dataset).Owner; owner != userID(t, "grace") || !strings.Contains(out, named("Dataset", dataset)) {
		t.Errorf("owner of the dataset: %d\n%s", owner, out)
	}
	root.omero("group", "perms", "--name", "peers", "--perms", "rwrw--")
	if perm := wantRow(t, "ExperimenterGroup", peers).Perm; perm != -8 {
		t.Errorf("permissions: got %d, want those of rwrw--", perm)
	}
	p.omero("obj", "update", named("Project", project), "name=Radium") // as the group allows now
	if r := wantRow(t, "Project", project); r.Text("name") != "Radium" || r.Owner != userID(t, "grace") {
		t.Errorf("grace's project: got %v", r.Values)
	}

	for _, name := range []string{"juergen", "grace"} {
		root.omero("group", "removeuser", "--name", "peers", name)
	}
	same(t, "members left", membersOf(peers), []string{"marie"})
}
