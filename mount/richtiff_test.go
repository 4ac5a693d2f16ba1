package mount

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/graph"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// noted adds annotations to the OME-XML of an image that was taken: on planes,
// channels, an instrument and its parts, a region with a shape, and on the
// image.
func noted(doc string) string {
	doc = sample.Taken(doc)
	ref := func(id string) string { return `<AnnotationRef ID="Annotation:` + id + `"/>` }
	for _, r := range [][2]string{
		{`ExposureTime="0.1" PositionX="12.5" PositionXUnit="mm" PositionZ="3"/>`, `ExposureTime="0.1" PositionX="12.5" PositionXUnit="mm" PositionZ="3">` + ref("plane") + `</Plane>`},
		{`ExposureTime="0.3" PositionX="12.5" PositionXUnit="mm" PositionZ="4"/>`, `ExposureTime="0.3" PositionX="12.5" PositionXUnit="mm" PositionZ="4">` + ref("shared") + `</Plane>`},
		{`<DetectorSettings ID="Detector:0" Gain="500"/></Channel>`, `<DetectorSettings ID="Detector:0" Gain="500"/>` + ref("shared") + `</Channel>`},
		{`<EmissionFilterRef ID="Filter:0"/></LightPath>`, `<EmissionFilterRef ID="Filter:0"/>` + ref("path") + `</LightPath>`},
		{`Model="Axiocam" Type="CMOS"/>`, `Model="Axiocam" Type="CMOS">` + ref("unused") + ref("shared") + `</Detector>`},
		{`Model="MBS 405/561"/>`, `Model="MBS 405/561">` + ref("dichroic") + `</Dichroic>`},
		{`LensNA="0.8" Immersion="Air" Correction="PlanApo"/>`, `LensNA="0.8" Immersion="Air" Correction="PlanApo">` + ref("objective") + `</Objective>`},
		{`</Instrument>`, ref("instrument") + `</Instrument>`},
		{`</Image>`, `<ROIRef ID="ROI:0"/>` + ref("shared") + ref("image") + `</Image>`},
		{`</OME>`, `<StructuredAnnotations>` +
			`<CommentAnnotation ID="Annotation:plane" Namespace="n"><Value>dust here</Value></CommentAnnotation>` +
			`<TagAnnotation ID="Annotation:shared"><Description>of several things</Description><Value>shared by the file</Value></TagAnnotation>` +
			`<LongAnnotation ID="Annotation:path"><Value>-12</Value></LongAnnotation>` +
			`<CommentAnnotation ID="Annotation:unused"><Value>never used</Value></CommentAnnotation>` +
			`<BooleanAnnotation ID="Annotation:dichroic"><Value>true</Value></BooleanAnnotation>` +
			`<TimestampAnnotation ID="Annotation:objective"><Value>2024-02-03T04:05:06</Value></TimestampAnnotation>` +
			`<XMLAnnotation ID="Annotation:instrument"><Value><a b="c">d</a></Value></XMLAnnotation>` +
			`<MapAnnotation ID="Annotation:image" Namespace="n">` + ref("dichroic") + `<Value><M K="k">1</M><M K="k">2</M></Value></MapAnnotation>` +
			`</StructuredAnnotations><ROI ID="ROI:0" Name="r"><Union><Ellipse ID="Shape:0" X="9" Y="8" RadiusX="3" RadiusY="2" TheC="1"/></Union>` + ref("plane") + `</ROI></OME>`},
	} {
		doc = strings.Replace(doc, r[0], r[1], 1)
	}
	return doc
}

