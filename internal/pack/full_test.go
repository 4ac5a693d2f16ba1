package pack

import (
	"math"
	"time"
)

var (
	day1 = time.Date(2024, 2, 29, 12, 30, 15, 123e6, time.UTC)
	day2 = time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC)
)

const sha1Zero = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

// fullDocument has everything that the model can say, and much that XML or
// OME-XML cannot.
func fullDocument() (*Document, *Manifest) {
	who := Details{Owner: "Experimenter:3", Group: "ExperimenterGroup:5", Created: day1, Updated: day2, Permissions: "rwra--"}
	doc := &Document{
		Origin: Origin{
			Host: "omero.example.org", Database: "0bd1a7a6-0000-4c3d-9e51-aaaaaaaaaaaa", Server: "5.6.14",
			Object: "Project:7", Name: "Kidney <atlas> & \"more\"", Owner: "Experimenter:3", Group: "ExperimenterGroup:5",
			Software: "omerods", Version: "0.1",
		},
		Packed: day2,
		Users: []User{
			{ID: "Experimenter:3", Login: "alice", FirstName: "Alice", MiddleName: "B", LastName: "Müller", Email: "a@example.org", Institution: "Lab"},
			{ID: "Experimenter:4", Login: "bo\x01b"},
		},
		Groups:   []Group{{ID: "ExperimenterGroup:5", Name: "lab-1", Description: "the lab", Permissions: "rwra--"}},
		Projects: []Project{{ID: "Project:7", Name: "Kidney\tatlas\n2", Description: " two\r\nlines ", Datasets: []ID{"Dataset:11", "Dataset:12"}, Details: who}},
		Datasets: []Dataset{
			{ID: "Dataset:11", Name: "", Images: []ID{"Image:101", "Image:102", "Image:103"}, Details: who},
			{ID: "Dataset:12", Name: "drawn \x00\uFFFE\xff", Images: []ID{"Image:104", "Image:105"}},
		},
		Folders: []Folder{
			{ID: "Folder:81", Name: "", Description: "in another", Parent: "Folder:82", Images: []ID{"Image:103", "Image:101"}, ROIs: []ID{"ROI:54", "ROI:51", "ROI:50"}},
			{ID: "Folder:82", Name: "around \x01", Details: who},
			{ID: "Folder:83", Name: "a sibling", Parent: "Folder:82", ROIs: []ID{"ROI:52"}},
		},
		Filesets: fullFilesets(who),
		Images:   fullImages(who),
		ROIs:     fullROIs(who),
	}
	fullInstruments(doc)
	fullPlate(doc, who)
	fullAnnotations(doc, who)
	return doc, fullManifest()
}

func fullFilesets(who Details) []Fileset {
	return []Fileset{
		{
			ID: "Fileset:51", Entries: []Entry{{
				ClientPath: "home/alice/\x02slideA.tif", Path: "Slides/slideA.tif", File: "OriginalFile:601",
				Size: 512, Hash: sha1Zero, Algorithm: SHA1, MediaType: "image/tiff", Modified: day1,
			}},
			Images: []ID{"Image:101"}, Reader: "loci.formats.in.TiffReader", Details: who,
			Info: []Pair{{"bioformats.version", "7.1"}, {"bioformats.version", ""}},
		},
		{
			ID: "Fileset:52", Folder: "Slides/slide.vsi.fileset", Entries: []Entry{
				{ClientPath: "a/slide.vsi", Path: "Slides/slide.vsi.fileset/slide.vsi", Size: 10, Hash: "900150983cd24fb0d6963f7d28e17f72", Algorithm: "MD5-128"},
				{ClientPath: "a/_slide_/stack1/frame_t.ets", Path: "Slides/slide.vsi.fileset/_slide_/stack1/frame_t.ets", Size: 0},
			},
			Images: []ID{"Image:102", "Image:103"},
		},
		{ID: "Fileset:53", Entries: []Entry{{ClientPath: "plate.fake", Path: "plate.fake", Size: 1}}, Images: []ID{"Image:201", "Image:202"}},
	}
}

