package omero

// The beginnings of queries for the plates of a screen and for one plate, which
// they call pt.
const (
	platesOfScreen = "ScreenPlateLink sl join sl.child pt"
	plateItself    = "Plate pt"
)

// plateQueries adds the queries for what a screen or plate consists of besides
// the images: plates, runs, wells and reagents.
func plateQueries(kind Kind, where string, add func(of, alias, from, where string)) {
	plates := plateItself
	if kind == KindScreen {
		plates = platesOfScreen
		add("ScreenPlateLink", "sl", plates, where)
		const self, is = "Screen o", "o.id = :id"
		add("Reagent", "rg", self+" join o.reagents rg", is)
	}
	runs, wells := plates+" join pt.plateAcquisitions ru", plates+" join pt.wells w"
	for _, o := range [][3]string{{"Plate", "pt", plates}, {"PlateAcquisition", "ru", runs}, {"Well", "w", wells}} {
		add(o[0], o[1], o[2], where)
	}
	// What the wells hold may be of a screen that is not this one.
	held := wells + " join w.reagentLinks rl"
	add("WellReagentLink", "rl", held, where)
	add("Reagent", "rg", held+" join rl.child rg", where)
}
