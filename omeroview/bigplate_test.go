package omeroview

import (
	"fmt"
	"os"
	"testing"
	"time"

	"omerods/internal/sandbox/store"
)

// fillPlate puts a plate of wells with fields in two runs into the server, as it
// would be after the import of one file, and returns how many images that is.
func (w *world) fillPlate(name string, rows, columns, fields int) (images int) {
	w.t.Helper()
	w.write(func(a *store.Author) error {
		file, err := a.Create("OriginalFile", store.Values{"name": name + ".czi", "path": "ada/", "size": int64(1 << 30), "hash": fmt.Sprintf("%040x", 1)})
		if err != nil {
			return err
		}
		set, err := a.Create("Fileset", store.Values{"templatePrefix": "ada/"})
		if err != nil {
			return err
		}
		if _, err := a.Create("FilesetEntry", store.Values{"fileset": set, "originalFile": file, "clientPath": "/home/ada/" + name + ".czi"}); err != nil {
			return err
		}
		plate, err := a.Create("Plate", store.Values{"name": name, "rows": rows, "columns": columns})
		if err != nil {
			return err
		}
		var runs [2]*store.Row
		for i := range runs {
			if runs[i], err = a.Create("PlateAcquisition", store.Values{"plate": plate}); err != nil {
				return err
			}
		}
		for n := range rows * columns {
			well, err := a.Create("Well", store.Values{"plate": plate, "row": n / columns, "column": n % columns})
			if err != nil {
				return err
			}
			for i := range fields * len(runs) {
				im, err := a.Create("Image", store.Values{"name": fmt.Sprintf("%s %d %d", name, n, i), "fileset": set, "series": images})
				if err != nil {
					return err
				}
				images++
				p, err := a.Create("Pixels", store.Values{"image": im, "pixelsType": "uint16", "dimensionOrder": "XYZCT", "sha1": "Pending...",
					"sizeX": 512, "sizeY": 512, "sizeZ": 1, "sizeC": 1, "sizeT": 1})
				if err != nil {
					return err
				}
				lc, err := a.Create("LogicalChannel", store.Values{"name": "DAPI"})
				if err != nil {
					return err
				}
				if _, err := a.Create("Channel", store.Values{"pixels": p, "logicalChannel": lc}); err != nil {
					return err
				}
				if _, err := a.Create("WellSample", store.Values{"well": well, "image": im, "plateAcquisition": runs[i/fields]}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return images
}

// What is asked of the server does not depend on how much is in a plate.
func TestPlatesCostFewRequests(t *testing.T) {
	w := ownWorld(t)
	size := [2]int{2, 10} // rows and columns
	if os.Getenv("OMERODS_SOAK") != "" {
		size = [2]int{16, 24}
	}
	cost := func(name string, rows, columns, fields int) (requests [3]int64) {
		images := w.fillPlate(name, rows, columns, fields)
		path := home + "/plates/" + name
		w.names(home + "/plates")
		for i, look := range []func(){
			func() { w.names(path) }, func() { w.attr(path + "/" + transferName) }, func() { w.attr(path + "/" + sumsName) },
		} {
			before, start := w.asked.Load(), time.Now()
			look()
			requests[i] = w.asked.Load() - before
			t.Logf("%d images, step %d: %d requests, %v", images, i, requests[i], time.Since(start).Round(time.Millisecond))
		}
		if doc, _ := w.decode(path); len(doc.Images) != images || len(doc.Plates[0].Runs) != 2 {
			t.Errorf("%d images in the document, want %d", len(doc.Images), images)
		}
		return requests
	}
	few, many := cost("few", 1, 1, 1), cost("many", size[0], size[1], 9)
	for i, n := range many {
		// More than 1000 ids take more than one query.
		if limit := few[i] * int64(1+size[0]*size[1]*18/1000); n > limit {
			t.Errorf("step %d: %d requests for a plate of two images, %d for one of many", i, few[i], n)
		}
	}
}
