package omero

// acquisitionRows are the rows of acquisition metadata that belong to images,
// each as an alias and what joins it to the images i.
var acquisitionRows = [][2]string{
	{"ex", " join i.experiment ex"},
	{"os", " join i.objectiveSettings os"},
	{"en", " join i.imagingEnvironment en"},
	{"st", " join i.stageLabel st"},
	{"pi", " join i.pixels p join p.planeInfo pi"},
	{"ds", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.detectorSettings ds"},
	{"ls", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightSourceSettings ls"},
	{"lp", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightPath lp"},
	{"l", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightPath lp join lp.excitationFilterLink l"},
	{"l", " join i.pixels p join p.channels c join c.logicalChannel lc join lc.lightPath lp join lp.emissionFilterLink l"},
	{"it", " join i.instrument it"},
	{"ms", " join i.instrument it join it.microscope ms"},
	{"x", " join i.instrument it join it.objective x"},
	{"x", " join i.instrument it join it.detector x"},
	{"x", " join i.instrument it join it.lightSource x"},
	{"x", " join i.instrument it join it.filter x"},
	{"tr", " join i.instrument it join it.filter x join x.transmittanceRange tr"},
	{"x", " join i.instrument it join it.dichroic x"},
	{"x", " join i.instrument it join it.filterSet x"},
	{"l", " join i.instrument it join it.filterSet x join x.excitationFilterLink l"},
	{"l", " join i.instrument it join it.filterSet x join x.emissionFilterLink l"},
	{"x", " join i.instrument it join it.otf x"},
	{"mm", " join i.experiment ex join ex.microbeamManipulation mm"},
	{"ls", " join i.experiment ex join ex.microbeamManipulation mm join mm.lightSourceSettings ls"},
}

// acquisitionToken adds the queries for acquisition metadata.
func acquisitionToken(s scope, add func(alias, from, where string)) {
	for _, r := range acquisitionRows {
		add(r[0], s.from+r[1], s.where)
	}
}
