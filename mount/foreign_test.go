package mount

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/store"
)

// omeXML is as much of a transfer.xml as these tests judge by. It is a parser
// of its own, so that what is expected does not depend on the one under test.
type omeXML struct {
	Datasets []struct {
		Name   string   `xml:",attr"`
		Images []xmlRef `xml:"ImageRef"`
		Notes  []xmlRef `xml:"AnnotationRef"`
	} `xml:"Dataset"`
	Images []struct {
		ID    string   `xml:",attr"`
		Name  string   `xml:",attr"`
		ROIs  []xmlRef `xml:"ROIRef"`
		Notes []xmlRef `xml:"AnnotationRef"`
	} `xml:"Image"`
	Tags []struct {
		ID    string `xml:",attr"`
		Value string
	} `xml:"StructuredAnnotations>TagAnnotation"`
	Maps []struct {
		ID        string `xml:",attr"`
		Namespace string `xml:",attr"`
		Pairs     []struct {
			K     string `xml:",attr"`
			Value string `xml:",chardata"`
		} `xml:"Value>M"`
	} `xml:"StructuredAnnotations>MapAnnotation"`
	ROIs []struct {
		ID     string `xml:",attr"`
		Shapes struct {
			All []struct {
				XMLName xml.Name
				Attrs   []xml.Attr `xml:",any,attr"`
			} `xml:",any"`
		} `xml:"Union"`
	} `xml:"ROI"`
}

type xmlRef struct {
	ID string `xml:",attr"`
}

// notes writes down the tags and pairs that references lead to.
func (d *omeXML) notes(refs []xmlRef) []string {
	var out []string
	for _, r := range refs {
		for _, t := range d.Tags {
			if t.ID == r.ID {
				out = append(out, "tag "+t.Value)
			}
		}
		for _, m := range d.Maps {
			if m.ID != r.ID {
				continue
			}
			text := "map " + m.Namespace
			for _, p := range m.Pairs {
				text += fmt.Sprintf(" %q=%q", p.K, p.Value)
			}
			out = append(out, text)
		}
	}
	sort.Strings(out)
	return out
}

// shapes writes down kinds and positions.
func (d *omeXML) shapes(refs []xmlRef) []string {
	var out []string
	for _, r := range refs {
		for _, roi := range d.ROIs {
			if roi.ID != r.ID {
				continue
			}
			for _, s := range roi.Shapes.All {
				at := map[string]string{}
				for _, a := range s.Attrs {
					at[a.Name.Local] = a.Value
				}
				switch kind := s.XMLName.Local; kind {
				case "Rectangle":
					out = append(out, fmt.Sprintf("%s %s %s %s %s", kind, number(at["X"]), number(at["Y"]), number(at["Width"]), number(at["Height"])))
				case "Line":
					out = append(out, fmt.Sprintf("%s %s %s %s %s", kind, number(at["X1"]), number(at["Y1"]), number(at["X2"]), number(at["Y2"])))
				default:
					out = append(out, kind)
				}
			}
		}
	}
	sort.Strings(out)
	return out
}

func number(s string) string {
	var f float64
	fmt.Sscan(s, &f)
	return fmt.Sprint(f)
}

// storedNotes and storedShapes write down the same from the server's store.
func storedNotes(s *store.Store, class string, id int64) []string {
	var out []string
	s.Each(class+"AnnotationLink", func(l *store.Row) bool {
		a := s.Get("Annotation", l.Ref("child"))
		if l.Ref("parent") != id || strings.HasPrefix(a.Text("ns"), "omerods/") {
			return true
		}
		switch a.Class.Name {
		case "TagAnnotation":
			out = append(out, "tag "+a.Text("textValue"))
		case "MapAnnotation":
			text := "map " + a.Text("ns")
			values, _ := a.Get("mapValue").([]store.NamedValue)
			for _, p := range values {
				text += fmt.Sprintf(" %q=%q", p.Name, p.Value)
			}
			out = append(out, text)
		}
		return true
	})
	sort.Strings(out)
	return out
}

