package repository

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// fixture is a repository with one user in one group.
type fixture struct {
	*Managed
	t     *testing.T
	st    *store.Store
	actor store.Actor
	dir   string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	at := time.Date(2026, 1, 30, 9, 0, 0, 123e6, time.UTC)
	st, err := store.Open(store.Config{Definitions: slice.Definitions(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	f := &fixture{t: t, st: st, dir: t.TempDir()}
	err = st.Write(store.Root, func(a *store.Author) error {
		ada, err := a.Create("Experimenter", store.Values{"omeName": "ada", "firstName": "Ada", "lastName": "L", "ldap": false})
		if err != nil {
			return err
		}
		lab, err := a.Create("ExperimenterGroup", store.Values{"name": "lab", "ldap": false})
		f.actor = store.Actor{User: ada.ID, Group: lab.ID}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.Managed, err = Open(f.dir, st); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Managed.Close() })
	return f
}

// upload sends files as a client would.
func (f *fixture) upload(files ...imaging.NamedFile) *Import {
	f.t.Helper()
	var paths []string
	for _, file := range files {
		paths = append(paths, file.Name)
	}
	im, err := f.Begin(f.actor, Upload{ClientPaths: paths, Algorithm: DefaultAlgorithm})
	if err != nil {
		f.t.Fatal(err)
	}
	var sums []string
	for i, file := range files {
		if err := im.CopyIn(i, bytes.NewReader(file.Data)); err != nil {
			f.t.Fatal(err)
		}
		sums = append(sums, fmt.Sprintf("%x", sha1.Sum(file.Data)))
	}
	if failing, err := im.Verify(sums); err != nil || len(failing) > 0 {
		f.t.Fatalf("verify: %v %v", failing, err)
	}
	return im
}

func (f *fixture) run(im *Import, s Settings) *Result {
	f.t.Helper()
	out, err := im.Run(context.Background(), s, func(int) {})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

func pngFile(name string) imaging.NamedFile {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		panic(err)
	}
	return imaging.NamedFile{Name: name, Data: b.Bytes()}
}

func TestImportOfOneFile(t *testing.T) {
	f := newFixture(t)
	file := pngFile("/home/ada/My Data/2026/run/kidney.png")
	im := f.upload(file)
	var steps []int
	out, err := im.Run(context.Background(), Settings{}, func(i int) { steps = append(steps, i) })
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(steps, []int{0, 1, 2, 3, 4}) {
		t.Errorf("steps %v", steps)
	}
	if len(out.Images) != 1 || len(out.Plates) != 0 {
		t.Fatalf("got %+v", out)
	}
	img := f.st.Get("Image", out.Images[0])
	if img.Text("name") != "kidney.png" || img.Ref("fileset") != im.Fileset || img.Owner != f.actor.User || img.Group != f.actor.Group {
		t.Errorf("image %q of fileset %d, owner %d, group %d", img.Text("name"), img.Ref("fileset"), img.Owner, img.Group)
	}
	row := f.st.Get("OriginalFile", im.Files[0])
	// Three folders above the file are kept when the reader is not known.
	wantPath := fmt.Sprintf("ada_%d/2026-01/30/09-00-00.124/My Data/2026/run/", f.actor.User)
	gotPath := row.Text("path")
	if !strings.HasSuffix(gotPath, "/My Data/2026/run/") || strings.Count(gotPath, "/") != strings.Count(wantPath, "/") {
		t.Errorf("path %q, want like %q", gotPath, wantPath)
	}
	if row.Text("name") != "kidney.png" || row.Get("size") != int64(len(file.Data)) || row.Text("hash") != fmt.Sprintf("%x", sha1.Sum(file.Data)) {
		t.Errorf("file %q, %v bytes, hash %s", row.Text("name"), row.Get("size"), row.Text("hash"))
	}
	onDisk, err := os.ReadFile(filepath.Join(f.dir, managedDir, gotPath, row.Text("name")))
	if err != nil || !bytes.Equal(onDisk, file.Data) {
		t.Errorf("the file on the disk differs: %v", err)
	}
	entries := f.st.Collection("Fileset", im.Fileset, "usedFiles")
	if len(entries) != 1 || entries[0].Text("clientPath") != "home/ada/My Data/2026/run/kidney.png" {
		t.Errorf("entries %v", entries)
	}
	if n := len(f.st.Collection("Fileset", im.Fileset, "jobLinks")); n != 4 {
		t.Errorf("%d jobs", n)
	}
	px := f.st.Get("Pixels", out.Pixels[0])
	if px.Get("sizeX") != int32(30) || px.Get("sizeY") != int32(20) || px.Get("sizeC") != int32(1) {
		t.Errorf("pixels %v", px.Values)
	}
}

func TestPathsOfSeveralFiles(t *testing.T) {
	for _, c := range []struct {
		reader string
		in     []string
		want   []string
	}{
		{"", []string{"/a/b/c/d/e/x.tif", "/a/b/c/d/e/y.tif"}, []string{"c/d/e/x.tif", "c/d/e/y.tif"}},
		{"loci.formats.in.TiffReader", []string{"/a/b/c/d/e/x.tif"}, []string{"x.tif"}},
		{"loci.formats.in.TiffReader", []string{"a/m.ome", "a/data/x.tif"}, []string{"m.ome", "data/x.tif"}},
		{"", []string{"x.tif"}, []string{"x.tif"}},
		{"", []string{"/1/2/3/4/5/m.ome", "/1/2/other/x.tif"}, []string{"1/2/3/4/5/m.ome", "1/2/other/x.tif"}},
		{"loci.formats.in.X", []string{"/1/2/3/m.ome", "/1/2/other/x.tif"}, []string{"3/m.ome", "other/x.tif"}},
		{"", []string{"/p/./q/x.tif"}, []string{"p/q/x.tif"}},
	} {
		safe := make([]string, len(c.in))
		for i, p := range c.in {
			safe[i] = safeClientPath(p)
		}
		got, err := trimPaths(safe, c.reader)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q by %q: got %q, %v; want %q", c.in, c.reader, got, err, c.want)
		}
	}
}

func TestPathRules(t *testing.T) {
	for in, want := range map[string]string{
		`/a:b/c"d*e<f>g?h\i|j` + "\x01": `a;b/c'dxe[f]g%h!i!j_`,
		"con/x":                         "con_/x",
		"Nul.txt":                       "_Nul.txt",
		"$recycle/x":                    "_$recycle/x",
		"a/./b":                         "a/./b",
		"COM10/x":                       "COM10/x",
		"ünï/細胞.tif":                    "ünï/細胞.tif",
	} {
		if got := safeClientPath(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for _, bad := range []string{"a/../b", "a:b", "x/con", "NUL.txt", "$x", "a\x1fb"} {
		var e *NamingError
		if _, err := checkPath(bad); !errors.As(err, &e) || e.Path != bad {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	f := newFixture(t)
	var e *NamingError
	if _, err := f.Begin(f.actor, Upload{ClientPaths: []string{"../../etc/x"}, Algorithm: DefaultAlgorithm}); !errors.As(err, &e) {
		t.Errorf("a path out of the repository: got %v", err)
	}
	for _, u := range []Upload{{Algorithm: DefaultAlgorithm}, {ClientPaths: []string{"x"}}, {ClientPaths: []string{"x", "x"}, Algorithm: "MD5-128"}, {ClientPaths: []string{"x"}, Algorithm: "MD6"}} {
		if _, err := f.Begin(f.actor, u); !errors.Is(err, ErrUpload) {
			t.Errorf("%+v: got %v", u, err)
		}
	}
}

func TestNamesOfSeveralSeries(t *testing.T) {
	f := newFixture(t)
	fake := imaging.NamedFile{Name: "cells&series=2&sizeX=8&sizeY=8.fake"}
	name, description := "mine", "about"
	for _, c := range []struct {
		s    Settings
		want []string
	}{
		{Settings{}, []string{fake.Name + " [cells]", fake.Name + " [cells 2]"}},
		{Settings{Name: &name, Description: &description}, []string{"mine [cells]", "mine [cells 2]"}},
	} {
		out := f.run(f.upload(fake), c.s)
		var got []string
		for _, id := range out.Images {
			row := f.st.Get("Image", id)
			got = append(got, row.Text("name"))
			if c.s.Description != nil && row.Text("description") != description {
				t.Errorf("description %q", row.Text("description"))
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	long := strings.Repeat("é", 300)
	out := f.run(f.upload(pngFile("a.png")), Settings{Name: &long})
	if got := f.st.Get("Image", out.Images[0]).Text("name"); got != strings.Repeat("é", 255) {
		t.Errorf("a name of %d bytes", len(got))
	}
}

func TestPlateIntoScreen(t *testing.T) {
	f := newFixture(t)
	var screen *store.Row
	err := f.st.Write(f.actor, func(a *store.Author) (err error) {
		screen, err = a.Create("Screen", store.Values{"name": "S"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	im := f.upload(imaging.NamedFile{Name: "p&plates=1&plateRows=2&plateCols=3&fields=2&plateAcqs=1&sizeX=8&sizeY=8.fake"})
	out := f.run(im, Settings{TargetClass: "Screen", Target: screen.ID})
	if len(out.Plates) != 1 || len(out.Images) != 12 {
		t.Fatalf("got %+v", out)
	}
	plate := f.st.Get("Plate", out.Plates[0])
	if plate.Text("name") != "Plate Name 0" || plate.Get("rows") != int32(2) || plate.Get("columns") != int32(3) {
		t.Errorf("plate %q %v x %v", plate.Text("name"), plate.Get("rows"), plate.Get("columns"))
	}
	wells := f.st.Collection("Plate", plate.ID, "wells")
	if len(wells) != 6 || len(f.st.Collection("Well", wells[5].ID, "wellSamples")) != 2 {
		t.Errorf("%d wells", len(wells))
	}
	if links := f.st.Collection("Screen", screen.ID, "plateLinks"); len(links) != 1 || links[0].Ref("child") != plate.ID {
		t.Errorf("links %v", links)
	}
	if f.st.Count("PlateAcquisition") != 1 || f.st.Count("WellSample") != 12 {
		t.Errorf("%d runs, %d fields", f.st.Count("PlateAcquisition"), f.st.Count("WellSample"))
	}
}

func TestFailedImportsKeepTheFileset(t *testing.T) {
	set := setOfFiles(t)
	for _, c := range []struct {
		files []imaging.NamedFile
		want  string
	}{
		{[]imaging.NamedFile{{Name: "notes.txt", Data: []byte("hello")}}, "error-on-init"},
		{[]imaging.NamedFile{{Name: "x.png", Data: pngFile("").Data[:40]}}, "error-on-init"},
		{set[:1], "error-on-init"},
	} {
		f := newFixture(t)
		im := f.upload(c.files...)
		_, err := im.Run(context.Background(), Settings{}, func(int) {})
		var fail *Failure
		if !errors.As(err, &fail) || fail.Name != c.want {
			t.Errorf("%s: got %v, want %s", c.files[0].Name, err, c.want)
		}
		if f.st.Get("Fileset", im.Fileset) == nil || f.st.Count("Image") != 0 {
			t.Errorf("%s: fileset gone or images left", c.files[0].Name)
		}
	}
	f := newFixture(t)
	im := f.upload(set...)
	if _, err := im.Run(context.Background(), Settings{TargetClass: "Project", Target: 1}, func(int) {}); err == nil {
		t.Error("a project was taken as target")
	}
	if f.st.Count("Image") != 0 {
		t.Error("images left by an import that failed")
	}
}

func setOfFiles(t *testing.T) []imaging.NamedFile {
	t.Helper()
	s := imaging.Series{Name: "set", SizeX: 4, SizeY: 4, SizeZ: 1, SizeC: 2, SizeT: 1, Type: imaging.Uint8}
	pic := imaging.Picture{Series: s, Plane: func(_, c, _ int) []byte { return bytes.Repeat([]byte{byte(c + 1)}, 16) }}
	parts := []imaging.Part{
		{Name: "a.ome.tif", Holds: func(_, _, c, _ int) bool { return c == 0 }},
		{Name: "b.ome.tif", Holds: func(_, _, c, _ int) bool { return c == 1 }},
	}
	files, err := imaging.OMETIFFSet([]imaging.Picture{pic}, parts, imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