func fullImages(who Details) []Image {
	return []Image{
		{
			ID: "Image:101", Name: "slide A", Description: "one file, one image", Acquired: day1, Fileset: "Fileset:51",
			ROIs: []ID{"ROI:51", "ROI:52", "ROI:53", "ROI:54"}, Details: who, Instrument: "Instrument:1", Experiment: "Experiment:1",
			Objective: &ObjectiveSettings{Objective: "Objective:1", CorrectionCollar: new(0.17), Medium: "Oil", RefractiveIndex: new(1.518)},
			Environment: &Environment{Temperature: &Quantity{310.5, "K"}, AirPressure: &Quantity{760, "mm Hg"}, Humidity: new(0.4), CO2Percent: new(0.0),
				Map: []Pair{{"a", "1"}, {"a", ""}, {"\x01", "\x02"}}},
			Archived: new(true), Partial: new(false),
			Stage: &StageLabel{Name: "", X: &Quantity{-1.5, Micrometer}, Z: &Quantity{2, ReferenceFrame}},
			Pixels: &Pixels{
				SizeX: 512, SizeY: 256, SizeZ: 3, SizeC: 2, SizeT: 4, Type: "uint16", Order: "XYZCT", SignificantBits: new(12),
				PhysicalX: &Quantity{0.325, Micrometer}, PhysicalY: &Quantity{325, Nanometer}, PhysicalZ: &Quantity{1e-9, "m"},
				TimeIncrement: &Quantity{0.5, Second}, SHA1: sha1Zero,
				Planes: []Plane{
					{TheZ: 2, TheC: 1, TheT: 3, Units: [PlaneFields]uint8{planeUnit["s"], planeUnit["ms"], planeUnit["reference frame"], planeUnit["µm"], planeUnit["Å"]}, Values: [PlaneFields]float64{0, 10.5, -1, 2, 3e20}},
					{}, {},
				},
				NotedPlanes: []NotedPlane{{ID: "PlaneInfo:7", Index: 1}},
				Channels: []Channel{
					{
						ID: "Channel:71", Name: new("DAPI \x03"), Color: new(int32(65535)), Excitation: &Quantity{405, Nanometer},
						Emission: &Quantity{461.5, Nanometer}, Fluor: new("DAPI"), Illumination: "Epifluorescence", ContrastMethod: "Fluorescence",
						AcquisitionMode: "WideField", Pinhole: &Quantity{1.25, Micrometer}, NDFilter: new(0.5), PockelCell: new(-3), Samples: new(1), Photometric: "Monochrome",
						FilterSet: "FilterSet:1", Light: &LightSettings{LightSource: "LightSource:1", Attenuation: new(0.5), Wavelength: &Quantity{488, Nanometer}},
						Detector:  &DetectorSettings{Detector: "Detector:1", Offset: new(-1.0), Gain: new(0.0), Voltage: &Quantity{0.6, "kV"}, Zoom: new(1.0), ReadOutRate: &Quantity{10, "MHz"}, Binning: "2x2", Integration: new(4)},
						LightPath: &LightPath{Excitation: []ID{"Filter:2", "Filter:1"}, Dichroic: "Dichroic:1", Emission: []ID{"Filter:1"}},
					},
					{ID: "Channel:72", Name: new(""), Color: new(int32(math.MinInt32)), Photometric: "Monochrome", LightPath: &LightPath{}},
				},
			},
			Renderings: []Rendering{{
				Owner: "Experimenter:3", Name: "mine", Model: "rgb", DefaultZ: 1, DefaultT: 2, Compression: new(0.85),
				CodomainStart: 0, CodomainEnd: 255, BitResolution: 255,
				Channels: []ChannelRendering{
					{Active: true, Start: 12, End: 4095.5, Family: "linear", Coefficient: 1, Color: -16776961, LookupTable: "cool.lut"},
					{NoiseReduction: true, Reverse: true, Family: "log\x04", Color: 255},
				},
			}},
		},
		{
			ID: "Image:102", Name: "", Fileset: "Fileset:52", Instrument: "Instrument:2", Experiment: "Experiment:2", Archived: new(false),
			Objective: &ObjectiveSettings{Objective: "Objective:2", Medium: "Honey \x01"}, Environment: &Environment{Humidity: new(40.0), CO2Percent: new(-1.0)},
			Pixels: &Pixels{
				SizeX: 1024, SizeY: 1024, SizeZ: 1, SizeC: 1, SizeT: 1, Type: "uint12", Order: "XYZCT", SignificantBits: new(0),
				PhysicalX: &Quantity{0, Micrometer}, PhysicalY: &Quantity{math.Inf(1), Pixel},
				WaveStart: new(400), WaveIncrement: new(-1), Methodology: new("\x09\x0B"),
				Planes:      []Plane{{TheZ: -1, Units: [PlaneFields]uint8{1, 24, 25, 0, 58}, Values: [PlaneFields]float64{-0.5, 0, 3, 0, 1e-30}}},
				NotedPlanes: []NotedPlane{{ID: "PlaneInfo:9"}},
				Channels: []Channel{{ID: "Channel:73", LookupTable: new("fire.lut"), Illumination: "Unknown", Excitation: &Quantity{-1, Nanometer}, OTF: "OTF:1",
					Light:     &LightSettings{LightSource: "LightSource:5", Attenuation: new(1.5), Wavelength: &Quantity{1e-60, "m"}},
					Detector:  &DetectorSettings{Detector: "Detector:2", Binning: "3x3 \x01", Integration: new(0)},
					LightPath: &LightPath{ID: "LightPath:1"}, Photometric: "RGB"}, {ID: "Channel:74", Fluor: new(""), LookupTable: new("")}},
			},
		},
		{ID: "Image:103", Name: "slide.vsi [2]", Fileset: "Fileset:52", Series: 1},
		{ID: "Image:104", Name: "drawn", Path: "drawn/drawn.ome.tiff", Pixels: smallPixels(), ROIs: []ID{"ROI:55"}},
		{ID: "Image:105", Name: "drawn", Path: "drawn/drawn [105].ome.tiff", Pixels: smallPixels()},
		{ID: "Image:201", Name: "A1", Fileset: "Fileset:53", Pixels: smallPixels()},
		{ID: "Image:202", Name: "A2", Fileset: "Fileset:53", Series: 1, Pixels: smallPixels()},
	}
}

