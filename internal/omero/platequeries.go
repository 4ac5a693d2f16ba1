package omero

// The beginnings of queries for the plates of a screen and for one plate, which
// they call pt.
const (
	platesOfScreen = "ScreenPlateLink sl join sl.child pt"
	plateItself    = "Plate pt"
)

// plateQueries adds the queries for what a screen or plate consists of besides
// the images: plates, runs, wells and reagents with their annotations.
func plateQueries(kind Kind, where string, add, annotated func(alias, from, where string)) {
	plates := plateItself
	if kind == KindScreen {
		plates = platesOfScreen
		add("sl", plates, where)
		const self, is = "Screen o", "o.id = :id"
		annotated("o", self, is)
		add("rg", self+" join o.reagents rg", is)
		annotated("rg", self+" join o.reagents rg", is)
	}
	runs, wells := plates+" join pt.plateAcquisitions ru", plates+" join pt.wells w"
	for _, o := range [][2]string{{"pt", plates}, {"ru", runs}, {"w", wells}} {
		add(o[0], o[1], where)
		annotated(o[0], o[1], where)
	}
	// What the wells hold may be of a screen that is not this one.
	held := wells + " join w.reagentLinks rl"
	add("rl", held, where)
	add("rg", held+" join rl.child rg", where)
	annotated("rg", held+" join rl.child rg", where)
}

// plateNotes is the condition for an annotation a to belong into the folder of
// a screen or plate.
func plateNotes(kind Kind) string {
	on := func(class, parents string) string {
		return "a.id in (select l.child.id from " + class + "AnnotationLink l where " + parents + ")"
	}
	if kind == KindScreen {
		return "(" + on("Screen", "l.parent.id = :id") + " or " + on("Reagent", "l.parent.screen.id = :id") + ")"
	}
	const images = "select ws.image.id from WellSample ws where ws.well.plate.id = :id"
	return "(" + on("Plate", "l.parent.id = :id") +
		" or " + on("PlateAcquisition", "l.parent.plate.id = :id") +
		" or " + on("Well", "l.parent.plate.id = :id") +
		" or " + on("Reagent", "l.parent.id in (select wr.child.id from WellReagentLink wr where wr.parent.plate.id = :id)") +
		" or " + on("Image", "l.parent.id in ("+images+")") +
		" or " + on("Roi", "l.parent.image.id in ("+images+")") + ")"
}
