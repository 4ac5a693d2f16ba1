package omero

import (
	"cmp"
	"context"
	"slices"
)

// The classes of acquisition metadata that have no other name here.
const (
	KindInstrument   Kind = "Instrument"
	KindObjective    Kind = "Objective"
	KindDetector     Kind = "Detector"
	KindFilter       Kind = "Filter"
	KindFilterSet    Kind = "FilterSet"
	KindDichroic     Kind = "Dichroic"
	KindLightSource  Kind = "LightSource" // abstract: new ones are of a LightSource.Kind
	KindMicroscope   Kind = "Microscope"
	KindOTF          Kind = "OTF"
	KindTransmission Kind = "TransmittanceRange"

	KindLaser    Kind = "Laser"
	KindArc      Kind = "Arc"
	KindFilament Kind = "Filament"
	KindLED      Kind = "LightEmittingDiode"
	KindGeneric  Kind = "GenericExcitationSource"
)

// Instrument is a microscope with its parts, each list in the order of the
// ids. Images of one fileset usually share one.
type Instrument struct {
	ID           int64
	Microscope   *Microscope
	Objectives   []Objective
	Detectors    []Detector
	LightSources []LightSource
	Filters      []Filter
	Dichroics    []Dichroic
	FilterSets   []FilterSet
	OTFs         []OTF
}

// Maker says who made a part. Nil is null, which is not the same as empty.
type Maker struct {
	Manufacturer *string `model:"manufacturer"`
	Model        *string `model:"model"`
	LotNumber    *string `model:"lotNumber"`
	SerialNumber *string `model:"serialNumber"`
}

// Microscope is the stand of an instrument.
type Microscope struct {
	ID int64 `model:"id"`
	Maker
	Type string `model:"type,required"`
}

// Objective is an objective of an instrument.
type Objective struct {
	ID int64 `model:"id"`
	Maker
	NominalMagnification    *float64  `model:"nominalMagnification"`
	CalibratedMagnification *float64  `model:"calibratedMagnification"`
	LensNA                  *float64  `model:"lensNA"`
	Immersion               string    `model:"immersion,required"`
	Correction              string    `model:"correction,required"`
	WorkingDistance         *Quantity `model:"workingDistance"`
	Iris                    *bool     `model:"iris"`
}

// Detector is a camera, a photomultiplier …
type Detector struct {
	ID int64 `model:"id"`
	Maker
	Type              string    `model:"type,required"`
	Voltage           *Quantity `model:"voltage"`
	Gain              *float64  `model:"gain"`
	Offset            *float64  `model:"offsetValue"`
	Zoom              *float64  `model:"zoom"`
	AmplificationGain *float64  `model:"amplificationGain"`
}

// LightSource is a light source of any kind; all but the first fields are
// those of some kinds only.
type LightSource struct {
	ID   int64 `model:"id"`
	Kind Kind
	Maker
	Power *Quantity `model:"power"`

	Type                    string    `model:"type,required"`        // of lasers, arcs and filaments
	Medium                  string    `model:"laserMedium,required"` // of lasers, like what follows
	FrequencyMultiplication *int      `model:"frequencyMultiplication"`
	Tuneable                *bool     `model:"tuneable"`
	Pulse                   string    `model:"pulse"`
	Wavelength              *Quantity `model:"wavelength"`
	PockelCell              *bool     `model:"pockelCell"`
	RepetitionRate          *Quantity `model:"repetitionRate"`
	Pump                    int64     `model:"pump"` // a light source, 0 for none

	Map []Pair `model:"map"` // of generic ones
}

// Filter is a filter with what it lets pass.
type Filter struct {
	ID int64 `model:"id"`
	Maker
	Type         string  `model:"type"`
	FilterWheel  *string `model:"filterWheel"`
	Transmission *Transmission
}

// Transmission is the range of wavelengths that a filter lets pass.
type Transmission struct {
	ID              int64     `model:"id"`
	CutIn           *Quantity `model:"cutIn"`
	CutOut          *Quantity `model:"cutOut"`
	CutInTolerance  *Quantity `model:"cutInTolerance"`
	CutOutTolerance *Quantity `model:"cutOutTolerance"`
	Transmittance   *float64  `model:"transmittance"`
}

