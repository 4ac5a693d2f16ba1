package blitz

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

const exporterType = "::omero::api::Exporter"

// drawn makes an image without original files.
func (f *fixture) drawn(files *repository.Managed, group string, width int) (int64, imaging.Picture) {
	f.t.Helper()
	pic := imaging.Picture{Series: imaging.Series{
		Name: "drawn <ü>", Description: "two\nlines", SizeX: width, SizeY: 3, SizeZ: 2, SizeC: 2, SizeT: 1, Type: imaging.Uint16,
		PhysicalSizeX: imaging.Length{Value: 0.25, Unit: "MICROMETER"}, Channels: []imaging.Channel{{Name: "one"}, {Name: "two"}},
	}}
	pic.Plane = func(z, c, t int) []byte { return bytes.Repeat([]byte{byte(z), byte(c)}, 3*width) }
	row, err := files.AddImage(store.Actor{User: f.users["ada"], Group: f.groups[group]}, pic)
	if err != nil {
		f.t.Fatal(err)
	}
	return row.ID, pic
}

func TestExporter(t *testing.T) {
	f := serve(t, Config{Dir: t.TempDir()})
	files, err := repository.Open(f.Dir(), f.Store())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	f.ServeFiles(files)
	id, pic := f.drawn(files, "readonly", 4)
	wide, _ := f.drawn(files, "readonly", maxExportPlane/3+1)
	hidden, _ := f.drawn(files, "private", 4)
	c := f.login("bob", "readonly")

	e := c.open("createExporter")
	_, err = c.ask(e, exporterType, "read", int64(0), int32(10))
	wantException(t, "read at first", err, APIUsage)
	_, err = c.ask(e, exporterType, "generateTiff")
	wantException(t, "no image", err, APIUsage)
	c.must(e, exporterType, "addImage", hidden)
	_, err = c.ask(e, exporterType, "generateTiff")
	wantException(t, "an image that cannot be seen", err, APIUsage)
	c.must(e, exporterType, "addImage", id)
	size := c.must(e, exporterType, "generateTiff").(int64)
	for _, op := range []string{"generateTiff", "generateXml"} {
		_, err = c.ask(e, exporterType, op)
		wantException(t, op+" again", err, APIUsage)
	}
	_, err = c.ask(e, exporterType, "addImage", id)
	wantException(t, "addImage afterwards", err, APIUsage)
	_, err = c.ask(e, exporterType, "read", int64(0), int32(maxExportRead+1))
	wantException(t, "too long a read", err, APIUsage)
	var got []byte
	for int64(len(got)) < size {
		part := c.must(e, exporterType, "read", int64(len(got)), int32(1000)).([]byte)
		if len(part) == 0 {
			t.Fatalf("the file ends after %d of %d bytes", len(got), size)
		}
		got = append(got, part...)
	}
	if part := c.must(e, exporterType, "read", size, int32(1000)).([]byte); len(part) != 0 {
		t.Errorf("got %d bytes behind the end", len(part))
	}
	c.must(e, exporterType, "close")
	set, err := imaging.Read(fstest.MapFS{"a.ome.tiff": {Data: got}}, "a.ome.tiff")
	if err != nil {
		t.Fatal(err)
	}
	s := set.Series[0]
	if len(set.Series) != 1 || s.Name != pic.Name || s.Description != pic.Description || s.Channels[1].Name != "two" || s.PhysicalSizeX != pic.PhysicalSizeX {
		t.Errorf("got %+v", set.Series)
	}
	for z := range 2 {
		for ch := range 2 {
			if plane, err := set.Plane(0, z, ch, 0); err != nil || !bytes.Equal(plane, pic.Plane(z, ch, 0)) {
				t.Errorf("plane z=%d c=%d: got %x, %v", z, ch, plane, err)
			}
		}
	}

	e = c.open("createExporter")
	c.must(e, exporterType, "addImage", wide)
	if _, err = c.ask(e, exporterType, "generateTiff"); err == nil || !strings.Contains(err.Error(), "too large for export") {
		t.Errorf("an image with a pyramid: got %v", err)
	}
	c.must(e, exporterType, "addImage", id)
	size = c.must(e, exporterType, "generateXml").(int64)
	text := string(c.must(e, exporterType, "read", int64(0), int32(maxExportRead)).([]byte))
	if int64(len(text)) != size || strings.Count(text, "<Image ") != 2 || strings.Count(text, "<MetadataOnly/>") != 2 || strings.Contains(text, "TiffData") {
		t.Errorf("got %d bytes, want %d:\n%s", len(text), size, text)
	}
}
