package omero_test

import (
	"slices"
	"strings"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/sample"
)

func TestListings(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := t.Context()
	lab := group(t, c, sample.LabGroup)
	members, err := c.Members(ctx, lab.ID)
	check(t, err)
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"ada", "grace", "juergen"}) {
		t.Errorf("members: got %v", names)
	}
	if u, err := c.UserByName(ctx, "juergen"); err != nil || u.Last != "Groß" {
		t.Errorf("user: got %+v, %v", u, err)
	}
	kidney := project(t, c, "Kidney")
	if !strings.HasPrefix(kidney.Description, "Sections") || kidney.Owner != c.Who().User || kidney.Group != lab.ID || kidney.Updated.IsZero() {
		t.Errorf("project: got %+v", kidney)
	}
	_, images := dataset(t, c, kidney.ID, "Confocal")
	var sets []int64
	bare := 0
	for _, im := range images {
		if im.Fileset == 0 {
			bare++
		}
		sets = append(sets, im.Fileset)
	}
	if bare != 1 {
		t.Errorf("got %d images without files, want 1", bare)
	}
	list, err := c.Filesets(ctx, sets)
	check(t, err)
	var shapes []string
	for _, fs := range list {
		shapes = append(shapes, strings.Repeat("f", len(fs.Entries))+strings.Repeat("i", len(fs.Images)))
		for _, e := range fs.Entries {
			if e.File.Size == 0 || len(e.File.Hash) != 40 || e.File.Hasher != "SHA1-160" || e.ClientPath == "" || e.File.Modified.IsZero() {
				t.Errorf("entry: got %+v", e)
			}
		}
	}
	slices.Sort(shapes)
	if !slices.Contains(shapes, "fi") || !slices.Contains(shapes, "fiii") || !slices.Contains(shapes, "ffffi") {
		t.Errorf("filesets: got %v", shapes)
	}
	info, err := c.ImportInfo(ctx, omero.These(sets))
	check(t, err)
	if len(info) == 0 || !slices.Contains(info[list[0].ID], omero.Pair{Key: omero.ReaderKey, Value: "loci.formats.in.OMETiffReader"}) {
		t.Errorf("import info: got %v", info)
	}
	ids := make([]int64, len(images))
	for i, im := range images {
		ids[i] = im.ID
	}
	pixels, err := c.PixelsOf(ctx, ids)
	check(t, err)
	if len(pixels) != len(images) {
		t.Errorf("got pixels of %d images, want %d", len(pixels), len(images))
	}
	for _, p := range pixels {
		if p.SizeX == 0 || p.Type == "" || len(p.Channels) != p.SizeC {
			t.Errorf("pixels: got %+v", p)
		}
	}
	rights, err := c.RightsOn(ctx, omero.KindProject, []int64{kidney.ID})
	check(t, err)
	if r := rights[kidney.ID]; !r.Edit || !r.Annotate || r.Permissions != "rwra--" {
		t.Errorf("rights: got %+v", r)
	}
	for _, err := range []error{
		second(c.OrphanDatasets(ctx, lab.ID, c.Who().User)),
		second(c.OrphanImages(ctx, lab.ID, c.Who().User, "x", "y")),
		second(c.Containers(ctx, omero.KindScreen, lab.ID, c.Who().User)),
		second(c.ImagesByID(ctx, ids)),
		second(c.Renderings(ctx, ids)),
		second(c.GroupsByID(ctx, []int64{lab.ID})),
		second(c.FileAnnotationsIn(ctx, omero.KindProject, kidney.ID, "omerods/")),
		second(c.FileAnnotationsIn(ctx, omero.KindDataset, kidney.ID, "omerods/")),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// What a user may not see is not listed, and asking for it by id finds
// nothing.
func TestPrivateGroupsStayPrivate(t *testing.T) {
	s := common
	ada, juergen := s.login(t, "ada"), s.login(t, "juergen")
	private := group(t, ada, sample.PrivateGroup)
	list, err := ada.Containers(t.Context(), omero.KindProject, private.ID, ada.Who().User)
	check(t, err)
	if len(list) == 0 {
		t.Fatal("ada has nothing in her private group")
	}
	if got, err := juergen.Containers(t.Context(), omero.KindProject, private.ID, ada.Who().User); err != nil || len(got) != 0 {
		t.Errorf("juergen sees %v, %v", got, err)
	}
	if got, err := juergen.ContainersByID(t.Context(), omero.KindProject, []int64{list[0].ID}); err != nil || len(got) != 0 {
		t.Errorf("juergen finds %v, %v", got, err)
	}
}

func TestAnnotationsOfAnImage(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := t.Context()
	kidney := project(t, c, "Kidney")
	_, images := dataset(t, c, kidney.ID, "Confocal")
	var ids []int64
	for _, im := range images {
		ids = append(ids, im.ID)
	}
	links, err := c.AnnotationLinks(ctx, omero.KindImage, ids)
	check(t, err)
	var of []int64
	for _, l := range links {
		of = append(of, l.Annotation)
	}
	notes, err := c.Annotations(ctx, of)
	check(t, err)
	kinds := make(map[omero.AnnotationKind]omero.Annotation)
	for _, n := range notes {
		kinds[n.Kind] = n
	}
	for _, k := range []omero.AnnotationKind{omero.TagAnnotation, omero.MapAnnotation, omero.CommentAnnotation, omero.LongAnnotation} {
		if _, ok := kinds[k]; !ok {
			t.Errorf("no %s among %d annotations", k, len(notes))
		}
	}
	if len(kinds[omero.MapAnnotation].Pairs) == 0 {
		t.Error("no pairs")
	}
	if n := kinds[omero.LongAnnotation]; n.Namespace != omero.NamespaceRating || n.Long < 1 || n.Long > 5 {
		t.Errorf("rating: got %+v", n)
	}
	sets, err := c.TagSetLinks(ctx, of)
	check(t, err)
	if len(sets) == 0 {
		t.Error("no tag sets")
	}
	rois, err := c.ROIs(ctx, ids)
	check(t, err)
	shapes := make(map[omero.ShapeKind]int)
	for _, r := range rois {
		if r.Image == 0 || len(r.Shapes) == 0 {
			t.Errorf("region: got %+v", r)
		}
		for _, sh := range r.Shapes {
			shapes[sh.Kind]++
			if sh.Kind == omero.Mask && len(sh.Bits) == 0 {
				t.Error("a mask without bits")
			}
		}
	}
	for _, k := range []omero.ShapeKind{omero.Rectangle, omero.Ellipse, omero.PointShape, omero.Line, omero.Polygon, omero.Polyline, omero.Label, omero.Mask} {
		if shapes[k] == 0 {
			t.Errorf("no %s in %v", k, shapes)
		}
	}
}
