//go:build peer

package omeropy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// response is what import_cases.py says of a response: the ids of pixels and
// objects, or an error.
type response struct {
	Error, Category, Message string
	Pixels                   []int64
	Objects                  []string // such as "Image:5"
	Fileset                  int64
	Sum                      string // of the pixels as numpy has them
}

// ids are those of the objects of a class.
func (r response) ids(class string) (ids []int64) {
	for _, o := range r.Objects {
		if id, ok := strings.CutPrefix(o, class+":"); ok {
			n, _ := strconv.ParseInt(id, 10, 64)
			ids = append(ids, n)
		}
	}
	return ids
}

// image is the only image of a response.
func (r response) image(t *testing.T) *store.Row {
	t.Helper()
	ids := r.ids("Image")
	if r.Error != "" || len(ids) != 1 || len(r.Objects) != 1 || len(r.Pixels) != 1 {
		t.Fatalf("got %+v, want one image", r)
	}
	row := box.Store().Get("Image", ids[0])
	if p := pixelsOf(row); p.ID != r.Pixels[0] {
		t.Errorf("got pixels %d, want %d", r.Pixels[0], p.ID)
	}
	return row
}

// pixelsOf are those of an image.
func pixelsOf(image *store.Row) *store.Row {
	return box.Store().Collection("Image", image.ID, "pixels")[0]
}

// filesetFiles are the original files of a fileset, in order.
func filesetFiles(fileset int64) (rows []*store.Row) {
	for _, e := range box.Store().Collection("Fileset", fileset, "usedFiles") {
		rows = append(rows, box.Store().Get("OriginalFile", e.Ref("originalFile")))
	}
	return rows
}

// clientPaths are those of the entries of a fileset.
func clientPaths(fileset int64) (paths []string) {
	for _, e := range box.Store().Collection("Fileset", fileset, "usedFiles") {
		paths = append(paths, e.Text("clientPath"))
	}
	return paths
}

// filesetJobs are the classes of the jobs of a fileset.
func filesetJobs(fileset int64) (classes []string) {
	for _, l := range box.Store().Collection("Fileset", fileset, "jobLinks") {
		classes = append(classes, box.Store().Get("Job", l.Ref("child")).Class.Name)
	}
	return classes
}

func imagesOf(fileset int64) []*store.Row {
	return box.Store().Collection("Fileset", fileset, "images")
}

// childrenOf are the ids that links of a class lead to from an object.
func childrenOf(link string, parent int64) (ids []int64) {
	box.Store().Each(link, func(l *store.Row) bool {
		if l.Ref("parent") == parent {
			ids = append(ids, l.Ref("child"))
		}
		return true
	})
	return ids
}

// imports runs cases of import_cases.py as ada.
func imports(t *testing.T, cases ...string) map[string]json.RawMessage {
	t.Helper()
	ada := newPerson(t, "ada")
	foreign := oldest(t, "Dataset", "Pilot")
	found := map[string]json.RawMessage{}
	ada.script(&found, "import_cases.py", append([]string{ada.home, strconv.FormatInt(foreign.ID, 10)}, cases...)...)
	return found
}

