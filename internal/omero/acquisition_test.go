package omero_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"omerods/internal/omero"
)

func quantity(v float64, unit string) *omero.Quantity { return &omero.Quantity{Value: v, Unit: unit} }

func maker(n string) omero.Maker {
	return omero.Maker{Manufacturer: new("Zeiß " + n), Model: new(""), SerialNumber: new("<" + n + ">")}
}

// fullInstrument has a part of every kind, each with all that it can have; ids
// are places in the lists.
func fullInstrument() omero.Instrument {
	return omero.Instrument{
		Microscope: &omero.Microscope{Maker: maker("stand"), Type: "Inverted"},
		Objectives: []omero.Objective{{Maker: maker("obj"), NominalMagnification: new(63.0), CalibratedMagnification: new(62.8), LensNA: new(1.4),
			Immersion: "Oil", Correction: "PlanApo", WorkingDistance: quantity(190, "µm"), Iris: new(false)}, {Immersion: "Air", Correction: "Other"}},
		Detectors: []omero.Detector{{Maker: maker("det"), Type: "PMT", Voltage: quantity(0.65, "kV"), Gain: new(2.0), Offset: new(-0.5), Zoom: new(1.0),
			AmplificationGain: new(0.0)}, {Type: "CCD"}},
		LightSources: []omero.LightSource{
			{Kind: omero.KindLaser, Maker: maker("laser"), Power: quantity(20, "mW"), Type: "Gas", Medium: "Ar", FrequencyMultiplication: new(2),
				Tuneable: new(true), Pulse: "CW", Wavelength: quantity(488, "nm"), PockelCell: new(false), RepetitionRate: quantity(80, "MHz")},
			{Kind: omero.KindLaser, Type: "Dye", Medium: "Other"}, {Kind: omero.KindArc, Type: "Hg"}, {Kind: omero.KindFilament, Type: "Halogen"}, {Kind: omero.KindLED, Maker: maker("LED")},
			{Kind: omero.KindGeneric, Map: []omero.Pair{{Key: "a", Value: "1"}, {Key: "a", Value: ""}}},
		},
		Filters: []omero.Filter{{Maker: maker("filter"), Type: "BandPass", FilterWheel: new("wheel 1"), Transmission: &omero.Transmission{
			CutIn: quantity(500, "nm"), CutOut: quantity(0.55, "µm"), CutInTolerance: quantity(0, "nm"), CutOutTolerance: quantity(1, "Å"), Transmittance: new(0.95)}},
			{}},
		Dichroics:  []omero.Dichroic{{Maker: maker("dichroic")}},
		FilterSets: []omero.FilterSet{{Maker: maker("set")}},
		OTFs:       []omero.OTF{{SizeX: new(64), SizeY: new(32), OpticalAxisAveraged: new(true), PixelsType: "float", Path: new("/otf")}},
	}
}

// makeInstrument makes an instrument whose first parts name each other, and
// returns what is then to be read.
func makeInstrument(t *testing.T, ctx context.Context, c *omero.Client) omero.Instrument {
	t.Helper()
	in := fullInstrument()
	b := c.NewBatch()
	stand := b.Object(omero.KindMicroscope, in.Microscope, nil)
	r := b.Object(omero.KindInstrument, nil, map[string]omero.Ref{"microscope": stand})
	of := func(more ...any) map[string]omero.Ref {
		named := map[string]omero.Ref{"instrument": r}
		for i := 0; i < len(more); i += 2 {
			named[more[i].(string)] = more[i+1].(omero.Ref)
		}
		return named
	}
	var ids []func(omero.Saved)
	note := func(id *int64, r omero.Ref) omero.Ref {
		ids = append(ids, func(s omero.Saved) { *id = s.ID(r) })
		return r
	}
	note(&in.ID, r)
	note(&in.Microscope.ID, stand)
	for i := range in.Objectives {
		note(&in.Objectives[i].ID, b.Object(omero.KindObjective, in.Objectives[i], of()))
	}
	for i := range in.Detectors {
		note(&in.Detectors[i].ID, b.Object(omero.KindDetector, in.Detectors[i], of()))
	}
	var lights []omero.Ref
	for i := range in.LightSources {
		named := of()
		if i == 1 {
			named["pump"] = lights[0]
		}
		lights = append(lights, note(&in.LightSources[i].ID, b.Object(in.LightSources[i].Kind, in.LightSources[i], named)))
	}
	var filters []omero.Ref
	for i := range in.Filters {
		named := of()
		if in.Filters[i].Transmission != nil {
			named["transmittanceRange"] = note(&in.Filters[i].Transmission.ID, b.Object(omero.KindTransmission, in.Filters[i].Transmission, nil))
		}
		filters = append(filters, note(&in.Filters[i].ID, b.Object(omero.KindFilter, in.Filters[i], named)))
	}
	d := note(&in.Dichroics[0].ID, b.Object(omero.KindDichroic, in.Dichroics[0], of()))
	set := note(&in.FilterSets[0].ID, b.Object(omero.KindFilterSet, in.FilterSets[0], of("dichroic", d)))
	b.Filter(set, filters[1], true)
	b.Filter(set, filters[0], true)
	b.Filter(set, filters[0], false)
	saved, err := c.Save(ctx, b)
	check(t, err)
	for _, f := range ids {
		f(saved)
	}
	otf := map[string]omero.Ref{"instrument": omero.Existing(omero.KindInstrument, in.ID), "objective": omero.Existing(omero.KindObjective, in.Objectives[0].ID),
		"filterSet": omero.Existing(omero.KindFilterSet, in.FilterSets[0].ID)}
	b = c.NewBatch()
	made := b.Object(omero.KindOTF, in.OTFs[0], otf)
	saved, err = c.Save(ctx, b)
	check(t, err)
	in.OTFs[0].ID, in.OTFs[0].Objective, in.OTFs[0].FilterSet = saved.ID(made), in.Objectives[0].ID, in.FilterSets[0].ID
	in.FilterSets[0].Dichroic = in.Dichroics[0].ID
	in.FilterSets[0].Excitation = []int64{in.Filters[1].ID, in.Filters[0].ID}
	in.FilterSets[0].Emission = []int64{in.Filters[0].ID}
	in.LightSources[1].Pump = in.LightSources[0].ID
	return in
}

