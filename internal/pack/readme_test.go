package pack

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func readmeOf(t *testing.T, d *Document, m *Manifest) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteReadme(&b, d, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	links  = regexp.MustCompile(` (?:href|src)="([^"]*)"`)
	ids    = regexp.MustCompile(` id="([^"]*)"`)
	images = regexp.MustCompile(`<img [^>]*>`)
	tags   = regexp.MustCompile(`<(/?)([a-z0-9]+)(?: [^>]*)?>`)
)

// checkPage holds a page to what every README.html promises: it is balanced,
// has no script and no address, and all it links to is in the pack or in itself.
func checkPage(t *testing.T, page string, m *Manifest) {
	t.Helper()
	anchors := make(map[string]bool)
	for _, id := range ids.FindAllStringSubmatch(page, -1) {
		if anchors[id[1]] || strings.ContainsAny(id[1], " \t\n") || id[1] == "" {
			t.Errorf("the id %q is empty, twice there or no word", id[1])
		}
		anchors[id[1]] = true
	}
	files := map[string]bool{TransferXML: true}
	for _, f := range m.Files {
		for p := f.Path; p != ""; p = p[:max(strings.LastIndexByte(p, '/'), 0)] {
			files[p] = true
		}
	}
	for _, l := range links.FindAllStringSubmatch(page, -1) {
		to := html.UnescapeString(l[1])
		if anchor, ok := strings.CutPrefix(to, "#"); ok {
			if !anchors[anchor] {
				t.Errorf("a link to nothing: %q", to)
			}
			continue
		}
		u, err := url.Parse(to)
		if err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasPrefix(to, "/") {
			t.Errorf("no relative link: %q (%v)", to, err)
		} else if p := strings.TrimSuffix(u.Path, "/"); !files[p] {
			t.Errorf("a link to %q, which is not in the pack", p)
		}
	}
	for _, img := range images.FindAllString(page, -1) {
		if !strings.Contains(img, ` alt="`) || strings.Contains(img, ` alt=""`) {
			t.Errorf("a picture without words: %s", img)
		}
	}
	var open []string
	for _, tag := range tags.FindAllStringSubmatch(page[strings.Index(page, "<body"):strings.Index(page, "</html>")], -1) {
		switch name := tag[2]; {
		case slices.Contains([]string{"script", "iframe", "object", "embed", "link", "form", "svg"}, name):
			t.Errorf("the page has %s", tag[0])
		case name == "img" || name == "br":
		case tag[1] == "":
			open = append(open, name)
		case len(open) == 0 || open[len(open)-1] != name:
			t.Fatalf("%s closes nothing; open are %q", tag[0], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) != 0 {
		t.Errorf("left open: %q", open)
	}
	for _, r := range page {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			t.Errorf("the page has the character %U", r)
		}
	}
}

func TestReadmeOfEverything(t *testing.T) {
	d, m := fullDocument()
	m.Files = append(m.Files, File{Path: SumsFile, Size: -1, Kind: Generated})
	for _, id := range Pictures(d, MostPictures) {
		m.Files = append(m.Files, File{Path: Picture(id), Size: -1, Kind: Generated})
	}
	page := readmeOf(t, d, m)
	checkPage(t, page, m)
	if again := readmeOf(t, d, m); again != page {
		t.Error("the second page differs from the first")
	}
	text := html.UnescapeString(page)
	for _, want := range []string{
		`Kidney <atlas> & "more"`, "Alice B Müller (alice)", "lab-1 (rwra--)", "omero.example.org", "0bd1a7a6-0000-4c3d-9e51-aaaaaaaaaaaa",
		"OMERO 5.6.14", "omerods 0.1", "slide A", "one file, one image", "0.325\u00a0µm\u00a0× 325\u00a0nm\u00a0× 1e-09\u00a0m", "Dataset 11", "2024-02-29 12:30",
		"512\u00a0×\u00a0256", "3\u00a0z", "uint16", "sha1sum --quiet -c SHA1SUMS", "omerods check", "/projects/", `lang="en"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// What somebody calls an object cannot break out of the text of the page.
func TestReadmeOfHostileNames(t *testing.T) {
	for _, name := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, "' onmouseover='alert(1)", "--></style><script>",
		"{{.}}", "&lt;b&gt;", "a\u202egpj.exe", "a\x00b\x1b[31m\xff", "http://example.org/x", "//example.org/x", "%2e%2e/x", "\u2028\u2029", "]]>", `\u003cscript`,
		strings.Repeat("w", 1<<20),
	} {
		d, m := fullDocument()
		d.Origin.Name, d.Projects[0].Description = name, name
		d.Datasets[0].Name, d.Plates[0].Name = name, name
		for i := range d.Images {
			d.Images[i].Name, d.Images[i].Description = name, name
		}
		for i := range d.Annotations {
			a := &d.Annotations[i]
			a.Namespace, a.Text, a.Description, a.Pairs = name, name, name, []Pair{{name, name}}
			d.Links = append(d.Links, Link{From: "Image:101", To: a.ID})
		}
		d.Plates[0].Wells[0].Type, d.Plates[0].ExternalIdentifier = name, name
		page := readmeOf(t, d, m)
		checkPage(t, page, m)
		for _, bad := range []string{"<script", "<img src=x", " onmouseover='", "\u202e"} {
			if strings.Contains(page, bad) {
				t.Errorf("%q: the page has %s", clip(name), bad)
			}
		}
		if len(page) > 300_000 {
			t.Errorf("%q: %d bytes", clip(name), len(page))
		}
	}
}

// largeDocument has images in datasets, each with something said of it.
func largeDocument(datasets, each int, text string) (*Document, *Manifest) {
	d, m := &Document{Origin: Origin{Object: "Project:1", Name: "large"}}, &Manifest{}
	d.Projects = []Project{{ID: "Project:1", Name: "large"}}
	n := int64(0)
	for i := range datasets {
		ds := Dataset{ID: NewID(KindDataset, int64(i+1)), Name: fmt.Sprint("set ", i)}
		for range each {
			n++
			id, note := NewID(KindImage, n), NewID(KindAnnotation, n)
			path := fmt.Sprintf("set %d/image %d.tif", i, n)
			ds.Images = append(ds.Images, id)
			d.Images = append(d.Images, Image{ID: id, Name: fmt.Sprint("image ", n), Path: path, Pixels: smallPixels(), Acquired: day1,
				Details: Details{Created: day2}})
			d.Annotations = append(d.Annotations, Annotation{ID: note, Kind: CommentAnnotation, Text: text})
			d.Links = append(d.Links, Link{From: id, To: note})
			m.Files = append(m.Files, File{Path: path, Size: 1000, Kind: Exported, Image: id})
		}
		d.Projects[0].Datasets = append(d.Projects[0].Datasets, ds.ID)
		d.Datasets = append(d.Datasets, ds)
	}
	for _, id := range Pictures(d, MostPictures) {
		m.Files = append(m.Files, File{Path: Picture(id), Size: -1, Kind: Generated})
	}
	return d, m
}

func TestReadmeOfManyImages(t *testing.T) {
	d, m := largeDocument(100, 100, "a comment")
	page := readmeOf(t, d, m)
	if n := strings.Count(page, "<img "); n != MostPictures {
		t.Errorf("%d pictures, want %d", n, MostPictures)
	}
	if n := strings.Count(page, `<tr id="image-`); n != 10000 {
		t.Errorf("%d images are listed, want all", n)
	}
	if len(page) > 16<<20 {
		t.Errorf("%d bytes", len(page))
	}
	checkPage(t, page, m)

	d, m = largeDocument(5, 1000, strings.Repeat("long ", 4000))
	page = readmeOf(t, d, m)
	listed := strings.Count(page, `<tr id="image-`)
	if len(page) > mostPageBytes*5/4 || listed == 0 || listed == 5000 || !strings.Contains(page, "further images are described in") {
		t.Errorf("%d bytes, %d images", len(page), listed)
	}
	checkPage(t, page, m)
}

func TestPicturesAreSpread(t *testing.T) {
	for _, c := range []struct{ datasets, each, n, want int }{
		{1, 10, 200, 10}, {1, 1000, 200, 200}, {3, 1000, 200, 200}, {300, 5, 200, 200}, {0, 0, 200, 0}, {7, 13, 50, 50}, {2, 3, 1, 1}, {2, 3, 0, 0},
	} {
		d, _ := largeDocument(c.datasets, c.each, "")
		got := Pictures(d, c.n)
		if len(got) != c.want {
			t.Errorf("%d datasets of %d images: %d pictures, want %d", c.datasets, c.each, len(got), c.want)
		}
		if !slices.IsSortedFunc(got, ID.Compare) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("%d datasets of %d images: not in order, or twice: %v", c.datasets, c.each, got)
		}
		most, least := 0, c.n+1
		for _, ds := range d.Datasets {
			n := 0
			for _, id := range ds.Images {
				if slices.Contains(got, id) {
					n++
				}
			}
			most, least = max(most, n), min(least, n)
		}
		if c.datasets > 0 && most-least > 1 {
			t.Errorf("%d datasets of %d images: one has %d, another %d", c.datasets, c.each, most, least)
		}
	}
	// A small dataset leaves its share to the others.
	d, _ := largeDocument(2, 500, "")
	d.Datasets[0].Images = d.Datasets[0].Images[:3]
	if got := Pictures(d, 200); len(got) != 200 || !slices.Contains(got, "Image:3") {
		t.Errorf("got %d: %v", len(got), got)
	}
}