// decode takes what a case says apart.
func decode(t *testing.T, found map[string]json.RawMessage, name string, into any) {
	t.Helper()
	var failed struct{ Raised string }
	if err := json.Unmarshal(found[name], &failed); err == nil && failed.Raised != "" {
		t.Fatal(failed.Raised)
	}
	if err := json.Unmarshal(found[name], into); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, found[name])
	}
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestImport imports files from Python and looks at what the server has then.
func TestImport(t *testing.T) {
	found := imports(t, "one", "callback", "many", "companion", "raster", "plate", "together", "by_itself")
	s := box.Store()

	t.Run("one image", func(t *testing.T) {
		var out struct {
			response
			Before, Same, Equal, Changed bool
			Sizes, Least, Most           []int
			File, MD5                    string
			Bad                          []int64
			Comment                      int64
		}
		decode(t, found, "one", &out)
		image := out.image(t)
		p := pixelsOf(image)
		expect(t, "name and description", []string{image.Text("name"), image.Text("description")}, []string{"given name", "given text"})
		expect(t, "sum of the pixels", p.Text("sha1"), out.Sum)
		expect(t, "sizes in the response", out.Sizes, []int{50, 40, 3, 2, 2})
		expect(t, "sizes", []any{p.Get("sizeX"), p.Get("sizeY"), p.Get("sizeZ"), p.Get("sizeC"), p.Get("sizeT")}, []any{int32(50), int32(40), int32(3), int32(2), int32(2)})
		for c, ch := range s.Collection("Pixels", p.ID, "channels") {
			info := s.Get("StatsInfo", ch.Ref("statsInfo"))
			expect(t, "statistics", []any{info.Get("globalMin"), info.Get("globalMax")}, []any{float64(out.Least[c]), float64(out.Most[c])})
		}
		expect(t, "dataset", childrenOf("DatasetImageLink", object(t, "Dataset", "python one").ID), []int64{image.ID})
		tag := object(t, "Dataset", "python one")
		s.Each("TagAnnotation", func(r *store.Row) bool {
			if r.Text("textValue") == "python tag" {
				tag = r
			}
			return true
		})
		notes := childrenOf("ImageAnnotationLink", image.ID)
		slices.Sort(notes)
		expect(t, "annotations", notes, slices.Sorted(slices.Values([]int64{out.Comment, tag.ID})))
		expect(t, "fileset", image.Ref("fileset"), out.Fileset)
		expect(t, "client paths", clientPaths(out.Fileset), []string{"somewhere/else/one.ome.tif"})
		all := filesetFiles(out.Fileset)
		expect(t, "files", []string{all[0].Text("name"), all[0].Text("hash")}, []string{"one.ome.tif", out.MD5}) // after setChecksumAlgorithm
		if out.MD5 == out.File || !out.Changed || len(out.Bad) > 0 || !out.Equal {
			t.Errorf("checksums: %+v", out)
		}
		if !out.Before || !out.Same {
			t.Errorf("getHandle: nil before verifyUpload %v, the same after it %v", out.Before, out.Same)
		}
		expect(t, "jobs", filesetJobs(out.Fileset), []string{"UploadJob", "MetadataImportJob", "PixelDataJob", "IndexingJob", "ThumbnailGenerationJob"})
		job := s.Get("Job", s.Collection("Fileset", out.Fileset, "jobLinks")[0].Ref("child"))
		info, _ := job.Get("versionInfo").([]store.NamedValue)
		if !slices.Contains(info, store.NamedValue{Name: "client.language.name", Value: "Python"}) {
			t.Errorf("version info: %v", info)
		}
		if len(s.Collection("Pixels", p.ID, "settings")) != 1 {
			t.Error("there are no rendering settings")
		}
	})
	t.Run("callback", func(t *testing.T) {
		var out struct {
			response
			Called        int
			Steps         [][2]int
			Failed, Ended bool
		}
		decode(t, found, "callback", &out)
		if !out.Ended || out.Called != 1 || out.Failed || len(out.Pixels) < 40 {
			t.Errorf("ended %v, called %d times, failed %v, %d images", out.Ended, out.Called, out.Failed, len(out.Pixels))
		}
		if !slices.Contains(out.Steps, [2]int{4, 5}) { // the client's threads may swap them
			t.Errorf("got steps %v, want the last of 5 among them", out.Steps)
		}
	})
	t.Run("three images", func(t *testing.T) {
		var out struct {
			response
			File string
		}
		decode(t, found, "many", &out)
		ids := out.ids("Image")
		if len(ids) != 3 || !slices.IsSorted(ids) {
			t.Fatalf("got %+v", out)
		}
		for i, id := range ids {
			image := s.Get("Image", id)
			p := pixelsOf(image)
			expect(t, "name", image.Text("name"), fmt.Sprintf("many.ome.tif [m%d]", i))
			expect(t, "series and height", []any{image.Get("series"), p.Get("sizeY")}, []any{int32(i), int32(20 + i)})
			if s.Collection("Pixels", p.ID, "channels")[0].Ref("statsInfo") != store.None || len(s.Collection("Pixels", p.ID, "settings")) != 0 {
				t.Errorf("image %d has statistics or settings that nobody wanted", i)
			}
		}
		fileset := s.Get("Image", ids[0]).Ref("fileset")
		expect(t, "hash", filesetFiles(fileset)[0].Text("hash"), out.File)
		expect(t, "images of the fileset", len(imagesOf(fileset)), 3)
	})
	t.Run("companion", func(t *testing.T) {
		var out struct {
			response
			Names []string
		}
		decode(t, found, "companion", &out)
		image := out.image(t)
		expect(t, "name", image.Text("name"), "set")
		expect(t, "sum of the pixels", pixelsOf(image).Text("sha1"), out.Sum)
		fileset := image.Ref("fileset")
		prefix := s.Get("Fileset", fileset).Text("templatePrefix")
		var names, paths []string
		for i, f := range filesetFiles(fileset) {
			names = append(names, f.Text("name"))
			paths = append(paths, "home/x/y/"+out.Names[i])
			expect(t, "folder", f.Text("path"), prefix) // the folders above the files are taken off
		}
		expect(t, "files", names, out.Names)
		expect(t, "client paths", clientPaths(fileset), paths)
		expect(t, "dataset", childrenOf("DatasetImageLink", object(t, "Dataset", "python set").ID), []int64{image.ID})
	})
	t.Run("raster", func(t *testing.T) {
		var out map[string]response
		decode(t, found, "raster", &out)
		if len(out) != 5 {
			t.Errorf("got %d pictures", len(out))
		}
		for name, r := range out {
			image := r.image(t)
			expect(t, name, []string{image.Text("name"), pixelsOf(image).Text("sha1")}, []string{name, r.Sum})
		}
	})
	t.Run("plate", func(t *testing.T) {
		var out response
		decode(t, found, "plate", &out)
		plates := out.ids("Plate")
		if len(plates) != 1 || len(out.ids("Image")) != 4 || out.Objects[0] != fmt.Sprintf("Plate:%d", plates[0]) {
			t.Fatalf("got %+v, want a plate and then its images", out)
		}
		expect(t, "screen", childrenOf("ScreenPlateLink", object(t, "Screen", "python screen").ID), plates)
		expect(t, "wells", len(s.Collection("Plate", plates[0], "wells")), 4)
	})
	t.Run("together", func(t *testing.T) {
		var out []response
		decode(t, found, "together", &out)
		for i, r := range out {
			image := r.image(t)
			expect(t, "image", []string{image.Text("name"), pixelsOf(image).Text("sha1")}, []string{fmt.Sprintf("both%d.ome.tif", i), r.Sum})
		}
	})
	t.Run("by itself", func(t *testing.T) {
		var out struct {
			response
			Closed bool
			Paths  response
		}
		decode(t, found, "by_itself", &out)
		if !out.Closed || len(imagesOf(out.Fileset)) != 1 {
			t.Errorf("closed %v, %d images", out.Closed, len(imagesOf(out.Fileset)))
		}
		expect(t, "importPaths", out.Paths.image(t).Text("name"), "auto.png")
	})
}

