//go:build peer

package omeropy

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestExportedTIFFsOpenElsewhere has tifffile, Pillow and ome-types read the
// OME-TIFF files of images without original files: every sample is that of the
// server, and the names, sizes and dates are too.
func TestExportedTIFFsOpenElsewhere(t *testing.T) {
	ada := newPerson(t, "ada")
	var made struct{ Dataset int64 }
	ada.script(&made, "export_tiff.py", "make")
	group := box.Store().Get("ExperimenterGroup", box.Store().Get("Dataset", made.Dataset).Group).Text("name")
	dir := mounted(t, "ada")
	var out struct{ Wrong, Types []string }
	ada.script(&out, "export_tiff.py", "read", filepath.Join(dir, "omero", group, "ada", "datasets", "for other software"))
	for _, w := range out.Wrong {
		t.Error(w)
	}
	for _, kind := range []string{"int8", "uint8", "int16", "uint16", "int32", "uint32", "float", "double"} {
		if !slices.Contains(out.Types, kind) {
			t.Errorf("no image of type %s was read", kind)
		}
	}
}
