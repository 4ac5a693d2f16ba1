package mount

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/store"
	"omerods/internal/tables"
)

// as writes into the server's store as a member of the laboratory.
func (w *world) as(name string, fn func(a *store.Author, create func(class string, v store.Values) *store.Row)) {
	w.t.Helper()
	s := w.sandbox.Store()
	user := s.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == name })
	group := s.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == "lab" })
	err := s.Write(store.Actor{User: user.ID, Group: group.ID}, func(a *store.Author) error {
		var failed error
		fn(a, func(class string, v store.Values) *store.Row {
			row, err := a.Create(class, v)
			if err != nil {
				failed = err
				w.t.Fatalf("make a %s: %v", class, err)
			}
			return row
		})
		return failed
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Annotations of everything in a dataset, and the settings of its owner, come
// back with a load. The settings of others stay in the pack.
func TestContentsSaveAndLoad(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	s := w.sandbox.Store()
	dataset := w.omero("projects", "Kidney", "Confocal")
	image := s.Get("Image", w.id(dataset+"/glomerulus.ome.tiff"))
	shape := s.Find("Polyline", func(*store.Row) bool { return true })
	fileset := s.Get("Fileset", image.Ref("fileset"))
	file := s.Get("OriginalFile", s.Collection("Fileset", fileset.ID, "usedFiles")[0].Ref("originalFile"))
	attached := s.Find("OriginalFile", func(r *store.Row) bool { return r.Text("name") == "Zählung äöü.csv" })
	pixels := s.Collection("Image", image.ID, "pixels")[0]
	w.as("ada", func(a *store.Author, create func(string, store.Values) *store.Row) {
		note := func(class string, parent *store.Row, kind string, v store.Values) *store.Row {
			n := create(kind, v)
			create(class+"AnnotationLink", store.Values{"parent": parent, "child": n})
			return n
		}
		note("Shape", shape, "CommentAnnotation", store.Values{"textValue": "on a shape", "ns": "x"})
		note("Fileset", fileset, "MapAnnotation", store.Values{"ns": "x", "mapValue": []store.NamedValue{{Name: "b", Value: "1"}, {Name: "a", Value: ""}, {Name: "b", Value: "1"}}})
		note("OriginalFile", file, "DoubleAnnotation", store.Values{"doubleValue": 0.5})
		note("OriginalFile", attached, "LongAnnotation", store.Values{"longValue": int64(-1) << 63})
		list := note("Image", image, "ListAnnotation", store.Values{"ns": "example.org/list", "name": "a list"})
		note("Annotation", list, "BooleanAnnotation", store.Values{"boolValue": false})
		note("Annotation", list, "FileAnnotation", store.Values{"file": attached, "description": "the same file again"})
		empty := create("Roi", store.Values{"image": image, "name": "without shapes"})
		around := create("Folder", store.Values{"name": "around", "description": "holds folders"})
		folder := create("Folder", store.Values{"name": "counted cells", "parentFolder": around})
		create("FolderRoiLink", store.Values{"parent": folder, "child": a.Tx().Get(s.Model().Class("Roi"), shape.Ref("roi"))})
		create("FolderRoiLink", store.Values{"parent": folder, "child": empty})
		create("FolderImageLink", store.Values{"parent": around, "child": image})
		note("Folder", folder, "TermAnnotation", store.Values{"termValue": "GO:1"})
		for _, rd := range a.Tx().Collection(pixels.Class.Property("settings"), pixels.ID) {
			row := rd.Clone()
			if err := a.Tx().Fill(row, store.Values{"defaultZ": 2, "name": "ada's"}); err != nil {
				t.Fatal(err)
			}
			a.Update(row)
			for i, cb := range a.Tx().Collection(rd.Class.Property("waveRendering"), rd.ID) {
				row := cb.Clone()
				err := a.Tx().Fill(row, store.Values{"inputStart": 10.5 * float64(i+1), "inputEnd": 4000.25, "active": i != 1, "lookupTable": "cool.lut",
					"coefficient": 1.5, "noiseReduction": i == 0, "red": 1, "green": 2, "blue": 3, "alpha": 200})
				if err != nil {
					t.Fatal(err)
				}
				a.Update(row)
				if i == 2 {
					create("ReverseIntensityContext", store.Values{"channelBinding": cb, "reverse": true})
				}
			}
		}
	})
	w.mount.omeroView.Invalidate()
	want := describe(s, "Dataset", w.id(dataset))
	for _, part := range []string{"on a shape", "fileset note MapAnnotation", "file 0 note DoubleAnnotation", "about it: note LongAnnotation",
		"with: note BooleanAnnotation", "with: note FileAnnotation", "without shapes", "folder \"around\"", "TermAnnotation termValue=GO:1", "ada's", "reversed 1 times"} {
		if !strings.Contains(want, part) {
			t.Fatalf("the dataset has no %q:\n%s", part, want)
		}
	}
	saved := w.home("Confocal")
	w.run("cp", "-r", dataset, saved)
	before := s.Count("OriginalFile")
	w.run("cp", "-r", saved, w.omero("datasets", "Confocal"))
	if got := describe(s, "Dataset", w.id(w.omero("datasets", "Confocal"))); got != want {
		t.Errorf("the loaded dataset differs:\n--- got\n%s\n--- want\n%s", got, want)
	}
	files := 0
	s.Each("OriginalFile", func(r *store.Row) bool {
		if r.ID > int64(before) && r.Text("name") == "Zählung äöü.csv" {
			files++
		}
		return true
	})
	if files != 1 {
		t.Errorf("the file of two annotations was made %d times", files)
	}
}

// A figure of OMERO.figure, which is linked to nothing, belongs to the pack of
// the first image that it shows, and points at the new images after a load.
func TestFigureSaveAndLoad(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	s := w.sandbox.Store()
	dataset := w.omero("projects", "Kidney", "Confocal")
	image := w.id(dataset + "/glomerulus.ome.tiff")
	const elsewhere = 123456
	text := func(image int64) string {
		return fmt.Sprintf("{\n  \"figureName\": \"Fig. 1\", \"imageId\": 7,\n  \"panels\": [{\"imageId\": %d, \"x\": 1.50, \"labels\": [{\"imageId\": 7}]},\n {\"imageId\":%[1]d}, {\"imageId\": %d}], \"version\": 7}", image, elsewhere)
	}
	about := func(image int64) string { return fmt.Sprintf(`{"name": "Fig. 1", "imageId": %d}`, image) }
	user := s.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == "ada" })
	group := s.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == "lab" })
	file, err := w.sandbox.Files().AddFile(store.Actor{User: user.ID, Group: group.ID}, "Fig. 1", "./", "application/json", []byte(text(image)))
	if err != nil {
		t.Fatal(err)
	}
	w.as("ada", func(_ *store.Author, create func(string, store.Values) *store.Row) {
		create("FileAnnotation", store.Values{"ns": "omero.web.figure.json", "file": file, "description": about(image)})
	})
	w.mount.omeroView.Invalidate()
	saved := w.home("Confocal")
	w.run("cp", "-r", dataset, saved)
	if got := w.run("cat", saved+"/attachments/Fig. 1"); got != text(image) {
		t.Errorf("saved as\n%s", got)
	}
	loaded := w.omero("datasets", "Confocal")
	w.run("cp", "-r", saved, loaded)
	now := w.id(loaded + "/glomerulus.ome.tiff")
	var figures []*store.Row
	s.Each("FileAnnotation", func(r *store.Row) bool {
		if r.Text("ns") == "omero.web.figure.json" && r.Ref("file") != file.ID {
			figures = append(figures, r)
		}
		return true
	})
	if len(figures) != 1 || figures[0].Text("description") != about(now) {
		t.Fatalf("the load made %v", figures)
	}
	made := s.Get("OriginalFile", figures[0].Ref("file"))
	if made.Text("name") != "Fig. 1" || made.Text("mimetype") != "application/json" || made.Get("size") != int64(len(text(now))) {
		t.Errorf("file %q %q %v", made.Text("name"), made.Text("mimetype"), made.Get("size"))
	}
	if got := w.run("cat", loaded+"/attachments/Fig. 1"); got != text(now) {
		t.Errorf("loaded as\n%s", got)
	}
}

