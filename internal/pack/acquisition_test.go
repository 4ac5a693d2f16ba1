package pack

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// randomFields fills the fields of what v points to: with nothing, with what
// OME-XML allows, or with anything.
func randomFields(r *rand.Rand, v any) {
	floats := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 1e-60, 1e300, math.Inf(1), math.MaxFloat64, 100, 1e-7}
	texts := []string{"", "x", " a ", "<&>\"'\n\t", "\x00", "\xff", "ü", "Other"}
	eachField(v, func(f field, value any, set func(any)) {
		if r.IntN(3) == 0 {
			return
		}
		switch value.(type) {
		case string:
			if len(f.words) > 0 && r.IntN(2) == 0 {
				set(f.words[r.IntN(len(f.words))])
				return
			}
			set(texts[r.IntN(len(texts))])
		case *string:
			set(new(texts[r.IntN(len(texts))]))
		case *int:
			set(new([]int{0, 1, -1, math.MaxInt32, math.MinInt32, 7}[r.IntN(6)]))
		case *float64:
			set(new(floats[r.IntN(len(floats))]))
		case *bool:
			set(new(r.IntN(2) == 0))
		case *Quantity:
			units := unitsLike(f.unit)
			set(&Quantity{Value: floats[r.IntN(len(floats))], Unit: units[r.IntN(len(units))]})
		}
	})
}

func randomList[T any](r *rand.Rand, kind string, next *int64, id func(*T) *ID) []T {
	var list []T
	for range r.IntN(3) {
		var v T
		randomFields(r, &v)
		*next++
		*id(&v) = NewID(kind, *next)
		list = append(list, v)
	}
	return list
}

func randomPairs(r *rand.Rand) []Pair {
	var list []Pair
	for range r.IntN(3) {
		list = append(list, Pair{Key: []string{"", "k", "\x01"}[r.IntN(3)], Value: []string{"", "v ", "\xfe"}[r.IntN(3)]})
	}
	return list
}

// pick chooses an id of a list, or none.
func pick[T any](r *rand.Rand, list []T, id func(*T) *ID) ID {
	if n := r.IntN(len(list) + 1); n > 0 {
		return *id(&list[n-1])
	}
	return ""
}

func randomInstrument(r *rand.Rand, next *int64) Instrument {
	*next++
	in := Instrument{ID: NewID(KindInstrument, *next)}
	if r.IntN(2) == 0 {
		in.Microscope = new(Microscope)
		randomFields(r, in.Microscope)
	}
	lightID, filterID := func(v *LightSource) *ID { return &v.ID }, func(v *Filter) *ID { return &v.ID }
	in.LightSources = randomList(r, KindLightSource, next, lightID)
	for i := range in.LightSources {
		l := &in.LightSources[i]
		l.Kind = []LightKind{Laser, Arc, Filament, LED, GenericSource}[r.IntN(5)]
		l.Pump, l.Map = pick(r, in.LightSources, lightID), randomPairs(r)
	}
	in.Detectors = randomList(r, KindDetector, next, func(v *Detector) *ID { return &v.ID })
	in.Objectives = randomList(r, KindObjective, next, func(v *Objective) *ID { return &v.ID })
	in.Filters = randomList(r, KindFilter, next, filterID)
	for i := range in.Filters {
		if r.IntN(2) == 0 {
			in.Filters[i].Transmission = new(Transmission)
			randomFields(r, in.Filters[i].Transmission)
		}
	}
	in.Dichroics = randomList(r, KindDichroic, next, func(v *Dichroic) *ID { return &v.ID })
	in.FilterSets = randomList(r, KindFilterSet, next, func(v *FilterSet) *ID { return &v.ID })
	for i := range in.FilterSets {
		s := &in.FilterSets[i]
		s.Excitation, s.Emission = randomFilters(r, in.Filters), randomFilters(r, in.Filters)
		s.Dichroic = pick(r, in.Dichroics, func(v *Dichroic) *ID { return &v.ID })
	}
	if len(in.Objectives) > 0 && r.IntN(3) == 0 {
		o := OTF{ID: NewID(KindOTF, *next), Objective: in.Objectives[0].ID}
		randomFields(r, &o)
		in.OTFs = append(in.OTFs, o)
	}
	return in
}

