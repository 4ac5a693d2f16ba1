package omero

import (
	"fmt"
	"strings"
)

// Quantity is a number with a unit, spelled as OME-XML does: "µm", "pixel",
// "pt", "reference frame", "s", "mW", "MHz", "mbar", "°C" …
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

// prefixes are those of the international system, by the names that units of
// the server begin with.
var prefixes = [][2]string{
	{"YOTTA", "Y"}, {"ZETTA", "Z"}, {"EXA", "E"}, {"PETA", "P"}, {"TERA", "T"}, {"GIGA", "G"}, {"MEGA", "M"}, {"KILO", "k"},
	{"HECTO", "h"}, {"DECA", "da"}, {"", ""}, {"DECI", "d"}, {"CENTI", "c"}, {"MILLI", "m"}, {"MICRO", "µ"}, {"NANO", "n"},
	{"PICO", "p"}, {"FEMTO", "f"}, {"ATTO", "a"}, {"ZEPTO", "z"}, {"YOCTO", "y"},
}

// prefixed lists a unit with all prefixes, and further units of its kind.
func prefixed(name, symbol string, more map[string]string) map[string]string {
	m := make(map[string]string, len(prefixes)+len(more))
	for _, p := range prefixes {
		m[p[0]+name] = p[1] + symbol
	}
	for name, symbol := range more {
		m[name] = symbol
	}
	return m
}

// unitSymbols are the units of each kind of quantity, by the class that the
// server has for it.
var unitSymbols = map[string]map[string]string{
	"Length":            lengthSymbols,
	"Time":              timeSymbols,
	"Power":             prefixed("WATT", "W", nil),
	"Frequency":         prefixed("HERTZ", "Hz", nil),
	"ElectricPotential": prefixed("VOLT", "V", nil),
	"Temperature":       {"KELVIN": "K", "CELSIUS": "°C", "FAHRENHEIT": "°F", "RANKINE": "°R"},
	"Pressure": prefixed("PASCAL", "Pa", map[string]string{
		"BAR": "bar", "MEGABAR": "Mbar", "KILOBAR": "kbar", "DECIBAR": "dbar", "CENTIBAR": "cbar", "MILLIBAR": "mbar",
		"ATMOSPHERE": "atm", "PSI": "psi", "TORR": "Torr", "MILLITORR": "mTorr", "MMHG": "mm Hg",
	}),
}

// symbolOf and nameOf lead from the names of units to their symbols and back;
// no two kinds of quantities have a name or a symbol in common.
var symbolOf, nameOf = func() (map[string]string, map[string]string) {
	symbols, names := make(map[string]string), make(map[string]string)
	for _, units := range unitSymbols {
		for name, symbol := range units {
			symbols[name], names[symbol] = symbol, name
		}
	}
	return symbols, names
}()

// quantity makes a quantity of a class of the model, nil for none.
func (c *Client) quantity(class string, q *Quantity) (any, error) {
	if q == nil {
		return nil, nil
	}
	model := c.defs.Class(modelClass(class))
	if model == nil || model.FieldIndex("unit") < 0 {
		return nil, failure(Unsupported, "unit", class+" is no quantity")
	}
	unit, ok := model.AllFields()[model.FieldIndex("unit")].Type.Enum.Values[nameOf[q.Unit]]
	if !ok {
		return nil, failure(Invalid, "unit", fmt.Sprintf("%q is no unit of a %s", q.Unit, strings.ToLower(class)))
	}
	return model.New().Set("value", q.Value).Set("unit", unit), nil
}

// length makes a ::omero::model::Length, nil for none. Units that are no
// length are taken as pixels.
func (c *Client) length(q *Quantity) any {
	if q != nil && unitSymbols["Length"][nameOf[q.Unit]] == "" {
		q = &Quantity{Value: q.Value, Unit: "pixel"}
	}
	v, _ := c.quantity("Length", q) // a length by now
	return v
}