func shown(v any) string {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		panic(err)
	}
	return string(text)
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", shown(got), shown(want))
	}
}

// An instrument comes back as it was made, with all its parts, and as it was
// changed.
func TestInstrumentsBothWays(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	want := makeInstrument(t, ctx, c)
	got, err := c.Instruments(ctx, omero.These([]int64{want.ID, want.ID}))
	check(t, err)
	same(t, got, []omero.Instrument{want})

	next := got[0].Objectives[0]
	next.Model, next.LensNA, next.Immersion, next.WorkingDistance, next.Iris = nil, nil, "Water", quantity(1, "mm"), new(true)
	b := c.NewBatch()
	b.Change(omero.Existing(omero.KindObjective, next.ID)).Fields(got[0].Objectives[0], next)
	b.Change(omero.Existing(omero.KindGeneric, want.LightSources[5].ID)).Fields(want.LightSources[5], omero.LightSource{Map: []omero.Pair{{Key: "b"}}})
	b.Change(omero.Existing(omero.KindLaser, want.LightSources[0].ID)).Fields(want.LightSources[0], want.LightSources[0]).
		Refer("pump", omero.Existing(omero.KindLED, want.LightSources[4].ID))
	_, err = c.Save(ctx, b)
	check(t, err)
	want.Objectives[0], want.LightSources[5].Map, want.LightSources[0].Pump = next, []omero.Pair{{Key: "b"}}, want.LightSources[4].ID
	got, err = c.Instruments(ctx, omero.These([]int64{want.ID}))
	check(t, err)
	same(t, got, []omero.Instrument{want})
}