// Dichroic is a dichroic mirror.
type Dichroic struct {
	ID int64 `model:"id"`
	Maker
}

// FilterSet is a set of filters that are used together.
type FilterSet struct {
	ID int64 `model:"id"`
	Maker
	Dichroic   int64 `model:"dichroic"` // 0 for none
	Excitation []int64
	Emission   []int64
}

// OTF is an optical transfer function.
type OTF struct {
	ID                  int64   `model:"id"`
	SizeX               *int    `model:"sizeX,required"`
	SizeY               *int    `model:"sizeY,required"`
	OpticalAxisAveraged *bool   `model:"opticalAxisAveraged,required"`
	PixelsType          string  `model:"pixelsType,required"`
	Path                *string `model:"path,required"`
	FilterSet           int64   `model:"filterSet"` // 0 for none
	Objective           int64   `model:"objective"`
}

// lightKinds are the classes of light sources.
var lightKinds = []Kind{KindLaser, KindArc, KindFilament, KindLED, KindGeneric}

// parts is the query for the parts of instruments of a class.
func parts(class Kind) mappedQuery {
	counted := string(class)
	if slices.Contains(lightKinds, class) {
		counted = string(KindLightSource)
	}
	return mappedQuery{class: string(class), lead: "o.instrument.id", from: string(class) + " o",
		where: "o.instrument.id in (:ids)", order: "o.instrument.id, o.id", counted: counted}
}

// Instruments describes instruments with all their parts. The number of
// queries does not depend on how many parts there are.
func (c *Client) Instruments(ctx context.Context, which Selection) ([]Instrument, error) {
	if len(which.ids) == 0 {
		return nil, nil
	}
	slices.Sort(which.ids)
	r := &instrumentReader{c: c, ids: which, at: make(map[int64]*Instrument), ranges: make(map[int64]*Transmission),
		sets: make(map[bool]map[int64][]int64), maps: make(map[int64][]Pair), lights: make([]map[int64][]LightSource, len(lightKinds)),
		list: make([]Instrument, 0, len(which.ids))}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return r.list, nil
}

// instrumentReader gathers what the queries say, each in a place of its own.
type instrumentReader struct {
	c      *Client
	ids    Selection
	list   []Instrument
	at     map[int64]*Instrument
	ranges map[int64]*Transmission    // by filter
	sets   map[bool]map[int64][]int64 // filters by set, those for excitation under true
	maps   map[int64][]Pair           // of generic light sources
	lights []map[int64][]LightSource  // by kind and instrument
}

func (r *instrumentReader) read(ctx context.Context) error {
	rows, err := r.c.rowsOf(ctx, `select o.id from Instrument o where o.id in (:ids) order by o.id`, r.ids, "")
	if err != nil {
		return err
	}
	for _, row := range rows {
		r.list = append(r.list, Instrument{ID: row.id(0)})
	}
	for i := range r.list {
		r.at[r.list[i].ID] = &r.list[i]
	}
	jobs := []func(context.Context) error{
		func(ctx context.Context) error {
			q := mappedQuery{class: "Microscope", lead: "i.id", from: "Instrument i join i.microscope o", where: "i.id in (:ids)", order: "i.id",
				counted: "Microscope"}
			return mapped(ctx, r.c, q, r.ids, func(lead row, m Microscope) { r.of(lead).Microscope = &m })
		},
		partsJob(r, KindObjective, func(i *Instrument, v Objective) { i.Objectives = append(i.Objectives, v) }),
		partsJob(r, KindDetector, func(i *Instrument, v Detector) { i.Detectors = append(i.Detectors, v) }),
		partsJob(r, KindFilter, func(i *Instrument, v Filter) { i.Filters = append(i.Filters, v) }),
		partsJob(r, KindDichroic, func(i *Instrument, v Dichroic) { i.Dichroics = append(i.Dichroics, v) }),
		partsJob(r, KindFilterSet, func(i *Instrument, v FilterSet) { i.FilterSets = append(i.FilterSets, v) }),
		partsJob(r, KindOTF, func(i *Instrument, v OTF) { i.OTFs = append(i.OTFs, v) }),
		func(ctx context.Context) error {
			q := mappedQuery{class: "TransmittanceRange", lead: "f.id", from: "Filter f join f.transmittanceRange o",
				where: "f.instrument.id in (:ids)", order: "f.id", counted: "TransmittanceRange"}
			return mapped(ctx, r.c, q, r.ids, func(lead row, t Transmission) { r.ranges[lead.id(0)] = &t })
		},
		func(ctx context.Context) (err error) {
			r.maps, err = r.c.pairsOf(ctx, "GenericExcitationSource o join o.map v", "o.instrument.id", r.ids, string(KindLightSource))
			return err
		},
	}
	for n, kind := range lightKinds {
		r.lights[n] = make(map[int64][]LightSource)
		jobs = append(jobs, func(ctx context.Context) error {
			return mapped(ctx, r.c, parts(kind), r.ids, func(lead row, v LightSource) {
				v.Kind = kind
				r.lights[n][lead.id(0)] = append(r.lights[n][lead.id(0)], v)
			})
		})
	}
	for _, excitation := range []bool{true, false} {
		found := make(map[int64][]int64)
		r.sets[excitation] = found
		jobs = append(jobs, func(ctx context.Context) error {
			return r.c.setFilters(ctx, excitation, r.ids, found)
		})
	}
	if err := together(ctx, jobs...); err != nil {
		return err
	}
	r.join()
	return nil
}

