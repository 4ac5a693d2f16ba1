package hql

import "strings"

var unitPrefixes = []struct{ name, symbol string }{
	{"YOTTA", "Y"}, {"ZETTA", "Z"}, {"EXA", "E"}, {"PETA", "P"}, {"TERA", "T"}, {"GIGA", "G"},
	{"MEGA", "M"}, {"KILO", "k"}, {"HECTO", "h"}, {"DECA", "da"}, {"DECI", "d"}, {"CENTI", "c"},
	{"MILLI", "m"}, {"MICRO", "µ"}, {"NANO", "n"}, {"PICO", "p"}, {"FEMTO", "f"}, {"ATTO", "a"},
	{"ZEPTO", "z"}, {"YOCTO", "y"},
}

var unitSymbols = map[string]string{
	"METER": "m", "SECOND": "s", "PASCAL": "Pa", "WATT": "W", "HERTZ": "Hz", "VOLT": "V", "BAR": "bar",
	"ANGSTROM": "Å", "ASTRONOMICALUNIT": "ua", "LIGHTYEAR": "ly", "PARSEC": "pc", "THOU": "thou",
	"LINE": "li", "INCH": "in", "FOOT": "ft", "YARD": "yd", "MILE": "mi", "POINT": "pt",
	"PIXEL": "pixel", "REFERENCEFRAME": "reference frame",
	"MINUTE": "min", "HOUR": "h", "DAY": "d",
	"CELSIUS": "°C", "FAHRENHEIT": "°F", "KELVIN": "K", "RANKINE": "°R",
	"ATMOSPHERE": "atm", "PSI": "psi", "TORR": "Torr", "MMHG": "mm Hg",
}

// Symbol returns the symbol of a unit named as in the enumerations, "" for an
// unknown one.
func Symbol(unit string) string {
	if s, ok := unitSymbols[unit]; ok {
		return s
	}
	for _, p := range unitPrefixes {
		if base, ok := strings.CutPrefix(unit, p.name); ok && unitSymbols[base] != "" {
			return p.symbol + unitSymbols[base]
		}
	}
	return ""
}