func randomFilters(r *rand.Rand, filters []Filter) []ID {
	var ids []ID
	for range r.IntN(4) {
		if id := pick(r, filters, func(v *Filter) *ID { return &v.ID }); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// randomAcquisition has images that were taken in any way.
func randomAcquisition(r *rand.Rand) *Document {
	doc := &Document{}
	next := int64(0)
	for range 1 + r.IntN(2) {
		doc.Instruments = append(doc.Instruments, randomInstrument(r, &next))
	}
	in := &doc.Instruments[0]
	for range 2 {
		next++
		im := Image{ID: NewID(KindImage, next), Name: "i", Path: fmt.Sprintf("%d.tif", next), Pixels: smallPixels()}
		im.Pixels.Channels = randomList(r, KindChannel, &next, func(v *Channel) *ID { return &v.ID })
		for i := range im.Pixels.Channels {
			ch := &im.Pixels.Channels[i]
			ch.Photometric = []string{"", "RGB"}[r.IntN(2)]
			ch.FilterSet = pick(r, in.FilterSets, func(v *FilterSet) *ID { return &v.ID })
			ch.OTF = pick(r, in.OTFs, func(v *OTF) *ID { return &v.ID })
			if id := pick(r, in.Detectors, func(v *Detector) *ID { return &v.ID }); id != "" {
				ch.Detector = &DetectorSettings{Detector: id}
				randomFields(r, ch.Detector)
			}
			if id := pick(r, in.LightSources, func(v *LightSource) *ID { return &v.ID }); id != "" {
				ch.Light = &LightSettings{LightSource: id}
				randomFields(r, ch.Light)
			}
			if r.IntN(2) == 0 {
				ch.LightPath = &LightPath{Excitation: randomFilters(r, in.Filters), Emission: randomFilters(r, in.Filters)}
			}
		}
		for range r.IntN(4) {
			p := Plane{TheZ: int32(r.IntN(5) - r.IntN(2)), TheC: int32(r.IntN(2)), TheT: math.MaxInt32}
			for f := range PlaneFields {
				if from, n := len(timeUnits), len(lengthUnits); r.IntN(2) == 0 {
					if f < PositionX {
						from, n = 0, len(timeUnits)
					}
					p.Units[f], p.Values[f] = uint8(1+from+r.IntN(n)), r.NormFloat64()
				}
			}
			im.Pixels.Planes = append(im.Pixels.Planes, p)
		}
		if id := pick(r, in.Objectives, func(v *Objective) *ID { return &v.ID }); id != "" {
			im.Objective = &ObjectiveSettings{Objective: id}
			randomFields(r, im.Objective)
		}
		if r.IntN(2) == 0 {
			im.Environment = &Environment{Map: randomPairs(r)}
			randomFields(r, im.Environment)
		}
		im.Instrument = pick(r, doc.Instruments, func(v *Instrument) *ID { return &v.ID })
		doc.Images = append(doc.Images, im)
	}
	return doc
}

// What was set of the acquisition comes back whole, whether OME-XML can say it
// or not.
func TestAcquisitionRoundTrips(t *testing.T) {
	for seed := range uint64(400) {
		doc := randomAcquisition(rand.New(rand.NewPCG(seed, 1)))
		data := encode(t, doc, nil)
		got, _ := decode(t, data)
		var out []string
		differences("document", reflect.ValueOf(got), reflect.ValueOf(doc), &out)
		if len(out) > 0 {
			t.Fatalf("seed %d:\n%s", seed, strings.Join(out, "\n"))
		}
		if again := encode(t, got, nil); !bytes.Equal(again, data) {
			t.Fatalf("seed %d: a second encoding has other bytes", seed)
		}
	}
}

// A time lapse of very many planes takes little more memory than its planes.
func TestManyPlanes(t *testing.T) {
	const planes = 100_000
	im := Image{ID: "Image:1", Name: "lapse", Path: "lapse.tif", Pixels: smallPixels()}
	for i := range planes {
		im.Pixels.Planes = append(im.Pixels.Planes, Plane{TheT: int32(i), Units: [PlaneFields]uint8{planeUnit["s"]}, Values: [PlaneFields]float64{float64(i) / 7}})
	}
	data := encode(t, &Document{Images: []Image{im}}, nil)
	if perPlane := len(data) / planes; perPlane > 120 {
		t.Errorf("%d bytes for each plane", perPlane)
	}
	got, _ := decode(t, data)
	if !reflect.DeepEqual(got.Images[0].Pixels.Planes, im.Pixels.Planes) {
		t.Error("other planes came back")
	}
	if n := reflect.TypeFor[Plane]().Size(); n > 64 {
		t.Errorf("a plane takes %d bytes", n)
	}
	_, _, err := Decode(bytes.NewReader(data), Limits{Elements: planes})
	if err == nil {
		t.Error("the limit of elements does not hold for planes")
	}
}

// In packs of others, how images were taken is left to their files.
func TestAcquisitionOfOthers(t *testing.T) {
	data := transferDoc(`<Instrument ID="Instrument:1"><Laser ID="LightSource:1"/></Instrument>` +
		`<Image ID="Image:1" Name="x"><InstrumentRef ID="Instrument:9"/><ObjectiveSettings ID="Objective:9"/><Pixels DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="1">` +
		`<Channel ID="Channel:1"><DetectorSettings ID="Detector:9"/></Channel><Plane TheZ="0" TheT="0" TheC="0" DeltaT="1"/></Pixels><AnnotationRef ID="Annotation:1"/></Image>` +
		`<StructuredAnnotations>` + pathNote("Annotation:1", "x.tif") + `</StructuredAnnotations>`)
	got, _ := decode(t, data)
	if len(got.Instruments) > 0 || got.Images[0].Instrument != "" || got.Images[0].Objective != nil || got.Images[0].Pixels.Channels[0].Detector != nil || got.Images[0].Pixels.Planes != nil {
		t.Errorf("got %+v %+v", got.Instruments, got.Images[0])
	}
}