func smallPixels() *Pixels {
	return &Pixels{SizeX: 4, SizeY: 4, SizeZ: 1, SizeC: 1, SizeT: 1, Type: "uint8", Order: "XYCZT"}
}

func fullROIs(who Details) []ROI {
	return []ROI{
		{ID: "ROI:50", Name: "empty, on no image"},
		{ID: "ROI:51", Name: "glomerulus", Description: "all\nshapes", Details: who, Shapes: []Shape{
			{ID: "Shape:61", Kind: Rectangle, X: 10.5, Y: 20, Width: 100, Height: 1e-7, TheZ: new(0), TheT: new(1), TheC: new(2), Text: "g\x05 1",
				Fill: new(int32(-256)), Stroke: new(int32(-16776961)), StrokeWidth: &Quantity{1, Pixel}, Locked: new(true)},
			{ID: "Shape:620", Kind: Ellipse, X: 1, RadiusY: 4, Null: []string{"Y", "RadiusX"}}, {ID: "Shape:621", Kind: Line, Null: []string{"X1", "Y1", "X2", "Y2"}},
			{ID: "Shape:62", Kind: Ellipse, X: 1, Y: 2, RadiusX: 3, RadiusY: 4, FillRule: "NonZero", StrokeDash: "2 2", Locked: new(false)},
			{ID: "Shape:63", Kind: Line, X1: -1, Y1: -2, X2: 3, Y2: 4, MarkerStart: "Arrow", MarkerEnd: "Arrow"},
			{ID: "Shape:64", Kind: PointShape, X: 1e20, Y: 2, Transform: &Transform{1, 0, 0.5, 1, 3.25, -4}},
			{ID: "Shape:65", Kind: Polygon, Points: "0,0 10,0 10,10"},
			{ID: "Shape:66", Kind: Polyline, Points: "0,0 1,1", MarkerEnd: "Arrow"},
			{ID: "Shape:67", Kind: Label, X: 5, Y: 6, Text: "here", FontSize: &Quantity{12, Point}, FontFamily: "serif", FontStyle: "BoldItalic"},
		}},
		{ID: "ROI:52", Name: "mask only", Shapes: []Shape{
			{ID: "Shape:68", Kind: Mask, X: 1, Y: 2, Width: 4, Height: 4, Bits: []byte{0xAA, 0x55}},
		}},
		{ID: "ROI:53", Name: "inexact", Description: "free words", Shapes: []Shape{
			{ID: "Shape:69", Kind: Label, X: 5, Y: 6, FontSize: &Quantity{12.5, Point}, FontFamily: "Comic Sans", FontStyle: "Oblique", TheZ: new(-1)},
			{ID: "Shape:70", Kind: PathShape, D: "M 0 0 L 1 1 z"},
			{ID: "Shape:71", Kind: Line, X2: 1, MarkerStart: "None", Text: "\x06"},
			{ID: "Shape:72", Kind: Mask, Width: 1, Height: 1, Bits: []byte{1}},
		}},
		{ID: "ROI:54", Name: "path only", Description: "no OME at all", Shapes: []Shape{
			{ID: "Shape:73", Kind: PathShape, D: "M 0 0", Stroke: new(int32(1)), Transform: &Transform{A00: 1}},
		}},
		{ID: "ROI:55", Shapes: []Shape{{ID: "Shape:74", Kind: PointShape}}},
	}
}

