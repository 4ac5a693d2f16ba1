package omero

import "strings"

// part are the objects of one class that belong to an object, as a query for
// their ids in which the object's own id is :id.
type part struct {
	kind Kind
	ids  string
}

// imagesOf are queries for the ids of the images that belong to an object.
var imagesOf = map[Kind]string{
	KindProject: `select il.child.id from DatasetImageLink il where il.parent.id in (` + datasetsOfProject + `)`,
	KindDataset: `select il.child.id from DatasetImageLink il where il.parent.id = :id`,
	KindScreen:  `select ws.image.id from WellSample ws where ws.image is not null and ws.well.plate.id in (` + platesOfThisScreen + `)`,
	KindPlate:   `select ws.image.id from WellSample ws where ws.image is not null and ws.well.plate.id = :id`,
	KindImage:   `select i.id from Image i where i.id = :id or i.fileset.id in (select o.fileset.id from Image o where o.id = :id)`,
}

const (
	datasetsOfProject  = `select pl.child.id from ProjectDatasetLink pl where pl.parent.id = :id`
	platesOfThisScreen = `select sl.child.id from ScreenPlateLink sl where sl.parent.id = :id`
)

// counted is the class whose rows a token counts before it asks for the
// annotations of the part, "" for none: without any there are none of these.
func (p part) counted() string {
	switch p.kind {
	case KindROI, KindShape, KindFileset, KindFolder, KindChannel, KindLightPath, KindPlaneInfo, KindInstrument, KindRun, KindWell:
		return string(p.kind)
	case KindOriginalFile:
		return "Fileset" // its entries are counted no earlier
	case KindObjective, KindDetector, KindLightSource, KindFilter, KindDichroic:
		return string(KindInstrument)
	}
	return ""
}

// partsOf are all objects of a project, dataset, screen, plate or image that
// may carry annotations, but for attached files. None of the queries gives
// null. The first is the object itself, of an image with all of its fileset;
// the second of a screen, its reagents.
func partsOf(kind Kind) []part {
	images, ok := imagesOf[kind]
	if !ok {
		return nil
	}
	if kind == KindImage {
		return append([]part{{kind, images}}, partsOfImages(images)...)
	}
	parts := []part{{kind, `select o.id from ` + string(kind) + ` o where o.id = :id`}}
	switch kind {
	case KindProject:
		parts = append(parts, part{KindDataset, datasetsOfProject})
	case KindScreen:
		parts = append(parts, part{KindReagent, `select rg.id from Reagent rg where rg.screen.id = :id`}, part{KindPlate, platesOfThisScreen})
		parts = append(parts, partsOfPlates(`in (`+platesOfThisScreen+`)`)...)
	case KindPlate:
		parts = append(parts, partsOfPlates(`= :id`)...)
	}
	parts = append(parts, part{KindImage, images})
	return append(parts, partsOfImages(images)...)
}

// partsOfPlates are what belongs to plates besides images.
func partsOfPlates(are string) []part {
	return []part{
		{KindRun, `select ru.id from PlateAcquisition ru where ru.plate.id ` + are},
		{KindWell, `select w.id from Well w where w.plate.id ` + are},
		{KindReagent, `select wr.child.id from WellReagentLink wr where wr.parent.plate.id ` + are},
	}
}

// partsOfImages are what belongs to images.
func partsOfImages(images string) []part {
	instruments := `select i.instrument.id from Image i where i.instrument is not null and i.id in (` + images + `)`
	of := func(kind Kind) part {
		return part{kind, `select x.id from ` + string(kind) + ` x where x.instrument.id in (` + instruments + `)`}
	}
	filesets := `select fs.id from Image i join i.fileset fs where i.id in (` + images + `)`
	return []part{
		{KindROI, `select r.id from Roi r where r.image.id in (` + images + `)`},
		{KindShape, `select s.id from Shape s where s.roi.image.id in (` + images + `)`},
		{KindFileset, filesets},
		{KindFolder, foldersOf(images)},
		{KindOriginalFile, `select e.originalFile.id from FilesetEntry e where e.fileset.id in (` + filesets + `)`},
		{KindChannel, `select ch.id from Channel ch where ch.pixels.image.id in (` + images + `)`},
		{KindLightPath, `select lp.id from Channel ch join ch.logicalChannel lc join lc.lightPath lp where ch.pixels.image.id in (` + images + `)`},
		{KindPlaneInfo, `select pi.id from PlaneInfo pi where pi.pixels.image.id in (` + images + `)`},
		{KindInstrument, instruments}, of(KindObjective), of(KindDetector), of(KindLightSource), of(KindFilter), of(KindDichroic),
	}
}

// noted is the condition that x is the id of an annotation of one of the parts.
func noted(x string, parts []part) string {
	in := make([]string, len(parts))
	for i, p := range parts {
		in[i] = x + ` in (select l.child.id from ` + annotationLinkClass(string(p.kind)) + ` l where l.parent.id in (` + p.ids + `))`
	}
	return `(` + strings.Join(in, ` or `) + `)`
}

// notedTwice is the condition that x is the id of an annotation of an
// annotation of one of the parts, or of a file that is attached to one.
func notedTwice(x string, parts []part) string {
	return `(` + x + ` in (select m.child.id from AnnotationAnnotationLink m where ` + noted("m.parent.id", parts) + `) or ` +
		x + ` in (select m.child.id from OriginalFileAnnotationLink m where m.parent.id in (` + attached(parts) + `)))`
}

// attached is a query for the ids of the files that are attached to the parts.
func attached(parts []part) string {
	return `select fa.file.id from FileAnnotation fa where fa.file is not null and ` + noted("fa.id", parts)
}

// not is the condition that an annotation is none of those in namespaces that
// begin with except.
func notIn(alias, except string) string {
	if except == "" {
		return ""
	}
	return ` and (` + alias + `.ns is null or ` + alias + `.ns not like '` + except + `%')`
}
