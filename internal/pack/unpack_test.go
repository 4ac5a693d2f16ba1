package pack

import (
	"encoding/xml"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The types of this file read a transfer.xml by the rules of "omero transfer
// unpack" and with nothing of this package.

type plainRef struct {
	ID string `xml:"ID,attr"`
}

type plainObject struct {
	ID     string     `xml:"ID,attr"`
	Name   string     `xml:"Name,attr"`
	Notes  []plainRef `xml:"AnnotationRef"`
	ROIs   []plainRef `xml:"ROIRef"`
	Images []plainRef `xml:"ImageRef"`
	Sets   []plainRef `xml:"DatasetRef"`
	Wells  []struct {
		Notes []plainRef `xml:"AnnotationRef"`
	} `xml:"Well"`
}

type plainNote struct {
	XMLName   xml.Name
	ID        string     `xml:"ID,attr"`
	Namespace string     `xml:"Namespace,attr"`
	Notes     []plainRef `xml:"AnnotationRef"`
	Value     struct {
		Text string `xml:",chardata"`
		Path string `xml:"CLITransferServerPath>Path"`
		Meta *struct {
			Image     string `xml:"origin_image_id"`
			Timestamp string `xml:"packing_timestamp"`
			User      string `xml:"original_user"`
			Group     string `xml:"original_group"`
			MD5       string `xml:"md5"`
		} `xml:"CLITransferMetadata"`
		Pairs []struct {
			Key   string `xml:"K,attr"`
			Value string `xml:",chardata"`
		} `xml:"M"`
	} `xml:"Value"`
}

type plainDocument struct {
	XMLName  xml.Name      `xml:"http://www.openmicroscopy.org/Schemas/OME/2016-06 OME"`
	Projects []plainObject `xml:"Project"`
	Datasets []plainObject `xml:"Dataset"`
	Screens  []plainObject `xml:"Screen"`
	Plates   []plainObject `xml:"Plate"`
	Images   []plainObject `xml:"Image"`
	Notes    struct {
		All []plainNote `xml:",any"`
	} `xml:"StructuredAnnotations"`
	ROIs []struct {
		ID    string `xml:"ID,attr"`
		Union struct {
			Shapes []struct{ XMLName xml.Name } `xml:",any"`
		} `xml:"Union"`
	} `xml:"ROI"`
}

func readPlain(t *testing.T, data []byte) (*plainDocument, map[string]plainNote) {
	t.Helper()
	var p plainDocument
	if err := xml.Unmarshal(data, &p); err != nil {
		t.Fatalf("the document is no XML: %v", err)
	}
	notes := make(map[string]plainNote)
	for _, n := range p.Notes.All {
		if _, twice := notes[n.ID]; twice {
			t.Errorf("%s twice", n.ID)
		}
		notes[n.ID] = n
	}
	return &p, notes
}

// TestUnpackRules checks the rules that readers like omero-cli-transfer rely on.
func TestUnpackRules(t *testing.T) {
	doc, m := fullDocument()
	p, notes := readPlain(t, encode(t, doc, m))

	creates := []string{"MapAnnotation", "TagAnnotation", "CommentAnnotation", "LongAnnotation", "TimestampAnnotation", "FileAnnotation"}
	referenced := map[string]bool{}
	check := func(of string, refs []plainRef) {
		for _, r := range refs {
			n, ok := notes[r.ID]
			if !ok {
				t.Errorf("%s refers to %s, which is not there", of, r.ID)
			}
			referenced[r.ID] = true
			record := n.XMLName.Local == "XMLAnnotation" && n.Namespace == "openmicroscopy.org/cli/transfer"
			if !record && !slices.Contains(creates, n.XMLName.Local) {
				t.Errorf("%s refers to %s, a %s, which unpack cannot create", of, r.ID, n.XMLName.Local)
			}
		}
	}
	for _, list := range [][]plainObject{p.Projects, p.Datasets, p.Screens, p.Plates, p.Images} {
		for _, o := range list {
			if o.Name == "" {
				t.Errorf("%s has no name", o.ID)
			}
			check(o.ID, o.Notes)
			for _, w := range o.Wells {
				check(o.ID, w.Notes)
			}
		}
	}
	for _, n := range p.Notes.All {
		if slices.Contains(creates, n.XMLName.Local) && !referenced[n.ID] {
			t.Errorf("unpack would create %s, a %s that no object has", n.ID, n.XMLName.Local)
		}
	}
	checkPlainImages(t, p, notes, doc)
	checkPlainROIs(t, p)
}

// record finds the one path record and the one provenance record of an object.
func record(t *testing.T, of string, refs []plainRef, notes map[string]plainNote) string {
	t.Helper()
	var paths []string
	provenance := 0
	for _, r := range refs {
		n := notes[r.ID]
		if n.Value.Path != "" {
			paths = append(paths, n.Value.Path)
		}
		if n.Value.Meta != nil {
			provenance++
			if n.Value.Meta.Timestamp != "31/12/2025, 23:59:59" || n.Value.Meta.MD5 != "TBC" {
				t.Errorf("%s: provenance %+v", of, *n.Value.Meta)
			}
			if n.Value.Meta.User != "alice" || n.Value.Meta.Group != "lab-1" {
				t.Errorf("%s: of %s in %s", of, n.Value.Meta.User, n.Value.Meta.Group)
			}
		}
	}
	if len(paths) != 1 || provenance != 1 && !strings.HasPrefix(of, "Annotation:") {
		t.Fatalf("%s: got paths %q and %d provenance records, want one of each", of, paths, provenance)
	}
	return paths[0]
}

func checkPlainImages(t *testing.T, p *plainDocument, notes map[string]plainNote, doc *Document) {
	t.Helper()
	want := map[string]string{
		"Image:101": "Slides/slideA.tif",
		"Image:102": "Slides/slide.vsi.fileset/mock_folder",
		"Image:103": "Slides/slide.vsi.fileset/mock_folder",
		"Image:104": "drawn/drawn.ome.tiff",
		"Image:105": "drawn/drawn [105].ome.tiff",
		"Image:201": "plate.fake",
		"Image:202": "plate.fake",
	}
	byPath := map[string][]int64{} // in the order of the document
	for _, im := range p.Images {
		got := record(t, im.ID, im.Notes, notes)
		if got != want[im.ID] {
			t.Errorf("%s: got path %q, want %q", im.ID, got, want[im.ID])
		}
		if path.Clean(got) != got || path.IsAbs(got) || strings.ContainsAny(got, `\"*:<>?|`) {
			t.Errorf("%s: path %q", im.ID, got)
		}
		n, err := strconv.ParseInt(im.ID[strings.LastIndex(im.ID, ":")+1:], 10, 64)
		if err != nil {
			t.Errorf("%s has no number", im.ID)
		}
		byPath[got] = append(byPath[got], n)
	}
	if len(p.Images) != len(want) {
		t.Errorf("got %d images, want %d", len(p.Images), len(want))
	}
	for p, ids := range byPath {
		if !slices.IsSorted(ids) {
			t.Errorf("images of %s: %v do not rise", p, ids)
		}
		for q := range byPath {
			if p != q && strings.HasPrefix(q, strings.TrimSuffix(p, "mock_folder")) {
				t.Errorf("path %s is the beginning of %s", p, q)
			}
		}
	}
	for _, pl := range p.Plates {
		if got := record(t, pl.ID, pl.Notes, notes); got != "./plate.fake" {
			t.Errorf("%s: got path %q", pl.ID, got)
		}
	}
	for _, n := range p.Notes.All {
		if n.XMLName.Local == "FileAnnotation" {
			if got := record(t, n.ID, n.Notes, notes); !strings.HasPrefix(got, "attachments/") {
				t.Errorf("%s: got path %q", n.ID, got)
			}
		}
	}
	if n := notes["Annotation:32"]; len(n.Value.Pairs) != 6 || n.Value.Pairs[2].Key != "stain" || n.Value.Pairs[2].Value != "GFP" {
		t.Errorf("got pairs %+v", n.Value.Pairs)
	}
	if problems := Problems(doc); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}

func checkPlainROIs(t *testing.T, p *plainDocument) {
	t.Helper()
	kinds := map[string]string{}
	for _, r := range p.ROIs {
		for _, s := range r.Union.Shapes {
			kinds[r.ID] += " " + s.XMLName.Local
		}
	}
	got := map[string]string{}
	for _, im := range p.Images {
		for _, r := range im.ROIs {
			if k, ok := kinds[r.ID]; !ok || strings.Trim(strings.ReplaceAll(k, "Mask", ""), " ") == "" {
				t.Errorf("%s refers to %s with the shapes %q", im.ID, r.ID, k)
			}
			got[im.ID] += " " + r.ID
		}
	}
	if got["Image:101"] != " ROI:51 ROI:53" || got["Image:104"] != " ROI:55" {
		t.Errorf("got ROIs %q", got)
	}
	if kinds["ROI:52"] != " Mask" {
		t.Errorf("the mask is not in the document: %q", kinds)
	}
}
