package omeroview

import (
	"slices"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

const (
	screenPath = home + "/screens/Drug screen"
	platePath  = screenPath + "/Plate 7"
	fakePlate  = "plate 7&plates=1&plateRows=2&plateCols=3&fields=2&plateAcqs=2&sizeX=64&sizeY=48&sizeC=2.fake"
)

func TestScreensAndPlatesAreFolders(t *testing.T) {
	w := newWorld(t)
	for dir, want := range map[string][]string{
		home + "/screens":            {"Drug screen"},
		home + "/plates":             {"Pilot plate"},
		screenPath:                   {transferName, sumsName, readmeName, thumbnailsName, "Plate 7"},
		platePath:                    {transferName, sumsName, readmeName, fakePlate},
		home + "/plates/Pilot plate": {transferName, sumsName, readmeName, thumbnailsName, "pilot&plates=1&plateRows=1&plateCols=2&fields=1&sizeX=32&sizeY=24.fake"},
		"lab/grace/screens":          nil,
		"lab/grace/plates":           nil,
	} {
		if got := w.names(dir); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", dir, got, want)
		}
	}
	for path, kind := range map[string]omero.Kind{screenPath: omero.KindScreen, platePath: omero.KindPlate, home + "/plates/Pilot plate": omero.KindPlate} {
		doc, _ := w.decode(path)
		if want := pack.NewID(string(kind), w.object(path)); doc.Origin.Object != want {
			t.Errorf("%s: a pack of %s, want %s", path, doc.Origin.Object, want)
		}
		if problems := pack.Problems(doc); len(problems) > 0 {
			t.Errorf("readers would stumble over %s: %q", path, problems)
		}
	}
}
