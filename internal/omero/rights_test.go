package omero_test

import (
	"errors"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// What the server says one may do is what OMERO's table of rights says.
func TestRightsAsTheServerSeesThem(t *testing.T) {
	s := common
	ada, grace, juergen, root := s.login(t, "ada"), s.login(t, "grace"), s.login(t, "juergen"), s.login(t, "root")
	kidney := project(t, ada, "Kidney").ID
	for _, tt := range []struct {
		c    *omero.Client
		name string
		want omero.Rights
	}{
		{ada, "owner", omero.Rights{Permissions: "rwra--", Edit: true, Annotate: true, Delete: true, Link: true, Move: true}},
		{grace, "group owner", omero.Rights{Permissions: "rwra--", Edit: true, Annotate: true, Delete: true, Link: true, Own: true}},
		{juergen, "member", omero.Rights{Permissions: "rwra--", Annotate: true}},
		{root, "administrator", omero.Rights{Permissions: "rwra--", Edit: true, Annotate: true, Delete: true, Link: true, Move: true, Own: true}},
	} {
		got, err := tt.c.RightsOn(t.Context(), omero.KindProject, []int64{kidney, 1 << 40})
		check(t, err)
		if len(got) != 1 || got[kidney] != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got[kidney], tt.want)
		}
	}
	private, err := ada.Containers(t.Context(), omero.KindProject, group(t, ada, sample.PrivateGroup).ID, ada.Who().User)
	check(t, err)
	if got, err := juergen.RightsOn(t.Context(), omero.KindProject, []int64{private[0].ID}); err != nil || len(got) != 0 {
		t.Errorf("another's private project: got %+v, %v", got, err)
	}
}

// withheld asks for the originals of the sample plate and of a plain image,
// and for the image and the plate themselves.
func withheld(t *testing.T, c *omero.Client) (plateFile, imageFile, image, plate bool) {
	t.Helper()
	ctx := t.Context()
	projects, err := c.Containers(ctx, omero.KindProject, group(t, c, sample.LabGroup).ID, adaID(t, c))
	check(t, err)
	_, images := dataset(t, c, byName(t, projects, "Kidney").ID, "Confocal")
	screens, err := c.Containers(ctx, omero.KindScreen, group(t, c, sample.LabGroup).ID, adaID(t, c))
	check(t, err)
	plates, _, err := c.PlatesOf(ctx, []int64{byName(t, screens, "Drug screen").ID})
	check(t, err)
	fields, err := c.FieldsOf(ctx, []int64{plates[0].ID})
	check(t, err)
	sets, err := c.Filesets(ctx, []int64{fields[0].Fileset, images[0].Fileset})
	check(t, err)
	files := make(map[int64]omero.OriginalFile)
	for _, fs := range sets {
		files[fs.ID] = fs.Entries[0].File
	}
	inPlate, alone := files[fields[0].Fileset], files[images[0].Fileset]
	got, err := c.BytesWithheld(ctx, omero.KindOriginalFile, []int64{inPlate.ID, alone.ID, 1 << 40})
	check(t, err)
	if len(got) != 2 {
		t.Errorf("got %v for two files", got)
	}
	// The announcement and the refusal are of one mind.
	for _, f := range []omero.OriginalFile{inPlate, alone} {
		if f.Size == 0 {
			continue // there is nothing to be read
		}
		r := c.OpenFile(f)
		if err := r.Check(ctx); errors.Is(err, omero.Denied) != got[f.ID] {
			t.Errorf("%s: withheld is %v, reading gives %v", f.Name, got[f.ID], err)
		}
		check(t, r.Close())
	}
	im, err := c.BytesWithheld(ctx, omero.KindImage, []int64{images[0].ID, fields[0].Image})
	check(t, err)
	if im[fields[0].Image] != got[inPlate.ID] {
		t.Errorf("a field's image: %v, its file: %v", im[fields[0].Image], got[inPlate.ID])
	}
	pl, err := c.BytesWithheld(ctx, omero.KindPlate, []int64{plates[0].ID})
	check(t, err)
	return got[inPlate.ID], got[alone.ID], im[images[0].ID], pl[plates[0].ID]
}

func adaID(t *testing.T, c *omero.Client) int64 {
	t.Helper()
	u, err := c.UserByName(t.Context(), "ada")
	check(t, err)
	return u.ID
}

func TestBytesThatThePolicyWithholds(t *testing.T) {
	ask := func(s *server, name string, want map[string][4]bool) {
		t.Helper()
		for user, w := range want {
			a, b, c, d := withheld(t, s.login(t, user))
			if got := [4]bool{a, b, c, d}; got != w {
				t.Errorf("%s, %s: got %v, want %v", name, user, got, w)
			}
		}
	}
	plates := [4]bool{true, false, false, true}
	ask(common, "OMERO's default", map[string][4]bool{"ada": plates, "juergen": plates})
	s := ownServer(t, blitz.Config{BinaryAccess: "+read,+write,+image,+plate"}, sample.Load)
	ask(s, "everything", map[string][4]bool{"ada": {}, "juergen": {}})
	all := [4]bool{true, true, true, true}
	for words, want := range map[string]map[string][4]bool{
		"-plate": {"ada": plates, "juergen": plates}, "-image": {"ada": all}, "-write": {"ada": all}, "-read": {"ada": {}, "juergen": all},
		"+read": {"juergen": {}},
	} {
		lab := s.store.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == sample.LabGroup })
		check(t, s.store.Write(store.Root, func(a *store.Author) error {
			g := lab.Clone()
			if err := a.Tx().Fill(g, store.Values{"config": []store.NamedValue{{Name: "omero.policy.binary_access", Value: words}}}); err != nil {
				return err
			}
			a.Update(g)
			return nil
		}))
		ask(s, "the group's "+words, want)
	}
	c := common.login(t, "ada")
	if _, err := c.BytesWithheld(t.Context(), omero.KindProject, []int64{1}); !errors.Is(err, omero.Invalid) {
		t.Errorf("of a project: got %v", err)
	}
}
