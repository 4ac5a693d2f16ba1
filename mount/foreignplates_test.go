package mount

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/store"
)

// foreignField is an image in a well, as omero-cli-transfer lists it.
type foreignField struct {
	image       int64
	path        string
	row, column int
}

// foreignPlatePack writes the folder of a pack of a plate as omero-cli-transfer
// does: with neither runs nor the size of the plate, and a path record for each
// image and for the plate. An empty screen gives the pack of a plate alone.
func foreignPlatePack(t *testing.T, screen, plate string, fields []foreignField) string {
	t.Helper()
	dir := t.TempDir()
	var b, notes, images strings.Builder
	text := func(s string) string {
		var out strings.Builder
		if err := xml.EscapeText(&out, []byte(s)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	record := func(id int64, path string) {
		fmt.Fprintf(&notes, `<XMLAnnotation ID="Annotation:%d" Namespace="openmicroscopy.org/cli/transfer"><Value><CLITransferServerPath><Path>%s</Path></CLITransferServerPath></Value></XMLAnnotation>`, id, text(path))
	}
	const big = 9000000000000000000
	b.WriteString(`<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">`)
	fmt.Fprintf(&b, `<Plate ID="Plate:31" Name="%s"><Description>as it was</Description>`, text(plate))
	for i, f := range fields {
		note := ""
		if i == len(fields)-1 {
			note = `<AnnotationRef ID="Annotation:7"/>`
		}
		fmt.Fprintf(&b, `<Well ID="Well:%d" Row="%d" Column="%d"><WellSample ID="WellSample:%d" Index="%d"><ImageRef ID="Image:%d"/></WellSample>%s</Well>`,
			50+i, f.row, f.column, 70+i, f.image, f.image, note)
		record(big+f.image, f.path)
		fmt.Fprintf(&images, `<Image ID="Image:%d" Name="field %d"><Pixels ID="Pixels:%d" DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="8" SizeZ="1" SizeC="1" SizeT="1"><MetadataOnly/></Pixels><AnnotationRef ID="Annotation:%d"/></Image>`,
			f.image, f.image, f.image, big+f.image)
		file := filepath.Join(dir, f.path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	record(big, fields[len(fields)-1].path)
	fmt.Fprintf(&b, `<AnnotationRef ID="Annotation:%d"/></Plate>`, int64(big))
	if screen != "" {
		fmt.Fprintf(&b, `<Screen ID="Screen:3" Name="%s"><PlateRef ID="Plate:31"/></Screen>`, text(screen))
	}
	b.WriteString(images.String() + `<StructuredAnnotations>` + notes.String() +
		`<MapAnnotation ID="Annotation:7" Namespace="openmicroscopy.org/omero/client/mapAnnotation"><Value><M K="dose">3</M></Value></MapAnnotation></StructuredAnnotations></OME>`)
	if err := os.WriteFile(filepath.Join(dir, "transfer.xml"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestForeignPacksOfPlates(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	s := w.sandbox.Store()
	number := func(r *store.Row, name string) int { n, _ := r.Get(name).(int32); return int(n) }

	// The plate that the import makes, with its run, gets name and annotations.
	const hcs = "ada_3/2026-01/30/09-00-00.123/hcs&plates=1&plateRows=1&plateCols=2&fields=1&plateAcqs=1&sizeX=8&sizeY=8.fake"
	loaded := w.omero("screens", "Theirs")
	w.run("cp", "-r", foreignPlatePack(t, "Theirs", "Week 5", []foreignField{{101, hcs, 0, 0}, {102, hcs, 0, 1}}), loaded)
	plate := s.Get("Plate", w.id(filepath.Join(loaded, "Week 5")))
	wells := s.Collection("Plate", plate.ID, "wells")
	if len(wells) != 2 || len(s.Collection("Plate", plate.ID, "plateAcquisitions")) != 1 || plate.Text("description") != "as it was" || number(plate, "columns") != 2 {
		t.Errorf("got plate %v with %d wells", plate.Values, len(wells))
	}
	if got := storedNotes(s, "Well", wells[1].ID); len(got) != 1 || !strings.Contains(got[0], `"dose"="3"`) {
		t.Errorf("the well has %q", got)
	}
	if got := s.Get("Image", s.Collection("Well", wells[1].ID, "wellSamples")[0].Ref("image")).Text("name"); got != "field 102" {
		t.Errorf("the image in the second well is %q", got)
	}

	// Images that make no plate are put into one.
	const a, b = "ada_3/2026-02/01/10-00-00.1/a&sizeX=8&sizeY=8.fake", "ada_3/2026-02/01/10-00-00.2/b&sizeX=8&sizeY=8.fake"
	loaded = w.omero("plates", "By hand")
	w.run("cp", "-r", foreignPlatePack(t, "", "By hand", []foreignField{{201, a, 1, 0}, {202, b, 2, 6}}), loaded)
	plate = s.Get("Plate", w.id(loaded))
	wells = s.Collection("Plate", plate.ID, "wells")
	if len(wells) != 2 || number(plate, "rows") != 3 || number(plate, "columns") != 7 || plate.Text("name") != "By hand" {
		t.Fatalf("got plate %v with %d wells", plate.Values, len(wells))
	}
	fields := s.Collection("Well", wells[1].ID, "wellSamples")
	if len(fields) != 1 || s.Get("Image", fields[0].Ref("image")).Text("name") != "field 202" || fields[0].Ref("plateAcquisition") != store.None {
		t.Errorf("got fields %v", fields)
	}
	if got := storedNotes(s, "Well", wells[1].ID); len(got) != 1 {
		t.Errorf("the well has %q", got)
	}
	w.noMarksLeft()
}