// of finds the instrument that a row speaks of; one that has gone meanwhile
// takes what is said of it along.
func (r *instrumentReader) of(lead row) *Instrument {
	if i := r.at[lead.id(0)]; i != nil {
		return i
	}
	return new(Instrument)
}

func partsJob[T any](r *instrumentReader, kind Kind, put func(*Instrument, T)) func(context.Context) error {
	return func(ctx context.Context) error {
		return mapped(ctx, r.c, parts(kind), r.ids, func(lead row, v T) { put(r.of(lead), v) })
	}
}

// join puts together what several queries said of one part.
func (r *instrumentReader) join() {
	for n := range r.list {
		i := &r.list[n]
		for k := range i.Filters {
			i.Filters[k].Transmission = r.ranges[i.Filters[k].ID]
		}
		for k := range i.FilterSets {
			s := &i.FilterSets[k]
			s.Excitation, s.Emission = r.sets[true][s.ID], r.sets[false][s.ID]
		}
		for _, found := range r.lights {
			i.LightSources = append(i.LightSources, found[i.ID]...)
		}
		slices.SortFunc(i.LightSources, func(a, b LightSource) int { return cmp.Compare(a.ID, b.ID) })
		for k := range i.LightSources {
			i.LightSources[k].Map = r.maps[i.LightSources[k].ID]
		}
	}
}

// pairsOf reads the pairs v of objects o, by object.
func (c *Client) pairsOf(ctx context.Context, from, of string, ids Selection, counted string) (map[int64][]Pair, error) {
	rows, err := c.rowsOf(ctx, `select o.id, v.name, v.value, index(v) from `+from+` where `+of+` in (:ids) order by o.id, index(v)`, ids, counted)
	if err != nil {
		return nil, err
	}
	found := make(map[int64][]Pair)
	for _, r := range rows {
		found[r.id(0)] = append(found[r.id(0)], Pair{Key: r.str(1), Value: r.str(2)})
	}
	return found, nil
}

// setFilters reads the filters of the filter sets of instruments.
func (c *Client) setFilters(ctx context.Context, excitation bool, instruments Selection, found map[int64][]int64) error {
	link := string(filterLink(KindFilterSet, excitation))
	rows, err := c.rowsOf(ctx, `select l.parent.id, l.child.id, l.id from `+link+` l `+
		`where l.parent.instrument.id in (:ids) order by l.parent.id, l.id`, instruments, link)
	if err != nil {
		return err
	}
	for _, r := range rows {
		found[r.id(0)] = append(found[r.id(0)], r.id(1))
	}
	return nil
}

// filterLink is the class of the links between filter sets or light paths and
// their filters.
func filterLink(class Kind, excitation bool) Kind {
	if excitation {
		return class + "ExcitationFilterLink"
	}
	return class + "EmissionFilterLink"
}
