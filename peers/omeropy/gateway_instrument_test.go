//go:build peer

package omeropy

import (
	"testing"

	"omerods/internal/sandbox/store"
)

// TestGatewayInstrument compares the description of a microscope, made and read
// by the gateway, with what the server's store holds of it.
func TestGatewayInstrument(t *testing.T) {
	s := box.Store()
	var got struct {
		Image int64
		Read  map[string]any
	}
	newPerson(t, "ada").script(&got, "gateway_instrument.py")
	image := wantRow(t, "Image", got.Image)
	// follow goes along associations.
	follow := func(r *store.Row, names ...string) *store.Row {
		t.Helper()
		for _, n := range names {
			r = wantRow(t, r.Class.Property(n).Target.Name, r.Ref(n))
		}
		return r
	}
	all := func(r *store.Row, collection string) (out []map[string]any) {
		for _, e := range s.Collection(r.Class.Name, r.ID, collection) {
			out = append(out, members(e))
		}
		return out
	}
	instrument, settings := follow(image, "instrument"), follow(image, "objectiveSettings")
	pixels := s.Collection("Image", image.ID, "pixels")[0]
	lc := follow(s.Collection("Pixels", pixels.ID, "channels")[0], "logicalChannel")
	detector, light, path := follow(lc, "detectorSettings"), follow(lc, "lightSourceSettings"), follow(lc, "lightPath")
	var planes [][]any
	for _, p := range s.Collection("Pixels", pixels.ID, "planeInfo") {
		exposure := p.Get("exposureTime").(store.Quantity)
		planes = append(planes, []any{p.Get("theC"), 1000 * p.Get("deltaT").(store.Quantity).Value, exposure.Value, unitName(p.Class.Property("exposureTime"), exposure.Unit)})
	}
	emission := s.Collection("LightPath", path.ID, "emissionFilterLink")
	objective := follow(settings, "objective")
	for what, want := range map[string]any{
		"instrument": instrument.ID,
		"microscope": []any{members(follow(instrument, "microscope")), follow(instrument, "microscope", "type").Text("value")},
		"parts": map[string]any{
			"Objectives": all(instrument, "objective"), "Detectors": all(instrument, "detector"), "Filters": all(instrument, "filter"),
			"Dichroics": all(instrument, "dichroic"), "LightSources": all(instrument, "lightSource"),
		},
		"objective":   []any{members(objective), follow(objective, "immersion").Text("value"), follow(objective, "correction").Text("value")},
		"settings":    []any{members(settings), follow(settings, "medium").Text("value")},
		"environment": members(follow(image, "imagingEnvironment")), "label": members(follow(image, "stageLabel")),
		"detector": []any{follow(detector, "detector").Text("model"), follow(detector, "detector", "type").Text("value"), follow(detector, "binning").Text("value"), members(detector)},
		"light":    []any{follow(light, "lightSource").Text("model"), members(light)},
		"path":     []any{[]string{follow(emission[0], "child").Text("model")}, follow(path, "dichroic").Text("model"), follow(lc, "mode").Text("value")},
		"planes":   planes,
		"service":  []any{"Orca", 1, 2, []string{"ArcI", "LaserI"}},
	} {
		same(t, what, got.Read[what], want)
	}
	// What the program sent, so that both sides cannot be empty together.
	if m := members(objective); m["lensNA"] != 1.4 || len(m) != 5 {
		t.Errorf("objective: got %v", m)
	}
	if sources := all(instrument, "lightSource"); len(sources) != 2 || sources[0]["model"] != "Argon" {
		t.Errorf("light sources: got %v", sources)
	}
	if env := members(follow(image, "imagingEnvironment")); len(env) != 4 || len(planes) != 2 {
		t.Errorf("environment %v, planes %v", env, planes)
	}
}