// settled gives an image everything that it can have, and returns what is then
// to be read.
func settled(t *testing.T, ctx context.Context, c *omero.Client, image int64, in omero.Instrument) omero.ImageSettings {
	t.Helper()
	list, err := c.ImageSettings(ctx, []int64{image})
	check(t, err)
	if len(list) != 1 || list[0].Pixels == nil || len(list[0].Pixels.Channels) != 3 {
		t.Fatalf("got %s", shown(list))
	}
	now := list[0]
	want := now
	want.Name, want.Description, want.Acquired = new("näme"), new(""), time.Date(2020, 2, 29, 1, 2, 3, 4e6, time.UTC)
	want.Archived, want.Partial = new(true), nil
	existing := omero.Existing
	b := c.NewBatch()
	want.Instrument = in.ID
	want.Objective = &omero.ObjectiveSettings{CorrectionCollar: new(0.17), Medium: "Oil", RefractiveIndex: new(1.518), Objective: in.Objectives[1].ID, Instrument: in.ID}
	os := b.Object(omero.KindObjectiveSettings, want.Objective, map[string]omero.Ref{"objective": existing(omero.KindObjective, in.Objectives[1].ID)})
	want.Environment = &omero.Environment{Temperature: quantity(37.5, "°C"), AirPressure: quantity(1013, "mbar"), Humidity: new(0.4), CO2Percent: new(0.05),
		Map: []omero.Pair{{Key: "oxygen", Value: "5 %"}, {Key: "", Value: ""}}}
	env := b.Object(omero.KindEnvironment, want.Environment, nil)
	want.Stage = &omero.Stage{Name: new(""), X: quantity(-1.5, "µm"), Z: quantity(3, "reference frame")}
	stage := b.Object(omero.KindStageLabel, want.Stage, nil)
	ex := b.Object(omero.KindExperiment, omero.Experiment{Type: "FRET", Description: new("x")}, nil)
	e := b.Change(existing(omero.KindImage, image)).Fields(now, want)
	e.Refer("instrument", existing(omero.KindInstrument, in.ID)).Refer("objectiveSettings", os).Refer("imagingEnvironment", env).Refer("stageLabel", stage).Refer("experiment", ex)

	px := *now.Pixels
	px.PhysicalX, px.PhysicalZ, px.TimeIncrement, px.SignificantBits = quantity(0.5, "nm"), quantity(2, "pixel"), quantity(1.5, "min"), new(11)
	px.WaveStart, px.WaveIncrement, px.Methodology = new(400), new(-5), new("spectral")
	b.Change(existing(omero.KindPixels, px.ID)).Fields(now.Pixels, px)
	px.Channels = slices.Clone(px.Channels)
	ch := &px.Channels[1]
	ch.Red, ch.Alpha, ch.LookupTable = new(7), nil, new("cool.lut")
	b.Change(existing(omero.KindChannel, ch.ID)).Fields(now.Pixels.Channels[1], *ch)
	lc := &ch.Logical
	id := lc.ID
	*lc = omero.LogicalChannel{ID: id, Name: new("GFP"), Fluor: new("x"), Excitation: quantity(488, "nm"), Emission: quantity(0.52, "µm"), Pinhole: quantity(1, "µm"),
		NDFilter: new(0.25), PockelCell: new(-3), Samples: new(1), Illumination: "Epifluorescence", ContrastMethod: "Fluorescence", AcquisitionMode: "SPIM", Photometric: "RGB",
		FilterSet: in.FilterSets[0].ID, FilterSetOf: in.ID, OTF: in.OTFs[0].ID, OTFOf: in.ID}
	lc.Detector = &omero.DetectorSettings{Voltage: quantity(1, "V"), Gain: new(1.0), Offset: new(2.0), ReadOutRate: quantity(10, "MHz"), Binning: "2x2",
		Integration: new(4), Zoom: new(1.5), Detector: in.Detectors[0].ID, Instrument: in.ID}
	lc.LightSettings = &omero.LightSettings{Attenuation: new(0.5), Wavelength: quantity(488, "nm"), LightSource: in.LightSources[4].ID, Instrument: in.ID}
	lc.LightPath = &omero.LightPath{Dichroic: in.Dichroics[0].ID, Excitation: []int64{in.Filters[1].ID, in.Filters[0].ID}, Emission: []int64{in.Filters[1].ID}, Instruments: []int64{in.ID}}
	det := b.Object(omero.KindDetectorSettings, lc.Detector, map[string]omero.Ref{"detector": existing(omero.KindDetector, in.Detectors[0].ID)})
	light := b.Object(omero.KindLightSettings, lc.LightSettings, map[string]omero.Ref{"lightSource": existing(omero.KindLED, in.LightSources[4].ID)})
	path := b.Object(omero.KindLightPath, nil, map[string]omero.Ref{"dichroic": existing(omero.KindDichroic, in.Dichroics[0].ID)})
	for _, f := range lc.LightPath.Excitation {
		b.Filter(path, existing(omero.KindFilter, f), true)
	}
	b.Filter(path, existing(omero.KindFilter, in.Filters[1].ID), false)
	b.Change(existing(omero.KindLogicalChannel, id)).Fields(now.Pixels.Channels[1].Logical, *lc).Refer("detectorSettings", det).Refer("lightSourceSettings", light).
		Refer("lightPath", path).Refer("filterSet", existing(omero.KindFilterSet, in.FilterSets[0].ID)).Refer("otf", existing(omero.KindOTF, in.OTFs[0].ID))
	saved, err := c.Save(ctx, b)
	check(t, err)
	want.Objective.ID, want.Environment.ID, want.Stage.ID, want.Experiment = saved.ID(os), saved.ID(env), saved.ID(stage), saved.ID(ex)
	lc.Detector.ID, lc.LightSettings.ID, lc.LightPath.ID = saved.ID(det), saved.ID(light), saved.ID(path)
	want.Pixels = &px
	return want
}