func TestPlatesAreDrawn(t *testing.T) {
	d, m := &Document{Origin: Origin{Object: "Plate:1", Name: "p"}}, &Manifest{}
	p := Plate{ID: "Plate:1", Name: "p", Rows: new(3), Columns: new(30), Runs: []Run{{ID: "PlateAcquisition:1"}, {ID: "PlateAcquisition:2"}}}
	for i := range 4 {
		w := Well{ID: NewID(KindWell, int64(i)), Row: i / 2, Column: 27 + i%2}
		for f := range 2 {
			id := NewID(KindImage, int64(10*i+f))
			d.Images = append(d.Images, Image{ID: id, Name: "field", Path: "x.fake"})
			w.Samples = append(w.Samples, WellSample{ID: NewID(KindWellSample, int64(10*i+f)), Image: id})
			p.Runs[f].Samples = append(p.Runs[f].Samples, w.Samples[f].ID)
		}
		p.Wells = append(p.Wells, w)
	}
	d.Plates = []Plate{p}
	d.LeftOut = []LeftOut{{Image: "Image:99", Name: "<gone>", Reason: Lost}, {Image: "Image:98", Reason: Refused}}
	pictures := Pictures(d, MostPictures)
	if want := []ID{"Image:0", "Image:10", "Image:20", "Image:30"}; !slices.Equal(pictures, want) {
		t.Errorf("got the pictures %v, want %v", pictures, want)
	}
	m.Files = []File{{Path: "x.fake"}}
	for _, id := range pictures[:3] {
		m.Files = append(m.Files, File{Path: Picture(id)})
	}
	page := readmeOf(t, d, m)
	checkPage(t, page, m)
	for text, n := range map[string]int{`class="well"`: 4, "<img ": 3, `<th scope="col">30</th>`: 1, `<th scope="row">C</th>`: 1, ">B29<": 1,
		"A28, run 2, field 1": 1, "no well C30": 1, "&lt;gone&gt;</dt>": 1, "Image 98</dt>": 1, "had lost its files": 1} {
		if got := strings.Count(page, text); got != n {
			t.Errorf("%q is there %d times, want %d", text, got, n)
		}
	}
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA"} {
		if got := axisName(i, "", "letter"); got != want {
			t.Errorf("row %d: got %s, want %s", i, got, want)
		}
	}
}

func TestShownText(t *testing.T) {
	if got := dateMark(time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)); got != "" {
		t.Errorf("a year of five digits: %q", got)
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1 << 62: "4.6 EB"} {
		if got := byteCount(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	if got := shown("  äöü ", 2); got != "äö…" {
		t.Errorf("got %q", got)
	}
	if got := string(link("a b/c:d?e#f%g\u00e9.tif")); got != "a%20b/c%3Ad%3Fe%23f%25g%C3%A9.tif" {
		t.Errorf("got %s", got)
	}
}

// BenchmarkReadme writes the page of 10,000 images.
func BenchmarkReadme(b *testing.B) {
	d, m := largeDocument(100, 100, "a comment")
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := WriteReadme(&out, d, m); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(out.Len()))
	}
}
