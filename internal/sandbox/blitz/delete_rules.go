package blitz

// dependents are optional associations whose holder goes with the target all
// the same. With required ones it always does.
var dependents = map[string]bool{
	"Image.fileset":               true,
	"Roi.image":                   true,
	"WellSample.plateAcquisition": true,
	"Folder.parentFolder":         true,
}

// held are the associations whose target goes with the last object that has
// it.
var held = map[string]bool{
	"Channel.logicalChannel":             true,
	"Channel.statsInfo":                  true,
	"LogicalChannel.lightPath":           true,
	"LogicalChannel.detectorSettings":    true,
	"LogicalChannel.lightSourceSettings": true,
	"LogicalChannel.otf":                 true,
	"LogicalChannel.filterSet":           true,
	"Image.instrument":                   true,
	"Image.imagingEnvironment":           true,
	"Image.objectiveSettings":            true,
	"Image.stageLabel":                   true,
	"Image.experiment":                   true,
	"Instrument.microscope":              true,
	"Filter.transmittanceRange":          true,
	"Shape.transform":                    true,
	"FilesetEntry.originalFile":          true,
	"FileAnnotation.file":                true,
	"Roi.source":                         true,
	"RenderingDef.quantization":          true,
	"WellSample.image":                   true,
}

// holders are further associations that keep their target although they do not
// pass it on.
var holders = map[string]bool{
	"Image.fileset": true,
}

// pins are required associations whose holder does not go with the target: a
// request that would take the target and leave the holder is refused. An image
// in a well goes only with the well's field.
var pins = map[string]bool{
	"WellSample.image": true,
}

// keepsChild are the links whose child stays when the parent goes: folders and
// tag sets only point at what they hold.
var keepsChild = map[string]bool{
	"FolderImageLink":          true,
	"FolderRoiLink":            true,
	"AnnotationAnnotationLink": true,
}