// TestImportFails imports from Python what cannot be imported, or not at once.
func TestImportFails(t *testing.T) {
	found := imports(t, "refused", "checksums", "unknown", "cancelled", "abandoned", "naming")
	s := box.Store()

	t.Run("targets", func(t *testing.T) {
		var out map[string]response
		decode(t, found, "refused", &out)
		for _, name := range []string{"project", "foreign", "missing"} {
			r := out[name]
			if r.Error != "import-request-failure" || r.Category != "::omero::grid::ImportRequest" || r.Message == "" {
				t.Errorf("%s: got %+v", name, r)
			}
			// Nothing half done: the fileset stays, without images.
			if s.Get("Fileset", r.Fileset) == nil || len(imagesOf(r.Fileset)) != 0 {
				t.Errorf("%s: fileset %d has %d images", name, r.Fileset, len(imagesOf(r.Fileset)))
			}
		}
		if !strings.Contains(out["foreign"].Message, "SecurityViolation") {
			t.Errorf("somebody else's dataset: %s", out["foreign"].Message)
		}
	})
	t.Run("checksums", func(t *testing.T) {
		var out map[string]json.RawMessage
		decode(t, found, "checksums", &out)
		texts := map[string]string{}
		for _, name := range []string{"damaged", "too few", "no files", "no job", "unknown", "none"} {
			var text string
			decode(t, out, name, &text)
			texts[name] = text
		}
		var failing map[string]string
		decode(t, out, "failing", &failing)
		expect(t, "failing files", failing, map[string]string{"1": texts["damaged"]})
		delete(texts, "damaged")
		expect(t, "exceptions", texts, map[string]string{"too few": "ApiUsageException", "no files": "ApiUsageException",
			"no job": "ValidationException", "unknown": "ApiUsageException", "none": "ApiUsageException"})
		var names []string
		decode(t, out, "algorithms", &names)
		expect(t, "preferred algorithm", names[0], "SHA1-160")
		for _, name := range []string{"again", "MD5-128", "CRC-32", "Adler-32", "File-Size-64"} {
			var r response
			decode(t, out, name, &r)
			image := r.image(t)
			want := name
			if name == "again" {
				want = "SHA1-160"
			}
			for _, f := range filesetFiles(image.Ref("fileset")) {
				expect(t, "algorithm", s.Get("ChecksumAlgorithm", f.Ref("hasher")).Text("value"), want)
			}
		}
	})
	t.Run("unknown format", func(t *testing.T) {
		var out struct {
			response
			Failed  bool
			Deleted map[string]int
		}
		decode(t, found, "unknown", &out)
		if out.Error != "error-on-init" || !out.Failed {
			t.Errorf("got %+v", out)
		}
		if s.Get("Fileset", out.Fileset) != nil || out.Deleted["ome.model.fs.Fileset"] != 1 || out.Deleted["ome.model.core.OriginalFile"] != 2 {
			t.Errorf("deleted %v, the fileset is there: %v", out.Deleted, s.Get("Fileset", out.Fileset) != nil)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		var out struct {
			response
			Gone bool
		}
		decode(t, found, "cancelled", &out)
		// The log gets its size when the import is over.
		link := s.Collection("Fileset", out.Fileset, "jobLinks")[0]
		log := childrenOf("JobOriginalFileLink", link.Ref("child"))[0]
		eventually(t, "the import is over", func() bool { size, _ := s.Get("OriginalFile", log).Get("size").(int64); return size > 0 })
		if n := len(imagesOf(out.Fileset)); n != 0 || !out.Gone {
			t.Errorf("%d images; the handle is gone: %v", n, out.Gone)
		}
	})
	t.Run("abandoned", func(t *testing.T) {
		var out struct {
			response
			Listed []bool
			Others []int
			After  int
			Gone   bool
		}
		decode(t, found, "abandoned", &out)
		expect(t, "open imports", out.Listed, []bool{true})
		expect(t, "open imports for ada, grace and juergen", out.Others, []int{1, 1, 0})
		if out.After != 0 || !out.Gone {
			t.Errorf("got %+v", out)
		}
		expect(t, "client paths", clientPaths(out.Fileset), []string{"left/alone.png"})
		expect(t, "images", len(imagesOf(out.Fileset)), 0)
	})
	t.Run("naming", func(t *testing.T) {
		var out map[string]json.RawMessage
		decode(t, found, "naming", &out)
		var r response
		decode(t, found, "naming", &r)
		fileset := r.image(t).Ref("fileset")
		expect(t, "client paths", clientPaths(fileset), []string{"C;!x/what% 'odd'/[a]!bx.png/CON_/_aux.png/_$odd.png"})
		for path, want := range map[string]string{
			"a:b/c": `["a:b/c", [58], [], []]`, "x/NUL": `["x/NUL", [], [], ["NUL"]]`, "$x": `["$x", [], ["$"], []]`, "../x": `["../x", [], [], [".."]]`,
		} {
			expect(t, path, string(out[path]), want)
		}
	})
}
