package omero

// acquisitionRows are the rows of acquisition metadata that belong to images,
// each as a class without which there are none, their own class, an alias and
// what joins it to the images i.
var acquisitionRows = [][4]string{
	{"", "Experiment", "ex", " join i.experiment ex"},
	{"", "ObjectiveSettings", "os", " join i.objectiveSettings os"},
	{"", "ImagingEnvironment", "en", " join i.imagingEnvironment en"},
	{"", "StageLabel", "st", " join i.stageLabel st"},
	{"", "PlaneInfo", "pi", " join i.pixels p join p.planeInfo pi"},
	{"", "DetectorSettings", "ds", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.detectorSettings ds"},
	{"", "LightSettings", "ls", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightSourceSettings ls"},
	{"", "LightPath", "lp", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightPath lp"},
	{"LightPath", "LightPathExcitationFilterLink", "l", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightPath lp join lp.excitationFilterLink l"},
	{"LightPath", "LightPathEmissionFilterLink", "l", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightPath lp join lp.emissionFilterLink l"},
	{"", "Instrument", "it", " join i.instrument it"},
	{"Instrument", "Microscope", "ms", " join i.instrument it join it.microscope ms"},
	{"Instrument", "Objective", "x", " join i.instrument it join it.objective x"},
	{"Instrument", "Detector", "x", " join i.instrument it join it.detector x"},
	{"Instrument", "LightSource", "x", " join i.instrument it join it.lightSource x"},
	{"Instrument", "Filter", "x", " join i.instrument it join it.filter x"},
	{"Instrument", "TransmittanceRange", "tr", " join i.instrument it join it.filter x join x.transmittanceRange tr"},
	{"Instrument", "Dichroic", "x", " join i.instrument it join it.dichroic x"},
	{"Instrument", "FilterSet", "x", " join i.instrument it join it.filterSet x"},
	{"Instrument", "FilterSetExcitationFilterLink", "l", " join i.instrument it join it.filterSet x join x.excitationFilterLink l"},
	{"Instrument", "FilterSetEmissionFilterLink", "l", " join i.instrument it join it.filterSet x join x.emissionFilterLink l"},
	{"Instrument", "OTF", "x", " join i.instrument it join it.otf x"},
	{"Experiment", "MicrobeamManipulation", "mm", " join i.experiment ex join ex.microbeamManipulation mm"},
	{"Experiment", "LightSettings of MicrobeamManipulation", "ls", " join i.experiment ex join ex.microbeamManipulation mm join mm.lightSourceSettings ls"},
}

// acquisitionToken adds the queries for acquisition metadata.
func acquisitionToken(s scope, add func(needs, of, alias, from, where string)) {
	for _, r := range acquisitionRows {
		add(r[0], r[1], r[2], s.from+r[3], s.where)
	}
}