func fullPlate(doc *Document, who Details) {
	doc.Screens = []Screen{{
		ID: "Screen:1", Name: "screen", Description: "d", Type: "RNAi", ProtocolIdentifier: "p1", ProtocolDescription: "pd",
		ReagentSetIdentifier: "r1", ReagentSetDescription: "rd", Plates: []ID{"Plate:2"}, Details: who,
		Reagents: []Reagent{{ID: "Reagent:1", Name: "siRNA", Description: "x", Identifier: "y", Details: who}, {ID: "Reagent:2"}},
	}}
	doc.LeftOut = []LeftOut{
		{Image: "Image:301", Name: "not \x02 here", Fileset: "Fileset:59", In: []ID{"Dataset:11", "WellSample:33"}, Reason: Refused},
		{Image: "Image:302"},
	}
	doc.Reagents = []Reagent{
		{ID: "Reagent:3", Name: "of another\x01screen", Description: " d ", Identifier: "CHEBI:1", Screen: "Screen:9", Details: who},
		{ID: "Reagent:4"},
	}
	doc.Plates = []Plate{{
		ID: "Plate:2", Name: "plate", Description: "pd", Status: "done", ExternalIdentifier: "e", RowNaming: "letter", ColumnNaming: "roman",
		Rows: new(8), Columns: new(0), OriginX: &Quantity{1, Micrometer}, DefaultField: new(0), Details: who,
		Wells: []Well{
			{
				ID: "Well:21", Row: 0, Column: 0, Type: "control", Status: "ok", ExternalIdentifier: "w", ExternalDescription: "wd", Color: new(int32(7)),
				Reagents: []ID{"Reagent:1", "Reagent:2"},
				Samples:  []WellSample{{ID: "WellSample:31", Image: "Image:201", X: &Quantity{1, ReferenceFrame}, Y: &Quantity{2, "mm"}, Timepoint: day1}},
			},
			{ID: "Well:23", Row: 1, Reagents: []ID{"Reagent:3", "Reagent:2"}, Details: who},
			{ID: "Well:24", Row: 1, Column: 1, Reagents: []ID{"Reagent:4"}},
			{ID: "Well:22", Row: 0, Column: 1, Reagents: []ID{"Reagent:2"}, Samples: []WellSample{{ID: "WellSample:32", Image: "Image:202"}, {ID: "WellSample:33"}}},
		},
		Runs: []Run{
			{ID: "PlateAcquisition:41", Name: "run", Description: "rd", Start: day1, End: day2, MaximumFields: new(2), Samples: []ID{"WellSample:31", "WellSample:32"}, Details: who},
			{ID: "PlateAcquisition:42", MaximumFields: new(0)},
		},
	}}
}

