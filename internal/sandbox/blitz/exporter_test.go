package blitz

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"omerods/internal/sandbox/imaging"
)

const exporterType = "::omero::api::Exporter"

func TestExporter(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	image, pixels := c.made()
	e := c.open("createExporter")
	_, err := c.ask(e, exporterType, "generateTiff")
	wantException(t, "no image", err, APIUsage)
	c.must(e, exporterType, "addImage", image)
	_, err = c.ask(e, exporterType, "read", int64(0), int32(1))
	wantException(t, "nothing generated", err, APIUsage)

	all := func(size any) []byte {
		var data []byte
		for int64(len(data)) < size.(int64) {
			data = append(data, c.must(e, exporterType, "read", int64(len(data)), int32(100)).([]byte)...)
		}
		if more := c.must(e, exporterType, "read", size, int32(100)).([]byte); len(more) != 0 {
			t.Errorf("%d bytes behind the end", len(more))
		}
		return data
	}
	data := all(c.must(e, exporterType, "generateTiff"))
	set, err := imaging.Read(fstest.MapFS{"x.ome.tiff": {Data: data}}, "x.ome.tiff")
	if err != nil {
		t.Fatal(err)
	}
	if s := set.Series[0]; s.Name != "drawn äö" || s.SizeX != 4 || s.SizeZ != 2 || s.SizeC != 2 {
		t.Errorf("series: got %+v", s)
	}
	store := c.open("createRawPixelsStore")
	c.must(store, pixelsType, "setPixelsId", pixels, false)
	for z := range int32(2) {
		got, err := set.Plane(0, int(z), 1, 0)
		if want := c.must(store, pixelsType, "getPlane", z, int32(1), int32(0)).([]byte); err != nil || !bytes.Equal(got, want) {
			t.Errorf("plane %d: got %v, %v, want %v", z, got, err, want)
		}
	}
	if xml := string(all(c.must(e, exporterType, "generateXml"))); !strings.Contains(xml, "<Pixels") || !strings.Contains(xml, "drawn &#228;&#246;") {
		t.Errorf("OME-XML: %s", xml)
	}
	bob := f.login("bob", "private")
	_, err = bob.ask(bob.open("createExporter"), exporterType, "addImage", image)
	wantException(t, "another group", err, Validation)
}
