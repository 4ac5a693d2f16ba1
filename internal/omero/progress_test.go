package omero_test

import (
	"bytes"
	"fmt"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/imaging"
)

// The steps of an import are told while it runs. The server may be done before
// it is asked for the first time; a file of many images makes that unlikely,
// and another try settles it.
func TestProgressOfAnImport(t *testing.T) {
	var many []imaging.Picture
	for i := range 200 {
		many = append(many, imaging.Picture{
			Series: imaging.Series{Name: fmt.Sprintf("field %d", i), Type: imaging.Uint8, SizeX: 8, SizeY: 8, SizeZ: 1, SizeC: 1, SizeT: 1,
				DimensionOrder: "XYZCT", Channels: make([]imaging.Channel, 1)},
			Plane: func(z, c, t int) []byte { return make([]byte, 64) },
		})
	}
	file, err := imaging.OMETIFF("many.ome.tiff", many, imaging.Options{})
	check(t, err)
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	var steps []omero.Progress
	for try := 0; len(steps) == 0; try++ {
		if try == 20 {
			t.Fatal("no import told of a step")
		}
		im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"many.ome.tiff"}})
		check(t, err)
		_, _, err = im.Upload(ctx, 0, bytes.NewReader(file))
		check(t, err)
		_, err = im.Finish(ctx, func(p omero.Progress) { steps = append(steps, p) })
		check(t, err)
		check(t, im.Abort(ctx))
	}
	for i, p := range steps {
		if p.Steps != len(omero.ImportSteps) || p.Step < 0 || p.Step > p.Steps || i > 0 && p.Step < steps[i-1].Step {
			t.Errorf("progress %+v", steps)
		}
	}
}
