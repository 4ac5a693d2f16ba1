package sample

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

func target(t *testing.T) (Target, string) {
	t.Helper()
	at := time.Date(2026, 1, 30, 9, 0, 0, 0, time.UTC)
	st, err := store.Open(store.Config{Definitions: slice.Definitions(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	dir := t.TempDir()
	files, err := repository.Open(dir, st)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	return Target{Store: st, Files: files}, dir
}

func named(t *testing.T, st *store.Store, class, name string) []*store.Row {
	t.Helper()
	var out []*store.Row
	st.Each(class, func(r *store.Row) bool {
		if r.Text("name") == name {
			out = append(out, r)
		}
		return true
	})
	return out
}

// hashes returns the checksums of all files with content, by name.
func hashes(st *store.Store) map[string]string {
	out := map[string]string{}
	st.Each("OriginalFile", func(r *store.Row) bool {
		if h := r.Text("hash"); h != "" && r.Text("mimetype") != "Repository" && !strings.HasSuffix(r.Text("name"), ".log") {
			out[r.Text("path")+r.Text("name")] = h
		}
		return true
	})
	return out
}

func TestStudy(t *testing.T) {
	tg, dir := target(t)
	passwords := map[int64]string{}
	tg.SetPassword = func(id int64, p string) error { passwords[id] = p; return nil }
	accounts, err := Load(context.Background(), tg)
	if err != nil {
		t.Fatal(err)
	}
	st := tg.Store
	if len(accounts) != 3 || len(passwords) != 3 || passwords[accounts[0].ID] != accounts[0].Password {
		t.Errorf("accounts %+v", accounts)
	}
	if got := Accounts(tg); !reflect.DeepEqual(got, accounts) {
		t.Errorf("accounts %+v, want %+v", got, accounts)
	}
	if utf8.RuneCountInString(LongName) != 300 {
		t.Errorf("the long name has %d characters", utf8.RuneCountInString(LongName))
	}
	for _, c := range []struct {
		class, name string
		want        int
	}{
		{"Project", "Kidney", 1}, {"Project", "Zebrafish / heart", 1}, {"Dataset", "Controls", 2}, {"Dataset", LongName, 1},
		{"Image", "overview.png", 2}, {"Image", LongName, 1}, {"Image", "cortex/medulla: 10×.png", 1}, {"Plate", "Plate 7", 1},
		{"Image", "positions.ome.tiff [Übergang]", 1}, {"Screen", "Drug screen", 1},
	} {
		if got := len(named(t, st, c.class, c.name)); got != c.want {
			t.Errorf("%d %s %q, want %d", got, c.class, c.name, c.want)
		}
	}
	for _, kind := range []string{"Rectangle", "Ellipse", "Line", "Point", "Polygon", "Polyline", "Label", "Mask", "AffineTransform",
		"TagAnnotation", "MapAnnotation", "CommentAnnotation", "LongAnnotation", "FileAnnotation", "PlateAcquisition"} {
		if st.Count(kind) == 0 {
			t.Errorf("no %s", kind)
		}
	}
	perm := st.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == LabGroup }).Perm
	if perm != permAnnotate {
		t.Errorf("permissions of the laboratory: %d", perm)
	}

	// Filesets of one and several files, and an image with none.
	files, images := map[int]int{}, map[int]int{}
	st.Each("Fileset", func(r *store.Row) bool {
		files[len(st.Collection("Fileset", r.ID, "usedFiles"))]++
		images[len(st.Collection("Fileset", r.ID, "images"))]++
		return true
	})
	if files[1] == 0 || files[4] != 1 || images[3] != 1 || images[12+12] != 1 {
		t.Errorf("filesets by files %v, by images %v", files, images)
	}
	if st.Find("Image", func(r *store.Row) bool { return r.Ref("fileset") == store.None }) == nil {
		t.Error("no image without files")
	}

	var size int64
	err = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	})
	if err != nil || size < 1<<20 || size > 8<<20 {
		t.Errorf("the study has %d bytes, %v", size, err)
	}

	// The pixels can be looked at and are not empty.
	st.Each("Pixels", func(r *store.Row) bool {
		px, err := tg.Files.OpenPixels(r.ID)
		if err != nil {
			t.Errorf("pixels %d: %v", r.ID, err)
			return true
		}
		if _, err := px.Thumbnail(-1, 0, 32, 32, nil); err != nil {
			t.Errorf("pixels %d: %v", r.ID, err)
		}
		return true
	})

	again, _ := target(t)
	if _, err := Load(context.Background(), again); err != nil {
		t.Fatal(err)
	}
	if a, b := hashes(st), hashes(again.Store); len(a) < 15 || !reflect.DeepEqual(a, b) {
		t.Errorf("a second study has other files:\n%v\n%v", a, b)
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolder(t *testing.T) {
	tg, _ := target(t)
	if _, err := People(context.Background(), tg); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "My study")
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 5, 5))); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "top.png", pic.Bytes())
	write(t, dir, "notes.txt", []byte("hello"))
	write(t, dir, ".hidden/x.png", pic.Bytes())
	write(t, dir, ".DS_Store", []byte("x"))
	write(t, dir, "broken.png", pic.Bytes()[:40])
	tissue := newTissue(7, 32, 32, 9).stack("s", imaging.Uint8, 1, 2, 1)
	set, err := imaging.OMETIFFSet([]imaging.Picture{tissue}, []imaging.Part{
		{Name: "a0.ome.tiff", Holds: func(_, _, c, _ int) bool { return c == 0 }},
		{Name: "a1.ome.tiff", Holds: func(_, _, c, _ int) bool { return c == 1 }},
	}, imaging.Options{Companion: "z.companion.ome"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set {
		write(t, dir, "deep/er/"+f.Name, f.Data)
	}
	write(t, dir, "deep/er/plan.csv", []byte("a,b\n"))

	out, err := FromFolder(context.Background(), tg, dir, "grace", LabGroup)
	if err != nil {
		t.Fatal(err)
	}
	if out.Images != 2 {
		t.Errorf("%d images", out.Images)
	}
	var noted []string
	for _, n := range out.Notes {
		noted = append(noted, n.Path)
	}
	if want := []string{"broken.png", "deep/er/plan.csv", "notes.txt"}; !reflect.DeepEqual(noted, want) {
		t.Errorf("notes %+v", out.Notes)
	}
	p := tg.Store.Get("Project", out.Project)
	links := tg.Store.Collection("Project", p.ID, "datasetLinks")
	if p.Text("name") != "My study" || len(links) != 2 {
		t.Fatalf("project %q with %d datasets", p.Text("name"), len(links))
	}
	deep := named(t, tg.Store, "Dataset", "deep/er")
	if len(deep) != 1 {
		t.Fatal("no dataset for the folder in the folder")
	}
	img := tg.Store.Get("Image", tg.Store.Collection("Dataset", deep[0].ID, "imageLinks")[0].Ref("child"))
	entries := tg.Store.Collection("Fileset", img.Ref("fileset"), "usedFiles")
	if len(entries) != 3 || !strings.HasSuffix(entries[0].Text("clientPath"), "/deep/er/z.companion.ome") {
		t.Errorf("%d files, the first %q", len(entries), entries[0].Text("clientPath"))
	}
	if len(tg.Store.Collection("Dataset", deep[0].ID, "annotationLinks")) != 1 {
		t.Error("the table is not attached")
	}
	if _, err := FromFolder(context.Background(), tg, dir, "nobody", LabGroup); err == nil {
		t.Error("imported as nobody")
	}
	if _, err := FromFolder(context.Background(), tg, filepath.Join(dir, "absent"), "ada", LabGroup); err == nil {
		t.Error("imported a folder that is not there")
	}
}
