package pack

import "strings"

// The words that the OME-XML 2016-06 schema allows, where the model has free
// text. What is not among them is kept in the omerods/pack part.
var (
	lengthUnits = []string{
		"Ym", "Zm", "Em", "Pm", "Tm", "Gm", "Mm", "km", "hm", "dam", "m", "dm",
		"cm", "mm", "µm", "nm", "pm", "fm", "am", "zm", "ym", "Å", "thou", "li",
		"in", "ft", "yd", "mi", "ua", "ly", "pc", "pt", "pixel", "reference frame",
	}
	timeUnits = []string{
		"Ys", "Zs", "Es", "Ps", "Ts", "Gs", "Ms", "ks", "hs", "das", "s", "ds",
		"cs", "ms", "µs", "ns", "ps", "fs", "as", "zs", "ys", "min", "h", "d",
	}
	powerUnits       = withPrefixes("W")
	frequencyUnits   = withPrefixes("Hz")
	potentialUnits   = withPrefixes("V")
	temperatureUnits = []string{"°C", "°F", "K", "°R"}
	pressureUnits    = append(withPrefixes("Pa"), "bar", "Mbar", "kbar", "dbar", "cbar", "mbar", "atm", "psi", "Torr", "mTorr", "mm Hg")
	microscopes      = []string{
		"Upright", "Inverted", "Dissection", "Electrophysiology", "Other",
	}
	corrections = []string{
		"UV", "PlanApo", "PlanFluor", "SuperFluor", "VioletCorrected", "Achro", "Achromat", "Fluor", "Fl", "Fluar",
		"Neofluar", "Fluotar", "Apo", "PlanNeofluar", "Other",
	}
	immersions = []string{
		"Oil", "Water", "WaterDipping", "Air", "Multi", "Glycerol", "Other",
	}
	detectors = []string{
		"CCD", "IntensifiedCCD", "AnalogVideo", "PMT", "Photodiode", "Spectroscopy", "LifetimeImaging",
		"CorrelationSpectroscopy", "FTIR", "EMCCD", "APD", "CMOS", "EBCCD", "Other",
	}
	lasers = []string{
		"Excimer", "Gas", "MetalVapor", "SolidState", "Dye", "Semiconductor", "FreeElectron", "Other",
	}
	laserMediums = []string{
		"Cu", "Ag", "ArFl", "ArCl", "KrFl", "KrCl", "XeFl", "XeCl", "XeBr", "N", "Ar", "Kr", "Xe", "HeNe", "HeCd", "CO",
		"CO2", "H2O", "HFl", "NdGlass", "NdYAG", "ErGlass", "ErYAG", "HoYLF", "HoYAG", "Ruby", "TiSapphire", "Alexandrite",
		"Rhodamine6G", "CoumarinC30", "GaAs", "GaAlAs", "EMinus", "Other",
	}
	pulses = []string{
		"CW", "Single", "QSwitched", "Repetitive", "ModeLocked", "Other",
	}
	arcs = []string{
		"Hg", "Xe", "HgXe", "Other",
	}
	filaments = []string{
		"Incandescent", "Halogen", "Other",
	}
	filterTypes = []string{
		"Dichroic", "LongPass", "ShortPass", "BandPass", "MultiPass", "NeutralDensity", "Tuneable", "Other",
	}
	mediums = []string{
		"Air", "Oil", "Water", "Glycerol", "Other",
	}
	binnings = []string{
		"1x1", "2x2", "4x4", "8x8", "Other",
	}
	experiments = []string{
		"FP", "FRET", "TimeLapse", "FourDPlus", "Screen", "Immunocytochemistry", "Immunofluorescence", "FISH",
		"Electrophysiology", "IonImaging", "Colocalization", "PGIDocumentation", "FluorescenceLifetime", "SpectralImaging",
		"Photobleaching", "SPIM", "Other",
	}
	pixelTypes = []string{
		"int8", "int16", "int32", "uint8", "uint16", "uint32", "float", "double",
		"complex", "double-complex", "bit",
	}
	dimensionOrders = []string{"XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC"}
	illuminations   = []string{"Transmitted", "Epifluorescence", "Oblique", "NonLinear", "Other"}
	contrastMethods = []string{
		"Brightfield", "Phase", "DIC", "HoffmanModulation", "ObliqueIllumination",
		"PolarizedLight", "Darkfield", "Fluorescence", "Other",
	}
	acquisitionModes = []string{
		"WideField", "LaserScanningConfocalMicroscopy", "SpinningDiskConfocal",
		"SlitScanConfocal", "MultiPhotonMicroscopy", "StructuredIllumination",
		"SingleMoleculeImaging", "TotalInternalReflection", "FluorescenceLifetime",
		"SpectralImaging", "FluorescenceCorrelationSpectroscopy",
		"NearFieldScanningOpticalMicroscopy", "SecondHarmonicGenerationImaging",
		"PALM", "STORM", "STED", "TIRF", "FSM", "LCM", "Other", "BrightField",
		"SweptFieldConfocal", "SPIM",
	}
	namings      = []string{"letter", "number"}
	fillRules    = []string{"EvenOdd", "NonZero"}
	fontFamilies = []string{"serif", "sans-serif", "cursive", "fantasy", "monospace"}
	fontStyles   = []string{"Bold", "BoldItalic", "Italic", "Normal"}
	markers      = []string{"Arrow"}

	shapeKinds = []ShapeKind{
		Rectangle, Ellipse, PointShape, Line, Polygon, Polyline, Label, Mask, PathShape,
	}
	annotationKinds = []AnnotationKind{
		MapAnnotation, TagAnnotation, CommentAnnotation, XMLAnnotation,
		TermAnnotation, FileAnnotation, LongAnnotation, DoubleAnnotation,
		BooleanAnnotation, TimestampAnnotation, ListAnnotation,
	}
)

// withPrefixes lists a unit with all prefixes of the international system.
func withPrefixes(unit string) []string {
	var list []string
	for p := range strings.SplitSeq("Y Z E P T G M k h da  d c m µ n p f a z y", " ") {
		list = append(list, p+unit)
	}
	return list
}
