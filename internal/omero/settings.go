package omero

import (
	"context"
	"time"
)

// Further classes of acquisition metadata.
const (
	KindPixels            Kind = "Pixels"
	KindLogicalChannel    Kind = "LogicalChannel"
	KindObjectiveSettings Kind = "ObjectiveSettings"
	KindEnvironment       Kind = "ImagingEnvironment"
	KindStageLabel        Kind = "StageLabel"
	KindExperiment        Kind = "Experiment"
	KindManipulation      Kind = "MicrobeamManipulation"
	KindDetectorSettings  Kind = "DetectorSettings"
	KindLightSettings     Kind = "LightSettings"
	KindLightPath         Kind = "LightPath"
	KindPlaneInfo         Kind = "PlaneInfo"
)

// ImageSettings is how an image was taken.
type ImageSettings struct {
	ID          int64     `model:"id"`
	Name        *string   `model:"name,required"`
	Description *string   `model:"description"`
	Acquired    time.Time `model:"acquisitionDate"`
	Archived    *bool     `model:"archived"`
	Partial     *bool     `model:"partial"`
	Instrument  int64     `model:"instrument"` // 0 for none
	Experiment  int64     `model:"experiment"` // 0 for none
	Objective   *ObjectiveSettings
	Environment *Environment
	Stage       *Stage
	Pixels      *PixelsSettings
}

// ObjectiveSettings is how an objective was used.
type ObjectiveSettings struct {
	ID               int64    `model:"id"`
	CorrectionCollar *float64 `model:"correctionCollar"`
	Medium           string   `model:"medium"`
	RefractiveIndex  *float64 `model:"refractiveIndex"`
	Objective        int64    `model:"objective"`
	Instrument       int64    // that of the objective
}

// Environment is what the air around the specimen was like.
type Environment struct {
	ID          int64     `model:"id"`
	Temperature *Quantity `model:"temperature"`
	AirPressure *Quantity `model:"airPressure"`
	Humidity    *float64  `model:"humidity"`
	CO2Percent  *float64  `model:"co2percent"`
	Map         []Pair    `model:"map"`
}

// Stage is a named position of the stage.
type Stage struct {
	ID   int64     `model:"id"`
	Name *string   `model:"name,required"`
	X    *Quantity `model:"positionX"`
	Y    *Quantity `model:"positionY"`
	Z    *Quantity `model:"positionZ"`
}

// PixelsSettings is what can be changed of the pixels of an image.
type PixelsSettings struct {
	ID              int64             `model:"id"`
	SizeC           *int              `model:"sizeC,required"`
	SignificantBits *int              `model:"significantBits"`
	PhysicalX       *Quantity         `model:"physicalSizeX"`
	PhysicalY       *Quantity         `model:"physicalSizeY"`
	PhysicalZ       *Quantity         `model:"physicalSizeZ"`
	TimeIncrement   *Quantity         `model:"timeIncrement"`
	WaveStart       *int              `model:"waveStart"`
	WaveIncrement   *int              `model:"waveIncrement"`
	Methodology     *string           `model:"methodology"`
	Channels        []ChannelSettings // in their order
}

// ChannelSettings is how a channel was taken and what it looks like.
type ChannelSettings struct {
	ID          int64   `model:"id"`
	Red         *int    `model:"red"`
	Green       *int    `model:"green"`
	Blue        *int    `model:"blue"`
	Alpha       *int    `model:"alpha"`
	LookupTable *string `model:"lookupTable"`
	LogicalID   int64   `model:"logicalChannel"`
	Logical     LogicalChannel
}

// Color is the channel's colour as RGBA with red in the top byte, nil when it
// has none.
func (ch *ChannelSettings) Color() *int32 { return colorOf(ch.Red, ch.Green, ch.Blue, ch.Alpha) }

// LogicalChannel is what channels of several images may share.
type LogicalChannel struct {
	ID              int64     `model:"id"`
	Name            *string   `model:"name"`
	Fluor           *string   `model:"fluor"`
	Excitation      *Quantity `model:"excitationWave"`
	Emission        *Quantity `model:"emissionWave"`
	Pinhole         *Quantity `model:"pinHoleSize"`
	NDFilter        *float64  `model:"ndFilter"`
	PockelCell      *int      `model:"pockelCellSetting"`
	Samples         *int      `model:"samplesPerPixel"`
	Illumination    string    `model:"illumination"`
	ContrastMethod  string    `model:"contrastMethod"`
	AcquisitionMode string    `model:"mode"`
	Photometric     string    `model:"photometricInterpretation"`
	FilterSet       int64     `model:"filterSet"` // 0 for none, like those below
	OTF             int64     `model:"otf"`
	FilterSetOf     int64     // the instrument of the filter set
	OTFOf           int64     // the instrument of the OTF
	Detector        *DetectorSettings
	LightSettings   *LightSettings
	LightPath       *LightPath
}

// DetectorSettings is how a detector was used.
type DetectorSettings struct {
	ID          int64     `model:"id"`
	Voltage     *Quantity `model:"voltage"`
	Gain        *float64  `model:"gain"`
	Offset      *float64  `model:"offsetValue"`
	ReadOutRate *Quantity `model:"readOutRate"`
	Binning     string    `model:"binning"`
	Integration *int      `model:"integration"`
	Zoom        *float64  `model:"zoom"`
	Detector    int64     `model:"detector"`
	Instrument  int64     // that of the detector
}