func fullAnnotations(doc *Document, who Details) {
	doc.Annotations = []Annotation{
		{ID: "Annotation:29", Kind: TagAnnotation, Namespace: "openmicroscopy.org/omero/insight/tagset", Text: "stains", Details: who},
		{ID: "Annotation:31", Kind: TagAnnotation, Text: "published ", Description: "since 2020", Name: "n", Details: who},
		{ID: "Annotation:32", Kind: MapAnnotation, Namespace: "openmicroscopy.org/omero/client/mapAnnotation", Pairs: []Pair{
			{"species", "mouse"}, {"stain", "DAPI"}, {"stain", "GFP"}, {"", ""}, {"k\x07", "v\uFFFF"}, {" a\tb ", " line\nline "}}},
		{ID: "Annotation:33", Kind: FileAnnotation, Namespace: "example.org/protocol", Details: who, File: &Attachment{
			ID: "OriginalFile:700", Name: "pro/to:col.pdf", Dir: "/home/alice/", Path: "attachments/33/pro tocol.pdf",
			Size: 20480, Hash: sha1Zero, Algorithm: SHA1, MediaType: "application/pdf", Modified: day2}},
		{ID: "Annotation:34", Kind: FileAnnotation, File: &Attachment{Name: "\x08", Path: "attachments/34/x"}},
		{ID: "Annotation:35", Kind: CommentAnnotation, Text: "nice\r\n image\r"},
		{ID: "Annotation:36", Kind: LongAnnotation, Namespace: "openmicroscopy.org/omero/insight/rating", Long: 5},
		{ID: "Annotation:37", Kind: DoubleAnnotation, Double: math.Inf(-1)},
		{ID: "Annotation:38", Kind: BooleanAnnotation, Bool: true},
		{ID: "Annotation:39", Kind: TimestampAnnotation, Time: day1, Namespace: "t"},
		{ID: "Annotation:40", Kind: TermAnnotation, Text: "GO:0005634"},
		{ID: "Annotation:41", Kind: ListAnnotation, Namespace: "l"},
		{ID: "Annotation:42", Kind: XMLAnnotation, Namespace: "x", Text: "<a:b xmlns:a=\"urn:x\">\r\n<!-- c --><a:c d='&lt;'/></a:b>"},
		{ID: "Annotation:43", Kind: XMLAnnotation, Namespace: "x", Text: "<!DOCTYPE x><x>not & well-formed"},
		{ID: "Annotation:44", Kind: XMLAnnotation, Namespace: TransferNamespace, Text: "<CLITransferServerPath><Path>/etc/passwd</Path></CLITransferServerPath>"},
		{ID: "Annotation:45", Kind: XMLAnnotation, Namespace: "x", Text: "<plain/>"},
		{ID: "Annotation:46", Kind: MapAnnotation, Namespace: TransferNamespace, Pairs: []Pair{{"origin_image_id", "1"}}},
		{ID: "Annotation:47", Kind: CommentAnnotation, Namespace: "on a file", Description: "d", Text: "only a fileset has it"},
		{ID: "Annotation:48", Kind: LongAnnotation, Long: math.MinInt64},
		{ID: "Annotation:490", Kind: LongAnnotation, Namespace: "of nothing", Null: true}, {ID: "Annotation:491", Kind: TimestampAnnotation, Null: true},
		{ID: "Annotation:492", Kind: DoubleAnnotation, Name: "n", Null: true}, {ID: "Annotation:493", Kind: BooleanAnnotation, Null: true},
		{ID: "Annotation:49", Kind: FileAnnotation, File: &Attachment{Name: "log", Path: "attachments/49/log", Size: 3}},
		{ID: "Annotation:50", Kind: DoubleAnnotation, Double: 0.1, Namespace: "omerods/other"},
	}
	doc.Links = []Link{
		{From: "Project:7", To: "Annotation:31", By: "Experimenter:3", At: day1},
		{From: "Project:7", To: "Annotation:31", By: "Experimenter:4", At: day2},
		{From: "Project:7", To: "Annotation:38"},
		{From: "Dataset:11", To: "Annotation:33"},
		{From: "Dataset:12", To: "Annotation:34"},
		{From: "Image:101", To: "Annotation:32", By: "Experimenter:99"},
		{From: "Image:101", To: "Annotation:42"},
		{From: "Image:101", To: "Annotation:35"},
		{From: "Image:101", To: "Annotation:36"},
		{From: "Image:102", To: "Annotation:46"},
		{From: "Image:104", To: "Annotation:39"},
		{From: "Annotation:29", To: "Annotation:31"},
		{From: "Fileset:51", To: "Annotation:47"},
		{From: "OriginalFile:601", To: "Annotation:49"},
		{From: "Screen:1", To: "Annotation:31"},
		{From: "Reagent:1", To: "Annotation:31"},
		{From: "Reagent:3", To: "Annotation:31"},
		{From: "Plate:2", To: "Annotation:31"},
		{From: "Plate:2", To: "Annotation:45"},
		{From: "Well:21", To: "Annotation:35"},
		{From: "PlateAcquisition:41", To: "Annotation:35"},
		{From: "ROI:51", To: "Annotation:35"},
		{From: "ROI:54", To: "Annotation:48"},
		{From: "Shape:61", To: "Annotation:35"},
		{From: "Folder:81", To: "Annotation:35", By: "Experimenter:3", At: day1},
		{From: "Channel:71", To: "Annotation:31"},
		{From: "Objective:1", To: "Annotation:31"},
		{From: "LightPath:1", To: "Annotation:35"},
		{From: "PlaneInfo:7", To: "Annotation:35"},
	}
}