// How an image was taken comes back as it was set, also what only an edit
// says, and nothing else changes.
func TestImageSettingsBothWays(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	in := makeInstrument(t, ctx, c)
	image := pictured(t, c).Image
	want := settled(t, ctx, c, image, in)
	got, err := c.ImageSettings(ctx, []int64{image})
	check(t, err)
	same(t, got, []omero.ImageSettings{want})

	b := c.NewBatch()
	more := b.Object(omero.KindFilter, nil, map[string]omero.Ref{"instrument": omero.Existing(omero.KindInstrument, in.ID)})
	saved, err := c.Save(ctx, b)
	check(t, err)
	third := saved.ID(more)
	for what, change := range map[string]func(b *omero.Batch){
		"objective": func(b *omero.Batch) {
			b.Change(omero.Existing(omero.KindObjective, in.Objectives[1].ID)).Fields(in.Objectives[1], omero.Objective{Maker: omero.Maker{Model: new("x")}, Immersion: "Oil", Correction: "Other"})
		},
		"filters of a light path": func(b *omero.Batch) {
			b.Filter(omero.Existing(omero.KindLightPath, want.Pixels.Channels[1].Logical.LightPath.ID), omero.Existing(omero.KindFilter, in.Filters[0].ID), false)
		},
		"filter in the list of a light path": func(b *omero.Batch) {
			b.Filter(omero.Existing(omero.KindLightPath, want.Pixels.Channels[1].Logical.LightPath.ID), omero.Existing(omero.KindFilter, third), true)
		},
		"plane": func(b *omero.Batch) {
			b.Plane(omero.Existing(omero.KindPixels, want.Pixels.ID), omero.Plane{})
		},
	} {
		before, err := c.ChangeToken(ctx, omero.KindImage, image, "")
		check(t, err)
		b := c.NewBatch()
		change(b)
		_, err = c.Save(ctx, b)
		check(t, err)
		after, err := c.ChangeToken(ctx, omero.KindImage, image, "")
		check(t, err)
		if before.Hash == after.Hash {
			t.Errorf("a new %s does not change the token", what)
		}
	}
	want.Pixels.Channels[1].Logical.LightPath.Emission = append(want.Pixels.Channels[1].Logical.LightPath.Emission, in.Filters[0].ID)
	want.Pixels.Channels[1].Logical.LightPath.Excitation = append(want.Pixels.Channels[1].Logical.LightPath.Excitation, third)

	left, err := c.Unreferenced(ctx, omero.KindObjective, []int64{in.Objectives[0].ID, in.Objectives[1].ID})
	check(t, err)
	if len(left) != 0 { // the first one has a transfer function
		t.Errorf("unused: %v", left)
	}
	b = c.NewBatch()
	b.Change(omero.Existing(omero.KindImage, image)).Refer("objectiveSettings", omero.Ref{}).Refer("stageLabel", omero.Ref{})
	_, err = c.Save(ctx, b)
	check(t, err)
	left, err = c.Unreferenced(ctx, omero.KindStageLabel, []int64{want.Stage.ID})
	check(t, err)
	if len(left) != 1 {
		t.Errorf("unused: %v", left)
	}
	want.Objective, want.Stage = nil, nil
	got, err = c.ImageSettings(ctx, []int64{image})
	check(t, err)
	same(t, got, []omero.ImageSettings{want})
}

// Planes come back in the order in which they were made, more of them than one
// page holds.
func TestPlanesBothWays(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	p := pictured(t, c)
	var want []omero.Plane
	b := c.NewBatch()
	for i := range 6000 {
		pl := omero.Plane{TheZ: int32(i % 7), TheC: int32(i % 3), TheT: int32(i)}
		for f := range omero.PlaneFields {
			if unit := i + f; unit%3 > 0 {
				units := omero.PlaneUnits[:24]
				if f >= omero.PositionX {
					units = omero.PlaneUnits[24:]
				}
				pl.Values[f] = float64(i) / 8
				pl.Units[f] = uint8(slices.Index(omero.PlaneUnits, units[unit%len(units)]) + 1)
			}
		}
		b.Plane(omero.Existing(omero.KindPixels, p.ID), pl)
		want = append(want, pl)
	}
	_, err := c.Save(ctx, b)
	check(t, err)
	got, err := c.Planes(ctx, []int64{p.Image})
	check(t, err)
	if got[p.Image] == nil || !slices.Equal(got[p.Image].Planes, want) {
		t.Fatalf("got %d planes", len(got[p.Image].Planes))
	}
	next := want[5]
	next.Units[omero.DeltaT], next.Units[omero.PositionX], next.Values = 0, 30, [omero.PlaneFields]float64{0, 1, 2, 3, 4}
	b = c.NewBatch()
	b.Change(omero.Existing(omero.KindPlaneInfo, got[p.Image].IDs[5])).Plane(want[5], next)
	_, err = c.Save(ctx, b)
	check(t, err)
	again, err := c.Planes(ctx, []int64{p.Image})
	check(t, err)
	for f := range omero.PlaneFields {
		if next.Units[f] == 0 {
			next.Values[f] = 0
		}
	}
	if now := again[p.Image].Planes[5]; now != next {
		t.Errorf("got %+v, want %+v", now, next)
	}
}
