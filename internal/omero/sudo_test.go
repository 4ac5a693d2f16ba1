package omero_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// open tells whether the server still has a session.
func (s *server) open(key string) bool {
	row := s.store.Find("Session", func(r *store.Row) bool { return r.Text("uuid") == key })
	return row != nil && row.Get("closed") == nil
}

// actAs opens a client for another user until the end of the test.
func actAs(t *testing.T, by *omero.Client, user, group string) *omero.Client {
	t.Helper()
	c, err := by.As(t.Context(), user, group)
	check(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestActingAsAnotherUser(t *testing.T) {
	s := common
	root := s.login(t, "root")
	c := actAs(t, root, "ada", "")
	if w := c.Who(); w.UserName != "ada" || w.Sudoer != "root" || w.GroupName != sample.LabGroup || w.Admin {
		t.Errorf("got %+v", w)
	}
	id, err := c.Create(inLab(t, c), omero.KindProject, "made for ada", "", omero.Ref{})
	check(t, err)
	if row := s.store.Get("Project", id); row.Owner != c.Who().User {
		t.Errorf("the project belongs to user %d, want %d", row.Owner, c.Who().User)
	}
	private := actAs(t, root, "ada", sample.PrivateGroup)
	if w := private.Who(); w.GroupName != sample.PrivateGroup {
		t.Errorf("got %+v", w)
	}
	key, err := private.SessionKey(t.Context())
	check(t, err)
	if !s.open(key) {
		t.Error("the session is not there")
	}
	check(t, private.Close())
	if s.open(key) {
		t.Error("the session outlived its client")
	}
	if _, err := root.EventContext(t.Context()); err != nil {
		t.Errorf("the administrator's session ended too: %v", err)
	}
}

// The owner of a group gets sessions of its members that stay in the group.
func TestActingForAMember(t *testing.T) {
	grace := common.login(t, "grace")
	c := actAs(t, grace, "ada", sample.LabGroup)
	kidney := project(t, c, "Kidney")
	_, images := dataset(t, c, kidney.ID, "Confocal")
	sets, err := c.Filesets(t.Context(), []int64{images[0].Fileset})
	check(t, err)
	file := sets[0].Entries[0].File
	file.Group = 0 // not known: all groups, as far as the session may look
	f := c.OpenFile(file)
	check(t, f.Check(t.Context()))
	check(t, f.Close())
	private := group(t, c, sample.PrivateGroup)
	list, err := c.Containers(t.Context(), omero.KindProject, private.ID, c.Who().User)
	check(t, err)
	if len(list) != 0 {
		t.Errorf("a session for the laboratory sees %+v", list)
	}
	if _, err := c.Create(omero.InGroup(t.Context(), private.ID), omero.KindProject, "x", "", omero.Ref{}); !errors.Is(err, omero.Denied) {
		t.Errorf("creating elsewhere: got %v", err)
	}
}

// makeLight makes an administrator who may do anything but act as others.
func (s *server) makeLight(t *testing.T) {
	t.Helper()
	if s.store.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == "light" }) != nil {
		return // the test runs again
	}
	check(t, s.store.Write(store.Root, func(a *store.Author) error {
		u, err := a.Create("Experimenter", store.Values{"omeName": "light", "firstName": "L", "lastName": "A", "ldap": false,
			"config": []store.NamedValue{{Name: "AdminPrivilege:Sudo", Value: "false"}}})
		if err != nil {
			return err
		}
		for _, g := range []int64{store.SystemGroup, store.UserGroup} {
			if _, err := a.Create("GroupExperimenterMap", store.Values{"parent": g, "child": u, "owner": false}); err != nil {
				return err
			}
		}
		return s.blitz.SetPassword(u.ID, "light")
	}))
}

func TestActingWithoutTheRight(t *testing.T) {
	s := common
	s.makeLight(t)
	for _, tt := range []struct {
		by, user, group string
		class           omero.Class
		words           []string
	}{
		{"juergen", "ada", sample.LabGroup, omero.Denied, []string{"juergen", "ada", "privilege Sudo", "owner"}},
		{"grace", "root", "", omero.Denied, []string{"grace", "root"}},
		{"light", "ada", "", omero.Denied, []string{"light", "privilege Sudo"}},
		{"root", "nobody", "", omero.NotFound, []string{`"nobody"`}},
	} {
		c := s.login(t, tt.by)
		before := s.store.Count("Session")
		as, err := c.As(t.Context(), tt.user, tt.group)
		if !errors.Is(err, tt.class) {
			t.Errorf("%s as %s: got %v, want a %v", tt.by, tt.user, err, tt.class)
			if err == nil {
				check(t, as.Close())
			}
			continue
		}
		for _, w := range tt.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s as %s: got %q, want %q in it", tt.by, tt.user, err, w)
			}
		}
		if n := s.store.Count("Session"); n != before {
			t.Errorf("%s as %s: %d sessions were made", tt.by, tt.user, n-before)
		}
	}
	if _, err := s.login(t, "root").As(t.Context(), "ada", "no such group"); err == nil {
		t.Error("a group that is none: got no error")
	}
}

// A session for another user ends with its connection; the next call gets a
// new one.
func TestActingAgainAfterALostConnection(t *testing.T) {
	c := actAs(t, common.login(t, "root"), "ada", "")
	old, err := c.SessionKey(t.Context())
	check(t, err)
	var cut atomic.Bool
	breakConnections(t, func(op string) blitz.Fault {
		if op == "IQuery.projection" && !cut.Swap(true) {
			return blitz.FaultBefore
		}
		return blitz.FaultNone
	})
	if _, err := c.Groups(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	key, err := c.SessionKey(t.Context())
	check(t, err)
	if key == old || !common.open(key) {
		t.Errorf("the session is %s, was %s", key, old)
	}
}
