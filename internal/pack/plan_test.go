package pack

import (
	"slices"
	"strings"
	"testing"
)

func TestPlanOfOurs(t *testing.T) {
	doc, _ := fullDocument()
	f := doc.Filesets
	same(t, "plan", doc.ImportPlan(), []Import{
		{Fileset: "Fileset:51", Path: "Slides/slideA.tif", Entries: f[0].Entries, Reader: "loci.formats.in.TiffReader", Images: []ID{"Image:101"}},
		{Fileset: "Fileset:52", Path: "Slides/slide.vsi.fileset", Entries: f[1].Entries, Images: []ID{"Image:102", "Image:103"}},
		{Fileset: "Fileset:53", Path: "plate.fake", Entries: f[2].Entries, Images: []ID{"Image:201", "Image:202"}},
		{Path: "drawn/drawn.ome.tiff", Entries: []Entry{{Path: "drawn/drawn.ome.tiff", ClientPath: "drawn/drawn.ome.tiff", Size: -1}}, Images: []ID{"Image:104"}},
		{Path: "drawn/drawn [105].ome.tiff", Entries: []Entry{{Path: "drawn/drawn [105].ome.tiff", ClientPath: "drawn/drawn [105].ome.tiff", Size: -1}}, Images: []ID{"Image:105"}},
	})
}

func TestCandidateMains(t *testing.T) {
	tests := []struct {
		files []FileInfo
		want  []string
	}{
		{nil, nil},
		{[]FileInfo{{"_slide_/stack1/frame_t.ets", 900}, {"slide.VSI", 1}, {"notes.txt", 5}}, []string{"slide.VSI", "notes.txt"}},
		{[]FileInfo{{"a.zarr/0/.zattrs", 1}, {"a.zarr/.zattrs", 1}, {"a.zarr/.zgroup", 1}, {"a.zarr/0/0", 9}}, []string{"a.zarr/.zattrs", "a.zarr/0/.zattrs", "a.zarr/.zgroup"}},
		{[]FileInfo{{"1", 1}, {"2", 2}, {"3", 3}, {"4", 4}, {"5b", 5}, {"5a", 5}, {"6", 6}}, []string{"6", "5a", "5b", "4", "3"}},
		{[]FileInfo{{"p_z1.ome.tif", 9}, {"p.companion.ome", 1}}, []string{"p.companion.ome", "p_z1.ome.tif"}},
	}
	for _, tt := range tests {
		if got := CandidateMains(tt.files); !slices.Equal(got, tt.want) {
			t.Errorf("%v: got %q, want %q", tt.files, got, tt.want)
		}
	}
}

func TestProblems(t *testing.T) {
	doc, _ := fullDocument()
	doc.Images[3].Path = "Slides/slideA.tiff" // slideA.tif is its beginning
	doc.Images[4].Path = "plateXfake"         // plate_fake finds it
	doc.Filesets[2].Entries[0].Path = "plate_fake"
	doc.Filesets[1].Entries[1].Path = "Slides/slide.vsi.fileset/1/2/3/4/5/x:y"
	doc.Filesets[1].Images = []ID{"Image:103", "Image:102"}
	got := Problems(doc)
	for _, want := range []string{
		"a search for Slides/slideA.tif finds Slides/slideA.tiff too",
		"a search for plate_fake finds plateXfake too",
		"more than 4 folders deep",
		`importers change the name "x:y"`,
		"the images of Slides/slide.vsi.fileset/ do not have rising ids",
	} {
		if !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("got %q, want one with %q", got, want)
		}
	}
	if len(got) != 5 {
		t.Errorf("got %q, want five", got)
	}
}

func TestLikePrefix(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"a", "ab", true}, {"ab", "a", false}, {"a_c", "abcd", true}, {"a_c", "ac", false},
		{"a%c", "axxcy", true}, {"a%c", "axx", false}, {"%", "", true}, {"a%b%c", "abxbc", true},
		{"ü_", "üü", true}, {"", "x", true},
	}
	for _, tt := range tests {
		if got := likePrefix(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q in %q: got %v", tt.pattern, tt.s, got)
		}
	}
}

func TestIDs(t *testing.T) {
	sorted := []ID{"Image:-12", "Image:-3", "Image:0", "Image:9", "Image:10", "Image:18350171370993896931", "Image:18350171370993896932", "Image:x"}
	got := slices.Clone(sorted)
	slices.Reverse(got)
	slices.SortFunc(got, ID.Compare)
	if !slices.Equal(got, sorted) {
		t.Errorf("got %v, want %v", got, sorted)
	}
	if id := NewID(KindImage, 7); id != "Image:7" || id.Kind() != "Image" || id.Key() != "7" {
		t.Errorf("got %v", id)
	}
	if n, ok := ID("Image:7").Number(); n != 7 || !ok {
		t.Errorf("got %d %v", n, ok)
	}
	if _, ok := ID("Image:18350171370993896931").Number(); ok {
		t.Error("a number beyond 64 bits is none")
	}
	if p := AttachmentPath("Annotation:33", "a.pdf"); p != "attachments/33/a.pdf" {
		t.Errorf("got %s", p)
	}
}