// An attached table is one after a load too, and names the new objects.
func TestTableSaveAndLoad(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	s := w.sandbox.Store()
	dataset := w.omero("projects", "Kidney", "Confocal")
	id := w.id(dataset)
	packed, err := os.Open("../internal/tables/testdata/before.h5.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	table, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	err = tables.Rewrite(&tableFile{table}, int64(len(table)), func(class string, old int64) int64 {
		if class == "DatasetColumn" {
			return id
		}
		return old
	})
	if err != nil {
		t.Fatal(err)
	}
	user := s.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == "ada" })
	group := s.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == "lab" })
	file, err := w.sandbox.Files().AddFile(store.Actor{User: user.ID, Group: group.ID}, "bulk.h5", "./", "OMERO.tables", table)
	if err != nil {
		t.Fatal(err)
	}
	row := s.Get("Dataset", id)
	w.as("ada", func(_ *store.Author, create func(string, store.Values) *store.Row) {
		note := create("FileAnnotation", store.Values{"ns": "openmicroscopy.org/omero/bulk_annotations", "file": file})
		create("DatasetAnnotationLink", store.Values{"parent": row, "child": note})
	})
	w.mount.omeroView.Invalidate()
	saved, loaded := w.home("Confocal"), w.omero("datasets", "Confocal")
	w.run("cp", "-r", dataset, saved)
	w.run("cp", "-r", saved, loaded)

	// Images and regions keep their order, and their ids rise.
	below := func(dataset int64, class string) (ids []int64) {
		s.Each("DatasetImageLink", func(l *store.Row) bool {
			if l.Ref("parent") != dataset {
				return true
			}
			if class == "Image" {
				ids = append(ids, l.Ref("child"))
				return true
			}
			for _, r := range s.Collection("Image", l.Ref("child"), "rois") {
				ids = append(ids, r.ID)
			}
			return true
		})
		slices.Sort(ids)
		return ids
	}
	now := w.id(loaded)
	want := map[string]map[int64]int64{"DatasetColumn": {id: now}}
	for column, class := range map[string]string{"ImageColumn": "Image", "RoiColumn": "Roi"} {
		old, made := below(id, class), below(now, class)
		if len(old) < 5 || len(old) != len(made) {
			t.Fatalf("%d of class %s became %d", len(old), class, len(made))
		}
		want[column] = map[int64]int64{}
		for i := range old {
			want[column][old[i]] = made[i]
		}
	}
	note := s.Find("FileAnnotation", func(r *store.Row) bool {
		return r.Text("ns") != "" && strings.HasSuffix(r.Text("ns"), "bulk_annotations") && r.Ref("file") != file.ID
	})
	if note == nil {
		t.Fatal("the table was not loaded")
	}
	made := s.Get("OriginalFile", note.Ref("file"))
	if made.Text("mimetype") != "OMERO.tables" || made.Text("hash") == file.Text("hash") {
		t.Errorf("the file is %q, with the sum %s", made.Text("mimetype"), made.Text("hash"))
	}
	got, err := os.ReadFile(loaded + "/attachments/bulk.h5")
	if err != nil {
		t.Fatal(err)
	}
	ids := func(data []byte) (list []string) {
		f := &tableFile{data}
		err := tables.Rewrite(f, int64(len(data)), func(class string, id int64) int64 {
			list = append(list, fmt.Sprint(class, " ", id))
			return id
		})
		if err != nil {
			t.Error(err)
		}
		return list
	}
	var expected []string
	err = tables.Rewrite(&tableFile{table}, int64(len(table)), func(class string, id int64) int64 {
		if n, ok := want[class][id]; ok {
			id = n
		}
		expected = append(expected, fmt.Sprint(class, " ", id))
		return id
	})
	if err != nil {
		t.Fatal(err)
	}
	if list := ids(got); !slices.Equal(list, expected) {
		t.Error("the columns have other ids")
	}
	if !bytes.Equal(got, table) {
		t.Error("more than the ids changed")
	}
}

// tableFile is a table in memory.
type tableFile struct{ data []byte }

func (f *tableFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(f.data).ReadAt(p, at)
}

func (f *tableFile) WriteAt(p []byte, at int64) (int, error) { return copy(f.data[at:], p), nil }
