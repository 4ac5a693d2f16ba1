package check

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/pack"
)

// foreign makes a pack as omero-cli-transfer writes it: no sums, and a fileset
// of several files of which only the folder is named.
func foreign() files {
	annotation := func(id, value string) string {
		return `<XMLAnnotation ID="Annotation:` + id + `" Namespace="openmicroscopy.org/cli/transfer"><Value>` + value + `</Value></XMLAnnotation>`
	}
	record := func(id, p string) string {
		return annotation(id, `<CLITransferServerPath><Path>`+p+`</Path></CLITransferServerPath>`)
	}
	image := func(id, refs string) string {
		return `<Image ID="Image:` + id + `" Name="i"><Pixels ID="Pixels:` + id + `" DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="1"><MetadataOnly/></Pixels>` + refs + `</Image>`
	}
	ref := func(id string) string { return `<AnnotationRef ID="Annotation:` + id + `"/>` }
	xml := `<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Dataset ID="Dataset:1" Name="d"><ImageRef ID="Image:1"/><ImageRef ID="Image:2"/>` + ref("3") + `</Dataset>` +
		image("1", ref("91")) + image("2", ref("92")) + `<StructuredAnnotations><FileAnnotation ID="Annotation:3">` + ref("93") +
		`<BinaryFile FileName="f.txt" Size="3"><BinData BigEndian="false" Length="0"/></BinaryFile></FileAnnotation>` +
		record("91", "a_5/one.tif") + record("92", "a_5/set/mock_folder") + record("93", "file_annotations/3/f.txt") + `</StructuredAnnotations></OME>`
	return files{pack.TransferXML: []byte(xml), "a_5/one.tif": []byte("one"), "a_5/set/x.vsi": []byte("x"), "a_5/set/sub/y.ets": []byte("y"),
		"file_annotations/3/f.txt": []byte("abc")}
}

func TestPacksOfOthers(t *testing.T) {
	for form, path := range foreign().forms(t) {
		r := checked(t, path)
		if r.Verdict != Sound || r.Files != 5 || r.Hashed != 0 || r.Object != "Dataset:1" {
			t.Errorf("%s: %+v", form, r)
		}
		if !slices.ContainsFunc(r.Notes, func(f Finding) bool { return strings.Contains(f.What, "no sums") }) {
			t.Errorf("%s: nobody says that there are no sums: %q", form, r.Notes)
		}
	}
	for gone, place := range map[string]string{"a_5/one.tif": "a_5/one.tif", "a_5/set/": "a_5/set", "file_annotations/3/f.txt": "file_annotations/3/f.txt"} {
		f := foreign()
		for p := range f {
			if strings.HasPrefix(p, gone) {
				delete(f, p)
			}
		}
		for form, path := range f.forms(t) {
			if r := checked(t, path); r.Verdict != NotSound || len(r.Problems) != 1 || r.Problems[0].Place != place {
				t.Errorf("%s without %s: %s, %q", form, gone, r.Verdict, r.Problems)
			}
		}
	}
}

// Packs that the tool itself has made, where they are at hand.
func TestPacksMadeByTheTool(t *testing.T) {
	for _, dir := range []string{os.Getenv("OMERODS_TEST_PACKS"), "../../../shared/data/packs"} {
		if dir == "" {
			continue
		}
		packs, err := filepath.Glob(filepath.Join(dir, "*.[tz]*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packs {
			if r := checked(t, p); r.Verdict != Sound || r.Files < 2 {
				t.Errorf("%s: %+v", p, r)
			}
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			if r := checked(t, keep(t, filepath.Base(p), data[:len(data)/2])); r.Verdict == Sound {
				t.Errorf("half of %s: %+v", p, r)
			}
		}
	}
}
