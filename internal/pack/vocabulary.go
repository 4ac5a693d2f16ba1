package pack

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
