package pack

// The structs of acquisition metadata name the attribute of OME-XML that each
// of their fields is written to in a tag `ome:"Name,rule"`; fields.go tells what
// the rules mean. A nil pointer is no value, which is not the same as an empty
// text. Enumerations have "" for no value.

// Instrument is a microscope with its parts.
type Instrument struct {
	ID           ID `ome:"ID"`
	Microscope   *Microscope
	LightSources []LightSource
	Detectors    []Detector
	Objectives   []Objective
	FilterSets   []FilterSet
	Filters      []Filter
	Dichroics    []Dichroic
	OTFs         []OTF
}

// Maker says who made a part of an instrument.
type Maker struct {
	Manufacturer *string `ome:"Manufacturer"`
	Model        *string `ome:"Model"`
	SerialNumber *string `ome:"SerialNumber"`
	LotNumber    *string `ome:"LotNumber"`
}

// Microscope is the stand of an instrument.
type Microscope struct {
	Maker
	Type string `ome:"Type,microscopes"`
}

// Objective is an objective of an instrument.
type Objective struct {
	ID ID `ome:"ID"`
	Maker
	Correction              string    `ome:"Correction,corrections"`
	Immersion               string    `ome:"Immersion,immersions"`
	LensNA                  *float64  `ome:"LensNA"`
	NominalMagnification    *float64  `ome:"NominalMagnification"`
	CalibratedMagnification *float64  `ome:"CalibratedMagnification"`
	WorkingDistance         *Quantity `ome:"WorkingDistance,µm"`
	Iris                    *bool     `ome:"Iris"`
}

// Detector is a camera, a photomultiplier …
type Detector struct {
	ID ID `ome:"ID"`
	Maker
	Type              string    `ome:"Type,detectors"`
	Gain              *float64  `ome:"Gain"`
	Voltage           *Quantity `ome:"Voltage,V"`
	Offset            *float64  `ome:"Offset"`
	Zoom              *float64  `ome:"Zoom"`
	AmplificationGain *float64  `ome:"AmplificationGain"`
}

// LightKind is the kind of a light source.
type LightKind string

// The kinds of light sources.
const (
	Laser         LightKind = "Laser"
	Arc           LightKind = "Arc"
	Filament      LightKind = "Filament"
	LED           LightKind = "LightEmittingDiode"
	GenericSource LightKind = "GenericExcitationSource"
)

// LightSource is a light source of any kind; the fields behind Power are those
// of some kinds only.
type LightSource struct {
	ID   ID `ome:"ID"`
	Kind LightKind
	Maker
	Power *Quantity `ome:"Power,mW"`

	Type                    string    `ome:"Type,lights"`              // of lasers, arcs and filaments
	Medium                  string    `ome:"LaserMedium,laserMediums"` // of lasers, like what follows
	Wavelength              *Quantity `ome:"Wavelength,nm,positive"`
	FrequencyMultiplication *int      `ome:"FrequencyMultiplication,positive"`
	Tuneable                *bool     `ome:"Tuneable"`
	Pulse                   string    `ome:"Pulse,pulses"`
	PockelCell              *bool     `ome:"PockelCell"`
	RepetitionRate          *Quantity `ome:"RepetitionRate,Hz"`
	Pump                    ID        // another light source, "" for none

	Map []Pair // of generic ones
}

// Filter is a filter with what it lets pass.
type Filter struct {
	ID ID `ome:"ID"`
	Maker
	Type         string  `ome:"Type,filterTypes"`
	FilterWheel  *string `ome:"FilterWheel"`
	Transmission *Transmission
}

// Transmission is the range of wavelengths that a filter lets pass.
type Transmission struct {
	CutIn           *Quantity `ome:"CutIn,nm,positive"`
	CutOut          *Quantity `ome:"CutOut,nm,positive"`
	CutInTolerance  *Quantity `ome:"CutInTolerance,nm,least0"`
	CutOutTolerance *Quantity `ome:"CutOutTolerance,nm,least0"`
	Transmittance   *float64  `ome:"Transmittance,fraction"`
}

// Dichroic is a dichroic mirror.
type Dichroic struct {
	ID ID `ome:"ID"`
	Maker
}

// FilterSet is a set of filters that are used together.
type FilterSet struct {
	ID ID `ome:"ID"`
	Maker
	Excitation []ID
	Dichroic   ID // "" for none
	Emission   []ID
}

// OTF is an optical transfer function, which OME-XML has no place for.
type OTF struct {
	ID                  ID      `ome:"ID"`
	SizeX               *int    `ome:"SizeX"`
	SizeY               *int    `ome:"SizeY"`
	OpticalAxisAveraged *bool   `ome:"OpticalAxisAveraged"`
	PixelsType          string  `ome:"Type"`
	Path                *string `ome:"Path"`
	Objective           ID      `ome:"Objective"`
	FilterSet           ID      `ome:"FilterSet"` // "" for none
}

// ObjectiveSettings is how an objective was used.
type ObjectiveSettings struct {
	Objective        ID       `ome:"ID"`
	CorrectionCollar *float64 `ome:"CorrectionCollar"`
	Medium           string   `ome:"Medium,mediums"`
	RefractiveIndex  *float64 `ome:"RefractiveIndex"`
}

// Environment is what the air around the specimen was like.
type Environment struct {
	Temperature *Quantity `ome:"Temperature,°C"`
	AirPressure *Quantity `ome:"AirPressure,mbar"`
	Humidity    *float64  `ome:"Humidity,fraction"`
	CO2Percent  *float64  `ome:"CO2Percent,fraction"`
	Map         []Pair
}

// DetectorSettings is how a detector was used.
type DetectorSettings struct {
	Detector    ID        `ome:"ID"`
	Offset      *float64  `ome:"Offset"`
	Gain        *float64  `ome:"Gain"`
	Voltage     *Quantity `ome:"Voltage,V"`
	Zoom        *float64  `ome:"Zoom"`
	ReadOutRate *Quantity `ome:"ReadOutRate,MHz"`
	Binning     string    `ome:"Binning,binnings"`
	Integration *int      `ome:"Integration,positive"`
}

// LightSettings is how a light source was used.
type LightSettings struct {
	LightSource ID        `ome:"ID"`
	Attenuation *float64  `ome:"Attenuation,fraction"`
	Wavelength  *Quantity `ome:"Wavelength,nm,positive"`
}

// LightPath lists the filters that light passes, in order.
type LightPath struct {
	ID         ID // "" unless something is linked to it
	Excitation []ID
	Dichroic   ID // "" for none
	Emission   []ID
}

// Experiment is what images were taken for.
type Experiment struct {
	ID            ID     `ome:"ID"`
	Type          string `ome:"Type,experiments"`
	Description   *string
	Manipulations []Manipulation
}

// Manipulation is what was done to the specimen with light. OME-XML demands
// more of it than servers know.
type Manipulation struct {
	ID          ID     `ome:"ID"`
	Type        string `ome:"Type"`
	Description *string
	Lights      []LightSettings
}