// An OME-TIFF that says much of itself is imported and changed in OMERO: a load
// makes what OMERO had, not what the file says once more.
func TestWhatAFileSaysOfItself(t *testing.T) {
	w, other := newWorld(t, sandbox.Config{}), newWorld(t, sandbox.Config{Empty: true})
	s := w.sandbox.Store()
	picture := imaging.Picture{Series: imaging.Series{Name: "rich", SizeX: 16, SizeY: 12, SizeZ: 5, SizeC: 3, SizeT: 1, Type: imaging.Uint8},
		Plane: func(z, c, _ int) []byte { return slices.Repeat([]byte{byte(16*c + z)}, 16*12) }}
	data, err := imaging.OMETIFF("rich.ome.tiff", []imaging.Picture{picture}, imaging.Options{Describe: noted})
	if err != nil {
		t.Fatal(err)
	}
	ignore := lost(t, s.Model())
	changes := []struct {
		name   string
		change func(a *store.Author, image *store.Row)
	}{
		{"as the file says", func(*store.Author, *store.Row) {}},
		{"corrected", func(a *store.Author, image *store.Row) {
			unlink(a, "DetectorAnnotationLink", "ChannelAnnotationLink", "PlaneInfoAnnotationLink")
			if err := sample.Correct(a, image.ID); err != nil {
				t.Fatal(err)
			}
		}},
		{"bare", func(a *store.Author, image *store.Row) {
			unlink(a, "PlaneInfoAnnotationLink", "ImageAnnotationLink", "InstrumentAnnotationLink", "LightPathAnnotationLink", "RoiAnnotationLink")
			bare := image.Clone()
			if err := a.Tx().Fill(bare, store.Values{"stageLabel": nil, "imagingEnvironment": nil, "objectiveSettings": nil, "acquisitionDate": nil}); err != nil {
				t.Fatal(err)
			}
			a.Update(bare)
			for _, p := range slices.Collect(a.Tx().Rows(a.Tx().Model().Class("PlaneInfo"))) {
				if p.Get("theZ") != int32(0) && a.Tx().Get(a.Tx().Model().Class("Pixels"), p.Ref("pixels")).Ref("image") == image.ID {
					a.Delete(p)
				}
			}
		}},
	}
	for _, c := range changes {
		dataset := w.omero("datasets", c.name)
		made := w.importFile(c.name, "rich.ome.tiff", data)
		image := s.Get("Image", made)
		w.as("ada", func(a *store.Author, _ func(string, store.Values) *store.Row) { c.change(a, image) })
		w.mount.omeroView.Invalidate()
		before := readGraph(t, s, "Dataset", w.id(dataset))
		if c.name == "as the file says" {
			for class, n := range map[string]int{"Detector": 3, "PlaneInfo": 15, "PlaneInfoAnnotationLink": 2, "LightPath": 2, "Ellipse": 1, "TransmittanceRange": 2, "Laser": 2, "AnnotationAnnotationLink": 1} {
				if got := countOf(before, class); got != n {
					t.Errorf("the import made %d of %s, want %d", got, class, n)
				}
			}
		}
		saved := w.home(c.name)
		w.run("cp", "-r", dataset, saved)
		back, there := w.omero("datasets", c.name+" again"), other.omero("datasets", c.name)
		w.run("cp", "-r", saved, back)
		same(t, c.name, before, readGraph(t, s, "Dataset", w.id(back)), ignore)
		other.run("cp", "-r", saved, there)
		same(t, c.name+" on another server", before, readGraph(t, other.sandbox.Store(), "Dataset", other.id(there)), ignore)
	}
	// Nothing of the imports is left over.
	for class, want := range map[string]int{"Instrument": 3, "Objective": 6, "Detector": 8, "Laser": 6, "FilterSet": 3, "StageLabel": 2, "ImagingEnvironment": 2,
		"ObjectiveSettings": 2, "LogicalChannel": 9, "LightPath": 6, "DetectorSettings": 9, "PlaneInfo": 33} {
		if n := other.sandbox.Store().Count(class); n != want {
			t.Errorf("%d of %s on the other server, want %d", n, class, want)
		}
	}
}

// importFile imports a file of one image into a new dataset, as ada does with
// another client, and returns the image.
func (w *world) importFile(dataset, name string, data []byte) int64 {
	w.t.Helper()
	u := w.sandbox.Users()[0]
	c, err := omero.Connect(w.t.Context(), omero.Config{
		Addresses: []string{w.sandbox.OMEROAddress()}, User: u.Name, Password: u.Password, TLS: omero.TLS{CAFile: w.sandbox.CAFile()},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close() // nothing is kept in it
	var into int64
	w.as("ada", func(_ *store.Author, create func(string, store.Values) *store.Row) {
		into = create("Dataset", store.Values{"name": dataset}).ID
	})
	group := w.sandbox.Store().Get("Dataset", into).Group
	ctx := omero.InGroup(w.t.Context(), group)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{name}, Thumbnails: true, Target: omero.Existing(omero.KindDataset, into)})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, _, err := im.Upload(ctx, 0, bytes.NewReader(data)); err != nil {
		w.t.Fatal(err)
	}
	made, err := im.Finish(ctx, nil)
	if err != nil || len(made.Images) != 1 {
		w.t.Fatalf("import: %+v, %v", made, err)
	}
	w.mount.omeroView.Invalidate()
	return made.Images[0]
}

// countOf counts the objects of a class.
func countOf(g *graph.Graph, class string) (n int) {
	g.Each(class, func(*store.Row) { n++ })
	return n
}

// unlink removes all links of some classes.
func unlink(a *store.Author, classes ...string) {
	for _, class := range classes {
		for _, row := range slices.Collect(a.Tx().Rows(a.Tx().Model().Class(class))) {
			a.Delete(row)
		}
	}
}