func fullManifest() *Manifest {
	return &Manifest{Files: []File{
		{Path: "Slides/slideA.tif", Size: 512, Hash: sha1Zero, Algorithm: SHA1, MediaType: "image/tiff", Required: true, Kind: Original, Fileset: "Fileset:51"},
		{Path: "Slides/slide.vsi.fileset/slide.vsi", Size: 10, Hash: "900150983cd24fb0d6963f7d28e17f72", Algorithm: "MD5-128", Required: true, Kind: Original, Fileset: "Fileset:52"},
		{Path: "Slides/slide.vsi.fileset/_slide_/stack1/frame_t.ets", Size: 0, Required: true, Kind: Original, Fileset: "Fileset:52", Entry: 1},
		{Path: "drawn/slideA.tif", Size: 512, SameAs: "Slides/slideA.tif", MediaType: "image/\x01tiff"},
		{Path: "drawn/drawn.ome.tiff", Size: 9, Required: true, Kind: Exported, Image: "Image:104"},
		{Path: "drawn/drawn [105].ome.tiff", Size: 9, Required: true, Kind: Exported, Image: "Image:105"},
		{Path: "attachments/33/pro tocol.pdf", Size: 20480, Hash: sha1Zero, Algorithm: SHA1, Required: true, Kind: Attached, Annotation: "Annotation:33"},
		{Path: "README.html", Size: -1, Kind: Generated},
	}}
}