func storedShapes(s *store.Store, image int64) []string {
	var out []string
	for _, roi := range s.Collection("Image", image, "rois") {
		for _, sh := range s.Collection("Roi", roi.ID, "shapes") {
			switch kind := sh.Class.Name; kind {
			case "Rectangle":
				out = append(out, fmt.Sprintf("%s %v %v %v %v", kind, sh.Get("x"), sh.Get("y"), sh.Get("width"), sh.Get("height")))
			case "Line":
				out = append(out, fmt.Sprintf("%s %v %v %v %v", kind, sh.Get("x1"), sh.Get("y1"), sh.Get("x2"), sh.Get("y2")))
			default:
				out = append(out, kind)
			}
		}
	}
	sort.Strings(out)
	return out
}

// foreignPacks are packs that omero-cli-transfer made, when they are at hand.
func foreignPacks(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("OMERODS_TEST_PACKS"), "../../shared/data/packs"} {
		if dir == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "valid_single_image.tar")); err == nil {
			abs, err := filepath.Abs(dir)
			if err != nil {
				t.Fatal(err)
			}
			return abs
		}
	}
	t.Skip("no packs of omero-cli-transfer at hand: OMERODS_TEST_PACKS names a folder with them")
	return ""
}

func TestPacksOfOmeroCLITransferLoad(t *testing.T) {
	packs := foreignPacks(t)
	w := newWorld(t, sandbox.Config{})
	for _, c := range []struct {
		name, section string
		unpack        func(to string)
	}{
		{"valid_single_dataset", "datasets", func(to string) { w.run("unzip", "-q", packs+"/valid_single_dataset.zip", "-d", to) }},
		{"valid_single_image", "images", func(to string) { w.run("tar", "-xf", packs+"/valid_single_image.tar", "-C", to) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			local := t.TempDir()
			c.unpack(local)
			text, err := os.ReadFile(filepath.Join(local, "transfer.xml"))
			if err != nil {
				t.Fatal(err)
			}
			var want omeXML
			if err := xml.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			s := w.sandbox.Store()
			oldImages := map[int64]bool{}
			s.Each("Image", func(i *store.Row) bool { oldImages[i.ID] = true; return true })

			loaded := w.omero(c.section, c.name)
			w.run("cp", "-r", local, loaded)

			var images []*store.Row
			s.Each("Image", func(i *store.Row) bool {
				if !oldImages[i.ID] {
					images = append(images, i)
				}
				return true
			})
			if len(images) != len(want.Images) || len(images) == 0 {
				t.Fatalf("got %d new images, want %d", len(images), len(want.Images))
			}
			for i, im := range images {
				x := want.Images[i]
				if im.Text("name") != x.Name {
					t.Errorf("image %d: got name %q, want %q", i, im.Text("name"), x.Name)
				}
				if got, want := storedNotes(s, "Image", im.ID), want.notes(x.Notes); !slices.Equal(got, want) {
					t.Errorf("%s: got annotations %q, want %q", x.Name, got, want)
				}
				if got, want := storedShapes(s, im.ID), want.shapes(x.ROIs); !slices.Equal(got, want) {
					t.Errorf("%s: got shapes %q, want %q", x.Name, got, want)
				}
			}
			for _, d := range want.Datasets {
				if d.Name == "" {
					continue
				}
				id := w.id(loaded)
				if got, want := storedNotes(s, "Dataset", id), want.notes(d.Notes); !slices.Equal(got, want) {
					t.Errorf("dataset: got annotations %q, want %q", got, want)
				}
				if got := len(s.Collection("Dataset", id, "imageLinks")); got != len(d.Images) {
					t.Errorf("dataset: got %d images, want %d", got, len(d.Images))
				}
			}
			w.noMarksLeft()
		})
	}
}