// LightSettings is how a light source was used.
type LightSettings struct {
	ID           int64     `model:"id"`
	Attenuation  *float64  `model:"attenuation"`
	Wavelength   *Quantity `model:"wavelength"`
	LightSource  int64     `model:"lightSource"`
	Manipulation int64     `model:"microbeamManipulation"` // 0 for none
	Instrument   int64     // that of the light source
}

// LightPath lists the filters that light passes, in order.
type LightPath struct {
	ID         int64 `model:"id"`
	Dichroic   int64 `model:"dichroic"` // 0 for none
	Excitation []int64
	Emission   []int64
	// Instruments are those of the dichroic and the filters.
	Instruments []int64
}

// Experiment is what an image was taken for.
type Experiment struct {
	ID            int64   `model:"id"`
	Type          string  `model:"type,required"`
	Description   *string `model:"description"`
	Manipulations []Manipulation
}

// Manipulation is what was done to the specimen with light.
type Manipulation struct {
	ID          int64   `model:"id"`
	Type        string  `model:"type,required"`
	Description *string `model:"description"`
	Lights      []LightSettings
}

// settingsReader gathers what the queries say of images, each in a place of
// its own.
type settingsReader struct {
	c      *Client
	images Selection
	pixels map[int64]*PixelsSettings // by image

	logical    map[int64]LogicalChannel
	detectors  map[int64]DetectorSettings // by logical channel, like those below
	lights     map[int64]LightSettings
	paths      map[int64]LightPath
	excitation map[int64][]int64 // by light path
	emission   map[int64][]int64
	exciters   map[int64][]int64 // instruments of these filters
	emitters   map[int64][]int64
	maps       map[int64][]Pair // by environment
	channels   []channelOf
}

type channelOf struct {
	pixels  int64
	image   int64
	channel ChannelSettings
}

// ImageSettings tells how images were taken, with their channels but without
// their planes. The number of queries does not depend on how many there are,
// up to 1000.
func (c *Client) ImageSettings(ctx context.Context, images []int64) ([]ImageSettings, error) {
	return c.SettingsOf(ctx, These(images))
}

// SettingsOf is [Client.ImageSettings] of a selection of images.
func (c *Client) SettingsOf(ctx context.Context, images Selection) ([]ImageSettings, error) {
	r := &settingsReader{c: c, images: images, pixels: make(map[int64]*PixelsSettings),
		logical: make(map[int64]LogicalChannel), detectors: make(map[int64]DetectorSettings), lights: make(map[int64]LightSettings),
		paths: make(map[int64]LightPath), excitation: make(map[int64][]int64), emission: make(map[int64][]int64),
		exciters: make(map[int64][]int64), emitters: make(map[int64][]int64)}
	if len(r.images.ids) == 0 {
		return nil, nil
	}
	var list []ImageSettings
	objectives, environments, stages := make(map[int64]ObjectiveSettings), make(map[int64]Environment), make(map[int64]Stage)
	jobs := []func(context.Context) error{
		func(ctx context.Context) error {
			q := mappedQuery{class: "Image", lead: "o.id", from: "Image o", where: "o.id in (:ids)", order: "o.id"}
			return mapped(ctx, c, q, r.images, func(_ row, v ImageSettings) { list = append(list, v) })
		},
		func(ctx context.Context) error {
			q := mappedQuery{class: "ObjectiveSettings", lead: "i.id, x.instrument.id", order: "i.id",
				from: "Image i join i.objectiveSettings o join o.objective x", where: "i.id in (:ids)", counted: "ObjectiveSettings"}
			return mapped(ctx, c, q, r.images, func(lead row, v ObjectiveSettings) {
				v.Instrument = lead.id(1)
				objectives[lead.id(0)] = v
			})
		},
		func(ctx context.Context) error {
			return ofImages(ctx, r, "ImagingEnvironment", "imagingEnvironment", environments)
		},
		func(ctx context.Context) error { return ofImages(ctx, r, "StageLabel", "stageLabel", stages) },
		func(ctx context.Context) (err error) {
			r.maps, err = c.pairsOf(ctx, "Image i join i.imagingEnvironment o join o.map v", "i.id", r.images, "ImagingEnvironment")
			return err
		},
	}
	if err := together(ctx, append(jobs, r.channelJobs()...)...); err != nil {
		return nil, err
	}
	r.join()
	for n := range list {
		im := &list[n]
		if v, ok := objectives[im.ID]; ok {
			im.Objective = &v
		}
		if v, ok := environments[im.ID]; ok {
			v.Map = r.maps[v.ID]
			im.Environment = &v
		}
		if v, ok := stages[im.ID]; ok {
			im.Stage = &v
		}
		im.Pixels = r.pixels[im.ID]
	}
	return list, nil
}

// ofImages reads what images name by one of their members.
func ofImages[T any](ctx context.Context, r *settingsReader, class, name string, found map[int64]T) error {
	q := mappedQuery{class: class, lead: "i.id", from: "Image i join i." + name + " o", where: "i.id in (:ids)", order: "i.id",
		counted: class}
	return mapped(ctx, r.c, q, r.images, func(lead row, v T) { found[lead.id(0)] = v })
}