// fullInstruments has parts that OME-XML can hold in the first instrument, and
// others in the second.
func fullInstruments(doc *Document) {
	maker := Maker{Manufacturer: new("Zeiß"), Model: new(""), SerialNumber: new("<1> \x01"), LotNumber: new(" 2 ")}
	doc.Instruments = []Instrument{
		{
			ID: "Instrument:1", Microscope: &Microscope{Maker: maker, Type: "Inverted"},
			LightSources: []LightSource{
				{ID: "LightSource:1", Kind: Laser, Maker: maker, Power: &Quantity{20, "mW"}, Type: "Gas", Medium: "Ar", Wavelength: &Quantity{488, Nanometer},
					FrequencyMultiplication: new(2), Tuneable: new(true), Pulse: "CW", PockelCell: new(false), RepetitionRate: &Quantity{80, "MHz"}, Pump: "LightSource:4"},
				{ID: "LightSource:2", Kind: Arc, Type: "HgXe", Power: &Quantity{0, "W"}},
				{ID: "LightSource:3", Kind: Filament, Type: "Halogen"},
				{ID: "LightSource:4", Kind: LED, Maker: maker},
				{ID: "LightSource:5", Kind: GenericSource, Map: []Pair{{"k", "v"}, {"k", ""}, {"\x01", "\x02"}}},
			},
			Detectors: []Detector{{ID: "Detector:1", Maker: maker, Type: "PMT", Gain: new(1.5), Voltage: &Quantity{600, "V"}, Offset: new(-0.1), Zoom: new(2.0), AmplificationGain: new(0.0)}},
			Objectives: []Objective{{ID: "Objective:1", Maker: maker, Correction: "PlanApo", Immersion: "Oil", LensNA: new(1.4), NominalMagnification: new(63.0),
				CalibratedMagnification: new(62.8), WorkingDistance: &Quantity{0.19, "mm"}, Iris: new(true)}},
			FilterSets: []FilterSet{{ID: "FilterSet:1", Maker: maker, Excitation: []ID{"Filter:1"}, Dichroic: "Dichroic:1", Emission: []ID{"Filter:2", "Filter:1"}}, {ID: "FilterSet:2"}},
			Filters: []Filter{
				{ID: "Filter:1", Maker: maker, Type: "BandPass", FilterWheel: new("wheel"), Transmission: &Transmission{CutIn: &Quantity{500, Nanometer}, CutOut: &Quantity{0.55, Micrometer},
					CutInTolerance: &Quantity{0, Nanometer}, CutOutTolerance: &Quantity{1, "Å"}, Transmittance: new(0.95)}},
				{ID: "Filter:2", Transmission: &Transmission{}},
			},
			Dichroics: []Dichroic{{ID: "Dichroic:1", Maker: maker}},
		},
		{
			ID: "Instrument:2", Microscope: &Microscope{Type: "Home-made \x01"},
			LightSources: []LightSource{{ID: "LightSource:6", Kind: Laser, Type: "Unknown", Medium: "Beer", Pulse: "Heart", Wavelength: &Quantity{-1, Nanometer}, FrequencyMultiplication: new(0)}},
			Detectors:    []Detector{{ID: "Detector:2", Type: "Eye", Gain: new(math.Inf(1))}},
			Objectives:   []Objective{{ID: "Objective:2", Correction: "None", Immersion: "Honey"}},
			Filters:      []Filter{{ID: "Filter:3", Type: "Sunglasses", Transmission: &Transmission{CutIn: &Quantity{0, Nanometer}, CutOutTolerance: &Quantity{-1, Nanometer}, Transmittance: new(95.0)}}},
			OTFs:         []OTF{{ID: "OTF:1", SizeX: new(64), SizeY: new(0), OpticalAxisAveraged: new(true), PixelsType: "float", Path: new("/o\x01"), Objective: "Objective:2", FilterSet: "FilterSet:1"}},
		},
		{ID: "Instrument:3"},
	}
	doc.Experiments = []Experiment{
		{ID: "Experiment:1", Type: "FRET", Description: new("")},
		{ID: "Experiment:2", Type: "Cooking", Description: new("with \x01 light"), Manipulations: []Manipulation{{ID: "MicrobeamManipulation:1", Type: "FRAP", Description: new("bleach"),
			Lights: []LightSettings{{LightSource: "LightSource:1", Attenuation: new(2.0)}}}, {ID: "MicrobeamManipulation:2", Type: "Other"}}},
		{ID: "Experiment:3"},
	}
}
