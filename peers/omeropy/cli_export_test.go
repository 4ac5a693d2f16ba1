//go:build peer

package omeropy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExport exports an image and has Pillow compare its samples with those of
// the original.
func TestExport(t *testing.T) {
	p := loggedIn(t, "ada")
	image := object(t, "Image", "glomerulus.ome.tiff")
	p.omero("export", "--file", "out.ome.tif", named("Image", image.ID))
	p.omero("download", named("Image", image.ID), "in")
	var got struct {
		Pages, Wanted int
		Same          bool
	}
	p.script(&got, "cli_export.py", filepath.Join(p.home, "out.ome.tif"), filepath.Join(p.home, "in", filesOf(image)[0].Text("name")))
	if got.Pages != 15 || got.Wanted != 15 || !got.Same {
		t.Errorf("exported: got %+v, want the 15 pages of the original", got)
	}
	p.omero("export", "--type", "XML", "--file", "out.ome.xml", named("Image", image.ID))
	xml, err := os.ReadFile(filepath.Join(p.home, "out.ome.xml"))
	if err != nil || !strings.Contains(string(xml), `Name="glomerulus.ome.tiff"`) || !strings.Contains(string(xml), `SizeZ="5"`) {
		t.Errorf("OME-XML: %v\n%s", err, xml)
	}
	r := p.tryOMERO("export", "--file", "nothing.tif", "Image:999999")
	if info, err := os.Stat(filepath.Join(p.home, "nothing.tif")); r.code == 0 && err == nil && info.Size() > 0 {
		t.Errorf("an image that is not there was exported: %s", r.stderr)
	}
}
