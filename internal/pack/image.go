package pack

import "time"

// Image is one image with its pixels' description.
type Image struct {
	ID          ID
	Name        string
	Description string
	// Acquired is the acquisition date; zero when there is none.
	Acquired time.Time
	// Fileset is the fileset the image was read from, "" when it has none or the
	// pack does not say.
	Fileset ID
	// Series is the image's place among those of its fileset, from 0.
	Series int
	// Path is the file that holds an image without a Fileset. In packs of others
	// every image has one, which is what its path record says: a file, or the
	// folder that holds the files of its fileset, with a slash at the end.
	Path        string
	Pixels      *Pixels
	Stage       *StageLabel
	Instrument  ID // "" for none, like the next
	Experiment  ID
	Objective   *ObjectiveSettings
	Environment *Environment
	Archived    *bool
	Partial     *bool
	Renderings  []Rendering
	ROIs        []ID
	Details     Details
}

// Pixels describes the pixels of an image.
type Pixels struct {
	SizeX, SizeY, SizeZ, SizeC, SizeT int

	Type            string // "uint16" …
	Order           string // "XYZCT" …
	SignificantBits *int

	PhysicalX, PhysicalY, PhysicalZ *Quantity
	TimeIncrement                   *Quantity // its unit is one of time, such as "s"
	SHA1                            string    // of the pixels as the server counts it; "" when not known
	Channels                        []Channel
	Planes                          []Plane
	NotedPlanes                     []NotedPlane // those that something is linked to
	WaveStart, WaveIncrement        *int
	Methodology                     *string
}

// Channel describes one channel of an image.
type Channel struct {
	ID                   ID
	Name                 *string
	Color                *int32 // RGBA, red in the top byte
	LookupTable          *string
	Excitation, Emission *Quantity
	Fluor                *string
	Illumination         string
	ContrastMethod       string
	AcquisitionMode      string
	Pinhole              *Quantity
	NDFilter             *float64
	PockelCell           *int
	Samples              *int   // per pixel
	Photometric          string // "Monochrome", "RGB" …
	FilterSet            ID     // "" for none, like the next
	OTF                  ID
	Detector             *DetectorSettings
	Light                *LightSettings
	LightPath            *LightPath
}

// Quantity is a number with its unit as OME-XML spells it: "µm", "nm", "pixel",
// "pt", "reference frame", "s", "mW", "MHz", "mbar", "°C" …
type Quantity struct {
	Value float64
	Unit  string
}

// Units that are the default somewhere in OME-XML.
const (
	Micrometer     = "µm"
	Nanometer      = "nm"
	Pixel          = "pixel"
	Point          = "pt"
	ReferenceFrame = "reference frame"
	Second         = "s"
)

// StageLabel is the named position of the stage.
type StageLabel struct {
	Name    string
	X, Y, Z *Quantity
}

// Rendering is how one user looks at an image.
type Rendering struct {
	Owner              ID
	Name               string
	Model              string // "rgb" or "greyscale"
	DefaultZ, DefaultT int
	Compression        *float64
	CodomainStart      int
	CodomainEnd        int
	BitResolution      int
	Channels           []ChannelRendering // in the order of the channels
}

// ChannelRendering is how one channel is drawn.
type ChannelRendering struct {
	Active         bool
	Start, End     float64 // the window
	Family         string  // "linear", "polynomial" …
	Coefficient    float64
	NoiseReduction bool
	Reverse        bool // reversed intensity
	Color          int32
	LookupTable    string
}
