package imaging

import (
	"strconv"
	"strings"
)

// lengthUnits maps the symbols of OME-XML to the names of the units.
var lengthUnits = map[string]string{
	"Ym": "YOTTAMETER", "Zm": "ZETTAMETER", "Em": "EXAMETER", "Pm": "PETAMETER", "Tm": "TERAMETER",
	"Gm": "GIGAMETER", "Mm": "MEGAMETER", "km": "KILOMETER", "hm": "HECTOMETER", "dam": "DECAMETER",
	"m": "METER", "dm": "DECIMETER", "cm": "CENTIMETER", "mm": "MILLIMETER", "µm": "MICROMETER",
	"μm": "MICROMETER", "um": "MICROMETER", "nm": "NANOMETER", "pm": "PICOMETER", "fm": "FEMTOMETER",
	"am": "ATTOMETER", "zm": "ZEPTOMETER", "ym": "YOCTOMETER", "Å": "ANGSTROM", "thou": "THOU", "li": "LINE",
	"in": "INCH", "ft": "FOOT", "yd": "YARD", "mi": "MILE", "ua": "ASTRONOMICALUNIT", "ly": "LIGHTYEAR",
	"pc": "PARSEC", "pt": "POINT", "pixel": "PIXEL", "reference frame": "REFERENCEFRAME",
}

// Symbol returns the sign of a length's unit as OME-XML spells it, "" for an
// unknown one.
func (l Length) Symbol() string {
	if l.Unit == "MICROMETER" {
		return "µm"
	}
	for symbol, name := range lengthUnits {
		if name == l.Unit {
			return symbol
		}
	}
	return ""
}

// ParseLength makes a length of an OME-XML attribute and its unit attribute; the
// zero Length when there is none or the unit is unknown.
func ParseLength(value, symbol, defaultUnit string) Length {
	v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return Length{}
	}
	unit := defaultUnit
	if symbol != "" {
		if unit = lengthUnits[symbol]; unit == "" {
			return Length{}
		}
	}
	return Length{Value: v, Unit: unit}
}
