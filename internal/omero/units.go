package omero

// Quantity is a number with a unit, spelled as OME-XML does: "µm", "pixel",
// "pt", "reference frame", "s" …
type Quantity struct {
	Value float64
	Unit  string
}

// lengthSymbols are the units of length by the name that the server's
// enumeration UnitsLength has for them.
var lengthSymbols = map[string]string{
	"YOTTAMETER": "Ym", "ZETTAMETER": "Zm", "EXAMETER": "Em", "PETAMETER": "Pm", "TERAMETER": "Tm",
	"GIGAMETER": "Gm", "MEGAMETER": "Mm", "KILOMETER": "km", "HECTOMETER": "hm", "DECAMETER": "dam",
	"METER": "m", "DECIMETER": "dm", "CENTIMETER": "cm", "MILLIMETER": "mm", "MICROMETER": "µm",
	"NANOMETER": "nm", "PICOMETER": "pm", "FEMTOMETER": "fm", "ATTOMETER": "am", "ZEPTOMETER": "zm",
	"YOCTOMETER": "ym", "ANGSTROM": "Å", "ASTRONOMICALUNIT": "ua", "LIGHTYEAR": "ly", "PARSEC": "pc",
	"THOU": "thou", "LINE": "li", "INCH": "in", "FOOT": "ft", "YARD": "yd", "MILE": "mi",
	"POINT": "pt", "PIXEL": "pixel", "REFERENCEFRAME": "reference frame",
}

// timeSymbols are the units of time by the name that UnitsTime has for them.
var timeSymbols = map[string]string{
	"YOTTASECOND": "Ys", "ZETTASECOND": "Zs", "EXASECOND": "Es", "PETASECOND": "Ps", "TERASECOND": "Ts",
	"GIGASECOND": "Gs", "MEGASECOND": "Ms", "KILOSECOND": "ks", "HECTOSECOND": "hs", "DECASECOND": "das",
	"SECOND": "s", "DECISECOND": "ds", "CENTISECOND": "cs", "MILLISECOND": "ms", "MICROSECOND": "µs",
	"NANOSECOND": "ns", "PICOSECOND": "ps", "FEMTOSECOND": "fs", "ATTOSECOND": "as", "ZEPTOSECOND": "zs",
	"YOCTOSECOND": "ys", "MINUTE": "min", "HOUR": "h", "DAY": "d",
}

var lengthNames = func() map[string]string {
	m := make(map[string]string, len(lengthSymbols))
	for name, symbol := range lengthSymbols {
		m[symbol] = name
	}
	return m
}()

// unitSymbol spells a unit of length or time that the server names, "" for
// others.
func unitSymbol(name string) string {
	if s, ok := lengthSymbols[name]; ok {
		return s
	}
	return timeSymbols[name]
}

// length makes a ::omero::model::Length, nil for none. Units that are no
// length are taken as pixels.
func (c *Client) length(q *Quantity) any {
	if q == nil {
		return nil
	}
	name, ok := lengthNames[q.Unit]
	if !ok {
		name = "PIXEL"
	}
	unit := c.defs.Enum("::omero::model::enums::UnitsLength").Values[name]
	return c.defs.New("::omero::model::Length").Set("value", q.Value).Set("unit", unit)
}
